//! Containers that are local to a function, and kept by handlers that it defines and registers.
//!
//! `def create_app(): seen = {}` with `@app.route("/")` on a nested function that fills `seen`: the application has the
//! handler, and the handler has the dict, for as long as it serves. The function around is done with it when it returns;
//! if it reads the container itself, that is its own affair.

use super::{FunctionRef, Holder, Operation, Place, Program, ScopeRef};
use crate::facts::{EventKind, Expr};
use crate::finding::Label;
use crate::program::repetition::{Frequency, Repetition};
use crate::program::{ModuleId, vocabulary};
use crate::source::Name;

impl Program<'_> {
    /// The local containers of a module's functions that handlers keep, in source order.
    pub(in crate::program) fn captured_places(&self, module: ModuleId) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for operation in self.operations.in_module(module).filter(|operation| operation.kind.is_growth()) {
            if let Place::Local(scope, name) = operation.place
                && !self.is_parameter(scope, name)
                && !places.contains(&operation.place)
                && self.handler_that_fills(operation).is_some()
                && self.is_left_to_handlers(scope, name)
            {
                places.push(operation.place);
            }
        }
        places
    }

    /// The container of a local variable that is bound once.
    pub(in crate::program) fn captured_holder(&self, scope: ScopeRef, name: Name) -> Option<Holder> {
        let (values, is_all) = self.bound_values(scope, name);
        match *values {
            [(binding, value)] if is_all => Some(Holder { container: self.container_made_by(value)?, binding }),
            _ => None,
        }
    }

    /// How often a handler fills a local container of the function around it.
    pub(super) fn repetition_by_handler(&self, operation: &Operation) -> Option<Repetition> {
        let handler = self.handler_that_fills(operation)?;
        let location = self.location(handler.module, self.function(handler).name_span);
        let message = format!("`{}` is registered to be called again and again", self.function_name(handler));
        Some(Repetition { reasons: vec![Label { location, message }], ..Repetition::plain(Frequency::Presumed) })
    }

    /// The nested function that is registered by its decorator and fills the container, or calls one that does.
    fn handler_that_fills(&self, operation: &Operation) -> Option<FunctionRef> {
        let function = self.event_function(operation.event)?;
        if self.is_registered_here(function) {
            return Some(function);
        }
        let callers = self.callers(function);
        let mut callers =
            callers.iter().filter(|site| site.is_certain).filter_map(|site| self.event_function(site.event));
        callers.find(|caller| self.is_registered_here(*caller))
    }

    /// `@server.tool()`, `@bot.event`: a decorator that is a method of some object, named like what registers handlers.
    fn is_registered_here(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let is_nested = self.enclosing_function(self.defining_scope(function)).is_some();
        is_nested
            && facts.list(self.function(function).decorators).iter().any(|decorator| {
                let callee = match facts.expr(*decorator) {
                    Expr::Call(call) => facts.call(call).callee,
                    _ => *decorator,
                };
                matches!(facts.expr(callee), Expr::Attribute(base, verb)
                    if matches!(facts.expr(base), Expr::Name(_) | Expr::Attribute(..))
                        && vocabulary::is_handler_decorator(verb.as_str()))
            })
    }

    /// Whether the function around only makes the container, and is not run anew for each thing that is handled.
    fn is_left_to_handlers(&self, scope: ScopeRef, name: Name) -> bool {
        let Some(around) = self.enclosing_function(scope).filter(|_| !self.is_test(scope.module)) else { return false };
        let facts = self.facts(scope.module);
        let is_used = facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if facts.expr(target) == Expr::Name(name) => facts.mentions(value, name),
            _ => facts.is_mentioned_in(event, name),
        });
        !is_used
            && self.function_frequency(around) < Frequency::Repeated
            && !self.callers(around).iter().any(|site| self.is_in_loop(site.event))
    }
}
