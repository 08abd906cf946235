//! What must be released: where it is acquired, and what becomes of it.
//!
//! A close somewhere proves little; what counts is every way out of the function that acquires. Ownership is followed
//! through names, and whatever might have taken it over (an unknown callee, an attribute, a closure) is presumed to
//! have: a finding is made only where the last name that holds the resource is lost before our eyes.

mod acquisitions;
mod contained;
mod dropped;
mod firsts;
mod globals;
mod moments;
mod owners;
mod partly;
mod paths;
mod tasks_of_others;
mod uses;
mod workers;
mod wrapped;

use std::sync::OnceLock;

pub(super) use firsts::parts_of_something;
use firsts::{Binding, FirstUse};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::dump::expression;
use crate::facts::{CallId, Constant, ContextKind, EventKind, Expr, ExprId, FileFacts, Import, MODULE_SCOPE};
use crate::models::Resource;
use crate::source::{Name, Span};

pub(super) use acquisitions::Callables;
pub use dropped::DroppedItem;
pub use globals::AbandonedGlobal;
pub(super) use owners::ReleasingNames;
pub use owners::{Kept, UnreleasedAttribute};

#[derive(Default)]
pub struct Resources {
    /// For each module, the calls inside of functions that give something to be released.
    acquisitions: Vec<Vec<Acquisition>>,
    /// Classes of the project whose instances must be closed.
    classes: FxHashMap<ClassRef, Resource>,
    workers: workers::Workers,
    /// For each module, what its functions lose: several rules ask for it.
    lost: Vec<OnceLock<Vec<LostResource>>>,
}

/// Names that decide about the resources of the whole program.
#[derive(Default)]
pub(super) struct Endings {
    /// Of methods that all end the process: `module.fail_json()`, whatever `module` is.
    of_process: FxHashSet<Name>,
    /// Of attributes on which something outside of their own class calls a releasing method.
    from_outside: FxHashSet<Name>,
}

impl Endings {
    /// `released_outside` are those of each module, by [`Program::released_outside`].
    pub(super) fn of(program: &Program, released_outside: Vec<Vec<Name>>) -> Endings {
        let exits = ["exit", "_exit"].map(Name::new);
        let may_exit = |module: &ModuleId| {
            let is_exit = |import: &Import| import.name.is_some_and(|name| exits.contains(&name));
            exits.iter().any(|exit| program.module(*module).may_name(*exit))
                || program.facts(*module).imports.iter().any(is_exit)
        };
        let ending: FxHashSet<FunctionRef> = (program.par_modules().filter(may_exit))
            .flat_map_iter(|module| program.functions_of(module))
            .filter(|function| program.is_end_of_process(*function))
            .collect();
        let mut of_process: FxHashSet<Name> = ending.iter().map(|function| program.function(*function).name).collect();
        // One that goes on is enough to say nothing of its name.
        let going_on: Vec<Name> = (program.par_modules())
            .flat_map_iter(|module| program.functions_of(module))
            .filter(|function| of_process.contains(&program.function(*function).name) && !ending.contains(function))
            .map(|function| program.function(function).name)
            .collect();
        going_on.iter().for_each(|name| {
            of_process.remove(name);
        });
        Endings { of_process, from_outside: released_outside.into_iter().flatten().collect() }
    }
}

/// A call that gives what must be released.
#[derive(Clone, Copy, Debug)]
pub struct Acquisition {
    pub call: CallId,
    pub event: EventRef,
    pub function: FunctionRef,
    pub source: Source,
    /// A function of the project that acquires it and returns it.
    pub through: Option<FunctionRef>,
    pub given: Given,
}

/// Where in the result of a call the resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Given {
    /// As the model says: the result itself, or some of its elements.
    ByModel,
    Whole,
    /// This item of a tuple.
    Element(u32),
}

impl Acquisition {
    /// Whether it works on its own, and may do so for as long as the process: only who ends it elsewhere means it to end.
    pub fn works(&self) -> bool {
        matches!(self.source, Source::Worker(_) | Source::Task)
    }

    /// The places in the tuple that is given which hold a resource; none where it is the result itself.
    pub(super) fn elements<'a>(&'a self, resource: &'a Resource) -> &'a [u32] {
        match &self.given {
            Given::ByModel => &resource.elements,
            Given::Whole => &[],
            Given::Element(place) => std::slice::from_ref(place),
        }
    }
}

/// What gives a resource when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Something of a library, by its dotted name.
    Library(Name),
    /// A class of the project whose objects hold what their `close` releases.
    Class(ClassRef),
    /// A class of the project whose objects work on their own until they are told to stop.
    Worker(ClassRef),
    /// A task that goes on until it is cancelled.
    Task,
}

/// A resource that a function acquires and does not let go.
#[derive(Clone, Debug)]
pub struct LostResource {
    pub acquisition: Acquisition,
    pub how: Loss,
    /// It has a `with` that ends something else.
    pub is_entered: bool,
}

#[derive(Clone, Debug)]
pub enum Loss {
    /// It has no name, so that nothing can release it.
    Unnamed(Unnamed),
    /// Nothing releases what has this name.
    Never {
        name: String,
        place: ExprId,
        /// One of the ways is a `raise`, whose traceback has it.
        is_raised: bool,
        /// What has this name is a container that it was put into.
        is_contained: bool,
    },
    /// One way releases it and another loses it.
    OnPath(PathLoss),
}

/// What is done with a resource that has no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// A method of it is called that does not release it.
    Method(Name),
    /// It is passed to something that only uses it.
    Argument(CallId),
    /// It is run through.
    Iterated,
    /// One of the things that are given is taken, the other is not.
    Element,
    /// Nothing at all.
    Dropped,
}

#[derive(Clone, Debug)]
pub struct PathLoss {
    pub name: String,
    /// What has the name, as an expression.
    pub place: ExprId,
    /// Where another way releases it or hands it on.
    pub released: EventRef,
    pub is_handed_on: bool,
    pub lost: LostAt,
    pub because: Because,
}

/// Why the way is taken on which a resource is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The source says so.
    Source,
    /// An exception that is to be expected.
    Failure,
    /// An exception that no handler around it is for, though one of them releases.
    Passing,
    /// The time is up that was given to a wait for its end.
    TimeOut,
    /// An exception of a call that may raise.
    Exception,
    /// An exception of a method of which nothing is known.
    Guess,
}

/// Where the last name that holds the resource is lost.
#[derive(Clone, Copy, Debug)]
pub enum LostAt {
    /// The function is left by this statement.
    Exit(EventRef),
    /// The function's end is reached; the last test on the way there came out so.
    End(Option<(Span, bool)>),
    /// The name is bound again or deleted.
    Overwritten(EventRef),
    /// The next turn of the loop acquires another.
    Reacquired,
    /// An exception of this call leaves the function.
    Exception(EventRef),
    /// An exception comes out of this `yield` of a context manager.
    Thrown(EventRef),
    /// The generator is given up at this `yield`.
    GivenUp(EventRef),
}

impl Program<'_> {
    pub fn resource_of(&self, acquisition: &Acquisition) -> Option<&Resource> {
        self.resource_within(acquisition, &self.resources)
    }

    fn resource_within<'a>(&'a self, acquisition: &Acquisition, resources: &'a Resources) -> Option<&'a Resource> {
        match acquisition.source {
            Source::Library(path) => self.models.resource(path),
            Source::Class(class) => resources.classes.get(&class),
            Source::Worker(class) => resources.workers.resource(class),
            Source::Task => Some(resources.workers.task()),
        }
    }

    /// What instances of a class of the project hold that their `close` releases.
    pub fn resource_of_class(&self, class: ClassRef) -> Option<&Resource> {
        self.resources.classes.get(&class)
    }

    /// What gives the resource, as a reader would name it.
    pub fn giver_name(&self, acquisition: &Acquisition) -> String {
        match (acquisition.through, acquisition.source) {
            (Some(function), _) => self.function_name(function),
            (None, Source::Library(path)) => path.to_string(),
            (None, Source::Class(class) | Source::Worker(class)) => self.class(class).name.to_string(),
            (None, Source::Task) => "create_task".to_owned(),
        }
    }

    /// Whether a process is started with pipes to it.
    pub fn has_pipes(&self, acquisition: &Acquisition) -> bool {
        let facts = self.facts(acquisition.event.module);
        facts.keyword_arguments(facts.call(acquisition.call)).iter().any(|(name, value)| {
            name.is_some_and(|name| matches!(name.as_str(), "stdin" | "stdout" | "stderr"))
                && matches!(facts.expr(*value), Expr::Name(name) | Expr::Attribute(_, name) if name.as_str() == "PIPE")
        })
    }

    /// What the functions of a module acquire and lose.
    pub fn lost_resources(&self, module: ModuleId) -> &[LostResource] {
        let Some(known) = self.resources.lost.get(module.0 as usize) else { return &[] };
        known.get_or_init(|| self.find_lost_resources(module))
    }

    fn find_lost_resources(&self, module: ModuleId) -> Vec<LostResource> {
        let mut flows = paths::Flows::default();
        let mut found = Vec::new();
        let mut asked: FxHashMap<FunctionRef, usize> = FxHashMap::default();
        let workers = self.resources.workers.made_in(module);
        for acquisition in self.acquisitions(module).iter().chain(workers).copied() {
            // Of several resources that one call gives, one finding tells it.
            if found.last().is_some_and(|last: &LostResource| last.acquisition.call == acquisition.call) {
                continue;
            }
            let Some(resource) = self.resource_of(&acquisition) else { continue };
            // What a function makes and passes around is presumed to be taken over, until an object keeps it.
            let taken = resource.is_lent.then(|| Resource { is_lent: false, ..resource.clone() });
            // Who asks whether it still works knows how to end it.
            let asked_for_end = || Resource { released_by: workers::ends_and_questions(), ..resource.clone() };
            let taken = taken.or_else(|| acquisition.works().then(asked_for_end));
            let resource = taken.as_ref().unwrap_or(resource);
            let asked = asked.entry(acquisition.function).or_default();
            *asked += 1;
            if *asked > MOST_ACQUISITIONS || self.wraps_another(&acquisition) || self.is_switched_off(acquisition.event)
            {
                continue;
            }
            let mut add = |how, is_entered| found.push(LostResource { acquisition, how, is_entered });
            let is_constructor = self.constructed_object(acquisition.function).is_some();
            let bindings = match self.first_use(&acquisition, resource) {
                FirstUse::Unnamed(how) if resource.is_lazy && self.leaves_unopened(&acquisition, resource, how) => {
                    continue;
                }
                // pyplot has it all the same.
                FirstUse::Unnamed(_) if !resource.done_by.is_empty() => continue,
                FirstUse::Unnamed(_) if acquisition.works() => continue,
                FirstUse::Stored(_) if acquisition.works() && !is_constructor => continue,
                FirstUse::Unnamed(how) => {
                    add(Loss::Unnamed(how), false);
                    continue;
                }
                FirstUse::Named(bindings) => bindings,
                FirstUse::Stored(binding) if is_constructor => vec![binding],
                FirstUse::Elsewhere => {
                    let Some(Binding { place, .. }) = self.lost_with_container(&acquisition, resource) else {
                        continue;
                    };
                    let is_told = |lost: &LostResource| {
                        lost.acquisition.function == acquisition.function
                            && matches!(lost.how, Loss::Never { place: other, is_contained: true, .. } if other == place)
                    };
                    if !found.iter().any(is_told) {
                        let name = expression(self.facts(module), place);
                        let how = Loss::Never { name, place, is_raised: false, is_contained: true };
                        found.push(LostResource { acquisition, how, is_entered: false });
                    }
                    continue;
                }
                FirstUse::Stored(_) | FirstUse::Returned => continue,
            };
            // Where the name of a file may be that of another one, it is not only its own test that decides about it.
            let is_of_one_file = |binding: &Binding| match self.facts(module).expr(binding.place) {
                Expr::Name(name) if resource.is_path && !resource.elements.is_empty() => {
                    self.is_bound_once(acquisition.function, name)
                }
                _ => true,
            };
            let bindings = bindings.into_iter().filter(is_of_one_file);
            // Both ends of a pipe are mostly lost in the same way: one finding tells it.
            for binding in bindings {
                let how = self.loss_of(&acquisition, resource, binding, &mut flows);
                let is_left = |how: &Loss| {
                    !acquisition.works()
                        || self.is_left_running(&acquisition, how)
                        || is_constructor && self.is_left_by_constructor(&acquisition, binding.place, how)
                };
                if let Some(how) = how.filter(is_left) {
                    add(how, resource.with_keeps && self.is_entered(&acquisition, binding.place));
                    break;
                }
            }
        }
        found
    }

    /// Whether a variable of a function, which is no parameter, gets one value.
    fn is_bound_once(&self, function: FunctionRef, name: Name) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        self.module(function.module).bindings_of(scope.id, name).count() == 1
            && !facts.parameters(facts.function(function.id)).iter().any(|parameter| parameter.name == name)
    }

    /// Whether what opens something only when it is used is not used at all.
    fn leaves_unopened(&self, acquisition: &Acquisition, resource: &Resource, how: Unnamed) -> bool {
        let facts = self.facts(acquisition.event.module);
        match how {
            Unnamed::Dropped => true,
            Unnamed::Method(method) => Resource::names(&resource.idle, method),
            Unnamed::Argument(call) => only_looks(facts, call),
            Unnamed::Iterated | Unnamed::Element => false,
        }
    }

    /// Whether something stands under a test on a constant of the module that says that it never runs.
    pub(super) fn is_switched_off(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        facts.contexts_around(facts.event(event.id).context).any(|context| {
            let ContextKind::If(test) = context.kind else { return false };
            let Expr::Name(name) = facts.expr(test) else { return false };
            let holder = self.holding_scope(ScopeRef::new(event.module, context.scope), name);
            let Some(holder) = holder.filter(|holder| holder.id == MODULE_SCOPE) else { return false };
            let (values, is_all) = self.bound_values(holder, name);
            is_all && matches!(*values, [(_, value)] if self.expr(value) == Expr::Constant(Constant::False))
        })
    }

    /// Whether the last thing that a function does, whichever way it goes, is to end the process.
    fn is_end_of_process(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let mut last = None;
        for (_, event) in facts.scope_events(scope.id) {
            match event.kind {
                EventKind::Return(_) | EventKind::Yield(_) => return false,
                EventKind::Call(call) => last = Some((event.context, call)),
                _ => {}
            }
        }
        let Some((context, call)) = last else { return false };
        matches!(facts.context(context).kind, ContextKind::Body)
            && self
                .external_path(scope.expr(facts.call(call).callee))
                .is_some_and(|path| matches!(path.as_str(), "sys.exit" | "os._exit" | "exit"))
    }

    /// Whether what an acquisition gives is the manager of a `with`, by itself or by its name.
    fn is_entered(&self, acquisition: &Acquisition, place: ExprId) -> bool {
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        facts.contexts.iter().any(|context| match context.kind {
            ContextKind::With { manager, .. } => {
                context.scope == scope.id && (manager == place || self.is_result(scope.expr(manager), acquisition.call))
            }
            _ => false,
        })
    }
}

/// How many acquisitions of one function are followed: each may walk all of it.
const MOST_ACQUISITIONS: usize = 50;

/// An expression and those that are it under another form: the arms of a conditional, the items of a display.
fn parts_of(program: &Program, expr: ExprRef, with_text: bool, visit: &mut dyn FnMut(ExprId)) {
    let facts = program.facts(expr.scope.module);
    let mut waiting = vec![expr.id];
    // Displays may be tables of thousands.
    for _ in 0..64 {
        let Some(id) = waiting.pop() else { return };
        visit(id);
        match facts.expr(id) {
            Expr::Display(_, run) | Expr::And(run) | Expr::Or(run) | Expr::Conditional(run) => {
                waiting.extend(facts.list(run).iter().take(64));
            }
            Expr::Starred(inner) | Expr::Await(inner) => waiting.push(inner),
            Expr::Format(run) if with_text => waiting.extend(facts.list(run)),
            Expr::Binary(_, left, right) if with_text => waiting.extend([left, right]),
            Expr::Call(call) if with_text && makes_text(facts, facts.call(call).callee) => {
                let call = facts.call(call);
                waiting.extend(facts.arguments(call));
                waiting.push(call.callee);
            }
            Expr::Attribute(base, _) | Expr::Subscript(base, _) if with_text => waiting.push(base),
            _ => {}
        }
    }
}

/// Functions and methods that make a path or text of their arguments.
fn makes_text(facts: &FileFacts, callee: ExprId) -> bool {
    match facts.expr(callee) {
        Expr::Name(name) | Expr::Attribute(_, name) => matches!(
            name.as_str(),
            "join"
                | "joinpath"
                | "abspath"
                | "realpath"
                | "normpath"
                | "expanduser"
                | "expandvars"
                | "resolve"
                | "absolute"
                | "Path"
                | "PurePath"
                | "str"
                | "fspath"
                | "format"
                | "encode"
                | "decode"
                | "replace"
                | "strip"
                | "rstrip"
                | "local"
                | "as_uri"
                | "as_posix"
        ),
        _ => false,
    }
}

/// `isinstance(given, Session)`: whatever is given stays as it is.
fn only_looks(facts: &FileFacts, call: CallId) -> bool {
    matches!(facts.expr(facts.call(call).callee), Expr::Name(name)
        if matches!(name.as_str(), "isinstance" | "issubclass" | "hasattr" | "callable" | "type" | "id" | "repr"))
}
