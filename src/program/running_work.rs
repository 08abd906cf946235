//! Work that goes on by itself, and what it keeps: a thread's or task's frame holds the object whose method it runs.
//!
//! A `__del__` that is to end such work waits for an object that the work holds, so it never runs. And a task that tells
//! its owner when it is done, and stays in the owner's set, was forgotten there.

use std::sync::LazyLock;

use super::names::Definition;
use super::{
    ClassRef, EventRef, ExprRef, FunctionRef, Module, ModuleId, OperationKind, Place, Program, ScopeRef, vocabulary,
};
use crate::facts::{
    Call, CallId, Constant, Context, ContextId, ContextKind, EventKind, Expr, ExprId, FileFacts, Import,
};
use crate::models::Holds;
use crate::source::{Location, Name};

/// Work of an object that keeps it from being finalized.
#[derive(Clone, Copy, Debug)]
pub struct FinalizerKeptOff {
    pub class: ClassRef,
    /// The call that starts the work.
    pub event: EventRef,
    pub work: FunctionRef,
    /// The loop that the work goes round in.
    pub rounds: Location,
    pub finalizer: FunctionRef,
}

/// A task that is kept when it is done.
#[derive(Clone, Copy, Debug)]
pub struct KeptTask {
    /// What puts it there.
    pub event: EventRef,
    pub place: Place,
    /// The callback that is told of its end.
    pub told: EventRef,
}

/// A task that nothing but the event loop knows of, and that only weakly.
#[derive(Clone, Copy, Debug)]
pub struct DroppedTask {
    pub event: EventRef,
    /// The coroutine function that it runs, where that is known.
    pub work: Option<FunctionRef>,
    /// The loop that the work goes round in, waiting each time.
    pub rounds: Option<Location>,
}

/// Through how many methods it is followed what a coroutine first waits for.
const CALLS: u32 = 2;

/// Calls that run what they are given beside the caller.
const STARTS: [&str; 6] = ["create_task", "ensure_future", "run_coroutine_threadsafe", "Task", "Thread", "spawn"];

impl Program<'_> {
    /// The objects of a module whose `__del__` cannot run while work of theirs does, in source order.
    pub fn finalizers_kept_off(&self, module: ModuleId) -> Vec<FinalizerKeptOff> {
        let mut found = Vec::new();
        for class in self.classes_of(module) {
            let finalizer =
                self.method(class, Name::new("__del__")).filter(|finalizer| self.does_something(*finalizer));
            let Some(finalizer) = finalizer else { continue };
            let owner = self.class_of_method(finalizer);
            // What a base class with the finalizer starts itself is enough to keep it off.
            if owner.is_some_and(|owner| owner != class && self.starts_work(owner)) {
                continue;
            }
            for method in self.own_methods(class) {
                let scope = self.function_scope(method);
                let starts = self.facts(module).scope_events(scope.id).filter_map(|(id, event)| match event.kind {
                    EventKind::Call(call) => Some((EventRef::new(module, id), call)),
                    _ => None,
                });
                for (event, call) in starts {
                    let Some(work) = self.work_started(scope, call) else { continue };
                    if self.function(work).is_async && self.waits_for_its_own(work, CALLS) {
                        continue;
                    }
                    let is_new = !found.iter().any(|known: &FinalizerKeptOff| known.class == class);
                    if let Some(rounds) = self.rounds_of(work).filter(|_| is_new) {
                        found.push(FinalizerKeptOff { class, event, work, rounds, finalizer });
                    }
                }
            }
        }
        found
    }

    /// Whether a coroutine first waits for something that its object made and has: the event loop knows a task only by
    /// what it waits for, so that object, task and queue are garbage together.
    fn waits_for_its_own(&self, work: FunctionRef, calls: u32) -> bool {
        let facts = self.facts(work.module);
        let scope = self.function_scope(work);
        let mut awaits = facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
            EventKind::Await(awaited) => Some(awaited),
            _ => None,
        });
        let Some(Expr::Call(call)) = awaits.next().map(|first| facts.expr(first)) else { return false };
        let Expr::Attribute(base, _) = facts.expr(facts.call(call).callee) else { return false };
        let callee = scope.expr(facts.call(call).callee);
        match facts.expr(base) {
            Expr::Name(name) if self.receiver_named(scope, name).is_some() => {
                let method = self.bound_method(callee).filter(|_| calls > 0);
                method.is_some_and(|method| self.waits_for_its_own(method, calls - 1))
            }
            Expr::Attribute(..) if self.is_attribute_made_here(scope.expr(base)) => {
                self.method_path(callee).is_some_and(|path| self.models.waits(path).is_some())
            }
            _ => false,
        }
    }

    /// `self.queue`, where the constructor of the class binds it to what a call makes, or everything that binds it does.
    fn is_attribute_made_here(&self, attribute: ExprRef) -> bool {
        let Some(class) = self.enclosing_function(attribute.scope).and_then(|method| self.class_of_method(method))
        else {
            return false;
        };
        let Expr::Attribute(_, name) = self.expr(attribute) else { return false };
        let is_made =
            |store: EventRef| self.stored_value(store).is_some_and(|value| matches!(self.expr(value), Expr::Call(_)));
        let is_none = |store: EventRef| match self.stored_value(store) {
            Some(value) => self.expr(value) == Expr::Constant(Constant::None),
            None => matches!(self.facts(store.module).event(store.id).kind, EventKind::Annotate { .. }),
        };
        let stores = self.instance_stores(class, name);
        let init = self.method(class, self.words.init);
        let are_all_made = stores.iter().all(|store| is_made(*store) || is_none(*store));
        stores.iter().any(|store| is_made(*store) && (are_all_made || self.event_function(*store) == init))
    }

    /// Whether a method of a class starts work that goes on by itself.
    fn starts_work(&self, class: ClassRef) -> bool {
        self.own_methods(class).any(|method| {
            let scope = self.function_scope(method);
            self.facts(class.module).scope_events(scope.id).any(|(_, event)| match event.kind {
                EventKind::Call(call) => {
                    self.work_started(scope, call).is_some_and(|work| self.rounds_of(work).is_some())
                }
                _ => false,
            })
        })
    }

    /// `create_task(self.watch())`, `Thread(target=self.run)`: the method of the object that goes on by itself.
    pub(super) fn work_started(&self, scope: ScopeRef, call: CallId) -> Option<FunctionRef> {
        let facts = self.facts(scope.module);
        let call = facts.call(call);
        if !STARTS.contains(&facts.called_name(call)?.as_str()) {
            return None;
        }
        facts.all_arguments(call).find_map(|argument| {
            let (method, is_called) = match facts.expr(argument) {
                Expr::Call(inner) => (facts.call(inner).callee, true),
                _ => (argument, false),
            };
            let Expr::Attribute(base, _) = facts.expr(method) else { return None };
            let Expr::Name(base) = facts.expr(base) else { return None };
            self.receiver_named(scope, base).filter(|receiver| !receiver.is_class)?;
            let work = self.bound_method(scope.expr(method))?;
            let has_receiver = self.receiver(work).is_some_and(|receiver| !receiver.is_class);
            (has_receiver && self.function(work).is_async == is_called).then_some(work)
        })
    }

    /// The loop of a method that goes on until its object says otherwise; `None` where it lets the object go meanwhile.
    fn rounds_of(&self, work: FunctionRef) -> Option<Location> {
        let (id, _) = self.loop_of(work)?;
        Some(self.location(work.module, self.facts(work.module).context(id).span))
    }

    /// The same loop and its test.
    pub(super) fn loop_of(&self, work: FunctionRef) -> Option<(ContextId, ExprId)> {
        let facts = self.facts(work.module);
        let receiver = self.receiver(work)?.name;
        let declared = self.function(work);
        let is_receiver = |id: ExprId| facts.expr(id) == Expr::Name(receiver);
        let lets_go = facts.scope_events(declared.scope).any(|(_, event)| match event.kind {
            EventKind::Bind { target, .. } | EventKind::Delete { target } => is_receiver(target),
            _ => false,
        });
        if lets_go {
            return None;
        }
        facts.scope_events(declared.scope).find_map(|(_, event)| {
            if declared.is_async && !matches!(event.kind, EventKind::Await(_)) {
                return None;
            }
            let (id, context) = loops_around(facts, event.context).next()?;
            let ContextKind::While(test) = context.kind else { return None };
            let is_outermost = loops_around(facts, context.parent).next().is_none();
            let goes_round = is_outermost && goes_on(facts, test, receiver, 6) && !is_left_at_first(facts, id);
            goes_round.then_some((id, test))
        })
    }

    /// The tasks that a module makes and does not keep, in source order.
    pub fn dropped_tasks(&self, module: ModuleId) -> Vec<DroppedTask> {
        let facts = self.facts(module);
        let mut found = Vec::new();
        for (_, call) in calls_for_tasks(self.module(module)) {
            let event = EventRef::new(module, call.event);
            let scope = self.event_scope(event);
            let is_used = || self.module(module).is_part_of_something(call.expr) || is_awaited(facts, scope, call.expr);
            if !self.makes_tasks(scope, call.callee) || is_used() {
                continue;
            }
            let first = facts.arguments(call).first().copied();
            let work = first.and_then(|first| match facts.expr(first) {
                Expr::Call(inner) => self.callee(scope, inner),
                _ => None,
            });
            found.push(DroppedTask { event, work, rounds: work.and_then(|work| self.waits_for_ever(work)) });
        }
        found.sort_by_key(|dropped| dropped.event);
        found
    }

    /// `asyncio.create_task`, `loop.create_task`: what holds its tasks weakly, unlike a group of tasks.
    pub(super) fn makes_tasks(&self, scope: ScopeRef, callee: ExprId) -> bool {
        let callee = scope.expr(callee);
        if let Some(path) = self.external_path(callee) {
            return path.as_str().starts_with("asyncio.") && !path.as_str().contains("TaskGroup");
        }
        let facts = self.facts(scope.module);
        let Expr::Attribute(base, _) = self.expr(callee) else { return false };
        match facts.expr(base) {
            Expr::Name(name) | Expr::Attribute(_, name) => {
                matches!(name.as_str().trim_start_matches('_'), "loop" | "io_loop" | "event_loop")
            }
            Expr::Call(call) => {
                let maker = self.external_path(scope.expr(facts.call(call).callee));
                maker.is_some_and(|path| matches!(path.as_str(), "asyncio.get_running_loop" | "asyncio.get_event_loop"))
            }
            _ => false,
        }
    }

    /// The endless loop of a coroutine in which it waits; `None` where a timer of the event loop wakes it up, which holds
    /// the task until then.
    fn waits_for_ever(&self, work: FunctionRef) -> Option<Location> {
        let facts = self.facts(work.module);
        let declared = self.function(work);
        let sleeps = facts.scope_events(declared.scope).any(|(_, event)| match event.kind {
            EventKind::Call(call) => {
                matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, name) | Expr::Name(name)
                if matches!(name.as_str(), "sleep" | "wait_for" | "timeout"))
            }
            _ => false,
        });
        if sleeps {
            return None;
        }
        facts.scope_events(declared.scope).filter(|_| declared.is_async).find_map(|(_, event)| {
            if !matches!(event.kind, EventKind::Await(_)) {
                return None;
            }
            let (id, context) = loops_around(facts, event.context).last()?;
            let ContextKind::While(test) = context.kind else { return None };
            (facts.always_holds(test) && !is_left_at_first(facts, id)).then(|| self.location(work.module, context.span))
        })
    }

    /// The tasks that a module keeps beyond their end, in source order.
    pub fn kept_tasks(&self, module: ModuleId) -> Vec<KeptTask> {
        let mut found: Vec<KeptTask> = Vec::new();
        for operation in self.operations.in_module(module) {
            if !matches!(operation.kind, OperationKind::Append | OperationKind::Add) || operation.level > 0 {
                continue;
            }
            let Some(told) = self.told_of_end(operation.event, operation.value, operation.place) else { continue };
            let place = operation.place;
            let is_strong = self
                .holder(place)
                .is_some_and(|holder| holder.container.holds == Holds::Strong && !holder.container.is_bounded);
            if is_strong && self.outlives_calls(place) && !self.is_thinned(place) {
                found.push(KeptTask { event: operation.event, place, told });
            }
        }
        found
    }

    /// Whether anything takes items out before the owner ends.
    fn is_thinned(&self, place: Place) -> bool {
        self.operations.on(place).filter(|operation| operation.kind.is_shrink()).any(|operation| {
            self.event_function(operation.event).is_some_and(|function| {
                let method = self.outermost_function(function);
                let name = self.function(method).name;
                name != self.words.init && !vocabulary::is_ending_name(name.as_str())
            })
        })
    }

    /// `task.add_done_callback(self.on_done)` with a function of the project, or with what takes the task out of another
    /// container, in the function that made the task.
    fn told_of_end(&self, event: EventRef, task: ExprId, place: Place) -> Option<EventRef> {
        let facts = self.facts(event.module);
        let Expr::Name(name) = facts.expr(task) else { return None };
        let scope = self.event_scope(event);
        let holder = self.holding_scope(scope, name)?;
        let (values, is_all) = self.bound_values(holder, name);
        let is_task = |value: ExprId| match facts.expr(value) {
            Expr::Call(call) => is_for_task(facts, facts.call(call)),
            _ => false,
        };
        if !is_all || values.is_empty() || !values.iter().all(|(_, value)| is_task(value.id)) {
            return None;
        }
        facts.scope_events(holder.id).find_map(|(id, other)| {
            let EventKind::Call(call) = other.kind else { return None };
            let call = facts.call(call);
            let Expr::Attribute(base, method) = facts.expr(call.callee) else { return None };
            if base != task || method.as_str() != "add_done_callback" {
                return None;
            }
            let callback = scope.expr(*facts.arguments(call).first()?);
            if self.bound_method(callback).is_none() && !self.takes_out_elsewhere(callback, place) {
                return None;
            }
            Some(EventRef::new(event.module, id))
        })
    }

    /// `self._running.discard`, or a nested function that removes from another container than this.
    fn takes_out_elsewhere(&self, callback: ExprRef, place: Place) -> bool {
        let takes =
            |kind: OperationKind| matches!(kind, OperationKind::Remove | OperationKind::Pop | OperationKind::Delete);
        if let Expr::Attribute(base, method) = self.expr(callback) {
            let reach = self.reach(callback.scope.expr(base));
            return OperationKind::of_method(method).is_some_and(takes)
                && reach.is_some_and(|reach| reach.place != place && self.outlives_calls(reach.place));
        }
        let Definition::Function(function) = self.resolve(callback) else { return false };
        let mut removals = self
            .operations
            .in_module(function.module)
            .filter(|operation| takes(operation.kind) && self.event_function(operation.event) == Some(function));
        self.enclosing_function(self.defining_scope(function)).is_some()
            && removals
                .next()
                .is_some_and(|first| first.place != place && removals.all(|operation| operation.place != place))
    }
}

fn is_awaited(facts: &FileFacts, scope: ScopeRef, made: ExprId) -> bool {
    let mut events = facts.scope_events(scope.id);
    events.any(|(_, event)| matches!(event.kind, EventKind::Await(waited) if waited == made))
}

/// The loops around a context, innermost first.
fn loops_around(facts: &FileFacts, id: ContextId) -> impl Iterator<Item = (ContextId, &Context)> {
    let around = facts.context_ids_around(id).map(|id| (id, facts.context(id)));
    around.filter(|(_, context)| context.kind.is_loop())
}

/// Whether the first round of a loop is its last unless something fails: `while True: try: return ask() except …`.
pub(super) fn is_left_at_first(facts: &FileFacts, around: ContextId) -> bool {
    facts.scope_events(facts.context(around).scope).any(|(_, event)| {
        let leaves = matches!(event.kind, EventKind::Return(_) | EventKind::Break | EventKind::Raise { .. });
        let mut at = event.context;
        while at != around {
            let context = facts.context(at);
            let is_straight =
                matches!(context.kind, ContextKind::Try | ContextKind::TryElse | ContextKind::With { .. });
            if !leaves || !is_straight || context.parent == at {
                return false;
            }
            at = context.parent;
        }
        leaves
    })
}

static TASK_MAKERS: LazyLock<[Name; 2]> = LazyLock::new(|| ["create_task", "ensure_future"].map(Name::new));

/// The calls of a module that are named like those that make tasks.
pub(super) fn calls_for_tasks(module: &Module) -> impl Iterator<Item = (CallId, &Call)> {
    let facts = module.facts();
    // Most modules make none.
    let calls = if TASK_MAKERS.iter().any(|name| module.may_name(*name)) { &facts.calls[..] } else { &[] };
    let calls = calls.iter().enumerate().map(|(number, call)| (CallId(number as u32), call));
    calls.filter(|(_, call)| is_for_task(facts, call))
}

/// The same where a module imports `asyncio`.
pub(super) fn calls_of_asyncio(module: &Module) -> impl Iterator<Item = (CallId, &Call)> {
    let mut calls = calls_for_tasks(module).peekable();
    let is_asyncio = |import: &Import| import.module.as_str().split('.').next() == Some("asyncio");
    let is_imported = calls.peek().is_some() && module.facts().imports.iter().any(is_asyncio);
    calls.filter(move |_| is_imported)
}

fn is_for_task(facts: &FileFacts, call: &Call) -> bool {
    facts.called_name(call).is_some_and(|name| TASK_MAKERS.contains(&name))
}

/// The attribute of the object that a question is about: `self._stopped.is_set()`.
pub(super) fn attribute_asked(facts: &FileFacts, question: ExprId, receiver: Name) -> Option<Name> {
    let mut id = question;
    loop {
        match facts.expr(id) {
            Expr::Call(call) => id = facts.call(call).callee,
            Expr::Attribute(base, name) if facts.expr(base) == Expr::Name(receiver) => return Some(name),
            Expr::Attribute(base, _) => id = base,
            _ => return None,
        }
    }
}

/// Whether a loop's test leaves it to the object when the loop ends: `True`, `not self._stopped`, `self.running()`.
fn goes_on(facts: &FileFacts, test: ExprId, receiver: Name, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let asks_object = |id: ExprId| attribute_asked(facts, id, receiver).is_some();
    match facts.expr(test) {
        _ if facts.always_holds(test) => true,
        Expr::Attribute(_, name) => asks_object(test) && vocabulary::is_going_on_name(name.as_str()),
        Expr::Call(call) => goes_on(facts, facts.call(call).callee, receiver, depth),
        // `while not self.items` ends when there are some; `while not self._stopped.is_set()` when it is told to.
        Expr::Not(inner) => asks_object(inner) && mentions_end(facts, inner),
        _ => false,
    }
}

/// Whether a part of a dotted path says that something ends.
fn mentions_end(facts: &FileFacts, id: ExprId) -> bool {
    match facts.expr(id) {
        Expr::Call(call) => mentions_end(facts, facts.call(call).callee),
        Expr::Attribute(base, name) => vocabulary::is_end_flag_name(name.as_str()) || mentions_end(facts, base),
        _ => false,
    }
}
