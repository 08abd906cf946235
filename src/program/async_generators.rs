//! Async generators that are left open: whose caller may stop before the end, with something still in their hands.
//!
//! `async for` does not close what it iterates over. Leaving the loop early, by `break` or because the generator around
//! it is not read to its end, drops the inner generator with its `finally` and `async with` blocks still to run. There
//! is nobody to await them: the event loop is told when the last reference goes, and closes the generator in a task of its
//! own, after whoever left the loop has gone on, and in another context.

use super::{EventRef, FunctionRef, ModuleId, Program, ScopeRef, vocabulary};
use crate::facts::{ContextId, ContextKind, EventKind, Expr, ExprId, FileFacts};

/// A loop over an async generator that nothing closes.
#[derive(Clone, Copy, Debug)]
pub struct OpenGenerator {
    /// The call that makes the generator.
    pub event: EventRef,
    /// The generator of the project that it is.
    pub generator: FunctionRef,
    /// What it still has to do: its `finally` or the end of its `with`.
    pub pending: Pending,
    /// Where the loop is left.
    pub left: EventRef,
    pub how: Left,
}

#[derive(Clone, Copy, Debug)]
pub struct Pending {
    pub location: crate::source::Location,
    pub is_with: bool,
}

/// How a loop is left before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// By `break` or `return`.
    Here,
    /// By whoever reads the generator around it, and stops.
    ByReader,
}

/// How many generators inside of generators are followed.
const DEPTH: u32 = 3;

impl Program<'_> {
    /// The loops of a module that may leave an async generator open, in source order.
    pub fn open_generators(&self, module: ModuleId) -> Vec<OpenGenerator> {
        let facts = self.facts(module);
        let mut found = Vec::new();
        for (number, context) in facts.contexts.iter().enumerate() {
            let ContextKind::For { iterable } = context.kind else { continue };
            let Expr::Call(call) = facts.expr(iterable) else { continue };
            let scope = ScopeRef::new(module, context.scope);
            let Some(around) = self.enclosing_function(scope).filter(|around| self.function(*around).is_async) else {
                continue;
            };
            let Some(generator) = self.callee(scope, call).filter(|callee| self.is_async_generator(*callee)) else {
                continue;
            };
            let Some(pending) = self.pending_at_yield(generator, DEPTH) else { continue };
            let Some((left, how)) = self.leaves_loop(around, ContextId(number as u32)) else { continue };
            // Where a chain of generators is left, the outermost loop is what everybody reads, and shown.
            let is_shown_around = how == Left::ByReader && self.is_left_by_a_reader(around);
            let is_known = found.iter().any(|known: &OpenGenerator| {
                known.generator == generator && self.event_function(known.event) == Some(around)
            });
            if is_shown_around || is_known {
                continue;
            }
            let event = EventRef::new(module, facts.call(call).event);
            found.push(OpenGenerator { event, generator, pending, left, how });
        }
        found
    }

    /// Somebody in the project loops over a generator, and leaves the loop or is left by its own reader.
    fn is_left_by_a_reader(&self, generator: FunctionRef) -> bool {
        self.callers(generator).iter().filter(|site| site.is_certain && !self.is_test(site.module)).any(|site| {
            let facts = self.facts(site.module);
            let at = facts.contexts.iter().position(|context| {
                matches!(context.kind, ContextKind::For { iterable } if facts.expr(iterable) == Expr::Call(site.call))
            });
            let Some(at) = at else { return false };
            let around = self.enclosing_function(ScopeRef::new(site.module, facts.contexts[at].scope));
            around.is_some_and(|around| {
                around != generator
                    && self.function(around).is_async
                    && self.leaves_loop(around, ContextId(at as u32)).is_some()
            })
        })
    }

    /// Decorated ones are something else: a context manager, a fixture.
    fn is_async_generator(&self, function: FunctionRef) -> bool {
        let declared = self.function(function);
        declared.is_async && declared.is_generator && declared.decorators.len == 0
    }

    /// What a generator has to do after a `yield` whatever comes.
    fn pending_at_yield(&self, generator: FunctionRef, depth: u32) -> Option<Pending> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(generator.module);
        let scope = self.function(generator).scope;
        let mut yields = facts.scope_events(scope).filter(|(_, event)| matches!(event.kind, EventKind::Yield(_)));
        yields.find_map(|(_, event)| {
            facts.contexts_around(event.context).find_map(|context| match context.kind {
                ContextKind::With { manager, is_async: true } if !is_lock(facts, manager) => {
                    Some(Pending { location: self.location(generator.module, context.span), is_with: true })
                }
                ContextKind::Try => awaiting_finally(facts, context.group).map(|context| Pending {
                    location: self.location(generator.module, facts.context(context).span),
                    is_with: false,
                }),
                ContextKind::For { iterable } => {
                    let Expr::Call(call) = facts.expr(iterable) else { return None };
                    let inner = self.callee(ScopeRef::new(generator.module, context.scope), call)?;
                    self.is_async_generator(inner).then(|| self.pending_at_yield(inner, depth))?
                }
                _ => None,
            })
        })
    }

    fn leaves_loop(&self, around: FunctionRef, at: ContextId) -> Option<(EventRef, Left)> {
        let facts = self.facts(around.module);
        let declared = self.function(around);
        let group = facts.context(at).group;
        let inside =
            |context| facts.contexts_around(context).any(|context| context.group == group && context.kind.is_loop());
        let mut reader = None;
        for (id, event) in facts.scope_events(declared.scope) {
            if !inside(event.context) {
                continue;
            }
            let event_ref = EventRef::new(around.module, id);
            match event.kind {
                EventKind::Return(_) => return Some((event_ref, Left::Here)),
                EventKind::Break => {
                    let innermost = facts.contexts_around(event.context).find(|context| context.kind.is_loop());
                    if innermost.is_some_and(|context| context.group == group) {
                        return Some((event_ref, Left::Here));
                    }
                }
                EventKind::Yield(_) if declared.is_generator => reader = reader.or(Some(event_ref)),
                _ => {}
            }
        }
        let is_read = reader.filter(|_| declared.decorators.len == 0)?;
        Some((is_read, Left::ByReader))
    }
}

/// `self._lock`, `read_mutex`: who comes next waits a moment longer, and that is all.
fn is_lock(facts: &FileFacts, manager: ExprId) -> bool {
    match facts.expr(manager) {
        Expr::Name(name) | Expr::Attribute(_, name) => vocabulary::is_lock_name(name.as_str()),
        _ => false,
    }
}

/// The `finally` of a statement, where it awaits more than the end of what goes on anyway (`await task`).
fn awaiting_finally(facts: &FileFacts, group: ContextId) -> Option<ContextId> {
    let at =
        facts.contexts.iter().position(|context| context.group == group && context.kind == ContextKind::Finally)?;
    let finally = ContextId(at as u32);
    let is_inside = |context| {
        let mut around = facts.contexts_around(context);
        around.any(|context| context.group == group && context.kind == ContextKind::Finally)
    };
    let events = || facts.events.iter().filter(|event| is_inside(event.context));
    let is_cancelled = |task: ExprId| {
        events().any(|event| match event.kind {
            EventKind::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
                if base == task && method.as_str() == "cancel"),
            _ => false,
        })
    };
    let awaits = events().any(|event| match event.kind {
        EventKind::Await(awaited) => !matches!(facts.expr(awaited), Expr::Name(_)) || is_cancelled(awaited),
        _ => false,
    });
    awaits.then_some(finally)
}
