//! Listeners that are put straight into a container of the emitter: `hub.on_tick.add(poll)`.
//!
//! No function keeps them, so none can be asked for its counterpart. What shows the leak is that the emitter serves for
//! long, that what is added belongs to the call or object that adds it, and that the program takes nothing out of that
//! container at all.

use super::Program;
use crate::facts::{EventKind, Expr, ExprId, ScopeKind};
use crate::finding::Label;
use crate::program::lifetimes::Lifetime;
use crate::program::registries::Cause;
use crate::program::repetition::Frequency;
use crate::program::types::Type;
use crate::program::{
    ClassRef, EventRef, FunctionRef, ModuleId, Operation, OperationKind, Place, ScopeRef, vocabulary,
};
use crate::source::Name;

/// A listener that its emitter has no way to lose.
#[derive(Clone, Debug)]
pub struct AddedListener {
    pub event: EventRef,
    pub function: FunctionRef,
    /// The variable that the emitter is reached by, and its container.
    pub emitter: Name,
    pub container: Name,
    /// What the emitter is, and why it stays.
    pub class: ClassRef,
    pub reasons: Vec<Label>,
}

impl Program<'_> {
    /// The listeners that functions of a module put into containers of emitters they are given, in source order.
    pub fn added_listeners(&self, module: ModuleId) -> Vec<AddedListener> {
        self.operations.in_module(module).filter_map(|operation| self.added_listener(*operation)).collect()
    }

    fn added_listener(&self, operation: Operation) -> Option<AddedListener> {
        if !matches!(operation.kind, OperationKind::Append | OperationKind::Add) || operation.level > 0 {
            return None;
        }
        let facts = self.facts(operation.event.module);
        let EventKind::Call(call) = facts.event(operation.event.id).kind else { return None };
        let Expr::Attribute(target, _) = facts.expr(facts.call(call).callee) else { return None };
        let Expr::Attribute(base, container) = facts.expr(target) else { return None };
        let Expr::Name(emitter) = facts.expr(base) else { return None };
        if !vocabulary::is_listener_place(container.as_str()) {
            return None;
        }
        let scope = self.event_scope(operation.event);
        let holder = self.holding_scope(scope, emitter)?;
        if !self.is_parameter(holder, emitter) || self.receiver_named(scope, emitter).is_some() {
            return None;
        }
        let function = self.event_function(operation.event)?;
        self.belongs_to_many(function, scope, operation.value)?;
        let class = match self.type_of(scope.expr(base)) {
            Type::Instance(class) => class,
            Type::Unknown => self.only_class_with(container)?,
            _ => return None,
        };
        let owner = self.owner(class);
        if owner.lifetime < Lifetime::Presumed || self.is_taken_from(class, container) {
            return None;
        }
        Some(AddedListener { event: operation.event, function, emitter, container, class, reasons: owner.reasons })
    }

    /// What is added belongs to the call, or to an object of which there are many.
    fn belongs_to_many(&self, function: FunctionRef, scope: ScopeRef, value: ExprId) -> Option<()> {
        let method = self.outermost_function(function);
        let class = self.class_of_method(method)?;
        let cause = self.cause_of_callable(scope.expr(value), 3)?;
        let name = self.function(method).name;
        let frequency = match vocabulary::is_setup_name(name.as_str()) || vocabulary::is_beginning_name(name.as_str()) {
            true => self.instance_frequency(class),
            false => self.function_frequency(method),
        };
        (frequency >= Frequency::Presumed && matches!(cause, Cause::Fresh | Cause::Instance(_))).then_some(())
    }

    /// The one class of the program whose instances have an attribute of this name.
    pub(in crate::program) fn only_class_with(&self, attribute: Name) -> Option<ClassRef> {
        let mut found: Option<ClassRef> = None;
        for module in self.modules_storing(attribute).iter().copied().filter(|module| !self.is_test(*module)) {
            let facts = self.facts(module);
            for event in self.module(module).attribute_stores_of(attribute) {
                let target = match facts.event(event).kind {
                    EventKind::Bind { target, .. } | EventKind::Annotate { target, .. } => target,
                    _ => return None,
                };
                let Expr::Attribute(base, _) = facts.expr(target) else { return None };
                let Expr::Name(base) = facts.expr(base) else { return None };
                let scope = ScopeRef::new(module, facts.scope_of(facts.event(event)));
                if !matches!(facts.scope(scope.id).kind, ScopeKind::Function(_)) {
                    return None;
                }
                let class = self.receiver_named(scope, base)?.class;
                if found.is_some_and(|known| known != class) {
                    return None;
                }
                found = Some(class);
            }
        }
        found
    }

    fn is_taken_from(&self, class: ClassRef, container: Name) -> bool {
        let places = [self.instance_place(class, container), Place::Unresolved(container)];
        places.into_iter().flat_map(|place| self.operations.on(place)).any(|operation| {
            let function = self.event_function(operation.event);
            let is_begun = function.is_some_and(|function| self.function(function).name == self.words.init);
            operation.kind.is_shrink() && !is_begun && !self.is_test(operation.event.module)
        })
    }
}
