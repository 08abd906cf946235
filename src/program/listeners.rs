//! Listeners: callables that an object hands to one that lives longer, and that are not taken back.
//!
//! What keeps listeners is known by what it does: a function of the project that puts a parameter which is to be called
//! into a place that outlives it, and another one that takes it out again. Who registers a method of its own and never
//! calls the other stays for as long as the emitter does. Places that nothing can take anything out of are left to the
//! rules on growth, for there it is the emitter that is at fault.

pub mod added;
mod emitters;
mod futures;

use rayon::prelude::*;

use super::calls::CallSite;
use super::names::Definition;
use super::registries::Cause;
use super::repetition::{Frequency, Repetition};
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Operation, OperationKind, Place, Program, vocabulary};
use crate::facts::{CallId, ClassId, EventKind, Expr, ExprId};
use crate::finding::Label;
use crate::models::Holds;
use crate::source::Name;

pub use emitters::Emitter;
pub use futures::LastingCallback;

/// A function that keeps a callable it is given, to call it back later.
#[derive(Clone, Copy, Debug)]
struct Keeper {
    function: FunctionRef,
    parameter: Name,
    /// Where it goes.
    operation: Operation,
}

/// A listener that stays with its emitter.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The call that registers it.
    pub event: EventRef,
    pub cause: Cause,
    pub emitter: Emitter,
    /// Where the emitter keeps it.
    pub place: Place,
    pub kept_at: EventRef,
    /// What would take it out.
    pub removal: FunctionRef,
    /// The method that ends the listener's life and does not call it.
    pub ending: Option<FunctionRef>,
    /// Where the call that registers a closure waits for what the closure tells it, and is over then.
    pub waits: Option<EventRef>,
    pub repetition: Repetition,
}

/// The registrations of listeners, by module.
#[derive(Default)]
pub struct Listeners {
    by_module: Vec<Vec<(CallSite, Keeper)>>,
}

impl Listeners {
    pub(super) fn of(program: &Program) -> Listeners {
        let keepers: Vec<Keeper> = (program.par_modules())
            .flat_map_iter(|module| program.operations.in_module(module))
            .filter_map(|operation| program.keeper(*operation))
            .collect();
        let sites: Vec<(CallSite, Keeper)> = keepers
            .into_par_iter()
            .flat_map_iter(|keeper| {
                let sites = program.callers(keeper.function);
                let certain: Vec<CallSite> = sites.iter().filter(|site| site.is_certain).copied().collect();
                certain.into_iter().map(move |site| (site, keeper))
            })
            .collect();
        let mut by_module: Vec<Vec<(CallSite, Keeper)>> = program.module_ids().map(|_| Vec::new()).collect();
        for (site, keeper) in sites {
            by_module[site.module.0 as usize].push((site, keeper));
        }
        by_module.iter_mut().for_each(|sites| sites.sort_by_key(|(site, _)| site.event));
        Listeners { by_module }
    }
}

impl Program<'_> {
    /// The listeners that a module registers and never takes out, in source order.
    pub fn listeners(&self, module: ModuleId) -> Vec<Listener> {
        let mut found: Vec<Listener> = Vec::new();
        for (site, keeper) in &self.listeners.by_module[module.0 as usize] {
            let Some(listener) = self.listener(*site, *keeper) else { continue };
            // An object that registers several methods is one that stays.
            let is_new = !found.iter().any(|known| {
                known.event == listener.event
                    || known.cause == listener.cause
                        && known.removal == listener.removal
                        && self.event_function(known.event) == self.event_function(listener.event)
            });
            if is_new {
                found.push(listener);
            }
        }
        found
    }

    /// `self._listeners.append(callback)` in a function that is given the callback.
    fn keeper(&self, operation: Operation) -> Option<Keeper> {
        if !matches!(operation.kind, OperationKind::Append | OperationKind::Add) || operation.level > 1 {
            return None;
        }
        if !self.outlives_calls(operation.place) {
            return None;
        }
        let function = self.event_function(operation.event)?;
        let facts = self.facts(operation.event.module);
        let parameter = self.parts_of(facts, operation.value).into_iter().find_map(|part| match facts.expr(part) {
            Expr::Name(name) if self.is_parameter(self.function_scope(function), name) => Some(name),
            _ => None,
        })?;
        let is_receiver = self.receiver(function).is_some_and(|receiver| receiver.name == parameter);
        let is_called = vocabulary::is_listener_name(parameter.as_str())
            || self.place_word(operation.place).is_some_and(|name| vocabulary::is_listener_place(name.as_str()));
        let is_weak = self
            .holder(operation.place)
            .is_some_and(|holder| holder.container.holds != Holds::Strong || holder.container.is_bounded);
        (is_called && !is_receiver && !is_weak).then_some(Keeper { function, parameter, operation })
    }

    /// The item itself, or those of a tuple.
    fn parts_of(&self, facts: &crate::facts::FileFacts, value: ExprId) -> Vec<ExprId> {
        match facts.expr(value) {
            Expr::Display(_, run) => facts.list(run).to_vec(),
            _ => vec![value],
        }
    }

    fn place_word(&self, place: Place) -> Option<Name> {
        match place {
            Place::Module(_, name) | Place::Class(_, name) | Place::Instance(_, name) => Some(name),
            _ => None,
        }
    }

    fn listener(&self, site: CallSite, keeper: Keeper) -> Option<Listener> {
        let place = keeper.operation.place;
        let callable = self.argument_for(site, keeper.function, keeper.parameter)?;
        let cause = self.cause_of_listener(callable)?;
        // What belongs to a call is over with it, and the caller's own emitter is not.
        let caller = matches!(cause, Cause::Fresh).then(|| self.caller_with_emitter(site)).flatten();
        let emitter = match caller {
            Some(_) => Emitter::Given,
            None => self.emitter(site, place)?,
        };
        let around = self.event_function(site.event)?;
        let method = self.outermost_function(around);
        let ending = match cause {
            Cause::Instance(class) => {
                // What registers with its own kind, and what there is one of, stays as long anyway.
                let is_own = matches!(place, Place::Instance(owner, _) if self.mro(class).contains(&owner) || self.mro(owner).contains(&class));
                if is_own || self.is_made_by(class, place) || self.is_kept_by_emitter(site, class) {
                    return None;
                }
                self.ending_method(class)
            }
            _ => None,
        };
        let removal = self.removal_of(keeper.operation)?;
        if self.calls_removal(site, removal, cause) || self.is_result_kept(site, keeper.function) {
            return None;
        }
        let mut repetition = match caller {
            Some(class) => self.repetition_in_life(site.event, class),
            None => self.repetition(site.event),
        };
        if let Cause::Instance(class) = cause {
            let made = self.instance_frequency(class);
            let begins = vocabulary::is_beginning_name(self.function(method).name.as_str());
            repetition.frequency = match begins {
                true => made,
                false => repetition.frequency.min(made),
            };
        }
        if repetition.frequency < Frequency::Presumed || self.is_guarded_for_process(site.event) {
            return None;
        }
        let kept_at = keeper.operation.event;
        let waits = matches!(cause, Cause::Fresh).then(|| self.wait_for_closure(site, callable)).flatten();
        Some(Listener { event: site.event, cause, emitter, place, kept_at, removal, ending, waits, repetition })
    }

    /// The class of the object that registers something with an emitter in an attribute of its own: `self.channel.on_close(…)`.
    fn caller_with_emitter(&self, site: CallSite) -> Option<ClassRef> {
        let facts = self.facts(site.module);
        let Expr::Attribute(emitter, _) = facts.expr(facts.call(site.call).callee) else { return None };
        let Expr::Attribute(base, _) = facts.expr(emitter) else { return None };
        let Expr::Name(base) = facts.expr(base) else { return None };
        let receiver = self.receiver_named(self.event_scope(site.event), base)?;
        (!receiver.is_class).then_some(receiver.class)
    }

    /// `done.wait()` or `await done` behind a registration of `lambda: done.set()`.
    fn wait_for_closure(&self, site: CallSite, callable: ExprRef) -> Option<EventRef> {
        let facts = self.facts(site.module);
        let scope = self.event_scope(site.event);
        let closure = match self.expr(callable) {
            Expr::Lambda(function) => FunctionRef::new(callable.scope.module, function),
            Expr::Name(name) => match self.resolve_name(callable.scope, name) {
                Definition::Function(function) => function,
                _ => return None,
            },
            _ => return None,
        };
        let captures = self.captures(closure);
        let is_told = |expr: ExprId| matches!(facts.expr(expr), Expr::Name(name) if captures.contains(&(scope, name)));
        let is_method_of_told = |call: CallId, methods: &[&str]| {
            matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
                if is_told(base) && (methods.is_empty() || methods.contains(&method.as_str())))
        };
        let waits = |kind: EventKind| match kind {
            EventKind::Await(awaited) => {
                is_told(awaited)
                    || match facts.expr(awaited) {
                        Expr::Call(call) => {
                            is_method_of_told(call, &[]) || facts.all_arguments(facts.call(call)).any(is_told)
                        }
                        _ => false,
                    }
            }
            EventKind::Call(call) => is_method_of_told(call, &["wait", "result", "get", "join"]),
            _ => false,
        };
        facts
            .scope_events(scope.id)
            .find(|(id, event)| *id > site.event.id && waits(event.kind))
            .map(|(id, _)| EventRef::new(site.module, id))
    }

    /// What the callable belongs to: an instance, or the call that makes it.
    fn cause_of_listener(&self, callable: ExprRef) -> Option<Cause> {
        if let Expr::Name(name) = self.expr(callable)
            && let Some(receiver) = self.receiver_named(callable.scope, name)
        {
            return (!receiver.is_class).then_some(Cause::Instance(receiver.class));
        }
        self.cause_of_callable(callable, 3)
    }

    /// Whether the emitter itself makes the listeners: they are parts of it.
    fn is_made_by(&self, class: super::ClassRef, place: Place) -> bool {
        let (Place::Instance(owner, _) | Place::Class(owner, _)) = place else { return false };
        let family: Vec<(ModuleId, ClassId)> =
            self.mro(owner).iter().chain(self.subclasses(owner)).map(|class| (class.module, class.id)).collect();
        self.instantiations(class).iter().any(|site| {
            self.event_function(site.event)
                .map(|function| self.outermost_function(function))
                .and_then(|method| self.class_of_method(method))
                .is_some_and(|maker| family.contains(&(maker.module, maker.id)))
        })
    }

    /// The function that takes one listener out of the place again; `None` where there is none, or where the emitter
    /// itself lets all of them go while it lives.
    fn removal_of(&self, kept: Operation) -> Option<FunctionRef> {
        let mut removal = None;
        for operation in self.operations.on(kept.place).filter(|operation| operation.kind.is_shrink()) {
            let Some(function) = self.event_function(operation.event) else { continue };
            let method = self.outermost_function(function);
            let name = self.function(method).name;
            if name == self.words.init || vocabulary::is_ending_name(name.as_str()) {
                continue;
            }
            if self.takes_out_parameter(operation, function) {
                removal = removal.or(Some(function));
            } else {
                return None;
            }
        }
        removal
    }

    /// `self._listeners.remove(callback)` with a callback that the function is given.
    fn takes_out_parameter(&self, operation: &Operation, function: FunctionRef) -> bool {
        if !matches!(operation.kind, OperationKind::Remove | OperationKind::Pop | OperationKind::Delete) {
            return false;
        }
        let facts = self.facts(operation.event.module);
        self.parts_of(facts, operation.key).into_iter().any(
            |part| matches!(facts.expr(part), Expr::Name(name) if self.is_parameter(self.function_scope(function), name)),
        )
    }

    /// Whether the listener's family, or the module that registers it, calls what takes it out.
    fn calls_removal(&self, site: CallSite, removal: FunctionRef, cause: Cause) -> bool {
        let mut modules = vec![site.module];
        if let Cause::Instance(class) = cause {
            modules.extend(self.mro(class).iter().chain(self.subclasses(class)).map(|class| class.module));
        }
        let is_own = |event: EventRef| self.event_function(event) == Some(removal);
        let is_called =
            (self.callers(removal).iter()).any(|caller| modules.contains(&caller.module) && !is_own(caller.event));
        let name = self.function(removal).name;
        let facts_name = |module: &ModuleId| self.module(*module).may_name(name);
        let is_mentioned =
            self.mentions(Definition::Function(removal)).iter().any(|mention| modules.contains(&mention.event.module));
        // A call on an object of unknown type, under the same name.
        is_called
            || is_mentioned
            || modules.iter().any(|module| facts_name(module) && self.calls_named_elsewhere(*module, name))
    }

    fn calls_named_elsewhere(&self, module: ModuleId, name: Name) -> bool {
        let facts = self.facts(module);
        facts.calls.iter().any(|call| matches!(facts.expr(call.callee), Expr::Attribute(_, method) if method == name))
    }

    /// What registers gives something back, and the caller keeps it: it is by that that the listener is taken out.
    fn is_result_kept(&self, site: CallSite, function: FunctionRef) -> bool {
        let facts = self.facts(site.module);
        let gives = self
            .facts(function.module)
            .scope_events(self.function(function).scope)
            .any(|(_, event)| matches!(event.kind, EventKind::Return(value) if value != crate::facts::NOTHING));
        let result = facts.id_of(Expr::Call(site.call));
        gives && result.is_some_and(|result| self.module(site.module).is_part_of_something(result))
    }

    /// The lines of the argument, in reading order.
    pub fn listener_labels(&self, listener: &Listener) -> Vec<Label> {
        let place = self.place_name(listener.place);
        let mut labels =
            vec![Label { location: self.event_location(listener.kept_at), message: format!("kept in `{place}`") }];
        labels.extend(listener.repetition.reasons.iter().take(2).cloned());
        labels.extend(listener.waits.map(|wait| Label {
            location: self.event_location(wait),
            message: "what is registered is of no use behind this".to_owned(),
        }));
        let removal = self.function(listener.removal);
        labels.push(Label {
            location: self.location(listener.removal.module, removal.name_span),
            message: format!("`{}` would take it out", self.function_name(listener.removal)),
        });
        labels.extend(listener.ending.map(|ending| Label {
            location: self.location(ending.module, self.function(ending).name_span),
            message: format!("`{}` ends it and does not call `{}`", self.function_name(ending), removal.name),
        }));
        labels
    }
}
