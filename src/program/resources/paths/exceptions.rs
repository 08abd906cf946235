//! Which calls raise often enough to speak of it.

use super::super::super::names::Definition;
use super::super::super::{EventRef, vocabulary};
use super::{By, Search};
use crate::facts::flow::{NodeId, Step};
use crate::facts::{EventKind, Expr};
use crate::models::Lost;
use crate::source::Name;

impl Search<'_, '_> {
    /// Whether what happens at a node raises often enough to speak of it, and how well that is known.
    pub(super) fn raises(&self, node: NodeId, mask: u8) -> Option<By> {
        let Step::Event(event) = self.flow.step(node) else { return Some(By::Exception) };
        let is_likely = match self.facts.event(event).kind {
            EventKind::Call(call) => {
                let callee = self.facts.call(call).callee;
                match self.facts.expr(callee) {
                    Expr::Attribute(base, name) if self.is_held(base, mask) && self.is_fallible(name) => {
                        return Some(By::Failure);
                    }
                    Expr::Attribute(_, name) if is_harmless(name) => false,
                    Expr::Name(_) | Expr::Attribute(..) => {
                        let scope = self.program.event_scope(EventRef::new(self.function.module, event));
                        match self.program.resolve(scope.expr(callee)) {
                            Definition::External(path) => !is_harmless_path(path),
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
            EventKind::Await(_) | EventKind::Raise { .. } => true,
            _ => false,
        };
        is_likely.then_some(By::Exception)
    }

    fn is_fallible(&self, method: Name) -> bool {
        self.resource.may_fail.iter().any(|fallible| fallible.as_str().strip_prefix('.') == Some(method.as_str()))
    }
}

/// Functions of libraries that hardly ever raise where they stand, or that say themselves that the system refuses: builtins
/// but for `open`, calls of the system on what is open already, and pure functions.
fn is_harmless_path(path: Name) -> bool {
    let text = path.as_str();
    match text.split_once('.') {
        None => !matches!(text, "open" | "next" | "eval" | "exec" | "input"),
        Some((module, _)) => matches!(
            module,
            "os" | "fcntl"
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
                | "acquire"
                | "release"
        )
}
