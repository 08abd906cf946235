//! Places: what holds things, and which place an expression speaks of.

use super::names::Definition;
use super::recent::{self, Recent};
use super::types::Type;
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{CallId, EventId, EventKind, Expr, MODULE_SCOPE, NOTHING, ScopeKind};
use crate::source::Name;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A module's global variable.
    Module(ModuleId, Name),
    /// A class-level attribute, by the class whose body binds it.
    Class(ClassRef, Name),
    /// An attribute of instances, by the base-most class whose methods store it.
    Instance(ClassRef, Name),
    /// An attribute set on a function object.
    Function(FunctionRef, Name),
    /// A local variable or parameter.
    Local(ScopeRef, Name),
    /// An attribute of an object whose type is not known.
    Unresolved(Name),
}

impl Place {
    /// The variable's or the attribute's own name.
    pub fn name(self) -> Name {
        match self {
            Place::Module(_, name)
            | Place::Class(_, name)
            | Place::Instance(_, name)
            | Place::Function(_, name)
            | Place::Local(_, name)
            | Place::Unresolved(name) => name,
        }
    }
}

/// A place, and how deep below it an expression reaches: `X` is at level 0, `X[k]` at level 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    pub place: Place,
    pub level: u8,
    /// The place was reached through another name (`items = self.items`).
    pub through_alias: bool,
}

const DEPTH: u32 = 6;

thread_local! {
    static REACHES: Recent<Option<Reach>> = Recent::of(None);
    static INSTANCE_PLACES: Recent<Option<Place>> = Recent::of(None);
}

impl Program<'_> {
    /// The place that an expression speaks of, if it speaks of one.
    pub fn reach(&self, expr: ExprRef) -> Option<Reach> {
        recent::asked(&REACHES, self.edition, expr.scope, expr.id.0, || self.reach_within(expr, DEPTH))
    }

    fn reach_within(&self, expr: ExprRef, depth: u32) -> Option<Reach> {
        let depth = depth.checked_sub(1)?;
        let at = |place| Some(Reach { place, level: 0, through_alias: false });
        match self.expr(expr) {
            Expr::Name(name) => {
                let Some(holder) = self.holding_scope(expr.scope, name) else {
                    return match self.resolve_name(expr.scope, name) {
                        Definition::Variable(scope, name) => at(Place::Module(scope.module, name)),
                        _ => None,
                    };
                };
                match self.facts(holder.module).scope(holder.id).kind {
                    ScopeKind::Module => match self.resolve_name(expr.scope, name) {
                        Definition::Variable(scope, name) if scope.id == MODULE_SCOPE => {
                            at(Place::Module(scope.module, name))
                        }
                        _ => None,
                    },
                    ScopeKind::Class(class) => at(Place::Class(ClassRef::new(holder.module, class), name)),
                    _ => self.reach_of_local(holder, name, depth),
                }
            }
            Expr::Attribute(base, attribute) => self.reach_of_attribute(expr.scope.expr(base), attribute, depth),
            // `X[:]` is a copy.
            Expr::Subscript(_, key) if self.is_slice(expr.scope.expr(key)) => None,
            Expr::Subscript(base, _) => self.deeper(expr.scope.expr(base), depth),
            Expr::Call(call) => {
                // A value taken out of a mapping is a level below it.
                let callee = expr.scope.expr(self.facts(expr.scope.module).call(call).callee);
                let Expr::Attribute(base, method) = self.expr(callee) else { return None };
                match method.as_str() {
                    "get" | "setdefault" | "values" | "items" => self.deeper(callee.scope.expr(base), depth),
                    _ => None,
                }
            }
            // `cache or {}`: what grows is the first.
            Expr::Or(run) => {
                let first = self.facts(expr.scope.module).list(run).first().copied()?;
                self.reach_within(expr.scope.expr(first), depth)
            }
            Expr::Await(inner) => self.reach_within(expr.scope.expr(inner), depth),
            Expr::Element(inner) => self.deeper(expr.scope.expr(inner), depth),
            _ => None,
        }
    }

    fn is_slice(&self, key: ExprRef) -> bool {
        matches!(self.expr(key), Expr::Slice(_))
    }

    fn deeper(&self, base: ExprRef, depth: u32) -> Option<Reach> {
        let reach = self.reach_within(base, depth)?;
        Some(Reach { level: reach.level.saturating_add(1), ..reach })
    }

    /// A local stands for the one place it was bound to; a parameter, or a local bound to several things, for itself.
    fn reach_of_local(&self, holder: ScopeRef, name: Name, depth: u32) -> Option<Reach> {
        let own = Some(Reach { place: Place::Local(holder, name), level: 0, through_alias: false });
        if self.is_parameter(holder, name) {
            return self.reach_of_kept_name(holder, name, depth).or(own);
        }
        let module = self.module(holder.module);
        let facts = module.facts();
        let mut found: Option<Reach> = None;
        for event in module.bindings_of(holder.id, name).take(6) {
            let here = self.event_scope(EventRef::new(holder.module, event));
            let reached = match facts.event(event).kind {
                EventKind::Bind { value, .. } => match facts.expr(value) {
                    Expr::Constant(_) => continue,
                    Expr::Name(_) | Expr::Attribute(..) | Expr::Subscript(..) | Expr::Call(_) | Expr::Or(_) => {
                        self.reach_within(here.expr(value), depth)
                    }
                    _ => None,
                },
                EventKind::BindElement { iterable, .. } => self.element_reach(here.expr(iterable), depth),
                EventKind::Annotate { .. } | EventKind::Augment { .. } => continue,
                _ => None,
            };
            match (found, reached) {
                (_, Some(reached)) if matches!(reached.place, Place::Local(..)) => {
                    return self.made_with_function(reached.place).then_some(reached).or(own);
                }
                (None, Some(reached)) => found = Some(reached),
                (Some(known), Some(reached)) if known.place == reached.place && known.level == reached.level => {}
                // `bucket = X.get(k)`, then `bucket = []` that is stored in the place as well.
                (Some(_), None) if self.is_also_stored(holder, name, event) => {}
                _ => return own,
            }
        }
        found.map(|reach| Reach { through_alias: true, ..reach }).or(own)
    }

    /// `def f(found=[]): items = found`: of a parameter whose default is a container of its own, a local is another name
    /// for that, whatever it is bound to besides.
    fn made_with_function(&self, place: Place) -> bool {
        let Place::Local(scope, name) = place else { return false };
        let default = self.enclosing_function(scope).and_then(|function| self.parameter_default(function, name));
        default.is_some_and(|default| self.container_made_by(default).is_some())
    }

    /// `def forget(key, _table=_table)`: the parameter only keeps what the module calls so within reach.
    fn reach_of_kept_name(&self, holder: ScopeRef, name: Name, depth: u32) -> Option<Reach> {
        let function = self.enclosing_function(holder)?;
        let default = self.parameter_default(function, name)?;
        let is_kept = self.expr(default) == Expr::Name(name) && default.scope.id == MODULE_SCOPE;
        self.reach_within(default, is_kept.then_some(depth)?)
    }

    /// Whether what a local is bound to here is also put under a key somewhere in the function.
    fn is_also_stored(&self, holder: ScopeRef, name: Name, binding: EventId) -> bool {
        let facts = self.facts(holder.module);
        let EventKind::Bind { value: bound, .. } = facts.event(binding).kind else { return false };
        facts.scope_events(holder.id).any(|(_, event)| match event.kind {
            EventKind::Bind { target, value } => {
                matches!(facts.expr(target), Expr::Subscript(..))
                    && ((value == bound && value != NOTHING) || facts.expr(value) == Expr::Name(name))
            }
            _ => false,
        })
    }

    /// `for value in X.values()`, `for key, value in X.items()` and `for value in X` all give what lies a level below.
    fn element_reach(&self, iterable: ExprRef, depth: u32) -> Option<Reach> {
        let depth = depth.checked_sub(1)?;
        match self.expr(iterable) {
            Expr::Call(call) => match self.put_in_order(iterable, call) {
                Some(inner) => self.element_reach(inner, depth),
                None => self.reach_within(iterable, depth),
            },
            // The items of a copy are those of the original.
            Expr::Subscript(base, key) if self.is_slice(iterable.scope.expr(key)) => {
                self.element_reach(iterable.scope.expr(base), depth)
            }
            // A part of a pair is what the pair is of.
            Expr::Element(pairs) if self.gives_items(iterable.scope.expr(pairs), depth) => {
                self.element_reach(iterable.scope.expr(pairs), depth)
            }
            _ => self.deeper(iterable, depth),
        }
    }

    /// `sorted(X)`, `list(X)`: the same items in another order or as they are now.
    fn put_in_order(&self, made: ExprRef, call: CallId) -> Option<ExprRef> {
        let facts = self.facts(made.scope.module);
        let call = facts.call(call);
        let is_order = matches!(facts.expr(call.callee), Expr::Name(name)
            if matches!(name.as_str(), "sorted" | "list" | "tuple" | "reversed"));
        facts.arguments(call).first().filter(|_| is_order).map(|items| made.scope.expr(*items))
    }

    /// `X.items()`, also in another order.
    fn gives_items(&self, pairs: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let Expr::Call(call) = self.expr(pairs) else { return false };
        let facts = self.facts(pairs.scope.module);
        match self.put_in_order(pairs, call) {
            Some(inner) => self.gives_items(inner, depth),
            None => {
                matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, method) if method.as_str() == "items")
            }
        }
    }

    fn reach_of_attribute(&self, base: ExprRef, attribute: Name, depth: u32) -> Option<Reach> {
        let at = |place| Some(Reach { place, level: 0, through_alias: false });
        match self.resolve(base) {
            Definition::Module(module) => {
                return match self.member_of_module(module, attribute, 8) {
                    Definition::Variable(scope, name) if scope.id == MODULE_SCOPE => {
                        at(Place::Module(scope.module, name))
                    }
                    _ => None,
                };
            }
            Definition::Class(class) => return self.class_place(class, attribute).and_then(at),
            Definition::Function(function) => return at(Place::Function(function, attribute)),
            Definition::External(_) => return None,
            _ => {}
        }
        // `self.__class__.x` and `type(self).x` are the class's own.
        if let Some(class) = self.class_expression(base) {
            return self.class_place(class, attribute).and_then(at);
        }
        match self.type_within(base, depth) {
            Type::Instance(class) => at(self.instance_place(class, attribute)),
            Type::Class(class) => self.class_place(class, attribute).and_then(at),
            Type::External(_) | Type::None => None,
            Type::Unknown => at(Place::Unresolved(attribute)),
        }
    }

    /// The class that `self.__class__` or `type(self)` is.
    pub(super) fn class_expression(&self, expr: ExprRef) -> Option<ClassRef> {
        let facts = self.facts(expr.scope.module);
        let instance = match self.expr(expr) {
            Expr::Attribute(instance, name) if name.as_str() == "__class__" => instance,
            Expr::Call(call) => {
                let call = facts.call(call);
                let is_type = matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "type");
                *facts.arguments(call).first().filter(|_| is_type && call.arguments.len == 1)?
            }
            _ => return None,
        };
        match self.type_of(expr.scope.expr(instance)) {
            Type::Instance(class) => Some(class),
            _ => None,
        }
    }

    /// Whether a place lives as long as the process: a module's, a class's or a function's.
    pub fn is_shared(&self, place: Place) -> bool {
        matches!(place, Place::Module(..) | Place::Class(..) | Place::Function(..))
    }

    /// Whether what a place holds is still there when the function that uses it returns.
    pub fn outlives_calls(&self, place: Place) -> bool {
        self.is_shared(place) || matches!(place, Place::Instance(..))
    }

    /// Where `Class.name` is held: the class in the MRO whose body binds it.
    pub fn class_place(&self, class: ClassRef, name: Name) -> Option<Place> {
        let owner = self.mro(class).iter().find(|ancestor| {
            let scope = self.class_scope(**ancestor);
            self.module(scope.module).bindings_of(scope.id, name).next().is_some()
        })?;
        Some(Place::Class(*owner, name))
    }

    /// Where `instance.name` is held: the instance if any method stores it there, else the class.
    pub fn instance_place(&self, class: ClassRef, name: Name) -> Place {
        let find = || Some(self.find_instance_place(class, name));
        let scope = self.class_scope(class);
        recent::asked(&INSTANCE_PLACES, self.edition, scope, name.index() as u32, find)
            .unwrap_or(Place::Instance(class, name))
    }

    fn find_instance_place(&self, class: ClassRef, name: Name) -> Place {
        let stores =
            |ancestor: &&ClassRef| self.own_instance_stores(**ancestor, name).any(|store| self.is_plain_store(store));
        if let Some(owner) = self.mro(class).iter().rev().find(stores) {
            return Place::Instance(*owner, name);
        }
        match self.class_place(class, name) {
            Some(Place::Class(owner, _)) if self.field_declaration(owner, name).is_some() => {
                Place::Instance(owner, name)
            }
            place => place.unwrap_or(Place::Instance(class, name)),
        }
    }

    /// `self.x += …` reads the class's attribute first: it does not make an attribute of its own for containers.
    fn is_plain_store(&self, store: EventRef) -> bool {
        !matches!(self.facts(store.module).event(store.id).kind, EventKind::Augment { .. })
    }

    /// The place as a reader would name it: `package.module.NAME`.
    pub fn place_symbol(&self, place: Place) -> String {
        match place {
            Place::Module(module, name) => format!("{}.{name}", self.module(module).input.name),
            Place::Class(class, name) | Place::Instance(class, name) => format!("{}.{name}", self.class_symbol(class)),
            Place::Function(function, name) => format!("{}.{name}", self.function_symbol(function)),
            Place::Local(scope, name) => format!("{}.{name}", self.scope_symbol(scope)),
            Place::Unresolved(name) => format!("?.{name}"),
        }
    }

    /// The place as its own module would write it: `NAME`, `Class.name`, `self.name`.
    pub fn place_name(&self, place: Place) -> String {
        match place {
            Place::Module(_, name) | Place::Local(_, name) => name.to_string(),
            Place::Class(class, name) => format!("{}.{name}", self.class(class).name),
            Place::Instance(_, name) => format!("self.{name}"),
            Place::Function(function, name) => format!("{}.{name}", self.function(function).name),
            Place::Unresolved(name) => format!("….{name}"),
        }
    }
}

/// Whether an expression may be a container that is made on the spot.
pub(super) fn may_be_container(expr: Expr) -> bool {
    matches!(expr, Expr::Display(..) | Expr::Comprehension(..) | Expr::Call(_) | Expr::Or(_) | Expr::Conditional(_))
}
