//! Entries that are ended and stay: `entry = self._entries.get(key); entry.delete()`.
//!
//! Who looks one up to end it knows that it is done with. Where nothing takes anything out, it is there for ever,
//! whatever the owner is called.

use super::*;

/// What ends an object for good.
const ENDS: [&str; 7] = ["delete", "destroy", "dispose", "close", "aclose", "terminate", "kill"];

impl Program<'_> {
    /// Where a method of the owner ends one entry that it looks up by its key.
    pub(super) fn ends_entry(&self, place: Place, growths: &[Growth]) -> Option<EventRef> {
        let Place::Instance(owner, _) = place else { return None };
        let stores = |growth: &Growth| {
            growth.touch.operation.level == 0
                && matches!(growth.touch.operation.kind, OperationKind::Store | OperationKind::SetDefault)
        };
        // Keys that come back get another entry in the place of the one that ended.
        if !growths.iter().all(stores) || !growths.iter().any(|growth| growth.domain.is_open()) {
            return None;
        }
        self.own_methods(owner).filter(|method| !self.is_edge_of_life(*method)).find_map(|method| {
            let facts = self.facts(method.module);
            let scope = self.function_scope(method);
            facts.scope_events(scope.id).find_map(|(id, event)| {
                let EventKind::Call(call) = event.kind else { return None };
                let Expr::Attribute(ended, end) = facts.expr(facts.call(call).callee) else { return None };
                if !ENDS.contains(&end.as_str()) {
                    return None;
                }
                let event = EventRef::new(method.module, id);
                let key = self.key_of_entry(place, scope.expr(ended), event)?;
                (!self.is_stored_again(place, event, key)).then_some(event)
            })
        })
    }

    /// What an object does at its end, it does with all that it holds.
    fn is_edge_of_life(&self, method: FunctionRef) -> bool {
        let name = self.function(method).name;
        vocabulary::is_making_name(name.as_str())
            || vocabulary::is_ending_name(name.as_str()) && !self.is_given_a_key(method)
    }

    fn is_given_a_key(&self, method: FunctionRef) -> bool {
        self.facts(method.module).parameters(self.function(method)).len() > 1
    }

    /// The key that an object was looked up by in the place: `self._entries[key]`, `self._entries.get(key)`, or a variable
    /// that was bound to that last.
    fn key_of_entry(&self, place: Place, object: ExprRef, used: EventRef) -> Option<ExprId> {
        let facts = self.facts(object.scope.module);
        let is_place = |base: ExprId| {
            self.reach(object.scope.expr(base)).is_some_and(|reach| reach.place == place && reach.level == 0)
        };
        let key = match self.expr(object) {
            Expr::Subscript(base, key) if is_place(base) => key,
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(base, get) if get.as_str() == "get" && is_place(base) => {
                    *facts.arguments(facts.call(call)).first()?
                }
                _ => return None,
            },
            Expr::Name(_) => {
                let bound =
                    facts.scope_events(object.scope.id).take_while(|(id, _)| *id < used.id).filter_map(|(_, event)| {
                        match event.kind {
                            EventKind::Bind { target, value } if target == object.id => Some((event.context, value)),
                            _ => None,
                        }
                    });
                let (context, value) = bound.last()?;
                let mut around = facts.context_ids_around(facts.event(used.id).context);
                let is_value = matches!(facts.expr(value), Expr::Call(_) | Expr::Subscript(..));
                return (is_value && around.any(|around| around == context))
                    .then(|| self.key_of_entry(place, object.scope.expr(value), used))?;
            }
            _ => return None,
        };
        matches!(facts.expr(key), Expr::Name(_) | Expr::Attribute(..)).then_some(key)
    }

    /// `self._entries[key] = Entry()` behind the end of the one before.
    fn is_stored_again(&self, place: Place, ended: EventRef, key: ExprId) -> bool {
        let function = self.event_function(ended);
        self.operations.on(place).any(|operation| {
            operation.kind == OperationKind::Store
                && operation.key == key
                && operation.event > ended
                && self.event_function(operation.event) == function
        })
    }
}
