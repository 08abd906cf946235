//! Locals that a loop without an end fills: `seen = set()`, `while True: seen.add(queue.get().id)`.
//!
//! A function's locals end with it, and a consumer's loop does not. Only what nothing but the loop touches counts, for
//! whoever is given the container may empty it.

use super::*;
use crate::facts::{CallId, Context, ContextId, EventId};

/// A local container that grows in each round of an endless loop.
#[derive(Clone, Debug)]
pub struct FilledByLoop {
    pub name: Name,
    /// Where it is made, before the loop.
    pub made: EventRef,
    /// Where it grows.
    pub growth: EventRef,
    /// Where the loop is.
    pub rounds: crate::finding::Label,
}

impl Program<'_> {
    /// The locals of a module's functions that loops without an end fill, in source order.
    pub fn filled_by_loops(&self, module: super::super::ModuleId) -> Vec<FilledByLoop> {
        let facts = self.facts(module);
        let mut found: Vec<FilledByLoop> = Vec::new();
        for (number, context) in facts.contexts.iter().enumerate() {
            let is_endless = matches!(context.kind, ContextKind::While(test) if facts.always_holds(test));
            let scope = ScopeRef::new(module, context.scope);
            if !is_endless || !matches!(facts.scope(scope.id).kind, ScopeKind::Function(_)) {
                continue;
            }
            let rounds = ContextId(number as u32);
            for (id, _) in facts.scope_events(scope.id) {
                let event = EventRef::new(module, id);
                if let Some(local) = self.filled_by_loop(scope, rounds, event)
                    && !found.iter().any(|known| known.made == local.made)
                {
                    found.push(local);
                }
            }
        }
        found
    }

    fn filled_by_loop(&self, scope: ScopeRef, rounds: ContextId, event: EventRef) -> Option<FilledByLoop> {
        let facts = self.facts(scope.module);
        let (kind, name, key) = added_to_name(facts, event.id)?;
        let is_inside = |id: EventId| facts.context_ids_around(facts.event(id).context).any(|around| around == rounds);
        if !is_inside(event.id) || self.holding_scope(scope, name) != Some(scope) || self.is_parameter(scope, name) {
            return None;
        }
        let module = self.module(scope.module);
        let bindings: Vec<EventId> = module.bindings_of(scope.id, name).collect();
        let made = EventRef::new(scope.module, *bindings.first()?);
        let container = self.container_made_by(self.stored_value(made)?)?;
        let fits = match kind {
            OperationKind::Store => container.shape == Shape::Dict,
            _ => true,
        };
        let is_begun_before = bindings.len() == 1 && !is_inside(made.id) && !container.starts_filled;
        if !fits || !is_begun_before || container.is_bounded || container.holds != Holds::Strong {
            return None;
        }
        let around = self.endless_loop_around(event)?;
        let is_plain = !self.is_conditional(event) || self.domain(scope.expr(key)).is_open();
        let is_open = kind == OperationKind::Append || self.domain(scope.expr(key)).is_open();
        if !is_plain
            || !is_open
            || around.ends
            || self.is_ended_by(scope, rounds)
            || self.may_empty(scope, rounds, name)
        {
            return None;
        }
        Some(FilledByLoop { name, made, growth: event, rounds: around.label })
    }

    /// Whether something leaves a loop before its task or thread is told to end: whoever reads from a peer is left when that
    /// is gone, and an `except queue.Empty` around the loop is its end.
    fn is_ended_by(&self, scope: ScopeRef, rounds: ContextId) -> bool {
        let facts = self.facts(scope.module);
        let handles = |context: &Context, words: &[&str]| {
            matches!(context.kind, ContextKind::Except(types) if matches!(facts.expr(types),
                Expr::Name(name) | Expr::Attribute(_, name) if words.contains(&name.as_str())))
        };
        let is_told = |context: &Context| handles(context, &ENDS);
        let is_inside = |context: ContextId| facts.context_ids_around(context).any(|around| around == rounds);
        let is_caught = facts.contexts_around(rounds).filter(|around| around.kind == ContextKind::Try).any(|around| {
            let mut handlers = facts.contexts.iter().filter(|context| context.group == around.group);
            handlers.any(|context| {
                let catches_all = matches!(context.kind, ContextKind::Except(NOTHING))
                    || handles(context, &["Exception", "BaseException"]);
                matches!(context.kind, ContextKind::Except(_)) && !catches_all && !is_told(context)
            })
        });
        let is_limited = facts.contexts_around(rounds).any(|around| match around.kind {
            ContextKind::With { manager, .. } => matches!(facts.expr(manager), Expr::Call(call)
                if facts.called_name(facts.call(call)).is_some_and(|name| LIMITS.contains(&name.as_str()))),
            _ => false,
        });
        is_caught
            || is_limited
            || facts.scope_events(scope.id).any(|(_, event)| {
                let leaves = matches!(
                    event.kind,
                    EventKind::Return(_) | EventKind::Break | EventKind::Raise { .. } | EventKind::Yield(_)
                );
                leaves && is_inside(event.context) && !facts.contexts_around(event.context).any(is_told)
            })
    }

    /// Whether anything is done to a local but adding to it and looking into it.
    fn may_empty(&self, scope: ScopeRef, rounds: ContextId, name: Name) -> bool {
        let facts = self.facts(scope.module);
        let is_it = |id: ExprId| facts.expr(id) == Expr::Name(name);
        let mentions = |id: ExprId| facts.mentions(id, name);
        let is_captured = self.enclosing_function(scope).is_some_and(|function| {
            self.nested_functions(function).any(|nested| self.captures(nested).contains(&(scope, name)))
        });
        is_captured
            || facts.scope_events(scope.id).any(|(_, event)| match event.kind {
                EventKind::Call(call) => {
                    let called = facts.call(call);
                    let takes = matches!(facts.expr(called.callee), Expr::Attribute(base, method)
                        if is_it(base) && !OperationKind::of_method(method).is_some_and(|kind| kind.is_growth()));
                    let is_growth = matches!(facts.expr(called.callee), Expr::Attribute(base, _) if is_it(base));
                    takes || !is_growth && facts.all_arguments(called).any(mentions)
                }
                EventKind::Bind { target, value } => {
                    mentions(value)
                        || matches!(facts.expr(target), Expr::Subscript(base, key)
                        if is_it(base) && matches!(facts.expr(key), Expr::Slice(_)))
                }
                EventKind::Augment { target, value, operator } => {
                    mentions(value) || is_it(target) && operator != Operator::Add
                }
                EventKind::Delete { target } => mentions(target),
                EventKind::Return(value) | EventKind::Yield(value) | EventKind::Await(value) => mentions(value),
                EventKind::BindManager { manager, .. } => mentions(manager),
                // What is gone through behind the loop was to be reached.
                EventKind::BindElement { iterable, .. } => {
                    mentions(iterable) && !facts.context_ids_around(event.context).any(|around| around == rounds)
                }
                _ => false,
            })
    }
}

/// What a task or thread is told to end by.
const ENDS: [&str; 3] = ["CancelledError", "KeyboardInterrupt", "SystemExit"];

/// Managers whose blocks end by what is raised in them or by a limit of time.
const LIMITS: [&str; 5] = ["suppress", "timeout", "timeout_at", "move_on_after", "fail_after"];

/// The name of what an event adds to, and what decides whether that gets larger.
fn added_to_name(facts: &FileFacts, event: EventId) -> Option<(OperationKind, Name, ExprId)> {
    let (kind, base, key) = match facts.event(event).kind {
        EventKind::Call(call) => added_by_call(facts, call)?,
        EventKind::Bind { target, .. } => match facts.expr(target) {
            Expr::Subscript(base, key) if !matches!(facts.expr(key), Expr::Slice(_)) => {
                (OperationKind::Store, base, key)
            }
            _ => return None,
        },
        _ => return None,
    };
    match facts.expr(base) {
        Expr::Name(name) => Some((kind, name, key)),
        _ => None,
    }
}

fn added_by_call(facts: &FileFacts, call: CallId) -> Option<(OperationKind, ExprId, ExprId)> {
    let call = facts.call(call);
    let Expr::Attribute(base, method) = facts.expr(call.callee) else { return None };
    let kind = OperationKind::of_method(method)
        .filter(|kind| matches!(kind, OperationKind::Append | OperationKind::Add | OperationKind::SetDefault))?;
    Some((kind, base, *facts.arguments(call).first()?))
}
