//! What leaves a place, and whether it counts.

use super::*;

impl Program<'_> {
    /// What leaves a value undoes what comes into one, though the keys stay.
    pub(super) fn drop_undone_below(&self, place: Place, touches: &[Touch], growths: &mut Vec<Growth>) {
        let level = growths.iter().map(|growth| growth.touch.operation.level).min().unwrap_or(0);
        let removals = self.removals(place, touches).into_iter().filter(|touch| touch.operation.level > level);
        let counting =
            removals.filter(|touch| self.refutation(place, *touch, touch.operation.level, growths).is_none());
        if let Some(emptied) = counting.map(|touch| touch.operation.level).min() {
            growths.retain(|growth| growth.touch.operation.level < emptied);
        }
    }

    pub(super) fn graded_removals(&self, place: Place, touches: &[Touch], growths: &[Growth]) -> Vec<Removal> {
        let level = growths.iter().map(|growth| growth.touch.operation.level).min().unwrap_or(0);
        self.removals(place, touches)
            .into_iter()
            .map(|touch| Removal { touch, refuted: self.refutation(place, touch, level, growths) })
            .collect()
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
        removals
    }

    /// Why a removal lets nothing go.
    pub(super) fn refutation(&self, place: Place, touch: Touch, level: u8, growths: &[Growth]) -> Option<String> {
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
    pub(super) fn is_making(&self, place: Place, event: EventRef) -> bool {
        self.holder(place).is_some_and(|holder| holder.binding == event)
            && self.event_function(event).is_none_or(|function| self.function(function).name == self.words.init)
    }

    /// What is stored is the object whose method stores it.
    pub(super) fn holds_receiver(&self, growths: &[Growth]) -> bool {
        growths.iter().any(|growth| {
            let scope = self.event_scope(growth.touch.operation.event);
            matches!(self.facts(scope.module).expr(growth.touch.operation.value), Expr::Name(name) if self.receiver_named(scope, name).is_some())
        })
    }
}
