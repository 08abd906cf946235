//! Weak containers: whether they let go, or what they hold holds the key.

use super::super::references::captures;
use super::super::types::Type;
use super::*;

/// How an entry stays that was meant to go with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defeat {
    /// It stands under `id(object)`, and nothing tells of the object's end.
    Identity,
    /// It is a weak reference without a callback: the object goes and the reference stays.
    DeadReference,
    /// The key is weak, and the value holds it.
    ValueHoldsKey,
    /// The value is weak, and the key holds it.
    KeyHoldsValue,
}

/// Why the keys of a weak container that holds itself are without end, to complete "the key is …".
pub(super) fn why_it_stays(holds: Holds) -> Name {
    Name::new(match holds {
        Holds::WeakKey => "an object that was to be let go, and its own value holds it",
        _ => "one that holds the value which was to be let go",
    })
}

/// How many displays, names and constructors are followed from a value to what it keeps.
pub(super) const DEPTH: u32 = 4;

impl Program<'_> {
    /// Weak containers let go by themselves, unless what they hold holds the key.
    pub(super) fn holds_for_ever(&self, place: Place, container: Container) -> bool {
        match container.holds {
            Holds::Strong => true,
            Holds::Weak => false,
            Holds::WeakKey | Holds::WeakValue => self
                .operations
                .on(place)
                .any(|operation| operation.level == 0 && self.holds_itself(container.holds, *operation)),
        }
    }

    /// A `WeakKeyDictionary` whose value keeps its key, a `WeakValueDictionary` whose key keeps its value.
    pub(super) fn holds_itself(&self, holds: Holds, operation: Operation) -> bool {
        if !matches!(operation.kind, OperationKind::Store | OperationKind::SetDefault) {
            return false;
        }
        let scope = self.event_scope(operation.event);
        let (key, value) = (scope.expr(operation.key), scope.expr(operation.value));
        match holds {
            Holds::WeakKey => self.keeps(value, key, DEPTH),
            Holds::WeakValue => self.keeps(key, value, DEPTH),
            Holds::Strong | Holds::Weak => false,
        }
    }

    /// How the entry that an operation adds was meant to go with its object, where it stays instead.
    pub(super) fn defeat(&self, place: Place, container: Container, operation: Operation) -> Option<Defeat> {
        match container.holds {
            Holds::Weak => return None,
            Holds::WeakKey => return self.holds_itself(container.holds, operation).then_some(Defeat::ValueHoldsKey),
            Holds::WeakValue => return self.holds_itself(container.holds, operation).then_some(Defeat::KeyHoldsValue),
            Holds::Strong => {}
        }
        if operation.level != 0 || container.shape == Shape::Queue {
            return None;
        }
        let scope = self.event_scope(operation.event);
        let parts = match operation.kind {
            OperationKind::Store | OperationKind::SetDefault => [operation.key, operation.value],
            OperationKind::Append | OperationKind::Add => [operation.value, NOTHING],
            _ => return None,
        };
        // An index of weak references by a key of its own is as large as there are keys.
        if parts.iter().any(|part| self.is_bare_reference(scope.expr(*part), 3)) {
            return Some(Defeat::DeadReference);
        }
        let object = self.identified(scope.expr(parts[0]), 3)?;
        // An object that the entry may hold is alive, and its number is not given to another.
        let is_held = operation.value != parts[0] && self.may_keep(scope.expr(operation.value), object, DEPTH)
            || self.is_held_beside(operation, object);
        let is_owner = matches!((place, self.expr(object)), (Place::Instance(..), Expr::Name(name)) if self.receiver_named(scope, name).is_some());
        (!is_held && !is_owner && !self.is_permanent_by_name(object)).then_some(Defeat::Identity)
    }

    /// A weak reference that nothing tells of the end of its object, alone or as a part of a tuple.
    fn is_bare_reference(&self, expr: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Call(call) => {
                let call = facts.call(call);
                let refers = match self.resolve(expr.scope.expr(call.callee)) {
                    Definition::External(path) => {
                        matches!(
                            path.as_str(),
                            "weakref.ref" | "weakref.ReferenceType" | "weakref.proxy" | "weakref.WeakMethod"
                        )
                    }
                    _ => false,
                };
                let object = facts.arguments(call).first().map(|object| expr.scope.expr(*object));
                refers
                    && call.arguments.len == 1
                    && call.keywords.len == 0
                    && object.is_some_and(|object| !self.is_permanent(object))
            }
            Expr::Display(DisplayKind::Tuple, run) => {
                facts.list(run).iter().any(|part| self.is_bare_reference(expr.scope.expr(*part), depth))
            }
            Expr::Name(_) => self.only_value(expr).is_some_and(|value| self.is_bare_reference(value, depth)),
            _ => false,
        }
    }

    /// An object that the program has as long as it runs: a class, a module, a function of a module, a constant. That
    /// somebody refers to it weakly says more than what its variable is called.
    pub(super) fn is_permanent(&self, object: ExprRef) -> bool {
        let is_definition = matches!(
            self.resolve(object),
            Definition::Class(_) | Definition::Module(_) | Definition::External(_) | Definition::Function(_)
        );
        let is_typed = match self.type_of(object) {
            Type::Class(_) => true,
            Type::Instance(class) => self.has_bounded_instances(class),
            _ => false,
        };
        let is_known = match self.expr(object) {
            Expr::Name(name) => vocabulary::is_class_word(name.as_str()),
            _ => self.domain(object) == Domain::Bounded,
        };
        is_definition || is_typed || is_known
    }

    /// The same where no weak reference says otherwise: what is called like a function or class is one.
    pub(super) fn is_permanent_by_name(&self, object: ExprRef) -> bool {
        let is_called_so =
            matches!(self.expr(object), Expr::Name(name) if vocabulary::is_definition_name(name.as_str()));
        is_called_so || self.is_permanent(object) || self.is_of_process(object)
    }

    /// Whether a value may hold an object: it does, or something unknown is made with it.
    pub(super) fn may_keep(&self, value: ExprRef, object: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        let facts = self.facts(value.scope.module);
        if self.keeps(value, object, DEPTH) {
            return true;
        }
        match self.expr(value) {
            Expr::Call(call) => facts
                .all_arguments(facts.call(call))
                .any(|argument| self.may_keep(value.scope.expr(argument), object, depth)),
            Expr::Display(_, run) => {
                facts.list(run).iter().any(|part| self.may_keep(value.scope.expr(*part), object, depth))
            }
            Expr::Name(_) => self.only_value(value).is_some_and(|bound| self.may_keep(bound, object, depth)),
            _ => false,
        }
    }

    /// The same function puts the object itself into another container: that one holds it.
    fn is_held_beside(&self, operation: Operation, object: ExprRef) -> bool {
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let holds = |container: ExprId| {
            self.reach(scope.expr(container))
                .filter(|reach| reach.place != operation.place && !matches!(reach.place, Place::Local(..)))
                .is_some_and(|reach| {
                    self.holder(reach.place).is_none_or(|holder| holder.container.holds == Holds::Strong)
                })
        };
        facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if value == object.id => {
                matches!(facts.expr(target), Expr::Subscript(container, _) if holds(container))
            }
            EventKind::Call(call) => {
                let call = facts.call(call);
                facts.arguments(call).last() == Some(&object.id)
                    && matches!(facts.expr(call.callee), Expr::Attribute(container, method)
                        if OperationKind::of_method(method).is_some_and(OperationKind::is_growth) && holds(container))
            }
            _ => false,
        })
    }

    /// The object of an `id(object)`, alone, in a tuple or under a name.
    pub(super) fn identified(&self, expr: ExprRef, depth: u32) -> Option<ExprRef> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Call(call) => {
                let call = facts.call(call);
                let is_id = self.external_path(expr.scope.expr(call.callee)).is_some_and(|path| path.as_str() == "id");
                let object = *facts.arguments(call).first().filter(|_| is_id && call.arguments.len == 1)?;
                Some(expr.scope.expr(object))
            }
            Expr::Display(DisplayKind::Tuple, run) => {
                let mut object = None;
                for part in facts.list(run).iter().map(|part| expr.scope.expr(*part)) {
                    match self.identified(part, depth) {
                        Some(found) => object = Some(found),
                        // What is open besides makes entries that no object's end is the end of.
                        None if self.domain(part) != Domain::Bounded => return None,
                        None => {}
                    }
                }
                object
            }
            Expr::Name(_) => self.identified(self.only_value(expr)?, depth),
            _ => None,
        }
    }

    /// What a local variable is bound to, if that is one thing.
    pub(in crate::program) fn only_value(&self, expr: ExprRef) -> Option<ExprRef> {
        let Expr::Name(name) = self.expr(expr) else { return None };
        let holder = self.holding_scope(expr.scope, name)?;
        self.enclosing_function(holder)?;
        match self.bound_values(holder, name) {
            (values, true) => match values.as_slice() {
                [(_, value)] => Some(*value),
                _ => None,
            },
            _ => None,
        }
    }

    /// The accounts of plain dicts of a module that stand beside a weak one, under the same identity: what takes an
    /// entry out needs the object, which is gone when it should go.
    pub fn identity_accounts(&self, module: super::super::ModuleId) -> Vec<(Place, Account)> {
        let mut seen = FxHashSet::default();
        let mut places: Vec<Place> = self
            .operations
            .in_module(module)
            .filter(|operation| operation.kind == OperationKind::Store && operation.level == 0)
            .filter(|operation| matches!(operation.place, Place::Instance(..)) || self.is_shared(operation.place))
            .filter(|operation| self.place_module(operation.place) == module)
            .filter(|operation| self.is_kept_weakly_beside(**operation))
            .map(|operation| operation.place)
            .collect();
        places.retain(|place| seen.insert(*place));
        places.into_iter().filter_map(|place| Some((place, self.identity_account(place)?))).collect()
    }

    fn identity_account(&self, place: Place) -> Option<Account> {
        let holder = self.holder(place)?;
        if holder.container.is_bounded || holder.container.holds != Holds::Strong || self.account(place).is_some() {
            return None;
        }
        let touches = self.touches(place);
        let mut growths: Vec<Growth> = touches
            .iter()
            .filter_map(|touch| self.growth(place, holder.container, *touch, &touches))
            .filter(|growth| {
                growth.defeat == Some(Defeat::Identity) && self.is_kept_weakly_beside(growth.touch.operation)
            })
            .collect();
        for growth in &mut growths {
            growth.repetition = match place {
                Place::Instance(owner, _) => self.repetition_in_life(growth.touch.event(), owner),
                _ => self.repetition(growth.touch.event()),
            };
            self.expect_others(growth);
        }
        growths.retain(|growth| growth.repetition.frequency >= Frequency::Presumed);
        growths.sort_by_key(|growth| std::cmp::Reverse(growth.weight()));
        let mut removals: Vec<Removal> = self.graded_removals(place, &touches, &growths).collect();
        for removal in removals.iter_mut().filter(|removal| removal.refuted.is_none()) {
            let operation = removal.touch.operation;
            self.identified(self.event_scope(operation.event).expr(operation.key), 3)?;
            removal.refuted = Some("it needs the object, which is gone by then".to_owned());
        }
        let account = Account { holder, growths, removals, escapes: false, passes_over: None, ends_entry: None };
        (!account.growths.is_empty()).then_some(account)
    }

    /// Who makes entries that are to go with their objects expects objects that come and go, also where the name
    /// (`attach`, `register`) would speak for a beginning; and `map[key] = value` is a call of no name.
    pub(super) fn expect_others(&self, growth: &mut Growth) {
        if growth.repetition.frequency >= Frequency::Presumed {
            return;
        }
        let Some(function) = self.event_function(growth.touch.event()) else { return };
        let name = self.function(function).name;
        let is_meant = matches!(growth.defeat, Some(defeat) if defeat != Defeat::Identity);
        let is_left_to_others = || {
            !name.as_str().starts_with('_')
                && !vocabulary::is_beginning_name(name.as_str())
                && !self.runs_at_definition(function)
                && self.callers(function).is_empty()
                && self.mentions(Definition::Function(function)).is_empty()
                && self.enclosing_function(self.defining_scope(function)).is_none()
        };
        let is_syntax = growth.defeat.is_some() && name.as_str() == "__setitem__";
        // There is no other use for a weak container; one entry alone would need no table.
        let is_weak_itself = growth.repetition.frequency == Frequency::Once
            && matches!(growth.defeat, Some(Defeat::ValueHoldsKey | Defeat::KeyHoldsValue));
        let comes_and_goes = || is_meant || self.is_group_of_passing(growth.touch.operation);
        if is_syntax || is_weak_itself || comes_and_goes() && is_left_to_others() {
            growth.repetition.frequency = Frequency::Presumed;
        }
    }

    /// `WEAK[id(x)] = x` in the same function as the store under `id(x)`.
    pub fn is_kept_weakly_beside(&self, operation: Operation) -> bool {
        let scope = self.event_scope(operation.event);
        let Some(object) = self.identified(scope.expr(operation.key), 3) else { return false };
        let facts = self.facts(scope.module);
        facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if value == object.id => match facts.expr(target) {
                Expr::Subscript(base, key) => {
                    self.identified(scope.expr(key), 3) == Some(object)
                        && self
                            .reach(scope.expr(base))
                            .filter(|reach| reach.level == 0 && reach.place != operation.place)
                            .and_then(|reach| self.holder(reach.place))
                            .is_some_and(|beside| beside.container.holds == Holds::WeakValue)
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// Whether a value holds another strongly: is it, has it in a display, or is constructed with it by a class that
    /// stores the argument.
    pub(super) fn keeps(&self, value: ExprRef, held: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(value.scope.module);
        if value == held {
            return true;
        }
        match self.expr(value) {
            Expr::Display(_, run) => {
                facts.list(run).iter().any(|item| self.keeps(value.scope.expr(*item), held, depth))
            }
            Expr::Name(name) => match self.holding_scope(value.scope, name) {
                Some(holder) => {
                    let nested = match self.resolve_name(value.scope, name) {
                        Definition::Function(function) => self.closes_over(function, held),
                        _ => false,
                    };
                    nested
                        || self.is_given(holder, name, held)
                        || self
                            .bound_values(holder, name)
                            .0
                            .iter()
                            .any(|(_, bound)| *bound != value && self.keeps(*bound, held, depth))
                }
                None => false,
            },
            // A bound method holds its object.
            Expr::Attribute(base, _) if self.bound_method(value).is_some() => {
                value.scope.expr(base) == held
                    && self.bound_method(value).is_some_and(|method| {
                        !self.is_class_method(method) && !self.is_static_method(method) && !self.is_property(method)
                    })
            }
            Expr::Lambda(function) => self.closes_over(FunctionRef::new(value.scope.module, function), held),
            Expr::Call(call) => {
                let Some(site) = self.call_site(EventRef::new(value.scope.module, facts.call(call).event)) else {
                    return false;
                };
                let Some(class) = self.instantiated_class(value) else {
                    return self.is_partial(value)
                        && facts
                            .arguments(facts.call(call))
                            .iter()
                            .any(|part| self.keeps(value.scope.expr(*part), held, depth));
                };
                let Some(init) = self.method(class, self.words.init) else { return false };
                let Some(parameter) = self.parameter_for(site, init, held) else { return false };
                self.stores_on_self(init, parameter)
            }
            _ => false,
        }
    }

    /// `value.attribute = held`, for a local variable.
    fn is_given(&self, holder: ScopeRef, name: Name, held: ExprRef) -> bool {
        let facts = self.facts(holder.module);
        holder == held.scope
            && self.enclosing_function(holder).is_some()
            && facts.scope_events(holder.id).any(|(_, event)| match event.kind {
                EventKind::Bind { target, value } if value == held.id => match facts.expr(target) {
                    Expr::Attribute(base, _) => facts.expr(base) == Expr::Name(name),
                    _ => false,
                },
                _ => false,
            })
    }

    fn is_partial(&self, made: ExprRef) -> bool {
        let Expr::Call(call) = self.expr(made) else { return false };
        let callee = made.scope.expr(self.facts(made.scope.module).call(call).callee);
        self.external_path(callee).is_some_and(|path| path.as_str() == "functools.partial")
    }

    /// A closure over the variable that holds the object, or a function that has it as a default.
    fn closes_over(&self, function: FunctionRef, held: ExprRef) -> bool {
        let Expr::Name(name) = self.expr(held) else { return false };
        let Some(holder) = self.holding_scope(held.scope, name) else { return false };
        let is_held = |default: &ExprRef| default.id == held.id && default.scope == held.scope;
        self.captures(function).contains(&(holder, name)) || captures::defaults(self, function).iter().any(is_held)
    }

    /// `self.x = parameter` in a method.
    pub fn stores_on_self(&self, method: FunctionRef, parameter: Name) -> bool {
        let facts = self.facts(method.module);
        facts.scope_events(self.function(method).scope).any(|(_, event)| match event.kind {
            EventKind::Bind { target, value } => {
                matches!(facts.expr(target), Expr::Attribute(..)) && facts.expr(value) == Expr::Name(parameter)
            }
            _ => false,
        })
    }

    /// The values of the place are containers that let go by themselves: `X.setdefault(k, WeakSet()).add(v)`.
    pub(super) fn holds_loose_values(&self, place: Place, touches: &[Touch]) -> bool {
        let is_loose = |made: Container| made.is_bounded || made.holds != Holds::Strong;
        let by_factory = self
            .holder(place)
            .and_then(|holder| self.stored_value(holder.binding))
            .and_then(|made| self.made_by_factory(made));
        by_factory.is_some_and(is_loose)
            || touches.iter().any(|touch| {
                let operation = touch.operation;
                matches!(operation.kind, OperationKind::Store | OperationKind::SetDefault)
                    && operation.level == 0
                    && self
                        .container_made_by(self.event_scope(operation.event).expr(operation.value))
                        .is_some_and(is_loose)
            })
    }

    /// Whether adding to a missing key inserts it, as a plain dict never does: it raises `KeyError`.
    pub(super) fn counts_missing(&self, place: Place, container: Container, level: u8, touches: &[Touch]) -> bool {
        if level == 0 {
            return container.counts_missing;
        }
        let made = self.holder(place).and_then(|holder| self.stored_value(holder.binding));
        if let Some(values) = made.and_then(|made| self.made_by_factory(made)) {
            return level > 1 || values.counts_missing;
        }
        let stores = touches.iter().map(|touch| touch.operation).filter(|operation| {
            matches!(operation.kind, OperationKind::Store | OperationKind::SetDefault) && operation.level + 1 == level
        });
        // What is not seen may be anything.
        let mut values = stores.map(|operation| {
            let value = self.event_scope(operation.event).expr(operation.value);
            self.container_made_by(value).is_none_or(|values| values.counts_missing)
        });
        values.next().is_none_or(|first| first || values.any(|counts| counts))
    }

    /// The values of the place are containers: by its factory, or by what is stored.
    pub(super) fn holds_containers(&self, place: Place, touches: &[Touch]) -> bool {
        let by_factory = self
            .holder(place)
            .and_then(|holder| self.stored_value(holder.binding))
            .and_then(|made| self.made_by_factory(made));
        by_factory.is_some()
            || touches.iter().any(|touch| {
                let operation = touch.operation;
                matches!(operation.kind, OperationKind::Store | OperationKind::SetDefault)
                    && operation.level == 0
                    && self.makes_container(self.event_scope(operation.event).expr(operation.value))
            })
    }

    /// The expression makes a container, perhaps under a local name first.
    fn makes_container(&self, value: ExprRef) -> bool {
        if self.container_made_by(value).is_some() {
            return true;
        }
        let Expr::Name(name) = self.expr(value) else { return false };
        let Some(holder) = self.holding_scope(value.scope, name) else { return false };
        self.bound_values(holder, name).0.iter().any(|(_, bound)| self.container_made_by(*bound).is_some())
    }
}
