//! All facts linked: what only the whole program can tell.
//!
//! Linking builds indexes and the operations on places; every other question (what does this name mean, who calls
//! this, how often does it run, where does this key come from) is answered when a rule asks it, because rules ask
//! about few places and most of a program is never asked about. Each answer keeps its reason, so that a finding can
//! show the whole argument. Questions are bounded in depth: an answer that would need more is "unknown".

pub mod abandoned_tasks;
mod acquaintance;
pub mod async_generators;
mod bindings;
pub mod caches;
pub mod calls;
pub mod classes;
pub mod collector;
pub mod conditions;
pub mod containers;
pub mod costs;
pub mod domains;
pub mod exceptions;
pub mod growth;
pub mod lifetimes;
pub mod listeners;
pub mod names;
pub mod operations;
mod permanence;
pub mod places;
pub mod queues;
mod recent;
pub mod references;
pub mod registries;
pub mod repetition;
pub mod resources;
pub mod running_work;
pub mod thread_locals;
mod told;
mod tools;
pub mod types;
pub mod vocabulary;
pub mod weak_closures;

use std::any::Any;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use self::bindings::{Bindings, holder_of};
use crate::facts::{CallId, ClassId, EventId, EventKind, Expr, ExprId, FileFacts, FunctionId, ScopeId, ScopeKind};
use crate::models::Models;
use crate::source::{FileId, Location, Name, NameFilter, NameSet, Span};

pub use classes::ClassTable;
pub use operations::{Operation, OperationKind, Operations};
pub use places::Place;

/// How a file's code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Imported by others, of a process of unknown length.
    Library,
    /// A command: its process ends when it has done its work.
    Command,
    /// Another project's code, copied into this one: its users can change it only there.
    Vendored,
    /// Runs only under tests: its process is short.
    Test,
}

/// A file as the engine hands it over.
pub struct ModuleInput {
    pub file: FileId,
    /// Its path relative to the project's root, for messages that name files.
    pub path: PathBuf,
    /// Dotted, as an import would write it: `package.module`; a package's `__init__.py` has the package's name.
    pub name: Name,
    pub is_package: bool,
    pub role: Role,
    /// Findings are asked for in this file; the others are only analysed.
    pub reported: bool,
    /// Shared with who checks again and again while few files change.
    pub facts: Arc<FileFacts>,
}

/// A module, as an index into [`Program::modules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub u32);

macro_rules! refs {
    ($($(#[$doc:meta])* $name:ident($id:ty))*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            pub module: ModuleId,
            pub id: $id,
        }

        impl $name {
            pub fn new(module: ModuleId, id: $id) -> Self {
                $name { module, id }
            }
        }
    )*};
}

refs! {
    /// A function, lambda or method anywhere in the program.
    FunctionRef(FunctionId)
    /// A class anywhere in the program.
    ClassRef(ClassId)
    /// A scope anywhere in the program.
    ScopeRef(ScopeId)
    /// An event anywhere in the program.
    EventRef(EventId)
}

/// An expression and the scope in which its names mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExprRef {
    pub scope: ScopeRef,
    pub id: ExprId,
}

impl ScopeRef {
    pub fn expr(self, id: ExprId) -> ExprRef {
        ExprRef { scope: self, id }
    }
}

/// Each program takes two: what was answered before all its classes were known may be answered otherwise later.
static NEXT_EDITION: AtomicU32 = AtomicU32::new(1);

pub struct Program<'m> {
    /// A number that no other program of this process has, nor this one before all its classes were known.
    edition: u32,
    pub modules: Vec<Module>,
    pub models: &'m Models,
    by_name: FxHashMap<Name, ModuleId>,
    pub classes: ClassTable,
    storing_modules: classes::StoringModules,
    /// Answers of [`Program::instance_stores`]: a base class may have a thousand subclasses to look through.
    instance_stores: calls::Answers<(ClassRef, Name), Arc<[EventRef]>>,
    calls: calls::CallIndex,
    acquaintances: acquaintance::Acquaintances,
    pub operations: Operations,
    references: references::References,
    /// Last names of all decorators of the program.
    decorators: NameSet,
    words: Words,
    /// Answers of [`Program::repetition`] for functions, in the life of one instance of a class or at all.
    repetitions: calls::Answers<(FunctionRef, Option<ClassRef>), Arc<repetition::Repetition>>,
    /// Answers of [`Program::is_repeated`] for functions.
    repeated: calls::Answers<FunctionRef, bool>,
    /// Names that more than one function has.
    common_functions: OnceLock<NameSet>,
    /// One for each module: several rules ask for the same accounts.
    accounts: Vec<OnceLock<Vec<(Place, growth::Account)>>>,
    /// Likewise, of what instances hold.
    instance_accounts: Vec<OnceLock<Vec<(Place, growth::Account)>>>,
    /// Likewise.
    cached: Vec<OnceLock<Vec<caches::CachedFunction>>>,
    lifetimes: lifetimes::Lifetimes,
    listeners: listeners::Listeners,
    /// What is done to the places from which a removal may be skipped; `None` where nothing takes out one entry.
    touches_of_skipped: calls::Answers<Place, Option<Arc<[growth::Touch]>>>,
    skipped_after_helpers: growth::SkippedAfterHelpers,
    registrations: registries::Registrations,
    thread_locals: thread_locals::ThreadLocals,
    endings: resources::Endings,
    /// The packages that are one command.
    tools: OnceLock<FxHashSet<Name>>,
    resources: resources::Resources,
}

/// A module with the indexes that resolution needs.
pub struct Module {
    pub input: ModuleInput,
    index: Arc<ModuleIndex>,
    /// What module-level names mean, as far as it was asked.
    resolved: RwLock<FxHashMap<Name, names::Definition>>,
    /// Calls and what is awaited, where they are parts of something.
    parts: OnceLock<FxHashSet<ExprId>>,
    /// The types of variables that are bound more than once, by how deep was looked.
    variable_types: RwLock<FxHashMap<(ScopeId, Name, u32), types::Type>>,
}

/// What can be found faster than by reading all facts of a file. It is made of that file's facts alone, best while they
/// are still in the processor's cache.
pub struct ModuleIndex {
    /// Every binding of a plain name.
    bindings: Bindings,
    /// Every store to an attribute of something (`x.name = …`), sorted by name.
    attribute_stores: Box<[(Name, EventId)]>,
    /// The class each class-scope belongs to and the function each function-scope belongs to come from the facts;
    /// this is the other direction for methods: the class whose body a function stands in.
    method_class: Box<[Option<ClassId>]>,
    /// The functions in the bodies of classes, by class and in source order.
    methods: Box<[(ClassId, FunctionId)]>,
    /// Calls that are decorators: `@name(…)`.
    decorator_calls: FxHashSet<CallId>,
    /// Last names of decorators written as attributes: `@object.name`.
    decorator_attributes: FxHashSet<Name>,
    /// Last names of all decorators, imports under another name undone.
    decorator_names: Vec<Name>,
    bound_to_containers: operations::BoundToContainers,
    /// Stores under a key of something named: `name[key] = …`, `object.name[key] = …`.
    item_stores: Box<[EventId]>,
    /// Scopes in which a handler catches an exception under a name, in source order.
    catching: Box<[ScopeId]>,
    /// Classes whose constructor takes the `bases` of a class.
    class_makers: Vec<ClassId>,
    /// What may give a place its container, in source order: assignments to names of modules and classes but of
    /// constants, assignments to attributes of what may be one, and functions with such a default.
    may_hold: Box<[EventId]>,
    /// Parameters that have an attribute as their default: the attribute's name, the function, the parameter.
    attribute_defaults: Box<[(Name, FunctionId, Name)]>,
    /// All names and attributes in expressions.
    words: NameFilter,
}

/// What is left of a program when all questions are answered.
pub type Remains = Arc<dyn Any + Send + Sync>;

/// What is found in passing for those who ask when calls and operations are known, for each module.
struct Candidates {
    /// Calls that may give a resource, with the names of what they call.
    acquiring: Vec<Vec<(Name, CallId)>>,
    /// Attributes that something releases from outside of their objects.
    released_outside: Vec<Vec<Name>>,
}

/// The names that stand on the surface of a program's modules.
#[derive(Default)]
struct Surface {
    classes: NameSet,
    functions: NameSet,
    /// Last names of all decorators.
    decorators: NameSet,
    /// The modules that are imported, as they are written.
    imported: NameSet,
}

impl Surface {
    /// All in one pass, because a module's facts are far away by the time it is linked.
    fn of(program: &Program) -> Surface {
        (program.modules.par_iter())
            .fold(Surface::default, |mut surface, module| {
                let facts = module.facts();
                surface.classes.extend(facts.classes.iter().map(|class| class.name));
                surface.functions.extend(facts.functions.iter().map(|function| function.name));
                surface.decorators.extend(module.index.decorator_names.iter().copied());
                surface.imported.extend(facts.imports.iter().map(|import| import.module));
                surface
            })
            .reduce(Surface::default, |one, other| Surface {
                classes: one.classes.union(other.classes),
                functions: one.functions.union(other.functions),
                decorators: one.decorators.union(other.decorators),
                imported: one.imported.union(other.imported),
            })
    }
}

/// How many modules a thread takes at once.
const MODULES_AT_ONCE: usize = 32;

/// Names that the analyses compare with, interned once.
pub(crate) struct Words {
    pub init: Name,
    pub dict: Name,
    pub super_: Name,
    pub star: Name,
    pub static_method: Name,
    pub class_method: Name,
    /// Methods that get their class without a decorator.
    pub implicit_class_methods: [Name; 3],
    /// What the first parameter of a method is called, the most usual first.
    pub receivers: Box<[Name]>,
}

impl ModuleIndex {
    pub fn of(facts: &FileFacts) -> ModuleIndex {
        let mut bindings = Vec::new();
        let mut attribute_stores = Vec::new();
        let mut method_class = vec![None; facts.functions.len()].into_boxed_slice();
        let mut methods = Vec::new();
        let mut class_makers = Vec::new();
        let mut item_stores = Vec::new();
        let mut catching = Vec::new();
        let mut bound_to_containers = operations::BoundToContainers::begin(facts);
        let mut may_hold = Vec::new();
        for (number, event) in facts.events.iter().enumerate() {
            let id = EventId(number as u32);
            let target = match event.kind {
                EventKind::Import(import) => {
                    let scope = holder_of(facts, facts.scope_of(event), facts.imports[import.index()].bound);
                    bindings.push((scope, facts.imports[import.index()].bound, id));
                    continue;
                }
                EventKind::Define(function) => {
                    let scope = facts.scope_of(event);
                    let name = facts.function(function).name;
                    if let ScopeKind::Class(class) = facts.scope(scope).kind {
                        method_class[function.index()] = Some(class);
                        methods.push((class, function));
                        if classes::constructs_classes(facts, function) {
                            class_makers.push(class);
                        }
                    }
                    bindings.push((holder_of(facts, scope, name), name, id));
                    let parameters = facts.parameters(facts.function(function)).iter();
                    if parameters.clone().any(|parameter| places::may_be_container(facts.expr(parameter.default))) {
                        may_hold.push(id);
                    }
                    continue;
                }
                EventKind::DefineClass(class) => {
                    let name = facts.class(class).name;
                    bindings.push((holder_of(facts, facts.scope_of(event), name), name, id));
                    continue;
                }
                EventKind::BindException { target, .. } => {
                    catching.push(facts.scope_of(event));
                    target
                }
                EventKind::Bind { target, .. }
                | EventKind::Annotate { target, .. }
                | EventKind::Augment { target, .. }
                | EventKind::BindElement { target, .. }
                | EventKind::BindManager { target, .. }
                | EventKind::BindPattern { target, .. } => target,
                _ => continue,
            };
            let name = match facts.expr(target) {
                Expr::Name(name) => {
                    let holder = holder_of(facts, facts.scope_of(event), name);
                    bindings.push((holder, name, id));
                    if matches!(event.kind, EventKind::Bind { value, .. } if !matches!(facts.expr(value), Expr::Constant(_)))
                        && matches!(facts.scope(holder).kind, ScopeKind::Module | ScopeKind::Class(_))
                    {
                        may_hold.push(id);
                    }
                    name
                }
                Expr::Attribute(_, name) => {
                    attribute_stores.push((name, id));
                    if matches!(event.kind, EventKind::Bind { value, .. } if places::may_be_container(facts.expr(value)))
                    {
                        may_hold.push(id);
                    }
                    name
                }
                Expr::Subscript(table, _) => {
                    if matches!(event.kind, EventKind::Bind { .. })
                        && matches!(facts.expr(table), Expr::Name(_) | Expr::Attribute(..))
                    {
                        item_stores.push(id);
                    }
                    continue;
                }
                _ => continue,
            };
            if let EventKind::Bind { value, .. } = event.kind {
                bound_to_containers.add(facts, id, name, value);
            }
        }
        let mut decorator_calls = FxHashSet::default();
        let mut decorator_attributes = FxHashSet::default();
        let mut decorator_names = Vec::new();
        let decorated = facts.functions.iter().map(|function| function.decorators);
        for run in decorated.chain(facts.classes.iter().map(|class| class.decorators)) {
            for decorator in facts.list(run) {
                let mut named = *decorator;
                if let Expr::Call(call) = facts.expr(*decorator) {
                    decorator_calls.insert(call);
                    named = facts.call(call).callee;
                }
                match facts.expr(named) {
                    Expr::Attribute(_, name) => {
                        decorator_attributes.insert(name);
                        decorator_names.push(name);
                    }
                    Expr::Name(name) => {
                        decorator_names.push(name);
                        let imports = facts.imports.iter().filter(|import| import.bound == name);
                        decorator_names.extend(imports.filter_map(|import| import.name));
                    }
                    _ => {}
                }
            }
        }
        let functions = facts.functions.iter().enumerate();
        let attribute_defaults = functions
            .flat_map(|(number, function)| {
                let parameters = facts.parameters(function).iter();
                parameters.filter_map(move |parameter| match facts.expr(parameter.default) {
                    Expr::Attribute(_, name) => Some((name, FunctionId(number as u32), parameter.name)),
                    _ => None,
                })
            })
            .collect();
        let mut words = NameFilter::with_bits(2 * facts.exprs.len());
        for expr in &facts.exprs {
            if let Expr::Name(name) | Expr::Attribute(_, name) = expr {
                words.insert(*name);
            }
        }
        let bindings = Bindings::of(facts, &bindings);
        attribute_stores.sort_unstable();
        methods.sort_unstable();
        ModuleIndex {
            bindings,
            attribute_stores: attribute_stores.into_boxed_slice(),
            method_class,
            methods: methods.into_boxed_slice(),
            decorator_calls,
            decorator_attributes,
            decorator_names,
            bound_to_containers: bound_to_containers.finish(),
            item_stores: item_stores.into_boxed_slice(),
            catching: catching.into_boxed_slice(),
            class_makers,
            may_hold: may_hold.into_boxed_slice(),
            attribute_defaults,
            words,
        }
    }
}

impl Module {
    pub fn facts(&self) -> &FileFacts {
        &self.input.facts
    }

    /// The events that bind a name in one scope, in source order.
    pub fn bindings_of(&self, scope: ScopeId, name: Name) -> impl Iterator<Item = EventId> + Clone {
        self.index.bindings.of_name(scope, name)
    }

    /// The functions in the body of a class, in source order.
    pub fn methods_of(&self, class: ClassId) -> impl Iterator<Item = FunctionId> {
        let start = self.index.methods.partition_point(|(other, _)| *other < class);
        self.index.methods[start..].iter().take_while(move |(other, _)| *other == class).map(|(_, method)| *method)
    }

    /// The events that store to an attribute of this name, whatever the object.
    pub fn attribute_stores_of(&self, name: Name) -> impl Iterator<Item = EventId> {
        let stores = &self.index.attribute_stores;
        let start = stores.partition_point(|(n, _)| *n < name);
        stores[start..].iter().take_while(move |(n, _)| *n == name).map(|(_, event)| *event)
    }

    /// Whether an expression may be this name or an attribute of this name; `false` is certain.
    pub fn may_name(&self, name: Name) -> bool {
        self.index.words.may_contain(name)
    }

    /// Whether a call or what is awaited is used where it stands: a part of another expression, a value, a test.
    pub fn is_part_of_something(&self, id: ExprId) -> bool {
        self.parts.get_or_init(|| resources::parts_of_something(self.facts())).contains(&id)
    }

    /// Whether a call is a decorator: `@name(…)`.
    pub fn is_decorator(&self, call: CallId) -> bool {
        self.index.decorator_calls.contains(&call)
    }

    /// Whether something is decorated with an attribute of this name: `@object.name`.
    pub fn decorates_with_attribute(&self, name: Name) -> bool {
        self.index.decorator_attributes.contains(&name)
    }
}

impl<'m> Program<'m> {
    /// Links modules into a program. The order of `modules` decides nothing but ties between equal module names
    /// (the first wins), so the engine sorts them.
    pub fn link(modules: Vec<(ModuleInput, Arc<ModuleIndex>)>, models: &'m Models) -> Program<'m> {
        let modules: Vec<Module> = (modules.into_par_iter())
            .map(|(input, index)| Module {
                input,
                index,
                resolved: RwLock::default(),
                parts: OnceLock::new(),
                variable_types: RwLock::default(),
            })
            .collect();
        let mut by_name = FxHashMap::with_capacity_and_hasher(modules.len(), FxBuildHasher);
        for (number, module) in modules.iter().enumerate() {
            by_name.entry(module.input.name).or_insert(ModuleId(number as u32));
        }
        let mut program = Program {
            edition: NEXT_EDITION.fetch_add(2, Ordering::Relaxed),
            modules,
            models,
            by_name,
            classes: ClassTable::default(),
            storing_modules: classes::StoringModules::default(),
            instance_stores: calls::Answers::default(),
            calls: calls::CallIndex::default(),
            acquaintances: acquaintance::Acquaintances::default(),
            operations: Operations::default(),
            references: references::References::default(),
            decorators: NameSet::default(),
            repetitions: calls::Answers::default(),
            repeated: calls::Answers::default(),
            common_functions: OnceLock::new(),
            accounts: Vec::new(),
            instance_accounts: Vec::new(),
            cached: Vec::new(),
            lifetimes: lifetimes::Lifetimes::default(),
            listeners: listeners::Listeners::default(),
            touches_of_skipped: calls::Answers::default(),
            skipped_after_helpers: growth::SkippedAfterHelpers::default(),
            registrations: registries::Registrations::default(),
            thread_locals: thread_locals::ThreadLocals::default(),
            endings: resources::Endings::default(),
            tools: OnceLock::new(),
            resources: resources::Resources::default(),
            words: Words {
                init: Name::new("__init__"),
                dict: Name::new("__dict__"),
                super_: Name::new("super"),
                star: Name::new("*"),
                static_method: Name::new("staticmethod"),
                class_method: Name::new("classmethod"),
                implicit_class_methods: ["__init_subclass__", "__class_getitem__", "__new__"].map(Name::new),
                receivers: classes::RECEIVERS.iter().map(|name| Name::new(name)).collect(),
            },
        };
        let (classes, storing_modules) =
            rayon::join(|| ClassTable::build(&program), || classes::StoringModules::of(&program));
        program.classes = classes;
        program.storing_modules = storing_modules;
        program.edition += 1;
        let candidates = program.index();
        program.endings = resources::Endings::of(&program, candidates.released_outside);
        program.accounts = program.modules.iter().map(|_| OnceLock::new()).collect();
        program.instance_accounts = program.modules.iter().map(|_| OnceLock::new()).collect();
        program.cached = program.modules.iter().map(|_| OnceLock::new()).collect();
        // These ask for calls and operations, and none for another.
        let ((registrations, thread_locals), resources) = rayon::join(
            || {
                rayon::join(
                    || registries::Registrations::collect(&program),
                    || thread_locals::ThreadLocals::collect(&program),
                )
            },
            || resources::Resources::of(&program, candidates.acquiring),
        );
        program.registrations = registrations;
        program.thread_locals = thread_locals;
        program.resources = resources;
        program.listeners = listeners::Listeners::of(&program);
        program.skipped_after_helpers = growth::SkippedAfterHelpers::of(&program);
        program
    }

    /// Makes the indexes of which none asks for another. All of them are made of one module before the next, because
    /// reading a module's facts takes longer than what is done with them.
    fn index(&mut self) -> Candidates {
        let Surface { classes, functions, decorators, imported } = Surface::of(self);
        self.decorators = decorators;
        let names = calls::names_to_index(self, functions.union(classes.clone()));
        let watched = operations::Watched::of(self);
        let callables = resources::Callables::of(self.models, &imported);
        let parts: Vec<_> = (self.par_modules())
            .map_init(resources::ReleasingNames::default, |releasing, module| {
                let annotated = references::annotated_functions(self, module, &classes);
                let operations = operations::collect(self, module, &watched);
                let acquiring = callables.called_in(self.facts(module));
                let released = self.released_outside(module, releasing);
                (calls::index_module(self, module, &names), ((operations, annotated), (acquiring, released)))
            })
            .collect();
        let (calls, (indexed, candidates)): (Vec<_>, (Vec<_>, Vec<_>)) = parts.into_iter().unzip();
        let (operations, annotated): (Vec<_>, Vec<_>) = indexed.into_iter().unzip();
        let (acquiring, released_outside) = candidates.into_iter().unzip();
        let (calls, (operations, references)) = rayon::join(
            || calls::CallIndex::of(calls),
            || rayon::join(|| Operations::of(operations), || references::References::of(annotated)),
        );
        self.calls = calls;
        self.operations = operations;
        self.references = references;
        Candidates { acquiring, released_outside }
    }

    /// What holds nearly all the memory, for who would rather give it back later, or not at all before the process ends.
    pub fn into_remains(self) -> Remains {
        let Program { modules, operations, calls, references, .. } = self;
        Arc::new((modules, operations, calls, references))
    }

    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize]
    }

    pub fn module_ids(&self) -> impl Iterator<Item = ModuleId> + use<> {
        (0..self.modules.len() as u32).map(ModuleId)
    }

    /// All modules, shared out among the threads. Modules are of very different weight, so it goes by a few at a time:
    /// no thread is left with many of them at the end.
    pub fn par_modules(&self) -> impl IndexedParallelIterator<Item = ModuleId> + use<> {
        (0..self.modules.len() as u32).into_par_iter().map(ModuleId).with_max_len(MODULES_AT_ONCE)
    }

    pub fn facts(&self, id: ModuleId) -> &FileFacts {
        &self.module(id).input.facts
    }

    pub fn module_named(&self, name: Name) -> Option<ModuleId> {
        self.by_name.get(&name).copied()
    }

    pub fn is_test(&self, id: ModuleId) -> bool {
        self.module(id).input.role == Role::Test
    }

    pub fn location(&self, module: ModuleId, span: Span) -> Location {
        Location { file: self.module(module).input.file, span }
    }

    pub fn event_location(&self, event: EventRef) -> Location {
        self.location(event.module, self.facts(event.module).event(event.id).span)
    }

    pub fn expr(&self, expr: ExprRef) -> Expr {
        self.facts(expr.scope.module).expr(expr.id)
    }

    pub fn event_scope(&self, event: EventRef) -> ScopeRef {
        let facts = self.facts(event.module);
        ScopeRef::new(event.module, facts.scope_of(facts.event(event.id)))
    }

    /// The function whose call runs this scope: comprehensions and class bodies belong to the function around them.
    /// `None` at module level.
    pub fn enclosing_function(&self, scope: ScopeRef) -> Option<FunctionRef> {
        let facts = self.facts(scope.module);
        let mut id = scope.id;
        loop {
            let here = facts.scope(id);
            match here.kind {
                ScopeKind::Function(function) | ScopeKind::Lambda(function) => {
                    return Some(FunctionRef::new(scope.module, function));
                }
                ScopeKind::Module => return None,
                ScopeKind::Class(_) | ScopeKind::Comprehension => id = here.parent,
            }
        }
    }

    /// The function an event runs in.
    pub fn event_function(&self, event: EventRef) -> Option<FunctionRef> {
        self.enclosing_function(self.event_scope(event))
    }

    pub fn function(&self, function: FunctionRef) -> &crate::facts::Function {
        self.facts(function.module).function(function.id)
    }

    pub fn class(&self, class: ClassRef) -> &crate::facts::Class {
        self.facts(class.module).class(class.id)
    }

    pub fn function_scope(&self, function: FunctionRef) -> ScopeRef {
        ScopeRef::new(function.module, self.function(function).scope)
    }

    pub fn class_scope(&self, class: ClassRef) -> ScopeRef {
        ScopeRef::new(class.module, self.class(class).scope)
    }

    /// Names that more than one function has.
    fn common_functions(&self) -> &NameSet {
        self.common_functions.get_or_init(|| {
            let (mut known, mut common) = (NameSet::default(), NameSet::default());
            for function in self.modules.iter().flat_map(|module| &module.facts().functions) {
                if known.contains(function.name) {
                    common.insert(function.name);
                }
                known.insert(function.name);
            }
            common
        })
    }

    /// The class whose method this function is.
    pub fn class_of_method(&self, function: FunctionRef) -> Option<ClassRef> {
        let class = self.module(function.module).index.method_class[function.id.index()]?;
        Some(ClassRef::new(function.module, class))
    }

    /// The scope in which a function's `def` stands.
    pub fn defining_scope(&self, function: FunctionRef) -> ScopeRef {
        let facts = self.facts(function.module);
        ScopeRef::new(function.module, facts.context(facts.function(function.id).context).scope)
    }

    /// `package.module.Class.method`, as a reader would name it.
    pub fn function_symbol(&self, function: FunctionRef) -> String {
        let outer = self.scope_symbol(self.defining_scope(function));
        format!("{outer}.{}", self.function(function).name)
    }

    pub fn class_symbol(&self, class: ClassRef) -> String {
        let facts = self.facts(class.module);
        let scope = facts.context(facts.class(class.id).context).scope;
        format!("{}.{}", self.scope_symbol(ScopeRef::new(class.module, scope)), self.class(class).name)
    }

    pub fn scope_symbol(&self, scope: ScopeRef) -> String {
        let facts = self.facts(scope.module);
        match facts.scope(scope.id).kind {
            ScopeKind::Module => self.module(scope.module).input.name.as_str().to_owned(),
            ScopeKind::Class(class) => self.class_symbol(ClassRef::new(scope.module, class)),
            ScopeKind::Function(function) | ScopeKind::Lambda(function) => {
                self.function_symbol(FunctionRef::new(scope.module, function))
            }
            ScopeKind::Comprehension => self.scope_symbol(ScopeRef::new(scope.module, facts.scope(scope.id).parent)),
        }
    }

    /// `Class.method` or `function`: short, for messages.
    pub fn function_name(&self, function: FunctionRef) -> String {
        let name = self.function(function).name;
        match self.class_of_method(function) {
            Some(class) => format!("{}.{name}", self.class(class).name),
            None => name.to_string(),
        }
    }
}
