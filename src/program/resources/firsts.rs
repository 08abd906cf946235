//! What is done first with the result of an acquisition: it gets a name, goes elsewhere, or is used without one.

use rustc_hash::FxHashSet;

use super::super::{ClassRef, EventRef, ExprRef, Program, ScopeRef, vocabulary};
use super::uses::Use;
use super::{Acquisition, Source, Unnamed};
use crate::facts::{CallId, Constant, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts};
use crate::models::Resource;
use crate::source::Name;

pub(super) enum FirstUse {
    /// It gets these names: one, or one for each element.
    Named(Vec<Binding>),
    /// It becomes an attribute of the object whose method acquires it.
    Stored(Binding),
    /// Used or dropped at once, and lost.
    Unnamed(Unnamed),
    /// Returned as it is.
    Returned,
    /// Managed, passed on or stored.
    Elsewhere,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Binding {
    pub event: EventId,
    /// What is bound, as an expression: a name, or an attribute.
    pub place: ExprId,
}

impl Program<'_> {
    pub(super) fn first_use(&self, acquisition: &Acquisition, resource: &Resource) -> FirstUse {
        if resource.of_receiver {
            return self.first_use_of_receiver(acquisition);
        }
        if !acquisition.elements(resource).is_empty() {
            return self.first_use_of_elements(acquisition, resource);
        }
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let is_result = |id: ExprId| self.is_result(scope.expr(id), acquisition.call);
        let gives = |method| matches!(acquisition.source, Source::Class(class) if self.gives_what_it_holds(class, method, CALLS));
        let mut named = None;
        for (id, event) in facts.scope_events(scope.id).skip_while(|(id, _)| *id <= acquisition.event.id) {
            match event.kind {
                EventKind::Bind { target, value } if is_result(value) => match facts.expr(target) {
                    // `a = b = acquire()`: one is as good as the other, but both would have to be followed.
                    _ if named.is_some() => return FirstUse::Elsewhere,
                    Expr::Name(name) if self.is_own_local(scope, name) => {
                        named = Some(FirstUse::Named(vec![Binding { event: id, place: target }]));
                    }
                    Expr::Attribute(base, _) if self.is_receiver(scope, base) => {
                        named = Some(FirstUse::Stored(Binding { event: id, place: target }));
                    }
                    _ => return FirstUse::Elsewhere,
                },
                EventKind::Return(value) if is_result(value) => return FirstUse::Returned,
                EventKind::Bind { value, .. } | EventKind::Return(value) | EventKind::Yield(value)
                    if self.carries(scope.expr(value), resource, &is_result) =>
                {
                    return FirstUse::Elsewhere;
                }
                // `async for connection in connect(address)` opens and closes one after the other.
                EventKind::BindElement { iterable, .. }
                    if facts.expr(iterable) == Expr::Call(acquisition.call)
                        && resource.released_by.iter().any(|by| by.as_str() == ".__aexit__") =>
                {
                    return FirstUse::Elsewhere;
                }
                EventKind::BindElement { iterable, .. } if is_result(iterable) => {
                    return FirstUse::Unnamed(Unnamed::Iterated);
                }
                EventKind::BindManager { manager, target } if is_result(manager) => {
                    let is_local = matches!(facts.expr(target), Expr::Name(name) if self.is_own_local(scope, name));
                    return match resource.with_keeps && is_local {
                        true => FirstUse::Named(vec![Binding { event: id, place: target }]),
                        false => FirstUse::Elsewhere,
                    };
                }
                EventKind::Call(call) if named.is_none() => {
                    if let Some(first) =
                        self.first_use_by_call(self.event_scope_of(scope, id), call, resource, &is_result)
                    {
                        return match first {
                            FirstUse::Unnamed(Unnamed::Method(method)) if gives(method) => FirstUse::Elsewhere,
                            first => first,
                        };
                    }
                }
                _ => {}
            }
        }
        if let Some(named) = named {
            return named;
        }
        let result = facts.id_of(Expr::Call(acquisition.call));
        let is_used = result.is_none_or(|result| self.module(acquisition.event.module).is_part_of_something(result));
        if is_used || resource.is_path || self.is_ended_with_its_maker(acquisition) {
            return FirstUse::Elsewhere;
        }
        FirstUse::Unnamed(Unnamed::Dropped)
    }

    /// `engine.connect()` before `engine.dispose()`: what gives it is ended in the same function, and all that it gave with
    /// it.
    fn is_ended_with_its_maker(&self, acquisition: &Acquisition) -> bool {
        let facts = self.facts(acquisition.event.module);
        let Expr::Attribute(maker, _) = facts.expr(facts.call(acquisition.call).callee) else { return false };
        let scope = self.function_scope(acquisition.function);
        facts.scope_events(scope.id).any(|(id, event)| match event.kind {
            EventKind::Call(call) => {
                id > acquisition.event.id
                    && matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
                        if base == maker && vocabulary::is_ending_name(method.as_str()))
            }
            _ => false,
        })
    }

    /// `lock.acquire()` as a statement: what must be released is what the method was called on.
    fn first_use_of_receiver(&self, acquisition: &Acquisition) -> FirstUse {
        let module = self.module(acquisition.event.module);
        let facts = module.facts();
        let call = facts.call(acquisition.call);
        let result = facts.id_of(Expr::Call(acquisition.call));
        let awaited = result.and_then(|result| facts.id_of(Expr::Await(result)));
        let is_used = match (result, awaited) {
            (_, Some(awaited)) => module.is_part_of_something(awaited),
            (Some(result), None) => module.is_part_of_something(result),
            (None, None) => false,
        };
        match facts.expr(call.callee) {
            // Whether it was acquired at all is known only to who looks at the result.
            Expr::Attribute(receiver, _) if !is_used && call.arguments.len == 0 && call.keywords.len == 0 => {
                let mut later = facts.scope_events(facts.scope_of(facts.event(call.event)));
                let waited = later.find(|(id, event)| {
                    *id > call.event && matches!(event.kind, EventKind::Await(waited) if Some(waited) == result)
                });
                let event = waited.map_or(call.event, |(id, _)| id);
                FirstUse::Named(vec![Binding { event, place: receiver }])
            }
            _ => FirstUse::Elsewhere,
        }
    }

    /// `Maker().create()`, where that returns an attribute of the object: whoever has the result has what it holds.
    fn gives_what_it_holds(&self, class: ClassRef, method: Name, calls: u32) -> bool {
        let Some(function) = self.method(class, method) else { return false };
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        facts.scope_events(scope.id).any(|(_, event)| {
            let EventKind::Return(value) = event.kind else { return false };
            match facts.expr(value) {
                Expr::Attribute(base, _) => self.is_receiver(scope, base),
                Expr::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, other)
                    if calls > 0 && self.is_receiver(scope, base) && self.gives_what_it_holds(class, other, calls - 1)),
                _ => false,
            }
        })
    }

    pub(in crate::program) fn is_receiver(&self, scope: ScopeRef, base: ExprId) -> bool {
        let Expr::Name(base) = self.facts(scope.module).expr(base) else { return false };
        self.receiver_named(scope, base).is_some_and(|receiver| !receiver.is_class)
    }

    fn event_scope_of(&self, scope: ScopeRef, event: EventId) -> ScopeRef {
        self.event_scope(EventRef::new(scope.module, event))
    }

    fn first_use_by_call(
        &self,
        scope: ScopeRef,
        call: CallId,
        resource: &Resource,
        is_result: &dyn Fn(ExprId) -> bool,
    ) -> Option<FirstUse> {
        let facts = self.facts(scope.module);
        if self.use_by_call(scope, call, resource, is_result) != Use::Nothing {
            return Some(FirstUse::Elsewhere);
        }
        let called = facts.call(call);
        let method = match facts.expr(called.callee) {
            Expr::Attribute(base, method) if is_result(base) => Some(method),
            Expr::Attribute(base, method) => match facts.expr(base) {
                Expr::Attribute(inner, _) if is_result(inner) => Some(method),
                _ => None,
            },
            _ => None,
        };
        if resource.is_path {
            return None;
        }
        if let Some(method) = method {
            if Resource::names(&resource.views, method) || Resource::names(&resource.gives_itself, method) {
                return Some(FirstUse::Elsewhere);
            }
            return Some(FirstUse::Unnamed(Unnamed::Method(method)));
        }
        let is_passed = facts.all_arguments(called).any(is_result);
        is_passed.then_some(FirstUse::Unnamed(Unnamed::Argument(call)))
    }

    fn first_use_of_elements(&self, acquisition: &Acquisition, resource: &Resource) -> FirstUse {
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let is_result = |id: ExprId| self.is_result(scope.expr(id), acquisition.call);
        let elements = acquisition.elements(resource);
        let mut names = Vec::new();
        let mut element = 0;
        for (id, event) in facts.scope_events(scope.id).skip_while(|(id, _)| *id <= acquisition.event.id) {
            match event.kind {
                EventKind::Bind { target, value } => match facts.expr(value) {
                    Expr::Element(whole) if is_result(whole) => {
                        element += 1;
                        if let Expr::Name(name) = facts.expr(target)
                            && elements.contains(&(element - 1))
                            && self.is_own_local(scope, name)
                        {
                            names.push(Binding { event: id, place: target });
                        }
                    }
                    _ if is_result(value) => return FirstUse::Elsewhere,
                    _ => {}
                },
                EventKind::Return(value) if is_result(value) => return FirstUse::Returned,
                EventKind::Read(read) => {
                    if let Expr::Subscript(base, index) = facts.expr(read)
                        && is_result(base)
                        && let Expr::Constant(Constant::Int(index)) = facts.expr(index)
                        && let [only] = *elements
                        && i64::from(index) != i64::from(only)
                        && index >= 0
                        && !resource.is_path
                    {
                        return FirstUse::Unnamed(Unnamed::Element);
                    }
                }
                _ => {}
            }
        }
        match names.len() {
            0 => FirstUse::Elsewhere,
            1 => FirstUse::Named(names),
            _ if elements.len() > 1 => FirstUse::Named(names),
            _ => FirstUse::Elsewhere,
        }
    }

    pub(super) fn is_result(&self, expr: ExprRef, call: CallId) -> bool {
        match self.expr(expr) {
            Expr::Call(other) => {
                other == call || self.same_path(expr, call).is_some_and(|inner| self.is_result(inner, call))
            }
            Expr::Await(inner) => self.is_result(expr.scope.expr(inner), call),
            _ => false,
        }
    }

    /// `Path(mkdtemp())`, `os.path.realpath(mkdtemp())`: the path that a call is given to say it in another way, where
    /// another call gives such a thing.
    fn same_path(&self, expr: ExprRef, giver: CallId) -> Option<ExprRef> {
        let facts = self.facts(expr.scope.module);
        let Expr::Call(call) = self.expr(expr) else { return None };
        let call = facts.call(call);
        let [given] = *facts.arguments(call) else { return None };
        // Names are followed elsewhere.
        let is_call = matches!(facts.expr(given), Expr::Call(_));
        let path = self.external_path(expr.scope.expr(call.callee)).filter(|_| is_call)?;
        let is_path = || {
            let giver = self.acquiring_path(expr.scope.expr(facts.call(giver).callee));
            giver.and_then(|giver| self.models.resource(giver)).is_some_and(|resource| resource.is_path)
        };
        (SAME_PATH.contains(&path.as_str()) && is_path()).then(|| expr.scope.expr(given))
    }

    pub(super) fn is_own_local(&self, scope: ScopeRef, name: Name) -> bool {
        self.holding_scope(scope, name) == Some(scope)
    }
}

/// Functions that give the path that they are given.
const SAME_PATH: [&str; 9] = [
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib2.Path",
    "py.path.local",
    "str",
    "os.fspath",
    "os.fsdecode",
    "os.path.realpath",
    "os.path.abspath",
];

/// How many methods an attribute may be passed up through to the result of one.
const CALLS: u32 = 2;

/// The expressions that are a part of another, or a test, a manager or what is awaited: whatever stands alone is none.
pub(in crate::program) fn parts_of_something(facts: &FileFacts) -> FxHashSet<ExprId> {
    let operands = facts.exprs.iter().flat_map(|expr| facts.operands(*expr));
    let headers = facts.contexts.iter().filter_map(|context| match context.kind {
        ContextKind::If(part) | ContextKind::Else(part) | ContextKind::While(part) => Some(part),
        ContextKind::With { manager: part, .. }
        | ContextKind::For { iterable: part }
        | ContextKind::Case { subject: part, .. } => Some(part),
        _ => None,
    });
    let given = facts.calls.iter().flat_map(|call| std::iter::once(call.callee).chain(facts.all_arguments(call)));
    let values = facts.events.iter().filter_map(|event| match event.kind {
        EventKind::Bind { value: part, .. }
        | EventKind::Augment { value: part, .. }
        | EventKind::Return(part)
        | EventKind::Yield(part)
        | EventKind::Raise { exception: part, .. } => Some(part),
        _ => None,
    });
    let parts = operands.chain(headers).chain(given).chain(values);
    // Only calls and what is awaited are asked about.
    parts.filter(|part| matches!(facts.expr(*part), Expr::Call(_) | Expr::Await(_))).collect()
}
