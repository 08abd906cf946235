//! Whose the emitter is: whether it lives longer than what registers with it.

use super::Program;
use crate::facts::{EventKind, Expr};
use crate::program::calls::CallSite;
use crate::program::names::Definition;
use crate::program::types::Type;
use crate::program::{ClassRef, EventRef, ExprRef, Place, ScopeRef, vocabulary};
use crate::source::Name;

/// What keeps the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emitter {
    /// As long as the process: a module or class holds it.
    Process,
    /// Given to the listener, so there before it and used by others.
    Given,
}

/// How many names and attributes are followed to what an emitter is.
const DEPTH: u32 = 4;

impl Program<'_> {
    /// The emitter of a registration; `None` where it is the listener's own, or not known whose.
    pub(super) fn emitter(&self, site: CallSite, place: Place) -> Option<Emitter> {
        if matches!(place, Place::Module(..) | Place::Class(..)) {
            return Some(Emitter::Process);
        }
        let facts = self.facts(site.module);
        let scope = self.event_scope(site.event);
        match facts.expr(facts.call(site.call).callee) {
            Expr::Attribute(base, _) => self.whose(scope.expr(base), DEPTH),
            _ => None,
        }
    }

    /// The emitter that a method of a library is called on; `None` where it is the caller's own.
    pub(in crate::program) fn emitter_of(&self, event: EventRef) -> Option<Emitter> {
        let facts = self.facts(event.module);
        let EventKind::Call(call) = facts.event(event.id).kind else { return None };
        match facts.expr(facts.call(call).callee) {
            Expr::Attribute(base, _) => self.whose(self.event_scope(event).expr(base), DEPTH),
            _ => None,
        }
    }

    /// Whether an object on the way to the emitter has the listener for itself: `environment.runner`, where it is the
    /// runner that listens to `environment.events`.
    pub(super) fn is_kept_by_emitter(&self, site: CallSite, listener: ClassRef) -> bool {
        let facts = self.facts(site.module);
        let scope = self.event_scope(site.event);
        let mut next = facts.call(site.call).callee;
        while let Expr::Attribute(base, _) = facts.expr(next) {
            next = base;
            if let Type::Instance(class) = self.type_of(scope.expr(base))
                && !self.mro(listener).contains(&class)
                && self.has_attribute_of(class, listener)
            {
                return true;
            }
        }
        false
    }

    /// Whether instances of a class have an attribute that holds one of another, or of a class that it derives from.
    fn has_attribute_of(&self, class: ClassRef, held: ClassRef) -> bool {
        let kin = self.mro(held);
        self.mro(class).iter().flat_map(|class| self.own_methods(*class)).any(|method| {
            let facts = self.facts(method.module);
            let scope = self.function_scope(method);
            let receiver = self.receiver(method).map(|receiver| receiver.name);
            facts.scope_events(scope.id).any(|(_, event)| {
                let (EventKind::Bind { target, .. } | EventKind::Annotate { target, .. }) = event.kind else {
                    return false;
                };
                let Expr::Attribute(base, _) = facts.expr(target) else { return false };
                let is_own = matches!(facts.expr(base), Expr::Name(name) if Some(name) == receiver);
                is_own && matches!(self.type_of(scope.expr(target)), Type::Instance(class) if kin.contains(&class))
            })
        })
    }

    /// Whose an object is.
    pub(super) fn whose(&self, expr: ExprRef, depth: u32) -> Option<Emitter> {
        let depth = depth.checked_sub(1)?;
        match self.expr(expr) {
            Expr::Name(name) => match self.resolve_name(expr.scope, name) {
                _ if self.receiver_named(expr.scope, name).is_some() => None,
                Definition::Module(_) | Definition::Class(_) | Definition::External(_) => Some(Emitter::Process),
                Definition::Variable(scope, name) => {
                    if self.enclosing_function(scope).is_none() {
                        return Some(Emitter::Process);
                    }
                    if self.is_parameter(scope, name) {
                        return (!self.is_made_for_it(scope, name, depth)).then_some(Emitter::Given);
                    }
                    let (values, is_all) = self.bound_values(scope, name);
                    let [(_, value)] = values.as_slice() else { return None };
                    is_all.then(|| self.whose(*value, depth))?
                }
                _ => None,
            },
            Expr::Attribute(base, attribute) => {
                let base = expr.scope.expr(base);
                if let Expr::Name(name) = self.expr(base)
                    && let Some(receiver) = self.receiver_named(base.scope, name)
                {
                    return match receiver.is_class {
                        true => Some(Emitter::Process),
                        false => self.whose_attribute(receiver.class, attribute, depth),
                    };
                }
                self.whose(base, depth)
            }
            _ => None,
        }
    }

    /// Whether all who call a function make what they give it for this call: `Page(await make_client())`, also where the
    /// client has a name first. What is made outside of the loop that the call stands in is there for all turns.
    fn is_made_for_it(&self, function: ScopeRef, name: Name, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let Some(function) = self.enclosing_function(function) else { return false };
        let callers = self.callers(function);
        let mut callers = callers.iter().filter(|site| !self.is_test(site.module)).peekable();
        callers.peek().is_some()
            && callers.all(|site| {
                let given = self.argument_for(*site, function, name).filter(|_| site.is_certain);
                given.is_some_and(|given| self.is_made_before(given, site.event, depth))
            })
    }

    fn is_made_before(&self, given: ExprRef, call: EventRef, depth: u32) -> bool {
        let name = match self.expr(given) {
            Expr::Name(name) => name,
            Expr::Attribute(..) => return self.is_bound_before(given, call),
            _ => return self.is_factory_call(given),
        };
        let Definition::Variable(scope, name) = self.resolve_name(given.scope, name) else { return false };
        if self.is_parameter(scope, name) {
            return self.is_made_for_it(scope, name, depth);
        }
        let (values, is_all) = self.bound_values(scope, name);
        let facts = self.facts(scope.module);
        let loop_around = |event: EventRef| {
            let mut contexts = facts.contexts_around(facts.event(event.id).context);
            contexts.find(|context| context.kind.is_loop())
        };
        let is_fresh = |(bound, value): &(EventRef, ExprRef)| {
            self.is_factory_call(*value) && loop_around(*bound) == loop_around(call)
        };
        is_all && call.module == scope.module && !values.is_empty() && values.iter().all(is_fresh)
    }

    /// `self.connection = Connection(…)` in the same function, which then gives `self.connection`.
    fn is_bound_before(&self, given: ExprRef, call: EventRef) -> bool {
        let facts = self.facts(given.scope.module);
        let context = facts.event(call.id).context;
        call.module == given.scope.module
            && facts.scope_events(given.scope.id).take_while(|(id, _)| *id < call.id).any(|(_, event)| {
                match event.kind {
                    EventKind::Bind { target, value } => {
                        target == given.id
                            && facts.context_ids_around(context).any(|around| around == event.context)
                            && self.is_factory_call(given.scope.expr(value))
                    }
                    _ => false,
                }
            })
    }

    /// `Client(…)`, `await make_client(…)`, `self.factory()`: by what is called, or by its name.
    fn is_factory_call(&self, value: ExprRef) -> bool {
        let facts = self.facts(value.scope.module);
        let made = match self.expr(value) {
            Expr::Await(inner) => facts.expr(inner),
            made => made,
        };
        let Expr::Call(call) = made else { return false };
        let callee = facts.call(call).callee;
        let is_named =
            facts.called_name(facts.call(call)).is_some_and(|name| vocabulary::is_factory_name(name.as_str()));
        matches!(self.resolve(value.scope.expr(callee)), Definition::Class(_)) || is_named
    }

    /// Whose the object in an attribute of the listener is, by all that is stored there.
    fn whose_attribute(&self, class: ClassRef, attribute: Name, depth: u32) -> Option<Emitter> {
        let mut found = None;
        for store in self.instance_stores(class, attribute).iter().copied() {
            let EventKind::Bind { value, .. } = self.facts(store.module).event(store.id).kind else { continue };
            let value = self.event_scope(store).expr(value);
            if matches!(self.expr(value), Expr::Constant(_)) {
                continue;
            }
            found = Some(self.whose(value, depth)?);
        }
        found
    }
}
