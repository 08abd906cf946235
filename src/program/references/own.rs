//! Objects that keep themselves: one of their own attributes leads back to them.
//!
//! To follow every object of a program round its cycles would cost more than it tells. A function that makes such a
//! cycle mostly does so before your eyes: what it stores in an attribute is the object's own method, a function that uses
//! it, or something that it was handed to. Only functions with such a line are drawn.

use std::sync::Arc;

use super::attributes::is_data_class;
use super::captures::captured;
use super::{CALLS, ObjectGraph, ObjectId, Origin, Reference, Strength, trace};
use crate::facts::{EventKind, Expr, ExprId, NOTHING};
use crate::program::names::Definition;
use crate::program::types::Type;
use crate::program::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::source::Name;

/// An object that an attribute of its own leads back to, in the terms of the function that makes it so.
pub struct OwnCycle {
    pub function: FunctionRef,
    /// Where it is stored.
    pub event: EventRef,
    pub graph: Arc<ObjectGraph>,
    pub object: ObjectId,
    pub class: Option<ClassRef>,
    /// The references on the way, the attribute's first.
    pub steps: Vec<Reference>,
}

/// `future.get = future.result`, where only the method tells what the object is.
pub struct OwnMethod {
    pub function: FunctionRef,
    pub event: EventRef,
    pub object: Name,
    pub attribute: Name,
    pub method: FunctionRef,
    pub class: ClassRef,
}

/// How deep what is stored is looked through.
const DEPTH: u32 = 5;

impl Program<'_> {
    /// The cycles that functions of a module close by storing something in an attribute, and that nothing gives up. Of what
    /// methods make of their own object, only where that is worth a question.
    pub fn own_cycles(&self, module: ModuleId, is_worth: &mut dyn FnMut(ClassRef) -> bool) -> Vec<OwnCycle> {
        let facts = self.facts(module);
        let mut stores: Vec<_> = self.module(module).index.attribute_stores.iter().map(|(_, event)| *event).collect();
        stores.sort_unstable();
        let mut found: Vec<OwnCycle> = Vec::new();
        for id in stores {
            let event = facts.event(id);
            let EventKind::Bind { target, value } = event.kind else { continue };
            let Expr::Attribute(base, attribute) = facts.expr(target) else { continue };
            let Expr::Name(name) = facts.expr(base) else { continue };
            let scope = ScopeRef::new(module, facts.scope_of(event));
            if !self.leads_to(scope, value, name, DEPTH) {
                continue;
            }
            let receiver = self.receiver_named(scope, name).filter(|receiver| !receiver.is_class);
            if receiver.is_some_and(|receiver| {
                self.is_released_by_others(Some(receiver.class), attribute, false) || !is_worth(receiver.class)
            }) {
                continue;
            }
            let event = EventRef::new(module, id);
            let Some(function) = self.event_function(event) else { continue };
            found.extend(self.own_cycle(function, event));
        }
        found
    }

    /// The objects of others that functions of a module give a method of their own as an attribute. Where their class is
    /// not known, the program must know the name as the method of one class, and as nothing else.
    pub fn own_methods_given(&self, module: ModuleId) -> Vec<OwnMethod> {
        let facts = self.facts(module);
        let stores = self.module(module).index.attribute_stores.iter();
        let mut found: Vec<OwnMethod> = stores
            .filter_map(|(_, id)| {
                let event = facts.event(*id);
                let EventKind::Bind { target, value } = event.kind else { return None };
                let Expr::Attribute(base, attribute) = facts.expr(target) else { return None };
                let Expr::Attribute(same, name) = facts.expr(value) else { return None };
                let Expr::Name(object) = facts.expr(base) else { return None };
                let scope = ScopeRef::new(module, facts.scope_of(event));
                let function = self.enclosing_function(scope)?;
                let is_local = same == base
                    && self.receiver_named(scope, object).is_none()
                    && self
                        .holding_scope(scope, object)
                        .is_some_and(|holder| self.enclosing_function(holder).is_some());
                let (class, method) = match is_local.then(|| self.type_of(scope.expr(base)))? {
                    Type::Unknown => self.only_method_called(name)?,
                    Type::Instance(class) => {
                        let method = self.method(class, name)?;
                        (self.function(method).decorators.len == 0).then_some((class, method))?
                    }
                    _ => return None,
                };
                let event = EventRef::new(module, *id);
                Some(OwnMethod { function, event, object, attribute, method, class })
            })
            .collect();
        found.sort_by_key(|found| found.event);
        found
    }

    /// The one method of a name, where nothing else of the program is called so and no object has such an attribute.
    fn only_method_called(&self, name: Name) -> Option<(ClassRef, FunctionRef)> {
        let modules = || self.module_ids().filter(|module| !self.is_test(*module));
        if modules().any(|module| self.module(module).attribute_stores_of(name).next().is_some()) {
            return None;
        }
        let mut only = None;
        for module in modules() {
            for class in self.classes_of(module) {
                let Some(method) = self.own_methods(class).find(|method| self.function(*method).name == name) else {
                    continue;
                };
                let is_plain = self.function(method).decorators.len == 0;
                if only.replace((class, method)).is_some() || !is_plain {
                    return None;
                }
            }
        }
        only
    }

    fn own_cycle(&self, function: FunctionRef, event: EventRef) -> Option<OwnCycle> {
        let graph = self.object_graph(function);
        let made: Vec<Reference> = (graph.references.iter())
            .filter(|reference| {
                reference.event == Some(event) && reference.strength == Strength::Strong && shown(reference)
            })
            .copied()
            .collect();
        made.into_iter().find_map(|first| {
            let object = first.from;
            let is_way = |reference: &Reference| {
                (reference.from != object || reference.event == Some(event)) && shown(reference)
            };
            // Most objects have no cycle at all, and what is given up takes the longest to find out.
            graph.cycle_through(object, &mut |reference| is_way(reference))?;
            let path = graph.cycle_through(object, &mut |reference| {
                is_way(reference)
                    && reference
                        .event
                        .is_some_and(|made| !self.is_released(graph.object(reference.from).class, reference, made))
            })?;
            let steps = path.into_iter().map(|index| graph.references[index]).collect();
            let class = graph.object(object).class;
            Some(OwnCycle { function, event, graph: graph.clone(), object, class, steps })
        })
    }

    /// Whether an expression may give something that keeps what a name stands for.
    fn leads_to(&self, scope: ScopeRef, value: ExprId, name: Name, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(scope.module);
        let within = |id: ExprId| id != NOTHING && self.leads_to(scope, id, name, depth);
        match facts.expr(value) {
            // The method of an object, bound to it.
            Expr::Attribute(base, attribute) => {
                facts.expr(base) == Expr::Name(name) && self.may_be_method(scope, name, attribute)
            }
            Expr::Lambda(function) => self.captures_name(FunctionRef::new(scope.module, function), name),
            Expr::Name(other) => match self.resolve_name(scope, other) {
                Definition::Function(function) => self.captures_name(function, name),
                _ => false,
            },
            Expr::Call(call) => {
                let call = facts.call(call);
                let mut arguments = facts.all_arguments(call);
                arguments.any(|argument| facts.expr(argument) == Expr::Name(name) || within(argument))
                    && self.may_keep_arguments(scope.expr(call.callee))
            }
            Expr::Display(_, run) => {
                (facts.list(run).iter()).any(|part| facts.expr(*part) == Expr::Name(name) || within(*part))
            }
            // `root or self`: the object itself only for want of another.
            Expr::Or(run) | Expr::And(run) | Expr::Conditional(run) => facts.list(run).iter().any(|part| within(*part)),
            Expr::Comprehension(_, inner) => facts.scope_events(inner).any(|(_, event)| match event.kind {
                EventKind::Yield(element) => within(element),
                _ => false,
            }),
            Expr::Await(inner) | Expr::Starred(inner) => within(inner),
            _ => false,
        }
    }

    /// Of a method's own object it is known which attributes are methods.
    fn may_be_method(&self, scope: ScopeRef, object: Name, attribute: Name) -> bool {
        match self.receiver_named(scope, object) {
            Some(receiver) if !receiver.is_class => {
                matches!(self.member_of_class(receiver.class, attribute), Definition::Function(_))
            }
            _ => true,
        }
    }

    /// Whether what a call gives may keep what the call is given.
    fn may_keep_arguments(&self, callee: ExprRef) -> bool {
        match self.resolve(callee) {
            Definition::External(path) => trace::may_give_back(self, path),
            Definition::Class(class) => match self.method(class, self.words.init) {
                Some(constructor) => self.may_keep_parameters(constructor),
                None => is_data_class(self, class),
            },
            Definition::Function(function) => !self.object_graph_within(function, CALLS - 1).returns.is_empty(),
            _ => true,
        }
    }

    fn may_keep_parameters(&self, constructor: FunctionRef) -> bool {
        let receiver = self.receiver(constructor).map(|receiver| receiver.name);
        // As deep as it is looked into from a function that calls it.
        let graph = self.object_graph_within(constructor, CALLS - 1);
        let is_given = |reference: &Reference| matches!(graph.object(reference.to).origin, Origin::Parameter(name) if Some(name) != receiver);
        !graph.deferred.is_empty() || graph.references.iter().any(is_given)
    }

    fn captures_name(&self, function: FunctionRef, name: Name) -> bool {
        self.enclosing_function(self.defining_scope(function)).is_some()
            && captured(self, function).iter().any(|capture| capture.name == name)
    }
}

/// Stored before your eyes, with both ends known.
fn shown(reference: &Reference) -> bool {
    reference.event.is_some() && reference.is_certain
}
