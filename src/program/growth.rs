//! Whether a place only grows: every growth with what repeats it and where its key comes from, every removal with
//! whether it counts.
//!
//! "Any removal means silence" loses more than a quarter of real leaks, so removals are graded: by level (taking an
//! item out of a value does not take the key out), by whether anybody outside of tests runs them, and by whether
//! they only undo what a failed growth began.

use super::calls::CallSite;
use super::containers::{Container, Holder};
use super::domains::Domain;
use super::names::Definition;
use super::repetition::{Frequency, Repetition};
use super::{EventRef, ExprRef, FunctionRef, Operation, OperationKind, Place, Program, ScopeRef};
use crate::facts::{Constant, ContextKind, DisplayKind, EventKind, Expr, ExprId, NOTHING, Operator, ScopeKind};
use crate::models::{Holds, Shape};
use crate::source::Name;

/// An operation on a place, perhaps through a helper that the place was passed to.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    pub operation: Operation,
    /// The call that passes the place to the function of the operation.
    pub through: Option<CallSite>,
}

impl Touch {
    /// Where the place itself is named.
    pub fn event(&self) -> EventRef {
        self.through.map_or(self.operation.event, |site| site.event)
    }
}

#[derive(Clone, Debug)]
pub struct Growth {
    pub touch: Touch,
    pub repetition: Repetition,
    pub domain: Domain,
    /// It adds whatever comes, without looking whether it is there.
    pub is_append: bool,
    /// A branch decides whether it happens at all.
    pub is_conditional: bool,
    /// A constructor adds one more to a collection, whatever it is given: one for each instance.
    pub is_per_instance: bool,
    /// What is stored is what the function was given: the caller decides what is registered.
    pub stores_parameter: bool,
    /// The value is computed from the key and looked up by it.
    pub is_memo: bool,
}

#[derive(Clone, Debug)]
pub struct Removal {
    pub touch: Touch,
    /// Why it lets nothing go, as a clause; `None` where it counts, which no account has.
    pub refuted: Option<String>,
}

impl Growth {
    /// How much the growth weighs as evidence, for choosing the one that is shown first.
    fn weight(&self) -> (Frequency, bool, bool) {
        (self.repetition.frequency, self.domain.is_open(), !self.is_conditional)
    }
}

/// All that is known of what comes into a place and what leaves it.
#[derive(Clone, Debug)]
pub struct Account {
    pub holder: Holder,
    /// Growths at run time, most frequent first.
    pub growths: Vec<Growth>,
    /// Removals that do not count.
    pub removals: Vec<Removal>,
    /// The container is handed to code that is not seen, which may take from it.
    pub escapes: bool,
}

impl Program<'_> {
    /// The accounts of what a module and its classes and functions hold, in source order.
    pub fn accounts(&self, module: super::ModuleId) -> &[(Place, Account)] {
        self.accounts[module.0 as usize].get_or_init(|| {
            self.shared_places(module).into_iter().filter_map(|place| Some((place, self.account(place)?))).collect()
        })
    }

    /// The account of a place that holds a container and only grows at run time; `None` for places that hold none,
    /// or one that is bounded, weak or emptied.
    pub fn account(&self, place: Place) -> Option<Account> {
        let holder = self.holder(place)?;
        if holder.container.is_bounded || !self.holds_for_ever(place, holder.container) {
            return None;
        }
        let touches = self.touches(place);
        let mut growths: Vec<Growth> =
            touches.iter().filter_map(|touch| self.growth(place, holder.container, *touch, &touches)).collect();
        if growths.is_empty() {
            return None;
        }
        let removals = self.graded_removals(place, &touches, &growths);
        if removals.iter().any(|removal| removal.refuted.is_none()) {
            return None;
        }
        // Who runs a growth is the dearest question, so it comes last.
        for growth in &mut growths {
            growth.repetition = self.growth_repetition(growth.touch);
        }
        growths.retain(|growth| growth.repetition.frequency >= Frequency::Presumed);
        self.drop_undone_below(place, &touches, &mut growths);
        growths.sort_by_key(|growth| std::cmp::Reverse(growth.weight()));
        let removals = self.graded_removals(place, &touches, &growths);
        if growths.is_empty() || removals.iter().any(|removal| removal.refuted.is_none()) {
            return None;
        }
        let escapes = touches.iter().any(|touch| self.is_escape(*touch));
        Some(Account { holder, growths, removals, escapes })
    }

    /// What leaves a value undoes what comes into one, though the keys stay.
    fn drop_undone_below(&self, place: Place, touches: &[Touch], growths: &mut Vec<Growth>) {
        let level = growths.iter().map(|growth| growth.touch.operation.level).min().unwrap_or(0);
        let removals = self.removals(place, touches).into_iter().filter(|touch| touch.operation.level > level);
        let counting =
            removals.filter(|touch| self.refutation(place, *touch, touch.operation.level, growths).is_none());
        if let Some(emptied) = counting.map(|touch| touch.operation.level).min() {
            growths.retain(|growth| growth.touch.operation.level < emptied);
        }
    }

    fn graded_removals(&self, place: Place, touches: &[Touch], growths: &[Growth]) -> Vec<Removal> {
        let level = growths.iter().map(|growth| growth.touch.operation.level).min().unwrap_or(0);
        self.removals(place, touches)
            .into_iter()
            .map(|touch| Removal { touch, refuted: self.refutation(place, touch, level, growths) })
            .collect()
    }

    fn growth_repetition(&self, touch: Touch) -> Repetition {
        let mut repetition = self.repetition_through(touch);
        // A method of a class that the project never makes is the public's to call, whatever seems to call it.
        let method = self.event_function(touch.event()).map(|function| self.outermost_function(function));
        if repetition.frequency == Frequency::Repeated
            && let Some(class) = method.and_then(|method| self.class_of_method(method))
            && method.is_some_and(|method| self.registered(method).is_none())
            && !self.is_made(class)
        {
            repetition.frequency = Frequency::Presumed;
        }
        repetition
    }

    /// Whether the project makes instances of the class or of one derived from it, or hands the class on.
    fn is_made(&self, class: super::ClassRef) -> bool {
        std::iter::once(&class).chain(self.subclasses(class)).any(|class| {
            !self.instantiations(*class).is_empty() || !self.mentions(Definition::Class(*class)).is_empty()
        })
    }

    fn repetition_through(&self, touch: Touch) -> Repetition {
        let outer = self.repetition(touch.event());
        if touch.through.is_none() || outer.frequency >= Frequency::Once {
            return outer;
        }
        // The loop may be inside the helper.
        let inner = self.repetition(touch.operation.event);
        if inner.frequency > outer.frequency { inner } else { outer }
    }

    /// Weak containers let go by themselves, unless what they hold holds the key.
    fn holds_for_ever(&self, place: Place, container: Container) -> bool {
        match container.holds {
            Holds::Strong => true,
            Holds::WeakKey => self.values_hold_keys(place),
            Holds::Weak | Holds::WeakValue => false,
        }
    }

    /// A `WeakKeyDictionary` whose value is, or is made of, its key.
    fn values_hold_keys(&self, place: Place) -> bool {
        self.operations.on(place).any(|operation| {
            if !matches!(operation.kind, OperationKind::Store | OperationKind::SetDefault) || operation.level != 0 {
                return false;
            }
            let scope = self.event_scope(operation.event);
            let key = scope.expr(operation.key);
            self.keeps(scope.expr(operation.value), key, 4)
        })
    }

    /// Whether a value holds another strongly: is it, has it in a display, or is constructed with it by a class that
    /// stores the argument.
    fn keeps(&self, value: ExprRef, held: ExprRef, depth: u32) -> bool {
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
                Some(holder) => self
                    .bound_values(holder, name)
                    .0
                    .iter()
                    .any(|(_, bound)| *bound != value && self.keeps(*bound, held, depth)),
                None => false,
            },
            Expr::Call(call) => {
                let Some(site) = self.call_site(EventRef::new(value.scope.module, facts.call(call).event)) else {
                    return false;
                };
                let Some(class) = self.instantiated_class(value) else { return false };
                let Some(init) = self.method(class, self.words.init) else { return false };
                let Some(parameter) = self.parameter_for(site, init, held) else { return false };
                self.stores_on_self(init, parameter)
            }
            _ => false,
        }
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

    /// All operations on a place, with those that helpers do to it when it is passed to them.
    fn touches(&self, place: Place) -> Vec<Touch> {
        let mut touches = Vec::new();
        for operation in self.operations.on(place) {
            match operation.kind {
                OperationKind::Passed(_) => match self.touches_through(operation, 2) {
                    Some(inner) => touches.extend(inner),
                    None => touches.push(Touch { operation: *operation, through: None }),
                },
                _ => touches.push(Touch { operation: *operation, through: None }),
            }
        }
        touches
    }

    /// What a called function does to a place passed to it; `None` where the function is not known.
    fn touches_through(&self, passed: &Operation, depth: u32) -> Option<Vec<Touch>> {
        let site = self.call_site(passed.event)?;
        let scope = self.event_scope(passed.event);
        let callee = self.callee(scope, site.call)?;
        let depth = depth.checked_sub(1)?;
        let parameter = self.parameter_that_takes(site, callee, passed.place)?;
        let mut touches = Vec::new();
        for operation in self.operations_on_parameter(callee, parameter) {
            let operation = Operation { level: operation.level + passed.level, ..*operation };
            match operation.kind {
                OperationKind::Passed(_) => match self.touches_through(&operation, depth) {
                    Some(inner) => touches.extend(inner),
                    None => touches.push(Touch { operation, through: Some(site) }),
                },
                // A rebound parameter is the function's own affair.
                OperationKind::Rebind => {}
                _ => touches.push(Touch { operation, through: Some(site) }),
            }
        }
        Some(touches)
    }

    fn parameter_that_takes(&self, site: CallSite, callee: FunctionRef, place: Place) -> Option<Name> {
        let facts = self.facts(callee.module);
        facts.parameters(self.function(callee)).iter().map(|parameter| parameter.name).find(|parameter| {
            self.argument_for(site, callee, *parameter)
                .is_some_and(|argument| self.reach(argument).is_some_and(|reach| reach.place == place))
        })
    }

    fn is_escape(&self, touch: Touch) -> bool {
        if touch.operation.level > 0 {
            return false;
        }
        match touch.operation.kind {
            OperationKind::Escaped => true,
            OperationKind::Passed(call) => {
                // A constructor of a container copies; anything else unknown may keep it.
                let event = touch.operation.event;
                let callee = self.event_scope(event).expr(self.facts(event.module).call(call).callee);
                match self.resolve(callee) {
                    Definition::External(path) => {
                        !path.as_str().chars().next().is_some_and(char::is_lowercase) || path.as_str().contains('.')
                    }
                    _ => true,
                }
            }
            _ => false,
        }
    }

    fn growth(&self, place: Place, container: Container, touch: Touch, touches: &[Touch]) -> Option<Growth> {
        let operation = touch.operation;
        let fits = match operation.kind {
            OperationKind::Read => container.reads_insert && operation.level == 0,
            // Assigning to an index or slice replaces.
            OperationKind::Store => container.shape != Shape::List || operation.level > 0,
            kind => kind.is_growth(),
        };
        if !fits || (operation.level > 0 && self.is_replacement_below(operation)) {
            return None;
        }
        if operation.kind == OperationKind::Read && self.is_read_for_known_key(touch, touches) {
            return None;
        }
        if self.only_moves(operation) || (operation.level > 0 && self.holds_loose_values(place, touches)) {
            return None;
        }
        let event = touch.event();
        if self.event_function(event).is_none()
            || self.is_lazily_filled(place, event)
            || self.is_length_guarded(place, operation.event)
        {
            return None;
        }
        if self.is_test(event.module) && !self.is_test(self.place_module(place)) {
            return None;
        }
        let scope = self.event_scope(operation.event);
        let is_append = matches!(operation.kind, OperationKind::Append | OperationKind::Extend)
            && !self.is_membership_guarded(operation);
        let key = self.growing_key(operation);
        let domain = self.growth_domain(container, operation, scope, key);
        if domain == Domain::Bounded {
            return None;
        }
        if self.is_said_once(operation) || (!domain.is_open() && self.is_validated(operation)) {
            return None;
        }
        let repetition = Repetition { frequency: Frequency::Never, reasons: Vec::new() };
        let is_conditional = self.is_conditional(operation.event);
        let is_per_instance = matches!(operation.kind, OperationKind::Add | OperationKind::Append)
            && key != NOTHING
            && self.domain(scope.expr(key)) != Domain::Bounded
            && self.event_function(event).is_some_and(|function| self.function(function).name == self.words.init);
        let is_memo = operation.level == 0 && container.shape == Shape::Dict && self.is_memo(operation, touches);
        Some(Growth {
            touch,
            repetition,
            domain,
            is_append,
            is_conditional,
            is_per_instance,
            stores_parameter: self.stores_parameter(operation),
            is_memo,
        })
    }

    /// Whether a branch of the function decides if the event happens; error handlers and loops are no branches here.
    fn is_conditional(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let in_handler = facts
            .contexts_around(facts.event(event.id).context)
            .any(|context| matches!(context.kind, ContextKind::Except(_) | ContextKind::Case { .. }));
        let is_endless = |test: ExprRef| matches!(self.expr(test), Expr::Constant(_));
        in_handler || self.conditions(event).iter().any(|condition| !condition.is_check && !is_endless(condition.test))
    }

    /// Warns or logs once for each key: the function looks the key up, says something, and remembers that it did.
    fn is_said_once(&self, operation: Operation) -> bool {
        let Some(function) = self.event_function(operation.event) else { return false };
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let looks = facts.contexts.iter().any(|context| {
            context.scope == scope.id
                && match context.kind {
                    ContextKind::If(test) | ContextKind::Else(test) => self.looks_up(scope.expr(test), operation),
                    _ => false,
                }
        });
        looks
            && facts.scope_events(scope.id).any(|(_, event)| match event.kind {
                EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                    Expr::Attribute(_, name) | Expr::Name(name) => matches!(
                        name.as_str(),
                        "warn"
                            | "warning"
                            | "warning_once"
                            | "warn_explicit"
                            | "info"
                            | "debug"
                            | "error"
                            | "critical"
                            | "log"
                            | "print"
                            | "exception"
                            | "print_exc"
                    ),
                    _ => false,
                },
                _ => false,
            })
    }

    /// A test for the key in the place.
    fn looks_up(&self, test: ExprRef, operation: Operation) -> bool {
        let facts = self.facts(test.scope.module);
        match self.expr(test) {
            Expr::Binary(Operator::In | Operator::NotIn, left, right) => {
                left == operation.key
                    && self.reach(test.scope.expr(right)).is_some_and(|reach| reach.place == operation.place)
            }
            Expr::And(run) | Expr::Or(run) => {
                facts.list(run).iter().any(|part| self.looks_up(test.scope.expr(*part), operation))
            }
            Expr::Not(inner) => self.looks_up(test.scope.expr(inner), operation),
            _ => false,
        }
    }

    /// The values of the place are containers that let go by themselves: `X.setdefault(k, WeakSet()).add(v)`.
    fn holds_loose_values(&self, place: Place, touches: &[Touch]) -> bool {
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

    /// What is added was just taken from another container, or is stored under a key of the place itself.
    fn only_moves(&self, operation: Operation) -> bool {
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let is_taken = match facts.expr(operation.value) {
            Expr::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, method)
                if OperationKind::of_method(method) == Some(OperationKind::Pop)),
            _ => false,
        };
        let is_own_key = match facts.expr(operation.key) {
            Expr::Name(name) if operation.kind == OperationKind::Store => {
                self.iterates_over(scope, name, operation.place)
            }
            _ => false,
        };
        is_taken || is_own_key
    }

    /// The key is given to something that fails for what it does not know, before it is stored: an import, a lookup
    /// in a table, an assertion.
    fn is_validated(&self, operation: Operation) -> bool {
        let Some(function) = self.event_function(operation.event) else { return false };
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        if !matches!(facts.expr(operation.key), Expr::Name(_) | Expr::Attribute(..)) {
            return false;
        }
        facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            EventKind::Call(call) => {
                let call = facts.call(call);
                let imports = match facts.expr(call.callee) {
                    Expr::Name(name) | Expr::Attribute(_, name) => {
                        let position = match name.as_str() {
                            "import_module" | "import_string" | "__import__" | "import_object" | "find_spec" | "locate" | "load_module" => 0,
                            "getattr" if call.arguments.len == 2 => 1,
                            _ => return false,
                        };
                        facts.arguments(call).get(position)
                    }
                    _ => None,
                };
                imports.is_some_and(|argument| *argument == operation.key || self.is_made_of(scope.expr(*argument), operation.key))
            }
            EventKind::Assert { test } => matches!(facts.expr(test), Expr::Binary(Operator::In, left, _) if left == operation.key),
            EventKind::Raise { .. } => facts.contexts_around(event.context).any(|context| match context.kind {
                ContextKind::If(test) => matches!(facts.expr(test), Expr::Binary(Operator::NotIn, left, right)
                    if left == operation.key && self.reach(scope.expr(right)).is_none_or(|reach| reach.place != operation.place)),
                _ => false,
            }),
            // `TABLE[key]` of a table of constants, which the container itself is not.
            EventKind::Read(read) => matches!(facts.expr(read), Expr::Subscript(base, key)
                if key == operation.key
                    && self.reach(scope.expr(base)).is_none_or(|reach| reach.place != operation.place)
                    && self.is_constant_table(scope.expr(base))),
            _ => false,
        })
    }

    /// `f"package.{key}"`, `"package." + key`.
    fn is_made_of(&self, expr: ExprRef, part: ExprId) -> bool {
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Format(run) => facts.list(run).contains(&part),
            Expr::Binary(_, left, right) => left == part || right == part,
            _ => false,
        }
    }

    fn place_module(&self, place: Place) -> super::ModuleId {
        match place {
            Place::Module(module, _) => module,
            Place::Class(class, _) | Place::Instance(class, _) => class.module,
            Place::Function(function, _) => function.module,
            Place::Local(scope, _) => scope.module,
            Place::Unresolved(_) => super::ModuleId(0),
        }
    }

    /// `X[k][0] = v` and `X[k].name = v` change what is there; `X[k] = {}`-like stores are at level 0.
    fn is_replacement_below(&self, operation: Operation) -> bool {
        operation.kind == OperationKind::Store
            && matches!(self.facts(operation.event.module).expr(operation.key), Expr::Constant(_) | Expr::Unary(_))
    }

    /// The expression whose domain decides how large the container can get.
    fn growing_key(&self, operation: Operation) -> ExprId {
        match operation.kind {
            OperationKind::Append | OperationKind::Extend => operation.value,
            _ => operation.key,
        }
    }

    fn growth_domain(&self, container: Container, operation: Operation, scope: ScopeRef, key: ExprId) -> Domain {
        let facts = self.facts(scope.module);
        if key == NOTHING {
            return Domain::Unknown;
        }
        // What was searched for decides, not that each item is an object of its own.
        if operation.kind == OperationKind::Append && self.is_searched_before(operation) {
            return Domain::Unknown;
        }
        if container.holds == Holds::WeakKey {
            return Domain::Open(Name::new("an object that was to be let go, and its own value holds it"));
        }
        let domain = match (operation.kind, facts.expr(key)) {
            // `X.update({"a": 1})`: the keys decide.
            (OperationKind::Update, Expr::Display(DisplayKind::Dict, run)) => {
                let keys: Vec<ExprId> = facts.list(run).iter().step_by(2).copied().collect();
                keys.iter()
                    .map(|key| if *key == NOTHING { Domain::Unknown } else { self.domain(scope.expr(*key)) })
                    .fold(Domain::Bounded, Domain::or)
            }
            (OperationKind::Update, Expr::Comprehension(..)) => self.domain_of_items(scope.expr(key)),
            (OperationKind::Extend, Expr::Display(_, run)) => {
                facts.list(run).iter().map(|item| self.domain(scope.expr(*item))).fold(Domain::Bounded, Domain::or)
            }
            _ => self.domain(scope.expr(key)),
        };
        let appends = matches!(operation.kind, OperationKind::Append | OperationKind::Extend);
        match domain {
            // A list takes equal items again and again.
            Domain::Bounded if appends && container.shape != Shape::Set && !self.is_membership_guarded(operation) => {
                Domain::Unknown
            }
            domain if self.is_guarded_by_membership(operation.event, scope.expr(key)) => {
                if domain.is_open() {
                    domain
                } else {
                    Domain::Bounded
                }
            }
            domain => domain,
        }
    }

    /// `if x not in X: X.append(x)`: the list is used as a set.
    fn is_membership_guarded(&self, operation: Operation) -> bool {
        self.is_searched_before(operation) || self.is_tested_before(operation)
    }

    /// `for known in PLACE: if …: return known` before the item is added.
    fn is_searched_before(&self, operation: Operation) -> bool {
        let facts = self.facts(operation.event.module);
        let scope = self.event_scope(operation.event);
        let earlier =
            || facts.scope_events(scope.id).take_while(|(id, _)| *id < operation.event.id).map(|(_, event)| event);
        let loops = earlier().filter_map(|event| match event.kind {
            EventKind::BindElement { iterable, .. }
                if self.reach(scope.expr(iterable)).is_some_and(|reach| reach.place == operation.place) =>
            {
                Some(event.context)
            }
            _ => None,
        });
        let loops: Vec<_> = loops.map(|context| facts.context(context).group).collect();
        !loops.is_empty()
            && earlier().any(|event| {
                matches!(event.kind, EventKind::Return(_) | EventKind::Raise { .. })
                    && facts.contexts_around(event.context).any(|context| loops.contains(&context.group))
            })
    }

    fn is_tested_before(&self, operation: Operation) -> bool {
        self.conditions(operation.event).iter().any(|condition| {
            let operator = if condition.holds { Operator::NotIn } else { Operator::In };
            self.tests_membership(condition.test, operator, operation.value)
                || (!condition.holds && self.searches(condition.test, operation.place))
                || (condition.holds && matches!(self.expr(condition.test), Expr::Not(inner) if self.searches(condition.test.scope.expr(inner), operation.place)))
        })
    }

    /// `any(… for x in PLACE)`
    fn searches(&self, test: ExprRef, place: Place) -> bool {
        let facts = self.facts(test.scope.module);
        let Expr::Call(call) = self.expr(test) else { return false };
        let call = facts.call(call);
        let is_any = matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "any");
        let Some(Expr::Comprehension(_, scope)) = facts.arguments(call).first().map(|id| facts.expr(*id)) else {
            return false;
        };
        is_any
            && facts.scope_events(scope).any(|(_, event)| match event.kind {
                EventKind::BindElement { iterable, .. } => {
                    self.reach(test.scope.expr(iterable)).is_some_and(|reach| reach.place == place)
                }
                _ => false,
            })
    }

    fn tests_membership(&self, test: ExprRef, operator: Operator, item: ExprId) -> bool {
        let facts = self.facts(test.scope.module);
        match self.expr(test) {
            Expr::Binary(found, left, _) => found == operator && left == item,
            Expr::And(run) => {
                facts.list(run).iter().any(|part| self.tests_membership(test.scope.expr(*part), operator, item))
            }
            Expr::Not(inner) if operator == Operator::NotIn => {
                self.tests_membership(test.scope.expr(inner), Operator::In, item)
            }
            _ => false,
        }
    }

    /// A read of a key that the same function has just stored or tested for.
    fn is_read_for_known_key(&self, touch: Touch, touches: &[Touch]) -> bool {
        let read = touch.operation;
        let facts = self.facts(read.event.module);
        let tested = facts.contexts_around(facts.event(read.event.id).context).any(|context| match context.kind {
            ContextKind::If(test) => {
                matches!(facts.expr(test), Expr::Binary(Operator::In, left, _) if left == read.key)
            }
            ContextKind::For { .. } => false,
            _ => false,
        });
        let from_itself = match facts.expr(read.key) {
            // `for key in X: X[key]`
            Expr::Name(name) => self.iterates_over(self.event_scope(read.event), name, read.place),
            _ => false,
        };
        // `X[k].append(v)` is both a read and a growth below: one of them is enough, and the read holds the key.
        let stored = touches.iter().any(|other| {
            let other = other.operation;
            other.event != read.event
                && other.kind == OperationKind::Store
                && other.level == 0
                && other.key == read.key
                && self.event_scope(other.event) == self.event_scope(read.event)
        });
        tested || from_itself || stored
    }

    fn iterates_over(&self, scope: ScopeRef, name: Name, place: Place) -> bool {
        let Some(holder) = self.holding_scope(scope, name) else { return false };
        let module = self.module(holder.module);
        module.bindings_of(holder.id, name).any(|event| match module.facts().event(event).kind {
            EventKind::BindElement { iterable, .. } => {
                let here = self.event_scope(EventRef::new(holder.module, event));
                let iterable = match module.facts().expr(iterable) {
                    Expr::Call(call) => {
                        let call = module.facts().call(call);
                        module.facts().arguments(call).first().copied().unwrap_or(
                            match module.facts().expr(call.callee) {
                                Expr::Attribute(base, _) => base,
                                _ => NOTHING,
                            },
                        )
                    }
                    _ => iterable,
                };
                self.reach(here.expr(iterable)).is_some_and(|reach| reach.place == place)
            }
            _ => false,
        })
    }

    /// `if not X: …fill…`, `if X is None: …`, or a flag that the same function sets: it fills once.
    fn is_lazily_filled(&self, place: Place, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let scope = facts.scope_of(facts.event(event.id));
        let speaks_of = |id: ExprId| {
            matches!(facts.expr(id), Expr::Name(_) | Expr::Attribute(..))
                && self
                    .reach(ScopeRef::new(event.module, scope).expr(id))
                    .is_some_and(|reach| reach.place == place && reach.level == 0)
        };
        let speaks_of = |id: ExprId| speaks_of(id) || self.is_sibling_filled_here(event, id);
        self.conditions(event).iter().any(|condition| match (self.expr(condition.test), condition.holds) {
            (Expr::Not(inner), true) => speaks_of(inner) || self.is_flag_set_here(event, inner),
            (Expr::Binary(Operator::Is, left, right), true) | (Expr::Binary(Operator::IsNot, left, right), false) => {
                facts.expr(right) == Expr::Constant(Constant::None)
                    && (speaks_of(left) || self.is_flag_set_here(event, left))
            }
            (Expr::Binary(Operator::Eq, left, right), true) => {
                is_length_of(facts, left, &speaks_of) && facts.expr(right) == Expr::Constant(Constant::Int(0))
            }
            (_, false) => speaks_of(condition.test.id) || self.is_flag_set_here(event, condition.test.id),
            _ => false,
        })
    }

    /// Another shared container that the same function fills: one test guards them all.
    fn is_sibling_filled_here(&self, event: EventRef, tested: ExprId) -> bool {
        let facts = self.facts(event.module);
        if !matches!(facts.expr(tested), Expr::Name(_) | Expr::Attribute(..)) {
            return false;
        }
        let scope = ScopeRef::new(event.module, facts.scope_of(facts.event(event.id)));
        let Some(reach) = self.reach(scope.expr(tested)) else { return false };
        self.is_shared(reach.place)
            && reach.level == 0
            && self.operations.on(reach.place).any(|operation| {
                operation.kind.is_growth()
                    && operation.event.module == event.module
                    && self.event_function(operation.event) == self.event_function(event)
            })
    }

    /// A module- or class-level variable that the function around the event also stores to: `_loaded = True`.
    fn is_flag_set_here(&self, event: EventRef, flag: ExprId) -> bool {
        let facts = self.facts(event.module);
        if !matches!(facts.expr(flag), Expr::Name(_) | Expr::Attribute(..)) {
            return false;
        }
        let scope = facts.scope_of(facts.event(event.id));
        let reference = ScopeRef::new(event.module, scope).expr(flag);
        // `found = MEMO.get(key)`, then `if found is None`, speaks of one entry.
        let long_lived = self.reach(reference).is_some_and(|reach| reach.level == 0 && self.is_shared(reach.place));
        long_lived
            && facts.scope_events(scope).any(|(_, other)| {
                matches!(other.kind, EventKind::Bind { target, value } if target == flag
                    && !matches!(facts.expr(value), Expr::Constant(Constant::None | Constant::False)))
            })
    }

    /// A test of the container's length on the way.
    fn is_length_guarded(&self, place: Place, event: EventRef) -> bool {
        self.conditions(event).iter().any(|condition| {
            let speaks_of =
                |id: ExprId| self.reach(condition.test.scope.expr(id)).is_some_and(|reach| reach.place == place);
            self.mentions_length(condition.test, &speaks_of)
        })
    }

    fn mentions_length(&self, test: ExprRef, speaks_of: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(test.scope.module);
        match self.expr(test) {
            Expr::Binary(_, left, right) => {
                is_length_of(facts, left, speaks_of) || is_length_of(facts, right, speaks_of)
            }
            Expr::And(run) | Expr::Or(run) => {
                facts.list(run).iter().any(|part| self.mentions_length(test.scope.expr(*part), speaks_of))
            }
            Expr::Not(inner) => self.mentions_length(test.scope.expr(inner), speaks_of),
            _ => false,
        }
    }

    /// The stored value is a parameter as it came, or a tuple of such.
    fn stores_parameter(&self, operation: Operation) -> bool {
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let is_parameter = |id: ExprId| match facts.expr(id) {
            Expr::Name(name) => self
                .holding_scope(scope, name)
                .is_some_and(|holder| self.is_parameter(holder, name) && self.receiver_named(scope, name).is_none()),
            _ => false,
        };
        // Events are handed to whoever records them; definitions to whoever registers them.
        let records = self
            .event_function(operation.event)
            .is_some_and(|function| super::repetition::is_event_name(self.function(function).name.as_str()));
        !records
            && match facts.expr(operation.value) {
                Expr::Display(_, run) => facts.list(run).iter().any(|item| is_parameter(*item)),
                _ => is_parameter(operation.value),
            }
    }

    /// The function looks the key up in the same place, and what it stores is computed from the key.
    fn is_memo(&self, operation: Operation, touches: &[Touch]) -> bool {
        if !matches!(operation.kind, OperationKind::Store | OperationKind::SetDefault) {
            return false;
        }
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let Some(function) = self.enclosing_function(scope) else { return false };
        let looks_up = operation.kind == OperationKind::SetDefault
            || facts.scope_events(self.function(function).scope).any(|(id, event)| match event.kind {
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    matches!(facts.expr(call.callee), Expr::Attribute(base, method)
                        if method.as_str() == "get" && self.reach(scope.expr(base)).is_some_and(|reach| reach.place == operation.place))
                        && facts.arguments(call).first() == Some(&operation.key)
                }
                EventKind::Read(read) => matches!(facts.expr(read), Expr::Subscript(base, key)
                    if key == operation.key && self.reach(scope.expr(base)).is_some_and(|reach| reach.place == operation.place)),
                _ => touches.iter().any(|touch| touch.operation.event.id == id && touch.operation.event.module == scope.module && touch.operation.kind == OperationKind::Read && touch.operation.key == operation.key),
            })
            || self.tests_key(function, operation);
        looks_up && !self.filters_itself(operation) && self.is_computed_from(scope, operation.value, operation.key)
    }

    /// `X[k] = [x for x in X[k] if …]`, perhaps under another name first, keeps what is still wanted: that is no memo.
    fn filters_itself(&self, operation: Operation) -> bool {
        let scope = self.event_scope(operation.event);
        let stored = scope.expr(operation.value);
        let bound = match self.expr(stored) {
            Expr::Name(name) => self.holding_scope(scope, name).map(|holder| self.bound_values(holder, name).0),
            _ => None,
        };
        let mut values = bound.into_iter().flatten().map(|(_, value)| value).chain([stored]);
        values.any(|value| match self.expr(value) {
            Expr::Comprehension(_, inner) => {
                self.facts(scope.module).scope_events(inner).any(|(_, event)| match event.kind {
                    EventKind::BindElement { iterable, .. } => {
                        self.reach(scope.expr(iterable)).is_some_and(|reach| reach.place == operation.place)
                    }
                    _ => false,
                })
            }
            _ => false,
        })
    }

    /// `if key in X` anywhere in the function.
    fn tests_key(&self, function: FunctionRef, operation: Operation) -> bool {
        let facts = self.facts(function.module);
        let body = facts.scope(self.function(function).scope).body;
        facts.contexts.iter().any(|context| {
            context.scope == facts.context(body).scope
                && match context.kind {
                    ContextKind::If(test) => match facts.expr(test) {
                        Expr::Binary(Operator::In | Operator::NotIn, left, right) => {
                            left == operation.key
                                && self
                                    .reach(ScopeRef::new(function.module, context.scope).expr(right))
                                    .is_some_and(|reach| reach.place == operation.place)
                        }
                        _ => false,
                    },
                    _ => false,
                }
        })
    }

    /// The value shares a variable with the key, followed through locals; a bare parameter is not computed.
    fn is_computed_from(&self, scope: ScopeRef, value: ExprId, key: ExprId) -> bool {
        let facts = self.facts(scope.module);
        if matches!(facts.expr(value), Expr::Constant(_)) {
            return false;
        }
        let mut key_names = Vec::new();
        self.variables_in(scope.expr(key), 3, &mut key_names);
        let mut value_names = Vec::new();
        self.variables_in(scope.expr(value), 4, &mut value_names);
        let computes = match facts.expr(value) {
            Expr::Name(name) => self.holding_scope(scope, name).is_some_and(|holder| !self.is_parameter(holder, name)),
            _ => true,
        };
        computes && key_names.iter().any(|name| value_names.contains(name))
    }

    /// The variables that an expression is made of, through the bindings of locals.
    fn variables_in(&self, expr: ExprRef, depth: u32, found: &mut Vec<Name>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let facts = self.facts(expr.scope.module);
        let mut all = |run| {
            for id in facts.list(run) {
                self.variables_in(expr.scope.expr(*id), depth + 1, found);
            }
        };
        match self.expr(expr) {
            Expr::Name(name) => {
                if found.contains(&name) {
                    return;
                }
                found.push(name);
                let Some(holder) = self.holding_scope(expr.scope, name) else { return };
                if !matches!(facts.scope(holder.id).kind, ScopeKind::Function(_) | ScopeKind::Comprehension) {
                    return;
                }
                let module = self.module(holder.module);
                for event in module.bindings_of(holder.id, name).take(6) {
                    let here = self.event_scope(EventRef::new(holder.module, event));
                    match module.facts().event(event).kind {
                        EventKind::Bind { value, .. } => self.variables_in(here.expr(value), depth, found),
                        EventKind::BindElement { iterable, .. } => self.variables_in(here.expr(iterable), depth, found),
                        EventKind::BindManager { manager, .. } => self.variables_in(here.expr(manager), depth, found),
                        _ => {}
                    }
                }
                self.variables_added_to(holder, name, depth, found);
            }
            Expr::Attribute(base, _)
            | Expr::Await(base)
            | Expr::Starred(base)
            | Expr::Unary(base)
            | Expr::Not(base)
            | Expr::Element(base) => {
                self.variables_in(expr.scope.expr(base), depth + 1, found);
            }
            Expr::Subscript(base, key) => {
                self.variables_in(expr.scope.expr(base), depth + 1, found);
                self.variables_in(expr.scope.expr(key), depth + 1, found);
            }
            Expr::Binary(_, left, right) => {
                self.variables_in(expr.scope.expr(left), depth + 1, found);
                self.variables_in(expr.scope.expr(right), depth + 1, found);
            }
            Expr::Call(call) => {
                let call = facts.call(call);
                all(call.arguments);
                for (_, value) in facts.keyword_arguments(call) {
                    self.variables_in(expr.scope.expr(*value), depth + 1, found);
                }
                self.variables_in(expr.scope.expr(call.callee), depth + 1, found);
            }
            Expr::Display(_, run) | Expr::Format(run) | Expr::And(run) | Expr::Or(run) | Expr::Conditional(run) => {
                all(run)
            }
            Expr::Comprehension(_, scope) => {
                for (_, event) in facts.scope_events(scope) {
                    match event.kind {
                        EventKind::Yield(value) => {
                            self.variables_in(ScopeRef::new(expr.scope.module, scope).expr(value), depth, found)
                        }
                        EventKind::BindElement { iterable, .. } => {
                            self.variables_in(expr.scope.expr(iterable), depth, found)
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// What is put into a local container: `parts.append(x)` makes `parts` depend on `x`.
    fn variables_added_to(&self, holder: ScopeRef, name: Name, depth: u32, found: &mut Vec<Name>) {
        let facts = self.facts(holder.module);
        for (_, event) in facts.scope_events(holder.id) {
            match event.kind {
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    if let Expr::Attribute(base, method) = facts.expr(call.callee)
                        && facts.expr(base) == Expr::Name(name)
                        && OperationKind::of_method(method).is_some_and(OperationKind::is_growth)
                    {
                        for argument in facts.arguments(call) {
                            self.variables_in(holder.expr(*argument), depth, found);
                        }
                        // What is looped over while adding.
                        for context in facts.contexts_around(event.context) {
                            if let ContextKind::For { iterable } = context.kind {
                                self.variables_in(holder.expr(iterable), depth, found);
                            }
                        }
                    }
                }
                EventKind::Bind { target, value } => {
                    if let Expr::Subscript(base, _) | Expr::Attribute(base, _) = facts.expr(target)
                        && facts.expr(base) == Expr::Name(name)
                    {
                        self.variables_in(holder.expr(value), depth, found);
                    }
                }
                _ => {}
            }
        }
    }

    /// Removals from the place; for attributes, also those on objects of unknown type that have the name.
    fn removals(&self, place: Place, touches: &[Touch]) -> Vec<Touch> {
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
        removals
    }

    /// Why a removal lets nothing go.
    fn refutation(&self, place: Place, touch: Touch, level: u8, growths: &[Growth]) -> Option<String> {
        let operation = touch.operation;
        let event = touch.event();
        if operation.level > level {
            return Some("it takes from the value, and the key stays".to_owned());
        }
        let makes = self.is_lazily_filled(place, event) || self.is_making(place, event);
        if operation.kind == OperationKind::Rebind && makes {
            return Some("it only makes the container".to_owned());
        }
        let Some(function) = self.event_function(event) else {
            return Some("it runs once, when the module is imported".to_owned());
        };
        if self.is_test(event.module) && !self.is_test(self.place_module(place)) {
            return Some("it runs only under tests".to_owned());
        }
        let grows_here = growths.iter().any(|growth| self.event_function(growth.touch.event()) == Some(function));
        if grows_here {
            return None;
        }
        let name = self.function(function).name.as_str();
        if name == "__del__" && self.holds_receiver(growths) {
            return Some("it never runs while the container itself keeps the object alive".to_owned());
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

    /// The binding that makes the container: in the module or class body, or in a constructor.
    fn is_making(&self, place: Place, event: EventRef) -> bool {
        self.holder(place).is_some_and(|holder| holder.binding == event)
            && self.event_function(event).is_none_or(|function| self.function(function).name == self.words.init)
    }

    /// What is stored is the object whose method stores it.
    fn holds_receiver(&self, growths: &[Growth]) -> bool {
        growths.iter().any(|growth| {
            let scope = self.event_scope(growth.touch.operation.event);
            matches!(self.facts(scope.module).expr(growth.touch.operation.value), Expr::Name(name) if self.receiver_named(scope, name).is_some())
        })
    }
}

fn is_length_of(facts: &crate::facts::FileFacts, expr: ExprId, speaks_of: &dyn Fn(ExprId) -> bool) -> bool {
    let Expr::Call(call) = facts.expr(expr) else { return false };
    let call = facts.call(call);
    matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "len")
        && facts.arguments(call).first().is_some_and(|argument| speaks_of(*argument))
}
