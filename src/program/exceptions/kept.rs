//! Exceptions that are stored in an object, and whether anything takes them out again.
//!
//! What a method catches has its own frame in the traceback, and that frame holds the receiver: an exception stored on
//! it closes the cycle. An exception handed over closes it as soon as a method of the same object raises it again, since
//! raising adds that method's frame.

use super::Thrown;
use crate::facts::{Constant, EventId, EventKind, Expr, ExprId, MODULE_SCOPE, ScopeKind};
use crate::models::Holds;
use crate::program::operations::OperationKind;
use crate::program::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Place, Program, ScopeRef};
use crate::source::Name;

#[derive(Clone, Copy, Debug)]
pub struct KeptException {
    pub function: FunctionRef,
    pub thrown: Thrown,
    pub stored: EventRef,
    pub place: Place,
    pub attribute: Name,
    /// Added to a container that may hold many of them.
    pub is_item: bool,
    /// The variable by which the frame of the function leads to the holder.
    pub holder: Option<Name>,
    /// The method of the same object that caught it and handed it over, and the call that does.
    pub handed_by: Option<(FunctionRef, EventRef)>,
    /// Where a method of the holder raises it again.
    pub raised: Option<EventRef>,
    /// A variable of the function that has what was stored there before: each frame keeps all of them.
    pub before: Option<(Name, EventRef)>,
    /// Something takes it out later.
    pub is_let_go: bool,
}

impl KeptException {
    /// A function whose frame is in the traceback and leads to the holder.
    pub fn passed(&self) -> Option<FunctionRef> {
        self.handed_by.map(|(function, _)| function).or(self.thrown.passed_here().then_some(self.function))
    }
}

impl Program<'_> {
    /// Exceptions that functions of a module store where they outlive the call.
    pub fn kept_exceptions(&self, module: ModuleId) -> Vec<KeptException> {
        let facts = self.facts(module);
        let mut found: Vec<KeptException> = Vec::new();
        for (number, event) in facts.events.iter().enumerate() {
            let stored = EventRef::new(module, EventId(number as u32));
            let kept = match event.kind {
                EventKind::Bind { target, value } => match facts.expr(target) {
                    Expr::Attribute(..) => self.kept_exception(stored, target, value, false),
                    Expr::Name(name) if self.is_global(stored, name) => {
                        self.kept_exception(stored, target, value, false)
                    }
                    Expr::Subscript(base, _) => self.kept_exception(stored, base, value, true),
                    _ => None,
                },
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    let Expr::Attribute(base, method) = facts.expr(call.callee) else { continue };
                    // What is put into a queue is taken from it by somebody else.
                    let is_put = matches!(method.as_str(), "put" | "put_nowait");
                    let Some(kind) = OperationKind::of_method(method).filter(|_| !is_put) else { continue };
                    let value = match kind {
                        OperationKind::Append | OperationKind::Add => facts.arguments(call).last(),
                        OperationKind::SetDefault => facts.arguments(call).get(1),
                        _ => None,
                    };
                    value.and_then(|value| self.kept_exception(stored, base, *value, true))
                }
                _ => None,
            };
            if let Some(kept) = kept
                && !found.iter().any(|known| known.place == kept.place)
            {
                found.push(kept);
            }
        }
        found
    }

    fn kept_exception(&self, stored: EventRef, target: ExprId, value: ExprId, is_item: bool) -> Option<KeptException> {
        let facts = self.facts(stored.module);
        if matches!(facts.expr(value), Expr::Constant(_) | Expr::Format(_) | Expr::Lambda(_) | Expr::Binary(..)) {
            return None;
        }
        let scope = self.event_scope(stored);
        let ScopeKind::Function(function) = facts.scope(scope.id).kind else { return None };
        let function = FunctionRef::new(stored.module, function);
        let thrown = self.thrown(scope.expr(value), stored)?;
        let reach = self.reach(scope.expr(target))?;
        let attribute = match reach.place {
            Place::Instance(class, name) if !self.is_exception_class(class) => name,
            Place::Module(_, name) | Place::Class(_, name) | Place::Unresolved(name) => name,
            _ => return None,
        };
        // A table of classes: an exception is looked up in it by what it is.
        if attribute.as_str().to_ascii_lowercase().split('_').any(|word| word.ends_with("cls") || word == "classes") {
            return None;
        }
        if attribute.as_str().starts_with("__") || self.is_stripped_anywhere(function, thrown) {
            return None;
        }
        let holder = self.variable_below(scope.expr(target));
        if matches!(reach.place, Place::Unresolved(_)) && self.thrown_holder(scope.expr(target), stored) {
            return None;
        }
        let class = match reach.place {
            Place::Instance(class, _) => Some(class),
            _ => None,
        };
        let is_weak = self.holder(reach.place).is_some_and(|holder| holder.container.holds != Holds::Strong);
        let is_let_go = match reach.place {
            _ if is_weak => true,
            Place::Instance(..) => self.is_released_by_others(class, attribute, is_item),
            // What a library's object does with an attribute of its own is not seen.
            Place::Unresolved(_) if attribute.as_str().starts_with('_') && !self.is_own_attribute(attribute) => true,
            Place::Unresolved(_) => {
                self.is_released_by_others(None, attribute, is_item)
                    || self.is_released_in_any_class(attribute, is_item)
            }
            place => {
                let is_bounded = self.holder(place).is_some_and(|holder| holder.container.is_bounded);
                let mut operations = self.operations.on(place).filter(|operation| operation.event != stored);
                is_bounded || operations.any(|operation| operation.kind.is_shrink())
            }
        };
        let raised = class.and_then(|class| self.raised_again(class, attribute));
        Some(KeptException {
            function,
            thrown,
            stored,
            place: reach.place,
            attribute,
            is_item,
            holder,
            handed_by: self.handed_by_own_method(function, thrown),
            raised,
            before: self.kept_before(stored, target),
            is_let_go,
        })
    }

    /// `self.add_error(error)` in a handler of another method.
    fn handed_by_own_method(&self, function: FunctionRef, thrown: Thrown) -> Option<(FunctionRef, EventRef)> {
        let Thrown::Handed(name) = thrown else { return None };
        let receiver = self.receiver(function).filter(|receiver| !receiver.is_class)?;
        self.callers(function).iter().filter(|site| site.is_certain).find_map(|site| {
            let facts = self.facts(site.module);
            let Expr::Attribute(base, _) = facts.expr(facts.call(site.call).callee) else { return None };
            let Expr::Name(base) = facts.expr(base) else { return None };
            let caller = self.event_function(site.event)?;
            let scope = self.event_scope(site.event);
            let own = self.receiver_named(scope, base).filter(|own| !own.is_class)?;
            let is_same =
                self.mro(own.class).contains(&receiver.class) || self.mro(receiver.class).contains(&own.class);
            let argument = self.argument_for(*site, function, name)?;
            let is_caught = matches!(self.thrown(argument, site.event)?, Thrown::Caught(_) | Thrown::Current(_));
            (is_same && is_caught && caller != function).then_some((caller, site.event))
        })
    }

    /// Whether objects of the program give themselves an attribute of this name.
    fn is_own_attribute(&self, attribute: Name) -> bool {
        self.module_ids().any(|module| {
            let facts = self.facts(module);
            self.module(module).attribute_stores_of(attribute).any(|event| {
                let scope = ScopeRef::new(module, facts.scope_of(facts.event(event)));
                let (EventKind::Bind { target, .. } | EventKind::Annotate { target, .. }) = facts.event(event).kind
                else {
                    return false;
                };
                matches!(facts.expr(target), Expr::Attribute(base, _)
                    if matches!(facts.expr(base), Expr::Name(name) if self.receiver_named(scope, name).is_some()))
            })
        })
    }

    /// A variable of the function that was given what the same attribute held before.
    fn kept_before(&self, stored: EventRef, target: ExprId) -> Option<(Name, EventRef)> {
        let facts = self.facts(stored.module);
        let Expr::Attribute(base, _) = facts.expr(target) else { return None };
        if !matches!(facts.expr(base), Expr::Name(_)) {
            return None;
        }
        let function = self.event_function(stored)?;
        facts.scope_events(self.function(function).scope).take_while(|(id, _)| *id < stored.id).find_map(
            |(id, event)| match event.kind {
                EventKind::Bind { target: variable, value } if value == target => match facts.expr(variable) {
                    Expr::Name(name) => Some((name, EventRef::new(stored.module, id))),
                    _ => None,
                },
                _ => None,
            },
        )
    }

    /// A function's `global` name.
    fn is_global(&self, event: EventRef, name: Name) -> bool {
        let scope = self.event_scope(event);
        scope.id != MODULE_SCOPE && self.holding_scope(scope, name).is_some_and(|holder| holder.id == MODULE_SCOPE)
    }

    fn is_stripped_anywhere(&self, function: FunctionRef, thrown: Thrown) -> bool {
        match thrown {
            Thrown::Handed(name) => self.strips_traceback(function, name),
            Thrown::Caught(event) => match self.facts(event.module).event(event.id).kind {
                EventKind::BindException { target, .. } => {
                    matches!(self.facts(event.module).expr(target), Expr::Name(name) if self.strips_traceback(function, name))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// `error.details = (error, …)`: an exception that is told something.
    fn thrown_holder(&self, target: ExprRef, at: EventRef) -> bool {
        match self.expr(target) {
            Expr::Attribute(base, _) => self.thrown(target.scope.expr(base), at).is_some(),
            _ => false,
        }
    }

    /// The variable that an attribute of an attribute … is reached by.
    fn variable_below(&self, expr: ExprRef) -> Option<Name> {
        let mut id = expr.id;
        loop {
            match self.expr(expr.scope.expr(id)) {
                Expr::Attribute(base, _) | Expr::Subscript(base, _) => id = base,
                Expr::Name(name) => return Some(name),
                _ => return None,
            }
        }
    }

    /// `raise self.error` in a method, unless the method gives up `self` as it leaves.
    fn raised_again(&self, class: ClassRef, attribute: Name) -> Option<EventRef> {
        let family = self.mro(class).iter().chain(self.subclasses(class));
        family.flat_map(|member| self.own_methods(*member)).find_map(|method| {
            let facts = self.facts(method.module);
            let receiver = self.receiver(method).filter(|receiver| !receiver.is_class)?.name;
            let is_receiver = |id: ExprId| facts.expr(id) == Expr::Name(receiver);
            let scope = self.function(method).scope;
            let raised = facts.scope_events(scope).find(|(_, event)| match event.kind {
                EventKind::Raise { exception, .. } => match facts.expr(exception) {
                    Expr::Attribute(base, name) => name == attribute && is_receiver(base),
                    _ => false,
                },
                _ => false,
            });
            let gives_up = facts.scope_events(scope).any(|(_, event)| match event.kind {
                EventKind::Delete { target } => is_receiver(target),
                EventKind::Bind { target, value } => {
                    is_receiver(target) && facts.expr(value) == Expr::Constant(Constant::None)
                }
                _ => false,
            });
            let (id, _) = raised.filter(|_| !gives_up)?;
            Some(EventRef::new(method.module, id))
        })
    }
}
