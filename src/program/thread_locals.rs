//! Growth in what each thread or context has for itself.
//!
//! The threads of a pool and the main thread live as long as the process, and so do the attributes of a
//! `threading.local()` in them. A place that resolves to "the attribute of a thread-local" is none of the places that
//! operations are kept for, so its few operations are looked up here, by the names that thread-locals are bound to.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::domains::Domain;
use super::names::Definition;
use super::repetition::{Frequency, Repetition};
use super::types::{Type, last_part};
use super::{EventRef, ExprRef, FunctionRef, ModuleId, OperationKind, Place, Program, ScopeRef, vocabulary};
use crate::facts::{
    Constant, ContextKind, Event, EventId, EventKind, Expr, ExprId, FileFacts, Import, NOTHING, ScopeKind,
};
use crate::source::{Name, NameSet};

/// How many names and calls are followed to the container that they stand for.
const DEPTH: u32 = 4;

/// The names that thread-locals and context variables of the program are bound to.
#[derive(Default)]
pub struct ThreadLocals {
    names: NameSet,
    /// The modules in which something may be done to what is in one, with the exact questions left open.
    modules: Vec<ModuleId>,
    /// Functions that may return what is in one, under all names they go by.
    givers: NameSet,
    /// Methods that may: a plain name means one only where a module binds it to that.
    giving_methods: NameSet,
}

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Held {
    /// The attributes themselves, under names that are made up.
    Attributes,
    /// The container in this attribute.
    Container(Name),
    /// The container that is a context variable's default.
    Default,
}

#[derive(Clone, Debug)]
pub struct ThreadLocalGrowth {
    pub event: EventRef,
    /// The variable that holds the thread-local, and what of it grows.
    pub place: Place,
    pub held: Held,
    /// Where the thread-local is made.
    pub binding: Option<EventRef>,
    pub domain: Domain,
    pub is_append: bool,
    pub is_conditional: bool,
    pub escapes: bool,
    pub repetition: Repetition,
}

/// What an event does to a container in a thread-local.
struct Touch {
    place: Place,
    held: Held,
    does: Does,
}

enum Does {
    Add {
        key: ExprRef,
        is_append: bool,
    },
    Remove,
    /// Bound to a new container.
    Rebind,
    Escape,
}

impl ThreadLocals {
    pub fn collect(program: &Program) -> ThreadLocals {
        let mut makers: NameSet =
            program.models.thread_local_names().map(|path| Name::new(last_part(path.as_str()))).collect();
        let derived = program.module_ids().flat_map(|module| program.classes_of(module)).filter(|class| {
            program.external_bases(*class).iter().any(|base| program.models.thread_local(*base).is_some())
        });
        makers.extend(derived.map(|class| program.class(class).name).collect::<Vec<_>>());
        let modules: Vec<ModuleId> = program.module_ids().collect();
        let calling = modules_calling(program, &makers, |import| makers.contains(import.bound));
        let names = union_of(&calling, |module| names_of_made(program.facts(module), &makers));
        let mut locals = ThreadLocals { names, ..ThreadLocals::default() };
        if locals.names.is_empty() {
            return locals;
        }
        locals.modules = locals.touching(program, &modules);
        // As deep as calls are followed below.
        for _ in 0..DEPTH {
            let (found, methods) = locals
                .modules
                .par_iter()
                .map(|module| locals.givers_of(program.facts(*module)))
                .reduce(<(NameSet, NameSet)>::default, |one, other| (one.0.union(other.0), one.1.union(other.1)));
            if found.is_empty() && methods.is_empty() {
                break;
            }
            locals.givers = std::mem::take(&mut locals.givers).union(found);
            locals.giving_methods = std::mem::take(&mut locals.giving_methods).union(methods);
            let touching = match locals.add_aliases(program, &modules) {
                true => locals.touching(program, &modules),
                false => {
                    let gives = |import: &Import| {
                        locals.givers.contains(import.bound)
                            || import.name.is_some_and(|name| locals.givers.contains(name))
                    };
                    let calling = modules_calling(program, &locals.givers, gives);
                    locals.touching(program, &calling)
                }
            };
            locals.modules.extend(touching);
            locals.modules.sort_unstable();
            locals.modules.dedup();
        }
        locals
    }

    fn touching(&self, program: &Program, modules: &[ModuleId]) -> Vec<ModuleId> {
        let known = self.names.clone().union(self.givers.clone());
        let names: Vec<Name> = known.iter().collect();
        let touches = |module: &&ModuleId| {
            let facts = program.facts(**module);
            // Most modules have none of the names at all.
            let may_have_name = names.iter().any(|name| program.module(**module).may_name(*name));
            let mut is_named = false;
            may_have_name
                && facts.exprs.iter().any(|expr| {
                    // What an expression speaks of stands before it.
                    is_named |= matches!(expr, Expr::Name(name) | Expr::Attribute(_, name) if known.contains(*name));
                    is_named && self.may_speak(facts, *expr)
                })
        };
        modules.par_iter().filter(touches).copied().collect()
    }

    fn has_name(&self, facts: &FileFacts, expr: ExprId) -> bool {
        matches!(facts.expr(expr), Expr::Name(name) | Expr::Attribute(_, name) if self.names.contains(name))
    }

    /// Whether an expression may speak of an attribute of a thread-local, by names alone.
    fn may_speak(&self, facts: &FileFacts, expr: Expr) -> bool {
        match expr {
            Expr::Attribute(base, _) => self.has_name(facts, base),
            Expr::Call(call) => {
                let call = facts.call(call);
                match facts.expr(call.callee) {
                    Expr::Name(name) => {
                        self.givers.contains(name)
                            || facts.arguments(call).first().is_some_and(|first| self.has_name(facts, *first))
                                && matches!(name.as_str(), "getattr" | "setattr" | "delattr")
                    }
                    Expr::Attribute(base, _) => self.has_name(facts, base),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// The functions and the methods of a module that may return what they took out of a thread-local, without those
    /// that are known.
    fn givers_of(&self, facts: &FileFacts) -> (NameSet, NameSet) {
        let mut bound = NameSet::default();
        for event in &facts.events {
            if let EventKind::Bind { target, value } = event.kind
                && let Expr::Name(name) = facts.expr(target)
                && self.may_speak(facts, facts.expr(value))
            {
                bound.insert(name);
            }
        }
        let mut functions = NameSet::default();
        let mut methods = NameSet::default();
        for event in &facts.events {
            let EventKind::Return(value) = event.kind else { continue };
            let gives = match facts.expr(value) {
                Expr::Name(name) => bound.contains(name),
                value => self.may_speak(facts, value),
            };
            let scope = facts.scope(facts.scope_of(event));
            let (known, found) = match facts.scope(scope.parent).kind {
                ScopeKind::Class(_) => (&self.giving_methods, &mut methods),
                _ => (&self.givers, &mut functions),
            };
            if let ScopeKind::Function(function) = scope.kind
                && gives
                && !known.contains(facts.function(function).name)
            {
                found.insert(facts.function(function).name);
            }
        }
        (functions, methods)
    }

    /// Adds other names that imports and modules give to the givers. Says whether there may be any.
    fn add_aliases(&mut self, program: &Program, modules: &[ModuleId]) -> bool {
        let mut may_be_any = false;
        loop {
            let imports = modules.iter().flat_map(|module| &program.facts(*module).imports);
            let mut aliases: Vec<Name> = imports
                .filter(|import| import.name.is_some_and(|name| self.is_alias(import.bound, name)))
                .map(|import| import.bound)
                .collect();
            may_be_any |= !aliases.is_empty();
            may_be_any |=
                self.givers.iter().chain(self.giving_methods.iter()).any(|name| self.is_assigned(program, name));
            if may_be_any {
                let assigned = union_of(modules, |module| {
                    let facts = program.facts(module);
                    let bound = facts.events.iter().filter_map(|event| alias_of(facts, event));
                    bound.filter(|(alias, name)| self.is_alias(*alias, *name)).map(|(alias, _)| alias).collect()
                });
                aliases.extend(assigned.iter());
            }
            if aliases.is_empty() {
                return may_be_any;
            }
            self.givers.extend(aliases);
        }
    }

    fn is_alias(&self, alias: Name, name: Name) -> bool {
        (self.givers.contains(name) || self.giving_methods.contains(name)) && !self.givers.contains(alias)
    }

    /// Whether a function or method of this name is given another one.
    fn is_assigned(&self, program: &Program, name: Name) -> bool {
        program.mentions_under(name).iter().any(|(event, _)| {
            let facts = program.facts(event.module);
            alias_of(facts, facts.event(event.id)).is_some_and(|(alias, _)| !self.givers.contains(alias))
        })
    }
}

/// `alias = name` and `alias = object.name` for a module's own name.
fn alias_of(facts: &FileFacts, event: &Event) -> Option<(Name, Name)> {
    let EventKind::Bind { target, value } = event.kind else { return None };
    let Expr::Name(alias) = facts.expr(target) else { return None };
    let name = match facts.expr(value) {
        Expr::Name(name) => name,
        Expr::Attribute(base, name) if matches!(facts.expr(base), Expr::Name(_) | Expr::Attribute(..)) => name,
        _ => return None,
    };
    let scope = facts.scope(facts.scope_of(event));
    let is_of_module = matches!(scope.kind, ScopeKind::Module | ScopeKind::Comprehension)
        || facts.names[scope.globals.range()].contains(&alias);
    is_of_module.then_some((alias, name))
}

/// The modules with a call under one of these names, or with such an import.
fn modules_calling(program: &Program, names: &NameSet, imports: impl Fn(&Import) -> bool) -> Vec<ModuleId> {
    let called = program.calls_under(names).into_iter().map(|(module, _)| module);
    let importing = program.module_ids().filter(|module| program.facts(*module).imports.iter().any(&imports));
    let mut modules: Vec<ModuleId> = called.chain(importing).collect();
    modules.sort_unstable();
    modules.dedup();
    modules
}

fn union_of(modules: &[ModuleId], names: impl Fn(ModuleId) -> NameSet + Sync) -> NameSet {
    let all = modules.par_iter().map(|module| names(*module)).filter(|names| !names.is_empty());
    all.reduce(NameSet::default, NameSet::union)
}

/// The names that are bound to what these functions and classes make.
fn names_of_made(facts: &FileFacts, makers: &NameSet) -> NameSet {
    let mut names = NameSet::default();
    for event in &facts.events {
        let EventKind::Bind { target, value } = event.kind else { continue };
        let Expr::Call(call) = facts.expr(value) else { continue };
        let (Expr::Name(name) | Expr::Attribute(_, name)) = facts.expr(target) else { continue };
        let callee = facts.expr(facts.call(call).callee);
        if matches!(callee, Expr::Name(maker) | Expr::Attribute(_, maker) if makers.contains(maker)) {
            names.insert(name);
        }
    }
    names
}

impl Program<'_> {
    /// What only grows in thread-locals and is added to in a module, once for each place.
    pub fn thread_local_growths(&self, module: ModuleId) -> Vec<ThreadLocalGrowth> {
        if self.thread_locals.modules.binary_search(&module).is_err() {
            return Vec::new();
        }
        let facts = self.facts(module);
        let mut seen = FxHashSet::default();
        let mut ends = FxHashMap::default();
        let mut growths = Vec::new();
        let may_add = |event: EventKind| match event {
            EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Name(name) => name.as_str() == "setattr",
                Expr::Attribute(_, method) => OperationKind::of_method(method).is_some_and(OperationKind::is_growth),
                _ => false,
            },
            EventKind::Bind { target, .. } => matches!(facts.expr(target), Expr::Subscript(..)),
            _ => false,
        };
        for (number, event) in facts.events.iter().enumerate().filter(|(_, event)| may_add(event.kind)) {
            let id = EventRef::new(module, EventId(number as u32));
            let scope = ScopeRef::new(module, facts.scope_of(event));
            let Some(touch) = self.thread_local_touch(scope, event.kind) else { continue };
            let Does::Add { key, is_append } = touch.does else { continue };
            let Some(mut growth) = self.thread_local_growth(id, touch.place, touch.held, key, is_append) else {
                continue;
            };
            // This looks through the whole program, so it comes last.
            let (is_reset, escapes) = *ends
                .entry((touch.place, touch.held))
                .or_insert_with(|| self.thread_local_ends(id, touch.place, touch.held));
            growth.escapes = escapes;
            if !is_reset && seen.insert((touch.place, touch.held)) {
                growths.push(growth);
            }
        }
        growths
    }

    fn thread_local_growth(
        &self,
        event: EventRef,
        place: Place,
        held: Held,
        key: ExprRef,
        is_append: bool,
    ) -> Option<ThreadLocalGrowth> {
        let function = self.event_function(event)?;
        let domain = self.key_domain(key);
        let name = self.function(function).name.as_str();
        if !is_append && !domain.is_open() || !name.starts_with("__") && vocabulary::is_setup_name(name) {
            return None;
        }
        let repetition = self.repetition(event);
        if repetition.frequency < Frequency::Presumed {
            return None;
        }
        Some(ThreadLocalGrowth {
            event,
            place,
            held,
            binding: self.place_binding(place),
            domain,
            is_append,
            is_conditional: self.conditions(event).iter().any(|condition| !condition.is_check),
            escapes: false,
            repetition,
        })
    }

    /// Whether anything in the program takes out or resets what grows, and whether it is handed to others.
    fn thread_local_ends(&self, growth: EventRef, place: Place, held: Held) -> (bool, bool) {
        let mut escapes = false;
        for module in &self.thread_locals.modules {
            let module = *module;
            let facts = self.facts(module);
            for (number, event) in facts.events.iter().enumerate() {
                let scope = ScopeRef::new(module, facts.scope_of(event));
                let Some(touch) = self.thread_local_touch(scope, event.kind) else { continue };
                if touch.place != place || touch.held != held && !matches!(touch.does, Does::Remove) {
                    continue;
                }
                let id = EventRef::new(module, EventId(number as u32));
                match touch.does {
                    Does::Remove
                        if (touch.held == held || touch.held == Held::Attributes)
                            && self.event_function(id).is_none_or(|function| self.is_run(function)) =>
                    {
                        return (true, escapes);
                    }
                    Does::Rebind if self.is_reset(id, growth) => return (true, escapes),
                    Does::Escape => escapes = true,
                    _ => {}
                }
            }
        }
        (false, escapes)
    }

    fn is_run(&self, function: FunctionRef) -> bool {
        self.function_frequency(function) > Frequency::Never
    }

    /// A new container that does not depend on there being none yet.
    fn is_reset(&self, event: EventRef, growth: EventRef) -> bool {
        let Some(function) = self.event_function(event) else { return false };
        let facts = self.facts(event.module);
        let is_conditional = !self.conditions(event).is_empty()
            || facts
                .contexts_around(facts.event(event.id).context)
                .any(|context| matches!(context.kind, ContextKind::Except(_)));
        let name = self.function(function).name;
        // What a constructor makes is the beginning, except in the function that adds.
        !is_conditional
            && (name != self.words.init || self.event_function(growth) == Some(function))
            && self.is_run(function)
    }

    fn thread_local_touch(&self, scope: ScopeRef, event: EventKind) -> Option<Touch> {
        let facts = self.facts(scope.module);
        let touch = |(place, held), does| Some(Touch { place, held, does });
        match event {
            EventKind::Call(id) => {
                let call = facts.call(id);
                let arguments = facts.arguments(call);
                match facts.expr(call.callee) {
                    Expr::Name(callee) if matches!(callee.as_str(), "setattr" | "delattr") => {
                        let [object, name, ..] = arguments else { return None };
                        let place = self.thread_local_place(scope.expr(*object))?;
                        match (callee.as_str(), facts.expr(*name)) {
                            ("setattr", Expr::Constant(Constant::Word(name))) => {
                                touch((place, Held::Container(name)), Does::Rebind)
                            }
                            ("setattr", _) => {
                                let does = Does::Add { key: scope.expr(*name), is_append: false };
                                touch((place, Held::Attributes), does)
                            }
                            (_, Expr::Constant(Constant::Word(name))) => {
                                touch((place, Held::Container(name)), Does::Remove)
                            }
                            _ => touch((place, Held::Attributes), Does::Remove),
                        }
                    }
                    Expr::Attribute(base, method) => {
                        let base = scope.expr(base);
                        if let Some(kind) = OperationKind::of_method(method)
                            && let Some(found) = self.thread_local_container(base, DEPTH)
                        {
                            let first = arguments.first().map_or(NOTHING, |first| *first);
                            let is_append = matches!(kind, OperationKind::Append | OperationKind::Extend);
                            let key = match is_append {
                                true => arguments.last().copied().unwrap_or(NOTHING),
                                false => first,
                            };
                            return match kind {
                                kind if kind.is_shrink() => touch(found, Does::Remove),
                                OperationKind::Update => touch(found, Does::Escape),
                                kind if kind.is_growth() => touch(found, Does::Add { key: scope.expr(key), is_append }),
                                _ => None,
                            };
                        }
                        // `VARIABLE.set(…)` gives the context a value of its own.
                        if method.as_str() == "set" && self.is_context_variable(base) {
                            return touch((self.reach(base)?.place, Held::Default), Does::Remove);
                        }
                        arguments.iter().find_map(|id| self.escaping(scope.expr(*id)))
                    }
                    _ => arguments.iter().find_map(|id| self.escaping(scope.expr(*id))),
                }
            }
            EventKind::Bind { target, value } => match facts.expr(target) {
                Expr::Subscript(base, key) => {
                    let found = self.thread_local_container(scope.expr(base), DEPTH)?;
                    match facts.expr(key) {
                        Expr::Slice(_) => touch(found, Does::Remove),
                        _ => touch(found, Does::Add { key: scope.expr(key), is_append: false }),
                    }
                }
                Expr::Attribute(base, name) => match self.thread_local_place(scope.expr(base)) {
                    Some(place) => touch((place, Held::Container(name)), Does::Rebind),
                    None => self.escaping(scope.expr(value)),
                },
                _ => None,
            },
            EventKind::Delete { target } => match facts.expr(target) {
                Expr::Subscript(base, _) => touch(self.thread_local_container(scope.expr(base), DEPTH)?, Does::Remove),
                Expr::Attribute(base, name) => {
                    touch((self.thread_local_place(scope.expr(base))?, Held::Container(name)), Does::Remove)
                }
                _ => None,
            },
            // What a private function returns is seen where it is called.
            EventKind::Return(_) if self.is_private(scope) => None,
            EventKind::Return(value) | EventKind::Yield(value) => self.escaping(scope.expr(value)),
            _ => None,
        }
    }

    fn is_private(&self, scope: ScopeRef) -> bool {
        self.enclosing_function(scope).is_some_and(|function| self.function(function).name.as_str().starts_with('_'))
    }

    fn escaping(&self, value: ExprRef) -> Option<Touch> {
        if !matches!(self.expr(value), Expr::Attribute(..) | Expr::Name(_)) {
            return None;
        }
        let (place, held) = self.thread_local_container(value, 3)?;
        Some(Touch { place, held, does: Does::Escape })
    }

    /// The container in a thread-local that an expression speaks of.
    fn thread_local_container(&self, expr: ExprRef, depth: u32) -> Option<(Place, Held)> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Attribute(base, name) => {
                let place = self.thread_local_place(expr.scope.expr(base))?;
                let is_namespace = name.as_str() == "__dict__";
                Some((place, if is_namespace { Held::Attributes } else { Held::Container(name) }))
            }
            Expr::Call(call) => {
                let call = facts.call(call);
                match facts.expr(call.callee) {
                    Expr::Name(name) if name.as_str() == "getattr" => {
                        let [object, name, ..] = facts.arguments(call) else { return None };
                        let Expr::Constant(Constant::Word(name)) = facts.expr(*name) else { return None };
                        Some((self.thread_local_place(expr.scope.expr(*object))?, Held::Container(name)))
                    }
                    Expr::Attribute(base, method) if method.as_str() == "get" => {
                        let variable = expr.scope.expr(base);
                        if !self.has_shared_default(variable) {
                            return None;
                        }
                        Some((self.reach(variable)?.place, Held::Default))
                    }
                    Expr::Name(_) => {
                        let Definition::Function(function) = self.resolve(expr.scope.expr(call.callee)) else {
                            return None;
                        };
                        self.returned_container(function, depth)
                    }
                    _ => None,
                }
            }
            Expr::Name(name) => {
                let Definition::Variable(scope, name) = self.resolve_name(expr.scope, name) else { return None };
                if self.is_module_scope(scope) || self.is_parameter(scope, name) {
                    return None;
                }
                let (values, _) = self.bound_values(scope, name);
                values.iter().find_map(|(_, value)| match self.expr(*value) {
                    Expr::Attribute(..) | Expr::Call(_) => self.thread_local_container(*value, depth),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    /// `def cache(): …; return LOCAL.cache`
    fn returned_container(&self, function: FunctionRef, depth: u32) -> Option<(Place, Held)> {
        let facts = self.facts(function.module);
        facts.scope_events(self.function(function).scope).find_map(|(_, event)| match event.kind {
            EventKind::Return(value) => {
                let scope = ScopeRef::new(function.module, facts.scope_of(event));
                self.thread_local_container(scope.expr(value), depth)
            }
            _ => None,
        })
    }

    /// The place of a variable or attribute that holds a thread-local.
    fn thread_local_place(&self, expr: ExprRef) -> Option<Place> {
        if !self.may_be_thread_local(expr) {
            return None;
        }
        let is_local = match self.type_of(expr) {
            Type::External(path) => self.models.thread_local(path).is_some_and(|model| !model.is_variable),
            Type::Instance(class) => {
                let bases = self.external_bases(class);
                bases.iter().any(|base| self.models.thread_local(*base).is_some_and(|model| !model.is_variable))
            }
            _ => false,
        };
        let place = self.reach(expr).filter(|_| is_local)?.place;
        (self.is_shared(place) || matches!(place, Place::Instance(..))).then_some(place)
    }

    fn is_context_variable(&self, expr: ExprRef) -> bool {
        self.may_be_thread_local(expr)
            && matches!(self.type_of(expr), Type::External(path)
                if self.models.thread_local(path).is_some_and(|model| model.is_variable))
    }

    /// `ContextVar("seen", default={})`: every context that sets nothing has the same one.
    fn has_shared_default(&self, variable: ExprRef) -> bool {
        if !self.is_context_variable(variable) {
            return false;
        }
        let Definition::Variable(scope, name) = self.resolve(variable) else { return false };
        let default = Name::new("default");
        self.bound_values(scope, name).0.iter().any(|(_, value)| {
            let facts = self.facts(value.scope.module);
            let Expr::Call(call) = self.expr(*value) else { return false };
            facts.keyword_arguments(facts.call(call)).iter().any(|(name, given)| {
                *name == Some(default) && self.container_made_by(value.scope.expr(*given)).is_some()
            })
        })
    }

    fn may_be_thread_local(&self, expr: ExprRef) -> bool {
        matches!(self.expr(expr), Expr::Name(name) | Expr::Attribute(_, name) if self.thread_locals.names.contains(name))
    }

    /// The first binding of a place.
    fn place_binding(&self, place: Place) -> Option<EventRef> {
        let first = |scope: ScopeRef, name| {
            self.module(scope.module).bindings_of(scope.id, name).next().map(|event| EventRef::new(scope.module, event))
        };
        match place {
            Place::Module(module, name) => first(ScopeRef::new(module, crate::facts::MODULE_SCOPE), name),
            Place::Class(class, name) => first(self.class_scope(class), name),
            Place::Instance(class, name) => self.instance_stores(class, name).first().copied(),
            _ => None,
        }
    }

    /// What grows, as a reader would write it: `LOCAL.items`.
    pub fn thread_local_name(&self, growth: &ThreadLocalGrowth) -> String {
        let place = self.place_name(growth.place);
        match growth.held {
            Held::Container(name) => format!("{place}.{name}"),
            Held::Attributes | Held::Default => place,
        }
    }
}
