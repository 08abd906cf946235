//! What a name means, wherever it was defined.
//!
//! Scopes are walked as Python walks them (class bodies are not seen from inside functions), imports are followed
//! across the project, through re-exports and star imports. What is not in the project is named by its dotted path,
//! which is what models speak of; builtins are plain names.

use std::cell::RefCell;
use std::sync::PoisonError;

use super::recent::{self, Recent};
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{EventId, EventKind, Expr, FileFacts, ImportId, MODULE_SCOPE, ScopeId, ScopeKind};
use crate::source::Name;

/// What a name or dotted expression refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Definition {
    Module(ModuleId),
    Function(FunctionRef),
    Class(ClassRef),
    /// A variable, by the scope that holds it.
    Variable(ScopeRef, Name),
    /// Something outside of the project, by its dotted path.
    External(Name),
    Unknown,
}

/// How many imports, aliases or attributes are followed before giving up.
const DEPTH: u32 = 12;

thread_local! {
    static NAMES: Recent<Definition> = Recent::of(Definition::Unknown);
    static MEMBERS: Recent<Definition> = Recent::of(Definition::Unknown);
    static EXPRESSIONS: Recent<Definition> = Recent::of(Definition::Unknown);
}

impl Program<'_> {
    /// The scope that a name read in `scope` is found in; `None` for builtins and star imports.
    pub fn holding_scope(&self, scope: ScopeRef, name: Name) -> Option<ScopeRef> {
        self.find_holding_scope(scope, name).map(|holder| ScopeRef::new(scope.module, holder))
    }

    fn find_holding_scope(&self, scope: ScopeRef, name: Name) -> Option<ScopeId> {
        let bindings = &self.module(scope.module).index.bindings;
        let of_module = || bindings.module_holds(name).then_some(MODULE_SCOPE);
        if !bindings.may_be_inner(name) {
            return of_module();
        }
        let facts = self.facts(scope.module);
        let mut id = scope.id;
        loop {
            let here = facts.scope(id);
            if facts.names[here.globals.range()].contains(&name) {
                // A function may create the global without the module ever naming it.
                return Some(MODULE_SCOPE);
            }
            let visible = id == scope.id || !matches!(here.kind, ScopeKind::Class(_));
            if visible && facts.binds(id, name) && !facts.names[here.nonlocals.range()].contains(&name) {
                return Some(id);
            }
            if here.parent == id {
                return of_module();
            }
            id = here.parent;
        }
    }

    pub fn resolve_name(&self, scope: ScopeRef, name: Name) -> Definition {
        let find = || self.resolve_name_within(scope, name, DEPTH);
        recent::asked(&NAMES, self.edition, scope, name.index() as u32, find)
    }

    fn resolve_name_within(&self, scope: ScopeRef, name: Name, depth: u32) -> Definition {
        match self.holding_scope(scope, name) {
            Some(holder) => self.resolve_in_scope(holder, name, depth),
            None => self.resolve_star_import(scope.module, name, depth).unwrap_or(Definition::External(name)),
        }
    }

    /// A name that `holder` itself binds.
    fn resolve_in_scope(&self, holder: ScopeRef, name: Name, depth: u32) -> Definition {
        // Module-level names are asked for again and again. An answer near the limit of depth may be cut short, so
        // it is not kept.
        if holder.id != MODULE_SCOPE || depth < DEPTH / 2 {
            return self.find_in_scope(holder, name, depth);
        }
        let known = &self.module(holder.module).resolved;
        if let Some(answer) = known.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return *answer;
        }
        let answer = self.find_in_scope(holder, name, depth);
        known.write().unwrap_or_else(PoisonError::into_inner).insert(name, answer);
        answer
    }

    fn find_in_scope(&self, holder: ScopeRef, name: Name, depth: u32) -> Definition {
        let module = self.module(holder.module);
        // Most of what a function binds are variables.
        if holder.id != MODULE_SCOPE && !module.index.bindings.may_be_defined_inside(name) {
            return Definition::Variable(holder, name);
        }
        let facts = module.facts();
        let mut found = Definition::Unknown;
        let mut kept = None;
        for event in module.bindings_of(holder.id, name) {
            // Of the arms of one statement the first is what is meant: the others stand in for it on other systems.
            if is_found(found) && kept.is_some_and(|kept| is_in_other_arm(facts, kept, event)) {
                continue;
            }
            let here = match facts.event(event).kind {
                EventKind::Import(import) if depth > 0 => {
                    // The first import wins: later ones are fallbacks (`except ImportError`).
                    let target = self.resolve_import(holder.module, import, depth - 1);
                    if matches!(found, Definition::Unknown | Definition::Variable(..)) { target } else { continue }
                }
                EventKind::Define(function) => Definition::Function(FunctionRef::new(holder.module, function)),
                EventKind::DefineClass(class) => Definition::Class(ClassRef::new(holder.module, class)),
                EventKind::Annotate { .. } | EventKind::Augment { .. } => {
                    if matches!(found, Definition::Unknown) {
                        Definition::Variable(holder, name)
                    } else {
                        continue;
                    }
                }
                EventKind::Bind { value, .. } if holder.id == MODULE_SCOPE => {
                    // `name = None` beside an import, and `alias = function` at module level.
                    match self.alias_target(holder.expr(value), depth) {
                        Some(target) if matches!(found, Definition::Unknown) => target,
                        _ if matches!(found, Definition::Unknown) => Definition::Variable(holder, name),
                        _ => continue,
                    }
                }
                _ => Definition::Variable(holder, name),
            };
            (found, kept) = (here, Some(event));
        }
        match found {
            Definition::Unknown => Definition::Variable(holder, name),
            found => found,
        }
    }

    /// What a module-level `alias = dotted.name` stands for, where that is a function, class or library thing.
    fn alias_target(&self, value: ExprRef, depth: u32) -> Option<Definition> {
        if depth == 0 || !matches!(self.expr(value), Expr::Name(_) | Expr::Attribute(..)) {
            return None;
        }
        match self.resolve_within(value, depth - 1) {
            target @ (Definition::Function(_) | Definition::Class(_)) => Some(target),
            target @ Definition::External(_) if matches!(self.expr(value), Expr::Attribute(..)) => Some(target),
            _ => None,
        }
    }

    fn resolve_star_import(&self, module: ModuleId, name: Name, depth: u32) -> Option<Definition> {
        if depth == 0 {
            return None;
        }
        let facts = self.facts(module);
        self.module(module).bindings_of(MODULE_SCOPE, self.words.star).find_map(|event| {
            let EventKind::Import(import) = facts.event(event).kind else { return None };
            let target = self.module_named(self.imported_module(module, import)?)?;
            let hidden = match &self.facts(target).exports {
                Some(exports) => !exports.contains(&name),
                None => name.as_str().starts_with('_'),
            };
            if hidden || target == module {
                return None;
            }
            match self.member_of_module(target, name, depth - 1) {
                Definition::Unknown | Definition::External(_) => None,
                found => Some(found),
            }
        })
    }

    /// The absolute dotted name of the module an import takes from; `None` where it climbs out of the project.
    pub(super) fn imported_module(&self, module: ModuleId, import: ImportId) -> Option<Name> {
        let import = &self.facts(module).imports[import.index()];
        if import.level == 0 {
            return Some(import.module);
        }
        let own = &self.module(module).input;
        let climb = import.level as usize - usize::from(own.is_package);
        let mut package = own.name.as_str();
        for _ in 0..climb {
            if package.is_empty() {
                return None;
            }
            package = package.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
        let package = Name::new(package);
        Some(if import.module.as_str().is_empty() { package } else { joined(package, import.module) })
    }

    /// What an import binds.
    pub(super) fn imported(&self, module: ModuleId, id: ImportId) -> Definition {
        self.resolve_import(module, id, DEPTH)
    }

    fn resolve_import(&self, module: ModuleId, id: ImportId, depth: u32) -> Definition {
        let import = &self.facts(module).imports[id.index()];
        let Some(path) = self.imported_module(module, id) else { return Definition::Unknown };
        let Some(name) = import.name else {
            let path = if import.has_alias { path } else { import.bound };
            return match self.module_named(path) {
                Some(target) => Definition::Module(target),
                None => Definition::External(library_path(path)),
            };
        };
        match self.module_named(path) {
            // A package that imports from itself means its submodule: the name that it binds is this one.
            Some(target)
                if target == module
                    && let Some(submodule) = self.module_named(joined(path, name)) =>
            {
                Definition::Module(submodule)
            }
            Some(target) => self.member_of_module(target, name, depth),
            None => match self.module_named(joined(path, name)) {
                Some(submodule) => Definition::Module(submodule),
                None => Definition::External(library_path(joined(path, name))),
            },
        }
    }

    /// What `module.name` means.
    pub fn member_of_module(&self, module: ModuleId, name: Name, depth: u32) -> Definition {
        if depth == 0 {
            return Definition::Unknown;
        }
        if self.module(module).index.bindings.module_holds(name) {
            let found = self.resolve_in_scope(ScopeRef::new(module, MODULE_SCOPE), name, depth - 1);
            if found != Definition::Unknown {
                return found;
            }
        }
        let path = joined(self.module(module).input.name, name);
        if let Some(submodule) = self.module_named(path) {
            return Definition::Module(submodule);
        }
        self.resolve_star_import(module, name, depth).unwrap_or(Definition::Unknown)
    }

    /// What a dotted expression means; a value's attribute needs its type and is not answered here.
    pub fn resolve(&self, expr: ExprRef) -> Definition {
        match self.expr(expr) {
            Expr::Name(_) | Expr::Attribute(..) | Expr::Subscript(..) => {
                let find = || self.resolve_within(expr, DEPTH);
                recent::asked(&EXPRESSIONS, self.edition, expr.scope, expr.id.0, find)
            }
            _ => Definition::Unknown,
        }
    }

    fn resolve_within(&self, expr: ExprRef, depth: u32) -> Definition {
        if depth == 0 {
            return Definition::Unknown;
        }
        match self.expr(expr) {
            Expr::Name(name) => self.resolve_name_within(expr.scope, name, depth - 1),
            Expr::Attribute(base, attribute) => match self.resolve_within(expr.scope.expr(base), depth - 1) {
                Definition::Module(module) => self.member_of_module(module, attribute, depth),
                Definition::Class(class) => self.member_of_class(class, attribute),
                // A namespace package has no module of its own, its submodules may be the project's.
                Definition::External(path) if is_transparent(path) => Definition::External(attribute),
                Definition::External(path) => match self.module_named(joined(path, attribute)) {
                    Some(module) => Definition::Module(module),
                    None => Definition::External(joined(path, attribute)),
                },
                _ => Definition::Unknown,
            },
            // `Generic[int]` is `Generic` for whoever asks what it is.
            Expr::Subscript(base, _) => match self.resolve_within(expr.scope.expr(base), depth - 1) {
                class @ (Definition::Class(_) | Definition::External(_)) => class,
                _ => Definition::Unknown,
            },
            _ => Definition::Unknown,
        }
    }

    /// A method, nested class or class-level variable, through the project's part of the MRO.
    pub fn member_of_class(&self, class: ClassRef, name: Name) -> Definition {
        let find = || self.find_member_of_class(class, name);
        recent::asked(&MEMBERS, self.edition, self.class_scope(class), name.index() as u32, find)
    }

    fn find_member_of_class(&self, class: ClassRef, name: Name) -> Definition {
        for ancestor in self.mro(class) {
            let scope = self.class_scope(*ancestor);
            if self.module(scope.module).bindings_of(scope.id, name).next().is_some() {
                return self.resolve_in_scope(scope, name, DEPTH);
            }
        }
        Definition::Unknown
    }

    /// The dotted path of something outside of the project.
    pub fn external_path(&self, expr: ExprRef) -> Option<Name> {
        match self.resolve(expr) {
            Definition::External(path) => Some(path),
            _ => None,
        }
    }

    /// The value expressions bound to a variable by plain assignment, and whether that is all that binds it.
    pub fn bound_values(&self, scope: ScopeRef, name: Name) -> (Vec<(EventRef, ExprRef)>, bool) {
        let module = self.module(scope.module);
        let facts = module.facts();
        let mut values = Vec::new();
        let mut complete = !self.is_parameter(scope, name);
        for event in module.bindings_of(scope.id, name) {
            match facts.event(event).kind {
                EventKind::Bind { value, .. } => {
                    let reference = EventRef::new(scope.module, event);
                    values.push((reference, self.event_scope(reference).expr(value)));
                }
                EventKind::Annotate { .. } => {}
                _ => complete = false,
            }
        }
        (values, complete)
    }

    pub fn is_parameter(&self, scope: ScopeRef, name: Name) -> bool {
        let facts = self.facts(scope.module);
        match facts.scope(scope.id).kind {
            ScopeKind::Function(function) | ScopeKind::Lambda(function) => {
                facts.parameters(facts.function(function)).iter().any(|parameter| parameter.name == name)
            }
            _ => false,
        }
    }
}

/// Whether something is known of a definition beyond that there is a variable.
fn is_found(definition: Definition) -> bool {
    !matches!(definition, Definition::Unknown | Definition::Variable(..))
}

/// Whether two events stand in different arms of one statement.
pub(super) fn is_in_other_arm(facts: &FileFacts, one: EventId, other: EventId) -> bool {
    let arms_around = |event: EventId| {
        let mut next = Some(facts.event(event).context);
        std::iter::from_fn(move || {
            let here = next?;
            let context = facts.context(here);
            next = (context.parent != here).then_some(context.parent);
            Some((context.group, here))
        })
        .take(DEEPEST_ARM)
    };
    arms_around(one)
        .any(|(group, arm)| arms_around(other).any(|(its_group, its_arm)| its_group == group && its_arm != arm))
}

/// How many statements around two definitions are compared.
const DEEPEST_ARM: usize = 8;

/// Modules whose members are those of others: `builtins.open` is `open`.
fn is_transparent(path: Name) -> bool {
    matches!(path.as_str(), "builtins" | "__builtin__" | "six.moves")
}

/// The path under which models speak of what an import names: without the package that carries a copy of a library,
/// and without the layer that hides the difference between Python 2 and 3.
fn library_path(path: Name) -> Name {
    let mut text = path.as_str();
    for carrier in ["vendored", "_vendor", "extern"] {
        let inside = |(dot, _): (usize, &str)| text[dot + 1..].strip_prefix(carrier)?.strip_prefix('.');
        text = text.match_indices('.').find_map(inside).unwrap_or(text);
    }
    text = text.strip_prefix("six.moves.").unwrap_or(text);
    text = text.strip_prefix("builtins.").unwrap_or(text);
    if text.len() == path.as_str().len() { path } else { Name::new(text) }
}

const RECENT_JOINTS: usize = 1 << 11;

thread_local! {
    /// Dotted names just put together: the same few are asked for again and again.
    static JOINTS: RefCell<Box<[(Name, Name, Name)]>> = {
        let empty = Name::new("");
        RefCell::new(vec![(empty, empty, empty); RECENT_JOINTS].into_boxed_slice())
    };
}

/// `path.name`.
pub fn joined(path: Name, name: Name) -> Name {
    if path.as_str().is_empty() {
        return name;
    }
    JOINTS.with_borrow_mut(|joints| {
        let place = (path.index().wrapping_mul(31) ^ name.index().wrapping_mul(0x9e37_79b1)) >> 4;
        let known = &mut joints[place % RECENT_JOINTS];
        if (known.0, known.1) != (path, name) {
            *known = (path, name, Name::new(&[path.as_str(), ".", name.as_str()].concat()));
        }
        known.2
    })
}
