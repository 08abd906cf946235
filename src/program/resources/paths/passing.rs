//! Exceptions that no handler around them is for, though one of the handlers releases the resource: its author thought
//! of what goes wrong, and of less than what does.
//!
//! Two kinds are told by the source. A coroutine that is cancelled at an `await` raises what is no `Exception`, and a
//! function of the project says by its `raise` what it raises. Wherever it is not sure that a handler is too narrow, it
//! is taken for wide enough.

use super::super::super::names::Definition;
use super::super::super::types::last_part;
use super::super::super::{ClassRef, EventRef, ExprRef, FunctionRef, Program};
use super::super::uses::{Use, writes};
use super::Search;
use crate::facts::{CallId, Constant, Context, ContextId, ContextKind, EventId, EventKind, Expr, ExprId, NOTHING};
use crate::models::Resource;
use crate::source::Name;

/// How many functions deep it is asked what is raised.
const CALLS: u32 = 2;

/// An exception as it is known by its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thrown {
    /// What a coroutine is told at an `await` when its task is cancelled.
    Cancellation,
    Class(ClassRef),
    Builtin(Name),
    /// What a wait for the end of a process raises when its time is up.
    TimeOut,
}

impl Search<'_, '_> {
    /// Whether something that an event raises passes by all handlers around it, one of which releases the resource.
    pub(super) fn passes_by(&self, event: EventId) -> bool {
        let thrown = match self.facts.event(event).kind {
            EventKind::Await(awaited) => {
                let mut thrown = match self.facts.expr(awaited) {
                    Expr::Call(call) => self.thrown_by(call, true),
                    _ => Vec::new(),
                };
                thrown.push(Thrown::Cancellation);
                thrown
            }
            EventKind::Call(call) => self.thrown_by(call, false),
            _ => return false,
        };
        let handlers = self.handlers_around(event);
        !thrown.is_empty()
            && handlers.iter().any(|(handler, _)| self.is_released_in(*handler))
            && thrown.into_iter().any(|thrown| !handlers.iter().any(|(_, types)| self.may_handle(*types, thrown)))
    }

    /// `process.wait(timeout=5)`, `wait_for(process.communicate(), 5)`: whether a call waits for the end of the resource for
    /// so long, and raises if that does not come.
    pub(super) fn may_time_out(&self, event: EventId) -> bool {
        let EventKind::Call(call) = self.facts.event(event).kind else { return false };
        let called = self.facts.call(call);
        if !matches!(self.facts.expr(called.callee), Expr::Attribute(base, method)
            if self.is_held(base, u8::MAX) && Resource::names(&self.resource.limited, method))
        {
            return false;
        }
        let is_some = |value: ExprId| self.facts.expr(value) != Expr::Constant(Constant::None);
        let has_limit = |(name, value): &(Option<Name>, ExprId)| {
            name.is_some_and(|name| name.as_str() == "timeout") && is_some(*value)
        };
        let is_given_up = |waiting: CallId| {
            let waiting = self.facts.call(waiting);
            self.facts.arguments(waiting).first().is_some_and(|first| self.facts.expr(*first) == Expr::Call(call))
                && self
                    .program
                    .external_path(self.scope.expr(waiting.callee))
                    .is_some_and(|path| path.as_str() == "asyncio.wait_for")
        };
        self.facts.keyword_arguments(called).iter().any(has_limit)
            || self
                .facts
                .scope_events(self.scope.id)
                .any(|(id, other)| id > event && matches!(other.kind, EventKind::Call(waiting) if is_given_up(waiting)))
    }

    /// Whether a handler is the first of its `try` that may be for what is raised when the time is up.
    pub(super) fn takes_time_out(&self, handler: ContextId) -> bool {
        self.handler_of_time_out(self.facts.context(handler).group) == Some(handler)
    }

    pub(super) fn handler_of_time_out(&self, group: ContextId) -> Option<ContextId> {
        let contexts = self.facts.contexts.iter().enumerate().skip(group.index());
        let mut handlers = contexts.filter_map(|(id, context)| match context.kind {
            ContextKind::Except(types) if context.group == group => Some((ContextId(id as u32), types)),
            _ => None,
        });
        handlers.find(|(_, types)| self.may_handle(*types, Thrown::TimeOut)).map(|(id, _)| id)
    }

    /// `os.killpg(process.pid, SIGKILL)`: whether something is called with the number by which the process may be ended.
    pub(super) fn ends_by_number(&self, event: EventId, mask: u8) -> bool {
        let EventKind::Call(call) = self.facts.event(event).kind else { return false };
        let called = self.facts.call(call);
        let is_number = |given: ExprId| {
            matches!(self.facts.expr(given), Expr::Attribute(base, name)
                if name.as_str() == "pid" && self.is_held(base, mask))
        };
        !writes(self.facts.expr(called.callee)) && self.facts.all_arguments(called).any(is_number)
    }

    /// Whether the function that is called raises an exception by name.
    pub(super) fn raises_by_name(&self, call: CallId) -> bool {
        !self.thrown_by(call, false).is_empty()
    }

    /// `return wrapped(connection)`: whether the function that is called raises by name before it does anything with the
    /// resource that would keep it.
    pub(super) fn raises_before_it_keeps(&self, event: EventId, mask: u8) -> bool {
        let EventKind::Call(call) = self.facts.event(event).kind else { return false };
        let given = self.facts.all_arguments(self.facts.call(call)).find(|given| self.is_held(*given, mask));
        let parameter = given.and_then(|given| {
            let callee = self.program.callee(self.scope, call)?;
            let site = self.program.call_site(EventRef::new(self.function.module, event))?;
            Some((callee, self.program.parameter_for(site, callee, self.scope.expr(given))?))
        });
        let Some((callee, parameter)) = parameter else { return false };
        let facts = self.program.facts(callee.module);
        let is_held = |id: ExprId| facts.expr(id) == Expr::Name(parameter);
        let events = facts.scope_events(facts.function(callee.id).scope);
        events
            .take_while(|(id, _)| {
                self.program.use_of(EventRef::new(callee.module, *id), self.resource, &is_held) == Use::Nothing
            })
            .any(|(_, event)| matches!(event.kind, EventKind::Raise { exception, .. } if exception != NOTHING))
    }

    /// The handlers that what an event raises comes to, with their types.
    fn handlers_around(&self, event: EventId) -> Vec<(ContextId, ExprId)> {
        let around = self.contexts_of(event);
        let contexts = || self.facts.contexts.iter().enumerate().skip(self.facts.scope(self.scope.id).body.index());
        let bodies = around.iter().filter(|id| self.facts.context(**id).kind == ContextKind::Try);
        bodies
            .flat_map(|body| {
                let of_body = move |context: &Context| context.group == self.facts.context(*body).group;
                contexts().filter_map(move |(id, context)| match context.kind {
                    ContextKind::Except(types) if of_body(context) => Some((ContextId(id as u32), types)),
                    _ => None,
                })
            })
            .collect()
    }

    fn is_released_in(&self, handler: ContextId) -> bool {
        self.uses.iter().any(|(event, used)| *used == Use::Released && self.contexts_of(*event).contains(&handler))
    }

    /// What the function that is called raises, where that is the one way to call it.
    fn thrown_by(&self, call: CallId, is_async: bool) -> Vec<Thrown> {
        let callee = self.program.callee(self.scope, call);
        let callee = callee.filter(|callee| self.program.function(*callee).is_async == is_async);
        callee.map_or_else(Vec::new, |callee| self.program.thrown_explicitly(callee, CALLS))
    }

    fn may_handle(&self, types: ExprId, thrown: Thrown) -> bool {
        if types == NOTHING {
            return true;
        }
        let one = |types: ExprId| self.program.may_be_for(self.scope.expr(types), thrown);
        match self.facts.expr(types) {
            Expr::Display(_, run) => self.facts.list(run).iter().any(|types| one(*types)),
            _ => one(types),
        }
    }
}

impl Program<'_> {
    /// The exceptions that a function raises by name, or that functions of the project raise which it calls. What says
    /// that a caller is wrong is not counted.
    fn thrown_explicitly(&self, function: FunctionRef, depth: u32) -> Vec<Thrown> {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let mut thrown = Vec::new();
        for (id, event) in facts.scope_events(scope.id) {
            let is_guarded =
                facts.contexts_around(event.context).any(|context| matches!(context.kind, ContextKind::Try));
            match event.kind {
                _ if is_guarded => {}
                EventKind::Raise { exception, .. } if exception != NOTHING => {
                    let raised = match facts.expr(exception) {
                        Expr::Call(call) => facts.call(call).callee,
                        _ => exception,
                    };
                    match self.resolve(scope.expr(raised)) {
                        Definition::Class(class) if !self.has_unknown_base(class) => thrown.push(Thrown::Class(class)),
                        Definition::External(path) if ancestors(path).is_some_and(|of| !of.is_empty()) => {
                            thrown.push(Thrown::Builtin(path));
                        }
                        _ => {}
                    }
                }
                EventKind::Call(call) if depth > 1 => {
                    let inner = self.event_scope(EventRef::new(function.module, id));
                    let callee = self.callee(inner, call).filter(|callee| !self.function(*callee).is_async);
                    thrown.extend(callee.into_iter().flat_map(|callee| self.thrown_explicitly(callee, depth - 1)));
                }
                EventKind::Await(awaited) if depth > 1 => {
                    let Expr::Call(call) = facts.expr(awaited) else { continue };
                    let callee = self.callee(scope, call).filter(|callee| self.function(*callee).is_async);
                    thrown.extend(callee.into_iter().flat_map(|callee| self.thrown_explicitly(callee, depth - 1)));
                }
                _ => {}
            }
        }
        thrown
    }

    /// Whether a handler for a type may be for what is thrown.
    fn may_be_for(&self, handled: ExprRef, thrown: Thrown) -> bool {
        match (self.resolve(handled), thrown) {
            (Definition::Class(handled), Thrown::Class(thrown)) => self.mro(thrown).contains(&handled),
            // A class of the project is no base of a builtin.
            (Definition::Class(_), Thrown::Builtin(_)) => false,
            (Definition::Class(handled), Thrown::Cancellation) => {
                self.external_bases(handled).iter().any(|base| may_be_cancellation(*base))
            }
            (Definition::External(handled), Thrown::Builtin(thrown)) => may_be_base(handled, thrown),
            (Definition::External(handled), Thrown::Class(thrown)) => {
                self.external_bases(thrown).iter().any(|base| may_be_base(handled, *base))
            }
            (Definition::External(handled), Thrown::Cancellation) => may_be_cancellation(handled),
            (Definition::External(handled), Thrown::TimeOut) => may_be_time_out(handled),
            (Definition::Class(_), Thrown::TimeOut) => false,
            _ => true,
        }
    }
}

fn may_be_time_out(handled: Name) -> bool {
    let name = last_part(handled.as_str());
    matches!(name, "Exception" | "BaseException" | "SubprocessError") || name.contains("Timeout")
}

fn may_be_cancellation(handled: Name) -> bool {
    let name = last_part(handled.as_str());
    name == "BaseException" || name.contains("Cancel")
}

/// Whether an exception of a library or builtin is a base of another, or may be: of libraries nothing is known.
fn may_be_base(handled: Name, thrown: Name) -> bool {
    canonical(handled.as_str()) == canonical(thrown.as_str())
        || match (ancestors(handled), ancestors(thrown)) {
            (Some(_), Some(bases)) => bases.contains(&canonical(handled.as_str())),
            (Some(_), None) => true,
            (None, _) => handled.as_str() != "object",
        }
}

/// Other names of the same class.
fn canonical(name: &str) -> &str {
    match name {
        "IOError" | "EnvironmentError" | "socket.error" | "select.error" => "OSError",
        "socket.timeout" | "asyncio.TimeoutError" | "concurrent.futures.TimeoutError" => "TimeoutError",
        name => name,
    }
}

/// What a builtin exception is an instance of besides; nothing for those that say that a caller is wrong.
fn ancestors(name: Name) -> Option<&'static [&'static str]> {
    Some(match canonical(name.as_str()) {
        "Exception" => &["Exception", "BaseException"],
        "OSError" => &["OSError", "Exception", "BaseException"],
        "ConnectionError" | "TimeoutError" | "FileNotFoundError" | "FileExistsError" | "PermissionError"
        | "BlockingIOError" | "InterruptedError" | "ChildProcessError" | "ProcessLookupError" | "IsADirectoryError"
        | "NotADirectoryError" => &["OSError", "Exception", "BaseException"],
        "ConnectionResetError" | "ConnectionRefusedError" | "ConnectionAbortedError" | "BrokenPipeError" => {
            &["ConnectionError", "OSError", "Exception", "BaseException"]
        }
        "ValueError" => &["ValueError", "Exception", "BaseException"],
        "RuntimeError" => &["RuntimeError", "Exception", "BaseException"],
        "EOFError" => &["EOFError", "Exception", "BaseException"],
        "LookupError" => &["LookupError", "Exception", "BaseException"],
        "KeyError" | "IndexError" => &["LookupError", "Exception", "BaseException"],
        "UnicodeError" | "UnicodeDecodeError" | "UnicodeEncodeError" => &["ValueError", "Exception", "BaseException"],
        "TypeError" | "AttributeError" | "NotImplementedError" | "AssertionError" | "ImportError" => &[],
        _ => return None,
    })
}
