//! Attributes of a class's instances: what is in them, how it is held there, and what reading or storing them runs.

use std::sync::PoisonError;

use super::Strength;
use crate::facts::{EventKind, Expr, ParameterKind};
use crate::models::Holds;
use crate::program::names::Definition;
use crate::program::types::Type;
use crate::program::{ClassRef, EventRef, ExprRef, FunctionRef, Place, Program, ScopeRef};
use crate::source::Name;

impl Program<'_> {
    /// Whether what is stored under an attribute goes elsewhere: to the setter of a property or another descriptor.
    pub(in crate::program) fn is_computed_attribute(&self, class: ClassRef, name: Name) -> bool {
        matches!(self.attribute_kind(class, name), AttributeKind::Setter(_) | AttributeKind::Computed)
    }

    pub(super) fn attribute_kind(&self, class: ClassRef, name: Name) -> AttributeKind {
        match self.member_of_class(class, name) {
            Definition::Function(function) => match setter(self, class, name) {
                Some(setter) => AttributeKind::Setter(setter),
                None if self.decorators(function).next().is_none() => AttributeKind::Plain,
                None => AttributeKind::Computed,
            },
            Definition::Variable(scope, name) => {
                let (values, _) = self.bound_values(scope, name);
                let made = values.iter().find_map(|(_, value)| match self.expr(*value) {
                    Expr::Call(_) => Some(self.callee_or_self(*value)),
                    _ => None,
                });
                match made.map(|callee| self.resolve(callee)) {
                    None => AttributeKind::Plain,
                    Some(Definition::External(path)) if is_called_weak(path) => AttributeKind::Weak,
                    Some(Definition::Class(class)) if is_called_weak(self.class(class).name) => AttributeKind::Weak,
                    Some(Definition::Class(class)) if self.method(class, Name::new("__set__")).is_some() => {
                        AttributeKind::Computed
                    }
                    Some(_) => AttributeKind::Unknown,
                }
            }
            _ => AttributeKind::Plain,
        }
    }
}

pub(super) enum AttributeKind {
    Plain,
    /// A descriptor that says it is weak.
    Weak,
    /// A descriptor, perhaps.
    Unknown,
    Setter(FunctionRef),
    /// A property that cannot be set, or a descriptor with a life of its own.
    Computed,
}

pub(super) fn is_called_weak(name: Name) -> bool {
    name.as_str().to_ascii_lowercase().contains("weak")
}

/// What reading a method from an instance gives.
pub(super) enum MethodKind {
    /// The method, bound to the instance.
    Plain,
    /// What this function returns.
    Getter(FunctionRef),
    /// A function without the instance, or what nobody knows.
    Other,
}

impl Program<'_> {
    pub(super) fn method_kind(&self, class: ClassRef, name: Name, function: FunctionRef) -> MethodKind {
        if let Some(getter) = accessor(self, class, name, |decorator| self.is_property(decorator)) {
            return MethodKind::Getter(getter);
        }
        if self.receiver(function).is_none_or(|receiver| receiver.is_class) {
            return MethodKind::Other;
        }
        let facts = self.facts(function.module);
        let is_plain = facts.list(facts.function(function.id).decorators).iter().all(|decorator| {
            let callee = self.callee_or_self(self.defining_scope(function).expr(*decorator));
            match self.expr(callee) {
                Expr::Name(word) | Expr::Attribute(_, word) => !is_called_computed(word),
                _ => false,
            }
        });
        if is_plain { MethodKind::Plain } else { MethodKind::Other }
    }
}

/// The names of decorators that make an attribute of a method.
fn is_called_computed(decorator: Name) -> bool {
    const PARTS: &[&str] =
        &["property", "prop", "lazy", "cached", "reify", "attr", "setter", "getter", "deleter", "memo"];
    let word = decorator.as_str().to_ascii_lowercase();
    PARTS.iter().any(|part| word.contains(part))
}

pub(in crate::program) fn is_data_class(program: &Program, class: ClassRef) -> bool {
    let facts = program.facts(class.module);
    let declared = facts.class(class.id);
    let scope = ScopeRef::new(class.module, facts.context(declared.context).scope);
    facts.list(declared.decorators).iter().any(|decorator| {
        let callee = program.callee_or_self(scope.expr(*decorator));
        matches!(program.resolve(callee), Definition::External(path) if matches!(path.as_str(),
            "dataclasses.dataclass" | "attr.s" | "attr.attrs" | "attr.dataclass" | "attr.define" | "attr.mutable"
            | "attr.frozen" | "attrs.define" | "attrs.mutable" | "attrs.frozen"))
    })
}

/// The function that `@name.setter` decorates.
fn setter(program: &Program, class: ClassRef, name: Name) -> Option<FunctionRef> {
    accessor(program, class, name, |function| {
        let facts = program.facts(function.module);
        facts
            .list(facts.function(function.id).decorators)
            .iter()
            .any(|decorator| matches!(facts.expr(*decorator), Expr::Attribute(_, word) if word.as_str() == "setter"))
    })
}

/// One of the functions of a name in the first class that has the name.
fn accessor(
    program: &Program,
    class: ClassRef,
    name: Name,
    is_wanted: impl Fn(FunctionRef) -> bool,
) -> Option<FunctionRef> {
    let Some(Place::Class(owner, _)) = program.class_place(class, name) else { return None };
    let scope = program.class_scope(owner);
    let module = program.module(scope.module);
    module.bindings_of(scope.id, name).find_map(|event| match module.facts().event(event).kind {
        EventKind::Define(function) => {
            Some(FunctionRef::new(scope.module, function)).filter(|function| is_wanted(*function))
        }
        _ => None,
    })
}

/// What the stores to an attribute of a class's instances tell.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    /// Where it is given something that it then keeps.
    pub store: Option<EventRef>,
    /// How the container in it holds its items; `None` where it is not known to be one.
    pub holds: Option<Holds>,
}

impl Program<'_> {
    /// The class of what is in an attribute.
    pub(super) fn class_in(&self, class: ClassRef, name: Name) -> Option<ClassRef> {
        let known = &self.references.classes;
        if let Some(held) = known.read().unwrap_or_else(PoisonError::into_inner).get(&(class, name)) {
            return *held;
        }
        let held = match self.type_of_member(class, name, 6) {
            Type::Instance(class) => Some(class),
            _ => None,
        };
        known.write().unwrap_or_else(PoisonError::into_inner).insert((class, name), held);
        held
    }

    pub(super) fn contents(&self, class: ClassRef, name: Name) -> Contents {
        let known = &self.references.contents;
        if let Some(contents) = known.read().unwrap_or_else(PoisonError::into_inner).get(&(class, name)) {
            return *contents;
        }
        let stores = self.instance_stores(class, name);
        let store = strong_store(self, &stores);
        let contents = Contents { store, holds: container_holds(self, class, name, &stores) };
        known.write().unwrap_or_else(PoisonError::into_inner).insert((class, name), contents);
        contents
    }
}

/// How the container in an attribute holds its items; `None` where it is not known to be a container.
fn container_holds(program: &Program, class: ClassRef, name: Name, stores: &[EventRef]) -> Option<Holds> {
    let mut found = None;
    let mut note = |value: ExprRef| {
        let made = program.container_made_by(value).map(|container| container.holds);
        if let Some(holds) = made.or_else(|| is_keywords(program, value).then_some(Holds::Strong)) {
            found = Some(match found {
                Some(Holds::Strong) => Holds::Strong,
                _ => holds,
            });
        }
    };
    for store in stores {
        if let EventKind::Bind { value, .. } = program.facts(store.module).event(store.id).kind {
            note(program.event_scope(*store).expr(value));
        }
    }
    if let Definition::Variable(scope, name) = program.member_of_class(class, name) {
        program.bound_values(scope, name).0.iter().for_each(|(_, value)| note(*value));
    }
    found
}

/// `**kwargs` under its own name: a dict that the call makes.
fn is_keywords(program: &Program, value: ExprRef) -> bool {
    let Expr::Name(name) = program.expr(value) else { return false };
    let Some(function) = program.enclosing_function(value.scope) else { return false };
    let facts = program.facts(function.module);
    let parameters = facts.parameters(facts.function(function.id));
    parameters.iter().any(|parameter| parameter.name == name && parameter.kind == ParameterKind::Keywords)
}

/// Where an attribute is given something that it then keeps.
fn strong_store(program: &Program, stores: &[EventRef]) -> Option<EventRef> {
    let mut found = None;
    for store in stores {
        let EventKind::Bind { value, .. } = program.facts(store.module).event(store.id).kind else { continue };
        match held_by(program, program.event_scope(*store).expr(value), 4) {
            Some(Strength::Strong) => found = found.or(Some(*store)),
            // Once weak, the attribute is meant to be weak.
            Some(Strength::Weak) => return None,
            None => {}
        }
    }
    found
}

/// How a value keeps what one gets from it; `None` for constants.
fn held_by(program: &Program, value: ExprRef, depth: u32) -> Option<Strength> {
    let depth = depth.checked_sub(1)?;
    let facts = program.facts(value.scope.module);
    match program.expr(value) {
        Expr::Constant(_) | Expr::Nothing => None,
        Expr::Call(call) => match program.resolve(value.scope.expr(facts.call(call).callee)) {
            Definition::External(path) if program.models.weak(path).is_some() || is_called_weak(path) => {
                Some(Strength::Weak)
            }
            Definition::Function(function) => {
                let scope = program.function_scope(function);
                let callee = program.facts(function.module);
                let returned = callee.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
                    EventKind::Return(value) => held_by(program, scope.expr(value), depth),
                    _ => None,
                });
                Some(returned.min().unwrap_or(Strength::Strong))
            }
            _ => Some(Strength::Strong),
        },
        Expr::Conditional(run) => {
            facts.list(run).iter().skip(1).filter_map(|id| held_by(program, value.scope.expr(*id), depth)).min()
        }
        Expr::Or(run) | Expr::And(run) => {
            facts.list(run).iter().filter_map(|id| held_by(program, value.scope.expr(*id), depth)).min()
        }
        Expr::Name(name) => {
            let Some(holder) = program.holding_scope(value.scope, name) else { return Some(Strength::Strong) };
            let (values, is_complete) = program.bound_values(holder, name);
            let strengths = values.iter().filter_map(|(_, value)| held_by(program, *value, depth));
            strengths.min().filter(|strength| is_complete || *strength == Strength::Weak).or(Some(Strength::Strong))
        }
        _ => Some(Strength::Strong),
    }
}

/// Where the container in an attribute gets its items, or else where it is made.
pub(super) fn growth_of(program: &Program, class: ClassRef, name: Name) -> Option<EventRef> {
    let place = program.instance_place(class, name);
    let growth = program.operations.on(place).find(|operation| operation.kind.is_growth()).map(|grown| grown.event);
    growth.or_else(|| match place {
        Place::Instance(owner, name) => program.instance_stores(owner, name).first().copied(),
        _ => None,
    })
}
