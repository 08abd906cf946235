//! What a module keeps in a variable of its own and gives up without a release.
//!
//! A global that nothing releases lives as long as the process, and that is mostly meant. Where a function sets it to
//! `None`, though, its end has come, and what it held must have been released.

use super::super::{EventRef, FunctionRef, ModuleId, Program, ScopeRef};
use super::Acquisition;
use super::uses::Use;
use crate::facts::{Call, Constant, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, MODULE_SCOPE};
use crate::models::Resource;
use crate::source::Name;

/// A variable of a module that is given up with what it holds.
#[derive(Clone, Debug)]
pub struct AbandonedGlobal {
    pub variable: Name,
    pub acquisition: Acquisition,
    /// Where it is set to `None`.
    pub given_up: EventRef,
    pub by: FunctionRef,
}

impl Program<'_> {
    /// The variables of a module that functions set to `None` though nothing releases what they hold.
    pub fn abandoned_globals(&self, module: ModuleId) -> Vec<AbandonedGlobal> {
        let facts = self.facts(module);
        let mut found: Vec<AbandonedGlobal> = Vec::new();
        for acquisition in self.acquisitions(module).iter().copied() {
            let Some(resource) = self.resource_of(&acquisition).filter(|resource| !resource.of_receiver) else {
                continue;
            };
            let Some(variable) = self.global_bound_to(&acquisition, resource) else { continue };
            if found.iter().any(|known| known.variable == variable) {
                continue;
            }
            let given_up = facts.events.iter().zip(0..).find_map(|(event, id)| {
                let EventKind::Bind { target, value } = event.kind else { return None };
                let is_end =
                    facts.expr(target) == Expr::Name(variable) && facts.expr(value) == Expr::Constant(Constant::None);
                let event = EventRef::new(module, EventId(id));
                let by = is_end.then(|| self.event_function(event)).flatten()?;
                self.is_variable_of_module(self.event_scope(event), variable).then_some((event, by))
            });
            let Some((given_up, by)) = given_up else { continue };
            if !self.is_global_released(module, variable, resource) {
                found.push(AbandonedGlobal { variable, acquisition, given_up, by });
            }
        }
        found
    }

    fn is_variable_of_module(&self, scope: ScopeRef, name: Name) -> bool {
        self.holding_scope(scope, name).is_some_and(|holder| holder.id == MODULE_SCOPE)
    }

    /// The module's variable that an acquisition is bound to at once.
    fn global_bound_to(&self, acquisition: &Acquisition, resource: &Resource) -> Option<Name> {
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        if !acquisition.elements(resource).is_empty() {
            return None;
        }
        facts.scope_events(scope.id).find_map(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if self.is_result(scope.expr(value), acquisition.call) => {
                let Expr::Name(name) = facts.expr(target) else { return None };
                self.is_variable_of_module(scope, name).then_some(name)
            }
            _ => None,
        })
    }

    /// Whether anything in the program releases what a module's variable holds, or does with it what might.
    fn is_global_released(&self, module: ModuleId, variable: Name, resource: &Resource) -> bool {
        let facts = self.facts(module);
        let is_held = |id: ExprId| facts.expr(id) == Expr::Name(variable);
        let is_taken_back = facts.calls.iter().any(|call| is_call_with(facts, call, "removeHandler", &is_held));
        let inside = facts.events.iter().zip(0..).any(|(event, id)| {
            let event_ref = EventRef::new(module, EventId(id));
            match event.kind {
                // What a logger is given and what is taken from it again is nobody's.
                EventKind::Call(call)
                    if is_taken_back && is_call_with(facts, facts.call(call), "addHandler", &is_held) =>
                {
                    false
                }
                EventKind::Return(value) if is_held(value) => {
                    let function = self.event_function(event_ref);
                    function.is_none_or(|function| self.is_released_by_callers(function, resource))
                }
                EventKind::Bind { value, .. } if is_held(value) => true,
                _ => self.use_of(event_ref, resource, &is_held) != Use::Nothing,
            }
        });
        let is_managed = || {
            facts
                .contexts
                .iter()
                .any(|context| matches!(context.kind, ContextKind::With { manager, .. } if is_held(manager)))
        };
        inside || is_managed() || self.is_mentioned_elsewhere(module, variable)
    }

    /// Whether who calls a function that gives the resource does more with it than to look at it.
    fn is_released_by_callers(&self, function: FunctionRef, resource: &Resource) -> bool {
        self.callers(function).iter().any(|site| {
            let facts = self.facts(site.module);
            let scope = self.event_scope(site.event);
            let is_held = |id: ExprId| self.is_result(scope.expr(id), site.call);
            facts.scope_events(scope.id).any(|(id, event)| match event.kind {
                EventKind::Bind { value, .. } => is_held(value),
                _ => self.use_of(EventRef::new(site.module, id), resource, &is_held) != Use::Nothing,
            })
        })
    }

    /// Whether another module takes a variable of this name from somewhere.
    fn is_mentioned_elsewhere(&self, module: ModuleId, variable: Name) -> bool {
        self.module_ids().filter(|other| *other != module).any(|other| {
            let facts = self.facts(other);
            facts.imports.iter().any(|import| import.name == Some(variable))
                || facts.exprs.iter().any(|expr| matches!(expr, Expr::Attribute(_, name) if *name == variable))
        })
    }
}

fn is_call_with(facts: &FileFacts, call: &Call, method: &str, is_argument: &dyn Fn(ExprId) -> bool) -> bool {
    matches!(facts.expr(call.callee), Expr::Attribute(_, name) if name.as_str() == method)
        && facts.all_arguments(call).any(is_argument)
}
