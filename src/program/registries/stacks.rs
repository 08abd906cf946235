//! Exit stacks that outlive the calls that push on them.
//!
//! An exit stack keeps each callback until it is unwound. As a local it ends with its function; in an attribute it
//! ends with the object, and what each request pushes on it stays until then.

use super::guards::Guard;
use super::{Cause, Program, Registration, Site};
use crate::facts::{ContextKind, EventId, EventKind, Expr};
use crate::models::Registry;
use crate::program::repetition::Frequency;
use crate::program::{EventRef, Place, ScopeRef, vocabulary};
use crate::source::Name;

impl Program<'_> {
    pub(super) fn stack_registration<'p>(&'p self, site: Site, registry: &'p Registry) -> Option<Registration<'p>> {
        let (_, place) = self.called_on(site.event)?;
        let function = self.event_function(site.event)?;
        let name = self.function(function).name;
        if self.once_guard(site.event) > Guard::None {
            return None;
        }
        if let Place::Local(scope, name) = place {
            return self.local_stack_registration(site, registry, scope, name);
        }
        let is_shared = matches!(place, Place::Module(..) | Place::Class(..) | Place::Instance(..));
        if !is_shared || !(is_for_each_request(name.as_str()) || self.endless_loop_around(site.event).is_some()) {
            return None;
        }
        let repetition = self.repetition(site.event);
        if repetition.frequency < Frequency::Presumed || self.is_unwound(site, registry, place) {
            return None;
        }
        Some(self.registration_at(site, registry, Cause::Call, repetition))
    }

    /// A stack that is opened before an endless loop and unwound behind it, with what each round pushes.
    fn local_stack_registration<'p>(
        &'p self,
        site: Site,
        registry: &'p Registry,
        scope: ScopeRef,
        name: Name,
    ) -> Option<Registration<'p>> {
        let facts = self.facts(site.event.module);
        self.endless_loop_around(site.event)?;
        let rounds = facts.contexts_around(facts.event(site.event.id).context);
        let round = rounds.filter(|context| matches!(context.kind, ContextKind::While(_))).last()?;
        let in_round = |event: EventId| {
            facts.contexts_around(facts.event(event).context).any(|context| std::ptr::eq(context, round))
        };
        let is_made_anew = self.module(scope.module).bindings_of(scope.id, name).any(in_round);
        let is_unwound = facts.scope_events(scope.id).any(|(id, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let Expr::Attribute(base, method) = facts.expr(facts.call(call).callee) else { return false };
            facts.expr(base) == Expr::Name(name)
                && in_round(id)
                && registry.removed_by.iter().any(|by| by.as_str().strip_prefix('.') == Some(method.as_str()))
        });
        if scope.module != site.event.module || is_made_anew || is_unwound || self.is_parameter(scope, name) {
            return None;
        }
        Some(self.registration_at(site, registry, Cause::Call, self.repetition(site.event)))
    }

    /// Whether the stack is unwound or replaced by anything but the end of what holds it.
    fn is_unwound(&self, site: Site, registry: &Registry, place: Place) -> bool {
        let mut modules = vec![site.event.module];
        if let Place::Instance(class, _) | Place::Class(class, _) = place {
            modules.extend(self.mro(class).iter().chain(self.subclasses(class)).map(|class| class.module));
        }
        modules.sort_unstable();
        modules.dedup();
        modules.into_iter().any(|module| {
            let facts = self.facts(module);
            let holds = |scope: ScopeRef, id| self.reach(scope.expr(id)).is_some_and(|reach| reach.place == place);
            let by_event = facts.events.iter().enumerate().any(|(number, event)| {
                let scope = ScopeRef::new(module, facts.scope_of(event));
                let unwinds = match event.kind {
                    EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                        Expr::Attribute(base, method) => {
                            registry.removed_by.iter().any(|by| by.as_str().strip_prefix('.') == Some(method.as_str()))
                                && holds(scope, base)
                        }
                        _ => false,
                    },
                    EventKind::Bind { target, .. } => {
                        matches!(facts.expr(target), Expr::Attribute(..) | Expr::Name(_)) && holds(scope, target)
                    }
                    _ => false,
                };
                unwinds && self.ends_often(EventRef::new(module, EventId(number as u32)))
            });
            by_event
                || facts.contexts.iter().any(|context| match context.kind {
                    ContextKind::With { manager, .. } => holds(ScopeRef::new(module, context.scope), manager),
                    _ => false,
                })
        })
    }

    /// Not only when the object begins or ends.
    fn ends_often(&self, event: EventRef) -> bool {
        self.event_function(event).is_some_and(|function| {
            let name = self.function(function).name;
            !is_begin_or_end(name.as_str()) && !vocabulary::is_setup_name(name.as_str())
        })
    }
}

/// Methods that run again and again on one object, by the verbs in use everywhere.
fn is_for_each_request(name: &str) -> bool {
    let first = name.trim_start_matches('_').split('_').next().unwrap_or(name);
    vocabulary::is_event_name(name)
        || matches!(
            first,
            "send"
                | "request"
                | "call"
                | "execute"
                | "query"
                | "fetch"
                | "get"
                | "post"
                | "read"
                | "write"
                | "do"
                | "next"
        )
}

fn is_begin_or_end(name: &str) -> bool {
    if matches!(name, "__init__" | "__enter__" | "__aenter__" | "__exit__" | "__aexit__" | "__del__" | "__post_init__")
    {
        return true;
    }
    let first = name.trim_start_matches('_').split('_').next().unwrap_or(name);
    matches!(
        first,
        "close"
            | "aclose"
            | "stop"
            | "shutdown"
            | "disconnect"
            | "dispose"
            | "cleanup"
            | "clean"
            | "terminate"
            | "exit"
            | "teardown"
            | "finish"
            | "end"
            | "quit"
            | "start"
            | "open"
            | "connect"
            | "startup"
            | "begin"
    )
}
