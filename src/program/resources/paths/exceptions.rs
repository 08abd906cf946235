//! Which calls raise often enough to speak of it.

use super::super::super::names::Definition;
use super::super::super::types::{Type, last_part};
use super::super::super::{EventRef, ExprRef, FunctionRef, Program, vocabulary};
use super::{By, Search};
use crate::facts::flow::{NodeId, Step};
use crate::facts::{CallId, ContextId, ContextKind, Event, EventId, EventKind, Expr, ExprId};
use crate::models::{Lost, Resource};
use crate::source::Name;

impl Search<'_, '_> {
    /// Whether what happens at a node raises often enough to speak of it, and how well that is known.
    pub(super) fn raises(&self, node: NodeId, mask: u8, by: By) -> Option<By> {
        let event = match self.flow.step(node) {
            Step::Event(event) => event,
            Step::Dispatch(group) if by == By::OsError => {
                return (!self.handles_os_errors(group)).then_some(By::OsError);
            }
            // `with suppress(OSError):` around what cleans up
            Step::Enter(context) | Step::Leave(context) if self.is_within_finally(context) => return None,
            // What a manager does raises seldom; what is called to make it is asked about where it is called.
            Step::Enter(_) | Step::Leave(_) if by == By::Source => return None,
            // It may take what was raised inside.
            Step::Leave(_) if by > By::Handled => return Some(by),
            _ => return Some(By::Exception),
        };
        // Who cleans up does not expect the cleaning up to fail.
        if self.is_in_finally(event) {
            return None;
        }
        let mut is_guess = false;
        let is_likely = match self.facts.event(event).kind {
            EventKind::Call(_) if self.is_task => return None,
            EventKind::Call(call) if self.lends_to_fail(call, mask) => return Some(By::Failure),
            EventKind::Call(call) if self.is_kept_by_owner && mask & self.on_self != 0 && self.refuses(call) => {
                return Some(By::Failure);
            }
            EventKind::Call(call) => {
                let callee = self.facts.call(call).callee;
                match self.facts.expr(callee) {
                    Expr::Attribute(base, name) if self.is_held(base, mask) && self.is_fallible(name) => {
                        return Some(By::Failure);
                    }
                    Expr::Attribute(base, name)
                        if self.is_held(base, mask) && Resource::names(&self.resource.failing_releases, name) =>
                    {
                        return None;
                    }
                    // `condition.wait()`
                    Expr::Attribute(base, name)
                        if self.resource.of_receiver && name.as_str() == "wait" && self.is_held(base, mask) =>
                    {
                        false
                    }
                    Expr::Attribute(_, name) if is_harmless(name) => false,
                    Expr::Attribute(base, name) if self.changes_a_container(call, base, name) => false,
                    Expr::Attribute(base, _) if self.resource.fails_with_os_error && self.is_held(base, mask) => {
                        return Some(By::OsError);
                    }
                    Expr::Name(name) if converts_text(name) => false,
                    Expr::Name(_) | Expr::Attribute(..) => {
                        let scope = self.program.event_scope(EventRef::new(self.function.module, event));
                        // To call a coroutine function only makes a coroutine.
                        if let Some(function) = self.program.callee(scope, call)
                            && (self.program.function(function).is_async
                                || self.program.is_harmless_function(function, CALLS))
                        {
                            return None;
                        }
                        is_guess = matches!(self.facts.expr(callee), Expr::Attribute(..))
                            && self.program.callee(scope, call).is_none()
                            && self.program.method_path(scope.expr(callee)).is_none();
                        match self.program.resolve(scope.expr(callee)) {
                            Definition::External(path) => {
                                // `NoEncryption()`: an object that is made of nothing.
                                is_guess = last_part(path.as_str()).starts_with(char::is_uppercase)
                                    && self.facts.all_arguments(self.facts.call(call)).next().is_none();
                                !is_harmless_path(path)
                            }
                            Definition::Class(_) | Definition::Function(_) => {
                                is_guess = false;
                                true
                            }
                            _ => true,
                        }
                    }
                    _ => true,
                }
            }
            // What is thrown into a context manager comes out of its `yield`, and a generator that is given up ends
            // there: what the last reference releases goes with it.
            EventKind::Yield(_) if self.is_context_manager => return Some(By::Failure),
            EventKind::Yield(_) => self.is_given_up && self.resource.lost == Lost::Stays,
            EventKind::Await(awaited) if self.program.is_limited(self.scope.expr(awaited), LIMITED) => {
                return Some(By::Failure);
            }
            EventKind::Await(_) | EventKind::Raise { .. } => true,
            _ => false,
        };
        is_likely.then_some(if is_guess { By::Guess } else { By::Exception })
    }

    fn is_fallible(&self, method: Name) -> bool {
        Resource::names(&self.resource.may_fail, method)
    }

    /// Whether a call says that it may come to nothing: a function of the project raises by name, or a file that was asked
    /// for may not be there. What a constructor has acquired before has no owner then.
    fn refuses(&self, call: CallId) -> bool {
        let called = self.facts.call(call);
        let opens = || {
            let path = self.program.external_path(self.scope.expr(called.callee));
            let is_known =
                |given: &ExprId| matches!(self.facts.expr(*given), Expr::Constant(_)) || self.is_null_device(*given);
            path.is_some_and(|path| matches!(path.as_str(), "open" | "os.open" | "io.open"))
                && self.facts.arguments(called).first().is_some_and(|given| !is_known(given))
        };
        self.raises_by_name(call) || opens()
    }

    fn is_null_device(&self, path: ExprId) -> bool {
        matches!(self.facts.expr(path), Expr::Attribute(_, name) if name.as_str() == "devnull")
    }

    /// `loop.sock_connect(connection, address)`, or `retry(lambda: connection.connect(address))`: what often raises is
    /// called with the resource, or by what is given here to be called.
    fn lends_to_fail(&self, call: CallId, mask: u8) -> bool {
        let called = self.facts.call(call);
        if let Expr::Attribute(_, method) = self.facts.expr(called.callee)
            && self.is_fallible(method)
            && self.program.is_lent_to(self.scope, call, self.resource)
        {
            return self.facts.all_arguments(called).any(|given| self.is_held(given, mask));
        }
        self.facts.all_arguments(called).any(|given| {
            let Expr::Lambda(function) = self.facts.expr(given) else { return false };
            self.facts.scope_events(self.facts.function(function).scope).any(|(_, event)| {
                let EventKind::Call(inner) = event.kind else { return false };
                matches!(self.facts.expr(self.facts.call(inner).callee), Expr::Attribute(base, method)
                    if self.is_held(base, mask) && self.is_fallible(method))
            })
        })
    }

    /// `command.extend(["-q", path])`, `parts.insert(0, name)`: a method of a builtin container that is given no more
    /// than values and other containers.
    fn changes_a_container(&self, call: CallId, base: ExprId, method: Name) -> bool {
        let is_container = |id: ExprId| {
            matches!(self.program.type_of(self.scope.expr(id)), Type::External(path)
                if matches!(path.as_str(), "list" | "tuple" | "set" | "dict" | "str" | "collections.deque"))
        };
        match method.as_str() {
            "extend" => self.facts.all_arguments(self.facts.call(call)).all(is_container),
            "insert" | "setdefault" | "appendleft" | "copy" | "count" | "reverse" => is_container(base),
            _ => false,
        }
    }

    /// Whether a handler of a `try` takes whatever the system refuses.
    pub(super) fn handles_os_errors(&self, group: ContextId) -> bool {
        let handled = self.facts.contexts.iter().filter_map(|context| match context.kind {
            ContextKind::Except(types) if context.group == group => Some(types),
            _ => None,
        });
        handled
            .flat_map(|types| self.exception_types(types))
            .flatten()
            .any(|name| matches!(name.as_str(), "OSError" | "IOError" | "EnvironmentError" | "error"))
    }
}

/// How many functions deep it is asked whether anything raises.
const CALLS: u32 = 2;
/// A function with more events may always raise.
const MOST_EVENTS: usize = 40;

/// How many coroutines deep a limit of time is looked for.
const LIMITED: u32 = 2;

impl Program<'_> {
    /// Whether what is awaited has a limit of time that nothing catches on the way: `wait_for(reply, 5)`, or a coroutine
    /// of the project that awaits that. Such a limit is there because it is reached now and then.
    fn is_limited(&self, awaited: ExprRef, depth: u32) -> bool {
        let Expr::Call(call) = self.expr(awaited) else { return false };
        let facts = self.facts(awaited.scope.module);
        let callee = awaited.scope.expr(facts.call(call).callee);
        if self.external_path(callee).is_some_and(|path| path.as_str() == "asyncio.wait_for") {
            return true;
        }
        let Some(function) = self.callee(awaited.scope, call).filter(|_| depth > 0) else { return false };
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        self.function(function).is_async
            && facts.scope_events(scope.id).any(|(_, event)| {
                let EventKind::Await(inner) = event.kind else { return false };
                let is_plain = facts
                    .contexts_around(event.context)
                    .all(|context| !matches!(context.kind, ContextKind::Try | ContextKind::With { .. }));
                is_plain && self.is_limited(scope.expr(inner), depth - 1)
            })
    }

    /// Whether a function does nothing that would raise: no lookups, and no calls but of what hardly ever does.
    fn is_harmless_function(&self, function: FunctionRef, depth: u32) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let mut events = facts.scope_events(scope.id);
        let is_harmless_event = |(id, event): (EventId, &Event)| match event.kind {
            EventKind::Call(call) => {
                let callee = facts.call(call).callee;
                let is_known = match facts.expr(callee) {
                    Expr::Attribute(_, name) => is_harmless(name),
                    Expr::Name(name) => converts_text(name),
                    _ => false,
                };
                let scope = self.event_scope(EventRef::new(function.module, id));
                is_known
                    || match self.resolve(scope.expr(callee)) {
                        Definition::External(path) => is_harmless_path(path),
                        _ => self
                            .callee(scope, call)
                            .is_some_and(|inner| depth > 0 && self.is_harmless_function(inner, depth - 1)),
                    }
            }
            EventKind::Raise { .. }
            | EventKind::Assert { .. }
            | EventKind::Yield(_)
            | EventKind::Await(_)
            | EventKind::Import(_)
            | EventKind::Read(_) => false,
            _ => true,
        };
        facts.scope(scope.id).events.len as usize <= MOST_EVENTS && events.all(is_harmless_event)
    }
}

/// Functions of libraries that hardly ever raise where they stand, or that say themselves that the system refuses: builtins
/// but for `open`, calls of the system on what is open already, and pure functions.
fn is_harmless_path(path: Name) -> bool {
    let text = path.as_str();
    // Where there is a coroutine, there is a running loop.
    if text == "asyncio.get_running_loop" {
        return true;
    }
    match text.split_once('.') {
        None => !matches!(text, "open" | "next" | "eval" | "exec" | "input"),
        Some((module, _)) => matches!(
            module,
            "os" | "fcntl"
                | "msvcrt"
                | "ctypes"
                | "termios"
                | "tty"
                | "pty"
                | "select"
                | "time"
                | "tempfile"
                | "textwrap"
                | "pathlib"
                | "logging"
                | "atexit"
                | "sys"
                | "threading"
                | "signal"
                | "gc"
                | "math"
                | "functools"
                | "itertools"
                | "collections"
                | "random"
                | "platform"
                | "typing"
                | "warnings"
                | "weakref"
                | "datetime"
                | "re"
                | "contextlib"
                | "errno"
                | "stat"
                | "struct"
                | "copy"
                | "uuid"
                | "getpass"
                | "multiprocessing"
                | "queue"
        ),
    }
}

/// Methods and functions that hardly ever raise: those of loggers, containers and texts, and releases.
fn is_harmless(name: Name) -> bool {
    let text = name.as_str();
    vocabulary::is_ending_name(text)
        || converts_text(name)
        || matches!(
            text,
            "debug"
                | "info"
                | "warning"
                | "error"
                | "exception"
                | "log"
                | "append"
                | "get"
                | "format"
                | "join"
                | "encode"
                | "time"
                | "monotonic"
                | "getpid"
                | "getLogger"
                | "rmtree"
                | "unlink"
                | "remove"
                | "strip"
                | "split"
                | "apply_async"
                | "submit"
                | "set_event_loop"
                | "is_set"
                | "set"
                | "clear"
                | "add"
                | "discard"
                | "update"
                | "notify"
                | "notify_all"
                | "items"
                | "keys"
                | "values"
                | "startswith"
                | "endswith"
                | "lower"
                | "upper"
                | "is_alive"
                | "locked"
                | "qsize"
                | "empty"
                | "full"
                | "perf_counter"
                | "fileno"
                | "isatty"
                | "acquire"
                | "release"
                | "create_task"
                | "setLevel"
                | "addHandler"
                | "hasHandlers"
                | "add_reader"
                | "add_writer"
                | "remove_reader"
                | "remove_writer"
                | "get_debug"
                | "set_debug"
                | "is_running"
                | "is_closed"
                | "call_at"
                | "call_later"
                | "call_soon"
        )
}

/// `to_bytes(path, errors="surrogateescape")`: what makes text of bytes and bytes of text, under its usual names.
fn converts_text(name: Name) -> bool {
    matches!(
        name.as_str(),
        "to_bytes" | "to_text" | "to_native" | "to_str" | "to_unicode" | "ensure_bytes" | "ensure_text" | "ensure_str"
    )
}
