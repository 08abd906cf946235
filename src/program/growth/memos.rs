//! Memos: a value is computed from its key and looked up by it.

use super::*;

impl Program<'_> {
    /// The function looks the key up in the same place, and what it stores is computed from the key.
    pub(super) fn is_memo(&self, operation: Operation, touches: &[Touch]) -> bool {
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
        looks_up
            && !self.filters_itself(operation)
            && !self.adds_to_what_is_there(operation)
            && self.is_computed_from(scope, operation.value, operation.key)
    }

    /// `X[k] = X.get(k, 0) + 1` counts.
    fn adds_to_what_is_there(&self, operation: Operation) -> bool {
        let stored = self.event_scope(operation.event).expr(operation.value);
        let Expr::Binary(_, left, right) = self.expr(stored) else { return false };
        [left, right].into_iter().any(|part| {
            let reach = self.reach(stored.scope.expr(part));
            reach.is_some_and(|reach| reach.place == operation.place && reach.level > operation.level)
        })
    }

    /// It happens once for each key of another table, in which the function first looks the key up and then stores it, and
    /// nothing says that these keys are without end.
    pub(super) fn is_once_for_few(&self, operation: Operation) -> bool {
        self.happens_for_few_keys(operation.event, &|place| {
            place != operation.place && !matches!(place, Place::Local(..))
        })
    }

    /// The same of any event and of tables in certain places.
    pub(in crate::program) fn happens_for_few_keys(&self, event: EventRef, may_be: &dyn Fn(Place) -> bool) -> bool {
        let scope = self.event_scope(event);
        self.conditions(event).iter().any(|condition| {
            self.missed(condition.test, condition.holds, 4).is_some_and(|(key, table)| {
                self.reach(table)
                    .is_some_and(|reach| may_be(reach.place) && self.stores_under(scope, reach.place, key.id))
                    && !self.domain(key).is_open()
            })
        })
    }

    /// The key and the table where a test that comes out so says that the key is not in the table: `key not in table`,
    /// `table.get(key) is None`, the result of that under a name.
    fn missed(&self, test: ExprRef, holds: bool, depth: u32) -> Option<(ExprRef, ExprRef)> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(test.scope.module);
        let part = |id: ExprId| test.scope.expr(id);
        match self.expr(test) {
            Expr::Not(inner) => self.missed(part(inner), !holds, depth),
            Expr::And(run) if holds => facts.list(run).iter().find_map(|id| self.missed(part(*id), holds, depth)),
            Expr::Binary(Operator::In, key, table) if !holds => Some((part(key), part(table))),
            Expr::Binary(Operator::NotIn, key, table) if holds => Some((part(key), part(table))),
            Expr::Binary(operator, found, none) if facts.expr(none) == Expr::Constant(Constant::None) => match operator
            {
                Operator::Is | Operator::Eq => self.missed(part(found), !holds, depth),
                Operator::IsNot | Operator::NotEq => self.missed(part(found), holds, depth),
                _ => None,
            },
            Expr::Name(name) if !holds => {
                let (values, _) = self.bound_values(self.holding_scope(test.scope, name)?, name);
                values.into_iter().find_map(|(_, value)| self.missed(value, holds, depth))
            }
            Expr::Call(call) if !holds => {
                let call = facts.call(call);
                let Expr::Attribute(table, method) = facts.expr(call.callee) else { return None };
                let key = *facts.arguments(call).first().filter(|_| method.as_str() == "get")?;
                Some((part(key), part(table)))
            }
            _ => None,
        }
    }

    /// Whether a function stores something in a place under a key.
    fn stores_under(&self, scope: ScopeRef, place: Place, key: ExprId) -> bool {
        let facts = self.facts(scope.module);
        self.operations.on(place).any(|operation| {
            operation.kind == OperationKind::Store
                && operation.level == 0
                && self.event_scope(operation.event) == scope
                && facts.is_same_written(operation.key, key)
        })
    }

    /// `X[k] = [x for x in X[k] if …]`, perhaps under another name first, keeps what is still wanted: that is no memo.
    pub(super) fn filters_itself(&self, operation: Operation) -> bool {
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
    pub(super) fn tests_key(&self, function: FunctionRef, operation: Operation) -> bool {
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
    pub(super) fn is_computed_from(&self, scope: ScopeRef, value: ExprId, key: ExprId) -> bool {
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
    pub(super) fn variables_in(&self, expr: ExprRef, depth: u32, found: &mut Vec<Name>) {
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
    pub(super) fn variables_added_to(&self, holder: ScopeRef, name: Name, depth: u32, found: &mut Vec<Name>) {
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
}
