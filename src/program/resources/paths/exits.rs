//! Where a way on which the resource is lost leaves the function, as it can be shown.

use super::super::super::EventRef;
use super::super::super::names::is_in_other_arm;
use super::super::{LostAt, only_looks};
use super::{By, Search, Seen, State};
use crate::facts::flow::{self, Caught, NodeId, Step};
use crate::facts::{CallId, ContextId, ContextKind, EventId, EventKind, Expr, ExprId, NOTHING, ScopeId};
use crate::models::Resource;
use crate::source::{Name, Span};

/// How many parts of a test are looked at.
const MOST_PARTS: usize = 32;

impl Search<'_, '_> {
    pub(super) fn exit(&self, seen: &Seen, state: State) -> LostAt {
        let mut next = seen.get(&state).copied().flatten();
        let mut is_near = true;
        while let Some(before) = next {
            match self.flow.step(before.0) {
                Step::Event(event) if is_near => {
                    let kind = self.facts.event(event).kind;
                    if matches!(kind, EventKind::Return(_) | EventKind::Raise { .. }) {
                        return LostAt::Exit(EventRef::new(self.function.module, event));
                    }
                    is_near = false;
                }
                Step::Assume { test, holds } => return LostAt::End(self.span_of_test(test).map(|span| (span, holds))),
                _ => {}
            }
            next = seen.get(&before).copied().flatten();
        }
        LostAt::End(None)
    }

    /// Whether a way on which the resource is lost tells anything.
    ///
    /// A loop that tries until it succeeds is left by `break` with the resource, and a `raise` after it is for the loop
    /// that never came there. What acquires only when it is used has nothing before.
    pub(super) fn is_credible(&self, seen: &Seen, state: State, lost: LostAt) -> bool {
        let is_raised = |event: EventRef| matches!(self.facts.event(event.id).kind, EventKind::Raise { .. });
        let is_raised = matches!(lost, LostAt::Exit(event) if is_raised(event));
        if is_raised && matches!(lost, LostAt::Exit(event) if self.is_about_a_given_one(event.id)) {
            return false;
        }
        let mut is_used = !self.resource.is_lazy;
        let mut next = Some(state);
        while let Some(here) = next {
            if let Step::Event(event) = self.flow.step(here.0) {
                if here.2 == By::Handled && self.is_for_something_else(event) {
                    return false;
                }
                match self.facts.event(event).kind {
                    EventKind::Break if is_raised => return false,
                    EventKind::Call(call) => is_used = is_used || self.is_used_by(call, here.1),
                    _ => {}
                }
            }
            next = seen.get(&here).copied().flatten();
        }
        is_used
    }

    /// `if os.listdir(folder): raise …`, where the folder may be given as well: the one that is made is as it should be.
    fn is_about_a_given_one(&self, event: EventId) -> bool {
        let Some(acquired) = self.first_event().filter(|_| self.resource.is_path) else { return false };
        let place = self.places[0];
        let mut tests = self.contexts_of(event).into_iter().filter_map(|id| match self.facts.context(id).kind {
            ContextKind::If(test) => Some(test),
            _ => None,
        });
        tests.next().is_some_and(|test| self.mentions(test, place))
            && self.facts.scope_events(self.scope.id).any(|(id, other)| {
                matches!(other.kind, EventKind::Bind { target, .. } if target == place)
                    && is_in_other_arm(self.facts, acquired, id)
            })
    }

    fn mentions(&self, expr: ExprId, place: ExprId) -> bool {
        let mut waiting = vec![expr];
        for _ in 0..MOST_PARTS {
            let Some(id) = waiting.pop() else { return false };
            if id == place {
                return true;
            }
            match self.facts.expr(id) {
                Expr::Call(call) => waiting.extend(self.facts.all_arguments(self.facts.call(call))),
                other => waiting.extend(self.facts.operands(other)),
            }
        }
        false
    }

    /// Whether an event stands in a handler for objects that lack a method: what was acquired has those of its kind.
    fn is_for_something_else(&self, event: EventId) -> bool {
        self.contexts_of(event).into_iter().map(|id| self.facts.context(id)).any(|context| match context.kind {
            ContextKind::Except(types) if types != NOTHING && !self.groups.contains(&context.group) => {
                let mut types = self.exception_types(types);
                types.all(|name| {
                    name.is_some_and(|name| matches!(name.as_str(), "AttributeError" | "UnsupportedOperation"))
                })
            }
            _ => false,
        })
    }

    /// The last names of the types that a handler is for.
    pub(super) fn exception_types(&self, types: ExprId) -> impl Iterator<Item = Option<Name>> {
        let types = match self.facts.expr(types) {
            Expr::Display(_, run) => self.facts.list(run).to_vec(),
            _ => vec![types],
        };
        types.into_iter().map(|one| match self.facts.expr(one) {
            Expr::Name(name) | Expr::Attribute(_, name) => Some(name),
            _ => None,
        })
    }

    /// A call of a method of the resource, or one that it is given to; not one that opens nothing.
    fn is_used_by(&self, call: CallId, mask: u8) -> bool {
        let called = self.facts.call(call);
        let is_method = matches!(self.facts.expr(called.callee), Expr::Attribute(base, method)
            if self.is_held(base, mask) && !Resource::names(&self.resource.idle, method));
        let is_given = || self.facts.all_arguments(called).any(|given| self.is_held(given, mask));
        is_method || is_given() && !only_looks(self.facts, call)
    }

    fn span_of_test(&self, test: ExprId) -> Option<Span> {
        let scope: ScopeId = self.scope.id;
        let contexts = self.facts.contexts.iter().skip(self.facts.scope(scope).body.index());
        let mut of_scope = contexts.take_while(|context| context.scope.0 >= scope.0);
        of_scope.find_map(|context| match context.kind {
            ContextKind::If(other) | ContextKind::While(other) if other == test => Some(context.span),
            _ => None,
        })
    }

    /// Whether a handler for all exceptions, or a `suppress` for them, took what was raised last on the way to a state.
    pub(super) fn is_swallowed(&self, seen: &Seen, state: State) -> bool {
        let mut here = state;
        while let Some(before) = seen.get(&here).copied().flatten() {
            match self.flow.step(here.0) {
                Step::Handler(handler) => return self.takes_all(handler),
                Step::Leave(with) if self.suppresses_all(with) => return true,
                _ => {}
            }
            here = before;
        }
        false
    }

    fn takes_all(&self, handler: ContextId) -> bool {
        matches!(self.facts.context(handler).kind, ContextKind::Except(types)
            if flow::caught(self.facts, types) >= Caught::Exceptions)
    }

    /// Whether a `suppress` for all exceptions is left towards what lies further out.
    pub(super) fn is_taken(&self, from: NodeId, to: NodeId) -> bool {
        matches!(self.flow.step(from), Step::Leave(with) if self.suppresses_all(with))
            && matches!(self.flow.step(to), Step::Raised | Step::Dispatch(_) | Step::Leave(_))
    }

    /// `with contextlib.suppress(Exception):`
    fn suppresses_all(&self, with: ContextId) -> bool {
        let ContextKind::With { manager, .. } = self.facts.context(with).kind else { return false };
        let Expr::Call(call) = self.facts.expr(manager) else { return false };
        let call = self.facts.call(call);
        self.program
            .external_path(self.scope.expr(call.callee))
            .is_some_and(|path| path.as_str() == "contextlib.suppress")
            && self.facts.arguments(call).iter().any(|types| flow::caught(self.facts, *types) >= Caught::Exceptions)
    }

    /// The last event from which only an exception led on.
    pub(super) fn raising_event(&self, seen: &Seen, state: State) -> Option<LostAt> {
        let mut here = state;
        while let Some(before) = seen.get(&here).copied().flatten() {
            // Of several, the last one: those before it were on the way to a release.
            if here.2 >= By::OsError && here.2 != before.2 {
                let Step::Event(event) = self.flow.step(before.0) else { return None };
                let at = EventRef::new(self.function.module, event);
                return Some(match self.facts.event(event).kind {
                    EventKind::Yield(_) if self.is_context_manager => LostAt::Thrown(at),
                    EventKind::Yield(_) => LostAt::GivenUp(at),
                    _ => LostAt::Exception(at),
                });
            }
            here = before;
        }
        None
    }
}
