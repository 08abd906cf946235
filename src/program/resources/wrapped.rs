//! What looks like something to be released and has nothing of its own: a file in memory, an object around a resource
//! that is followed anyway; and what is made of a resource and keeps it.

use super::super::{EventRef, ExprRef, Program, ScopeRef};
use super::{Acquisition, Source};
use crate::facts::{Call, Constant, EventKind, Expr, ExprId};
use crate::models::Resource;
use crate::source::Name;

/// Methods of resources whose results keep the resource they came from: who has the cursor has the connection.
const KEEPERS: [&str; 13] = [
    "cursor",
    "socket",
    "makefile",
    "extractfile",
    "iter_content",
    "iter_lines",
    "iter_bytes",
    "stream",
    "channel",
    "invoke_shell",
    "open_sftp",
    "get_transport",
    "get_channel",
];

/// Through how many calls a file is followed back to where it was opened.
const CALLS: u32 = 2;

impl Program<'_> {
    /// Whether a call is given a file that is in memory: to close what is made of it releases nothing.
    pub(super) fn is_in_memory(&self, scope: ScopeRef, call: &Call) -> bool {
        self.facts(scope.module).all_arguments(call).any(|given| self.is_memory_file(scope.expr(given)))
    }

    fn is_memory_file(&self, value: ExprRef) -> bool {
        let facts = self.facts(value.scope.module);
        match facts.expr(value.id) {
            Expr::Call(call) => {
                let path = self.external_path(value.scope.expr(facts.call(call).callee));
                path.is_some_and(|path| {
                    matches!(path.as_str(), "io.BytesIO" | "io.StringIO" | "StringIO.StringIO" | "cStringIO.StringIO")
                })
            }
            Expr::Name(name) => self.holding_scope(value.scope, name).is_some_and(|holder| {
                let facts = self.facts(holder.module);
                let bound = self.module(holder.module).bindings_of(holder.id, name);
                let mut values = bound.filter_map(|event| match facts.event(event).kind {
                    EventKind::Bind { value, .. } | EventKind::BindManager { manager: value, .. } => {
                        Some(self.event_scope(EventRef::new(holder.module, event)).expr(value))
                    }
                    _ => None,
                });
                let is_made = |value: ExprRef| matches!(self.expr(value), Expr::Call(_)) && self.is_memory_file(value);
                values.next().is_some_and(is_made) && values.all(is_made)
            }),
            _ => false,
        }
    }

    /// Whether a call is given an open file where an address would do: `tarfile.open(fileobj=stream)`.
    pub(super) fn is_around_file(&self, scope: ScopeRef, call: &Call, resource: &Resource) -> bool {
        let facts = self.facts(scope.module);
        let by_keyword = facts.keyword_arguments(call).iter().any(|(name, value)| {
            name.is_some() && *name == resource.file_keyword && facts.expr(*value) != Expr::Constant(Constant::None)
        });
        let by_place = resource.file_argument.and_then(|place| facts.arguments(call).get(place as usize).copied());
        by_keyword || by_place.is_some_and(|given| self.is_open_file(scope.expr(given), CALLS))
    }

    /// What a `with` or a library gave as something to be released, what is used as a file in the same function, or a
    /// parameter that is given such in some call.
    fn is_open_file(&self, value: ExprRef, calls: u32) -> bool {
        let facts = self.facts(value.scope.module);
        match facts.expr(value.id) {
            Expr::Call(call) => self.acquiring_path(value.scope.expr(facts.call(call).callee)).is_some(),
            Expr::Name(name) => {
                let is_bound_so = self.holding_scope(value.scope, name).is_some_and(|holder| {
                    let facts = self.facts(holder.module);
                    self.module(holder.module).bindings_of(holder.id, name).any(|event| match facts.event(event).kind {
                        EventKind::BindManager { .. } => true,
                        EventKind::Bind { value, .. } => {
                            matches!(facts.expr(value), Expr::Call(_)) && self.is_open_file(holder.expr(value), calls)
                        }
                        _ => false,
                    })
                });
                is_bound_so
                    || self.is_used_as_file(value.scope, value.id)
                    || calls > 0 && self.is_given_open_file(value.scope, name, calls - 1)
            }
            Expr::Attribute(_, name) => {
                matches!(name.as_str(), "raw" | "file" | "fp" | "fileobj" | "stream" | "buffer")
            }
            _ => false,
        }
    }

    fn is_given_open_file(&self, scope: ScopeRef, name: Name, calls: u32) -> bool {
        let Some(function) = self.enclosing_function(scope).filter(|_| self.is_parameter(scope, name)) else {
            return false;
        };
        let sites = self.callers(function);
        sites.iter().filter(|site| site.is_certain).any(|site| {
            let given = self.argument_for(*site, function, name);
            given.is_some_and(|given| self.is_open_file(given, calls))
        })
    }

    fn is_used_as_file(&self, scope: ScopeRef, variable: ExprId) -> bool {
        let facts = self.facts(scope.module);
        facts.scope_events(scope.id).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method) if base == variable
                && matches!(method.as_str(), "read" | "seek" | "tell" | "write" | "readline" | "fileno" | "getvalue"))
        })
    }

    /// Whether an object of the project is made around what the same function acquires: `Stream(reading_end)`.
    pub(super) fn wraps_another(&self, acquisition: &Acquisition) -> bool {
        let Source::Class(_) = acquisition.source else { return false };
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let beside = self.acquisitions(acquisition.event.module).iter();
        let others: Vec<ExprId> = beside
            .filter(|other| other.function == acquisition.function && other.call != acquisition.call)
            .filter_map(|other| facts.id_of(Expr::Call(other.call)))
            .collect();
        let is_acquired = |value: ExprId| match facts.expr(value) {
            Expr::Element(whole) => others.contains(&whole),
            _ => others.contains(&value),
        };
        facts.all_arguments(facts.call(acquisition.call)).any(|given| {
            facts.scope_events(scope.id).any(|(_, event)| {
                matches!(event.kind, EventKind::Bind { target, value } if target == given && is_acquired(value))
            })
        })
    }

    /// Whether a function hands on what it made of a resource, and the resource with it: `return connection.cursor()`.
    pub(super) fn hands_on_a_keeper(
        &self,
        acquisition: &Acquisition,
        resource: &Resource,
        is_held: &dyn Fn(ExprId) -> bool,
    ) -> bool {
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let is_keeper = |value: ExprId| match facts.expr(value) {
            Expr::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, name)
                if is_held(base) && KEEPERS.contains(&name.as_str())),
            _ => false,
        };
        let bound = facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if is_keeper(value) && matches!(facts.expr(target), Expr::Name(_)) => {
                Some(target)
            }
            _ => None,
        });
        let names: Vec<ExprId> = bound.collect();
        let is_kept = |value: ExprId| {
            let mut found = false;
            super::parts_of(self, scope.expr(value), false, &mut |part| {
                found |= is_keeper(part) || names.contains(&part);
            });
            found
        };
        facts.scope_events(scope.id).any(|(id, event)| match event.kind {
            EventKind::Return(value) | EventKind::Yield(value) => is_kept(value),
            EventKind::Bind { target, value } => !matches!(facts.expr(target), Expr::Name(_)) && is_kept(value),
            EventKind::Call(_) => {
                let event = EventRef::new(acquisition.event.module, id);
                !names.is_empty()
                    && self.use_of(event, resource, &|id| names.contains(&id)) == super::uses::Use::HandedOn
            }
            _ => false,
        })
    }
}
