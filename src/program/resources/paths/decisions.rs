//! Which ways are possible: what tests say about the resource, and about flags that decide about its release.

use rustc_hash::FxHashSet;

use super::super::super::{Program, ScopeRef};
use super::{DEEPEST, Search, Seen, State, local_name};
use crate::facts::flow::Step;
use crate::facts::{CallId, Constant, ContextId, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, Operator};
use crate::source::Name;

impl Search<'_, '_> {
    /// Finds the flags that decide about the release, and what was known at the acquisition.
    pub(super) fn decide(&mut self, acquired: EventId) {
        let (known, loops_around) = self.tests_around(acquired);
        let (mut deciding, mut deciding_loops) = (FxHashSet::default(), FxHashSet::default());
        for event in self.uses.keys().filter(|event| !self.lending.contains(event)) {
            let (tests, loops) = self.tests_around(*event);
            deciding.extend(tests.into_iter().filter(|(test, _)| self.is_flag(*test)));
            deciding_loops.extend(loops.into_iter().filter(|id| !loops_around.contains(id)));
        }
        // Where both arms release it, the test does not decide.
        let one_sided = |(test, holds): &(ExprId, bool)| !deciding.contains(&(*test, !*holds));
        self.deciding = deciding.iter().filter(|decision| one_sided(decision)).copied().collect();
        // What was known of the name before it held the resource is no longer so.
        self.known = known.into_iter().filter(|(test, _)| !self.is_about_resource(*test)).collect();
        self.deciding_loops = deciding_loops;
    }

    /// The tests around an event and how they came out, and the loops around it.
    fn tests_around(&self, event: EventId) -> (Vec<(ExprId, bool)>, Vec<ContextId>) {
        let (mut tests, mut loops) = (Vec::new(), Vec::new());
        for id in self.contexts_of(event) {
            match self.facts.context(id).kind {
                ContextKind::If(test) => tests.push(plain(self.facts, test, true)),
                ContextKind::Else(test) => tests.push(plain(self.facts, test, false)),
                ContextKind::For { .. } => loops.push(id),
                _ => {}
            }
        }
        (tests, loops)
    }

    /// Whether an event happens in the child of a fork alone.
    pub(super) fn is_in_child(&self, event: EventId) -> bool {
        self.forked.is_some_and(|child| self.tests_around(event).0.contains(&child))
    }

    fn is_about_resource(&self, test: ExprId) -> bool {
        match self.facts.expr(test) {
            Expr::Not(inner) => self.is_about_resource(inner),
            Expr::Binary(_, left, _) => self.is_held(left, u8::MAX),
            _ => self.is_held(test, u8::MAX),
        }
    }

    /// Whether a name that was tested around the acquisition is bound anew on the way to a state: the next turn of the
    /// loop will not come to another acquisition by the same test.
    pub(super) fn changes_what_was_tested(&self, seen: &Seen, state: State, acquired: EventId) -> bool {
        let (tests, _) = self.tests_around(acquired);
        if tests.iter().any(|(test, holds)| *holds && self.is_of_first_turn(*test)) {
            return true;
        }
        let loops = self.contexts_of(acquired).into_iter().filter_map(|id| match self.facts.context(id).kind {
            ContextKind::While(test) => Some(test),
            _ => None,
        });
        let mut names: FxHashSet<ExprId> = FxHashSet::default();
        for test in tests.into_iter().map(|(test, _)| test).chain(loops) {
            self.names_in(test, &mut names);
        }
        let mut next = Some(state);
        while let Some(here) = next.filter(|_| !names.is_empty()) {
            if let Step::Event(event) = self.flow.step(here.0)
                && let EventKind::Bind { target, value } = self.facts.event(event).kind
                && names.contains(&target)
                && matches!(self.facts.expr(value), Expr::Constant(_))
            {
                return true;
            }
            next = seen.get(&here).copied().flatten();
        }
        false
    }

    /// `if number == 0`, where a loop counts: there is no other turn like this.
    fn is_of_first_turn(&self, test: ExprId) -> bool {
        let Expr::Binary(Operator::Eq, left, right) = self.facts.expr(test) else { return false };
        matches!(self.facts.expr(right), Expr::Constant(Constant::Int(_)))
            && self.facts.scope_events(self.scope.id).any(|(_, event)| match event.kind {
                EventKind::Bind { target, value } => {
                    target == left && matches!(self.facts.expr(value), Expr::Element(_))
                }
                EventKind::BindElement { target, .. } => target == left,
                _ => false,
            })
    }

    fn names_in(&self, test: ExprId, names: &mut FxHashSet<ExprId>) {
        match self.facts.expr(test) {
            Expr::Name(_) => {
                names.insert(test);
            }
            Expr::Not(inner) => self.names_in(inner, names),
            Expr::Binary(_, left, _) => self.names_in(left, names),
            Expr::And(run) | Expr::Or(run) => self.facts.list(run).iter().for_each(|part| self.names_in(*part, names)),
            _ => {}
        }
    }

    /// A test on names and attributes alone, or one that compares the resource itself.
    fn is_flag(&self, test: ExprId) -> bool {
        match self.facts.expr(test) {
            Expr::Binary(_, left, _) if self.is_held(left, u8::MAX) => true,
            // What the resource tells of itself says nothing about whose it is, but for whether it is open or has ended.
            Expr::Attribute(base, name) if self.is_held(base, u8::MAX) => {
                name.as_str().contains("close") || name.as_str() == "returncode"
            }
            Expr::Name(_) | Expr::Attribute(..) => !self.is_found_out(test),
            Expr::Constant(_) => true,
            Expr::Not(inner) => self.is_flag(inner),
            Expr::And(run) | Expr::Or(run) => self.facts.list(run).iter().any(|part| self.is_flag(*part)),
            Expr::Binary(Operator::Is | Operator::IsNot | Operator::Eq | Operator::NotEq, left, right) => {
                self.is_flag(left) && self.is_flag(right)
            }
            // `os.path.isfile(path)`, where the path came with the resource
            Expr::Call(call) if self.asks_for_what_came_along(call) => true,
            // `isinstance(given, str)`, `hasattr(given, "read")`
            Expr::Call(call) => matches!(self.facts.expr(self.facts.call(call).callee), Expr::Name(name)
                if matches!(name.as_str(), "isinstance" | "hasattr" | "callable" | "bool" | "getattr")),
            _ => false,
        }
    }

    /// Whether a name holds what was found out after the acquisition, such as the answer of a connection: that says what to
    /// do with the answer, not whose the resource is. Of an attribute, the name that it is looked up on counts.
    fn is_found_out(&self, mut expr: ExprId) -> bool {
        for _ in 0..DEEPEST {
            let Expr::Attribute(base, _) = self.facts.expr(expr) else { break };
            expr = base;
        }
        let Some(name) = local_name(self.facts, expr).filter(|_| !self.is_held(expr, u8::MAX)) else { return false };
        let module = self.program.module(self.scope.module);
        let mut bindings = module.bindings_of(self.scope.id, name).peekable();
        let acquired = self.first_event();
        let function = self.facts.function(self.function.id);
        let is_given = self.facts.parameters(function).iter().any(|parameter| parameter.name == name);
        bindings.peek().is_some()
            && !is_given
            && bindings.all(|event| match self.facts.event(event).kind {
                EventKind::Bind { value, .. } => Some(event) > acquired && self.is_computed(value),
                _ => false,
            })
    }

    /// A call or what it gives; no constant, comparison or other name, as flags are made of.
    fn is_computed(&self, value: ExprId) -> bool {
        match self.facts.expr(value) {
            Expr::Call(_) => true,
            Expr::Await(inner) | Expr::Element(inner) => self.is_computed(inner),
            Expr::Attribute(base, _) | Expr::Subscript(base, _) => self.is_computed(base),
            _ => false,
        }
    }

    /// The places that hold the resource once a test has come out so; `None` for a way that is not possible, or about
    /// which a flag decides that is right about the release.
    pub(super) fn assumed(&self, test: ExprId, holds: bool, mask: u8) -> Option<u8> {
        let (test, holds) = plain(self.facts, test, holds);
        if self.forked == Some((test, holds)) {
            return None;
        }
        if self.known.contains(&(test, !holds)) {
            return None;
        }
        // What was made of the resource may be nothing, and then nothing has it.
        if self.wrappers & mask != 0 && self.outcome(test, self.wrappers & mask) == Some(!holds) {
            return Some(mask & !self.wrappers).filter(|left| *left != 0);
        }
        // Where it was nothing, it still is.
        if self.outcome(test, self.wrappers & !mask) == Some(holds) {
            return None;
        }
        let is_impossible = match self.outcome(test, mask & !self.wrappers) {
            Some(outcome) => outcome != holds,
            None => self.is_flag(test) && self.deciding.contains(&(test, !holds)),
        };
        (!is_impossible).then_some(mask)
    }

    /// How a test about the resource comes out while these places hold it.
    fn outcome(&self, test: ExprId, mask: u8) -> Option<bool> {
        let is_held = |id: ExprId| self.is_held(id, mask);
        match self.facts.expr(test) {
            Expr::Attribute(base, name) if is_held(base) && tells_whether_open(name).is_some() => {
                tells_whether_open(name)
            }
            Expr::Name(_) | Expr::Attribute(..) => is_held(test).then_some(true),
            Expr::Not(inner) => self.outcome(inner, mask).map(|outcome| !outcome),
            Expr::Binary(operator, left, right) if is_held(left) => {
                let is_none = self.facts.expr(right) == Expr::Constant(Constant::None);
                let is_negative = match self.facts.expr(right) {
                    Expr::Constant(Constant::Int(number)) => number < 0,
                    // `INVALID_HANDLE_VALUE`
                    Expr::Name(name) | Expr::Attribute(_, name) => name.as_str().contains("INVALID"),
                    _ => false,
                };
                match operator {
                    Operator::Is | Operator::Eq if is_none || is_negative => Some(false),
                    Operator::IsNot | Operator::NotEq if is_none || is_negative => Some(true),
                    Operator::Lt | Operator::LtE => Some(false),
                    Operator::Gt | Operator::GtE => Some(true),
                    _ => None,
                }
            }
            Expr::Call(call) if self.asks_for_existence(call, &is_held) => Some(true),
            // What was acquired is of the type that it was acquired for.
            Expr::Call(call) => {
                let call = self.facts.call(call);
                if let Expr::Attribute(base, name) = self.facts.expr(call.callee) {
                    // `writer.transport.is_closing()`
                    let of_part = matches!(self.facts.expr(base), Expr::Attribute(inner, _) if is_held(inner));
                    return tells_whether_open(name).filter(|_| is_held(base) || of_part);
                }
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

    /// `os.path.exists(folder)`, `folder.is_dir()`: what is on the disk until it is removed.
    fn asks_for_existence(&self, call: CallId, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        self.resource.is_path && self.asks_whether_exists(call, is_held)
    }

    fn asks_for_what_came_along(&self, call: CallId) -> bool {
        let beside = self.program.elements_beside(self.scope, self.places[0]);
        !beside.is_empty() && self.asks_whether_exists(call, &|id| beside.contains(&id))
    }

    fn asks_whether_exists(&self, call: CallId, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        let call = self.facts.call(call);
        let Expr::Attribute(base, name) = self.facts.expr(call.callee) else { return false };
        matches!(name.as_str(), "exists" | "lexists" | "isdir" | "isfile" | "is_dir" | "is_file")
            && (is_held(base) || self.facts.arguments(call).first().is_some_and(|path| is_held(*path)))
    }
}

impl Program<'_> {
    /// The test by which the child of a fork knows itself, with how it comes out there, where the child never leaves its
    /// branch: `pid = os.fork()`, and `if pid == 0` ends in `os._exit`. What it closes there is closed for itself alone.
    ///
    /// `Some(None)` without a fork; `None` where two processes go on, and each closes its part.
    pub(super) fn forked_child(&self, scope: ScopeRef) -> Option<Option<(ExprId, bool)>> {
        let facts = self.facts(scope.module);
        let mut forks = facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
            EventKind::Call(call) if is_fork(facts, call) => Some(call),
            _ => None,
        });
        let Some(fork) = forks.next() else { return Some(None) };
        if forks.next().is_some() {
            return None;
        }
        let number = facts.scope_events(scope.id).find_map(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if facts.expr(value) == Expr::Call(fork) => Some(target),
            _ => None,
        })?;
        let ends_in = |branch: ContextId| {
            facts.scope_events(scope.id).any(|(_, event)| match event.kind {
                EventKind::Call(call) => {
                    self.ends_process(scope, call)
                        && facts.context_ids_around(event.context).any(|around| around == branch)
                }
                _ => false,
            })
        };
        let contexts = facts.contexts.iter().enumerate().filter(|(_, context)| context.scope == scope.id);
        let mut children = contexts.filter_map(|(id, context)| {
            let (test, holds) = match context.kind {
                ContextKind::If(test) => plain(facts, test, true),
                ContextKind::Else(test) => plain(facts, test, false),
                _ => return None,
            };
            let is_child = is_child_where_true(facts, test, number)? == holds;
            is_child.then_some((ContextId(id as u32), (test, holds)))
        });
        let (branch, child) = children.next()?;
        ends_in(branch).then_some(Some(child))
    }
}

/// Whether a test on the number that a fork gave is true in the child, or in its parent: `pid == 0`, `pid`.
fn is_child_where_true(facts: &FileFacts, test: ExprId, number: ExprId) -> Option<bool> {
    match facts.expr(test) {
        _ if test == number => Some(false),
        Expr::Binary(operator, left, right)
            if left == number && facts.expr(right) == Expr::Constant(Constant::Int(0)) =>
        {
            match operator {
                Operator::Eq => Some(true),
                Operator::NotEq | Operator::Gt => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_fork(facts: &FileFacts, call: CallId) -> bool {
    match facts.expr(facts.call(call).callee) {
        Expr::Name(name) | Expr::Attribute(_, name) => name.as_str().contains("fork"),
        _ => false,
    }
}

/// A test without its negations, and how it comes out.
pub(in crate::program::resources) fn plain(facts: &FileFacts, mut test: ExprId, mut holds: bool) -> (ExprId, bool) {
    while let Expr::Not(inner) = facts.expr(test) {
        (test, holds) = (inner, !holds);
    }
    (test, holds)
}

/// What an attribute or method says of a resource that was acquired and not released: that it is open. Where it says
/// otherwise, there is nothing to release.
fn tells_whether_open(name: Name) -> Option<bool> {
    match name.as_str() {
        "closed" | "is_closed" | "is_closing" => Some(false),
        "is_open" | "isOpen" | "opened" | "isOpened" | "is_connected" | "connected" => Some(true),
        _ => None,
    }
}
