//! Which calls give something that must be released.
//!
//! Models name the callables of libraries. A function of the project that returns what it acquires gives it too, and so
//! does one that returns what such a function gives; a class whose constructor acquires what its `close` releases is
//! something to be released itself.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::calls::CallSite;
use super::super::names::{Definition, is_in_other_arm, joined};
use super::super::types::last_part;
use super::super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use super::firsts::FirstUse;
use super::uses::Use;
use super::workers::Workers;
use super::{Acquisition, Given, Resources, Source};
use crate::facts::{
    Call, CallId, Constant, ContextId, ContextKind, DisplayKind, Event, EventId, EventKind, Expr, ExprId, FileFacts,
    NOTHING, ScopeKind,
};
use crate::models::{Models, Resource};
use crate::source::{Name, NameSet};

/// How many functions what is acquired may be passed up through.
const MOST_GIVERS: u32 = 4;
/// How many subclasses of an owner are looked at.
const MOST_SUBCLASSES: usize = 40;
/// What every database module of Python has, as models call it.
const PEP_249_CONNECT: &str = "dbapi.connect";
/// The methods of a connection that PEP 249 asks for.
const PEP_249_METHODS: [&str; 4] = ["cursor", "commit", "rollback", "close"];
/// Decorators that leave a function what it is.
const PLAIN_DECORATORS: [&str; 5] =
    ["staticmethod", "classmethod", "abc.abstractmethod", "typing.override", "typing.no_type_check"];

impl Resources {
    /// `candidates` are those of each module, by [`Callables::called_in`].
    pub(in crate::program) fn of(program: &Program, candidates: Vec<Vec<(Name, CallId)>>) -> Resources {
        let acquisitions: Vec<Vec<Acquisition>> = (program.par_modules().zip(candidates))
            .map(|(module, candidates)| program.library_acquisitions(module, candidates))
            .collect();
        let mut resources = Resources {
            acquisitions,
            classes: FxHashMap::default(),
            workers: Workers::of(program),
            lost: program.module_ids().map(|_| OnceLock::new()).collect(),
        };
        program.add_acquisitions_by_project(&mut resources);
        resources
    }
}

/// What gives resources and may be called in a program: callables of models whose library is imported somewhere.
pub(in crate::program) struct Callables<'m> {
    /// By their last names.
    by_name: FxHashMap<Name, Vec<&'m Resource>>,
    names: NameSet,
}

impl<'m> Callables<'m> {
    /// `imported` are the modules that the program imports somewhere.
    pub fn of(models: &'m Models, imported: &NameSet) -> Callables<'m> {
        let roots: FxHashSet<&str> = imported.iter().map(|module| first_part(module.as_str())).collect();
        let mut by_name: FxHashMap<Name, Vec<&Resource>> = FxHashMap::default();
        for (path, resource) in models.resources() {
            let text = path.as_str();
            if !text.contains('.') || text == PEP_249_CONNECT || roots.contains(first_part(text)) {
                by_name.entry(Name::new(last_part(text))).or_default().push(resource);
            }
        }
        Callables { names: by_name.keys().copied().collect(), by_name }
    }

    /// The calls of a module that may give a resource by what they call and how, with the names of what they call. Most
    /// calls of `get` read a mapping.
    pub fn called_in(&self, facts: &FileFacts) -> Vec<(Name, CallId)> {
        let renamed = renamed(facts, &self.names);
        let called = facts.calls.iter().enumerate().filter_map(|(number, call)| {
            let name = match facts.expr(call.callee) {
                Expr::Name(name) => renamed.get(&name).copied().unwrap_or(name),
                Expr::Attribute(_, name) => name,
                _ => return None,
            };
            (self.names.contains(name) && self.may_be_given(facts, call, name)).then_some((name, CallId(number as u32)))
        });
        called.collect()
    }

    fn may_be_given(&self, facts: &FileFacts, call: &Call, name: Name) -> bool {
        let resources = self.by_name.get(&name).map_or(&[][..], Vec::as_slice);
        resources.iter().any(|resource| is_made_by(facts, call, resource))
    }
}

fn first_part(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

impl Program<'_> {
    /// The calls of a module, inside of functions, that give something to be released.
    pub(in crate::program) fn acquisitions(&self, module: ModuleId) -> &[Acquisition] {
        self.resources.acquisitions.get(module.0 as usize).map_or(&[], |known| known)
    }

    fn library_acquisitions(&self, module: ModuleId, candidates: Vec<(Name, CallId)>) -> Vec<Acquisition> {
        let facts = self.facts(module);
        let mut found = Vec::new();
        for (name, id) in candidates {
            let call = facts.call(id);
            let event = EventRef::new(module, call.event);
            let Some(function) = self.event_function(event) else { continue };
            let scope = self.event_scope(event);
            if self.function_scope(function) != scope && !is_comprehension(facts, scope) {
                continue;
            }
            let path = self.acquiring_path(scope.expr(call.callee));
            let Some(path) = path.or_else(|| self.path_by_result(function, name)) else { continue };
            let is_made = self.models.resource(path).is_some_and(|resource| {
                is_made_by(facts, call, resource) && !self.is_around_file(scope, call, resource)
            });
            if is_made && !self.is_in_memory(scope, call) {
                let also = self.models.resource(path).and_then(|resource| resource.also);
                for path in std::iter::once(path).chain(also) {
                    let (source, given) = (Source::Library(path), Given::ByModel);
                    found.push(Acquisition { call: id, event, function, source, through: None, given });
                }
            }
        }
        found
    }

    /// The dotted name of a callee that a model knows: as it stands, as a method of a library's object, or behind a local
    /// name for it (`opened = open`, `opened = getattr(tokenize, "open", open)`).
    pub(super) fn acquiring_path(&self, callee: ExprRef) -> Option<Name> {
        let is_known = |path: &Name| self.models.resource(*path).is_some();
        if let Some(path) = self.external_path(callee).or_else(|| self.method_path(callee)) {
            return Some(path).filter(is_known);
        }
        let Expr::Name(name) = self.expr(callee) else { return None };
        let holder = self.holding_scope(callee.scope, name)?;
        let (values, is_all) = self.bound_values(holder, name);
        let [(_, value)] = *values else { return None };
        let facts = self.facts(value.scope.module);
        let path = match self.expr(value) {
            Expr::Call(call) => {
                let call = facts.call(call);
                let [object, name, ref default @ ..] = *facts.arguments(call) else { return None };
                let Expr::Constant(Constant::Word(name)) = facts.expr(name) else { return None };
                let is_getattr = self.external_path(value.scope.expr(call.callee))?.as_str() == "getattr";
                let object = self.external_path(value.scope.expr(object)).filter(|_| is_getattr)?;
                let path = joined(object, name);
                let default = || self.external_path(value.scope.expr(*default.first()?));
                if is_known(&path) { path } else { default()? }
            }
            _ => self.external_path(value)?,
        };
        Some(path).filter(|path| is_all && is_known(path))
    }

    /// The name under which models speak of what any database module's `connect` gives, for a function that returns what
    /// it declares as such a connection: `driver.connect(**options)`, where the driver is a module given as a value.
    fn path_by_result(&self, function: FunctionRef, called: Name) -> Option<Name> {
        let facts = self.facts(function.module);
        let returns = facts.function(function.id).returns;
        if called.as_str() != "connect" || returns == NOTHING {
            return None;
        }
        let Definition::Class(class) = self.resolve(self.defining_scope(function).expr(returns)) else { return None };
        let has = |method: &&str| self.method(class, Name::new(method)).is_some();
        PEP_249_METHODS.iter().all(has).then(|| Name::new(PEP_249_CONNECT))
    }

    /// Follows what functions return to whoever calls them, and what objects hold to whoever makes them.
    fn add_acquisitions_by_project(&self, resources: &mut Resources) {
        let mut fresh: Vec<Acquisition> = resources.acquisitions.iter().flatten().copied().collect();
        let mut known: FxHashSet<(ModuleId, CallId, Given)> = fresh.iter().map(key).collect();
        let mut givers: FxHashSet<(FunctionRef, Given)> = FxHashSet::default();
        for _ in 0..MOST_GIVERS {
            let mut given: Vec<Acquisition> = Vec::new();
            let mut owners: Vec<(ClassRef, Resource)> = Vec::new();
            for acquisition in &fresh {
                let Some(resource) = self.resource_within(acquisition, resources) else { continue };
                for place in self.given_on(acquisition, resource) {
                    if givers.insert((acquisition.function, place)) {
                        given.push(Acquisition { given: place, ..*acquisition });
                    }
                }
                owners.extend(self.owners_of(acquisition, resource));
            }
            fresh.clear();
            for inner in given {
                let function = inner.function;
                for site in self.callers(function).iter().filter(|site| site.is_certain) {
                    fresh.extend(self.acquisition_at(site, inner.source, Some(function), inner.given));
                }
            }
            for (class, resource) in owners {
                if resources.classes.insert(class, resource).is_none() {
                    for site in self.instantiations(class).iter().filter(|site| site.is_certain) {
                        fresh.extend(self.acquisition_at(site, Source::Class(class), None, Given::Whole));
                    }
                }
            }
            fresh.retain(|acquisition| known.insert(key(acquisition)));
            for acquisition in &fresh {
                resources.acquisitions[acquisition.event.module.0 as usize].push(*acquisition);
            }
            if fresh.is_empty() {
                break;
            }
        }
        for of_module in &mut resources.acquisitions {
            of_module.sort_by_key(|acquisition| acquisition.call);
        }
    }

    pub(super) fn acquisition_at(
        &self,
        site: &CallSite,
        source: Source,
        through: Option<FunctionRef>,
        given: Given,
    ) -> Option<Acquisition> {
        let function = self.event_function(site.event).filter(|function| Some(*function) != through)?;
        let is_in_place = self.function_scope(function) == self.event_scope(site.event);
        is_in_place.then_some(Acquisition { call: site.call, event: site.event, function, source, through, given })
    }

    /// The classes whose constructor acquires what their `close` releases: whoever makes an instance has to close it.
    fn owners_of(&self, acquisition: &Acquisition, resource: &Resource) -> Vec<(ClassRef, Resource)> {
        let init = self.words.init;
        if resource.of_receiver || resource.is_path || self.function(acquisition.function).name != init {
            return Vec::new();
        }
        let Some((_, class, attribute)) = self.stored_by_constructor(acquisition, resource) else {
            return Vec::new();
        };
        let family = std::iter::once(class).chain(self.subclasses(class).iter().copied()).take(MOST_SUBCLASSES);
        family
            .filter(|member| self.method(*member, init) == Some(acquisition.function))
            .filter_map(|member| {
                if self.method(member, Name::new("__del__")).is_some() {
                    return None;
                }
                let ends = self.releasing_methods(member, attribute, resource);
                let is_entered = |name| self.method(member, Name::new(name)).is_some();
                let entered = [".__exit__", ".__aexit__"].into_iter().filter(|name| is_entered(&name[1..]));
                (!ends.is_empty()).then(|| {
                    let released_by = ends.iter().map(|name| format!(".{name}")).chain(entered.map(str::to_owned));
                    let of_class = Resource {
                        what: Name::new(&format!("`{}`", self.class(member).name)),
                        released_by: released_by.map(|name| Name::new(&name)).collect(),
                        ..Resource::like(resource)
                    };
                    (member, of_class)
                })
            })
            .collect()
    }

    /// Where in its result a function gives what it acquires, if it does nothing else with it than to use and return it:
    /// whoever calls it has it then, and nobody else.
    fn given_on(&self, acquisition: &Acquisition, resource: &Resource) -> Vec<Given> {
        let function = acquisition.function;
        let facts = self.facts(function.module);
        let declared = facts.function(function.id);
        let is_plain = self.decorators(function).all(|(_, meaning)| match meaning {
            Definition::External(path) => PLAIN_DECORATORS.contains(&path.as_str()),
            _ => false,
        });
        if !is_plain || declared.is_generator || resource.is_path || resource.of_receiver || resource.is_lent {
            return Vec::new();
        }
        match self.first_use(acquisition, resource) {
            FirstUse::Returned => vec![acquisition.given],
            FirstUse::Named(bindings) => bindings
                .iter()
                .filter_map(|binding| match facts.expr(binding.place) {
                    Expr::Name(name) => self.given_by_name(acquisition, resource, name),
                    _ => None,
                })
                .collect(),
            FirstUse::Elsewhere if acquisition.elements(resource).is_empty() => {
                let scope = self.function_scope(function);
                let is_result = |id: ExprId| self.is_result(scope.expr(id), acquisition.call);
                let mut returns = facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
                    EventKind::Return(value) => Some(value),
                    _ => None,
                });
                returns.find_map(|value| item_of(facts, value, &is_result)).map(Given::Element).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Where in its result a function gives what one of its names holds.
    fn given_by_name(&self, acquisition: &Acquisition, resource: &Resource, name: Name) -> Option<Given> {
        let function = acquisition.function;
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        if self.is_captured(function, name) || !self.is_bound_to_its_own(acquisition, name) {
            return None;
        }
        let is_held = |id: ExprId| facts.expr(id) == Expr::Name(name);
        // A function may acquire a lot, and most of that goes nowhere.
        let is_given = facts.scope_events(scope.id).any(|(_, event)| {
            matches!(event.kind, EventKind::Return(value) if is_held(value) || item_of(facts, value, &is_held).is_some())
        });
        if !is_given {
            return None;
        }
        let has_ended = |released: &[ContextId], context| {
            facts.context_ids_around(context).any(|around| released.contains(&around))
        };
        let made_in = facts.event(acquisition.event.id).context;
        let mut given = None;
        let mut released: Vec<ContextId> = Vec::new();
        for (id, event) in facts.scope_events(scope.id) {
            let EventKind::Return(value) = event.kind else {
                match self.use_of(EventRef::new(function.module, id), resource, &is_held) {
                    Use::HandedOn => return None,
                    Use::Released if id > acquisition.event.id => released.push(event.context),
                    Use::Released | Use::Nothing => {}
                }
                continue;
            };
            // What has ended on the way is given for what it has to say: `process.wait(); return process`.
            if has_ended(&released, event.context) || has_ended(&released, made_in) {
                continue;
            }
            let place = match item_of(facts, value, &is_held) {
                Some(place) => Given::Element(place),
                None if is_held(value) => Given::Whole,
                None => {
                    // What it gives otherwise may belong to somebody else.
                    let is_own = value == NOTHING
                        || matches!(facts.expr(value), Expr::Constant(Constant::None))
                        || self.is_result(scope.expr(value), acquisition.call);
                    if !is_own {
                        return None;
                    }
                    continue;
                }
            };
            if given.is_some_and(|given| given != place) {
                return None;
            }
            given = Some(place);
        }
        given
    }

    /// Whether a name is bound once besides, or else only to what is made in other arms of the same statement.
    fn is_bound_to_its_own(&self, acquisition: &Acquisition, name: Name) -> bool {
        let module = acquisition.event.module;
        let facts = self.facts(module);
        let scope = self.function_scope(acquisition.function);
        let mut others = 0;
        self.module(module).bindings_of(scope.id, name).all(|event| match facts.event(event).kind {
            EventKind::Annotate { .. } => true,
            EventKind::Bind { value, .. }
                if matches!(facts.expr(value), Expr::Call(_))
                    && is_in_other_arm(facts, acquisition.event.id, event) =>
            {
                true
            }
            _ => {
                others += 1;
                others <= 2
            }
        })
    }
}

fn key(acquisition: &Acquisition) -> (ModuleId, CallId, Given) {
    (acquisition.event.module, acquisition.call, acquisition.given)
}

/// The place of an item in a tuple that holds it once.
fn item_of(facts: &FileFacts, value: ExprId, is_item: &dyn Fn(ExprId) -> bool) -> Option<u32> {
    let Expr::Display(DisplayKind::Tuple, run) = facts.expr(value) else { return None };
    let mut places = facts.list(run).iter().zip(0..).filter(|(item, _)| is_item(**item)).map(|(_, place)| place);
    let place = places.next()?;
    places.next().is_none().then_some(place)
}

/// What names stand for others in a module: by import, or bound to a callable.
fn renamed(facts: &FileFacts, callables: &NameSet) -> FxHashMap<Name, Name> {
    let imports = facts.imports.iter();
    let mut renamed: FxHashMap<Name, Name> =
        imports.filter_map(|import| Some((import.bound, import.name.filter(|name| *name != import.bound)?))).collect();
    for event in &facts.events {
        let EventKind::Bind { target, value } = event.kind else { continue };
        let Expr::Name(target) = facts.expr(target) else { continue };
        let last = match facts.expr(value) {
            Expr::Name(name) | Expr::Attribute(_, name) => name,
            Expr::Call(call) => match facts.arguments(facts.call(call)) {
                [_, name, ..] => match facts.expr(*name) {
                    Expr::Constant(Constant::Word(name)) => name,
                    _ => continue,
                },
                _ => continue,
            },
            _ => continue,
        };
        if callables.contains(last) && last != target {
            renamed.insert(target, last);
        }
    }
    renamed
}

fn is_comprehension(facts: &FileFacts, scope: ScopeRef) -> bool {
    facts.scope(scope.id).kind == ScopeKind::Comprehension
}

/// Whether a call's arguments, and what is done with its result at once, say that there will be something to release.
fn is_made_by(facts: &FileFacts, call: &Call, resource: &Resource) -> bool {
    if resource.is_awaited && !is_awaited(facts, call) {
        return false;
    }
    let given = |keyword: Name| {
        let value = facts.keyword_arguments(call).iter().find(|(name, _)| *name == Some(keyword))?.1;
        Some(facts.expr(value))
    };
    if resource.unless_keyword.is_some_and(|keyword| given(keyword).is_some()) {
        return false;
    }
    let is_wanted = |keyword| {
        given(keyword).is_some_and(|value| !matches!(value, Expr::Constant(Constant::False | Constant::None)))
    };
    let conditions = [
        resource.if_keyword.map(is_wanted),
        resource.if_argument.map(|place| facts.arguments(call).len() > place as usize),
        resource.if_false.map(|keyword| given(keyword) == Some(Expr::Constant(Constant::False))),
    ];
    let mut said = conditions.into_iter().flatten().peekable();
    // `Serial(**settings)` may be given anything.
    let is_open =
        resource.if_argument.is_some() && facts.keyword_arguments(call).iter().any(|(name, _)| name.is_none());
    said.peek().is_none() || is_open || said.any(|holds| holds)
}

/// `await call()`, `yield from call()`, `async with call():`
fn is_awaited(facts: &FileFacts, call: &Call) -> bool {
    let next = EventId(call.event.0 + 1);
    let awaits = |event: &Event| match event.kind {
        EventKind::Await(awaited) => awaited == call.expr,
        EventKind::Yield(value) => facts.expr(value) == Expr::Element(call.expr),
        _ => false,
    };
    // What is opened by the call is opened before anything else happens.
    let opened = &facts.contexts[facts.contexts.partition_point(|context| context.opened < next)..];
    let enters = ContextKind::With { manager: call.expr, is_async: true };
    facts.events.get(next.index()).is_some_and(awaits)
        || opened.iter().take_while(|context| context.opened == next).any(|context| context.kind == enters)
}
