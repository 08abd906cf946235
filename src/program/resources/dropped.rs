//! What an object takes out of a table of its resources and forgets.
//!
//! That the items are resources the class says itself: its end releases each of them. Where a handler for a time-out takes
//! one out instead, so that the next use makes another, nobody has the old one any more. Whatever might release it there
//! is presumed to do so, and so is what fails in another way: a connection that is lost has mostly closed itself.

use super::super::{ClassRef, EventRef, FunctionRef, ModuleId, Program, ScopeRef, vocabulary};
use super::owners::END_NAMES;
use crate::facts::{
    CallId, Context, ContextId, ContextKind, Event, EventKind, Expr, ExprId, FileFacts, NOTHING, Operator, ScopeId,
};
use crate::source::Name;

/// An item that a handler takes out of a container and does not release.
#[derive(Clone, Debug)]
pub struct DroppedItem {
    pub class: ClassRef,
    pub attribute: Name,
    pub by: FunctionRef,
    pub dropped: EventRef,
    /// Where the end of the object releases each of those that are left.
    pub released: EventRef,
}

/// An item of a container, by the expressions for both.
#[derive(Clone, Copy)]
struct Item {
    container: ExprId,
    item: ExprId,
}

impl Program<'_> {
    /// What handlers in a module take out of the containers of their objects and forget.
    pub fn dropped_items(&self, module: ModuleId) -> Vec<DroppedItem> {
        let facts = self.facts(module);
        // Most handlers of a module are for the same few types.
        let mut last = (NOTHING, false);
        let mut is_for_time_outs = |types: ExprId| {
            if last.0 != types {
                last = (types, is_for_time_outs(facts, types));
            }
            last.1
        };
        let is_handled =
            |context: &&Context| matches!(context.kind, ContextKind::Except(types) if is_for_time_outs(types));
        let mut scopes: Vec<ScopeId> = facts.contexts.iter().filter(is_handled).map(|context| context.scope).collect();
        scopes.dedup();
        let mut found: Vec<DroppedItem> = (scopes.into_iter())
            .flat_map(|scope| facts.scope_events(scope))
            .filter_map(|(id, event)| {
                let item = self.taken_out(module, event)?;
                self.dropped_item(EventRef::new(module, id), item)
            })
            .collect();
        found.sort_by_key(|found| found.dropped);
        found.dedup_by_key(|found| found.dropped);
        found
    }

    /// `del self._connections[key]`, or a `pop` whose result nobody takes.
    fn taken_out(&self, module: ModuleId, event: &Event) -> Option<Item> {
        let facts = self.facts(module);
        match event.kind {
            EventKind::Delete { target } => match facts.expr(target) {
                Expr::Subscript(container, _) => Some(Item { container, item: target }),
                _ => None,
            },
            EventKind::Call(call) => {
                let called = facts.call(call);
                let Expr::Attribute(container, method) = facts.expr(called.callee) else { return None };
                let key = *facts.arguments(called).first().filter(|_| method.as_str() == "pop")?;
                let is_taken = self.module(module).is_part_of_something(called.expr);
                let item = (!is_taken).then(|| facts.id_of(Expr::Subscript(container, key)))??;
                Some(Item { container, item })
            }
            _ => None,
        }
    }

    fn dropped_item(&self, dropped: EventRef, item: Item) -> Option<DroppedItem> {
        let facts = self.facts(dropped.module);
        let handler = self.handler_of_time_out(dropped, item)?;
        let by = self.event_function(dropped)?;
        let scope = self.function_scope(by);
        let Expr::Attribute(object, attribute) = facts.expr(item.container) else { return None };
        let Expr::Name(object) = facts.expr(object) else { return None };
        let class = self.receiver_named(scope, object).filter(|receiver| !receiver.is_class)?.class;
        if self.may_be_released(scope, handler, item) || !self.is_used_before(scope, handler, item) {
            return None;
        }
        let released = self.release_of_items(class, attribute)?;
        Some(DroppedItem { class, attribute, by, dropped, released })
    }

    /// The handler that an item is taken out in, under no test but whether it is there.
    fn handler_of_time_out(&self, dropped: EventRef, item: Item) -> Option<ContextId> {
        let facts = self.facts(dropped.module);
        for id in facts.context_ids_around(facts.event(dropped.id).context) {
            match facts.context(id).kind {
                ContextKind::If(test) if matches!(facts.expr(test), Expr::Binary(Operator::In, _, all) if all == item.container) =>
                    {}
                ContextKind::Except(types) => return is_for_time_outs(facts, types).then_some(id),
                _ => return None,
            }
        }
        None
    }

    /// Whether a function releases an item, or a handler does with it or with its object what may do so.
    fn may_be_released(&self, scope: ScopeRef, handler: ContextId, item: Item) -> bool {
        let facts = self.facts(scope.module);
        let is_held = held_in(facts, scope, item);
        facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            // Another is put in its place.
            EventKind::Bind { target, .. } => target == item.item,
            EventKind::Return(value) | EventKind::Yield(value) => is_held(value),
            EventKind::Call(call) => {
                let is_handling = facts.context_ids_around(event.context).any(|around| around == handler);
                self.is_release(facts, call) || is_handling && self.may_be_passed(scope, call, &is_held)
            }
            _ => false,
        })
    }

    fn is_release(&self, facts: &FileFacts, call: CallId) -> bool {
        facts.called_name(facts.call(call)).is_some_and(|name| {
            let text = name.as_str();
            vocabulary::is_ending_name(text)
                || matches!(text, "abort" | "cancel" | "disconnect" | "release" | "reset" | "detach" | "clear")
        })
    }

    /// Whether a call is given an item, or is of a method of the object that has it.
    fn may_be_passed(&self, scope: ScopeRef, call: CallId, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(scope.module);
        let called = facts.call(call);
        facts.all_arguments(called).any(is_held)
            || matches!(facts.expr(called.callee), Expr::Attribute(base, _) if is_held(base) || self.is_receiver(scope, base))
    }

    /// Whether the statement of a handler, or what stands before it, works with an item: it is there.
    fn is_used_before(&self, scope: ScopeRef, handler: ContextId, item: Item) -> bool {
        let facts = self.facts(scope.module);
        let is_held = held_in(facts, scope, item);
        let before = facts.context(handler).opened;
        facts.scope_events(scope.id).take_while(|(id, _)| *id < before).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let called = facts.call(call);
            matches!(facts.expr(called.callee), Expr::Attribute(base, _) if is_held(base))
                || facts.all_arguments(called).any(&is_held)
        })
    }

    /// Where a method that ends an object releases each item of a container.
    fn release_of_items(&self, class: ClassRef, attribute: Name) -> Option<EventRef> {
        END_NAMES.iter().filter_map(|name| self.method(class, *name)).find_map(|method| {
            let facts = self.facts(method.module);
            let scope = self.function_scope(method);
            let items: Vec<ExprId> = facts
                .scope_events(scope.id)
                .filter_map(|(_, event)| match event.kind {
                    EventKind::BindElement { target, iterable } => {
                        let Expr::Attribute(base, name) = facts.expr(run_through(facts, iterable)) else { return None };
                        (name == attribute && self.is_receiver(scope, base)).then_some(target)
                    }
                    _ => None,
                })
                .collect();
            let releases = |call: CallId| {
                let called = facts.call(call);
                match facts.expr(called.callee) {
                    Expr::Attribute(base, name) if items.contains(&base) => is_release_of_item(name),
                    // `os.close(descriptor)`
                    Expr::Attribute(_, name) | Expr::Name(name) => {
                        is_release_of_item(name) && facts.all_arguments(called).any(|given| items.contains(&given))
                    }
                    _ => false,
                }
            };
            facts.scope_events(scope.id).find_map(|(id, event)| match event.kind {
                EventKind::Call(call) if releases(call) => Some(EventRef::new(method.module, id)),
                _ => None,
            })
        })
    }
}

/// What is an item: its place in the container, and names that hold it.
fn held_in(facts: &FileFacts, scope: ScopeRef, item: Item) -> impl Fn(ExprId) -> bool {
    let names: Vec<ExprId> = facts
        .scope_events(scope.id)
        .filter_map(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if value == item.item => Some(target),
            _ => None,
        })
        .collect();
    move |id| id == item.item || names.contains(&id)
}

/// The container whose items a loop runs through: `list(self._connections.values())`.
fn run_through(facts: &FileFacts, mut iterable: ExprId) -> ExprId {
    for _ in 0..MOST_WRAPPERS {
        iterable = match facts.expr(iterable) {
            Expr::Element(inner) => inner,
            Expr::Call(call) => {
                let call = facts.call(call);
                match facts.expr(call.callee) {
                    Expr::Attribute(base, name) if matches!(name.as_str(), "values" | "items" | "copy") => base,
                    Expr::Name(name) if matches!(name.as_str(), "list" | "tuple" | "set" | "sorted") => {
                        facts.arguments(call).first().copied().unwrap_or(NOTHING)
                    }
                    _ => return iterable,
                }
            }
            _ => return iterable,
        };
    }
    iterable
}

/// How many calls and elements are looked through.
const MOST_WRAPPERS: usize = 4;

/// Processes and tasks may have ended when they are told to.
fn is_release_of_item(name: Name) -> bool {
    matches!(name.as_str(), "close" | "aclose" | "disconnect" | "shutdown" | "stop")
}

/// Whether a handler is for what goes wrong with something that is still open: a time-out, a refusal of the system.
fn is_for_time_outs(facts: &FileFacts, types: ExprId) -> bool {
    let is_time_out = |types: ExprId| match facts.expr(types) {
        Expr::Name(name) | Expr::Attribute(_, name) => {
            let name = name.as_str().to_ascii_lowercase();
            name.contains("timeout") || name.contains("timedout") || matches!(&*name, "oserror" | "ioerror")
        }
        _ => false,
    };
    match facts.expr(types) {
        Expr::Display(_, run) => facts.list(run).iter().all(|one| is_time_out(*one)),
        _ => is_time_out(types),
    }
}
