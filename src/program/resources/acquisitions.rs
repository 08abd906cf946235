//! Which calls give something that must be released.
//!
//! Models name the callables of libraries. A function of the project that returns what it acquires gives it too, and so
//! does one that returns what such a function gives; a class whose constructor acquires what its `close` releases is
//! something to be released itself.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::calls::CallSite;
use super::super::names::{Definition, joined};
use super::super::types::last_part;
use super::super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use super::firsts::FirstUse;
use super::uses::Use;
use super::{Acquisition, Resources, Source};
use crate::facts::{Call, CallId, Constant, EventKind, Expr, FileFacts, NOTHING, ScopeKind};
use crate::models::Resource;
use crate::source::{Name, NameSet};

/// How many functions what is acquired may be passed up through.
const MOST_GIVERS: u32 = 4;
/// How many subclasses of an owner are looked at.
const MOST_SUBCLASSES: usize = 40;
/// Decorators that leave a function what it is.
const PLAIN_DECORATORS: [&str; 5] =
    ["staticmethod", "classmethod", "abc.abstractmethod", "typing.override", "typing.no_type_check"];

impl Resources {
    pub fn of(program: &Program) -> Resources {
        let callables = reached_callables(program);
        let modules: Vec<ModuleId> = program.module_ids().collect();
        let acquisitions: Vec<Vec<Acquisition>> =
            modules.par_iter().map(|module| program.library_acquisitions(*module, &callables)).collect();
        let mut resources = Resources {
            acquisitions,
            classes: FxHashMap::default(),
            lost: modules.iter().map(|_| OnceLock::new()).collect(),
            released_from_outside: OnceLock::new(),
        };
        program.add_acquisitions_by_project(&mut resources);
        resources
    }
}

/// The last names of the models' callables whose library is imported somewhere.
fn reached_callables(program: &Program) -> NameSet {
    let mut roots: FxHashSet<&str> = FxHashSet::default();
    for module in program.module_ids() {
        roots.extend(program.facts(module).imports.iter().map(|import| first_part(import.module.as_str())));
    }
    let is_reached = |path: &Name| !path.as_str().contains('.') || roots.contains(first_part(path.as_str()));
    let reached = program.models.resource_names().filter(is_reached);
    reached.map(|path| Name::new(last_part(path.as_str()))).collect()
}

fn first_part(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

impl Program<'_> {
    /// The calls of a module, inside of functions, that give something to be released.
    pub(in crate::program) fn acquisitions(&self, module: ModuleId) -> &[Acquisition] {
        self.resources.acquisitions.get(module.0 as usize).map_or(&[], |known| known)
    }

    fn library_acquisitions(&self, module: ModuleId, callables: &NameSet) -> Vec<Acquisition> {
        let facts = self.facts(module);
        let renamed = renamed(facts, callables);
        let mut found = Vec::new();
        for (number, call) in facts.calls.iter().enumerate() {
            let name = match facts.expr(call.callee) {
                Expr::Name(name) => renamed.get(&name).copied().unwrap_or(name),
                Expr::Attribute(_, name) => name,
                _ => continue,
            };
            if !callables.contains(name) {
                continue;
            }
            let event = EventRef::new(module, call.event);
            let Some(function) = self.event_function(event) else { continue };
            let scope = self.event_scope(event);
            if self.function_scope(function) != scope && !is_comprehension(facts, scope) {
                continue;
            }
            let Some(path) = self.acquiring_path(scope.expr(call.callee)) else { continue };
            let is_made = self.models.resource(path).is_some_and(|resource| is_made_by(facts, call, resource));
            if is_made && !self.is_in_memory(scope, call) {
                let call = CallId(number as u32);
                found.push(Acquisition { call, event, function, source: Source::Library(path), through: None });
            }
        }
        found
    }

    /// The dotted name of a callee that a model knows: as it stands, as a method of a library's object, or behind a local
    /// name for it (`opened = open`, `opened = getattr(tokenize, "open", open)`).
    fn acquiring_path(&self, callee: ExprRef) -> Option<Name> {
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

    /// Follows what functions return to whoever calls them, and what objects hold to whoever makes them.
    fn add_acquisitions_by_project(&self, resources: &mut Resources) {
        let mut fresh: Vec<Acquisition> = resources.acquisitions.iter().flatten().copied().collect();
        let mut known: FxHashSet<(ModuleId, CallId)> = fresh.iter().map(|it| (it.event.module, it.call)).collect();
        for _ in 0..MOST_GIVERS {
            let mut givers: Vec<(Source, FunctionRef)> = Vec::new();
            let mut owners: Vec<(ClassRef, Resource)> = Vec::new();
            for acquisition in &fresh {
                let Some(resource) = self.resource_within(acquisition, resources) else { continue };
                let is_known = givers.iter().any(|(_, function)| *function == acquisition.function);
                if !is_known && self.is_given_on(acquisition, resource) {
                    givers.push((acquisition.source, acquisition.function));
                }
                owners.extend(self.owners_of(acquisition, resource));
            }
            fresh.clear();
            for (source, function) in givers {
                for site in self.callers(function).iter().filter(|site| site.is_certain) {
                    fresh.extend(self.acquisition_at(site, source, Some(function)));
                }
            }
            for (class, resource) in owners {
                if resources.classes.insert(class, resource).is_none() {
                    for site in self.instantiations(class).iter().filter(|site| site.is_certain) {
                        fresh.extend(self.acquisition_at(site, Source::Class(class), None));
                    }
                }
            }
            fresh.retain(|acquisition| known.insert((acquisition.event.module, acquisition.call)));
            for acquisition in &fresh {
                resources.acquisitions[acquisition.event.module.0 as usize].push(*acquisition);
            }
            if fresh.is_empty() {
                break;
            }
        }
        for of_module in &mut resources.acquisitions {
            of_module.sort_unstable_by_key(|acquisition| acquisition.call);
        }
    }

    fn acquisition_at(&self, site: &CallSite, source: Source, through: Option<FunctionRef>) -> Option<Acquisition> {
        let function = self.event_function(site.event).filter(|function| Some(*function) != through)?;
        let is_in_place = self.function_scope(function) == self.event_scope(site.event);
        is_in_place.then_some(Acquisition { call: site.call, event: site.event, function, source, through })
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

    /// Whether a function does nothing else with what it acquires than to use and return it, so that whoever calls it
    /// has it, and nobody else.
    fn is_given_on(&self, acquisition: &Acquisition, resource: &Resource) -> bool {
        let function = acquisition.function;
        let facts = self.facts(function.module);
        let declared = facts.function(function.id);
        let is_plain = self.decorators(function).all(|(_, meaning)| match meaning {
            Definition::External(path) => PLAIN_DECORATORS.contains(&path.as_str()),
            _ => false,
        });
        if !is_plain
            || declared.is_generator
            || !resource.elements.is_empty()
            || resource.is_path
            || resource.of_receiver
            || resource.is_lent
        {
            return false;
        }
        let scope = self.function_scope(function);
        let name = match self.first_use(acquisition, resource) {
            FirstUse::Returned => None,
            FirstUse::Named(bindings) if bindings.len() == 1 => match facts.expr(bindings[0].place) {
                Expr::Name(name) => Some(name),
                _ => return false,
            },
            _ => return false,
        };
        if name.is_some_and(|name| {
            self.module(function.module).bindings_of(scope.id, name).count() > 2 || self.is_captured(function, name)
        }) {
            return false;
        }
        let is_held = |expr: Expr| name.is_some_and(|name| expr == Expr::Name(name));
        let mut is_returned = name.is_none();
        for (id, event) in facts.scope_events(scope.id) {
            match event.kind {
                EventKind::Return(value) if is_held(facts.expr(value)) => is_returned = true,
                EventKind::Return(value) => {
                    // What it gives otherwise may belong to somebody else.
                    let is_own = value == NOTHING
                        || matches!(facts.expr(value), Expr::Constant(Constant::None))
                        || self.is_result(scope.expr(value), acquisition.call);
                    if !is_own {
                        return false;
                    }
                }
                _ => {
                    let used = self.use_of(EventRef::new(function.module, id), resource, &|id| is_held(facts.expr(id)));
                    if used == Use::HandedOn {
                        return false;
                    }
                }
            }
        }
        is_returned
    }
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

/// Whether a call's keywords say that there will be something to release.
fn is_made_by(facts: &FileFacts, call: &Call, resource: &Resource) -> bool {
    let given = |keyword: Name| {
        let value = facts.keyword_arguments(call).iter().find(|(name, _)| *name == Some(keyword))?.1;
        Some(facts.expr(value))
    };
    let is_wanted = |keyword| {
        given(keyword).is_some_and(|value| !matches!(value, Expr::Constant(Constant::False | Constant::None)))
    };
    resource.if_keyword.is_none_or(is_wanted)
        && resource.if_false.is_none_or(|keyword| given(keyword) == Some(Expr::Constant(Constant::False)))
}
