//! What leaves a place, and whether it counts.

use super::*;

impl Program<'_> {
    /// What leaves a value undoes what comes into one, though the keys stay.
    pub(super) fn drop_undone_below(&self, place: Place, touches: &[Touch], growths: &mut Vec<Growth>) {
        let level = growths.iter().map(|growth| growth.touch.operation.level).min().unwrap_or(0);
        let removals = self.removals(place, touches).into_iter().filter(|touch| touch.operation.level > level);
        let growing: Vec<Touch> = growths.iter().map(|growth| growth.touch).collect();
        let counting =
            removals.filter(|touch| self.refutation(place, *touch, touch.operation.level, &growing).is_none());
        if let Some(emptied) = counting.map(|touch| touch.operation.level).min() {
            growths.retain(|growth| growth.touch.operation.level < emptied);
        }
    }

    pub(super) fn graded_removals(
        &self,
        place: Place,
        touches: &[Touch],
        growths: &[Growth],
    ) -> impl Iterator<Item = Removal> {
        let level = growths.iter().map(|growth| growth.touch.operation.level).min().unwrap_or(0);
        let growing: Vec<Touch> = growths.iter().map(|growth| growth.touch).collect();
        self.removals(place, touches).into_iter().map(move |touch| {
            let mistaken = self.takes_out_the_last(touch.operation).or_else(|| self.is_behind_flag(touch, &growing));
            let is_mistaken = mistaken.is_some();
            let refuted = mistaken.or_else(|| self.refutation(place, touch, level, &growing));
            Removal { touch, refuted: refuted.or_else(|| self.reset_for_tests(place, touch, growths)), is_mistaken }
        })
    }

    /// Whether items plainly leave a place one by one, which settles most places before dearer questions are asked.
    pub(super) fn is_plainly_pruned(&self, place: Place, touches: &[Touch]) -> bool {
        let growing: Vec<Touch> = touches.iter().filter(|touch| touch.operation.kind.is_growth()).copied().collect();
        self.removals(place, touches).into_iter().any(|touch| {
            matches!(touch.operation.kind, OperationKind::Pop | OperationKind::Delete | OperationKind::Remove)
                && touch.operation.level == 0
                && self.takes_out_the_last(touch.operation).is_none()
                && self.is_behind_flag(touch, &growing).is_none()
                && self.refutation(place, touch, 0, &growing).is_none()
        })
    }

    /// Removals from the place; for attributes, also those on objects of unknown type that have the name.
    pub(super) fn removals(&self, place: Place, touches: &[Touch]) -> Vec<Touch> {
        let is_queue = self.holder(place).is_some_and(|holder| holder.container.shape == Shape::Queue);
        let takes = |touch: &&Touch| {
            let kind = touch.operation.kind;
            kind.is_shrink() || (is_queue && kind == OperationKind::Get)
        };
        let mut removals: Vec<Touch> = touches.iter().filter(takes).copied().collect();
        if let Place::Class(_, name) | Place::Instance(_, name) | Place::Module(_, name) | Place::Function(_, name) =
            place
        {
            let unresolved = self.operations.on(Place::Unresolved(name)).filter(|operation| operation.kind.is_shrink());
            removals.extend(unresolved.map(|operation| Touch { operation: *operation, through: None }));
        }
        removals.extend(self.values_made_afresh(place, touches));
        removals
    }

    /// `caches[name] = {}` in several functions, whatever is there: one of them makes the value, the others empty it. Of a
    /// `defaultdict`, all of them do.
    fn values_made_afresh(&self, place: Place, touches: &[Touch]) -> Vec<Touch> {
        let makes_by_itself = self.holder(place).is_some_and(|holder| holder.container.reads_insert);
        // `if key not in caches: …` makes what is missing.
        let is_place = |table: ExprRef| self.reach(table).is_some_and(|reach| reach.place == place);
        let asks_for_key = |event| {
            self.conditions(event).iter().any(|condition| {
                matches!(self.expr(condition.test), Expr::Binary(Operator::In | Operator::NotIn, _, table)
                    if is_place(condition.test.scope.expr(table)))
            })
        };
        let makes_afresh = |touch: &&Touch| {
            let operation = touch.operation;
            let facts = self.facts(operation.event.module);
            operation.kind == OperationKind::Store
                && matches!(facts.expr(operation.value), Expr::Display(_, run) if run.len == 0)
                && matches!(facts.expr(operation.key), Expr::Name(_) | Expr::Attribute(..))
                && (!self.is_conditional(operation.event) || makes_by_itself && !asks_for_key(operation.event))
        };
        let afresh: Vec<&Touch> = touches.iter().filter(makes_afresh).collect();
        let first = afresh.first().map(|touch| self.event_function(touch.event()));
        if !makes_by_itself && afresh.iter().all(|touch| Some(self.event_function(touch.event())) == first) {
            return Vec::new();
        }
        let emptied = |touch: &&Touch| {
            let operation = touch.operation;
            Touch {
                operation: Operation { kind: OperationKind::Clear, level: operation.level + 1, ..operation },
                ..**touch
            }
        };
        afresh.iter().map(emptied).collect()
    }

    /// Why a removal lets nothing go.
    pub(super) fn refutation(&self, place: Place, touch: Touch, level: u8, growing: &[Touch]) -> Option<String> {
        let operation = touch.operation;
        let event = touch.event();
        if operation.level > level {
            return Some("it takes from the value, and the key stays".to_owned());
        }
        let makes = || self.is_making(place, event) || self.is_made_if_missing(place, event);
        if operation.kind == OperationKind::Rebind && makes() {
            return Some("it only makes the container".to_owned());
        }
        let Some(function) = self.event_function(event) else {
            return Some("it runs once, when the module is imported".to_owned());
        };
        if self.is_test(event.module) && !self.is_test(self.place_module(place)) {
            return Some("it runs only under tests".to_owned());
        }
        let grows_here = growing.iter().any(|touch| self.event_function(touch.event()) == Some(function));
        if grows_here {
            let is_put_back = growing.iter().any(|growing| self.is_put_back(operation, growing.operation));
            return is_put_back.then(|| "what it takes out is added again right behind it".to_owned());
        }
        let name = self.function(function).name.as_str();
        if let Place::Instance(owner, _) = place
            && let Some(why) = self.refutation_in_life(owner, touch, function, growing)
        {
            return Some(why);
        }
        if name == "__del__" && self.holds_receiver(growing) {
            return Some("it never runs while the container itself keeps the object alive".to_owned());
        }
        if self.holds_receiver(growing) && self.is_left_to_finalizer(function) {
            return Some(
                "`__del__` is to call it, and never runs while the container keeps the object alive".to_owned(),
            );
        }
        if self.is_live(function) {
            return None;
        }
        let is_private = name.starts_with('_') && !(name.starts_with("__") && name.ends_with("__"));
        let overrides = self
            .class_of_method(function)
            .is_some_and(|class| !self.external_bases(class).is_empty() || self.has_unknown_base(class));
        if is_private && !overrides {
            return Some(format!("nobody calls `{}`", self.function_name(function)));
        }
        None
    }

    /// A method that nobody but the finalizer of its class calls.
    fn is_left_to_finalizer(&self, method: FunctionRef) -> bool {
        let finalizer = self.class_of_method(method).and_then(|class| self.method(class, Name::new("__del__")));
        let callers = self.callers(method);
        finalizer.is_some()
            && !callers.is_empty()
            && callers.iter().all(|site| self.event_function(site.event) == finalizer)
    }

    /// Why `def done(future): tasks.remove(task)` takes out something else, where the function is defined in a loop over `task`
    /// and handed on: all of them speak of the variable as it is in the end.
    fn takes_out_the_last(&self, removal: Operation) -> Option<String> {
        let facts = self.facts(removal.event.module);
        let Expr::Name(name) = facts.expr(removal.key) else { return None };
        let function = self.event_function(removal.event)?;
        let around = self.enclosing_function(self.defining_scope(function))?;
        let holder = self.holding_scope(self.event_scope(removal.event), name)?;
        if self.enclosing_function(holder) != Some(around) || self.is_parameter(holder, name) {
            return None;
        }
        let loop_around = |event: EventId| {
            let mut contexts = facts.contexts_around(facts.event(event).context);
            let found = contexts.find(|context| context.kind.is_loop());
            found.map(|context| context.group)
        };
        let mut definitions = facts.scope_events(holder.id);
        let (defined, _) = definitions.find(|(_, event)| event.kind == EventKind::Define(function.id))?;
        let group = loop_around(defined)?;
        let mut bindings = self.module(holder.module).bindings_of(holder.id, name);
        let is_last = bindings.all(|binding| loop_around(binding) == Some(group))
            && !self.mentions(Definition::Function(function)).is_empty();
        is_last.then(|| format!("it runs when the loop is over, and `{name}` is the last one then"))
    }

    /// Why a removal does not count that runs only while an attribute of the object is set: one method asks for the attribute
    /// before it adds, another adds all the same.
    fn is_behind_flag(&self, removal: Touch, growing: &[Touch]) -> Option<String> {
        if growing.len() < 2 {
            return None;
        }
        let mut flags = self.flags_set_at(removal.event());
        // That there is something to take out is no question of whether to.
        flags.retain(|flag| *flag != removal.operation.place.name());
        let is_asked = |flag: &Name| growing.iter().any(|growth| self.flags_set_at(growth.event()).contains(flag));
        let flag = flags.into_iter().find(is_asked)?;
        let unasked = growing.iter().find(|growth| !self.flags_set_at(growth.event()).contains(&flag))?;
        let adding = self.event_function(unasked.event())?;
        let name = self.function_name(adding);
        Some(format!("it runs only while `{flag}` is set, and `{name}` adds without asking"))
    }

    /// The attributes of the object that are known to be set where something happens.
    fn flags_set_at(&self, event: EventRef) -> Vec<Name> {
        let facts = self.facts(event.module);
        let is_own = |scope: ScopeRef, base: ExprId| matches!(facts.expr(base), Expr::Name(base) if self.receiver_named(scope, base).is_some());
        let flag = |test: ExprRef| match self.expr(test) {
            Expr::Attribute(base, name) if is_own(test.scope, base) => Some(name),
            _ => None,
        };
        let conditions = self.conditions(event);
        conditions
            .iter()
            .filter_map(|condition| match (self.expr(condition.test), condition.holds) {
                (Expr::Not(inner), false) => flag(condition.test.scope.expr(inner)),
                (_, true) => flag(condition.test),
                _ => None,
            })
            .collect()
    }

    /// `def reset()` of a module, which the project has for its tests: nobody who only uses what adds will call it.
    fn reset_for_tests(&self, place: Place, touch: Touch, growths: &[Growth]) -> Option<String> {
        let function = self.event_function(touch.event())?;
        let name = self.function(function).name;
        let is_reset_of_module = matches!(place, Place::Module(..) | Place::Class(..))
            && self.class_of_method(function).is_none()
            && vocabulary::is_resetting_name(name.as_str())
            && self.takes_all(touch.operation);
        let exports = &self.facts(function.module).exports;
        let is_offered = exports.as_ref().is_some_and(|exports| exports.contains(&name));
        // Whoever makes an object adds it, and knows nothing of the list.
        let is_added_by_making =
            |event| self.event_function(event).is_some_and(|adding| self.function(adding).name == self.words.init);
        let is_added_to = |growth: &Growth| {
            let event = growth.touch.event();
            let is_object = self.holds_receiver(&[growth.touch]);
            (matches!(growth.domain, Domain::Open(_)) || is_object)
                && self.event_function(event) != Some(function)
                && (self.is_called_by_project(event) || is_object && is_added_by_making(event))
        };
        (is_reset_of_module && !is_offered && growths.iter().all(is_added_to) && !self.is_live(function))
            .then(|| format!("nobody calls `{}`, though the project itself adds", self.function_name(function)))
    }

    /// The binding that makes the container: in the module or class body, or in a constructor.
    pub(super) fn is_making(&self, place: Place, event: EventRef) -> bool {
        self.holder(place).is_some_and(|holder| holder.binding == event)
            && self.event_function(event).is_none_or(|function| self.function(function).name == self.words.init)
    }

    /// `if PLACE is None: PLACE = []`, `if not hasattr(self, "place"): …`, `except NameError: …`: the container is made where
    /// there was none.
    pub(super) fn is_made_if_missing(&self, place: Place, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let is_handled = |context: &crate::facts::Context| match context.kind {
            ContextKind::Except(types) => matches!(facts.expr(types), Expr::Name(name)
                if matches!(name.as_str(), "NameError" | "AttributeError" | "UnboundLocalError")),
            _ => false,
        };
        let is_asked = |test: ExprRef, holds: bool| match self.expr(test) {
            Expr::Not(inner) if holds => self.asks_for_attribute(test.scope.expr(inner), place),
            _ => !holds && self.asks_for_attribute(test, place),
        };
        self.is_lazily_filled(place, event)
            || facts.contexts_around(facts.event(event.id).context).any(is_handled)
            || self.conditions(event).iter().any(|condition| is_asked(condition.test, condition.holds))
    }

    /// `hasattr(self, "place")`
    fn asks_for_attribute(&self, test: ExprRef, place: Place) -> bool {
        let facts = self.facts(test.scope.module);
        let Expr::Call(call) = self.expr(test) else { return false };
        let call = facts.call(call);
        let (Place::Class(_, name) | Place::Instance(_, name) | Place::Function(_, name)) = place else { return false };
        matches!(facts.expr(call.callee), Expr::Name(asks) if asks.as_str() == "hasattr")
            && facts
                .arguments(call)
                .get(1)
                .is_some_and(|word| facts.expr(*word) == Expr::Constant(Constant::Word(name)))
    }

    /// `ORDER.remove(self)`, and further down `ORDER.append(self)`: whatever leaves the place is in it again afterwards.
    fn is_put_back(&self, removal: Operation, growth: Operation) -> bool {
        let taken = removal.key;
        let facts = self.facts(removal.event.module);
        let takes_one = match removal.kind {
            OperationKind::Remove => true,
            // Of a list it takes what stands in this place.
            OperationKind::Pop | OperationKind::Delete => growth.kind == OperationKind::Store,
            _ => false,
        };
        let added = if growth.kind == OperationKind::Append { growth.value } else { growth.key };
        let scope = self.event_scope(removal.event);
        if !takes_one
            || taken == NOTHING
            || taken != added
            || removal.level != growth.level
            || growth.event <= removal.event
            || self.event_scope(growth.event) != scope
        {
            return false;
        }
        // A branch that the growth stands in is one that the removal stands in as well, and nothing leaves in between.
        let context_of = |event: EventRef| facts.event(event.id).context;
        let between = || facts.scope_events(scope.id).filter(|(id, _)| *id > removal.event.id && *id < growth.event.id);
        let is_rebound = |name: Name| {
            between().any(|(_, event)| matches!(event.kind,
                EventKind::Bind { target, .. } | EventKind::BindElement { target, .. } if facts.expr(target) == Expr::Name(name)))
        };
        let is_left = between().any(|(_, event)| {
            matches!(
                event.kind,
                EventKind::Return(_) | EventKind::Raise { .. } | EventKind::Continue | EventKind::Break
            )
        });
        let stays_same = match facts.expr(taken) {
            Expr::Name(name) => !is_rebound(name),
            Expr::Attribute(base, _) => {
                matches!(facts.expr(base), Expr::Name(name) if !is_rebound(name))
                    && !between()
                        .any(|(_, event)| matches!(event.kind, EventKind::Bind { target, .. } if target == taken))
            }
            _ => false,
        };
        stays_same
            && !is_left
            && facts.context_ids_around(context_of(removal.event)).any(|around| around == context_of(growth.event))
    }

    /// What is stored is the object whose method stores it.
    pub fn holds_receiver(&self, growing: &[Touch]) -> bool {
        growing.iter().any(|touch| {
            let scope = self.event_scope(touch.operation.event);
            matches!(self.facts(scope.module).expr(touch.operation.value), Expr::Name(name) if self.receiver_named(scope, name).is_some())
        })
    }

    /// Why a removal lets nothing go while the owner of the container lives.
    fn refutation_in_life(
        &self,
        owner: ClassRef,
        touch: Touch,
        function: FunctionRef,
        growing: &[Touch],
    ) -> Option<String> {
        let operation = touch.operation;
        let name = self.function(function).name.as_str();
        let of_owner = self
            .class_of_method(function)
            .is_some_and(|class| self.mro(class).contains(&owner) || self.mro(owner).contains(&class));
        if !of_owner {
            return None;
        }
        if self.is_left_to_nobody(function, growing) {
            return Some(format!("nobody calls `{}`, though the project itself adds", self.function_name(function)));
        }
        if !self.takes_all(operation) {
            return None;
        }
        if growing.iter().any(|touch| self.is_run_by(touch.event(), function)) {
            return None;
        }
        if vocabulary::is_ending_name(name) {
            return Some(format!("`{name}` ends the object that holds it"));
        }
        if operation.kind == OperationKind::Rebind && vocabulary::is_making_name(name) {
            return Some("it only makes the container".to_owned());
        }
        // A function that goes through the container and then begins a new one drains it.
        if vocabulary::is_resetting_name(name)
            && !self.is_part_of_work(function)
            && !self.goes_through(function, operation.place)
        {
            return Some(format!("`{name}` only starts the object afresh"));
        }
        None
    }

    /// A method that removes and that nothing in the project calls, beside growth that the project does call: users
    /// who only see the outside will not call it either.
    fn is_left_to_nobody(&self, function: FunctionRef, growing: &[Touch]) -> bool {
        let name = self.function(function).name.as_str();
        let Some(class) = self.class_of_method(function) else { return false };
        let may_be_called_from_outside = !self.external_bases(class).is_empty()
            || self.has_unknown_base(class)
            || self.is_property(function)
            || self.function(function).decorators.len > 0
            || vocabulary::is_event_name(name)
            || name.starts_with("__")
            || !self.instantiations(class).iter().any(|site| !self.is_test(site.module));
        !may_be_called_from_outside
            && !self.is_live(function)
            && growing
                .iter()
                .all(|touch| self.is_called_by_project(touch.event()) || self.is_handed_on_by_project(touch.event()))
    }

    /// The project hands the function on, to be called back, outside of its own class.
    fn is_handed_on_by_project(&self, event: EventRef) -> bool {
        let Some(function) = self.event_function(event).map(|inner| self.outermost_function(inner)) else {
            return false;
        };
        self.mentions(Definition::Function(function))
            .iter()
            .any(|mention| !self.is_test(mention.event.module) && self.is_outside_of_class(mention.event, function))
    }

    fn is_outside_of_class(&self, event: EventRef, method: FunctionRef) -> bool {
        self.event_function(event)
            .and_then(|caller| self.class_of_method(caller))
            .is_none_or(|class| self.class_of_method(method).is_none_or(|own| !self.mro(class).contains(&own)))
    }

    fn is_called_by_project(&self, event: EventRef) -> bool {
        let Some(function) = self.event_function(event).map(|inner| self.outermost_function(inner)) else {
            return false;
        };
        self.callers(function)
            .iter()
            .any(|site| site.is_certain && !self.is_test(site.module) && self.is_outside_of_class(site.event, function))
    }

    /// Empties the container as a whole, or item by item in a loop over it.
    fn takes_all(&self, operation: Operation) -> bool {
        match operation.kind {
            OperationKind::Clear | OperationKind::Rebind => true,
            OperationKind::Pop | OperationKind::Remove | OperationKind::Delete => {
                let facts = self.facts(operation.event.module);
                let scope = self.event_scope(operation.event);
                facts.contexts_around(facts.event(operation.event.id).context).any(|context| match context.kind {
                    ContextKind::For { iterable } => self.speaks_of_items(scope.expr(iterable), operation.place),
                    ContextKind::While(test) => {
                        self.reach(scope.expr(test)).is_some_and(|reach| reach.place == operation.place)
                    }
                    _ => false,
                })
            }
            _ => false,
        }
    }

    /// `X`, `list(X)`, `X.values()`, `list(X.items())`.
    fn speaks_of_items(&self, iterable: ExprRef, place: Place) -> bool {
        if self.reach(iterable).is_some_and(|reach| reach.place == place) {
            return true;
        }
        let facts = self.facts(iterable.scope.module);
        let Expr::Call(call) = self.expr(iterable) else { return false };
        let call = facts.call(call);
        match facts.expr(call.callee) {
            Expr::Attribute(base, _) => self.speaks_of_items(iterable.scope.expr(base), place),
            _ => facts
                .arguments(call)
                .first()
                .is_some_and(|argument| self.speaks_of_items(iterable.scope.expr(*argument), place)),
        }
    }

    /// Whether anything but an object's beginning and end calls a reset unconditionally. A reset that nobody in the
    /// project calls is the public's to call.
    fn is_part_of_work(&self, reset: FunctionRef) -> bool {
        let callers = self.callers(reset);
        let mut outside = callers.iter().filter(|site| !self.is_test(site.module)).peekable();
        if outside.peek().is_none() {
            return true;
        }
        outside.any(|site| {
            let is_edge = self.event_function(site.event).is_some_and(|caller| {
                let name = self.function(caller).name.as_str();
                vocabulary::is_making_name(name) || vocabulary::is_ending_name(name)
            });
            !is_edge && !self.is_conditional(site.event)
        })
    }

    pub(super) fn goes_through(&self, function: FunctionRef, place: Place) -> bool {
        let facts = self.facts(function.module);
        facts.scope_events(self.function(function).scope).any(|(id, event)| match event.kind {
            EventKind::BindElement { iterable, .. } => {
                let scope = self.event_scope(EventRef::new(function.module, id));
                self.speaks_of_items(scope.expr(iterable), place)
            }
            _ => false,
        })
    }

    /// Whether a function runs an event itself, or calls what does, a few calls deep.
    fn is_run_by(&self, event: EventRef, function: FunctionRef) -> bool {
        let Some(inner) = self.event_function(event) else { return false };
        let mut reached = vec![self.outermost_function(inner)];
        let mut next = 0;
        for _ in 0..3 {
            let end = reached.len();
            for index in next..end {
                if reached[index] == function {
                    return true;
                }
                for site in self.callers(reached[index]).iter().take(16) {
                    if let Some(caller) = self.event_function(site.event).map(|caller| self.outermost_function(caller))
                        && !reached.contains(&caller)
                    {
                        reached.push(caller);
                    }
                }
            }
            next = end;
        }
        reached.contains(&function)
    }
}
