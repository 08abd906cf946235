//! Context managers that run their `with` block inside of a handler.
//!
//! A generator that yields in an `except` still handles that exception while the block runs. Whatever the block raises
//! gets it as its `__context__`, and it leads back: traceback → frame of the generator → the exception that is thrown in.
//! So each exception out of the block is a cycle, which holds the frames of all that it passed through.

use crate::facts::{ContextKind, EventId, EventKind, FileFacts, ScopeKind};
use crate::program::{EventRef, FunctionRef, ModuleId, Program};

#[derive(Clone, Copy, Debug)]
pub struct YieldInHandler {
    pub function: FunctionRef,
    pub yielded: EventRef,
}

impl Program<'_> {
    /// The first of them in each context manager of a module.
    pub fn yields_in_handlers(&self, module: ModuleId) -> Vec<YieldInHandler> {
        let facts = self.facts(module);
        let mut found: Vec<YieldInHandler> = Vec::new();
        if !facts.functions.iter().any(|function| function.is_generator) {
            return found;
        }
        for (number, event) in facts.events.iter().enumerate() {
            if !matches!(event.kind, EventKind::Yield(_)) {
                continue;
            }
            let id = EventId(number as u32);
            let ScopeKind::Function(function) = facts.scope(facts.scope_of(event)).kind else { continue };
            let function = FunctionRef::new(module, function);
            let is_new = found.iter().all(|known| known.function != function);
            let manages =
                || self.has_decorator(function, &["contextlib.contextmanager", "contextlib.asynccontextmanager"]);
            if is_new && is_in_handler(facts, id) && manages() {
                found.push(YieldInHandler { function, yielded: EventRef::new(module, id) });
            }
        }
        found
    }
}

/// Whether a handler is being run at an event, and not one of what the block itself raised.
fn is_in_handler(facts: &FileFacts, at: EventId) -> bool {
    let handlers =
        facts.contexts_around(facts.event(at).context).filter(|context| matches!(context.kind, ContextKind::Except(_)));
    let scope = facts.scope_of(facts.event(at));
    handlers.into_iter().any(|handler| {
        let is_tried = |event: EventId| {
            let mut around = facts.contexts_around(facts.event(event).context);
            around.any(|context| context.group == handler.group && matches!(context.kind, ContextKind::Try))
        };
        let mut yields = facts.scope_events(scope).filter(|(_, event)| matches!(event.kind, EventKind::Yield(_)));
        !yields.any(|(event, _)| is_tried(event))
    })
}
