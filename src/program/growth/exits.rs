//! Which removals an `await` can skip.
//!
//! A coroutine that waits may never go on: its task is cancelled, or what it waits for fails. An entry that it put
//! somewhere before, and that it takes out only after, then stays. So for each entry that a coroutine adds and then
//! waits, the question is who takes it out if the wait ends by an exception: a `finally`, a handler, a context
//! manager, a callback, somebody else, or nobody. A plain function asks the same where it waits for the entry no longer
//! than for a limited time: `if not done.wait(5): raise TimeoutError`.

use std::sync::LazyLock;

use super::*;
use crate::facts::{Call, CallId, ContextId, EventId};

/// An entry that stays when the wait behind it ends by an exception.
#[derive(Clone, Debug)]
pub struct Skipped {
    pub holder: Holder,
    pub growth: Growth,
    /// The wait.
    pub wait: EventRef,
    /// Where the entry is taken out otherwise.
    pub removal: EventRef,
    pub kind: SkippedKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkippedKind {
    /// The coroutine itself takes the entry out, after the wait.
    Own,
    /// The same, and on an error as well, but not where the task is cancelled: that is no `Exception`.
    Cancelled,
    /// The entry stands for the waiting task; who wakes it takes it out.
    Task,
    /// The entry stands for what is waited for, with a limit of time; who completes it takes it out.
    TimedOut,
}

/// What ends a wait.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Raised {
    Error,
    Cancellation,
}

/// Where a function waits, and where it is left if that comes to nothing: by what the wait raises, or further down.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    pub event: EventRef,
    leaves: EventRef,
    /// The branch for what came in time.
    answered: Option<ContextId>,
}

/// What is added to a container, and what may take it out again.
pub(super) struct Entry {
    pub holder: Holder,
    pub growth: Growth,
    pub removals: Vec<Operation>,
}

impl Program<'_> {
    /// The entries that coroutines of a module leave behind when they do not get past a wait.
    pub fn skipped_removals(&self, module: super::super::ModuleId) -> Vec<(Place, Skipped)> {
        let mut seen = FxHashSet::default();
        let mut found = Vec::new();
        let is_entry = |operation: &&Operation| {
            let is_held = matches!(operation.place, Place::Instance(..)) || self.is_shared(operation.place);
            is_held && operation.level == 0 && operation.kind.is_growth()
        };
        for operation in self.operations.in_module(module).filter(is_entry) {
            if let Some(skipped) = self.skipped(*operation)
                && seen.insert((operation.place, self.event_function(operation.event)))
            {
                found.push((operation.place, skipped));
            }
        }
        for (place, skipped) in self.skipped_after_helpers(module) {
            if seen.insert((*place, self.event_function(skipped.growth.touch.event()))) {
                found.push((*place, skipped.clone()));
            }
        }
        found
    }

    fn skipped(&self, operation: Operation) -> Option<Skipped> {
        let place = operation.place;
        if !self.may_lose_one(place) {
            return None;
        }
        let function = self.event_function(operation.event)?;
        let is_async = self.is_coroutine(function);
        let wait = if is_async { self.wait_after(operation.event)? } else { self.limited_wait_for(operation)? };
        let Entry { holder, mut growth, removals } = self.entry(operation, None)?;
        // Who waits in a thread cannot be cancelled.
        let raised = if is_async { Raised::Cancellation } else { Raised::Error };
        if self.is_cleaned_up(function, operation, wait, &removals, raised) {
            return None;
        }
        let is_caught = || self.is_cleaned_up(function, operation, wait, &removals, Raised::Error);
        let (own, others): (Vec<Operation>, Vec<Operation>) =
            removals.iter().partition(|removal| self.event_function(removal.event) == Some(function));
        let (kind, removal) = if own.is_empty() {
            let mut by_key = others.iter().filter(|removal| !self.fails_all(**removal)).peekable();
            let removal = **by_key.peek()?;
            if !by_key.all(|removal| self.takes_one(*removal, 0)) {
                return None;
            }
            let kind = match is_async {
                true => self.stands_for(operation, wait.event).filter(|_| !is_caught())?,
                false => SkippedKind::TimedOut,
            };
            (kind, removal.event)
        } else {
            let facts = self.facts(function.module);
            let is_later = |removal: &Operation| {
                let is_same =
                    || self.takes_one(*removal, 0) && facts.is_same_written(removal.key, self.growing_key(operation));
                removal.event.id > wait.event.id && (is_same() || self.takes_the_last(operation, *removal))
            };
            if !own.iter().all(is_later) || !self.leave_own_entry(operation, &others) {
                return None;
            }
            let kind = if is_caught() { SkippedKind::Cancelled } else { SkippedKind::Own };
            (kind, own.first()?.event)
        };
        let adds = matches!(operation.kind, OperationKind::Append | OperationKind::Add);
        if adds && !growth.domain.is_open() && self.is_made_here(operation) {
            growth.domain = helpers::made_anew();
        }
        growth.repetition = self.repetition_of_entry(place, operation.event);
        let wait = wait.event;
        (growth.repetition.frequency >= Frequency::Presumed).then_some(Skipped { holder, growth, wait, removal, kind })
    }

    pub(super) fn repetition_of_entry(&self, place: Place, added: EventRef) -> Repetition {
        match place {
            Place::Instance(owner, _) => self.repetition_in_life(added, owner),
            _ => self.repetition(added),
        }
    }

    /// Whether one entry may leave a place, by what is done to it: `false` is certain, and told without looking at anything
    /// that is done.
    pub(super) fn may_lose_one(&self, place: Place) -> bool {
        let takes = |operation: &Operation| {
            matches!(operation.kind, OperationKind::Pop | OperationKind::Remove | OperationKind::Delete)
        };
        self.operations
            .on(place)
            .any(|operation| takes(operation) || matches!(operation.kind, OperationKind::Passed(_)))
            || self.operations.on(Place::Unresolved(place.name())).any(takes)
    }

    /// What is added to a container that holds it, with the removals that count; `None` where nothing takes out one.
    /// What is made `anew` each time needs no other sign that it grows.
    pub(super) fn entry(&self, operation: Operation, anew: Option<Growth>) -> Option<Entry> {
        let place = operation.place;
        let holder = self.holder(place)?;
        if holder.container.is_bounded || holder.container.holds != Holds::Strong {
            return None;
        }
        // Every module may add to one and the same place.
        let touches = self.touches_of_skipped.get(place, |place| {
            let touches = self.touches(*place);
            let removals = self.removals(*place, &touches);
            let is_taken_from = removals.iter().map(|removal| removal.operation).any(|removal| {
                self.takes_one(removal, removal.level)
                    || touches.iter().any(|touch| self.takes_the_last(touch.operation, removal))
            });
            is_taken_from.then(|| touches.into())
        })?;
        let touch = Touch { operation, through: None };
        let growth = anew.or_else(|| self.growth(place, holder.container, touch, &touches))?;
        let growths = std::slice::from_ref(&growth);
        let removals: Vec<Operation> = self
            .graded_removals(place, &touches, growths)
            .filter(|removal| removal.refuted.is_none() && !self.is_own_making(place, removal.touch))
            .map(|removal| removal.touch.operation)
            .collect();
        (!removals.is_empty()).then_some(Entry { holder, growth, removals })
    }

    /// What is added, or its key, is another object each time.
    fn is_made_here(&self, operation: Operation) -> bool {
        let scope = self.event_scope(operation.event);
        let names = self.names_of(scope.module, &[self.growing_key(operation)]);
        names.into_iter().any(|name| self.is_fresh(scope, name))
    }

    /// What others take out of the place is not what this function has added and takes out itself.
    fn leave_own_entry(&self, operation: Operation, others: &[Operation]) -> bool {
        others.is_empty()
            || self.is_made_here(operation)
                && others.iter().all(|removal| self.empties(*removal) || self.takes_what_it_is_given(*removal))
    }

    /// `tasks.append(task)` and then `tasks.pop()`: as many leave as came.
    fn takes_the_last(&self, added: Operation, removal: Operation) -> bool {
        let facts = self.facts(removal.event.module);
        let loops = |event: EventRef| {
            let around = facts.contexts_around(facts.event(event.id).context);
            around.filter(|context| context.kind.is_loop()).count()
        };
        added.event.module == removal.event.module
            && added.kind == OperationKind::Append
            && removal.kind == OperationKind::Pop
            && removal.key == NOTHING
            && removal.level == added.level
            && self.holder(added.place).is_some_and(|holder| holder.container.shape == Shape::List)
            && loops(removal.event) == loops(added.event)
    }

    fn is_own_making(&self, place: Place, touch: Touch) -> bool {
        touch.operation.kind == OperationKind::Rebind
            && (self.is_making(place, touch.event())
                || self
                    .event_function(touch.event())
                    .is_some_and(|function| vocabulary::is_beginning_name(self.function(function).name.as_str())))
    }

    /// Takes out one entry by its key, and is no sweep over all of them.
    pub(super) fn takes_one(&self, removal: Operation, level: u8) -> bool {
        let facts = self.facts(removal.event.module);
        let is_keyed = matches!(removal.kind, OperationKind::Pop | OperationKind::Remove | OperationKind::Delete)
            && removal.key != NOTHING
            && removal.level == level;
        let scope = self.event_scope(removal.event);
        let sweeps =
            matches!(facts.expr(removal.key), Expr::Name(name) if self.iterates_over(scope, name, removal.place));
        is_keyed && !sweeps
    }

    /// The first `await` that is reached from an event in the same function.
    fn wait_after(&self, event: EventRef) -> Option<Wait> {
        self.wait_after_but(event, NOTHING)
    }

    /// The same, but for the `await` of one thing.
    pub(super) fn wait_after_but(&self, event: EventRef, harmless: ExprId) -> Option<Wait> {
        let facts = self.facts(event.module);
        let scope = facts.scope_of(facts.event(event.id));
        let is_waited_for = |awaited: ExprId| {
            awaited != harmless
                && !self.is_shielded(facts, awaited)
                && !self.is_own_start(ScopeRef::new(event.module, scope), awaited)
        };
        let (id, _) = facts.scope_events(scope).skip_while(|(id, _)| *id <= event.id).find(|(id, other)| {
            awaited_by(facts, other.kind).is_some_and(is_waited_for)
                && facts.scope_of(other) == scope
                && is_reached(facts, event.id, *id, scope)
                && !is_caught(facts, *id, false)
        })?;
        let event = EventRef::new(event.module, id);
        Some(Wait { event, leaves: event, answered: None })
    }

    /// The first call after an entry is added that waits for what the entry holds, no longer than for a limited time.
    fn limited_wait_for(&self, operation: Operation) -> Option<Wait> {
        let scope = self.event_scope(operation.event);
        self.limited_wait_after(operation.event, &|waited| self.is_part_of_entry(scope, waited, operation))
    }

    /// The first call after an event in its function that waits for one of these, no longer than for a limited time.
    pub(super) fn limited_wait_after(&self, event: EventRef, is_waited_for: &dyn Fn(ExprId) -> bool) -> Option<Wait> {
        let (module, from) = (event.module, event.id);
        let facts = self.facts(module);
        let scope = self.event_scope(event);
        facts.scope_events(scope.id).skip_while(|(id, _)| *id <= from).find_map(|(id, later)| {
            let EventKind::Call(call) = later.kind else { return None };
            let (base, method) = limited_wait(facts, call)?;
            let is_wait = facts.scope_of(later) == scope.id
                && is_waited_for(base)
                && is_reached(facts, from, id, scope.id)
                && !is_caught(facts, id, true);
            let (leaves, answered) = match method.as_str() {
                _ if !is_wait => return None,
                "wait" => self.left_if_nothing_came(scope, call, id)?,
                _ => (id, None),
            };
            Some(Wait { event: EventRef::new(module, id), leaves: EventRef::new(module, leaves), answered })
        })
    }

    /// What is waited for is stored, as it is or as a part: `self.waiting[key] = (done, answers)`.
    fn is_part_of_entry(&self, scope: ScopeRef, waited: ExprId, operation: Operation) -> bool {
        let facts = self.facts(scope.module);
        let mut root = waited;
        while let Expr::Attribute(base, _) = facts.expr(root) {
            root = base;
        }
        let Expr::Name(name) = facts.expr(root) else { return false };
        let is_it = |part: ExprId| facts.expr(part) == Expr::Name(name);
        if self.receiver_named(scope, name).is_some() {
            return false;
        }
        let is_given = match facts.expr(operation.value) {
            Expr::Display(_, run) => facts.list(run).iter().any(|part| is_it(*part)),
            Expr::Call(call) => facts.all_arguments(facts.call(call)).any(is_it),
            _ => is_it(operation.value),
        };
        // `done = self.waiting[key] = Event()`
        is_given
            || self.holding_scope(scope, name).is_some_and(|holder| {
                self.bound_values(holder, name).0.iter().any(|(_, value)| value.id == operation.value)
            })
    }

    /// Where a function goes if a wait says that nothing came: `if not done.wait(5): raise …`, or `if done.wait(5): return …`
    /// and what comes behind it. With the branch for what came.
    fn left_if_nothing_came(
        &self,
        scope: ScopeRef,
        call: CallId,
        wait: EventId,
    ) -> Option<(EventId, Option<ContextId>)> {
        let facts = self.facts(scope.module);
        let is_answer = |test: ExprId| match facts.expr(test) {
            Expr::Call(tested) => tested == call,
            Expr::Name(name) => {
                let bound = self.holding_scope(scope, name).map(|holder| self.bound_values(holder, name).0);
                bound.is_some_and(|values| values.iter().any(|(_, value)| self.expr(*value) == Expr::Call(call)))
            }
            _ => false,
        };
        let mut is_asked = false;
        let mut answered = None;
        for (id, event) in facts.scope_events(scope.id).skip_while(|(id, _)| *id <= wait) {
            let mut is_answered = false;
            for around in contexts(facts, event.context) {
                let (test, holds) = match facts.context(around).kind {
                    ContextKind::If(test) => (test, true),
                    ContextKind::Else(test) => (test, false),
                    _ => continue,
                };
                let came = match facts.expr(test) {
                    Expr::Not(inner) if is_answer(inner) => !holds,
                    _ if is_answer(test) => holds,
                    _ => continue,
                };
                is_asked = true;
                if came {
                    is_answered = true;
                    answered = Some(around);
                }
            }
            let leaves = matches!(event.kind, EventKind::Raise { .. } | EventKind::Return(_));
            if leaves && is_asked && !is_answered {
                return Some((id, answered));
            }
        }
        None
    }

    /// `await self`: an object waits for its own start, and what it holds ends with it if that fails.
    fn is_own_start(&self, scope: ScopeRef, awaited: ExprId) -> bool {
        matches!(self.facts(scope.module).expr(awaited), Expr::Name(name) if self.receiver_named(scope, name).is_some())
    }

    /// `await shield(…)` and its kin: what they do, they finish.
    fn is_shielded(&self, facts: &FileFacts, awaited: ExprId) -> bool {
        called_name(facts, awaited).is_some_and(|name| name.as_str().contains("shield"))
    }

    /// Whether somebody takes the entry out when the wait raises.
    pub(super) fn is_cleaned_up(
        &self,
        function: FunctionRef,
        operation: Operation,
        wait: Wait,
        removals: &[Operation],
        raised: Raised,
    ) -> bool {
        let facts = self.facts(function.module);
        let outer = self.outermost_function(function);
        // A callback that is defined here takes it out whenever it is called.
        let by_nested = removals.iter().any(|removal| {
            self.event_function(removal.event)
                .is_some_and(|remover| remover != function && self.outermost_function(remover) == outer)
        });
        let removers: Vec<FunctionRef> = removals
            .iter()
            .filter_map(|removal| self.event_function(removal.event))
            .filter(|remover| *remover != function)
            .collect();
        let lets_go = |event: EventRef| {
            removals.iter().any(|removal| removal.event == event) || self.calls_one_of(event, &removers, 2)
        };
        let around = contexts(facts, facts.event(wait.leaves.id).context);
        let scope = self.function_scope(function);
        let on_the_way = |id: EventId, context: ContextId| {
            id > wait.event.id
                && id < wait.leaves.id
                && wait.answered.is_none_or(|branch| !contexts(facts, context).contains(&branch))
        };
        let by_exit = self.does_on_exit(wait.leaves, raised, &lets_go)
            || facts
                .scope_events(scope.id)
                .any(|(id, event)| on_the_way(id, event.context) && lets_go(EventRef::new(function.module, id)));
        let by_manager = around.iter().any(|id| match facts.context(*id).kind {
            ContextKind::With { manager, .. } => self.manager_lets_go(scope.expr(manager), operation, &removers),
            _ => false,
        });
        // `task.add_done_callback(self._forget)`, and what is handed on before the wait in another way.
        let by_callback = removers.iter().any(|remover| {
            self.mentions(Definition::Function(*remover)).iter().any(|mention| {
                self.event_function(mention.event).map(|inside| self.outermost_function(inside)) == Some(outer)
            })
        });
        let by_caller = self.callers(function).iter().any(|site| self.does_on_exit(site.event, raised, &lets_go));
        by_nested || by_exit || by_manager || by_callback || by_caller
    }

    /// Whether something is done where an event raises: in a `finally` or handler around it in its own function.
    fn does_on_exit(&self, event: EventRef, raised: Raised, does: &dyn Fn(EventRef) -> bool) -> bool {
        let facts = self.facts(event.module);
        let around = contexts(facts, facts.event(event.id).context);
        let covers = |id: ContextId| {
            let context = facts.context(id);
            around.iter().any(|other| {
                let inside = facts.context(*other);
                *other != id
                    && inside.group == context.group
                    && match context.kind {
                        ContextKind::Finally => true,
                        ContextKind::Except(types) => {
                            inside.kind == ContextKind::Try
                                && (raised == Raised::Error || catches_cancellation(facts, types))
                        }
                        _ => false,
                    }
            })
        };
        let scope = facts.scope_of(facts.event(event.id));
        facts.scope_events(scope).any(|(id, other)| {
            contexts(facts, other.context).into_iter().any(covers) && does(EventRef::new(event.module, id))
        })
    }

    /// Whether an event calls one of the functions, or what calls one of them.
    pub(super) fn calls_one_of(&self, event: EventRef, removers: &[FunctionRef], depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let Some(site) = self.call_site(event) else { return false };
        let facts = self.facts(event.module);
        match self.callee(self.event_scope(event), site.call) {
            Some(callee) => {
                removers.contains(&callee)
                    || self
                        .facts(callee.module)
                        .scope_events(self.function(callee).scope)
                        .any(|(id, _)| self.calls_one_of(EventRef::new(callee.module, id), removers, depth))
            }
            None => match facts.expr(facts.call(site.call).callee) {
                Expr::Attribute(_, name) => removers.iter().any(|remover| self.function(*remover).name == name),
                _ => false,
            },
        }
    }

    /// A context manager of the project that takes entries out on exit.
    fn manager_lets_go(&self, manager: ExprRef, operation: Operation, removers: &[FunctionRef]) -> bool {
        let callee = self.callee_or_self(manager);
        if let Definition::Function(function) = self.resolve(callee) {
            return removers.contains(&function) || self.event_function(operation.event) == Some(function);
        }
        if let Some(function) = self.bound_method(callee)
            && removers.contains(&function)
        {
            return true;
        }
        let super::super::types::Type::Instance(class) = self.type_of(manager) else { return false };
        ["__exit__", "__aexit__"].iter().any(|name| {
            self.method(class, Name::new(name)).is_some_and(|exit| {
                removers.contains(&exit)
                    || self
                        .facts(exit.module)
                        .scope_events(self.function(exit).scope)
                        .any(|(id, _)| self.calls_one_of(EventRef::new(exit.module, id), removers, 2))
            })
        })
    }

    /// What an entry stands for that others are to take out: the task that waits, or what it waits for.
    fn stands_for(&self, operation: Operation, wait: EventRef) -> Option<SkippedKind> {
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let key = self.growing_key(operation);
        if self.is_current_task(scope.expr(key)) {
            return Some(SkippedKind::Task);
        }
        let limited = waited_with_limit(facts, wait)?;
        let waited = match facts.expr(limited) {
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(base, _) => base,
                _ => return None,
            },
            _ => limited,
        };
        let is_entry = match facts.expr(waited) {
            Expr::Name(_) => waited == operation.value || waited == key,
            // `self._pending[number].wait(10)`
            Expr::Subscript(base, of) => {
                of == key && self.reach(scope.expr(base)).is_some_and(|reach| reach.place == operation.place)
            }
            _ => false,
        };
        is_entry.then_some(SkippedKind::TimedOut)
    }

    fn is_current_task(&self, expr: ExprRef) -> bool {
        let is_call = |expr: ExprRef| {
            called_name(self.facts(expr.scope.module), expr.id).is_some_and(|name| name.as_str() == "current_task")
        };
        let bound = match self.expr(expr) {
            Expr::Name(name) => self.holding_scope(expr.scope, name).map(|holder| self.bound_values(holder, name).0),
            _ => None,
        };
        is_call(expr) || bound.is_some_and(|values| values.iter().any(|(_, value)| is_call(*value)))
    }
}

/// What is waited for, by an `await` or the `yield from` of older coroutines.
fn awaited_by(facts: &FileFacts, kind: EventKind) -> Option<ExprId> {
    match kind {
        EventKind::Await(awaited) => Some(awaited),
        EventKind::Yield(value) => match facts.expr(value) {
            Expr::Element(awaited) => Some(awaited),
            _ => None,
        },
        _ => None,
    }
}

/// What an `await` waits for no longer than for a limited time.
pub(super) fn waited_with_limit(facts: &FileFacts, wait: EventRef) -> Option<ExprId> {
    let EventKind::Await(awaited) = facts.event(wait.id).kind else { return None };
    let is_limiting = |name: Name| matches!(name.as_str(), "wait_for" | "timeout" | "async_timeout" | "timeout_at");
    match facts.expr(awaited) {
        // `wait_for(entry, 10)`, `wait_for(entry.wait(), 10)`
        Expr::Call(call) if called_name(facts, awaited).is_some_and(is_limiting) => {
            facts.arguments(facts.call(call)).first().copied()
        }
        // `entry.wait(timeout)`
        Expr::Call(call) if facts.all_arguments(facts.call(call)).any(|limit| names_limit(facts, limit)) => {
            Some(awaited)
        }
        // `async with timeout(10): await entry`
        _ if facts.contexts_around(facts.event(wait.id).context).any(|context| match context.kind {
            ContextKind::With { manager, .. } => called_name(facts, manager).is_some_and(is_limiting),
            _ => false,
        }) =>
        {
            Some(awaited)
        }
        _ => None,
    }
}

/// A handler for more than `Exception`.
fn catches_cancellation(facts: &FileFacts, types: ExprId) -> bool {
    match facts.expr(types) {
        Expr::Nothing => true,
        Expr::Name(name) | Expr::Attribute(_, name) => {
            matches!(name.as_str(), "BaseException" | "CancelledError" | "Cancelled")
        }
        Expr::Display(_, run) => facts.list(run).iter().any(|part| catches_cancellation(facts, *part)),
        Expr::Call(_) => true,
        _ => false,
    }
}

/// `timeout`, `self.timeout`, `REPLY_TIMEOUT`.
fn names_limit(facts: &FileFacts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        Expr::Name(name) | Expr::Attribute(_, name) => {
            name.as_str().rsplit('_').next().is_some_and(|last| last.eq_ignore_ascii_case("timeout"))
        }
        _ => false,
    }
}

/// The last name of what an expression calls.
pub(super) fn called_name(facts: &FileFacts, expr: ExprId) -> Option<Name> {
    let Expr::Call(call) = facts.expr(expr) else { return None };
    facts.called_name(facts.call(call))
}

/// A context and those around it within its scope.
fn contexts(facts: &FileFacts, innermost: ContextId) -> Vec<ContextId> {
    facts.context_ids_around(innermost).collect()
}

/// Methods that may wait for a limited time; `get` is told by its second argument, the others by their first.
static LIMITED: LazyLock<[Name; 3]> = LazyLock::new(|| ["get", "wait", "result"].map(Name::new));

/// What a call waits for no longer than for a limited time, and by which method.
fn limited_wait(facts: &FileFacts, call: CallId) -> Option<(ExprId, Name)> {
    let call = facts.call(call);
    let Expr::Attribute(base, method) = facts.expr(call.callee) else { return None };
    let place = LIMITED.iter().position(|limited| *limited == method)?;
    let position = usize::from(place == 0);
    // `answers.get(True, 5)`; of a mapping the second is what is given where there is nothing.
    let is_mapping = position == 1
        && facts.arguments(call).first().is_some_and(|first| facts.expr(*first) != Expr::Constant(Constant::True));
    (!is_mapping && is_limited(facts, call, position)).then_some((base, method))
}

/// Whether a call is given a limit of time, by its keyword or in this place.
fn is_limited(facts: &FileFacts, call: &Call, position: usize) -> bool {
    let by_keyword =
        facts.keyword_arguments(call).iter().find(|(name, _)| name.is_some_and(|name| name.as_str() == "timeout"));
    let limit = by_keyword.map(|(_, value)| *value).or_else(|| facts.arguments(call).get(position).copied());
    limit.is_some_and(|limit| facts.expr(limit) != Expr::Constant(Constant::None))
}

/// Whether a handler around an event catches whatever it raises, or may catch it, and goes on.
fn is_caught(facts: &FileFacts, event: EventId, by_any: bool) -> bool {
    let around = contexts(facts, facts.event(event).context);
    facts.contexts.iter().enumerate().any(|(number, handler)| {
        let ContextKind::Except(types) = handler.kind else { return false };
        // Who catches that the wait is given up has thought of how it ends.
        let catches_all = by_any
            || catches_cancellation(facts, types)
            || matches!(facts.expr(types), Expr::Name(name) | Expr::Attribute(_, name) if name.as_str() == "Exception");
        let covers = around.iter().any(|id| {
            let inside = facts.context(*id);
            inside.kind == ContextKind::Try && inside.group == handler.group
        });
        let leaves = || {
            facts.events.iter().any(|event| {
                matches!(event.kind, EventKind::Raise { .. } | EventKind::Return(_))
                    && contexts(facts, event.context).contains(&ContextId(number as u32))
            })
        };
        catches_all && covers && !leaves()
    })
}

/// Whether control can come from one event to a later one of the same scope without an exception and without
/// starting anew.
fn is_reached(facts: &FileFacts, from: EventId, to: EventId, scope: crate::facts::ScopeId) -> bool {
    let before = contexts(facts, facts.event(from).context);
    let after = contexts(facts, facts.event(to).context);
    let is_exclusive = before.iter().any(|left| {
        after.iter().any(|right| {
            let (left_context, right_context) = (facts.context(*left), facts.context(*right));
            left != right
                && left_context.group == right_context.group
                && !matches!(right_context.kind, ContextKind::Finally | ContextKind::TryElse | ContextKind::LoopElse)
        })
    });
    let is_left = facts.scope_events(scope).any(|(id, event)| {
        id > from
            && id < to
            && matches!(
                event.kind,
                EventKind::Return(_) | EventKind::Raise { .. } | EventKind::Break | EventKind::Continue
            )
            && before.contains(&event.context)
            && !after.contains(&event.context)
    });
    let leaves_before = facts.scope_events(scope).any(|(id, event)| {
        id > from
            && id < to
            && matches!(event.kind, EventKind::Return(_) | EventKind::Raise { .. })
            && before.contains(&event.context)
    });
    !is_exclusive && !is_left && !leaves_before
}
