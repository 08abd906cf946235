//! Exceptions that are stored in an object, and whether anything takes them out again.
//!
//! What a method catches has its own frame in the traceback, and that frame holds the receiver: an exception stored on
//! it closes the cycle. An exception handed over closes it as soon as a method of the same object raises it again, since
//! raising adds that method's frame.

use super::Thrown;
use crate::facts::{
    Constant, ContextId, ContextKind, Event, EventId, EventKind, Expr, ExprId, FileFacts, MODULE_SCOPE, NOTHING,
    ScopeKind,
};
use crate::program::operations::OperationKind;
use crate::program::types::Type;
use crate::program::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Place, Program};
use crate::source::Name;

/// The most calls that are looked at for one that hands over what it has caught.
const MOST_CALLERS: usize = 40;
/// So few calls of a method by its name alone are taken for calls of it.
const FEW_CALLERS: usize = 6;

#[derive(Clone, Debug)]
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
    /// The object is there to keep it for somebody: a future, a stand-in, or the cause of another exception.
    pub is_meant: bool,
    /// A caller catches it and hands it to the object that its frame holds.
    pub caught: Option<EventRef>,
    /// Where the same exception is stored as well.
    pub also: Option<EventRef>,
    /// The place as it is written.
    pub written: String,
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
                    let value = match OperationKind::of_method(method) {
                        // What is put into a queue is taken from it by somebody else.
                        Some(OperationKind::Append) if matches!(method.as_str(), "put" | "put_nowait") => None,
                        Some(OperationKind::Append | OperationKind::Add) => facts.arguments(call).last(),
                        Some(OperationKind::SetDefault) => facts.arguments(call).get(1),
                        _ => None,
                    };
                    value.and_then(|value| self.kept_exception(stored, base, *value, true))
                }
                _ => None,
            };
            let Some(kept) = kept else { continue };
            if found.iter().any(|known| known.place == kept.place) {
                continue;
            }
            // `self.error = error; self.trace = error.__traceback__` is one thing to mend.
            let twin = found.iter_mut().find(|known| {
                (known.function, known.holder, known.is_item, known.is_let_go)
                    == (kept.function, kept.holder, kept.is_item, kept.is_let_go)
                    && known.thrown == kept.thrown
            });
            match twin {
                Some(known) => known.also = known.also.or(Some(kept.stored)),
                None => found.push(kept),
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
        let place = self.place_of_instance(scope.expr(target), self.reach(scope.expr(target))?.place);
        let attribute = match place {
            Place::Instance(class, name) if !self.is_exception_class(class) => name,
            Place::Module(_, name) | Place::Class(_, name) | Place::Unresolved(name) => name,
            _ => return None,
        };
        let is_told_of_class = matches!(thrown, Thrown::Handed(name) if self.is_asked_as_class(function, name));
        if attribute.as_str().starts_with("__") || is_told_of_class || self.is_stripped_anywhere(function, thrown) {
            return None;
        }
        let is_weak = is_item && self.is_weak_container(place);
        if is_weak
            || self.is_import_slot(stored, place, thrown)
            || self.hands_on_to_namesake(function, attribute, target)
        {
            return None;
        }
        let holder = self.variable_below(scope.expr(target));
        if matches!(place, Place::Unresolved(_)) && self.thrown_holder(scope.expr(target), stored) {
            return None;
        }
        let class = match place {
            Place::Instance(class, _) => Some(class),
            _ => None,
        };
        let is_let_go = match place {
            Place::Instance(..) => {
                self.is_released_by_others(class, attribute, is_item)
                    || self.is_reset_by_property(class, attribute)
                    || self.is_taken_from_holder(function, target, attribute)
            }
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
            place,
            attribute,
            is_item,
            holder,
            handed_by: self.handed_by_own_method(function, thrown),
            raised,
            before: self.kept_before(stored, target),
            is_let_go,
            is_meant: class.is_some_and(|class| self.is_meant_to_keep(class, attribute))
                || self.function(function).name.as_str().contains("_test_"),
            caught: match thrown {
                Thrown::Handed(name) => class.and_then(|class| self.caught_by_caller(class, function, name)),
                _ => None,
            },
            also: None,
            written: self.written(scope.expr(target)),
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

    /// An attribute that a class has a default for is still each instance's own when it is stored in one.
    fn place_of_instance(&self, target: ExprRef, place: Place) -> Place {
        let Place::Class(class, name) = place else { return place };
        let Expr::Attribute(base, _) = self.expr(target) else { return place };
        match self.type_of(target.scope.expr(base)) {
            Type::Instance(_) => Place::Instance(class, name),
            _ => place,
        }
    }

    /// A parameter that is no exception but a class of exceptions: it is a key, or asked what a class is asked.
    fn is_asked_as_class(&self, function: FunctionRef, name: Name) -> bool {
        let facts = self.facts(function.module);
        let is_name = |id: ExprId| facts.expr(id) == Expr::Name(name);
        facts.scope_events(self.function(function).scope).any(|(_, event)| match event.kind {
            EventKind::Bind { target, .. } => matches!(facts.expr(target), Expr::Subscript(_, key) if is_name(key)),
            EventKind::Read(read) => matches!(facts.expr(read), Expr::Subscript(_, key) if is_name(key)),
            EventKind::Call(call) => {
                let call = facts.call(call);
                is_name(call.callee)
                    || matches!(facts.expr(call.callee), Expr::Name(callee) if callee.as_str() == "issubclass")
                        && facts.arguments(call).first().is_some_and(|first| is_name(*first))
            }
            _ => false,
        })
    }

    /// `except ImportError as error: _failure = error` behind nothing but imports: frames without work in them.
    fn is_import_slot(&self, stored: EventRef, place: Place, thrown: Thrown) -> bool {
        let Thrown::Caught(_) = thrown else { return false };
        if !matches!(place, Place::Module(..)) {
            return false;
        }
        let facts = self.facts(stored.module);
        let handler = facts
            .contexts_around(facts.event(stored.id).context)
            .find(|context| matches!(context.kind, ContextKind::Except(_)));
        let Some(group) = handler.map(|context| context.group) else { return false };
        let scope = facts.scope_of(facts.event(stored.id));
        let mut inside = facts.scope_events(scope).filter(|(_, event)| {
            facts
                .contexts_around(event.context)
                .any(|context| context.group == group && matches!(context.kind, ContextKind::Try))
        });
        let imports = |event: &Event| match event.kind {
            EventKind::Import(_) => true,
            EventKind::Bind { value, .. } => {
                matches!(facts.expr(value), Expr::Name(_) | Expr::Attribute(..) | Expr::Constant(_))
            }
            EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Name(name) | Expr::Attribute(_, name) => {
                    matches!(name.as_str(), "import_module" | "__import__" | "import_string")
                }
                _ => false,
            },
            EventKind::Return(value) => value == NOTHING,
            _ => false,
        };
        inside.all(|(_, event)| imports(event))
    }

    /// `self._service.reason = reason` in the setter `reason`: the other object's own setter is the place.
    fn hands_on_to_namesake(&self, function: FunctionRef, attribute: Name, target: ExprId) -> bool {
        let facts = self.facts(function.module);
        let is_own = matches!(facts.expr(target), Expr::Attribute(base, _)
            if self.receiver(function).is_some_and(|receiver| facts.expr(base) == Expr::Name(receiver.name)));
        !is_own && self.function(function).name == attribute && self.is_setter(function)
    }

    fn is_setter(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let decorators = facts.list(self.function(function).decorators);
        decorators
            .iter()
            .any(|decorator| matches!(facts.expr(*decorator), Expr::Attribute(_, word) if word.as_str() == "setter"))
    }

    /// The setter of a property stores it as well, and `None` is assigned to the property somewhere.
    fn is_reset_by_property(&self, class: Option<ClassRef>, attribute: Name) -> bool {
        let Some(class) = class else { return false };
        let mut methods = self.mro(class).iter().flat_map(|member| self.own_methods(*member));
        methods.any(|setter| {
            let facts = self.facts(setter.module);
            let stores = || {
                facts.scope_events(self.function(setter).scope).any(|(_, event)| match event.kind {
                    EventKind::Bind { target, .. } => {
                        matches!(facts.expr(target), Expr::Attribute(_, name) if name == attribute)
                    }
                    _ => false,
                })
            };
            let property = self.function(setter).name;
            let is_reset = || {
                self.is_released_by_others(Some(class), property, false)
                    || self.is_released_in_any_class(property, false)
            };
            self.is_setter(setter) && stores() && is_reset()
        })
    }

    /// A local object that keeps it, taken out of its own table in the same function's `finally`.
    fn is_taken_from_holder(&self, function: FunctionRef, target: ExprId, attribute: Name) -> bool {
        let facts = self.facts(function.module);
        let is_target =
            |id: ExprId| id == target || matches!(facts.expr(id), Expr::Attribute(_, name) if name == attribute);
        facts.scope_events(self.function(function).scope).any(|(_, event)| match event.kind {
            EventKind::Delete { target } => is_target(target),
            EventKind::Bind { target, value } => {
                is_target(target)
                    && facts.expr(value) == Expr::Constant(Constant::None)
                    && facts.contexts_around(event.context).any(|context| matches!(context.kind, ContextKind::Finally))
            }
            _ => false,
        })
    }

    /// Futures, and objects whose stored exception becomes the cause of others: who waits for them wants it.
    fn is_meant_to_keep(&self, class: ClassRef, attribute: Name) -> bool {
        const WAITED_FOR: [&str; 12] = [
            "done",
            "is_done",
            "set_exception",
            "set_error",
            "set_result",
            "fail",
            "reject",
            "add_done_callback",
            "exception",
            "__await__",
            "wait",
            "join",
        ];
        if self.stands_in(class) {
            return true;
        }
        let family: Vec<ClassRef> = self.mro(class).to_vec();
        let is_future = WAITED_FOR.iter().any(|name| self.method(class, Name::new(name)).is_some());
        is_future
            || family.iter().flat_map(|member| self.own_methods(*member)).any(|method| {
                let facts = self.facts(method.module);
                let is_attribute = |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) if name == attribute);
                facts.scope_events(self.function(method).scope).any(|(_, event)| match event.kind {
                    EventKind::Raise { cause, .. } => is_attribute(cause),
                    EventKind::Bind { target, value } => {
                        is_attribute(value)
                            && matches!(facts.expr(target), Expr::Attribute(_, name) if name.as_str() == "__cause__")
                    }
                    _ => false,
                })
            })
    }

    /// A caller that catches the exception and hands it to an object which it has made itself, or while it has something
    /// costly in its hands: its frame has both.
    fn caught_by_caller(&self, class: ClassRef, function: FunctionRef, parameter: Name) -> Option<EventRef> {
        let callers = self.callers(function);
        let outside_tests = callers.iter().filter(|site| !self.is_test(site.module)).take(MOST_CALLERS);
        outside_tests.filter(|site| site.is_certain || callers.len() <= FEW_CALLERS).find_map(|site| {
            let given = self.argument_for(*site, function, parameter)?;
            let is_caught = match self.thrown(given, site.event) {
                Some(thrown) => thrown.passed_here(),
                None => matches!(self.expr(given), Expr::Name(_)) && self.handles_an_exception(site.event),
            };
            (is_caught && (self.is_made_beside(site.event, class) || self.cost_of_frame(site.event).is_some()))
                .then_some(site.event)
        })
    }

    /// The object that a method is called on is made in the same function.
    fn is_made_beside(&self, called: EventRef, class: ClassRef) -> bool {
        let facts = self.facts(called.module);
        let EventKind::Call(call) = facts.event(called.id).kind else { return false };
        let Expr::Attribute(base, _) = facts.expr(facts.call(call).callee) else { return false };
        let Expr::Name(name) = facts.expr(base) else { return false };
        let scope = self.event_scope(called);
        let Some(holder) = self.holding_scope(scope, name) else { return false };
        self.bound_values(holder, name)
            .0
            .iter()
            .any(|(_, value)| self.instantiated_class(*value).is_some_and(|made| self.mro(made).contains(&class)))
    }

    /// What a target looks like in the source.
    fn written(&self, target: ExprRef) -> String {
        match self.expr(target) {
            Expr::Name(name) => name.to_string(),
            Expr::Attribute(base, name) => format!("{}.{name}", self.written(target.scope.expr(base))),
            Expr::Subscript(base, _) => format!("{}[…]", self.written(target.scope.expr(base))),
            _ => "…".to_owned(),
        }
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
                    Expr::Name(name) if !is_in_other_branch(facts, event.context, facts.event(stored.id).context) => {
                        Some((name, EventRef::new(stored.module, id)))
                    }
                    _ => None,
                },
                _ => None,
            },
        )
    }

    /// A function's `global` name.
    fn is_global(&self, event: EventRef, name: Name) -> bool {
        let scope = self.event_scope(event);
        let here = self.facts(scope.module).scope(scope.id);
        // Most scopes hold all that is bound in them.
        (here.globals.len > 0 || here.kind == ScopeKind::Comprehension)
            && scope.id != MODULE_SCOPE
            && self.holding_scope(scope, name).is_some_and(|holder| holder.id == MODULE_SCOPE)
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

/// Whether one of two places stands in the `if` and the other in its `else`.
fn is_in_other_branch(facts: &FileFacts, one: ContextId, other: ContextId) -> bool {
    facts.contexts_around(one).any(|here| {
        facts.contexts_around(other).any(|there| {
            here.group == there.group
                && matches!(
                    (here.kind, there.kind),
                    (ContextKind::If(_), ContextKind::Else(_)) | (ContextKind::Else(_), ContextKind::If(_))
                )
        })
    })
}
