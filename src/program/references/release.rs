//! Where a reference is given up again, and whether that ever happens.
//!
//! A cycle is harmless once something cuts it before the last outside reference goes: `self.child = None` in a
//! `close` that callers know. What only `__del__` would cut is cut too late, `__init__` cuts nothing, and a private
//! helper that nobody calls does not run.

use std::sync::PoisonError;

use rustc_hash::FxHashSet;

use super::Reference;
use crate::facts::{Constant, ContextKind, DisplayKind, EventKind, Expr, ExprId, NOTHING};
use crate::program::names::Definition;
use crate::program::operations::OperationKind;
use crate::program::{ClassRef, EventRef, ExprRef, FunctionRef, Operation, Place, Program, ScopeRef};
use crate::source::Name;

/// The most calls that are looked at for an argument of `None`.
const MOST_CALLERS: usize = 40;
/// How many callers up a helper is followed.
const DEPTH: u32 = 5;

impl Program<'_> {
    /// Whether something gives up what instances of a class hold in an attribute. Where the class is not known, what
    /// is done to attributes of that name on other unknown objects counts. `made` is what makes the reference.
    pub fn is_released(&self, class: Option<ClassRef>, reference: &Reference, made: EventRef) -> bool {
        let Some(via) = reference.via else { return false };
        self.is_released_by_others(class, via, reference.is_item)
            || self.is_released_at_once(class, via, reference.is_item, made)
            || self.is_released_by_name(via, made)
    }

    pub(in crate::program) fn is_released_by_others(&self, class: Option<ClassRef>, via: Name, is_item: bool) -> bool {
        let key = (class, via, is_item);
        let known = &self.references.released;
        if let Some(answer) = known.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *answer;
        }
        let answer = self.holding_places(class, via).into_iter().any(|place| {
            let mut operations = self.operations.on(place);
            operations
                .any(|operation| self.gives_up(operation, via, is_item) && self.runs_before_the_end(operation.event))
        });
        known.write().unwrap_or_else(PoisonError::into_inner).insert(key, answer);
        answer
    }

    /// Whether any class gives up what its instances hold in an attribute of this name.
    pub(in crate::program) fn is_released_in_any_class(&self, via: Name, is_item: bool) -> bool {
        self.operations.all().any(|operation| {
            matches!(operation.place, Place::Instance(_, name) if name == via)
                && self.gives_up(operation, via, is_item)
                && self.runs_before_the_end(operation.event)
        })
    }

    /// The function that makes the reference gives it up before it ends.
    fn is_released_at_once(&self, class: Option<ClassRef>, via: Name, is_item: bool, made: EventRef) -> bool {
        let function = self.event_function(made);
        // What follows in one function is little, and the places of a class with its subclasses may be many.
        let mut later = (self.operations.after(made).iter())
            .take_while(|operation| self.event_function(operation.event) == function)
            .filter(|operation| self.is_on_the_way(operation.event, made) && self.gives_up(operation, via, is_item))
            .peekable();
        later.peek().is_some() && {
            let places = self.holding_places(class, via);
            later.any(|operation| places.contains(&operation.place))
        }
    }

    /// What an attribute of a class's instances may be, as operations name it.
    fn holding_places(&self, class: Option<ClassRef>, via: Name) -> Vec<Place> {
        let mut places = vec![Place::Unresolved(via)];
        let all = Name::new("__dict__");
        for member in class.iter().chain(class.iter().flat_map(|class| self.subclasses(*class))) {
            for place in [self.instance_place(*member, via), self.instance_place(*member, all)] {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            places.extend(self.defaults_that_hold(*member, via));
        }
        places
    }

    /// Parameters of nested functions that have the attribute as their default: another name for what is in it.
    fn defaults_that_hold(&self, class: ClassRef, via: Name) -> Vec<Place> {
        let facts = self.facts(class.module);
        let body = self.class(class).span;
        let defaults = self.module(class.module).index.attribute_defaults.iter();
        let here = defaults
            .filter(|(attribute, function, _)| *attribute == via && body.contains(facts.function(*function).span));
        here.map(|(_, function, parameter)| {
            Place::Local(ScopeRef::new(class.module, facts.function(*function).scope), *parameter)
        })
        .collect()
    }

    /// `setattr(x, "name", before)` or `delattr(x, "name")`, in the module that makes the reference.
    fn is_released_by_name(&self, via: Name, made: EventRef) -> bool {
        let facts = self.facts(made.module);
        facts.calls.iter().any(|call| {
            let Expr::Name(callee) = facts.expr(call.callee) else { return false };
            let [_, name, ref rest @ ..] = *facts.arguments(call) else { return false };
            if facts.expr(name) != Expr::Constant(Constant::Word(via)) {
                return false;
            }
            let event = EventRef::new(made.module, call.event);
            let is_put_back = |value: ExprId| self.is_earlier_value(self.event_scope(event).expr(value), via);
            if self.is_later_here(event, made) && rest.first().is_some_and(|value| is_put_back(*value)) {
                return true;
            }
            let gives_up = match (callee.as_str(), rest) {
                ("delattr", []) => true,
                ("setattr", [value]) => {
                    let value = self.event_scope(event).expr(*value);
                    self.expr(value) == Expr::Constant(Constant::None) || is_put_back(value.id)
                }
                _ => false,
            };
            gives_up && self.runs_before_the_end(event)
        })
    }

    /// A local that has what the attribute held before: it is put back.
    fn is_earlier_value(&self, value: ExprRef, via: Name) -> bool {
        let Expr::Name(name) = self.expr(value) else { return false };
        let Some(holder) = self.holding_scope(value.scope, name) else { return false };
        self.bound_values(holder, name).0.iter().any(|(_, bound)| match self.expr(*bound) {
            Expr::Attribute(_, attribute) => attribute == via,
            Expr::Call(call) => {
                let call = self.facts(bound.scope.module).call(call);
                let is_getattr =
                    matches!(self.facts(bound.scope.module).expr(call.callee), Expr::Name(name) if name.as_str() == "getattr");
                let word = self.facts(bound.scope.module).arguments(call).get(1).copied().unwrap_or(NOTHING);
                is_getattr && self.expr(bound.scope.expr(word)) == Expr::Constant(Constant::Word(via))
            }
            _ => false,
        })
    }

    fn gives_up(&self, operation: &Operation, via: Name, is_item: bool) -> bool {
        let scope = self.event_scope(operation.event);
        match operation.kind {
            OperationKind::Rebind => {
                let value = scope.expr(operation.value);
                let gives_nothing = match self.expr(value) {
                    Expr::Nothing | Expr::Constant(Constant::None | Constant::False | Constant::Ellipsis) => true,
                    Expr::Display(kind, run) => is_item || (kind != DisplayKind::Tuple && run.len == 0),
                    // Another container than before, or another object altogether by a function of no arguments.
                    Expr::Call(_) | Expr::Comprehension(..) => {
                        is_item && !matches!(self.type_of(value), crate::program::types::Type::Instance(_))
                    }
                    Expr::Name(name) => {
                        self.may_be_given_none(operation.event, name) || self.is_earlier_value(value, via)
                    }
                    _ => false,
                };
                operation.value == NOTHING || gives_nothing
            }
            OperationKind::Pop | OperationKind::Remove | OperationKind::Delete | OperationKind::Clear => {
                operation.level == 0 || operation.kind == OperationKind::Clear
            }
            _ => false,
        }
    }

    /// A setter's parameter that some call leaves to its default of `None`, or gives `None`.
    fn may_be_given_none(&self, event: EventRef, name: Name) -> bool {
        let Some(function) = self.event_function(event) else { return false };
        if !self.is_parameter(self.function_scope(function), name) || self.function(function).name == self.words.init {
            return false;
        }
        self.callers(function).iter().take(MOST_CALLERS).any(|site| {
            let given = self.argument_for(*site, function, name);
            given.is_some_and(|given| matches!(self.expr(given), Expr::Constant(Constant::None)))
        })
    }

    /// Whether whoever comes from one event passes the other, unless he leaves the function before.
    fn is_on_the_way(&self, later: EventRef, earlier: EventRef) -> bool {
        let facts = self.facts(earlier.module);
        let mut end = facts.event(later.id).context;
        if matches!(facts.context(end).kind, ContextKind::Finally) {
            end = facts.context(end).parent;
        }
        let mut context = facts.event(earlier.id).context;
        while context != end && facts.context(context).parent != context {
            context = facts.context(context).parent;
        }
        context == end
    }

    fn is_later_here(&self, event: EventRef, made: EventRef) -> bool {
        event.module == made.module && event.id > made.id && self.event_function(event) == self.event_function(made)
    }

    /// Whether an event happens while the object is still in use.
    fn runs_before_the_end(&self, event: EventRef) -> bool {
        let Some(function) = self.event_function(event) else { return true };
        self.runs(function, DEPTH, &mut FxHashSet::default())
    }

    fn runs(&self, function: FunctionRef, depth: u32, visited: &mut FxHashSet<FunctionRef>) -> bool {
        let name = self.function(function).name;
        if matches!(name.as_str(), "__init__" | "__new__" | "__del__" | "__post_init__" | "__init_subclass__") {
            return false;
        }
        // A nested function was made to be called later, by whomever it is handed to.
        if self.enclosing_function(self.defining_scope(function)).is_some() {
            return true;
        }
        let is_special = name.as_str().starts_with("__") && name.as_str().ends_with("__");
        if is_special || (!name.as_str().starts_with('_') && is_release_name(name)) {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else { return true };
        if !visited.insert(function) {
            return false;
        }
        self.named_calls(function, name).any(|site| match self.event_function(site.event) {
            None => true,
            Some(caller) if caller == function => false,
            Some(caller) => {
                let name = self.function(caller).name.as_str();
                !name.starts_with('_') || self.runs(caller, depth, visited)
            }
        }) || !self.mentions(Definition::Function(function)).is_empty()
            || self.overrides_of_others(function)
    }

    /// A method that a base class outside of the project calls by its name.
    fn overrides_of_others(&self, function: FunctionRef) -> bool {
        let Some(class) = self.class_of_method(function) else { return false };
        !self.function(function).name.as_str().starts_with('_') && !self.external_bases(class).is_empty()
    }

    /// Whether a function does anything at all: one with nothing but its documentation or `...` does not.
    pub fn does_something(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        facts.scope_events(self.function(function).scope).any(|(_, event)| {
            !matches!(event.kind, EventKind::Return(value) if value == NOTHING)
                && !matches!(event.kind, EventKind::Import(_) | EventKind::Annotate { .. })
        })
    }
}

/// Any part of the name says that something ends.
fn is_release_name(name: Name) -> bool {
    const WORDS: &[&str] = &[
        "abort",
        "aclose",
        "cancel",
        "clean",
        "cleanup",
        "clear",
        "close",
        "delete",
        "destroy",
        "detach",
        "discard",
        "disconnect",
        "dispose",
        "done",
        "down",
        "end",
        "exit",
        "expire",
        "finalize",
        "finish",
        "flush",
        "free",
        "join",
        "kill",
        "leave",
        "logout",
        "lost",
        "off",
        "pop",
        "purge",
        "quit",
        "release",
        "remove",
        "reset",
        "shutdown",
        "stop",
        "teardown",
        "terminate",
        "unbind",
        "uninstall",
        "unlink",
        "unload",
        "unregister",
        "unset",
        "unsubscribe",
        "wait",
    ];
    snake_case(name.as_str()).split('_').any(|part| WORDS.contains(&part))
}

/// `stopListening` is `stop_listening`.
fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}
