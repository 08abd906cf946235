//! Weak references that were meant to let an object go, and callables beside them that hold it.
//!
//! A closure keeps the variables that it uses, not what it makes of them: `weakref.proxy(self)` inside of the function
//! comes too late, for the function has `self` already. And what `weakref.finalize` is to call is kept by the module
//! until the object is gone, which it never is if the callback holds it.

use std::sync::LazyLock;

use super::names::Definition;
use super::references::captures::Capture;
use super::{EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{CallId, EventKind, Expr, ExprId, ScopeKind};
use crate::source::Name;

/// An object that is referred to weakly, and held all the same.
#[derive(Clone, Copy, Debug)]
pub struct DefeatedWeakness {
    /// The call that makes the weak reference.
    pub event: EventRef,
    pub object: Name,
    pub by: HeldBy,
}

/// What holds it.
#[derive(Clone, Copy, Debug)]
pub enum HeldBy {
    /// The function that makes the weak reference, in its closure.
    Closure(FunctionRef, Option<EventRef>),
    /// The method that is to be called when the object is gone.
    Method(Name),
    /// The function that is to be called when the object is gone, in its closure.
    Callback(FunctionRef),
    /// The same of a reference that is kept, and keeps its callback: a lambda, or a method of the object.
    OwnCallback(Option<FunctionRef>),
    /// Another argument of the call.
    Argument,
}

/// Last names of what makes weak references.
static MAKERS: LazyLock<[Name; 4]> = LazyLock::new(|| ["ref", "proxy", "finalize", "ReferenceType"].map(Name::new));

impl Program<'_> {
    /// The weak references of a module that let nothing go, in source order.
    pub fn defeated_weaknesses(&self, module: ModuleId) -> Vec<DefeatedWeakness> {
        let facts = self.facts(module);
        let makers = &*MAKERS;
        let mut found = Vec::new();
        if !makers.iter().any(|maker| self.module(module).may_name(*maker)) {
            return found;
        }
        for (number, made) in facts.calls.iter().enumerate() {
            if facts.called_name(made).is_none_or(|callee| !makers.contains(&callee)) {
                continue;
            }
            let call = CallId(number as u32);
            let event = EventRef::new(module, made.event);
            let scope = self.event_scope(event);
            let path = self.external_path(scope.expr(facts.call(call).callee));
            let Some(path) = path.filter(|path| self.models.weak(*path).is_some()) else { continue };
            let Some(object) = facts.arguments(facts.call(call)).first() else { continue };
            let Expr::Name(object) = facts.expr(*object) else { continue };
            let by = match path.as_str() {
                "weakref.finalize" => self.callback_that_holds(scope, call, object),
                _ => (self.closure_that_holds(event, object))
                    .or_else(|| self.own_callback_that_holds(event, call, object)),
            };
            found.extend(by.map(|by| DefeatedWeakness { event, object, by }));
        }
        found.sort_by_key(|found| found.event);
        found
    }

    /// What `weakref.finalize(object, callback, …)` keeps that keeps the object.
    fn callback_that_holds(&self, scope: ScopeRef, call: CallId, object: Name) -> Option<HeldBy> {
        let facts = self.facts(scope.module);
        let call = facts.call(call);
        let is_object = |id: ExprId| facts.expr(id) == Expr::Name(object);
        let rest = facts.arguments(call).get(1..)?;
        let callback = *rest.first()?;
        match facts.expr(callback) {
            Expr::Attribute(base, method) if is_object(base) && self.is_method_of(scope.expr(base), method) => {
                return Some(HeldBy::Method(method));
            }
            Expr::Lambda(function) => {
                let function = FunctionRef::new(scope.module, function);
                if self.captures_variable(function, scope, object) {
                    return Some(HeldBy::Callback(function));
                }
            }
            Expr::Name(name) => {
                if let Definition::Function(function) = self.resolve_name(scope, name)
                    && self.captures_variable(function, scope, object)
                {
                    return Some(HeldBy::Callback(function));
                }
            }
            _ => {}
        }
        let keywords = facts.keyword_arguments(call).iter().map(|(_, value)| *value);
        rest.iter().skip(1).copied().chain(keywords).any(is_object).then_some(HeldBy::Argument)
    }

    /// `self._items[key] = weakref.ref(item, lambda _: self.remove(item))`: the reference keeps its callback, and that the
    /// object, for as long as there is the reference.
    fn own_callback_that_holds(&self, event: EventRef, call: CallId, object: Name) -> Option<HeldBy> {
        if !self.is_kept_reference(event) {
            return None;
        }
        match self.callback_that_holds(self.event_scope(event), call, object)? {
            HeldBy::Callback(function) => Some(HeldBy::OwnCallback(Some(function))),
            HeldBy::Method(_) => Some(HeldBy::OwnCallback(None)),
            _ => None,
        }
    }

    /// What is made here is stored, at once or under a name first.
    fn is_kept_reference(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let EventKind::Call(call) = facts.event(event.id).kind else { return false };
        let made = facts.call(call).expr;
        let scope = self.event_scope(event);
        let mut names = vec![made];
        facts.scope_events(scope.id).filter(|(id, _)| *id > event.id).any(|(_, next)| match next.kind {
            EventKind::Bind { target, value } if names.contains(&value) => match facts.expr(target) {
                Expr::Name(_) => {
                    names.push(target);
                    false
                }
                _ => true,
            },
            EventKind::Call(outer) => {
                let outer = facts.call(outer);
                let adds = matches!(facts.expr(outer.callee), Expr::Attribute(_, method)
                    if super::OperationKind::of_method(method).is_some_and(super::OperationKind::is_growth));
                adds && facts.arguments(outer).iter().any(|argument| names.contains(argument))
            }
            _ => false,
        })
    }

    /// What is read from an object under this name keeps the object: a method of it, not a function that it holds.
    fn is_method_of(&self, object: ExprRef, name: Name) -> bool {
        let expr = self.facts(object.scope.module).id_of(Expr::Attribute(object.id, name));
        let bound = expr.and_then(|expr| self.bound_method(object.scope.expr(expr)));
        bound.is_some_and(|method| self.receiver(method).is_some_and(|receiver| !receiver.is_class))
    }

    fn captures_variable(&self, function: FunctionRef, scope: ScopeRef, name: Name) -> bool {
        let holder = self.holding_scope(scope, name);
        self.captures(function).into_iter().any(|(scope, captured)| Some(scope) == holder && captured == name)
    }

    /// The nested function around a weak reference that has its object already: all it does with it is to refer to it
    /// weakly, so it was not meant to keep it.
    fn closure_that_holds(&self, event: EventRef, object: Name) -> Option<HeldBy> {
        let scope = self.event_scope(event);
        let function = self.enclosing_function(scope)?;
        let capture = self.captured_object(function, scope, object)?;
        let is_handed_on = match self.facts(function.module).scope(self.function(function).scope).kind {
            ScopeKind::Lambda(_) => true,
            _ => !self.mentions(Definition::Function(function)).is_empty(),
        };
        (is_handed_on && self.is_only_referred_to(function, object) && !self.is_put_somewhere(event))
            .then_some(HeldBy::Closure(function, capture.at))
    }

    /// A parameter of the function around, such as `self`: an object that others have.
    fn captured_object(&self, function: FunctionRef, scope: ScopeRef, object: Name) -> Option<Capture> {
        let holder = self.holding_scope(scope, object)?;
        let is_given = self.is_parameter(holder, object);
        let mut captures = self.capture_list(function).into_iter();
        captures.find(|capture| is_given && capture.holder == holder && capture.name == object)
    }

    /// Whether each use of a name in a function is the object of a weak reference.
    fn is_only_referred_to(&self, function: FunctionRef, object: Name) -> bool {
        let facts = self.facts(function.module);
        facts.scope_events(self.function(function).scope).all(|(_, event)| match event.kind {
            EventKind::Call(call) => {
                let scope = ScopeRef::new(function.module, facts.scope_of(event));
                let call = facts.call(call);
                let is_weak =
                    self.external_path(scope.expr(call.callee)).is_some_and(|path| self.models.weak(path).is_some());
                let skipped = usize::from(is_weak);
                let mut used = facts.all_arguments(call).skip(skipped).chain([call.callee]);
                used.all(|id| !self.names(scope.expr(id), object))
            }
            kind => {
                let scope = ScopeRef::new(function.module, facts.scope_of(event));
                kind.operands().into_iter().all(|id| !self.names(scope.expr(id), object))
            }
        }) && facts.contexts.iter().all(|context| {
            let scope = ScopeRef::new(function.module, context.scope);
            self.enclosing_function(scope) != Some(function)
                || context.kind.operands().into_iter().all(|id| !self.names(scope.expr(id), object))
        })
    }

    /// Whether an expression names a variable, calls apart, which are events of their own.
    fn names(&self, expr: ExprRef, variable: Name) -> bool {
        let facts = self.facts(expr.scope.module);
        let mut rest = vec![expr.id];
        while let Some(id) = rest.pop() {
            match facts.expr(id) {
                Expr::Name(name) if name == variable => return true,
                other => rest.extend(facts.operands(other)),
            }
        }
        false
    }

    /// `listeners.append(weakref.ref(self))`: the reference is for others, and its maker is called by who has it.
    fn is_put_somewhere(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let EventKind::Call(call) = facts.event(event.id).kind else { return false };
        let Some(made) = facts.id_of(Expr::Call(call)) else { return false };
        facts.events.iter().skip(event.id.index() + 1).take(4).any(|next| match next.kind {
            EventKind::Call(outer) => {
                let outer = facts.call(outer);
                let keeps = matches!(facts.expr(outer.callee), Expr::Attribute(_, method)
                    if super::OperationKind::of_method(method).is_some_and(super::OperationKind::is_growth));
                keeps && facts.all_arguments(outer).any(|argument| argument == made)
            }
            EventKind::Bind { target, value } => value == made && !matches!(facts.expr(target), Expr::Name(_)),
            _ => false,
        })
    }
}
