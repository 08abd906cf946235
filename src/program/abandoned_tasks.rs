//! Tasks that go on waiting when nobody waits for them any more.
//!
//! `asyncio.wait` returns when the first of its tasks is done, or when the time is up, and leaves the others as they are;
//! `asyncio.shield` lets go of what it protects. A task that waits for an event is kept by the event, so that where this
//! is done again and again, the event collects one task after the other. A task that nobody speaks of again can be
//! neither cancelled nor awaited; one that is spoken of is presumed to be.

mod cancelled;
mod futures;

use std::sync::LazyLock;

pub use cancelled::OutlivingTask;

use super::repetition::{Frequency, Repetition};
use super::running_work::is_left_at_first;
use super::{EventRef, ExprRef, FunctionRef, Module, ModuleId, Place, Program, ScopeRef, vocabulary};
use crate::facts::{
    CallId, Constant, ContextId, ContextKind, DisplayKind, EventId, EventKind, Expr, ExprId, FileFacts, Operator,
};
use crate::finding::Label;
use crate::source::Name;

/// A task that is left waiting each time.
#[derive(Clone, Debug)]
pub struct AbandonedTask {
    /// The call that makes it.
    pub event: EventRef,
    /// The call that goes on without it.
    pub left_by: EventRef,
    pub how: LeftBy,
    /// Where it waits.
    pub awaited: Wait,
    pub again: Again,
}

/// What goes on without the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftBy {
    FirstCompleted,
    Timeout,
    /// The same, where it is a future that a container keeps until it is done.
    TimeoutOfFuture,
    /// `wait_for(shield(…))`.
    Shield,
}

/// How often a task is left.
#[derive(Clone, Debug)]
pub enum Again {
    /// In each turn of a loop.
    Turn,
    /// In each call of the function.
    Call(Repetition),
}

/// Something that only somebody else ends.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    pub event: EventRef,
    /// The event, queue or condition.
    pub on: ExprRef,
    pub until: Name,
    /// It is known by its type, not only by its name.
    pub is_known: bool,
    /// It happens once, and until then it keeps all that wait.
    pub is_final: bool,
}

/// How many functions are followed to what a task waits for.
const DEPTH: u32 = 3;

/// What waits for tasks, by its last name.
static WAITING: LazyLock<[Name; 3]> = LazyLock::new(|| ["wait", "wait_for", "as_completed"].map(Name::new));
/// What `asyncio` has for it, also under where the functions are defined.
const WAITS: [&str; 2] = ["asyncio.wait", "asyncio.tasks.wait"];
const WAITS_FOR: [&str; 2] = ["asyncio.wait_for", "asyncio.tasks.wait_for"];
const COMPLETED: [&str; 2] = ["asyncio.as_completed", "asyncio.tasks.as_completed"];
const SHIELDS: [&str; 2] = ["asyncio.shield", "asyncio.tasks.shield"];
const MAKES_TASK: [&str; 4] =
    ["asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task", "asyncio.Task"];

/// A task among those that are waited for.
struct Candidate {
    call: CallId,
    /// The variable that holds it.
    name: Option<Name>,
}

impl Program<'_> {
    /// The tasks that a module leaves waiting, in source order, one for each call that leaves some; and those that its
    /// functions leave when they are cancelled.
    pub fn abandoned_tasks(&self, module: ModuleId) -> (Vec<AbandonedTask>, Vec<OutlivingTask>) {
        let mut found = Vec::new();
        let mut outliving = Vec::new();
        for (scope, id, path) in self.waiting_calls(module) {
            if WAITS.contains(&path.as_str()) {
                found.extend(self.left_by_wait(scope, id));
                outliving.extend(self.left_by_cancellation(scope, id));
            } else if WAITS_FOR.contains(&path.as_str()) {
                found.extend(self.left_by_shield(scope, id));
            } else if COMPLETED.contains(&path.as_str()) {
                found.extend(self.left_by_loop(scope, id));
            }
        }
        (found, outliving)
    }

    /// The calls that wait for tasks, with what they call.
    fn waiting_calls(&self, module: ModuleId) -> Vec<(ScopeRef, CallId, Name)> {
        let facts = self.facts(module);
        let waits = &*WAITING;
        let imported = facts.imported_as(waits);
        let is_used = imported.iter().any(|name| self.module(module).may_name(*name));
        if !is_used || !facts.imports.iter().any(|import| import.module.as_str().split('.').next() == Some("asyncio")) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (number, call) in facts.calls.iter().enumerate() {
            match facts.expr(call.callee) {
                Expr::Name(name) if imported.contains(&name) => {}
                Expr::Attribute(_, name) if waits.contains(&name) => {}
                _ => continue,
            }
            let scope = self.event_scope(EventRef::new(module, call.event));
            if let Some(path) = self.external_path(scope.expr(call.callee)) {
                found.push((scope, CallId(number as u32), path));
            }
        }
        found
    }

    fn left_by_wait(&self, scope: ScopeRef, wait: CallId) -> Option<AbandonedTask> {
        let facts = self.facts(scope.module);
        let call = facts.call(wait);
        let given = |keyword: &str| {
            let named = |(name, value): &(Option<Name>, ExprId)| {
                name.is_some_and(|name| name.as_str() == keyword).then_some(*value)
            };
            facts.keyword_arguments(call).iter().find_map(named)
        };
        let has_timeout = given("timeout").is_some_and(|value| facts.expr(value) != Expr::Constant(Constant::None));
        let is_first = given("return_when").is_some_and(|value| is_named(facts, value, "FIRST_COMPLETED"));
        let tasks = *facts.arguments(call).first().or(given("fs").as_ref())?;
        let function = self.enclosing_function(scope)?;
        let (candidates, count) = self.candidates(scope, function, tasks, call.event)?;
        let how = match is_first && count > 1 {
            true => LeftBy::FirstCompleted,
            false if has_timeout => LeftBy::Timeout,
            false => return None,
        };
        if !is_pending_dropped(self.module(scope.module), wait, function) {
            return None;
        }
        let left_by = EventRef::new(scope.module, call.event);
        let mut left: Vec<AbandonedTask> = candidates
            .into_iter()
            .filter_map(|candidate| self.abandoned(scope, function, candidate, left_by, how))
            .collect();
        // Of several, the one that nothing ends before the end.
        left.sort_by_key(|task| !(task.awaited.is_final && task.awaited.is_known));
        left.into_iter().next()
    }

    /// `for first in as_completed([…]): await first; break`
    fn left_by_loop(&self, scope: ScopeRef, wait: CallId) -> Option<AbandonedTask> {
        let facts = self.facts(scope.module);
        let call = facts.call(wait);
        let iterable = facts.id_of(Expr::Call(wait))?;
        let at = facts.contexts.iter().position(|context| context.kind == ContextKind::For { iterable })?;
        if !is_left_at_first(facts, ContextId(at as u32)) {
            return None;
        }
        let function = self.enclosing_function(scope)?;
        let (candidates, count) = self.candidates(scope, function, *facts.arguments(call).first()?, call.event)?;
        let left_by = EventRef::new(scope.module, call.event);
        let mut left = candidates.into_iter().filter(|_| count > 1);
        left.find_map(|candidate| self.abandoned(scope, function, candidate, left_by, LeftBy::FirstCompleted))
    }

    fn left_by_shield(&self, scope: ScopeRef, wait: CallId) -> Option<AbandonedTask> {
        let facts = self.facts(scope.module);
        let call = facts.call(wait);
        let Expr::Call(shield) = facts.expr(*facts.arguments(call).first()?) else { return None };
        let shield = facts.call(shield);
        let path = self.external_path(scope.expr(shield.callee))?;
        if !SHIELDS.contains(&path.as_str()) {
            return None;
        }
        let Expr::Call(made) = facts.expr(*facts.arguments(shield).first()?) else { return None };
        let left_by = EventRef::new(scope.module, call.event);
        let candidate = Candidate { call: made, name: None };
        self.abandoned(scope, self.enclosing_function(scope)?, candidate, left_by, LeftBy::Shield)
    }

    /// The tasks in `{…}`, or in the one display that a variable is bound to: those that are known, and how many there are.
    fn candidates(
        &self,
        scope: ScopeRef,
        function: FunctionRef,
        tasks: ExprId,
        wait: EventId,
    ) -> Option<(Vec<Candidate>, usize)> {
        let facts = self.facts(scope.module);
        let display = |expr: Expr| match expr {
            Expr::Display(DisplayKind::List | DisplayKind::Set | DisplayKind::Tuple, run) => Some(facts.list(run)),
            _ => None,
        };
        let items = match facts.expr(tasks) {
            Expr::Name(name) => {
                let value = self.only_value(scope.expr(tasks)).filter(|value| value.scope == scope)?;
                display(self.expr(value)).filter(|_| is_only_looked_at(facts, function, name, wait, tasks))?
            }
            expr => display(expr)?,
        };
        let known = items.iter().filter_map(|item| match facts.expr(*item) {
            Expr::Call(call) => Some(Candidate { call, name: None }),
            Expr::Name(name) => {
                match self.expr(self.only_value(scope.expr(*item)).filter(|value| value.scope == scope)?) {
                    Expr::Call(call) => Some(Candidate { call, name: Some(name) }),
                    _ => None,
                }
            }
            _ => None,
        });
        Some((known.collect(), items.len()))
    }

    fn abandoned(
        &self,
        scope: ScopeRef,
        function: FunctionRef,
        candidate: Candidate,
        left_by: EventRef,
        how: LeftBy,
    ) -> Option<AbandonedTask> {
        let facts = self.facts(scope.module);
        let call = facts.call(candidate.call);
        let event = EventRef::new(scope.module, call.event);
        if let Some(name) = candidate.name {
            let waited = facts.call(self.call_of(left_by)?);
            let display = *facts.arguments(waited).first()?;
            if !is_only_looked_at(facts, function, name, left_by.id, display) {
                return None;
            }
        }
        let waiting = match self.is_task(scope, candidate.call) {
            true => *facts.arguments(call).first()?,
            false => facts.id_of(Expr::Call(candidate.call))?,
        };
        if how == LeftBy::Timeout
            && let Some(kept) = self.kept_future(scope, candidate.call)
        {
            return self.left_future(event, left_by, kept);
        }
        let awaited = self.wait_of(scope.expr(waiting), DEPTH)?;
        let again = self.left_again(event, left_by, &awaited, candidate.name)?;
        Some(AbandonedTask { event, left_by, how, awaited, again })
    }

    /// Whether a call makes a task that runs on the event loop alone.
    fn is_task(&self, scope: ScopeRef, call: CallId) -> bool {
        let facts = self.facts(scope.module);
        let called = facts.call(call).callee;
        let callee = scope.expr(called);
        (self.external_path(callee).or_else(|| self.method_path(callee)))
            .is_some_and(|path| MAKES_TASK.contains(&path.as_str()))
            || matches!(facts.expr(called), Expr::Attribute(base, name)
                if name.as_str() == "create_task" && is_loop(facts, base))
    }

    fn call_of(&self, event: EventRef) -> Option<CallId> {
        match self.facts(event.module).event(event.id).kind {
            EventKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// What a coroutine waits for that only somebody else ends.
    fn wait_of(&self, coroutine: ExprRef, depth: u32) -> Option<Wait> {
        let depth = depth.checked_sub(1)?;
        let Expr::Call(id) = self.expr(coroutine) else { return None };
        let facts = self.facts(coroutine.scope.module);
        let call = facts.call(id);
        let callee = coroutine.scope.expr(call.callee);
        if let Some(function) = self.callee(coroutine.scope, id) {
            return self.wait_in(function, depth);
        }
        let Expr::Attribute(base, method) = facts.expr(call.callee) else { return None };
        let on = callee.scope.expr(base);
        let event = EventRef::new(callee.scope.module, call.event);
        if let Some(waits) = self.method_path(callee).and_then(|path| self.models.waits(path)) {
            let is_final = waits.ends_all && !self.is_cleared(on);
            return Some(Wait { event, on, until: waits.until, is_known: true, is_final });
        }
        // `stop_event.wait()` on what is not known.
        let (Expr::Name(name) | Expr::Attribute(_, name)) = facts.expr(base) else { return None };
        let is_event = method.as_str() == "wait"
            && call.arguments.len == 0
            && call.keywords.len == 0
            && vocabulary::last_word(name.as_str()) == "event"
            && self.type_of(on) == super::types::Type::Unknown;
        let is_final = !self.is_cleared(on);
        is_event.then(|| Wait { event, on, until: Name::new("the event is set"), is_known: false, is_final })
    }

    /// The first such thing that an async function of the project awaits, without a limit of time.
    fn wait_in(&self, function: FunctionRef, depth: u32) -> Option<Wait> {
        let declared = self.function(function);
        if !declared.is_async || declared.is_generator || declared.decorators.len != 0 {
            return None;
        }
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        facts.scope_events(declared.scope).find_map(|(_, event)| {
            let EventKind::Await(value) = event.kind else { return None };
            let has_limit = (facts.contexts_around(event.context))
                .any(|context| matches!(context.kind, ContextKind::With { is_async: true, .. } | ContextKind::Try));
            (!has_limit).then(|| self.wait_of(scope.expr(value), depth))?
        })
    }

    /// Whether an event is taken back somewhere, so that those who wait are let go again and again.
    fn is_cleared(&self, on: ExprRef) -> bool {
        let (Expr::Name(name) | Expr::Attribute(_, name)) = self.expr(on) else { return true };
        let clear = Name::new("clear");
        self.module_ids().any(|module| {
            let facts = self.facts(module);
            self.module(module).may_name(name)
                && self.module(module).may_name(clear)
                && facts.calls.iter().any(|call| {
                    matches!(facts.expr(call.callee), Expr::Attribute(base, method)
                        if method == clear
                            && matches!(facts.expr(base), Expr::Name(other) | Expr::Attribute(_, other) if other == name))
                })
        })
    }

    /// Whether tasks pile up: they are made again and again while what they wait for stays the same.
    fn left_again(&self, made: EventRef, left_by: EventRef, awaited: &Wait, name: Option<Name>) -> Option<Again> {
        let facts = self.facts(made.module);
        let around = self.event_function(made)?;
        let place = self.reach(awaited.on).map(|reach| reach.place);
        let turn = facts.contexts_around(facts.event(made.id).context).find(|context| context.kind.is_loop());
        let is_in = |event: EventRef, group: ContextId| {
            let mut contexts = facts.contexts_around(facts.event(event.id).context);
            contexts.any(|context| context.group == group && context.kind.is_loop())
        };
        // `if task in done: task = …` makes it when the last one has ended.
        let is_asked = name.is_some_and(|name| {
            self.conditions(made)
                .iter()
                .any(|condition| condition.test.scope.module == made.module && facts.mentions(condition.test.id, name))
        });
        if is_asked {
            return None;
        }
        if let Some(turn) = turn {
            let is_made_inside = matches!(place, Some(Place::Local(scope, name))
                if self.module(scope.module).bindings_of(scope.id, name).any(|binding|
                    scope.module == made.module && is_in(EventRef::new(made.module, binding), turn.group)));
            let is_left = self.is_left_after(left_by)
                || self.call_of(left_by).is_some_and(|wait| is_left_with_pending(facts, around, wait));
            let goes_on = is_in(left_by, turn.group) && !is_left;
            return (goes_on && !is_made_inside).then_some(Again::Turn);
        }
        // One task for all turns: it is left when the loop is.
        if facts.contexts_around(facts.event(left_by.id).context).any(|context| context.kind.is_loop()) {
            return None;
        }
        let repetition = match place? {
            Place::Instance(class, _) => self.repetition_in_life(made, class),
            Place::Module(..) | Place::Class(..) | Place::Function(..) => self.repetition(made),
            // A parameter belongs to somebody else, a variable of a function around to its call.
            Place::Local(scope, _) if scope == self.function_scope(around) => return None,
            Place::Local(..) | Place::Unresolved(_) => self.repetition(made),
        };
        (repetition.frequency >= Frequency::Presumed).then_some(Again::Call(repetition))
    }

    /// The lines of the argument, in reading order.
    pub fn abandoned_task_labels(&self, task: &AbandonedTask) -> Vec<Label> {
        let left = match task.how {
            LeftBy::FirstCompleted => "goes on when the first is done; the others are neither cancelled nor awaited",
            LeftBy::Timeout | LeftBy::TimeoutOfFuture => "goes on when the time is up, and what it waited for stays",
            LeftBy::Shield => "goes on when the time is up, and `shield` keeps the task from being cancelled",
        };
        let mut labels = vec![Label { location: self.event_location(task.left_by), message: left.to_owned() }];
        if task.awaited.event.module != task.event.module || task.awaited.event.id != task.event.id {
            labels.push(Label {
                location: self.event_location(task.awaited.event),
                message: match task.how {
                    LeftBy::TimeoutOfFuture => "kept here until it is done".to_owned(),
                    _ => format!("waits here until {}", task.awaited.until),
                },
            });
        }
        if let Again::Call(repetition) = &task.again {
            labels.extend(repetition.reasons.iter().take(2).cloned());
        }
        labels
    }

    /// What a task waits for, as a reader would name it.
    pub fn awaited_name(&self, task: &AbandonedTask) -> String {
        match self.expr(task.awaited.on) {
            Expr::Name(name) | Expr::Attribute(_, name) => name.to_string(),
            _ => "….wait".to_owned(),
        }
    }
}

fn is_named(facts: &FileFacts, value: ExprId, wanted: &str) -> bool {
    matches!(facts.expr(value), Expr::Name(name) | Expr::Attribute(_, name) | Expr::Constant(Constant::Word(name))
        if name.as_str() == wanted)
}

/// `loop`, `self._loop`, `asyncio.get_running_loop()`.
fn is_loop(facts: &FileFacts, base: ExprId) -> bool {
    match facts.expr(base) {
        Expr::Name(name) | Expr::Attribute(_, name) => vocabulary::last_word(name.as_str()) == "loop",
        Expr::Call(call) => is_loop(facts, facts.call(call).callee),
        _ => false,
    }
}

/// Whether nothing speaks of what `asyncio.wait` gives as pending.
fn is_pending_dropped(module: &Module, wait: CallId, function: FunctionRef) -> bool {
    let facts = module.facts();
    let Some(result) = facts.id_of(Expr::Call(wait)).and_then(|call| facts.id_of(Expr::Await(call))) else {
        return false;
    };
    match elements_bound(facts, result)[..] {
        [_, pending] => match facts.expr(pending) {
            Expr::Name(name) => is_only_looked_at(facts, function, name, facts.call(wait).event, pending),
            _ => false,
        },
        [] => !module.is_part_of_something(result),
        _ => false,
    }
}

/// What the elements of a result are bound to.
fn elements_bound(facts: &FileFacts, result: ExprId) -> Vec<ExprId> {
    let element = facts.id_of(Expr::Element(result));
    (facts.events.iter())
        .filter_map(|event| match event.kind {
            EventKind::Bind { target, value } if Some(value) == element => Some(target),
            _ => None,
        })
        .collect()
}

/// Whether a loop is left where something is pending: `if pending: raise TimeoutError`.
fn is_left_with_pending(facts: &FileFacts, function: FunctionRef, wait: CallId) -> bool {
    let result = facts.id_of(Expr::Call(wait)).and_then(|call| facts.id_of(Expr::Await(call)));
    let Some(&[_, pending]) = result.map(|result| elements_bound(facts, result)).as_deref() else { return false };
    facts.scope_events(facts.function(function.id).scope).any(|(_, event)| {
        matches!(event.kind, EventKind::Raise { .. } | EventKind::Return(_) | EventKind::Break)
            && matches!(facts.context(event.context).kind, ContextKind::If(test) if test == pending)
    })
}

/// Whether a variable is only asked how it is: neither it nor what it holds can be ended by that. What `except_in`
/// does with it does not count, nor does the display that it is part of there.
fn is_only_looked_at(
    facts: &FileFacts,
    function: FunctionRef,
    name: Name,
    except_in: EventId,
    display: ExprId,
) -> bool {
    let span = facts.function(function.id).span;
    let is_inside = |other: crate::source::Span| span.start <= other.start && other.end <= span.end;
    let is_it = |id: ExprId| facts.expr(id) == Expr::Name(name);
    let in_events = facts.events.iter().enumerate().filter(|(_, event)| is_inside(event.span)).any(|(number, event)| {
        if except_in.index() == number {
            return false;
        }
        match event.kind {
            EventKind::Call(call) => {
                let call = facts.call(call);
                let is_asked = matches!(facts.expr(call.callee), Expr::Attribute(base, method)
                    if is_it(base) && matches!(method.as_str(), "done" | "result" | "exception" | "cancelled" | "get_name" | "set_name"));
                !is_asked
                    && (hands_on(facts, call.callee, name) || facts.all_arguments(call).any(|id| hands_on(facts, id, name)))
            }
            EventKind::Bind { target, value } => {
                !is_it(target) && hands_on(facts, target, name) || value != display && hands_on(facts, value, name)
            }
            EventKind::Assert { .. } => false,
            kind => kind.operands().into_iter().any(|id| hands_on(facts, id, name)),
        }
    });
    let in_contexts = || {
        facts.contexts.iter().filter(|context| is_inside(context.span)).any(|context| match context.kind {
            ContextKind::For { iterable } => hands_on(facts, iterable, name),
            ContextKind::With { manager, .. } => hands_on(facts, manager, name),
            _ => false,
        })
    };
    !in_events && !in_contexts()
}

/// Whether a value may be, hold or reach what a variable holds; comparing it is no such thing.
fn hands_on(facts: &FileFacts, id: ExprId, name: Name) -> bool {
    match facts.expr(id) {
        Expr::Name(other) => other == name,
        Expr::Binary(Operator::In | Operator::NotIn | Operator::Is | Operator::IsNot | Operator::Eq, ..)
        | Expr::Not(_) => false,
        expr => facts.operands(expr).any(|operand| hands_on(facts, operand, name)),
    }
}
