//! Callbacks on a future that is done only when its owner ends: `connection.closing.add_done_callback(…)`.
//!
//! A future calls its callbacks once, when it is done, and holds them until then; it takes the same one twice. What
//! such a future stands for is told by its name, and it must be there before the call and behind it.

use crate::facts::{EventKind, Expr, ExprId, FileFacts};
use crate::finding::Label;
use crate::program::repetition::{Frequency, Repetition};
use crate::program::{EventRef, ExprRef, ModuleId, Program, vocabulary};
use crate::source::Name;

use super::emitters::Emitter;

/// A call that adds another callback each time.
#[derive(Clone, Debug)]
pub struct LastingCallback {
    pub event: EventRef,
    /// The attribute that is the future.
    pub future: Name,
    /// Where the future is handed to the function of the call.
    pub handed: Option<EventRef>,
    pub repetition: Repetition,
}

const ADDS: &str = "add_done_callback";
const REMOVES: &str = "remove_done_callback";

impl Program<'_> {
    /// The calls of a module that leave one callback after the other, in source order.
    pub fn lasting_callbacks(&self, module: ModuleId) -> Vec<LastingCallback> {
        let adds = Name::new(ADDS);
        if !self.module(module).may_name(adds) {
            return Vec::new();
        }
        let facts = self.facts(module);
        let removes = Name::new(REMOVES);
        if facts.exprs.iter().any(|expr| matches!(expr, Expr::Attribute(_, method) if *method == removes)) {
            return Vec::new();
        }
        let added = facts.calls.iter().filter_map(|call| match facts.expr(call.callee) {
            Expr::Attribute(future, method) if method == adds => {
                let event = EventRef::new(module, call.event);
                let callback = facts.arguments(call).first()?;
                let is_passed_on = self.is_bare_parameter(self.event_scope(event).expr(*callback));
                (!is_passed_on).then(|| self.lasting_callback(event, future))?
            }
            _ => None,
        });
        let mut found: Vec<LastingCallback> = Vec::new();
        for callback in added {
            let function = self.event_function(callback.event);
            if !found.iter().any(|known| self.event_function(known.event) == function) {
                found.push(callback);
            }
        }
        found
    }

    fn lasting_callback(&self, event: EventRef, future: ExprId) -> Option<LastingCallback> {
        let scope = self.event_scope(event);
        let facts = self.facts(event.module);
        let Expr::Name(name) = facts.expr(future) else {
            let (future, repetition) = self.lasting_future(event, scope.expr(future))?;
            return Some(LastingCallback { event, future, handed: None, repetition });
        };
        let function = self.event_function(event)?;
        if !self.is_bare_parameter(scope.expr(future)) {
            return None;
        }
        self.callers(function).iter().filter(|site| site.is_certain && !self.is_test(site.module)).find_map(|site| {
            let handed = self.argument_for(*site, function, name)?;
            let (future, repetition) = self.lasting_future(site.event, handed)?;
            Some(LastingCallback { event, future, handed: Some(site.event), repetition })
        })
    }

    /// `self._closing`, `connection.closed()`: its name, and how often it is asked for while its owner lives.
    fn lasting_future(&self, event: EventRef, future: ExprRef) -> Option<(Name, Repetition)> {
        let facts = self.facts(future.scope.module);
        let (owner, name) = match facts.expr(future.id) {
            Expr::Attribute(owner, name) => (owner, name),
            Expr::Call(call) if facts.call(call).arguments.len == 0 => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(owner, name) => (owner, name),
                _ => return None,
            },
            _ => return None,
        };
        let is_end =
            |word: &str| matches!(word, "closing" | "closed" | "close" | "stopped" | "terminated" | "shutdown");
        if !is_end(&vocabulary::last_word(name.as_str())) || self.is_stored_here(event, name) {
            return None;
        }
        let owner = future.scope.expr(owner);
        let receiver = match self.expr(owner) {
            Expr::Name(name) => self.receiver_named(owner.scope, name).filter(|receiver| !receiver.is_class),
            _ => None,
        };
        let repetition = match receiver {
            Some(receiver) => self.repetition_in_life(event, receiver.class),
            None if self.is_of_many_calls(facts, owner.id) && self.whose(owner, 4) == Some(Emitter::Given) => {
                self.repetition(event)
            }
            None => return None,
        };
        (repetition.frequency >= Frequency::Presumed).then_some((name, repetition))
    }

    /// An object that serves many calls, by its name.
    fn is_of_many_calls(&self, facts: &FileFacts, owner: ExprId) -> bool {
        matches!(facts.expr(owner), Expr::Name(name) | Expr::Attribute(_, name)
            if vocabulary::is_connection_name(name.as_str()) || vocabulary::is_serving_name(name.as_str()))
    }

    /// The function of an event makes the future anew.
    fn is_stored_here(&self, event: EventRef, name: Name) -> bool {
        let facts = self.facts(event.module);
        let scope = self.event_scope(event);
        facts.scope_events(scope.id).any(|(_, other)| {
            matches!(other.kind, EventKind::Bind { target, .. }
                if matches!(facts.expr(target), Expr::Attribute(_, stored) if stored == name))
        })
    }

    /// A parameter as it was given.
    fn is_bare_parameter(&self, expr: ExprRef) -> bool {
        let Expr::Name(name) = self.expr(expr) else { return false };
        let Some(holder) = self.holding_scope(expr.scope, name) else { return false };
        self.is_parameter(holder, name)
            && self.receiver_named(expr.scope, name).is_none()
            && self.bound_values(holder, name).0.is_empty()
    }

    /// The lines of the argument, in reading order.
    pub fn lasting_callback_labels(&self, callback: &LastingCallback) -> Vec<Label> {
        let handed = callback.handed.map(|event| Label {
            location: self.event_location(event),
            message: format!("`{}` is handed on here", callback.future),
        });
        handed.into_iter().chain(callback.repetition.reasons.iter().take(3).cloned()).collect()
    }
}
