//! Classes: their bases across modules, and what their instances hold.

use std::sync::{Arc, LazyLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::names::Definition;
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{ClassId, EventKind, Expr, FileFacts, FunctionId, ScopeKind};
use crate::source::Name;

#[derive(Default)]
pub struct ClassTable {
    /// By module and class.
    mro: Vec<Box<[Linearization]>>,
    subclasses: FxHashMap<ClassRef, Vec<ClassRef>>,
    metaclasses: FxHashSet<ClassRef>,
}

/// The project's part of a class's method resolution order.
#[derive(Default)]
struct Linearization {
    /// The class itself first.
    project: Vec<ClassRef>,
    /// Bases outside of the project, by dotted path, in the order met.
    external: Vec<Name>,
    /// A base could not be resolved at all.
    is_partial: bool,
}

/// What a class names as its bases.
#[derive(Default)]
struct Bases {
    project: Vec<ClassRef>,
    external: Vec<Name>,
    is_partial: bool,
}

impl ClassTable {
    pub fn build(program: &Program) -> ClassTable {
        let bases: Vec<Vec<Bases>> = (program.par_modules())
            .map(|module| program.classes_of(module).map(|class| bases_of(program, class)).collect())
            .collect();
        let object = Name::new("object");
        let mro: Vec<Box<[Linearization]>> = (program.par_modules())
            .map(|module| program.classes_of(module).map(|class| linearize(class, &bases, object)).collect())
            .collect();
        let (subclasses, metaclasses) = rayon::join(|| subclasses(&mro), || metaclasses(program, &mro));
        ClassTable { mro, subclasses, metaclasses }
    }

    fn linearization(&self, class: ClassRef) -> Option<&Linearization> {
        self.mro.get(class.module.0 as usize)?.get(class.id.index())
    }
}

/// All classes in the order of files and lines.
fn linearized(mro: &[Box<[Linearization]>]) -> impl Iterator<Item = (ClassRef, &Linearization)> {
    (0..).zip(mro).flat_map(|(module, classes)| {
        (0..).zip(classes).map(move |(class, here)| (ClassRef::new(ModuleId(module), ClassId(class)), here))
    })
}

fn subclasses(mro: &[Box<[Linearization]>]) -> FxHashMap<ClassRef, Vec<ClassRef>> {
    let mut subclasses: FxHashMap<ClassRef, Vec<ClassRef>> = FxHashMap::default();
    for (class, here) in linearized(mro) {
        for ancestor in &here.project[1..] {
            subclasses.entry(*ancestor).or_default().push(class);
        }
    }
    subclasses
}

/// Classes that construct classes, and those that derive from them or from a library's metaclass.
fn metaclasses(program: &Program, mro: &[Box<[Linearization]>]) -> FxHashSet<ClassRef> {
    let external = ["type", "abc.ABCMeta", "enum.EnumMeta", "enum.EnumType", "typing.GenericMeta"].map(Name::new);
    let makers = program.module_ids().flat_map(|module| {
        program.module(module).index.class_makers.iter().map(move |class| ClassRef::new(module, *class))
    });
    let makers: FxHashSet<ClassRef> = makers.collect();
    let is_derived = |here: &Linearization| {
        here.external.iter().any(|base| external.contains(base))
            || here.project[1..].iter().any(|ancestor| makers.contains(ancestor))
    };
    let derived: Vec<ClassRef> = linearized(mro).filter(|(_, here)| is_derived(here)).map(|(class, _)| class).collect();
    makers.into_iter().chain(derived).collect()
}

/// The modules that store to an attribute, by its name: a class is asked about with all that derive from it, and most of
/// their modules have nothing to say.
#[derive(Default)]
pub struct StoringModules(FxHashMap<Name, Vec<ModuleId>>);

impl StoringModules {
    pub fn of(program: &Program) -> StoringModules {
        let mut by_name: FxHashMap<Name, Vec<ModuleId>> = FxHashMap::default();
        for module in program.module_ids() {
            // They are sorted by name.
            let stores = &program.module(module).index.attribute_stores;
            for group in stores.chunk_by(|(one, _), (other, _)| one == other) {
                by_name.entry(group[0].0).or_default().push(module);
            }
        }
        StoringModules(by_name)
    }
}

fn bases_of(program: &Program, class: ClassRef) -> Bases {
    let facts = program.facts(class.module);
    let declared = facts.class(class.id);
    let scope = ScopeRef::new(class.module, facts.context(declared.context).scope);
    let mut bases = Bases::default();
    for base in facts.list(declared.bases) {
        match program.resolve(scope.expr(*base)) {
            Definition::Class(base) => bases.project.push(base),
            Definition::External(path) => bases.external.push(path),
            _ => bases.is_partial = true,
        }
    }
    bases
}

static CONSTRUCTORS: LazyLock<[Name; 3]> = LazyLock::new(|| ["__new__", "__init__", "__prepare__"].map(Name::new));
static BASES: LazyLock<Name> = LazyLock::new(|| Name::new("bases"));

/// Whether a method is a constructor that takes the `bases` of a class.
pub(super) fn constructs_classes(facts: &FileFacts, method: FunctionId) -> bool {
    let declared = facts.function(method);
    CONSTRUCTORS.contains(&declared.name) && facts.parameters(declared).iter().any(|parameter| parameter.name == *BASES)
}

/// Depth first, left to right, the last occurrence of a shared base kept: equal to C3 wherever a project's
/// hierarchies are consistent, and total where they are not.
fn linearize(class: ClassRef, bases: &[Vec<Bases>], object: Name) -> Linearization {
    let mut visited = Vec::new();
    let mut stack = vec![class];
    let mut external = Vec::new();
    let mut is_partial = false;
    while let Some(next) = stack.pop() {
        if visited.len() > 256 {
            is_partial = true;
            break;
        }
        if next == class && !visited.is_empty() {
            continue;
        }
        visited.push(next);
        if let Some(bases) = bases.get(next.module.0 as usize).and_then(|module| module.get(next.id.index())) {
            stack.extend(bases.project.iter().rev());
            external.extend(bases.external.iter().filter(|path| **path != object));
            is_partial |= bases.is_partial;
        }
    }
    let mut project: Vec<ClassRef> = Vec::new();
    for (position, class) in visited.iter().enumerate() {
        if !visited[position + 1..].contains(class) {
            project.push(*class);
        }
    }
    Linearization { project, external, is_partial }
}

impl Program<'_> {
    /// The class and its ancestors within the project.
    pub fn mro(&self, class: ClassRef) -> &[ClassRef] {
        self.classes.linearization(class).map_or(&[], |linearization| &linearization.project)
    }

    /// Base classes outside of the project.
    pub fn external_bases(&self, class: ClassRef) -> &[Name] {
        self.classes.linearization(class).map_or(&[], |linearization| &linearization.external)
    }

    /// A base class could not be resolved, so what the class inherits is not all known.
    pub fn has_unknown_base(&self, class: ClassRef) -> bool {
        self.classes.linearization(class).is_none_or(|linearization| linearization.is_partial)
    }

    /// All classes in the project that derive from this one, without itself.
    pub fn subclasses(&self, class: ClassRef) -> &[ClassRef] {
        self.classes.subclasses.get(&class).map_or(&[], Vec::as_slice)
    }

    /// A class whose instances are classes: by its bases, or because its constructor takes the `bases` of a class,
    /// where a base is a library's metaclass.
    pub fn is_metaclass(&self, class: ClassRef) -> bool {
        self.classes.metaclasses.contains(&class)
    }

    /// The method that a call of `name` on an instance runs.
    pub fn method(&self, class: ClassRef, name: Name) -> Option<FunctionRef> {
        match self.member_of_class(class, name) {
            Definition::Function(function) => Some(function),
            _ => None,
        }
    }

    /// The methods written in the class's own body, in source order.
    pub fn own_methods(&self, class: ClassRef) -> impl Iterator<Item = FunctionRef> {
        self.module(class.module).methods_of(class.id).map(move |method| FunctionRef::new(class.module, method))
    }

    /// `async def`, or `@asyncio.coroutine` as it was written before.
    pub fn is_coroutine(&self, function: FunctionRef) -> bool {
        let is_coroutine = |definition: Definition| {
            matches!(definition, Definition::External(path)
            if matches!(path.as_str(), "asyncio.coroutine" | "types.coroutine"))
        };
        self.function(function).is_async || self.decorators(function).any(|(_, definition)| is_coroutine(definition))
    }

    /// What a decorator of a function refers to, outermost first.
    pub fn decorators(&self, function: FunctionRef) -> impl Iterator<Item = (ExprRef, Definition)> {
        let facts = self.facts(function.module);
        let scope = self.defining_scope(function);
        facts.list(facts.function(function.id).decorators).iter().map(move |id| {
            let expr = scope.expr(*id);
            (expr, self.resolve(self.callee_or_self(expr)))
        })
    }

    /// `f` for `f(…)`, else the expression itself.
    pub fn callee_or_self(&self, expr: ExprRef) -> ExprRef {
        match self.expr(expr) {
            Expr::Call(call) => expr.scope.expr(self.facts(expr.scope.module).call(call).callee),
            _ => expr,
        }
    }

    pub fn has_decorator(&self, function: FunctionRef, names: &[&str]) -> bool {
        self.decorators(function)
            .any(|(_, definition)| matches!(definition, Definition::External(path) if names.contains(&path.as_str())))
    }

    /// Whether a decorator is written as this plain name: enough for builtins, which nobody rebinds.
    fn is_decorated_with(&self, function: FunctionRef, name: Name) -> bool {
        let facts = self.facts(function.module);
        facts.list(facts.function(function.id).decorators).iter().any(|id| facts.expr(*id) == Expr::Name(name))
    }

    pub fn is_static_method(&self, function: FunctionRef) -> bool {
        self.is_decorated_with(function, self.words.static_method)
    }

    pub fn is_class_method(&self, function: FunctionRef) -> bool {
        let name = self.function(function).name;
        self.words.implicit_class_methods.contains(&name) || self.is_decorated_with(function, self.words.class_method)
    }

    /// The name of the parameter that is the instance (or the class, for class methods) in a method.
    pub fn receiver(&self, function: FunctionRef) -> Option<Receiver> {
        let class = self.class_of_method(function)?;
        if self.is_static_method(function) {
            return None;
        }
        let facts = self.facts(function.module);
        let first = facts.parameters(facts.function(function.id)).first()?;
        if !self.words.receivers.contains(&first.name) {
            return None;
        }
        Some(Receiver { name: first.name, class, is_class: self.is_class_method(function) || self.is_metaclass(class) })
    }

    /// Every store to `self.name` in the methods of a class and its ancestors and descendants in the project.
    pub fn instance_stores(&self, class: ClassRef, name: Name) -> Arc<[EventRef]> {
        self.instance_stores.get((class, name), |_| {
            let modules = self.modules_storing(name);
            let family = self.mro(class).iter().chain(self.subclasses(class));
            let family = family.filter(|member| modules.binary_search(&member.module).is_ok());
            family.flat_map(|member| self.own_instance_stores(*member, name)).collect()
        })
    }

    /// The modules that store to an attribute of this name, whatever the object, in their order.
    pub(super) fn modules_storing(&self, attribute: Name) -> &[ModuleId] {
        self.storing_modules.0.get(&attribute).map_or(&[], Vec::as_slice)
    }

    /// Every store to `self.name` in the class's own methods.
    pub fn own_instance_stores(&self, class: ClassRef, name: Name) -> impl Iterator<Item = EventRef> {
        let is_stored = self.modules_storing(name).binary_search(&class.module).is_ok();
        let module = self.module(class.module);
        let facts = module.facts();
        let body = facts.class(class.id).span;
        let stores = is_stored.then(|| module.attribute_stores_of(name));
        stores.into_iter().flatten().filter_map(move |event| {
            // A name such as `parent` is stored by many classes of a module; most can be told by their place.
            if !body.contains(facts.event(event).span) {
                return None;
            }
            let scope = facts.scope_of(facts.event(event));
            let target = match facts.event(event).kind {
                EventKind::Bind { target, .. }
                | EventKind::Annotate { target, .. }
                | EventKind::Augment { target, .. }
                | EventKind::BindElement { target, .. }
                | EventKind::BindManager { target, .. } => target,
                _ => return None,
            };
            let Expr::Attribute(base, _) = facts.expr(target) else { return None };
            let Expr::Name(base) = facts.expr(base) else { return None };
            let receiver = self.receiver_named(ScopeRef::new(class.module, scope), base)?;
            (receiver.class == class && !receiver.is_class).then_some(EventRef::new(class.module, event))
        })
    }

    /// Whether a name read in a scope is the receiver of the method around it (also from nested functions).
    pub fn receiver_named(&self, scope: ScopeRef, name: Name) -> Option<Receiver> {
        // Most names are none that a receiver has.
        if !self.words.receivers.contains(&name) {
            return None;
        }
        let holder = self.holding_scope(scope, name)?;
        let ScopeKind::Function(function) = self.facts(holder.module).scope(holder.id).kind else { return None };
        let receiver = self.receiver(FunctionRef::new(holder.module, function))?;
        (receiver.name == name).then_some(receiver)
    }

    pub fn classes_of(&self, module: ModuleId) -> impl Iterator<Item = ClassRef> + use<> {
        (0..self.facts(module).classes.len() as u32).map(move |id| ClassRef::new(module, ClassId(id)))
    }

    pub fn functions_of(&self, module: ModuleId) -> impl Iterator<Item = FunctionRef> + use<> {
        (0..self.facts(module).functions.len() as u32).map(move |id| FunctionRef::new(module, FunctionId(id)))
    }
}

/// Functions in class bodies that are made static by a metaclass, and interfaces' methods, have no receiver; their
/// first parameter has another name.
pub(super) const RECEIVERS: &[&str] = &[
    "self", "cls", "mcs", "mcls", "metacls", "meta", "klass", "this", "_self", "_cls", "__self", "slf", "s", "kls",
    "typ", "self_",
];

/// The first parameter of a method.
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    pub name: Name,
    pub class: ClassRef,
    /// It is the class itself, not an instance.
    pub is_class: bool,
}
