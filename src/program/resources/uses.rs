//! What an event does to a resource that some names hold.

use super::super::names::Definition;
use super::super::{EventRef, ExprRef, FunctionRef, Program, ScopeRef, vocabulary};
use super::parts_of;
use crate::facts::{CallId, ContextKind, EventKind, Expr, ExprId, NOTHING, ParameterKind};
use crate::models::Resource;
use crate::source::Name;

/// How deep calls of project functions are followed.
const DEPTH: u32 = 3;

/// What an event does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Nothing,
    Released,
    /// Returned, stored, or passed to what may keep it.
    HandedOn,
}

/// Attributes that tell about a resource and are not it.
const DESCRIPTIONS: [&str; 12] = [
    "name",
    "mode",
    "closed",
    "returncode",
    "args",
    "encoding",
    "stdout",
    "stderr",
    "stdin",
    "_max_workers",
    "size",
    "family",
];

/// Whether a method of a resource releases it, by the model or by what methods of that name do.
pub(super) fn is_releasing_method(resource: &Resource, method: Name) -> bool {
    let text = method.as_str();
    resource.released_by.iter().any(|release| release.as_str().strip_prefix('.') == Some(text))
        || vocabulary::is_ending_name(text)
        || matches!(text, "release" | "detach" | "cleanup" | "__enter__" | "__aenter__" | "disconnect" | "unlink")
}

impl Program<'_> {
    /// What an event does to a resource held by names of the function around it.
    pub(super) fn use_of(&self, event: EventRef, resource: &Resource, holds: &dyn Fn(Name) -> bool) -> Use {
        let facts = self.facts(event.module);
        let scope = self.event_scope(event);
        let is_held = |id: ExprId| matches!(facts.expr(id), Expr::Name(name) if holds(name));
        match facts.event(event.id).kind {
            EventKind::Call(call) => self.use_by_call(scope, call, resource, &is_held, DEPTH),
            EventKind::Return(value) | EventKind::Yield(value) | EventKind::Await(value) => {
                self.handed_on_if(self.carries(scope.expr(value), resource, &is_held))
            }
            // `environment["READY"] = str(descriptor)`: a number is handed on as text, too.
            EventKind::Bind { target, value } if !matches!(facts.expr(target), Expr::Name(_)) => {
                self.handed_on_if(self.has_part(scope.expr(value), true, &is_held))
            }
            EventKind::Bind { target, value } => {
                let Expr::Name(target) = facts.expr(target) else { return Use::Nothing };
                // Another plain name is an alias, which whoever asks follows.
                let is_alias = is_held(value) || (resource.is_path && !matches!(facts.expr(value), Expr::Display(..)));
                let is_local = self.holding_scope(scope, target) == Some(scope);
                self.handed_on_if(!(is_alias && is_local) && self.carries(scope.expr(value), resource, &is_held))
            }
            EventKind::Augment { value, .. } | EventKind::BindElement { iterable: value, .. } => {
                self.handed_on_if(self.carries(scope.expr(value), resource, &is_held))
            }
            EventKind::Raise { exception, .. } => {
                self.handed_on_if(self.carries(scope.expr(exception), resource, &is_held))
            }
            EventKind::Define(function) => {
                let defaults = facts.parameters(facts.function(function)).iter().map(|parameter| parameter.default);
                self.handed_on_if(defaults.filter(|id| *id != NOTHING).any(is_held))
            }
            _ => Use::Nothing,
        }
    }

    fn handed_on_if(&self, is_handed_on: bool) -> Use {
        if is_handed_on { Use::HandedOn } else { Use::Nothing }
    }

    /// Whether a value is the resource, or has it as a part.
    pub(super) fn carries(&self, value: ExprRef, resource: &Resource, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        self.has_part(value, resource.is_path, is_held)
    }

    fn has_part(&self, value: ExprRef, with_text: bool, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(value.scope.module);
        let mut found = false;
        parts_of(self, value, with_text, &mut |part| {
            // A bound method or a part of a compound resource keeps it, or stands for it.
            let is_member = matches!(facts.expr(part), Expr::Attribute(base, name)
                if is_held(base) && !DESCRIPTIONS.contains(&name.as_str()));
            found |= is_held(part) || is_member;
        });
        found
    }

    pub(super) fn use_by_call(
        &self,
        scope: ScopeRef,
        call: CallId,
        resource: &Resource,
        is_held: &dyn Fn(ExprId) -> bool,
        depth: u32,
    ) -> Use {
        let facts = self.facts(scope.module);
        let called = facts.call(call);
        if let Expr::Attribute(base, method) = facts.expr(called.callee) {
            if is_held(base) && is_releasing_method(resource, method) {
                return Use::Released;
            }
            // `proc.stdout.close()`, `server.socket.close()`
            if let Expr::Attribute(inner, _) = facts.expr(base)
                && is_held(inner)
                && is_releasing_method(resource, method)
            {
                return Use::Released;
            }
        }
        let passed: Vec<ExprId> = facts
            .all_arguments(called)
            .filter(|argument| self.carries(scope.expr(*argument), resource, is_held))
            .collect();
        if passed.is_empty() {
            return Use::Nothing;
        }
        let callee = scope.expr(called.callee);
        match self.resolve(callee) {
            Definition::External(path) => return self.use_by_library(path, resource),
            Definition::Class(_) => return Use::HandedOn,
            _ => {}
        }
        if let Expr::Attribute(_, method) = self.expr(callee)
            && resource.lent_to.iter().any(|lent| lent.as_str().strip_prefix('.') == Some(method.as_str()))
        {
            return Use::Nothing;
        }
        if let Some(path) = self.method_path(callee)
            && self.use_by_library(path, resource) == Use::Nothing
        {
            return Use::Nothing;
        }
        let Some(function) = self.callee(scope, call) else { return Use::HandedOn };
        let event = EventRef::new(scope.module, called.event);
        let Some(site) = self.call_site(event) else { return Use::HandedOn };
        let is_lent = passed.iter().all(|argument| {
            is_held(*argument)
                && (self.parameter_for(site, function, scope.expr(*argument)))
                    .is_some_and(|parameter| self.lends(function, parameter, resource, depth))
        });
        if is_lent { Use::Nothing } else { Use::HandedOn }
    }

    fn use_by_library(&self, path: Name, resource: &Resource) -> Use {
        let text = path.as_str();
        if resource.released_by.contains(&path) {
            return Use::Released;
        }
        let is_lent = resource.lent_to.iter().any(|lent| match lent.as_str().strip_suffix('.') {
            Some(module) => text.strip_prefix(module).is_some_and(|rest| rest.starts_with('.')),
            None => *lent == path,
        });
        if is_lent || self.models.borrows(path).is_some_and(|borrows| !borrows.copies) {
            return Use::Nothing;
        }
        Use::HandedOn
    }

    /// Whether a function only uses what it gets for a parameter: it neither keeps nor releases it.
    fn lends(&self, function: FunctionRef, parameter: Name, resource: &Resource, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(function.module);
        let declared = facts.function(function.id);
        let is_plain = facts.parameters(declared).iter().any(|declared| {
            declared.name == parameter && !matches!(declared.kind, ParameterKind::Rest | ParameterKind::Keywords)
        });
        // A generator keeps it until it is done with; an override may do what it likes.
        if !is_plain || declared.is_generator || self.is_overridden(function) {
            return false;
        }
        let scope = self.function_scope(function);
        if self.is_captured(function, parameter) {
            return false;
        }
        let is_held = |id: ExprId| matches!(facts.expr(id), Expr::Name(name) if name == parameter);
        let is_used_only = facts.scope_events(scope.id).all(|(id, event)| match event.kind {
            EventKind::Call(call) => {
                self.use_by_call(self.event_scope(EventRef::new(function.module, id)), call, resource, &is_held, depth)
                    == Use::Nothing
            }
            EventKind::Bind { value, .. } => !self.carries(scope.expr(value), resource, &is_held),
            _ => self.use_of(EventRef::new(function.module, id), resource, &|name| name == parameter) == Use::Nothing,
        });
        is_used_only
            && !facts.contexts.iter().any(|context| {
                context.scope == scope.id
                    && matches!(context.kind, ContextKind::With { manager, .. } if is_held(manager))
            })
    }

    fn is_overridden(&self, function: FunctionRef) -> bool {
        let Some(class) = self.class_of_method(function) else { return false };
        let name = self.function(function).name;
        self.subclasses(class).iter().any(|subclass| self.method(*subclass, name) != Some(function))
    }

    /// Whether a nested function or lambda keeps a variable of this function.
    pub(super) fn is_captured(&self, function: FunctionRef, name: Name) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let span = facts.function(function.id).span;
        self.functions_of(function.module)
            .filter(|nested| *nested != function && span.contains(facts.function(nested.id).span))
            .any(|nested| self.captures(nested).contains(&(scope, name)))
    }
}
