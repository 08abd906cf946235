//! Objects that work on their own until they are told to stop: a thread or task of theirs keeps them, so whoever keeps
//! such an object has to end it.
//!
//! Only work that nothing but its own object ends: the loop has no other way out, and its test asks for what nobody gave
//! to the object, for a flag or event of somebody else ends the work as well.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::super::repetition::Frequency;
use super::super::running_work::{attribute_asked, calls_of_asyncio};
use super::super::{ClassRef, EventRef, FunctionRef, ModuleId, Program, ScopeRef};
use super::paths::plain;
use super::{Acquisition, Because, Given, Loss, LostAt, Source};
use crate::facts::{CallId, Constant, ContextId, ContextKind, Event, EventId, EventKind, Expr, ExprId, FileFacts};
use crate::models::{Lost, Resource};
use crate::source::{Location, Name};

/// The classes of such objects, and the calls that make them.
#[derive(Default)]
pub(super) struct Workers {
    classes: FxHashMap<ClassRef, Worker>,
    made: FxHashMap<ModuleId, Vec<Acquisition>>,
    task: OnceLock<Resource>,
}

struct Worker {
    resource: Resource,
    work: Work,
}

/// What an object does by itself.
struct Work {
    /// Methods that start it.
    starters: Vec<Name>,
    /// The loop that it goes round in.
    rounds: Location,
}

/// Modules without which nothing works beside its caller.
const BESIDE: [&str; 2] = ["threading", "asyncio"];

/// Words in the names of methods that end work.
const ENDING_WORDS: [&str; 22] = [
    "abort",
    "cancel",
    "clear",
    "close",
    "disable",
    "disconnect",
    "dispose",
    "end",
    "exit",
    "finish",
    "halt",
    "interrupt",
    "join",
    "kill",
    "pause",
    "quit",
    "release",
    "reset",
    "shutdown",
    "stop",
    "terminate",
    "wait",
];

impl Workers {
    pub(super) fn of(program: &Program) -> Workers {
        let found: Vec<(ClassRef, Worker, Vec<Acquisition>)> =
            program.par_modules().flat_map_iter(|module| program.workers_of(module)).collect();
        let mut workers = Workers::default();
        for (class, worker, made) in found {
            workers.add(class, worker, made);
        }
        for (class, worker, made) in program.owners_of_workers(&workers) {
            workers.add(class, worker, made);
        }
        let tasks: Vec<Acquisition> = program.par_modules().flat_map_iter(|module| program.tasks_of(module)).collect();
        for task in tasks {
            workers.made.entry(task.event.module).or_default().push(task);
        }
        for made in workers.made.values_mut() {
            made.sort_by_key(|acquisition| acquisition.call);
        }
        workers
    }

    fn add(&mut self, class: ClassRef, worker: Worker, made: Vec<Acquisition>) {
        if self.classes.contains_key(&class) {
            return;
        }
        self.classes.insert(class, worker);
        for acquisition in made {
            self.made.entry(acquisition.event.module).or_default().push(acquisition);
        }
    }

    pub(super) fn resource(&self, class: ClassRef) -> Option<&Resource> {
        self.classes.get(&class).map(|worker| &worker.resource)
    }

    pub(super) fn task(&self) -> &Resource {
        self.task.get_or_init(|| Resource {
            released_by: Box::new([Name::new(".cancel")]),
            ..Resource::plain(Name::new("running task"), Lost::Stays)
        })
    }

    pub(super) fn made_in(&self, module: ModuleId) -> &[Acquisition] {
        self.made.get(&module).map_or(&[], |made| made)
    }
}

impl Program<'_> {
    /// The loop that objects of a class go round in until they are told to stop.
    pub fn rounds_of_worker(&self, class: ClassRef) -> Option<Location> {
        self.resources.workers.classes.get(&class).map(|worker| worker.work.rounds)
    }

    fn workers_of(&self, module: ModuleId) -> Vec<(ClassRef, Worker, Vec<Acquisition>)> {
        let first = |path: Name| path.as_str().split('.').next().is_some_and(|first| BESIDE.contains(&first));
        if !self.facts(module).imports.iter().any(|import| first(import.module)) {
            return Vec::new();
        }
        let classes = self.classes_of(module).filter(|class| self.ending_method(*class).is_some());
        classes
            .filter_map(|class| {
                let sites = self.instantiations(class);
                if !sites.iter().any(|site| site.is_certain) {
                    return None;
                }
                let work = self.work_of(class)?;
                let what = self.worker_name(class);
                let returning = work.starters.iter().filter(|starter| {
                    self.method(class, **starter).is_some_and(|method| self.returns_receiver(method))
                });
                let resource = Resource {
                    gives_itself: returning.map(|starter| Name::new(&format!(".{starter}"))).collect(),
                    ..Resource::plain(what, Lost::Stays)
                };
                Some((class, Worker { resource, work }, self.workers_made(class)))
            })
            .collect()
    }

    fn worker_name(&self, class: ClassRef) -> Name {
        Name::new(&format!("`{}`", self.class(class).name))
    }

    fn workers_made(&self, class: ClassRef) -> Vec<Acquisition> {
        let sites = self.instantiations(class);
        let sites = sites.iter().filter(|site| site.is_certain);
        sites.filter_map(|site| self.acquisition_at(site, Source::Worker(class), None, Given::Whole)).collect()
    }

    /// The classes whose constructor makes and starts what works on its own, and whose end is to stop it: their objects
    /// work on their own as well.
    fn owners_of_workers(&self, workers: &Workers) -> Vec<(ClassRef, Worker, Vec<Acquisition>)> {
        let mut found: Vec<(ClassRef, Worker, Vec<Acquisition>)> = Vec::new();
        for acquisition in self.module_ids().flat_map(|module| workers.made_in(module)) {
            let Source::Worker(worker) = acquisition.source else { continue };
            let Some(owned) = workers.classes.get(&worker) else { continue };
            if self.function(acquisition.function).name != self.words.init {
                continue;
            }
            let stores = self.stored_results(acquisition, &owned.resource);
            let Some((_, class, attribute)) = stores.first().copied() else { continue };
            let is_started = self.is_started_by_constructor(acquisition, attribute, &owned.work);
            let ends = || !self.releasing_methods(class, attribute, &owned.resource).is_empty();
            if is_started && self.ending_method(class).is_some() && ends() {
                let work = Work { starters: vec![self.words.init], rounds: owned.work.rounds };
                let resource = Resource::plain(self.worker_name(class), Lost::Stays);
                found.push((class, Worker { resource, work }, self.workers_made(class)));
            }
        }
        found
    }

    /// Whether a constructor starts what it keeps in an attribute, whatever comes.
    fn is_started_by_constructor(&self, acquisition: &Acquisition, attribute: Name, work: &Work) -> bool {
        let facts = self.facts(acquisition.event.module);
        let made_in = facts.event(acquisition.event.id).context;
        let is_unconditional = facts.context(made_in).kind == ContextKind::Body;
        let starts = |(scope, call): (ScopeRef, CallId)| {
            let call = facts.call(call);
            let Expr::Attribute(base, name) = facts.expr(call.callee) else { return false };
            let is_it = match facts.expr(base) {
                Expr::Attribute(_, held) => held == attribute,
                Expr::Name(name) => self.receiver_named(scope, name).is_none(),
                Expr::Call(made) => made == acquisition.call,
                _ => false,
            };
            is_it
                && work.starters.contains(&name)
                && facts.context(facts.event(call.event).context).kind == ContextKind::Body
        };
        is_unconditional
            && (work.starters.contains(&self.words.init) || self.calls_in(acquisition.function).any(starts))
    }

    /// The tasks that functions of a module make of coroutines without an end.
    fn tasks_of(&self, module: ModuleId) -> Vec<Acquisition> {
        let facts = self.facts(module);
        calls_of_asyncio(self.module(module))
            .filter_map(|(id, call)| {
                let event = EventRef::new(module, call.event);
                let scope = self.event_scope(event);
                let function = self.event_function(event).filter(|function| self.function_scope(*function) == scope)?;
                let Expr::Call(coroutine) = facts.expr(*facts.arguments(call).first()?) else { return None };
                let is_endless = self.callee(scope, coroutine).is_some_and(|work| self.goes_on_for_ever(work));
                let given = Given::Whole;
                (is_endless && self.makes_tasks(scope, call.callee)).then_some(Acquisition {
                    call: id,
                    event,
                    function,
                    source: Source::Task,
                    through: None,
                    given,
                })
            })
            .collect()
    }

    /// Whether a coroutine waits in a loop that nothing leaves.
    fn goes_on_for_ever(&self, work: FunctionRef) -> bool {
        self.rounds_for_ever(work).is_some_and(|rounds| !self.is_left_early(work, rounds))
    }

    /// The loop that a coroutine waits in until a statement leaves it, also when what it waits for fails: a reader ends
    /// with its connection.
    pub(super) fn rounds_for_ever(&self, work: FunctionRef) -> Option<ContextId> {
        let facts = self.facts(work.module);
        let declared = self.function(work);
        let scope = self.function_scope(work);
        let is_endless = |context: &ContextId| matches!(facts.context(*context).kind, ContextKind::While(test) if facts.always_holds(test));
        let awaits = || {
            facts.scope_events(declared.scope).filter_map(|(_, event)| match event.kind {
                EventKind::Await(awaited) => Some((awaited, event.context)),
                _ => None,
            })
        };
        let rounds = awaits().find_map(|(_, around)| facts.context_ids_around(around).find(is_endless))?;
        let sleeps = |awaited: ExprId| {
            let Expr::Call(call) = facts.expr(awaited) else { return false };
            let path = self.external_path(scope.expr(facts.call(call).callee));
            path.is_some_and(|path| path.as_str() == "asyncio.sleep")
        };
        let is_survived = |around: ContextId| {
            let inside = facts.context_ids_around(around).take_while(|id| *id != rounds);
            inside.into_iter().any(|id| {
                let context = facts.context(id);
                matches!(context.kind, ContextKind::Try | ContextKind::Except(_))
                    && facts.contexts.iter().any(|handler| {
                        handler.group == context.group
                            && matches!(handler.kind, ContextKind::Except(types)
                                if matches!(facts.expr(types), Expr::Nothing)
                                    || matches!(facts.expr(types), Expr::Name(name)
                                        if matches!(name.as_str(), "Exception" | "BaseException")))
                    })
            })
        };
        let is_inside = |around: ContextId| facts.context_ids_around(around).any(|id| id == rounds);
        let goes_on = || {
            awaits()
                .filter(|(_, around)| is_inside(*around))
                .all(|(awaited, around)| sleeps(awaited) || is_survived(around))
        };
        (declared.is_async && goes_on()).then_some(rounds)
    }

    fn is_left_early(&self, work: FunctionRef, rounds: ContextId) -> bool {
        self.ways_out(work, rounds).next().is_some()
    }

    /// The contexts of the statements that leave a loop, but for those that answer to being cancelled.
    pub(super) fn ways_out(&self, work: FunctionRef, rounds: ContextId) -> impl Iterator<Item = ContextId> {
        let facts = self.facts(work.module);
        facts.scope_events(self.function(work).scope).filter_map(move |(_, event)| {
            let leaves = matches!(event.kind, EventKind::Return(_) | EventKind::Break);
            let is_inside = || facts.context_ids_around(event.context).any(|around| around == rounds);
            (leaves && is_inside() && !handles_cancellation(facts, event.context)).then_some(event.context)
        })
    }

    /// Whether a function that is called again and again ends the work that it starts, but not on every way.
    pub(super) fn is_left_running(&self, acquisition: &Acquisition, how: &Loss) -> bool {
        matches!(how, Loss::OnPath(loss) if !loss.is_handed_on && loss.because != Because::Guess)
            && self.frequency(acquisition.event) >= Frequency::Presumed
    }

    /// Whether a constructor that fails leaves behind what it has started, and that only its object would have ended.
    pub(super) fn is_left_by_constructor(&self, acquisition: &Acquisition, place: ExprId, how: &Loss) -> bool {
        let (Source::Worker(worker), Loss::OnPath(loss)) = (acquisition.source, how) else { return false };
        let Some(Worker { work, .. }) = self.resources.workers.classes.get(&worker) else { return false };
        let lost = match loss.lost {
            LostAt::Exit(event) if self.is_raise(event) => event,
            LostAt::Exception(event) if loss.because == Because::Failure => event,
            _ => return false,
        };
        let starts = |(id, event): (EventId, &Event)| match event.kind {
            EventKind::Call(call) if id < lost.id => {
                let facts = self.facts(acquisition.event.module);
                matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, name)
                    if base == place && work.starters.contains(&name))
            }
            _ => false,
        };
        let scope = self.function_scope(acquisition.function);
        work.starters.contains(&self.words.init) || self.facts(scope.module).scope_events(scope.id).any(starts)
    }

    fn returns_receiver(&self, method: FunctionRef) -> bool {
        let facts = self.facts(method.module);
        let Some(receiver) = self.receiver(method) else { return false };
        facts.scope_events(self.function(method).scope).any(
            |(_, event)| matches!(event.kind, EventKind::Return(value) if facts.expr(value) == Expr::Name(receiver.name)),
        )
    }

    /// What objects of a class do until they end it themselves.
    fn work_of(&self, class: ClassRef) -> Option<Work> {
        let methods: Vec<FunctionRef> = self.mro(class).iter().flat_map(|member| self.own_methods(*member)).collect();
        let name_of = |method: &FunctionRef| self.function(*method).name;
        let mut starters: Vec<Name> = Vec::new();
        let mut rounds = None;
        let is_thread = self.external_bases(class).iter().any(|base| base.as_str() == "threading.Thread");
        if is_thread && let Some(run) = self.method(class, Name::new("run")) {
            rounds = self.rounds_until_told(class, run);
            starters.extend(rounds.is_some().then(|| Name::new("start")));
        }
        let mut makes_thread = false;
        for method in &methods {
            for (scope, call) in self.calls_in(*method) {
                let Some(work) = self.work_started(scope, call) else { continue };
                let Some(found) = self.rounds_until_told(class, work) else { continue };
                rounds.get_or_insert(found);
                // A thread is made first and started then.
                let facts = self.facts(scope.module);
                if facts.called_name(facts.call(call)).is_some_and(|name| name.as_str() == "Thread") {
                    makes_thread = true;
                } else {
                    starters.push(name_of(method));
                }
            }
        }
        let calls = |method: &FunctionRef, wanted: &dyn Fn(&FileFacts, ExprId, Name) -> bool| {
            self.calls_in(*method).any(|(scope, call)| {
                let facts = self.facts(scope.module);
                matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, name) if wanted(facts, base, name))
            })
        };
        let is_receiver = |method: &FunctionRef, facts: &FileFacts, id: ExprId| {
            self.receiver(*method).is_some_and(|receiver| facts.expr(id) == Expr::Name(receiver.name))
        };
        if makes_thread {
            starters.extend(methods.iter().filter_map(|method| {
                let starts = |facts: &FileFacts, base: ExprId, name: Name| {
                    name.as_str() == "start" && !is_receiver(method, facts, base)
                };
                calls(method, &starts).then(|| name_of(method))
            }));
        }
        for method in &methods {
            let starts = |facts: &FileFacts, base: ExprId, name: Name| {
                is_receiver(method, facts, base) && starters.contains(&name)
            };
            if calls(method, &starts) && !starters.contains(&name_of(method)) {
                let name = name_of(method);
                starters.push(name);
            }
        }
        Some(Work { starters, rounds: rounds? })
    }

    fn calls_in(&self, method: FunctionRef) -> impl Iterator<Item = (ScopeRef, CallId)> {
        let scope = self.function_scope(method);
        self.facts(method.module).scope_events(scope.id).filter_map(move |(_, event)| match event.kind {
            EventKind::Call(call) => Some((scope, call)),
            _ => None,
        })
    }

    /// The loop of a method that only the object itself ends.
    fn rounds_until_told(&self, class: ClassRef, work: FunctionRef) -> Option<Location> {
        let (rounds, test) = self.loop_of(work)?;
        let facts = self.facts(work.module);
        let is_told = match facts.expr(test) {
            // A task is cancelled; nothing ends such a thread.
            Expr::Constant(Constant::True | Constant::Int(_)) => self.goes_on_for_ever(work),
            _ => asked_of(facts, test, self.receiver(work)?.name).is_some_and(|flag| self.is_own_flag(class, flag)),
        };
        (is_told && !self.is_left_early(work, rounds)).then(|| self.location(work.module, facts.context(rounds).span))
    }

    /// Whether an attribute, or the one that a method of this name gives, is made by the object and not given to it.
    fn is_own_flag(&self, class: ClassRef, flag: Name) -> bool {
        let asked = self.method(class, flag).and_then(|method| {
            let facts = self.facts(method.module);
            let receiver = self.receiver(method)?.name;
            facts.scope_events(self.function(method).scope).find_map(|(_, event)| match event.kind {
                EventKind::Return(value) => asked_of(facts, value, receiver),
                _ => None,
            })
        });
        let stores = self.instance_stores(class, asked.unwrap_or(flag));
        !stores.is_empty()
            && stores.iter().all(|store| {
                self.stored_value(*store)
                    .is_some_and(|value| matches!(self.expr(value), Expr::Constant(_) | Expr::Call(_)))
            })
    }

    /// Whether a worker that instances of a class keep is started, and nothing of theirs that touches it may end it.
    pub(super) fn is_left_working(&self, acquisition: &Acquisition, class: ClassRef, attribute: Name) -> bool {
        let Source::Worker(worker) = acquisition.source else { return true };
        let Some(Worker { work, .. }) = self.resources.workers.classes.get(&worker) else { return false };
        let starts_itself = work.starters.contains(&self.words.init);
        let mut is_started = starts_itself
            || self.calls_in(acquisition.function).any(|(scope, call)| {
                let facts = self.facts(scope.module);
                matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, name)
                    if work.starters.contains(&name)
                        && matches!(facts.expr(base), Expr::Name(name) if self.receiver_named(scope, name).is_none())
                        || work.starters.contains(&name) && facts.expr(base) == Expr::Call(acquisition.call))
            });
        for member in self.mro(class).iter().chain(self.subclasses(class)) {
            let facts = self.facts(member.module);
            let body = facts.class(member.id).span;
            let is_held = |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) if name == attribute);
            let is_part = |id: ExprId| matches!(facts.expr(id), Expr::Attribute(base, _) if is_held(base));
            for event in facts.events.iter().filter(|event| body.contains(event.span)) {
                let may_end = match event.kind {
                    EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                        Expr::Attribute(base, method) if is_held(base) => {
                            is_started |= work.starters.contains(&method);
                            method.as_str().split('_').any(|word| ENDING_WORDS.contains(&word))
                        }
                        Expr::Attribute(base, _) => is_part(base),
                        _ => false,
                    },
                    EventKind::Bind { target, .. } | EventKind::Augment { target, .. } => is_part(target),
                    _ => false,
                };
                if may_end {
                    return false;
                }
            }
        }
        is_started
    }
}

/// Whether something stands in a handler for nothing but the cancellation of its task.
fn handles_cancellation(facts: &FileFacts, context: ContextId) -> bool {
    facts.contexts_around(context).any(|around| {
        matches!(around.kind, ContextKind::Except(types)
            if matches!(facts.expr(types), Expr::Name(name) | Expr::Attribute(_, name)
                if name.as_str() == "CancelledError"))
    })
}

/// Methods after which nothing more is asked of work that a function started.
pub(super) fn ends_and_questions() -> Box<[Name]> {
    [".cancel", ".cancelled", ".done", ".is_alive", ".is_running", ".join", ".running"].map(Name::new).into()
}

/// The attribute of the object that a test asks for: `not self._stopped.is_set()`.
fn asked_of(facts: &FileFacts, test: ExprId, receiver: Name) -> Option<Name> {
    attribute_asked(facts, plain(facts, test, true).0, receiver)
}
