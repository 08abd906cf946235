//! What becomes of a resource on each way through the function that acquires it.
//!
//! A search over the control flow, whose state is the set of names that hold the resource. It follows what is possible:
//! a name that holds the resource is not `None`, a test that came out one way where the resource was acquired does
//! not come out the other way later. Where a test on a flag decides about the release, the flag is trusted.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::names::Definition;
use super::super::{EventRef, FunctionRef, Program, ScopeRef, vocabulary};
use super::firsts::Binding;
use super::uses::Use;
use super::{Acquisition, Loss, LostAt, PathLoss};
use crate::facts::flow::{Edge, Flow, NodeId, Step};
use crate::facts::{
    CallId, Constant, ContextId, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, NOTHING, Operator, ScopeId,
};
use crate::models::{Lost, Resource};
use crate::source::{Name, Span};

/// The graphs of a module's functions, made when first asked for.
#[derive(Default)]
pub(super) struct Flows(FxHashMap<FunctionRef, Flow>);

/// How many names of one resource are followed, the acquired one included.
const MOST_NAMES: usize = 8;
/// How many states of one search are looked at; beyond, the function says nothing.
const MOST_STATES: usize = 50_000;
/// How many contexts up a release is looked for in an arm.
const DEEPEST: usize = 32;

/// A point on a way: a node, the names that hold the resource there, and whether only an exception leads there.
type State = (NodeId, u8, bool);

struct Search<'p, 'r> {
    program: &'p Program<'p>,
    facts: &'p FileFacts,
    function: FunctionRef,
    scope: ScopeRef,
    flow: &'r Flow,
    resource: &'r Resource,
    /// Names that hold the resource at one time or another.
    names: Vec<Name>,
    /// Tests on flags and how they come out where the resource is released.
    deciding: FxHashSet<(ExprId, bool)>,
    /// Loops in which the resource is released: that they run at all is trusted.
    deciding_loops: FxHashSet<ContextId>,
    /// Tests around the acquisition and how they came out.
    known: Vec<(ExprId, bool)>,
    start: NodeId,
    is_context_manager: bool,
}

/// What a search has found.
#[derive(Default)]
struct Ways {
    released: Option<EventId>,
    handed_on: Option<EventId>,
    lost: Option<(State, LostAt)>,
    lost_by_exception: Option<LostAt>,
}

impl Program<'_> {
    /// How a function loses what it acquires, if it does.
    pub(super) fn loss_of(
        &self,
        acquisition: &Acquisition,
        resource: &Resource,
        binding: Binding,
        flows: &mut Flows,
    ) -> Option<Loss> {
        let function = acquisition.function;
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let names = self.aliases(scope, binding.name, resource)?;
        // After a fork there are two processes, and each closes its part.
        if facts.scope_events(scope.id).any(|(_, event)| is_fork(facts, event.kind)) {
            return None;
        }
        if names.iter().any(|name| self.is_captured(function, *name)) {
            return None;
        }
        let ends = |call| self.ends_process(scope, call);
        let flow = flows.0.entry(function).or_insert_with(|| Flow::of(facts, scope.id, &ends));
        let start = flow.nodes_of(binding.event).next()?;
        let mut search = Search {
            program: self,
            facts,
            function,
            scope,
            flow,
            resource,
            names,
            deciding: FxHashSet::default(),
            deciding_loops: FxHashSet::default(),
            known: Vec::new(),
            start,
            is_context_manager: self
                .has_decorator(function, &["contextlib.contextmanager", "contextlib.asynccontextmanager"]),
        };
        search.prepare(binding.event);
        let ways = search.run()?;
        let at = |event| EventRef::new(function.module, event);
        let own = match (ways.released, ways.handed_on, ways.lost) {
            (None, None, Some(_)) => return Some(Loss::Never { name: binding.name }),
            (None, None, None) => return None,
            (released, handed_on, Some((_, lost))) => (released.or(handed_on)?, released.is_none(), lost),
            // What a call may raise is worth a word only where nothing else will ever release the resource.
            (Some(released), _, None) if resource.lost != Lost::Goes => (released, false, ways.lost_by_exception?),
            _ => return None,
        };
        let (released, is_handed_on, lost) = own;
        Some(Loss::OnPath(PathLoss { name: binding.name, released: at(released), is_handed_on, lost }))
    }

    /// The names that are bound to a local or to what holds it; `None` where there are too many, or one is not local.
    fn aliases(&self, scope: ScopeRef, first: Name, resource: &Resource) -> Option<Vec<Name>> {
        let facts = self.facts(scope.module);
        let mut names = vec![first];
        let mut next = 0;
        while next < names.len() {
            let name = names[next];
            next += 1;
            for (_, event) in facts.scope_events(scope.id) {
                let EventKind::Bind { target, value } = event.kind else { continue };
                let Expr::Name(target) = facts.expr(target) else { continue };
                let is_held = |id: ExprId| facts.expr(id) == Expr::Name(name);
                let is_alias =
                    is_held(value) || (resource.is_path && self.carries(scope.expr(value), resource, &is_held));
                if is_alias && !names.contains(&target) {
                    names.push(target);
                }
            }
        }
        let are_local = names.iter().all(|name| self.holding_scope(scope, *name) == Some(scope));
        (names.len() <= MOST_NAMES && are_local).then_some(names)
    }

    /// Whether a call never returns.
    fn ends_process(&self, scope: ScopeRef, call: CallId) -> bool {
        let callee = self.facts(scope.module).call(call).callee;
        let last = match self.facts(scope.module).expr(callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => name,
            _ => return false,
        };
        let text = last.as_str();
        if !matches!(text, "exit" | "_exit" | "abort" | "quit") && !text.starts_with("exec") {
            return false;
        }
        self.external_path(scope.expr(callee)).is_some_and(|path| {
            matches!(
                path.as_str(),
                "sys.exit"
                    | "os._exit"
                    | "os.abort"
                    | "exit"
                    | "quit"
                    | "os.execv"
                    | "os.execve"
                    | "os.execvp"
                    | "os.execvpe"
                    | "os.execl"
                    | "os.execlp"
                    | "os.execle"
            )
        })
    }
}

impl Search<'_, '_> {
    /// Finds the flags that decide about the release, and what was known at the acquisition.
    fn prepare(&mut self, acquired: EventId) {
        let condition = |context: ContextId| match self.facts.context(context).kind {
            ContextKind::If(test) => Some(plain(self.facts, test, true)),
            ContextKind::Else(test) => Some(plain(self.facts, test, false)),
            _ => None,
        };
        let around = |event: EventId| {
            let mut next = self.facts.event(event).context;
            let mut found = Vec::new();
            let mut loops = Vec::new();
            for _ in 0..DEEPEST {
                found.extend(condition(next));
                if matches!(self.facts.context(next).kind, ContextKind::For { .. }) {
                    loops.push(next);
                }
                let context = self.facts.context(next);
                if context.parent == next {
                    break;
                }
                next = context.parent;
            }
            (found, loops)
        };
        let (known, loops_around) = around(acquired);
        let (mut deciding, mut deciding_loops) = (FxHashSet::default(), FxHashSet::default());
        for (id, _) in self.facts.scope_events(self.scope.id) {
            if self.use_at(id, u8::MAX) != Use::Nothing {
                let (tests, loops) = around(id);
                deciding.extend(tests.into_iter().filter(|(test, _)| self.is_flag(*test)));
                deciding_loops.extend(loops.into_iter().filter(|id| !loops_around.contains(id)));
            }
        }
        self.known = known;
        self.deciding = deciding;
        self.deciding_loops = deciding_loops;
    }

    /// A test on names and attributes alone, or one that compares the resource itself.
    fn is_flag(&self, test: ExprId) -> bool {
        match self.facts.expr(test) {
            Expr::Binary(_, left, _) if matches!(self.facts.expr(left), Expr::Name(name) if self.holds(name, u8::MAX)) => {
                true
            }
            Expr::Name(_) | Expr::Attribute(..) | Expr::Constant(_) => true,
            Expr::Not(inner) => self.is_flag(inner),
            Expr::And(run) | Expr::Or(run) => self.facts.list(run).iter().any(|part| self.is_flag(*part)),
            Expr::Binary(Operator::Is | Operator::IsNot | Operator::Eq | Operator::NotEq, left, right) => {
                self.is_flag(left) && self.is_flag(right)
            }
            // `isinstance(given, str)`, `hasattr(given, "read")`
            Expr::Call(call) => matches!(self.facts.expr(self.facts.call(call).callee), Expr::Name(name)
                if matches!(name.as_str(), "isinstance" | "hasattr" | "callable" | "bool" | "getattr")),
            _ => false,
        }
    }

    fn holds(&self, name: Name, mask: u8) -> bool {
        self.names.iter().position(|known| *known == name).is_some_and(|bit| mask & (1 << bit) != 0)
    }

    fn use_at(&self, event: EventId, mask: u8) -> Use {
        let event = EventRef::new(self.function.module, event);
        self.program.use_of(event, self.resource, &|name| self.holds(name, mask))
    }

    fn run(&self) -> Option<Ways> {
        let first: State = (self.start, 1, false);
        let mut seen: FxHashMap<State, Option<State>> = FxHashMap::default();
        seen.insert(first, None);
        let mut waiting: VecDeque<State> = VecDeque::from([first]);
        let mut ways = Ways::default();
        while let Some(state) = waiting.pop_front() {
            if seen.len() > MOST_STATES {
                return None;
            }
            let (node, mut mask, by_exception) = state;
            let mut lost = None;
            match self.flow.step(node) {
                Step::Event(event) if node != self.start || seen[&state].is_some() => {
                    match self.after(event, mask, &mut ways) {
                        After::Holds(after) => mask = after,
                        After::Done => continue,
                        After::Lost(at) => lost = Some(at),
                    }
                }
                Step::Assume { test, holds } if self.is_decided(test, holds, mask) => continue,
                Step::Exhausted(context) if self.deciding_loops.contains(&context) => continue,
                Step::Enter(context) if self.is_managed(context, mask) => {
                    ways.released = ways.released.or(self.event_in(context));
                    continue;
                }
                Step::Returned => lost = Some(self.exit(&seen, state)),
                Step::Raised if !by_exception => lost = Some(self.exit(&seen, state)),
                Step::Raised => {
                    let at = self.raising_event(&seen, state);
                    ways.lost_by_exception = ways.lost_by_exception.or(at.map(LostAt::Exception));
                    continue;
                }
                Step::Halted => continue,
                _ => {}
            }
            if let Some(lost) = lost {
                if !by_exception && ways.lost.is_none() {
                    ways.lost = Some((state, lost));
                }
                continue;
            }
            for (_, to, edge) in self.flow.next(node) {
                let is_possible = *edge == Edge::Possible;
                if is_possible && !self.is_likely_to_raise(node) {
                    continue;
                }
                let next = (*to, mask, by_exception || is_possible);
                // Coming back to the beginning acquires another.
                if *to == self.start && !next.2 {
                    if ways.lost.is_none() && mask & !1 == 0 {
                        ways.lost = Some((state, LostAt::Reacquired));
                    }
                    continue;
                }
                if let std::collections::hash_map::Entry::Vacant(entry) = seen.entry(next) {
                    entry.insert(Some(state));
                    waiting.push_back(next);
                }
            }
        }
        Some(ways)
    }

    fn after(&self, event: EventId, mask: u8, ways: &mut Ways) -> After {
        match self.use_at(event, mask) {
            Use::Released => {
                ways.released = ways.released.or(Some(event));
                return After::Done;
            }
            Use::HandedOn => {
                ways.handed_on = ways.handed_on.or(Some(event));
                return After::Done;
            }
            Use::Nothing => {}
        }
        let (target, value) = match self.facts.event(event).kind {
            EventKind::Raise { exception, .. } if self.is_exit(exception) => return After::Done,
            EventKind::Bind { target, value } => (target, value),
            EventKind::BindElement { target, .. }
            | EventKind::BindManager { target, .. }
            | EventKind::BindException { target, .. }
            | EventKind::Delete { target } => (target, NOTHING),
            _ => return After::Holds(mask),
        };
        let Expr::Name(target) = self.facts.expr(target) else { return After::Holds(mask) };
        let Some(bit) = self.names.iter().position(|name| *name == target) else { return After::Holds(mask) };
        let is_held = |id: ExprId| matches!(self.facts.expr(id), Expr::Name(name) if self.holds(name, mask));
        let is_alias = self.program.carries(self.scope.expr(value), self.resource, &is_held);
        let after = if is_alias { mask | 1 << bit } else { mask & !(1 << bit) };
        if after == 0 {
            return After::Lost(LostAt::Overwritten(EventRef::new(self.function.module, event)));
        }
        After::Holds(after)
    }

    /// `raise SystemExit(1)`: the process ends.
    fn is_exit(&self, exception: ExprId) -> bool {
        let raised = match self.facts.expr(exception) {
            Expr::Call(call) => self.facts.call(call).callee,
            _ => exception,
        };
        matches!(self.facts.expr(raised), Expr::Name(name) if matches!(name.as_str(), "SystemExit" | "KeyboardInterrupt"))
    }

    /// A `with` on a name that holds the resource.
    fn is_managed(&self, context: ContextId, mask: u8) -> bool {
        match self.facts.context(context).kind {
            ContextKind::With { manager, .. } => {
                matches!(self.facts.expr(manager), Expr::Name(name) if self.holds(name, mask))
                    && self.resource.released_by.iter().any(|by| by.as_str() == ".__exit__")
            }
            _ => false,
        }
    }

    fn event_in(&self, context: ContextId) -> Option<EventId> {
        let opened = self.facts.context(context).opened;
        self.facts.events.get(opened.index()).map(|_| opened)
    }

    /// A way that is not possible, or about which a flag decides that is right about the release.
    fn is_decided(&self, test: ExprId, holds: bool, mask: u8) -> bool {
        let (test, holds) = plain(self.facts, test, holds);
        if self.known.contains(&(test, !holds)) {
            return true;
        }
        match self.outcome(test, mask) {
            Some(outcome) => outcome != holds,
            None => self.is_flag(test) && self.deciding.contains(&(test, !holds)),
        }
    }

    /// How a test about the resource comes out while it is held.
    fn outcome(&self, test: ExprId, mask: u8) -> Option<bool> {
        let is_held = |id: ExprId| matches!(self.facts.expr(id), Expr::Name(name) if self.holds(name, mask));
        match self.facts.expr(test) {
            Expr::Name(_) => is_held(test).then_some(true),
            Expr::Not(inner) => self.outcome(inner, mask).map(|outcome| !outcome),
            Expr::Binary(operator, left, right) if is_held(left) => {
                let is_none = self.facts.expr(right) == Expr::Constant(Constant::None);
                let is_negative = matches!(self.facts.expr(right), Expr::Constant(Constant::Int(number)) if number < 0);
                match operator {
                    Operator::Is | Operator::Eq if is_none || is_negative => Some(false),
                    Operator::IsNot | Operator::NotEq if is_none || is_negative => Some(true),
                    Operator::Lt | Operator::LtE => Some(false),
                    Operator::Gt | Operator::GtE => Some(true),
                    _ => None,
                }
            }
            // What was acquired is of the type that it was acquired for.
            Expr::Call(call) => {
                let call = self.facts.call(call);
                let is_type_test =
                    matches!(self.facts.expr(call.callee), Expr::Name(name) if name.as_str() == "isinstance");
                let first = self.facts.arguments(call).first().copied().filter(|_| is_type_test)?;
                is_held(first).then_some(true)
            }
            Expr::And(run) => {
                let mut outcomes = self.facts.list(run).iter().map(|part| self.outcome(*part, mask));
                if outcomes.clone().any(|outcome| outcome == Some(false)) {
                    return Some(false);
                }
                outcomes.all(|outcome| outcome == Some(true)).then_some(true)
            }
            Expr::Or(run) => {
                let mut outcomes = self.facts.list(run).iter().map(|part| self.outcome(*part, mask));
                if outcomes.clone().any(|outcome| outcome == Some(true)) {
                    return Some(true);
                }
                outcomes.all(|outcome| outcome == Some(false)).then_some(false)
            }
            _ => None,
        }
    }

    /// Whether what happens at a node raises often enough to speak of it: calls of what is not built in.
    fn is_likely_to_raise(&self, node: NodeId) -> bool {
        let Step::Event(event) = self.flow.step(node) else { return true };
        match self.facts.event(event).kind {
            EventKind::Call(call) => {
                let callee = self.facts.call(call).callee;
                match self.facts.expr(callee) {
                    Expr::Attribute(_, name) if is_harmless(name) => false,
                    Expr::Name(_) | Expr::Attribute(..) => {
                        match self
                            .program
                            .resolve(self.program.event_scope(EventRef::new(self.function.module, event)).expr(callee))
                        {
                            Definition::External(path) => !is_harmless_path(path),
                            _ => true,
                        }
                    }
                    _ => true,
                }
            }
            // What is thrown into a context manager comes out of its `yield`.
            EventKind::Yield(_) => self.is_context_manager,
            EventKind::Await(_) | EventKind::Raise { .. } => true,
            _ => false,
        }
    }

    fn exit(&self, seen: &FxHashMap<State, Option<State>>, state: State) -> LostAt {
        let mut next = seen.get(&state).copied().flatten();
        let mut is_near = true;
        while let Some(before) = next {
            match self.flow.step(before.0) {
                Step::Event(event) if is_near => {
                    let kind = self.facts.event(event).kind;
                    if matches!(kind, EventKind::Return(_) | EventKind::Raise { .. }) {
                        return LostAt::Exit(EventRef::new(self.function.module, event));
                    }
                    is_near = false;
                }
                Step::Assume { test, holds } => return LostAt::End(self.span_of_test(test).map(|span| (span, holds))),
                _ => {}
            }
            next = seen.get(&before).copied().flatten();
        }
        LostAt::End(None)
    }

    fn span_of_test(&self, test: ExprId) -> Option<Span> {
        let scope: ScopeId = self.scope.id;
        let contexts = self.facts.contexts.iter().skip(self.facts.scope(scope).body.index());
        let mut of_scope = contexts.take_while(|context| context.scope.0 >= scope.0);
        of_scope.find_map(|context| match context.kind {
            ContextKind::If(other) | ContextKind::While(other) if other == test => Some(context.span),
            _ => None,
        })
    }

    /// The last event from which only an exception led on.
    fn raising_event(&self, seen: &FxHashMap<State, Option<State>>, state: State) -> Option<EventRef> {
        let mut here = state;
        while let Some(before) = seen.get(&here).copied().flatten() {
            if here.2 && !before.2 {
                return match self.flow.step(before.0) {
                    Step::Event(event) => Some(EventRef::new(self.function.module, event)),
                    _ => None,
                };
            }
            here = before;
        }
        None
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

fn is_fork(facts: &FileFacts, event: EventKind) -> bool {
    let EventKind::Call(call) = event else { return false };
    match facts.expr(facts.call(call).callee) {
        Expr::Name(name) | Expr::Attribute(_, name) => name.as_str().contains("fork"),
        _ => false,
    }
}

/// A test without its negations, and how it comes out.
fn plain(facts: &FileFacts, mut test: ExprId, mut holds: bool) -> (ExprId, bool) {
    while let Expr::Not(inner) = facts.expr(test) {
        (test, holds) = (inner, !holds);
    }
    (test, holds)
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
        )
}

enum After {
    /// These names hold it.
    Holds(u8),
    Done,
    Lost(LostAt),
}
