//! Tasks that a function makes of a method of another object and stores on that object: `worker.task =
//! create_task(worker.run())`.
//!
//! The object's own methods know nothing of the task, so what speaks of the attribute anywhere in the project counts as
//! what may end it.

use super::super::running_work::calls_of_asyncio;
use super::super::types::Type;
use super::super::{ClassRef, EventRef, ExprRef, FunctionRef, Module, ModuleId, Program, vocabulary};
use super::owners::{Kept, UnreleasedAttribute};
use super::{Acquisition, Given, Source};
use crate::facts::{CallId, Constant, ContextId, ContextKind, EventKind, Expr, ExprId, Operator};
use crate::source::Name;

/// A task of an object that is not the receiver of the method that makes it.
struct TaskOfAnother {
    acquisition: Acquisition,
    /// The object that has the coroutine and keeps the task.
    owner: ExprRef,
    class: ClassRef,
    work: FunctionRef,
    attribute: Name,
    stored: EventRef,
}

impl Program<'_> {
    /// The attributes of other objects in which functions of a module store endless tasks that nobody ends.
    pub(super) fn abandoned_tasks_of_others(&self, module: ModuleId) -> Vec<UnreleasedAttribute> {
        let calls = calls_of_asyncio(self.module(module));
        let tasks = calls.filter_map(|(id, _)| self.task_of_another(module, id));
        tasks.filter_map(|task| self.if_never_ended(task)).collect()
    }

    fn task_of_another(&self, module: ModuleId, id: CallId) -> Option<TaskOfAnother> {
        let facts = self.facts(module);
        let call = facts.call(id);
        let Expr::Call(coroutine) = facts.expr(*facts.arguments(call).first()?) else { return None };
        let Expr::Attribute(owner, method) = facts.expr(facts.call(coroutine).callee) else { return None };
        let event = EventRef::new(module, call.event);
        let scope = self.event_scope(event);
        let function = self.event_function(event).filter(|function| self.function_scope(*function) == scope)?;
        if self.is_receiver(scope, owner) {
            return None;
        }
        let (stored, attribute) = facts.scope_events(scope.id).find_map(|(stored, event)| {
            let EventKind::Bind { target, value } = event.kind else { return None };
            let Expr::Attribute(base, attribute) = facts.expr(target) else { return None };
            (base == owner && value == call.expr).then_some((EventRef::new(module, stored), attribute))
        })?;
        let owner = scope.expr(owner);
        let Type::Instance(class) = self.type_of(owner) else { return None };
        let work = self.method(class, method).filter(|_| self.makes_tasks(scope, call.callee))?;
        let acquisition =
            Acquisition { call: id, event, function, source: Source::Task, through: None, given: Given::Whole };
        Some(TaskOfAnother { acquisition, owner, class, work, attribute, stored })
    }

    fn if_never_ended(&self, task: TaskOfAnother) -> Option<UnreleasedAttribute> {
        let TaskOfAnother { acquisition, owner, class, work, attribute, stored } = task;
        let rounds = self.rounds_for_ever(work)?;
        let ends = self.end_of_owner(owner, class)?;
        if !self.ends_of_givers_only(work, rounds, ends) || self.is_spoken_of(attribute) {
            return None;
        }
        let has_foreign_base = self.has_foreign_base(class);
        Some(UnreleasedAttribute {
            class,
            attribute,
            acquisition,
            stored,
            ends: Some(ends),
            has_foreign_base,
            how: Kept::Always,
        })
    }

    /// The method that ends an object, or the object in whose attribute it is.
    fn end_of_owner(&self, owner: ExprRef, class: ClassRef) -> Option<FunctionRef> {
        let of_holder = || {
            let Expr::Attribute(holder, _) = self.expr(owner) else { return None };
            let Type::Instance(holder) = self.type_of(owner.scope.expr(holder)) else { return None };
            let unsubscribes = || self.method(holder, Name::new("unsubscribe"));
            self.ending_method(holder).or_else(unsubscribes)
        };
        self.ending_method(class).or_else(of_holder)
    }

    /// Whether a loop is left only where it is cancelled, or where what was given to its object ends, which that object's
    /// end does not bring about.
    fn ends_of_givers_only(&self, work: FunctionRef, rounds: ContextId, ends: FunctionRef) -> bool {
        let facts = self.facts(work.module);
        let Some(class) = self.class_of_method(work) else { return false };
        let Some(receiver) = self.receiver(work) else { return false };
        self.ways_out(work, rounds).all(|way| {
            let ContextKind::If(test) = facts.context(way).kind else { return false };
            let asked = match facts.expr(test) {
                Expr::Call(call) => facts.call(call).callee,
                _ => test,
            };
            let Expr::Attribute(given, flag) = facts.expr(asked) else { return false };
            let Expr::Attribute(base, given) = facts.expr(given) else { return false };
            facts.expr(base) == Expr::Name(receiver.name)
                && vocabulary::is_end_flag_name(flag.as_str())
                && self.is_given_to(class, given)
                && !self.ends_attribute(ends, given)
        })
    }

    /// Whether every value of an attribute was given to the object.
    fn is_given_to(&self, class: ClassRef, attribute: Name) -> bool {
        let stores = self.instance_stores(class, attribute);
        !stores.is_empty()
            && stores.iter().all(|store| {
                let value = self.stored_value(*store);
                value.is_some_and(|value| {
                    matches!(self.expr(value), Expr::Name(name)
                        if self.enclosing_function(value.scope).is_some_and(|method| self.has_parameter(method, name)))
                })
            })
    }

    fn has_parameter(&self, function: FunctionRef, name: Name) -> bool {
        let facts = self.facts(function.module);
        facts.parameters(self.function(function)).iter().any(|parameter| parameter.name == name)
    }

    /// Whether a method ends what an attribute of this name holds: `self._connection.close()`.
    fn ends_attribute(&self, method: FunctionRef, attribute: Name) -> bool {
        let facts = self.facts(method.module);
        facts.scope_events(self.function(method).scope).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            matches!(facts.expr(facts.call(call).callee), Expr::Attribute(held, name)
                if vocabulary::is_ending_name(name.as_str())
                    && matches!(facts.expr(held), Expr::Attribute(_, held) if held == attribute))
        })
    }

    /// Whether anything in the project does more with attributes of this name than to store and compare them.
    fn is_spoken_of(&self, attribute: Name) -> bool {
        self.module_ids()
            .any(|module| self.module(module).may_name(attribute) && speaks_of(self.module(module), attribute))
    }
}

/// Whether a file reads an attribute, or names it as a text: `getattr(worker, "task")`.
fn speaks_of(module: &Module, attribute: Name) -> bool {
    let facts = module.facts();
    let is_it = |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) if name == attribute);
    let in_expressions = facts.exprs.iter().any(|expr| match *expr {
        Expr::Constant(Constant::Word(word)) => word == attribute,
        Expr::Binary(Operator::Is | Operator::IsNot, ..) => false,
        expr => facts.operands(expr).any(is_it),
    });
    let in_calls = || facts.calls.iter().any(|call| is_it(call.callee) || facts.all_arguments(call).any(is_it));
    let in_events = || {
        facts.events.iter().any(|event| match event.kind {
            EventKind::Bind { value, .. } => is_it(value),
            EventKind::Annotate { .. } => false,
            kind => kind.operands().into_iter().any(is_it),
        })
    };
    in_expressions || in_calls() || in_events()
}
