//! Classes: their bases across modules, and what their instances hold.

use rustc_hash::FxHashMap;

use super::names::Definition;
use super::{ClassRef, EventRef, ExprRef, FunctionRef, Program, ScopeRef};
use crate::facts::{ClassId, EventKind, Expr, FunctionId, ScopeKind};
use crate::source::Name;

#[derive(Default)]
pub struct ClassTable {
    mro: FxHashMap<ClassRef, Linearization>,
    subclasses: FxHashMap<ClassRef, Vec<ClassRef>>,
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

impl ClassTable {
    pub fn build(program: &Program) -> ClassTable {
        let mut bases: FxHashMap<ClassRef, (Vec<ClassRef>, Vec<Name>, bool)> = FxHashMap::default();
        for module in program.module_ids() {
            let facts = program.facts(module);
            for (number, class) in facts.classes.iter().enumerate() {
                let scope = ScopeRef::new(module, facts.context(class.context).scope);
                let mut here = (Vec::new(), Vec::new(), false);
                for base in facts.list(class.bases) {
                    match program.resolve(scope.expr(*base)) {
                        Definition::Class(base) => here.0.push(base),
                        Definition::External(path) => here.1.push(path),
                        _ => here.2 = true,
                    }
                }
                bases.insert(ClassRef::new(module, ClassId(number as u32)), here);
            }
        }
        let mut table = ClassTable::default();
        for class in bases.keys() {
            table.mro.insert(*class, linearize(*class, &bases));
        }
        for (class, linearization) in &table.mro {
            for ancestor in &linearization.project[1..] {
                table.subclasses.entry(*ancestor).or_default().push(*class);
            }
        }
        table.subclasses.values_mut().for_each(|list| list.sort_unstable());
        table
    }
}

/// Depth first, left to right, the last occurrence of a shared base kept: equal to C3 wherever a project's
/// hierarchies are consistent, and total where they are not.
fn linearize(class: ClassRef, bases: &FxHashMap<ClassRef, (Vec<ClassRef>, Vec<Name>, bool)>) -> Linearization {
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
        if let Some((project, outside, partial)) = bases.get(&next) {
            stack.extend(project.iter().rev());
            external.extend(outside.iter().filter(|path| path.as_str() != "object"));
            is_partial |= *partial;
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
        self.classes.mro.get(&class).map_or(&[], |linearization| &linearization.project)
    }

    /// Base classes outside of the project.
    pub fn external_bases(&self, class: ClassRef) -> &[Name] {
        self.classes.mro.get(&class).map_or(&[], |linearization| &linearization.external)
    }

    /// A base class could not be resolved, so what the class inherits is not all known.
    pub fn has_unknown_base(&self, class: ClassRef) -> bool {
        self.classes.mro.get(&class).is_none_or(|linearization| linearization.is_partial)
    }

    /// All classes in the project that derive from this one, without itself.
    pub fn subclasses(&self, class: ClassRef) -> &[ClassRef] {
        self.classes.subclasses.get(&class).map_or(&[], Vec::as_slice)
    }

    /// A class whose instances are classes: by its bases, or because its constructor takes the `bases` of a class,
    /// where a base is a library's metaclass.
    pub fn is_metaclass(&self, class: ClassRef) -> bool {
        self.external_bases(class).iter().any(|base| {
            matches!(base.as_str(), "type" | "abc.ABCMeta" | "enum.EnumMeta" | "enum.EnumType" | "typing.GenericMeta")
        }) || self.mro(class).iter().any(|ancestor| self.constructs_classes(*ancestor))
    }

    fn constructs_classes(&self, class: ClassRef) -> bool {
        self.own_methods(class).any(|method| {
            let declared = self.function(method);
            matches!(declared.name.as_str(), "__new__" | "__init__" | "__prepare__")
                && self
                    .facts(method.module)
                    .parameters(declared)
                    .iter()
                    .any(|parameter| parameter.name.as_str() == "bases")
        })
    }

    /// The method that a call of `name` on an instance runs.
    pub fn method(&self, class: ClassRef, name: Name) -> Option<FunctionRef> {
        match self.member_of_class(class, name) {
            Definition::Function(function) => Some(function),
            _ => None,
        }
    }

    /// The methods written in the class's own body.
    pub fn own_methods(&self, class: ClassRef) -> impl Iterator<Item = FunctionRef> {
        let scope = self.class_scope(class);
        let facts = self.facts(class.module);
        self.module(class.module).scope_bindings(scope.id).filter_map(move |(_, event)| match facts.event(event).kind {
            EventKind::Define(function) => Some(FunctionRef::new(class.module, function)),
            _ => None,
        })
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
        matches!(name.as_str(), "__init_subclass__" | "__class_getitem__" | "__new__")
            || self.is_decorated_with(function, self.words.class_method)
    }

    /// The name of the parameter that is the instance (or the class, for class methods) in a method.
    pub fn receiver(&self, function: FunctionRef) -> Option<Receiver> {
        let class = self.class_of_method(function)?;
        if self.is_static_method(function) {
            return None;
        }
        let facts = self.facts(function.module);
        let first = facts.parameters(facts.function(function.id)).first()?;
        if !is_receiver_name(first.name.as_str()) {
            return None;
        }
        Some(Receiver { name: first.name, class, is_class: self.is_class_method(function) || self.is_metaclass(class) })
    }

    /// Every store to `self.name` in the methods of a class and its ancestors and descendants in the project.
    pub fn instance_stores(&self, class: ClassRef, name: Name) -> Vec<EventRef> {
        let mut stores = Vec::new();
        for member in self.mro(class).iter().chain(self.subclasses(class)) {
            stores.extend(self.own_instance_stores(*member, name));
        }
        stores
    }

    /// Every store to `self.name` in the class's own methods.
    pub fn own_instance_stores(&self, class: ClassRef, name: Name) -> impl Iterator<Item = EventRef> {
        let module = self.module(class.module);
        let facts = module.facts();
        let body = facts.class(class.id).span;
        module.attribute_stores_of(name).filter_map(move |event| {
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
        let holder = self.holding_scope(scope, name)?;
        let ScopeKind::Function(function) = self.facts(holder.module).scope(holder.id).kind else { return None };
        let receiver = self.receiver(FunctionRef::new(holder.module, function))?;
        (receiver.name == name).then_some(receiver)
    }

    pub fn classes_of(&self, module: super::ModuleId) -> impl Iterator<Item = ClassRef> + use<> {
        (0..self.facts(module).classes.len() as u32).map(move |id| ClassRef::new(module, ClassId(id)))
    }

    pub fn functions_of(&self, module: super::ModuleId) -> impl Iterator<Item = FunctionRef> + use<> {
        (0..self.facts(module).functions.len() as u32).map(move |id| FunctionRef::new(module, FunctionId(id)))
    }
}

/// Functions in class bodies that are made static by a metaclass, and interfaces' methods, have no receiver; their
/// first parameter has another name.
fn is_receiver_name(name: &str) -> bool {
    matches!(
        name,
        "self"
            | "cls"
            | "mcs"
            | "mcls"
            | "metacls"
            | "meta"
            | "klass"
            | "this"
            | "_self"
            | "_cls"
            | "__self"
            | "slf"
            | "s"
            | "kls"
            | "typ"
            | "self_"
    )
}

/// The first parameter of a method.
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    pub name: Name,
    pub class: ClassRef,
    /// It is the class itself, not an instance.
    pub is_class: bool,
}
