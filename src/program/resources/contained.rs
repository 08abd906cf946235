//! What is in a list, table or tuple that is lost itself: of descriptors, only numbers are left.
//!
//! Followed only where the function shows all that becomes of the container: it is filled, run through and asked for
//! items, and whatever else is done with it is presumed to keep it.

use super::super::{EventRef, Program, ScopeRef};
use super::Acquisition;
use super::firsts::Binding;
use super::uses::Use;
use crate::facts::{CallId, ComprehensionKind, Constant, DisplayKind, EventKind, Expr, ExprId, FileFacts};
use crate::models::{Lost, Resource};
use crate::source::Name;

impl Program<'_> {
    /// The local container that a function puts a resource into and loses with what is in it.
    pub(super) fn lost_with_container(&self, acquisition: &Acquisition, resource: &Resource) -> Option<Binding> {
        // What the last reference ends as a release does needs nobody to run through the container.
        let goes_well = resource.lost != Lost::Stays
            && (!resource.is_costly || resource.ends_itself || resource.closes_itself || resource.is_lazy);
        if goes_well || resource.is_path || resource.of_receiver || resource.is_lent {
            return None;
        }
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let binding = self.container_of(acquisition, resource)?;
        let Expr::Name(name) = facts.expr(binding.place) else { return None };
        let is_only = self.module(scope.module).bindings_of(scope.id, name).count() == 1;
        if !is_only || !self.is_own_local(scope, name) || self.is_captured(acquisition.function, name) {
            return None;
        }
        let places = acquisition.elements(resource);
        let is_lost = match places {
            [] => !self.may_go_on(scope, binding.place, None, resource),
            _ => places.iter().any(|place| !self.may_go_on(scope, binding.place, Some(*place), resource)),
        };
        is_lost.then_some(binding)
    }

    /// The name of the tuple that is given, or of the list or table that an acquisition's result becomes an item of.
    fn container_of(&self, acquisition: &Acquisition, resource: &Resource) -> Option<Binding> {
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let is_result = |id: ExprId| self.is_result(scope.expr(id), acquisition.call);
        let binding_of = |is_wanted: &dyn Fn(ExprId, ExprId) -> bool| {
            facts.scope_events(scope.id).find_map(|(event, kind)| match kind.kind {
                EventKind::Bind { target, value } if is_wanted(target, value) => {
                    matches!(facts.expr(target), Expr::Name(_)).then_some(Binding { event, place: target })
                }
                _ => None,
            })
        };
        if !acquisition.elements(resource).is_empty() {
            return binding_of(&|_, value| is_result(value));
        }
        let filled = facts.scope_events(scope.id).find_map(|(_, event)| match event.kind {
            EventKind::Call(call) if facts.all_arguments(facts.call(call)).any(is_result) => appended_to(facts, call),
            _ => None,
        });
        if let Some(list) = filled {
            return binding_of(&|target, value| target == list && is_empty_list(facts, value));
        }
        // `children[name] = Popen(command)`
        let filled = facts.scope_events(scope.id).find_map(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if is_result(value) => match facts.expr(target) {
                Expr::Subscript(whole, _) => Some(whole),
                _ => None,
            },
            _ => None,
        });
        if let Some(whole) = filled {
            return binding_of(&|target, value| target == whole && holds_only_constants(facts, value));
        }
        // `children = [Popen(command), Popen(other)]`
        let has_result = |value: ExprId| {
            matches!(facts.expr(value), Expr::Display(DisplayKind::List | DisplayKind::Tuple, run)
                if facts.list(run).iter().any(|item| is_result(*item)))
        };
        let shown = binding_of(&|_, value| has_result(value));
        if shown.is_some() {
            return shown;
        }
        // `[os.open(path, os.O_RDONLY) for path in paths]`
        let inner = self.event_scope(acquisition.event);
        let is_element = facts
            .scope_events(inner.id)
            .any(|(_, event)| matches!(event.kind, EventKind::Yield(value) if is_result(value)));
        let is_made = |value: ExprId| matches!(facts.expr(value), Expr::Comprehension(ComprehensionKind::List, made) if made == inner.id);
        (inner != scope && is_element).then(|| binding_of(&|_, value| is_made(value)))?
    }

    /// Whether anything is done with what is in a container that may release it or keep it; of a tuple, with the item in
    /// one place.
    fn may_go_on(&self, scope: ScopeRef, container: ExprId, place: Option<u32>, resource: &Resource) -> bool {
        let facts = self.facts(scope.module);
        let is_item = |id: ExprId| match facts.expr(id) {
            Expr::Element(whole) => whole == container,
            Expr::Subscript(whole, index) if whole == container => match (facts.expr(index), place) {
                (Expr::Constant(Constant::Int(index)), Some(place)) => i64::from(index) == i64::from(place),
                _ => true,
            },
            _ => false,
        };
        let named: Vec<ExprId> = (facts.scope_events(scope.id))
            .filter_map(|(_, event)| match event.kind {
                EventKind::Bind { target, value } if is_item(value) => Some(target),
                EventKind::BindElement { target, iterable } if iterable == container => Some(target),
                _ => None,
            })
            .collect();
        if named.iter().any(|target| !matches!(facts.expr(*target), Expr::Name(_))) {
            return true;
        }
        let is_held = |id: ExprId| named.contains(&id) || is_item(id);
        let is_kept = |value: ExprId| self.carries(scope.expr(value), resource, &|id| id == container || is_held(id));
        facts.scope_events(scope.id).any(|(id, event)| {
            let event_id = EventRef::new(scope.module, id);
            match event.kind {
                EventKind::Bind { target, .. } | EventKind::BindElement { target, .. } if named.contains(&target) => {
                    false
                }
                EventKind::Call(call) => {
                    let called = facts.call(call);
                    if appended_to(facts, call) == Some(container) {
                        return false;
                    }
                    let is_method = matches!(facts.expr(called.callee), Expr::Attribute(base, _) if base == container);
                    let is_whole = facts
                        .all_arguments(called)
                        .any(|given| self.carries(scope.expr(given), resource, &|id| id == container));
                    let is_counted = matches!(facts.expr(called.callee), Expr::Name(name)
                        if matches!(name.as_str(), "len" | "bool" | "print"));
                    is_method || (is_whole && !is_counted) || self.use_of(event_id, resource, &is_held) != Use::Nothing
                }
                EventKind::BindElement { iterable, .. } => iterable != container && is_kept(iterable),
                EventKind::Delete { .. } | EventKind::Read(_) => false,
                EventKind::Bind { target, value }
                    if matches!(facts.expr(target), Expr::Subscript(whole, _) if whole == container) =>
                {
                    is_kept(value)
                }
                // What the container is bound to was looked at.
                EventKind::Bind { target, .. } if target == container => false,
                kind => kind.operands().into_iter().any(is_kept),
            }
        })
    }
}

/// The list that a call appends to.
fn appended_to(facts: &FileFacts, call: CallId) -> Option<ExprId> {
    match facts.expr(facts.call(call).callee) {
        Expr::Attribute(list, method) if method == Name::new("append") => Some(list),
        _ => None,
    }
}

/// `{}`, `[None, None]`, `dict()`
fn holds_only_constants(facts: &FileFacts, value: ExprId) -> bool {
    match facts.expr(value) {
        Expr::Display(_, run) => facts.list(run).iter().all(|item| matches!(facts.expr(*item), Expr::Constant(_))),
        Expr::Call(call) => {
            let call = facts.call(call);
            matches!(facts.expr(call.callee), Expr::Name(name) if matches!(name.as_str(), "list" | "dict"))
                && facts.all_arguments(call).next().is_none()
        }
        _ => false,
    }
}

fn is_empty_list(facts: &FileFacts, value: ExprId) -> bool {
    match facts.expr(value) {
        Expr::Display(DisplayKind::List, run) => run.len == 0,
        Expr::Call(call) => {
            let call = facts.call(call);
            matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "list")
                && facts.all_arguments(call).next().is_none()
        }
        _ => false,
    }
}
