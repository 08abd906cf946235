//! Variables that still hold an exception, traceback or frame when their function ends.
//!
//! Python takes the name of `except … as name` away at the end of the handler, because it would be a cycle: exception →
//! traceback → frame → variable → exception. Any other variable of the function that is given the same object makes that
//! cycle, unless every way out passes a `del` or another binding.

use rustc_hash::FxHashSet;

use super::Thrown;
use crate::facts::flow::{Edge, Flow, NodeId, Step};
use crate::facts::{
    Constant, ContextId, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, Operator, ScopeKind,
};
use crate::program::{EventRef, FunctionRef, ModuleId, Program};
use crate::source::Name;

/// More ways than this are not followed.
const MOST_NODES: usize = 4000;

#[derive(Clone, Debug)]
pub struct OutlivingLocal {
    pub function: FunctionRef,
    pub variable: Name,
    pub thrown: Thrown,
    /// Where the variable is given it.
    pub bound: EventRef,
    /// Where the function is left with it: `None` at its end.
    pub left: Option<EventRef>,
    /// Other variables of the function that are left so as well.
    pub others: Vec<(Name, EventRef)>,
}

impl OutlivingLocal {
    fn add(&mut self, variable: Name, bound: EventRef) {
        if self.variable != variable && self.others.iter().all(|(known, _)| *known != variable) {
            self.others.push((variable, bound));
        }
    }
}

impl Program<'_> {
    /// The variables, one for each function of a module, that outlive their function in a cycle with its frame.
    pub fn outliving_locals(&self, module: ModuleId) -> Vec<OutlivingLocal> {
        let facts = self.facts(module);
        let with_frames = self.scopes_with_frames(module);
        let mut found: Vec<OutlivingLocal> = Vec::new();
        for (id, event) in with_frames.iter().flat_map(|scope| facts.scope_events(*scope)) {
            let EventKind::Bind { target, .. } = event.kind else { continue };
            let Expr::Name(variable) = facts.expr(target) else { continue };
            let bound = EventRef::new(module, id);
            let Some(local) = self.outliving_local(bound, variable) else { continue };
            match found.iter_mut().find(|known| known.function == local.function) {
                Some(known) => known.add(local.variable, local.bound),
                None => found.push(local),
            }
        }
        found
    }

    fn outliving_local(&self, bound: EventRef, variable: Name) -> Option<OutlivingLocal> {
        let facts = self.facts(bound.module);
        let EventKind::Bind { value, .. } = facts.event(bound.id).kind else { return None };
        if matches!(facts.expr(value), Expr::Constant(_) | Expr::Lambda(_) | Expr::Format(_)) {
            return None;
        }
        let scope = self.event_scope(bound);
        let ScopeKind::Function(function) = facts.scope(scope.id).kind else { return None };
        let function = FunctionRef::new(bound.module, function);
        if self.holding_scope(scope, variable) != Some(scope) || goes_with_its_handler(facts, bound.id, variable) {
            return None;
        }
        let thrown = self.thrown(scope.expr(value), bound).filter(|thrown| thrown.passed_here())?;
        let is_stripped = is_called_type(variable)
            || self.strips_traceback(function, variable)
            || matches!(thrown, Thrown::Caught(caught) if self.is_stripped_where_caught(function, caught));
        if is_stripped {
            return None;
        }
        let left = self.way_out(function, bound, variable)?;
        Some(OutlivingLocal { function, variable, thrown, bound, left, others: Vec::new() })
    }

    fn is_stripped_where_caught(&self, function: FunctionRef, caught: EventRef) -> bool {
        let facts = self.facts(caught.module);
        match facts.event(caught.id).kind {
            EventKind::BindException { target, .. } => {
                matches!(facts.expr(target), Expr::Name(name) if self.strips_traceback(function, name))
            }
            _ => false,
        }
    }

    /// A way from the binding out of the function on which the variable keeps its value: where it leaves, if a statement
    /// says so.
    fn way_out(&self, function: FunctionRef, bound: EventRef, variable: Name) -> Option<Option<EventRef>> {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let flow = Flow::of(facts, scope.id, &|call| self.ends_process(scope, call));
        let mut seen: FxHashSet<NodeId> = FxHashSet::default();
        let mut waiting: Vec<(NodeId, Option<EventId>)> = flow.nodes_of(bound.id).map(|node| (node, None)).collect();
        let starts: Vec<NodeId> = waiting.iter().map(|(node, _)| *node).collect();
        while let Some((node, last)) = waiting.pop() {
            if !seen.insert(node) || seen.len() > MOST_NODES {
                continue;
            }
            let mut last = last;
            match flow.step(node) {
                Step::Event(_) if starts.contains(&node) => {}
                Step::Event(event) => {
                    if self.unbinds(function, event, variable) {
                        continue;
                    }
                    if matches!(facts.event(event).kind, EventKind::Return(_) | EventKind::Raise { .. }) {
                        last = Some(event);
                    }
                }
                Step::Assume { test, holds } if is_set(facts, test, variable).is_some_and(|set| set != holds) => {
                    continue;
                }
                Step::Exhausted(looped) if is_left_at_last(facts, &flow, looped) => continue,
                Step::Returned | Step::Raised => {
                    return Some(last.map(|event| EventRef::new(function.module, event)));
                }
                _ => {}
            }
            waiting.extend(
                flow.next(node).iter().filter(|(_, _, edge)| *edge == Edge::Plain).map(|(_, next, _)| (*next, last)),
            );
        }
        None
    }

    fn unbinds(&self, function: FunctionRef, event: EventId, variable: Name) -> bool {
        let facts = self.facts(function.module);
        let target = match facts.event(event).kind {
            EventKind::Bind { target, .. }
            | EventKind::BindElement { target, .. }
            | EventKind::BindManager { target, .. }
            | EventKind::BindException { target, .. }
            | EventKind::BindPattern { target, .. }
            | EventKind::Delete { target } => target,
            // `frame.clear()`, `stack.clear()`
            EventKind::Call(call) => {
                return matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
                    if method.as_str() == "clear" && facts.expr(base) == Expr::Name(variable));
            }
            _ => return false,
        };
        match facts.expr(target) {
            Expr::Name(name) => name == variable,
            // `del errors[:]`
            Expr::Subscript(base, key) => {
                facts.expr(base) == Expr::Name(variable)
                    && matches!(facts.event(event).kind, EventKind::Delete { .. })
                    && matches!(facts.expr(key), Expr::Slice(_))
            }
            _ => false,
        }
    }
}

/// `except Refused as error: error = Reported(error)`: whatever the handler's own name holds at its end goes with it.
fn goes_with_its_handler(facts: &FileFacts, bound: EventId, variable: Name) -> bool {
    let scope = facts.scope_of(facts.event(bound));
    facts.context_ids_outwards(facts.event(bound).context).any(|around| {
        matches!(facts.context(around).kind, ContextKind::Except(_))
            && facts.scope_events(scope).any(|(_, event)| {
                matches!(event.kind, EventKind::BindException { target, .. }
                    if event.context == around && facts.expr(target) == Expr::Name(variable))
            })
    })
}

/// How a test comes out while a variable holds an exception or frame, which is never `None` nor empty.
fn is_set(facts: &FileFacts, test: ExprId, variable: Name) -> Option<bool> {
    let is_variable = |id: ExprId| facts.expr(id) == Expr::Name(variable);
    match facts.expr(test) {
        Expr::Name(name) => (name == variable).then_some(true),
        Expr::Not(inner) => is_set(facts, inner, variable).map(|set| !set),
        Expr::Binary(operator, left, right)
            if is_variable(left) && facts.expr(right) == Expr::Constant(Constant::None) =>
        {
            match operator {
                Operator::Is | Operator::Eq => Some(false),
                Operator::IsNot | Operator::NotEq => Some(true),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A loop that asks for the last of its items (`if item is items[-1]`) is left there, and not by running out of them.
fn is_left_at_last(facts: &FileFacts, flow: &Flow, looped: ContextId) -> bool {
    let ContextKind::For { iterable } = facts.context(looped).kind else { return false };
    flow.steps.iter().any(|step| {
        let Step::Assume { test, .. } = *step else { return false };
        let Expr::Binary(Operator::Is | Operator::Eq, _, last) = facts.expr(test) else { return false };
        let Expr::Subscript(items, place) = facts.expr(last) else { return false };
        facts.expr(place) == Expr::Constant(Constant::Int(-1)) && facts.expr(items) == facts.expr(iterable)
    })
}

/// The first part of `sys.exc_info()` by its usual names.
fn is_called_type(variable: Name) -> bool {
    let word = variable.as_str().to_ascii_lowercase();
    ["type", "cls", "class", "kind"].iter().any(|part| word.contains(part))
        || matches!(word.as_str(), "_" | "et" | "t" | "ty")
}
