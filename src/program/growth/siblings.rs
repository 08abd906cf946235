//! Siblings: containers that get the same key, or the same object, in the same function. Where one of them loses it when
//! it is done with and the other does not, keys or objects come and go, and the other keeps them all.

use super::*;

/// A sibling that lets keys go.
#[derive(Clone, Copy, Debug)]
pub struct Sibling {
    pub place: Place,
    /// Where it does.
    pub removal: EventRef,
    /// Both get the key on the same ways.
    pub is_parallel: bool,
    /// The sibling has the objects themselves, each under a key of its own, and lets them go.
    pub is_of_objects: bool,
    /// There is always another key, whatever becomes of those of the sibling.
    pub has_open_key: bool,
}

impl Program<'_> {
    /// A container of the same owner that gets the same key or object beside this growth, and loses it elsewhere.
    pub(super) fn pruned_sibling(&self, place: Place, operation: Operation) -> Option<Sibling> {
        if self.belongs_to_work(operation) {
            return None;
        }
        self.sibling_under_key(place, operation).or_else(|| self.sibling_with_object(place, operation))
    }

    /// The key is what a function was given that works until it is told to stop: there are as many as there is work going
    /// on, and each is taken up again under its own.
    fn belongs_to_work(&self, operation: Operation) -> bool {
        let facts = self.facts(operation.event.module);
        let Some(function) = self.event_function(operation.event) else { return false };
        let scope = self.function_scope(function);
        let Expr::Name(key) = facts.expr(operation.key) else { return false };
        let works = |id: EventId, event: &crate::facts::Event| {
            matches!(event.kind, EventKind::Call(_) | EventKind::Await(_))
                && self
                    .endless_loop_around(EventRef::new(operation.event.module, id))
                    .is_some_and(|around| around.is_work)
        };
        let is_bound_in_loop = self
            .module(scope.module)
            .bindings_of(scope.id, key)
            .any(|binding| self.is_in_loop(EventRef::new(scope.module, binding)));
        self.holding_scope(self.event_scope(operation.event), key) == Some(scope)
            && !is_bound_in_loop
            && facts.scope_events(scope.id).any(|(id, event)| works(id, event))
    }

    /// `self.sessions[key] = session` or `session = self.sessions[key]`, and then `self.waiting.append(session)`.
    fn sibling_with_object(&self, place: Place, operation: Operation) -> Option<Sibling> {
        let facts = self.facts(operation.event.module);
        let Expr::Name(object) = facts.expr(operation.value) else { return None };
        let scope = self.event_scope(operation.event);
        if !matches!(operation.kind, OperationKind::Add | OperationKind::Append)
            || self.receiver_named(scope, object).is_some()
        {
            return None;
        }
        let function = self.event_function(operation.event)?;
        let is_stored_by = |other: &Operation| {
            other.value == operation.value && adds_key(other.kind) && self.event_function(other.event) == Some(function)
        };
        let stored = self.operations.in_module(operation.event.module).filter(|other| is_stored_by(other));
        let found = self.only_value(scope.expr(operation.value)).and_then(|value| match self.expr(value) {
            Expr::Subscript(table, _) => self.reach(value.scope.expr(table)),
            _ => None,
        });
        let mut beside =
            stored.map(|other| (other.place, other.level)).chain(found.map(|reach| (reach.place, reach.level)));
        beside.find_map(|(other, level)| {
            let removal = (other != place && have_one_owner(other, place))
                .then(|| self.removal_of_one(other, level, function, None))??;
            Some(Sibling {
                place: other,
                removal,
                is_parallel: !self.is_conditional(operation.event),
                is_of_objects: false,
                has_open_key: false,
            })
        })
    }

    /// A container of the same owner that gets the same key beside this growth, and loses keys elsewhere.
    fn sibling_under_key(&self, place: Place, operation: Operation) -> Option<Sibling> {
        if operation.level > 0 || !adds_key(operation.kind) || operation.key == NOTHING {
            return None;
        }
        // A constant says nothing of coming and going.
        let facts = self.facts(operation.event.module);
        if !matches!(facts.expr(operation.key), Expr::Name(_) | Expr::Attribute(..) | Expr::Display(..)) {
            return None;
        }
        let function = self.event_function(operation.event)?;
        let mut seen = Vec::new();
        for other in self.operations.in_module(operation.event.module) {
            let is_of_stored = self.is_key_of_stored(operation, other);
            let is_sibling = (other.key == operation.key || is_of_stored)
                && other.level == 0
                && adds_key(other.kind)
                && other.place != place
                && have_one_owner(other.place, place);
            if !is_sibling || seen.contains(&(other.place, other.event)) {
                continue;
            }
            seen.push((other.place, other.event));
            // In another function only a name that says what it is stands for the same key, or what is a part of the object
            // that the sibling has under it.
            let is_beside = self.event_function(other.event) == Some(function);
            let is_of_objects = is_of_stored
                || matches!(facts.expr(other.key), Expr::Attribute(object, _) if object == other.value && !self.is_own(other));
            let key = match is_beside || is_of_objects {
                true if is_of_stored => Some(other.key),
                true => None,
                false if self.is_shared(place) && self.names_something(operation.key, operation.event) => {
                    Some(operation.key)
                }
                false => continue,
            };
            if let Some(removal) = self.removal_of_one(other.place, 0, function, key) {
                let context_of = |event: EventRef| facts.event(event.id).context;
                let is_parallel = is_beside && context_of(other.event) == context_of(operation.event);
                return Some(Sibling { place: other.place, removal, is_parallel, is_of_objects, has_open_key: false });
            }
        }
        None
    }

    /// `self.locks[name] = lock` of a `lock` that is made there, beside `self.tasks[lock.name] = task`: the same key, told
    /// by the object.
    fn is_key_of_stored(&self, operation: Operation, other: &Operation) -> bool {
        let facts = self.facts(operation.event.module);
        let (Expr::Name(key), Expr::Name(stored)) = (facts.expr(operation.key), facts.expr(operation.value)) else {
            return false;
        };
        matches!(facts.expr(other.key), Expr::Attribute(object, name) if object == operation.value && name == key)
            && self.event_function(other.event) == self.event_function(operation.event)
            && self.is_fresh(self.event_scope(operation.event), stored)
    }

    /// What is stored is the object whose method stores it.
    fn is_own(&self, operation: &Operation) -> bool {
        self.holds_receiver(&[Touch { operation: *operation, through: None }])
    }

    fn names_something(&self, key: ExprId, event: EventRef) -> bool {
        match self.facts(event.module).expr(key) {
            Expr::Name(name) | Expr::Attribute(_, name) => !vocabulary::is_placeholder_word(name.as_str()),
            _ => false,
        }
    }

    /// A removal of one in a function other than the one that adds it; of this key as written, where it is given.
    fn removal_of_one(&self, place: Place, level: u8, adding: FunctionRef, key: Option<ExprId>) -> Option<EventRef> {
        self.operations.on(place).find_map(|operation| {
            let takes_one =
                matches!(operation.kind, OperationKind::Pop | OperationKind::Delete | OperationKind::Remove)
                    && operation.level == level
                    && operation.key != NOTHING
                    && key.is_none_or(|key| key == operation.key)
                    && !matches!(self.facts(operation.event.module).expr(operation.key), Expr::Constant(_));
            if !takes_one || self.is_test(operation.event.module) {
                return None;
            }
            let function = self.event_function(operation.event).filter(|function| *function != adding)?;
            // What nobody runs shows nothing of keys that go, unless others make the object or are given the function,
            // and may run it.
            let is_given = self.function(function).decorators.len > 0;
            let is_made = || self.class_of_method(function).is_none_or(|class| self.is_made(class));
            (is_given || self.is_live(function) || !is_made()).then_some(operation.event)
        })
    }
}

fn adds_key(kind: OperationKind) -> bool {
    matches!(kind, OperationKind::Store | OperationKind::SetDefault | OperationKind::Add)
}

/// Attributes of one class, or variables of one module.
fn have_one_owner(one: Place, other: Place) -> bool {
    match (one, other) {
        (Place::Module(one, _), Place::Module(other, _)) => one == other,
        (Place::Class(one, _) | Place::Instance(one, _), Place::Class(other, _) | Place::Instance(other, _)) => {
            one == other
        }
        _ => false,
    }
}
