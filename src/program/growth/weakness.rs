//! Weak containers: whether they let go, or what they hold holds the key.

use super::*;

impl Program<'_> {
    /// Weak containers let go by themselves, unless what they hold holds the key.
    pub(super) fn holds_for_ever(&self, place: Place, container: Container) -> bool {
        match container.holds {
            Holds::Strong => true,
            Holds::WeakKey => self.values_hold_keys(place),
            Holds::Weak | Holds::WeakValue => false,
        }
    }

    /// A `WeakKeyDictionary` whose value is, or is made of, its key.
    pub(super) fn values_hold_keys(&self, place: Place) -> bool {
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
