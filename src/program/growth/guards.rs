//! What stands in the way of a growth: tests for the key, for the length, for having been here before.

use std::sync::LazyLock;

use super::*;
use crate::facts::{CallId, MODULE_SCOPE};
use crate::source::Name;

/// What fails for a name that is no module's, nor anything in one.
static IMPORTS: LazyLock<[Name; 7]> = LazyLock::new(|| {
    ["import_module", "import_string", "__import__", "import_object", "find_spec", "locate", "load_module"]
        .map(Name::new)
});

impl Program<'_> {
    /// Whether a branch of the function decides if the event happens; error handlers and loops are no branches here.
    pub(super) fn is_conditional(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let in_handler = facts
            .contexts_around(facts.event(event.id).context)
            .any(|context| matches!(context.kind, ContextKind::Except(_) | ContextKind::Case { .. }));
        let goes_round = |test: ExprRef| {
            told::goes_on_until_told(facts, test.id)
                && (facts.contexts_around(facts.event(event.id).context))
                    .any(|context| context.kind == ContextKind::While(test.id))
        };
        let is_endless = |test: ExprRef| matches!(self.expr(test), Expr::Constant(_)) || goes_round(test);
        in_handler || self.conditions(event).iter().any(|condition| !condition.is_check && !is_endless(condition.test))
    }

    /// Whether an event stands in an error handler.
    pub fn is_in_handler(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        facts
            .contexts_around(facts.event(event.id).context)
            .any(|context| matches!(context.kind, ContextKind::Except(_)))
    }

    /// Warns or logs once for each key: the function looks the key up, says something, and remembers that it did.
    pub(super) fn is_said_once(&self, operation: Operation) -> bool {
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
    pub(super) fn looks_up(&self, test: ExprRef, operation: Operation) -> bool {
        let facts = self.facts(test.scope.module);
        match self.expr(test) {
            Expr::Binary(Operator::In | Operator::NotIn, left, right) => {
                facts.is_same_written(left, operation.key)
                    && self.reach(test.scope.expr(right)).is_some_and(|reach| reach.place == operation.place)
            }
            Expr::And(run) | Expr::Or(run) => {
                facts.list(run).iter().any(|part| self.looks_up(test.scope.expr(*part), operation))
            }
            Expr::Not(inner) => self.looks_up(test.scope.expr(inner), operation),
            _ => false,
        }
    }

    /// The key is given to something that fails for what it does not know, before it is stored: an import, a lookup
    /// in a table, an assertion.
    pub(super) fn is_validated(&self, operation: Operation) -> bool {
        let Some(function) = self.event_function(operation.event) else { return false };
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        if !matches!(facts.expr(operation.key), Expr::Name(_) | Expr::Attribute(..)) {
            return false;
        }
        facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            EventKind::Call(call) => self.looks_up_for(scope, call, operation.key),
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

    /// The key has been imported before it is stored, whatever it comes from: what is no module has raised by then.
    pub(super) fn is_imported_first(&self, operation: Operation) -> bool {
        let Some(function) = self.event_function(operation.event) else { return false };
        let scope = self.function_scope(function);
        let facts = self.facts(scope.module);
        IMPORTS.iter().any(|name| self.module(scope.module).may_name(*name))
            && facts.scope_events(scope.id).take_while(|(id, _)| *id < operation.event.id).any(|(_, event)| {
                let EventKind::Call(call) = event.kind else { return false };
                let name = facts.called_name(facts.call(call));
                name.is_some_and(|name| IMPORTS.contains(&name)) && self.looks_up_for(scope, call, operation.key)
            })
    }

    /// A call that fails for names it does not know is given one, or what is made of it.
    fn looks_up_for(&self, scope: ScopeRef, call: CallId, key: ExprId) -> bool {
        let facts = self.facts(scope.module);
        let call = facts.call(call);
        let position = match facts.called_name(call) {
            Some(name) if IMPORTS.contains(&name) => 0,
            Some(name) if name.as_str() == "getattr" && call.arguments.len == 2 => 1,
            _ => return false,
        };
        (facts.arguments(call).get(position))
            .is_some_and(|argument| *argument == key || self.is_made_of(scope.expr(*argument), key))
    }

    /// The key is known to another table, which nothing adds to once it is made: `handler = HANDLERS.get(key)`, and then
    /// `if handler`.
    pub(super) fn is_kept_to_fixed_table(&self, operation: Operation) -> bool {
        operation.level == 0
            && operation.key != NOTHING
            && self
                .conditions(operation.event)
                .iter()
                .any(|condition| self.tells_of_fixed_table(condition.test, condition.holds, operation.key))
    }

    fn tells_of_fixed_table(&self, test: ExprRef, holds: bool, key: ExprId) -> bool {
        let facts = self.facts(test.scope.module);
        let inside = |part: ExprId| test.scope.expr(part);
        match (self.expr(test), holds) {
            (Expr::Not(inner), _) => self.tells_of_fixed_table(inside(inner), !holds, key),
            (Expr::And(run), true) | (Expr::Or(run), false) => {
                facts.list(run).iter().any(|part| self.tells_of_fixed_table(inside(*part), holds, key))
            }
            (Expr::Binary(Operator::In, left, table), true) | (Expr::Binary(Operator::NotIn, left, table), false) => {
                left == key && self.is_filled_when_made(inside(table))
            }
            (Expr::Binary(Operator::IsNot, left, right), true) | (Expr::Binary(Operator::Is, left, right), false) => {
                facts.expr(right) == Expr::Constant(Constant::None)
                    && self.only_value(inside(left)).is_some_and(|found| self.is_looked_up(found, key))
            }
            (Expr::Name(_), true) => self.only_value(test).is_some_and(|found| self.is_looked_up(found, key)),
            // `getattr(handler, "is_sequential", False)`: what lies in the table says so, whatever stands in for it.
            (Expr::Call(call), true) => match facts.arguments(facts.call(call)) {
                [object, _, _] => {
                    matches!(facts.expr(facts.call(call).callee), Expr::Name(name) if name.as_str() == "getattr")
                        && self.may_be_looked_up(inside(*object), key)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// `TABLE.get(key)`, also `TABLE.get(key) if key else None`.
    fn is_looked_up(&self, found: ExprRef, key: ExprId) -> bool {
        let facts = self.facts(found.scope.module);
        match self.expr(found) {
            Expr::Conditional(run) => match facts.list(run) {
                [_, found_there, otherwise] if facts.expr(*otherwise) == Expr::Constant(Constant::None) => {
                    self.is_looked_up(found.scope.expr(*found_there), key)
                }
                _ => false,
            },
            Expr::Call(call) => {
                let call = facts.call(call);
                let is_of_key = match facts.arguments(call) {
                    [first] => *first == key,
                    [first, otherwise] => *first == key && facts.expr(*otherwise) == Expr::Constant(Constant::None),
                    _ => false,
                };
                is_of_key
                    && matches!(facts.expr(call.callee), Expr::Attribute(table, method)
                        if method.as_str() == "get" && self.is_filled_when_made(found.scope.expr(table)))
            }
            _ => false,
        }
    }

    fn may_be_looked_up(&self, object: ExprRef, key: ExprId) -> bool {
        let Expr::Name(name) = self.expr(object) else { return false };
        let Some(holder) = self.holding_scope(object.scope, name) else { return false };
        self.bound_values(holder, name).0.iter().any(|(_, found)| self.is_looked_up(*found, key))
    }

    /// A table of constants, or an attribute that the constructor makes and that nothing is put into later.
    fn is_filled_when_made(&self, table: ExprRef) -> bool {
        if self.is_constant_table(table) {
            return true;
        }
        let Expr::Attribute(_, name) = self.expr(table) else { return false };
        let Some(reach) = self.reach(table) else { return false };
        let Place::Instance(owner, _) = reach.place else { return false };
        let stores = self.instance_stores(owner, name);
        let is_made_once = |store: &EventRef| {
            self.is_in_constructor(*store) && self.stored_value(*store).is_some_and(|value| self.is_made_afresh(value))
        };
        reach.level == 0
            && !stores.is_empty()
            && stores.iter().all(is_made_once)
            && !self.is_changed_later(reach.place)
            && !self.module_ids().any(|module| self.adds_to_attribute_later(module, name))
    }

    pub(super) fn is_in_constructor(&self, event: EventRef) -> bool {
        self.event_function(event).is_some_and(|function| self.function(function).name == self.words.init)
    }

    fn is_changed_later(&self, place: Place) -> bool {
        self.operations.on(place).any(|operation| {
            let adds = operation.kind.is_growth() && operation.kind != OperationKind::Read;
            (adds || operation.kind == OperationKind::Escaped) && !self.is_in_constructor(operation.event)
        })
    }

    /// The same by the attribute's name: operations are only known of what is seen to hold a container.
    fn adds_to_attribute_later(&self, module: super::super::ModuleId, name: Name) -> bool {
        if !self.module(module).may_name(name) {
            return false;
        }
        let facts = self.facts(module);
        let is_of_name = |expr: ExprId| matches!(facts.expr(expr), Expr::Attribute(_, found) if found == name);
        let adds = |kind: EventKind| match kind {
            EventKind::Bind { target, .. } => {
                matches!(facts.expr(target), Expr::Subscript(table, _) if is_of_name(table))
            }
            EventKind::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(table, method)
                if is_of_name(table) && OperationKind::of_method(method).is_some_and(OperationKind::is_growth)),
            _ => false,
        };
        facts.events.iter().enumerate().any(|(number, event)| {
            adds(event.kind) && !self.is_in_constructor(EventRef::new(module, crate::facts::EventId(number as u32)))
        })
    }

    /// A container made on the spot, or by a function that gives the one it has just made.
    fn is_made_afresh(&self, value: ExprRef) -> bool {
        if self.container_made_by(value).is_some() {
            return true;
        }
        let Expr::Call(call) = self.expr(value) else { return false };
        let callee = value.scope.expr(self.facts(value.scope.module).call(call).callee);
        let Definition::Function(function) = self.resolve(callee) else { return false };
        let facts = self.facts(function.module);
        let mut given = facts
            .scope_events(self.function(function).scope)
            .filter_map(|(id, event)| match event.kind {
                EventKind::Return(value) => Some(self.event_scope(EventRef::new(function.module, id)).expr(value)),
                _ => None,
            })
            .peekable();
        given.peek().is_some()
            && given.all(|value| {
                let made = self.only_value(value).unwrap_or(value);
                self.container_made_by(made).is_some()
            })
    }

    /// `f"package.{key}"`, `"package." + key`, `for name in (f"package.{key}", key)`.
    pub(super) fn is_made_of(&self, expr: ExprRef, part: ExprId) -> bool {
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Format(run) => facts.list(run).contains(&part),
            Expr::Binary(_, left, right) => left == part || right == part,
            Expr::Name(name) => self.holding_scope(expr.scope, name).is_some_and(|holder| {
                let mut bindings = self.module(holder.module).bindings_of(holder.id, name);
                bindings.any(|event| match facts.event(event).kind {
                    EventKind::BindElement { iterable, .. } => match facts.expr(iterable) {
                        Expr::Display(_, run) => (facts.list(run).iter())
                            .any(|item| *item == part || self.is_made_of(holder.expr(*item), part)),
                        _ => false,
                    },
                    _ => false,
                })
            }),
            _ => false,
        }
    }

    /// `if x not in X: X.append(x)`: the list is used as a set.
    pub(super) fn is_membership_guarded(&self, operation: Operation) -> bool {
        self.is_searched_before(operation) || self.is_tested_before(operation)
    }

    /// `for known in PLACE: if …: return known` before the item is added, or `any(…)` of them.
    pub(super) fn is_searched_before(&self, operation: Operation) -> bool {
        if self.is_searched_by_test(operation) {
            return true;
        }
        let facts = self.facts(operation.event.module);
        let scope = self.event_scope(operation.event);
        let earlier =
            || facts.scope_events(scope.id).take_while(|(id, _)| *id < operation.event.id).map(|(_, event)| event);
        let loops = earlier().filter_map(|event| match event.kind {
            EventKind::BindElement { iterable, .. } if self.is_container_of(scope.expr(iterable), operation) => {
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

    pub(super) fn is_tested_before(&self, operation: Operation) -> bool {
        self.conditions(operation.event).iter().any(|condition| {
            let operator = if condition.holds { Operator::NotIn } else { Operator::In };
            self.tests_membership(condition.test, operator, operation.value)
        })
    }

    fn is_searched_by_test(&self, operation: Operation) -> bool {
        self.conditions(operation.event).iter().any(|condition| match self.expr(condition.test) {
            Expr::Not(inner) => condition.holds && self.searches(condition.test.scope.expr(inner), operation),
            _ => !condition.holds && self.searches(condition.test, operation),
        })
    }

    /// What an operation is done to, by the place it leads to or by the very name: a parameter leads to no place.
    fn is_container_of(&self, expr: ExprRef, operation: Operation) -> bool {
        let facts = self.facts(operation.event.module);
        let named = match facts.event(operation.event.id).kind {
            EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(base, _) => Some(base),
                _ => None,
            },
            _ => None,
        };
        named == Some(expr.id) && expr.scope.module == operation.event.module
            || self.reach(expr).is_some_and(|reach| reach.place == operation.place)
    }

    /// `any(… for x in PLACE)`
    pub(super) fn searches(&self, test: ExprRef, operation: Operation) -> bool {
        let facts = self.facts(test.scope.module);
        let Expr::Call(call) = self.expr(test) else { return false };
        let call = facts.call(call);
        let is_any = matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "any");
        let Some(Expr::Comprehension(_, scope)) = facts.arguments(call).first().map(|id| facts.expr(*id)) else {
            return false;
        };
        is_any
            && facts.scope_events(scope).any(|(_, event)| match event.kind {
                EventKind::BindElement { iterable, .. } => self.is_container_of(test.scope.expr(iterable), operation),
                _ => false,
            })
    }

    pub(super) fn tests_membership(&self, test: ExprRef, operator: Operator, item: ExprId) -> bool {
        let facts = self.facts(test.scope.module);
        match self.expr(test) {
            Expr::Binary(found, left, _) => found == operator && facts.is_same_written(left, item),
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
    pub(super) fn is_read_for_known_key(&self, touch: Touch, touches: &[Touch]) -> bool {
        let read = touch.operation;
        let facts = self.facts(read.event.module);
        let tested = self.conditions(read.event).iter().any(|condition| {
            let operator = if condition.holds { Operator::In } else { Operator::NotIn };
            matches!(self.expr(condition.test), Expr::Binary(found, left, _) if found == operator && left == read.key)
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

    pub(super) fn iterates_over(&self, scope: ScopeRef, name: Name, place: Place) -> bool {
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

    /// `if self._stopping.is_set(): self._left[key] = task`: the owner or the process ends once.
    pub(super) fn is_while_ending(&self, event: EventRef) -> bool {
        self.conditions(event)
            .iter()
            .any(|condition| condition.holds && !condition.is_check && self.says_that_owner_ends(condition.test))
    }

    fn says_that_owner_ends(&self, test: ExprRef) -> bool {
        let facts = self.facts(test.scope.module);
        match self.expr(test) {
            Expr::And(run) => facts.list(run).iter().any(|part| self.says_that_owner_ends(test.scope.expr(*part))),
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(flag, method) if method.as_str() == "is_set" => {
                    self.says_that_owner_ends(test.scope.expr(flag))
                }
                _ => false,
            },
            Expr::Attribute(base, flag) if vocabulary::is_ending_flag_name(flag.as_str()) => {
                matches!(facts.expr(base), Expr::Name(name) if self.receiver_named(test.scope, name).is_some())
            }
            Expr::Name(flag) if vocabulary::is_ending_flag_name(flag.as_str()) => {
                self.holding_scope(test.scope, flag).is_some_and(|holder| holder.id == MODULE_SCOPE)
            }
            _ => false,
        }
    }

    /// `if not X: …fill…`, `if X is None: …`, or a flag that the same function sets: it fills once.
    pub(super) fn is_lazily_filled(&self, place: Place, event: EventRef) -> bool {
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
    pub(super) fn is_sibling_filled_here(&self, event: EventRef, tested: ExprId) -> bool {
        let facts = self.facts(event.module);
        if !matches!(facts.expr(tested), Expr::Name(_) | Expr::Attribute(..)) {
            return false;
        }
        let scope = ScopeRef::new(event.module, facts.scope_of(facts.event(event.id)));
        let Some(reach) = self.reach(scope.expr(tested)) else { return false };
        self.outlives_calls(reach.place)
            && reach.level == 0
            && self.operations.on(reach.place).any(|operation| {
                operation.kind.is_growth()
                    && operation.event.module == event.module
                    && self.event_function(operation.event) == self.event_function(event)
            })
    }

    /// A variable that outlives the call and that the function around the event also stores to: `_loaded = True`.
    pub(super) fn is_flag_set_here(&self, event: EventRef, flag: ExprId) -> bool {
        let facts = self.facts(event.module);
        if !matches!(facts.expr(flag), Expr::Name(_) | Expr::Attribute(..)) {
            return false;
        }
        let scope = facts.scope_of(facts.event(event.id));
        let reference = ScopeRef::new(event.module, scope).expr(flag);
        // `found = MEMO.get(key)`, then `if found is None`, speaks of one entry.
        let long_lived =
            self.reach(reference).is_some_and(|reach| reach.level == 0 && self.outlives_calls(reach.place));
        long_lived
            && facts.scope_events(scope).any(|(_, other)| {
                matches!(other.kind, EventKind::Bind { target, value } if target == flag
                    && !matches!(facts.expr(value), Expr::Constant(Constant::None | Constant::False)))
            })
    }

    /// A test of the container's length on the way: how many there are decides whether another is added. How long a value is
    /// says nothing of how many keys there are.
    pub(super) fn is_length_guarded(&self, place: Place, level: u8, event: EventRef) -> bool {
        self.conditions(event).iter().any(|condition| {
            let speaks_of = |id: ExprId| {
                let reach = self.reach(condition.test.scope.expr(id));
                reach.is_some_and(|reach| reach.place == place && reach.level <= level)
            };
            self.mentions_length(condition.test, &speaks_of)
        })
    }

    pub(super) fn mentions_length(&self, test: ExprRef, speaks_of: &dyn Fn(ExprId) -> bool) -> bool {
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
}

fn is_length_of(facts: &crate::facts::FileFacts, expr: ExprId, speaks_of: &dyn Fn(ExprId) -> bool) -> bool {
    let Expr::Call(call) = facts.expr(expr) else { return false };
    let call = facts.call(call);
    matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "len")
        && facts.arguments(call).first().is_some_and(|argument| speaks_of(*argument))
}
