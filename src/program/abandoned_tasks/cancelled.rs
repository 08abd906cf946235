//! Tasks that go on when the function that waits for them is cancelled.
//!
//! Who is cancelled in `asyncio.wait` leaves all its tasks as they are. A handler that cancels one of them and then leaves
//! knows that; the other has nobody any more.

use super::super::{EventRef, FunctionRef, Program, ScopeRef};
use super::Candidate;
use crate::facts::{
    CallId, ContextId, ContextKind, DisplayKind, Event, EventId, EventKind, Expr, ExprId, FileFacts, FunctionId,
};
use crate::source::Name;

/// A task that a cancellation leaves, where it ends another.
#[derive(Clone, Copy, Debug)]
pub struct OutlivingTask {
    /// The call that makes it.
    pub event: EventRef,
    pub name: Name,
    /// The call that is left when the function is cancelled.
    pub waited: EventRef,
    /// What cancels the other.
    pub cancels: EventRef,
    pub other: Name,
    pub function: FunctionRef,
}

impl Program<'_> {
    /// Of the tasks that a call of `asyncio.wait` waits for, the one that a handler for the cancellation forgets.
    pub(super) fn left_by_cancellation(&self, scope: ScopeRef, wait: CallId) -> Option<OutlivingTask> {
        let facts = self.facts(scope.module);
        let call = facts.call(wait);
        let Expr::Display(DisplayKind::List | DisplayKind::Set | DisplayKind::Tuple, _) =
            facts.expr(*facts.arguments(call).first()?)
        else {
            return None;
        };
        let handler = handler_of_cancellation(facts, facts.event(call.event))?;
        let function = self.enclosing_function(scope)?;
        let (candidates, _) = self.candidates(scope, function, *facts.arguments(call).first()?, call.event)?;
        let tasks: Vec<(Name, CallId)> = (candidates.iter())
            .filter(|candidate| self.is_task(scope, candidate.call))
            .filter_map(|Candidate { call, name }| Some(((*name)?, *call)))
            .collect();
        let (cancels, other) = tasks.iter().find_map(|(name, _)| Some((cancels_in(facts, handler, *name)?, *name)))?;
        let left = |(name, made): &(Name, CallId)| {
            *name != other && is_left_to_itself(facts, function.id, *name, call.event, handler) && !sleeps(facts, *made)
        };
        let (name, made) = tasks.iter().copied().find(left)?;
        Some(OutlivingTask {
            event: EventRef::new(scope.module, facts.call(made).event),
            name,
            waited: EventRef::new(scope.module, call.event),
            cancels: EventRef::new(scope.module, cancels),
            other,
            function,
        })
    }
}

/// The handler for the cancellation of what an event waits for.
fn handler_of_cancellation(facts: &FileFacts, event: &Event) -> Option<ContextId> {
    let tried = facts.contexts_around(event.context).filter(|context| context.kind == ContextKind::Try);
    let groups: Vec<_> = tried.map(|context| context.group).collect();
    let handlers = facts.contexts.iter().position(|context| {
        groups.contains(&context.group)
            && matches!(context.kind, ContextKind::Except(types) if has_cancellation(facts, types))
    });
    handlers.map(|number| ContextId(number as u32))
}

fn has_cancellation(facts: &FileFacts, types: ExprId) -> bool {
    match facts.expr(types) {
        Expr::Name(name) | Expr::Attribute(_, name) => name.as_str() == "CancelledError",
        Expr::Display(_, run) => facts.list(run).iter().any(|part| has_cancellation(facts, *part)),
        _ => false,
    }
}

fn is_in(facts: &FileFacts, event: &Event, context: ContextId) -> bool {
    facts.context_ids_around(event.context).any(|around| around == context)
}

/// Where a handler cancels what a variable holds.
fn cancels_in(facts: &FileFacts, handler: ContextId, name: Name) -> Option<EventId> {
    facts.scope_events(facts.context(handler).scope).find_map(|(id, event)| {
        let EventKind::Call(call) = event.kind else { return None };
        let cancels = matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
            if method.as_str() == "cancel" && facts.expr(base) == Expr::Name(name));
        (cancels && is_in(facts, event, handler)).then_some(id)
    })
}

/// Whether a handler leaves, and neither it nor what runs behind it speaks of a variable, which nobody else has.
fn is_left_to_itself(facts: &FileFacts, function: FunctionId, name: Name, wait: EventId, handler: ContextId) -> bool {
    let span = facts.function(function).span;
    let handled = facts.context(handler);
    let mut leaves = false;
    let mut is_break = false;
    for (_, event) in facts.scope_events(handled.scope).filter(|(_, event)| event.context == handler) {
        is_break |= event.kind == EventKind::Break;
        leaves |= matches!(event.kind, EventKind::Return(_) | EventKind::Raise { .. });
    }
    let runs_then = |event: &Event| {
        is_in(facts, event, handler)
            || is_break && event.span.start > handled.span.end
            || facts.contexts_around(event.context).any(|around| around.kind == ContextKind::Finally)
    };
    let inside = facts.events.iter().enumerate().filter(|(_, event)| span.contains(event.span));
    let has_others = inside.filter(|(number, _)| *number != wait.index()).any(|(_, event)| match runs_then(event) {
        true => facts.is_mentioned_in(event, name),
        false => gives_away(facts, event, name),
    });
    let is_run_through = || {
        facts.contexts.iter().filter(|context| span.contains(context.span)).any(|context| match context.kind {
            ContextKind::For { iterable } => facts.mentions(iterable, name),
            _ => false,
        })
    };
    (leaves || is_break) && !has_others && !is_run_through()
}

/// Whether an event lets others have what a variable holds; to await it or to ask it is no such thing.
fn gives_away(facts: &FileFacts, event: &Event, name: Name) -> bool {
    let is_it = |id: ExprId| facts.expr(id) == Expr::Name(name);
    match event.kind {
        EventKind::Await(_) | EventKind::Assert { .. } => false,
        EventKind::Call(call) => {
            let call = facts.call(call);
            let is_told = matches!(facts.expr(call.callee), Expr::Attribute(base, method)
                if is_it(base) && method.as_str() == "add_done_callback");
            is_told || facts.all_arguments(call).any(|given| holds(facts, given, name))
        }
        EventKind::Bind { target, value } => !is_it(target) && holds(facts, target, name) || holds(facts, value, name),
        kind => kind.operands().into_iter().any(|id| holds(facts, id, name)),
    }
}

/// Whether a value may be or have what a variable holds; what awaiting it gives is none of it.
fn holds(facts: &FileFacts, id: ExprId, name: Name) -> bool {
    !matches!(facts.expr(id), Expr::Await(_)) && super::hands_on(facts, id, name)
}

/// `create_task(asyncio.sleep(1))`: it ends by itself.
fn sleeps(facts: &FileFacts, made: CallId) -> bool {
    let coroutine = facts.arguments(facts.call(made)).first().map(|first| facts.expr(*first));
    match coroutine {
        Some(Expr::Call(call)) => facts.called_name(facts.call(call)).is_some_and(|name| name.as_str() == "sleep"),
        _ => false,
    }
}
