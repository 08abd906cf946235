//! Exceptions, tracebacks and frames as values: which expression gives one, and whose frames it holds.
//!
//! An exception holds its traceback, that holds the frame of every function it passed through, and a frame holds the
//! function's variables. So to keep an exception is to keep all that those functions had in their hands, and to keep it
//! in one of these very variables, or in an object that one of them leads to, is a cycle.

pub mod kept;
pub mod locals;
pub mod shared;
pub mod yields;

use std::sync::LazyLock;

use super::names::Definition;
use super::types::Type;
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{Call, Constant, ContextKind, EventKind, Expr, ExprId, NOTHING, ScopeId, ScopeKind};
use crate::source::Name;

/// How far a value is followed through names and wrappers.
const DEPTH: u32 = 4;

/// The most bindings of a variable that are looked at, the last ones before its use.
const MOST_BINDINGS: usize = 4;

/// What a value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thrown {
    /// An exception, or its traceback, that a handler of this function caught: it has passed through the function.
    Caught(EventRef),
    /// What `sys.exc_info()` gives while this function handles an exception or is left by one.
    Current(EventRef),
    /// A frame, of this function or with it among the frames below.
    Frame(EventRef),
    /// An exception that another function has caught and handed over.
    Handed(Name),
    /// What a task or future ended with.
    Outcome(EventRef),
}

impl Thrown {
    /// Whether the frame of the function that has the value in its hands is among those that are kept.
    pub fn passed_here(self) -> bool {
        matches!(self, Thrown::Caught(_) | Thrown::Current(_) | Thrown::Frame(_))
    }

    /// Where the function gets it.
    pub fn source(self) -> Option<EventRef> {
        match self {
            Thrown::Caught(event) | Thrown::Current(event) | Thrown::Frame(event) | Thrown::Outcome(event) => {
                Some(event)
            }
            Thrown::Handed(_) => None,
        }
    }
}

impl Program<'_> {
    /// The functions of a module, by their scopes and in source order, in which a handler catches an exception or
    /// frames are asked for.
    fn scopes_with_frames(&self, module: ModuleId) -> Vec<ScopeId> {
        let facts = self.facts(module);
        let module = self.module(module);
        let mut scopes = module.index.catching.to_vec();
        if ASKING_FOR_FRAMES.iter().any(|name| module.may_name(*name)) {
            let asks = |call: &&Call| facts.called_name(call).is_some_and(|name| ASKING_FOR_FRAMES.contains(&name));
            scopes.extend(facts.calls.iter().filter(asks).map(|call| facts.scope_of(facts.event(call.event))));
        }
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// Whether an expression gives an exception, traceback or frame at an event, alone or in something made around it.
    pub(super) fn thrown(&self, value: ExprRef, at: EventRef) -> Option<Thrown> {
        self.thrown_within(value, at, DEPTH)
    }

    fn thrown_within(&self, value: ExprRef, at: EventRef, depth: u32) -> Option<Thrown> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(value.scope.module);
        match self.expr(value) {
            Expr::Name(name) => self.thrown_variable(value.scope, name, at, depth),
            Expr::Attribute(base, name) => match name.as_str() {
                "__traceback__" | "tb_frame" | "tb_next" => self.thrown_within(value.scope.expr(base), at, depth),
                _ => None,
            },
            Expr::Element(inner) => self.current(value.scope, inner, at),
            Expr::Subscript(base, key) => match facts.expr(key) {
                Expr::Constant(Constant::Int(0)) => None,
                _ => self.current(value.scope, base, at),
            },
            Expr::Display(_, run) | Expr::Or(run) | Expr::And(run) => {
                let parts = facts.list(run).iter().filter(|part| **part != NOTHING);
                parts.map(|part| value.scope.expr(*part)).find_map(|part| self.thrown_within(part, at, depth))
            }
            Expr::Conditional(run) => {
                facts.list(run).iter().skip(1).find_map(|part| self.thrown_within(value.scope.expr(*part), at, depth))
            }
            Expr::Await(inner) => self.thrown_within(value.scope.expr(inner), at, depth),
            Expr::Call(_) => self.thrown_by_call(value, at, depth),
            _ => None,
        }
    }

    fn thrown_variable(&self, scope: ScopeRef, name: Name, at: EventRef, depth: u32) -> Option<Thrown> {
        let holder = self.holding_scope(scope, name)?;
        let facts = self.facts(holder.module);
        let ScopeKind::Function(function) = facts.scope(holder.id).kind else { return None };
        if self.enclosing_function(scope) != Some(FunctionRef::new(holder.module, function)) {
            return None;
        }
        let is_around =
            |context| facts.context_ids_outwards(facts.event(at.id).context).any(|around| around == context);
        let earlier = self.module(holder.module).bindings_of(holder.id, name).take_while(|event| *event < at.id);
        let more = earlier.clone().count().saturating_sub(MOST_BINDINGS);
        let mut bound = None;
        for event in earlier.skip(more) {
            let here = EventRef::new(holder.module, event);
            match facts.event(event).kind {
                EventKind::BindException { .. } if is_around(facts.event(event).context) => {
                    return Some(Thrown::Caught(here));
                }
                EventKind::Bind { value, .. } => {
                    let found = self.thrown_within(self.event_scope(here).expr(value), here, depth);
                    // What was bound in the same block before is gone.
                    let is_gone = found.is_none() && is_around(facts.event(event).context);
                    bound = if is_gone { None } else { found.or(bound) };
                }
                EventKind::Delete { .. } => bound = None,
                _ => {}
            }
        }
        bound.or_else(|| self.handed_exception(FunctionRef::new(holder.module, function), name))
    }

    /// A parameter that is an exception by its annotation or its name.
    fn handed_exception(&self, function: FunctionRef, name: Name) -> Option<Thrown> {
        let facts = self.facts(function.module);
        let parameter = facts.parameters(self.function(function)).iter().find(|parameter| parameter.name == name)?;
        if self.module(function.module).bindings_of(self.function(function).scope, name).next().is_some() {
            return None;
        }
        let annotation = self.defining_scope(function).expr(parameter.annotation);
        let is_exception = match self.type_of_annotation(annotation, 4) {
            Type::Instance(class) => self.is_exception_class(class),
            Type::External(path) => is_exception_name(path) || path.as_str() == "types.TracebackType",
            _ => is_called_exception(name) && !self.is_given_a_class(function, name),
        };
        is_exception.then_some(Thrown::Handed(name))
    }

    /// `register(OSError)`: the class, and no exception.
    fn is_given_a_class(&self, function: FunctionRef, parameter: Name) -> bool {
        self.callers(function).iter().filter(|site| site.is_certain).any(|site| {
            let given = self.argument_for(*site, function, parameter);
            given.is_some_and(|given| match self.resolve(given) {
                Definition::Class(_) => true,
                Definition::External(path) => is_exception_name(path),
                _ => false,
            })
        })
    }

    /// A part of `sys.exc_info()`, or of a slice of it.
    fn current(&self, scope: ScopeRef, inner: ExprId, at: EventRef) -> Option<Thrown> {
        match self.expr(scope.expr(inner)) {
            Expr::Call(_) | Expr::Name(_) | Expr::Subscript(..) => match self.thrown_within(scope.expr(inner), at, 3) {
                found @ Some(Thrown::Current(_)) => found,
                _ => None,
            },
            _ => None,
        }
    }

    fn thrown_by_call(&self, value: ExprRef, at: EventRef, depth: u32) -> Option<Thrown> {
        let facts = self.facts(value.scope.module);
        let Expr::Call(id) = self.expr(value) else { return None };
        let call = facts.call(id);
        let event = EventRef::new(value.scope.module, call.event);
        let first = facts.arguments(call).first().copied();
        let callee = value.scope.expr(call.callee);
        let given = |depth| {
            facts.all_arguments(call).find_map(|argument| self.thrown_within(value.scope.expr(argument), at, depth))
        };
        match self.resolve(callee) {
            Definition::External(path) => match path.as_str() {
                "sys.exc_info" | "sys.exception" => self.handles_an_exception(event).then_some(Thrown::Current(event)),
                "inspect.currentframe" | "inspect.stack" => Some(Thrown::Frame(event)),
                "inspect.trace" => self.handles_an_exception(event).then_some(Thrown::Frame(event)),
                "sys._getframe" => {
                    let is_own = first.is_none_or(|first| facts.expr(first) == Expr::Constant(Constant::Int(0)));
                    is_own.then_some(Thrown::Frame(event))
                }
                "inspect.getouterframes" | "list" | "tuple" => given(depth),
                _ if is_exception_name(path) => given(depth),
                _ => None,
            },
            Definition::Class(class) => facts.all_arguments(call).find_map(|argument| {
                let found = self.thrown_within(value.scope.expr(argument), at, depth)?;
                self.keeps_argument(class, event, value.scope.expr(argument)).then_some(found)
            }),
            _ => {
                let Expr::Attribute(base, method) = self.expr(callee) else { return None };
                match method.as_str() {
                    "with_traceback" => {
                        let is_bare = first.is_some_and(|first| facts.expr(first) == Expr::Constant(Constant::None));
                        if is_bare { None } else { self.thrown_within(value.scope.expr(base), at, depth) }
                    }
                    "exception" if call.arguments.len == 0 => Some(Thrown::Outcome(event)),
                    _ => None,
                }
            }
        }
    }

    /// Whether an instance keeps what its constructor is given.
    fn keeps_argument(&self, class: ClassRef, event: EventRef, argument: ExprRef) -> bool {
        // Exceptions keep what they are given, unless their own constructor gives something else to that of their base.
        let is_exception = self.is_exception_class(class);
        let Some(init) = self.method(class, self.words.init) else {
            return is_exception || super::references::is_data_class(self, class);
        };
        match self.call_site(event).and_then(|site| self.parameter_for(site, init, argument)) {
            Some(parameter) => {
                self.stores_on_self(init, parameter) || is_exception && !self.replaces_in_base(init, parameter)
            }
            None => is_exception,
        }
    }

    /// `super().__init__(f"{error}")`: a constructor that calls another, which does not get the parameter itself.
    fn replaces_in_base(&self, init: FunctionRef, parameter: Name) -> bool {
        let facts = self.facts(init.module);
        let mut calls = facts.scope_events(self.function(init).scope).filter_map(|(_, event)| match event.kind {
            EventKind::Call(call) => Some(facts.call(call)),
            _ => None,
        });
        let given = calls.find_map(|call| match facts.expr(call.callee) {
            Expr::Attribute(_, name) if name == self.words.init => Some(facts.all_arguments(call)),
            _ => None,
        });
        given.is_some_and(|mut given| {
            given.all(|id| {
                !matches!(facts.expr(id), Expr::Name(name) if name == parameter)
                    && !matches!(facts.expr(id), Expr::Starred(_))
            })
        })
    }

    pub(super) fn is_exception_class(&self, class: ClassRef) -> bool {
        self.external_bases(class).iter().any(|base| is_exception_name(*base))
            || is_exception_name(self.class(class).name)
    }

    /// Inside of a handler or `finally` of the function itself: what is handled has passed through it.
    fn handles_an_exception(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        facts
            .contexts_around(facts.event(event.id).context)
            .any(|context| matches!(context.kind, ContextKind::Except(_) | ContextKind::Finally))
    }

    /// Whether a function takes the frames from an exception that a variable holds: `error.__traceback__ = None`.
    pub(super) fn strips_traceback(&self, function: FunctionRef, variable: Name) -> bool {
        self.strips_within(function, variable, 3)
    }

    fn strips_within(&self, function: FunctionRef, variable: Name, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(function.module);
        let is_variable = |id| facts.expr(id) == Expr::Name(variable);
        facts.scope_events(self.function(function).scope).any(|(id, event)| match event.kind {
            EventKind::Bind { target, value } => {
                matches!(facts.expr(target), Expr::Attribute(base, name)
                    if is_variable(base) && name.as_str() == "__traceback__")
                    && facts.expr(value) == Expr::Constant(Constant::None)
            }
            EventKind::Delete { target } => {
                matches!(facts.expr(target), Expr::Attribute(base, name) if is_variable(base) && name.as_str() == "__traceback__")
            }
            EventKind::Call(call) => {
                let call = facts.call(call);
                let last = match facts.expr(call.callee) {
                    Expr::Attribute(base, name) if is_variable(base) && name.as_str() == "with_traceback" => {
                        let first = facts.arguments(call).first().copied().unwrap_or(NOTHING);
                        return facts.expr(first) == Expr::Constant(Constant::None);
                    }
                    Expr::Attribute(_, name) | Expr::Name(name) => name,
                    _ => return false,
                };
                let arguments = facts.all_arguments(call).collect::<Vec<_>>();
                let about = |argument| match facts.expr(argument) {
                    Expr::Attribute(base, name) => is_variable(base) && name.as_str() == "__traceback__",
                    _ => is_variable(argument),
                };
                if !arguments.iter().any(|argument| about(*argument)) {
                    return false;
                }
                if matches!(last.as_str(), "clear_frames") {
                    return true;
                }
                let scope = ScopeRef::new(function.module, facts.scope_of(event));
                let Definition::Function(callee) = self.resolve(scope.expr(call.callee)) else { return false };
                let Some(site) = self.call_site(EventRef::new(function.module, id)) else { return false };
                arguments.iter().filter(|argument| is_variable(**argument)).any(|argument| {
                    self.parameter_for(site, callee, scope.expr(*argument))
                        .is_some_and(|parameter| self.strips_within(callee, parameter, depth))
                })
            }
            _ => false,
        })
    }
}

/// Last names of the calls that give frames, or exceptions with them.
static ASKING_FOR_FRAMES: LazyLock<[Name; 7]> = LazyLock::new(|| {
    ["exc_info", "exception", "currentframe", "stack", "trace", "_getframe", "getouterframes"].map(Name::new)
});

/// The last word of a path says that it is an exception.
fn is_exception_name(path: Name) -> bool {
    let last = path.as_str().rsplit('.').next().unwrap_or_default();
    ["Exception", "Error", "ExceptionGroup"].iter().any(|end| last.ends_with(end))
}

/// Parameters that are called like the exceptions they are.
fn is_called_exception(name: Name) -> bool {
    matches!(
        name.as_str().trim_start_matches('_'),
        "exc" | "exception" | "exc_value" | "exc_val" | "exc_tb" | "exc_info" | "excinfo" | "traceback" | "tb"
    )
}
