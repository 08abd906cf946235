//! What it costs when objects are freed late.
//!
//! Most garbage that waits for the cyclic collector harms nobody. It does where something is open to the outside until
//! then (a socket, a session, a response), where a finalizer was meant to run, where big blocks of memory wait, or where
//! so much of it is made that the collector has to run for it: for every request, message or call of a long-lived object.

use rustc_hash::FxHashSet;

use super::calls::{CallSite, Mention};
use super::lifetimes::Lifetime;
use super::names::Definition;
use super::references::captures::captured;
use super::repetition::Frequency;
use super::types::{Type, last_part};
use super::{ClassRef, EventRef, ExprRef, FunctionRef, Program, Role, ScopeRef, vocabulary};
use crate::facts::{Constant, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, NOTHING, Operator, ScopeKind};
use crate::finding::Label;
use crate::source::Name;

/// Evidence that freeing objects late costs something.
#[derive(Clone, Debug)]
pub struct Cost {
    /// What stays, or how often: a noun phrase.
    pub what: String,
    /// Where the source tells.
    pub label: Option<Label>,
}

/// How many callers up somebody who calls often is looked for.
const CALLERS: usize = 3;
/// The most callers that are looked at for one answer.
const MOST_CALLERS: usize = 48;
/// The most places where instances of a class are made that are looked at.
const MOST_SITES: usize = 24;
/// So few calls of a method by its name alone are taken for calls of it.
const FEW_CALLERS: usize = 6;
/// The most variables of one function that are looked at.
const MOST_VARIABLES: usize = 64;

impl Program<'_> {
    /// The first costly thing that the variables of a function have when an event happens, which its frame keeps and
    /// nobody else does.
    pub fn cost_of_frame(&self, at: EventRef) -> Option<Cost> {
        let function = self.event_function(at)?;
        let scope = self.function_scope(function);
        let facts = self.facts(function.module);
        let parameters = facts.parameters(self.function(function)).iter().map(|parameter| parameter.name);
        let mut names: Vec<Name> = parameters.collect();
        let around: Vec<_> = facts.contexts_around(facts.event(at.id).context).map(|context| context.span).collect();
        for (_, event) in facts.scope_events(scope.id).take_while(|(id, _)| *id < at.id) {
            // What a `try` binds may not be bound when something in it fails.
            let is_bound = around.contains(&facts.context(event.context).span);
            if let EventKind::Bind { target, value } = event.kind
                && let Expr::Name(name) = facts.expr(target)
                && (is_bound || matches!(facts.expr(value), Expr::Call(_)) && self.acquired_in(scope, name).is_some())
                && facts.scope_of(event) == scope.id
                && !names.contains(&name)
                && names.len() < MOST_VARIABLES
            {
                names.push(name);
            }
        }
        let is_dropped = |name: Name| self.is_dropped_in_handler(at, name);
        names.retain(|name| !is_dropped(*name));
        let mut serving = None;
        let receiver = self.receiver(function).map(|receiver| receiver.name);
        for name in names.iter().copied().filter(|name| Some(*name) != receiver) {
            let Some(cost) = self.cost_of_variable(scope, name) else { continue };
            // What serves others lives on in their hands; it tells of nothing but work for somebody.
            if !self.is_lent(scope, name) {
                return Some(cost);
            }
            serving = serving.or(Some(cost));
        }
        let payload = serving.is_some().then(|| names.iter().find(|name| self.is_payload(scope, **name)));
        if let Some(payload) = payload.flatten() {
            return Some(Cost { what: format!("`{payload}`"), label: None });
        }
        receiver.and_then(|name| self.cost_of_variable(scope, name))
    }

    /// The handler that an event stands in gives a variable up: `response, error = None, problem`.
    fn is_dropped_in_handler(&self, at: EventRef, name: Name) -> bool {
        let facts = self.facts(at.module);
        let context = facts.event(at.id).context;
        let is_handler = facts.contexts_around(context).any(|context| matches!(context.kind, ContextKind::Except(_)));
        is_handler
            && facts.scope_events(facts.scope_of(facts.event(at.id))).any(|(_, event)| match event.kind {
                EventKind::Bind { target, value } => {
                    event.context == context
                        && facts.expr(target) == Expr::Name(name)
                        && facts.expr(value) == Expr::Constant(Constant::None)
                }
                _ => false,
            })
    }

    /// What a variable keeps that is costly to keep, and that nobody else holds or releases.
    pub fn cost_of_variable(&self, scope: ScopeRef, name: Name) -> Option<Cost> {
        let holder = self.holding_scope(scope, name)?;
        if let Some(receiver) = self.receiver_named(holder, name) {
            let is_passing = !receiver.is_class && self.passes_by(receiver.class);
            let what = is_passing.then(|| self.cost_of_instance(receiver.class))??;
            return Some(Cost { what: format!("`{name}`, {what}"), label: None });
        }
        if self.is_cared_for(holder, name) {
            return None;
        }
        if let Some(cost) = self.acquired_in(holder, name) {
            return Some(cost);
        }
        let what = match self.type_of_name_in(holder, name) {
            _ if vocabulary::is_flag_name(name.as_str()) => return None,
            Type::Instance(class) => self.cost_of_instance(class)?,
            Type::External(path) => self.cost_of_external(path).or_else(|| self.called_costly(holder, name, path))?,
            Type::Unknown if vocabulary::is_open_end_name(name.as_str()) && !self.is_plain_value(holder, name) => {
                String::new()
            }
            _ => return None,
        };
        let comma = if what.is_empty() { "" } else { ", " };
        Some(Cost { what: format!("`{name}`{comma}{what}"), label: None })
    }

    /// An object that comes and goes with what it is made for: not one that serves others for long.
    fn passes_by(&self, class: ClassRef) -> bool {
        let name = self.class(class).name;
        !vocabulary::is_serving_name(name.as_str())
            && !vocabulary::is_tool_name(name.as_str())
            && self.owner(class).lifetime < Lifetime::Presumed
    }

    /// A parameter that is an object which serves others: whoever handed it over has it still.
    fn is_lent(&self, scope: ScopeRef, name: Name) -> bool {
        let Some(holder) = self.holding_scope(scope, name) else { return false };
        match self.type_of_name_in(holder, name) {
            Type::Instance(class) => self.is_parameter(holder, name) && !self.passes_by(class),
            Type::External(path) => self.is_parameter(holder, name) && self.is_served_by(path),
            _ => false,
        }
    }

    /// A client or session of a library, with which many requests are made.
    fn is_served_by(&self, path: Name) -> bool {
        self.models.resource(path).is_some_and(|resource| {
            resource.is_lazy || matches!(resource.what.as_str(), "session" | "client" | "connection pool")
        })
    }

    /// A parameter that is a run of things, by its annotation and its name.
    fn is_payload(&self, scope: ScopeRef, name: Name) -> bool {
        let is_run = match self.type_of_name_in(scope, name) {
            Type::External(path) => {
                matches!(last_part(path.as_str()), "list" | "bytes" | "bytearray" | "Sequence" | "Iterable")
            }
            _ => false,
        };
        let last = vocabulary::last_word(name.as_str());
        let last = last.trim_end_matches('s');
        is_run
            && (vocabulary::is_payload_word(last)
                || matches!(last, "doc" | "document" | "row" | "record" | "line" | "chunk" | "content"))
    }

    /// Somebody else holds what a variable has, or the function itself ends it: it is read from an attribute, entered by
    /// a `with`, closed, or a default that the module has anyway.
    fn is_cared_for(&self, holder: ScopeRef, name: Name) -> bool {
        let facts = self.facts(holder.module);
        let scope = facts.scope(holder.id);
        let ScopeKind::Function(function) = scope.kind else { return false };
        let function = FunctionRef::new(holder.module, function);
        if let Some(default) = self.parameter_default(function, name)
            && matches!(self.expr(default), Expr::Name(_) | Expr::Attribute(..))
        {
            return true;
        }
        let is_name = |id: ExprId| facts.expr(id) == Expr::Name(name);
        let (values, _) = self.bound_values(holder, name);
        // `session = self.session`, `session = default_session()`
        let is_borrowed = |(_, value): &(EventRef, ExprRef)| match self.expr(*value) {
            Expr::Attribute(..) | Expr::Subscript(..) => true,
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Name(callee) | Expr::Attribute(_, callee) => vocabulary::gives_what_is_shared(callee.as_str()),
                _ => false,
            },
            _ => false,
        };
        if !values.is_empty() && values.iter().all(is_borrowed) {
            return true;
        }
        let mut is_ended = false;
        for (_, event) in facts.scope_events(holder.id) {
            match event.kind {
                EventKind::BindManager { target, .. } if is_name(target) => return true,
                // Who gets it has the frame behind it.
                EventKind::Return(value) if mentions_name(facts, value, name) => return false,
                EventKind::Call(call) => {
                    is_ended |= matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
                        if ends(method.as_str()) && (is_name(base) || is_part_of(facts, base, name)));
                }
                _ => {}
            }
        }
        let is_entered = || {
            let managers = facts.contexts.iter().filter(|context| context.scope == holder.id);
            managers.filter_map(|context| match context.kind {
                ContextKind::With { manager, .. } => Some(manager),
                _ => None,
            })
        };
        is_ended
            || is_entered().any(|manager| match facts.expr(manager) {
                Expr::Name(other) => other == name,
                Expr::Call(call) => {
                    let call = facts.call(call);
                    let closes = matches!(facts.expr(call.callee), Expr::Name(callee) | Expr::Attribute(_, callee)
                        if matches!(callee.as_str(), "closing" | "aclosing"));
                    closes && facts.arguments(call).first().is_some_and(|first| is_name(*first))
                }
                _ => false,
            })
    }

    /// What an instance keeps or does at its end that is costly to have late.
    pub fn cost_of_instance(&self, class: ClassRef) -> Option<String> {
        let name = self.class(class).name;
        let resource = self.resource_of_class(class).filter(|resource| resource.is_costly);
        if let Some(resource) = resource.filter(|resource| !resource.what.as_str().contains(name.as_str())) {
            return Some(format!("a `{name}` with its {}", resource.what));
        }
        if self.costly_finalizer(class).is_some() {
            return Some(format!("a `{name}` with its `__del__`"));
        }
        let is_open_end = vocabulary::is_open_end_name(name.as_str()) && self.has_ending(class);
        (is_open_end || resource.is_some()).then(|| format!("a `{name}`"))
    }

    /// What waits for the collector together with an instance: what its `__del__` would do, what an end to the outside
    /// has opened itself, or what the object is about. What it is called is no evidence by itself.
    pub fn weight_of_instance(&self, class: ClassRef) -> Option<String> {
        let name = self.class(class).name;
        let is_open_end = vocabulary::is_open_end_name(name.as_str());
        let derived = self.subclasses(class).iter().filter(|_| is_open_end).take(MOST_SITES);
        if std::iter::once(&class).chain(derived).any(|class| self.costly_finalizer(*class).is_some()) {
            return Some(format!("a `{name}` with its `__del__`"));
        }
        if is_open_end && let Some(what) = self.opened_by(class) {
            return Some(format!("a `{name}` with its {what}"));
        }
        self.payload_of_instance(class)
    }

    /// The costly resource that methods of a class acquire and store in an attribute of the object.
    fn opened_by(&self, class: ClassRef) -> Option<Name> {
        let facts = self.facts(class.module);
        self.acquisitions(class.module).iter().find_map(|acquisition| {
            let method = self.outermost_function(acquisition.function);
            let receiver = self.receiver(method).filter(|_| self.class_of_method(method) == Some(class))?.name;
            let resource = self.resource_of(acquisition).filter(|resource| resource.is_costly)?;
            let gives = |value: ExprId| match facts.expr(value) {
                Expr::Call(call) => call == acquisition.call,
                Expr::Await(inner) => facts.expr(inner) == Expr::Call(acquisition.call),
                _ => false,
            };
            let events = || facts.scope_events(self.function(acquisition.function).scope);
            let is_named = |name: Name| {
                events().any(|(_, event)| {
                    matches!(event.kind, EventKind::Bind { target, value }
                        if gives(value) && facts.expr(target) == Expr::Name(name))
                })
            };
            let is_kept = events().any(|(_, event)| match event.kind {
                EventKind::Bind { target, value } => {
                    matches!(facts.expr(target), Expr::Attribute(base, _) if facts.expr(base) == Expr::Name(receiver))
                        && (gives(value) || matches!(facts.expr(value), Expr::Name(name) if is_named(name)))
                }
                _ => false,
            });
            is_kept.then_some(resource.what)
        })
    }

    /// Users of an object end it by calling a method, and what it has open ends with that. What has a `with` is made for
    /// its block.
    pub fn is_ended_by_name(&self, class: ClassRef) -> bool {
        let has = |name: &str| self.method(class, Name::new(name)).is_some();
        let ends = ["close", "aclose", "disconnect", "shutdown", "stop", "terminate", "unsubscribe", "exit"];
        !has("__exit__") && !has("__aexit__") && ends.into_iter().any(has)
    }

    /// What an instance is handed as it is made and carries about: results, a body, the data of a message.
    pub fn payload_of_instance(&self, class: ClassRef) -> Option<String> {
        let made = self.method(class, self.words.init)?;
        let receiver = self.receiver(made)?.name;
        let facts = self.facts(made.module);
        let scope = self.function_scope(made);
        let payload = facts.scope_events(scope.id).find_map(|(_, event)| {
            let EventKind::Bind { target, value } = event.kind else { return None };
            let (Expr::Attribute(base, attribute), Expr::Name(given)) = (facts.expr(target), facts.expr(value)) else {
                return None;
            };
            let default = self.parameter_default(made, given).map(|default| self.expr(default));
            let is_flag = matches!(default, Some(Expr::Constant(Constant::True | Constant::False)));
            let is_something_else = || self.is_declared_no_data(made, given);
            (!is_flag
                && carries(vocabulary::last_word(attribute.as_str()).as_ref())
                && !counts(attribute.as_str())
                && facts.expr(base) == Expr::Name(receiver)
                && self.is_parameter(scope, given)
                && !is_something_else())
            .then(|| format!("a `{}` with its `{attribute}`", self.class(class).name))
        })?;
        self.passes_by(class).then_some(payload)
    }

    /// A parameter whose annotation says that it is no data, whatever it is called: a number, or an object of another kind.
    fn is_declared_no_data(&self, function: FunctionRef, parameter: Name) -> bool {
        let facts = self.facts(function.module);
        let declared = facts.parameters(self.function(function)).iter().find(|declared| declared.name == parameter);
        let Some(annotation) = declared.map(|declared| declared.annotation).filter(|id| *id != NOTHING) else {
            return false;
        };
        let annotation = self.defining_scope(function).expr(annotation);
        let written = match self.expr(annotation) {
            Expr::Name(name) | Expr::Attribute(_, name) => Some(name),
            _ => None,
        };
        let is_kind_of_part = |name: Name| {
            matches!(
                vocabulary::last_word(name.as_str()).as_str(),
                "int" | "float" | "bool" | "container" | "widget" | "control" | "element" | "node" | "type"
            )
        };
        written.is_some_and(is_kind_of_part)
            || matches!(self.type_of_annotation(annotation, 4), Type::External(path) if is_kind_of_part(Name::new(last_part(path.as_str()))))
    }

    /// The `__del__` of a class, where it matters when it runs: one that only takes the object out of tables which do not
    /// keep it alive, or forgets its own attributes, may as well run later.
    pub fn costly_finalizer(&self, class: ClassRef) -> Option<FunctionRef> {
        self.method(class, Name::new("__del__")).filter(|finalizer| self.does_what_matters(*finalizer, class, CALLERS))
    }

    fn does_what_matters(&self, function: FunctionRef, class: ClassRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        let facts = self.facts(function.module);
        let receiver = self.receiver(function).map(|receiver| receiver.name);
        let is_receiver = |id: ExprId| receiver.is_some_and(|receiver| facts.expr(id) == Expr::Name(receiver));
        facts.scope_events(self.function(function).scope).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let scope = ScopeRef::new(function.module, facts.scope_of(event));
            let declared = facts.call(call);
            let (base, method) = match facts.expr(declared.callee) {
                Expr::Name(name) => (None, name),
                Expr::Attribute(base, name) => (Some(base), name),
                _ => return true,
            };
            if is_idle_call(method.as_str()) {
                return false;
            }
            let is_super = base.is_some_and(|base| self.is_super_call(scope.expr(base)));
            if is_super || base.is_some_and(is_receiver) {
                let callee = if is_super { self.callee(scope, call) } else { self.method(class, method) };
                return match callee {
                    Some(callee) => callee != function && self.does_what_matters(callee, class, depth),
                    None => !is_super,
                };
            }
            let gives_itself = facts.all_arguments(declared).any(is_receiver);
            !(gives_itself && vocabulary::is_taking_out_name(method.as_str()))
        })
    }

    fn has_ending(&self, class: ClassRef) -> bool {
        ["close", "aclose", "disconnect", "shutdown", "__exit__", "__aexit__"]
            .iter()
            .any(|name| self.method(class, Name::new(name)).is_some())
    }

    fn cost_of_external(&self, path: Name) -> Option<String> {
        let last = last_part(path.as_str());
        if is_data(path) {
            return None;
        }
        if let Some(resource) = self.models.resource(path).filter(|resource| resource.is_costly) {
            return Some(format!("a {}", resource.what));
        }
        let is_open_end = vocabulary::is_open_end_name(last) && last != "StartResponse";
        let is_costly = is_open_end || vocabulary::is_block_type(last);
        is_costly.then(|| format!("a `{last}`"))
    }

    /// A type that says little of a variable whose name says it all.
    fn called_costly(&self, holder: ScopeRef, name: Name, path: Name) -> Option<String> {
        let is_builtin = !path.as_str().contains('.') || is_data(path);
        let is_callable = path.as_str().contains("Callable") || path.as_str().ends_with("StartResponse");
        let is_costly = vocabulary::is_open_end_name(name.as_str()) && !self.is_plain_value(holder, name);
        (is_costly && !is_builtin && !is_callable).then(String::new)
    }

    /// A variable that is bound to a resource where somebody would want to have it released soon.
    fn acquired_in(&self, holder: ScopeRef, name: Name) -> Option<Cost> {
        let (values, _) = self.bound_values(holder, name);
        let acquisitions = self.acquisitions(holder.module);
        values.iter().find_map(|(event, value)| {
            let id = match self.expr(*value) {
                Expr::Await(inner) => inner,
                _ => value.id,
            };
            let Expr::Call(call) = self.expr(value.scope.expr(id)) else { return None };
            let acquisition = acquisitions.iter().find(|known| known.call == call)?;
            let resource = self.resource_of(acquisition).filter(|resource| resource.is_costly)?;
            let label = Label {
                location: self.event_location(*event),
                message: format!("`{name}` gets a {} here", resource.what),
            };
            Some(Cost { what: format!("the {} in `{name}`", resource.what), label: Some(label) })
        })
    }

    fn type_of_name_in(&self, holder: ScopeRef, name: Name) -> Type {
        let facts = self.facts(holder.module);
        match facts.id_of(Expr::Name(name)) {
            Some(id) => self.type_of(holder.expr(id)),
            None => Type::Unknown,
        }
    }

    /// Text, a number, a flag or a record, by what it is bound to, its annotation or its default.
    fn is_plain_value(&self, holder: ScopeRef, name: Name) -> bool {
        let facts = self.facts(holder.module);
        if vocabulary::is_flag_name(name.as_str()) {
            return true;
        }
        if let ScopeKind::Function(function) = facts.scope(holder.id).kind
            && let Some(parameter) =
                facts.parameters(facts.function(function)).iter().find(|parameter| parameter.name == name)
        {
            let function = FunctionRef::new(holder.module, function);
            let default = facts.expr(parameter.default);
            let is_plain_default = matches!(default, Expr::Constant(constant) if constant != Constant::None);
            let annotation = self.defining_scope(function).expr(parameter.annotation);
            return is_plain_default || self.is_plain_annotation(annotation, 4);
        }
        let (values, _) = self.bound_values(holder, name);
        !values.is_empty()
            && values.iter().all(|(_, value)| match self.expr(*value) {
                Expr::Constant(_) | Expr::Format(_) | Expr::Display(..) | Expr::Comprehension(..) => true,
                Expr::Call(call) => self.is_generated(value.scope.expr(facts.call(call).callee)),
                _ => false,
            })
    }

    /// A member of a module of messages that is generated from a description.
    fn is_generated(&self, expr: ExprRef) -> bool {
        let Expr::Attribute(base, _) = self.expr(expr) else { return false };
        match self.resolve(expr.scope.expr(base)) {
            Definition::Module(module) => self.module(module).input.name.as_str().ends_with("_pb2"),
            Definition::External(path) => path.as_str().ends_with("_pb2"),
            _ => false,
        }
    }

    /// An annotation whose members are all known and are nothing that is open to the outside.
    fn is_plain_annotation(&self, annotation: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(annotation.scope.module);
        match self.expr(annotation) {
            Expr::Binary(Operator::BitOr, left, right) => {
                [left, right].into_iter().all(|member| self.is_plain_annotation(annotation.scope.expr(member), depth))
            }
            Expr::Subscript(_, members) if self.type_of_annotation(annotation, depth) == Type::Unknown => {
                match facts.expr(members) {
                    Expr::Display(_, run) => facts
                        .list(run)
                        .iter()
                        .all(|member| self.is_plain_annotation(annotation.scope.expr(*member), depth)),
                    _ => false,
                }
            }
            Expr::Attribute(..) if self.is_generated(annotation) => true,
            _ => match self.type_of_annotation(annotation, depth) {
                Type::None => true,
                Type::Instance(class) => self.cost_of_instance(class).is_none(),
                Type::External(path) => self.cost_of_external(path).is_none() && !path.as_str().contains('.'),
                _ => false,
            },
        }
    }

    /// Somebody who calls a function again and again: what is shown to repeat, an operation of an object that lives for
    /// long, or the end of every `with` block of a class.
    pub fn called_often_by(&self, function: FunctionRef) -> Option<Cost> {
        let name = self.function(self.outermost_function(function)).name;
        if is_called_once(name.as_str()) || self.is_memoized(function, CALLERS) {
            return None;
        }
        if let Some(repeated) = self.shown_to_repeat(function) {
            return Some(repeated);
        }
        if self.function_frequency(function) < Frequency::Presumed {
            return None;
        }
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        let mut front = vec![(function, None::<EventRef>)];
        for _ in 0..=CALLERS {
            let mut next = Vec::new();
            for (caller, through) in front {
                if !seen.insert(caller) || seen.len() > MOST_CALLERS {
                    continue;
                }
                if let Some(what) = self.calls_often(caller) {
                    let label = through.map(|event| Label {
                        location: self.event_location(event),
                        message: format!("`{}` calls it here", self.function_name(caller)),
                    });
                    return Some(Cost { what, label });
                }
                next.extend(
                    self.known_calls(self.outermost_function(caller))
                        .into_iter()
                        .filter_map(|site| Some((self.event_function(site.event)?, through.or(Some(site.event))))),
                );
            }
            front = next;
        }
        None
    }

    /// Where instances of a class are made again and again: shown so, or each for a `with` block.
    pub fn made_often(&self, class: ClassRef) -> Option<Cost> {
        let enters = ["__enter__", "__aenter__"].iter().any(|name| self.method(class, Name::new(name)).is_some());
        // What stands in for something is made where that is missing.
        let is_of_stand_in =
            |function: &FunctionRef| self.class_of_method(*function).is_some_and(|class| self.stands_in(class));
        let derived = self.subclasses(class).iter().filter(|class| !self.stands_in(**class));
        let family = std::iter::once(&class).chain(derived);
        let sites: Vec<CallSite> = family.flat_map(|class| self.instantiations(*class).to_vec()).collect();
        sites.into_iter().filter(|site| !self.is_test(site.module)).take(MOST_SITES).find_map(|site| {
            let needed = match enters && self.passes_by(class) && self.is_made_by_with(site) {
                true => Frequency::Presumed,
                false => Frequency::Repeated,
            };
            let is_often = self.frequency(site.event) >= needed;
            (is_often && !self.repetition(site.event).path.iter().any(is_of_stand_in)).then(|| Cost {
                what: "it is made again and again".to_owned(),
                label: Some(Label {
                    location: self.event_location(site.event),
                    message: "made here again and again".to_owned(),
                }),
            })
        })
    }

    /// `with Class(…)`.
    fn is_made_by_with(&self, site: CallSite) -> bool {
        let facts = self.facts(site.module);
        let made = facts.id_of(Expr::Call(site.call));
        facts.contexts.iter().any(
            |context| matches!(context.kind, crate::facts::ContextKind::With { manager, .. } if Some(manager) == made),
        )
    }

    /// A cache stands before a function: its own, or in front of every call of it.
    fn is_memoized(&self, function: FunctionRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        if self.is_remembered(function) {
            return true;
        }
        let outermost = self.outermost_function(function);
        let callers = self.callers(outermost);
        let mut calls = callers.iter().filter(|site| !self.is_test(site.module)).peekable();
        calls.peek().is_some()
            && calls.all(|site| {
                let caller = self.event_function(site.event);
                site.is_certain
                    && (self.is_after_a_miss(site.event)
                        || caller.is_some_and(|caller| caller != outermost && self.is_memoized(caller, depth)))
            })
    }

    /// `found = cache.get(key)`, `if found is None:`, and what is made then is stored under the key.
    fn is_after_a_miss(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let scope = facts.scope_of(facts.event(event.id));
        let is_looked_up = |id: ExprId| {
            facts.scope_events(scope).take_while(|(id, _)| *id < event.id).any(|(_, earlier)| match earlier.kind {
                EventKind::Bind { target, value } if target == id => match facts.expr(value) {
                    Expr::Subscript(..) => true,
                    Expr::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, method)
                        if method.as_str() == "get"),
                    _ => false,
                },
                _ => false,
            })
        };
        let is_miss = |test: ExprId| match facts.expr(test) {
            Expr::Binary(Operator::NotIn, ..) => true,
            Expr::Binary(Operator::Is, found, none) => {
                facts.expr(none) == Expr::Constant(Constant::None) && is_looked_up(found)
            }
            Expr::Not(found) => is_looked_up(found),
            _ => false,
        };
        let stores = |group| {
            facts.scope_events(scope).any(|(id, later)| {
                id > event.id
                    && matches!(later.kind, EventKind::Bind { target, .. } if matches!(facts.expr(target), Expr::Subscript(..)))
                    && facts.contexts_around(later.context).any(|context| context.group == group)
            })
        };
        facts.contexts_around(facts.event(event.id).context).any(|context| match context.kind {
            ContextKind::If(test) => is_miss(test) && stores(context.group),
            _ => false,
        })
    }

    /// A variable that keeps next to nothing, or what lives anyway: text and numbers, functions, classes and modules, and
    /// the object itself.
    pub fn is_light_variable(&self, scope: ScopeRef, name: Name) -> bool {
        let Some(holder) = self.holding_scope(scope, name) else { return true };
        if self.receiver_named(holder, name).is_some() || vocabulary::is_flag_name(name.as_str()) {
            return true;
        }
        let facts = self.facts(holder.module);
        if let ScopeKind::Function(function) = facts.scope(holder.id).kind
            && let Some(parameter) =
                facts.parameters(facts.function(function)).iter().find(|parameter| parameter.name == name)
        {
            let annotation = self.defining_scope(FunctionRef::new(holder.module, function)).expr(parameter.annotation);
            let is_plain_default =
                matches!(facts.expr(parameter.default), Expr::Constant(constant) if constant != Constant::None);
            let is_light = match self.type_of_annotation(annotation, 4) {
                Type::None | Type::Class(_) => true,
                Type::External(path) => {
                    matches!(
                        last_part(path.as_str()),
                        "int" | "str" | "bool" | "float" | "bytes" | "type" | "Path" | "Literal"
                    )
                }
                _ => false,
            };
            return is_light || is_plain_default;
        }
        let mut bindings = self.module(holder.module).bindings_of(holder.id, name).peekable();
        bindings.peek().is_some()
            && bindings.all(|event| match facts.event(event).kind {
                EventKind::Define(function) => captured(self, FunctionRef::new(holder.module, function)).is_empty(),
                EventKind::DefineClass(_) | EventKind::Import(_) | EventKind::Annotate { .. } => true,
                EventKind::Bind { value, .. } => match facts.expr(value) {
                    Expr::Constant(_)
                    | Expr::Format(_)
                    | Expr::Binary(..)
                    | Expr::Not(_)
                    | Expr::Unary(_)
                    | Expr::Lambda(_) => true,
                    made => is_made_empty(facts, made) && self.gets_light_items(holder, name),
                },
                EventKind::Augment { operator, .. } => operator == Operator::Add,
                _ => false,
            })
    }

    /// Whether all that functions put into a container that a variable holds is next to nothing: `seen.add(id(node))`.
    fn gets_light_items(&self, holder: ScopeRef, name: Name) -> bool {
        let facts = self.facts(holder.module);
        let is_it = |scope: ScopeRef, id: ExprId| {
            facts.expr(id) == Expr::Name(name) && self.holding_scope(scope, name) == Some(holder)
        };
        let body = facts.context(facts.scope(holder.id).body).span;
        let inside = facts.events.iter().enumerate().filter(|(_, event)| body.contains(event.span));
        inside.into_iter().all(|(number, event)| {
            let scope = self.event_scope(EventRef::new(holder.module, EventId(number as u32)));
            match event.kind {
                EventKind::Bind { target, value } => match facts.expr(target) {
                    Expr::Subscript(base, key) if is_it(scope, base) => {
                        self.is_light_item(scope.expr(key)) && self.is_light_item(scope.expr(value))
                    }
                    _ => !is_it(scope, value),
                },
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    let is_own_method =
                        matches!(facts.expr(call.callee), Expr::Attribute(base, _) if is_it(scope, base));
                    facts.all_arguments(call).all(|given| match is_own_method {
                        true => self.is_light_item(scope.expr(given)),
                        false => !is_it(scope, given),
                    })
                }
                _ => true,
            }
        })
    }

    fn is_light_item(&self, item: ExprRef) -> bool {
        let facts = self.facts(item.scope.module);
        match self.expr(item) {
            Expr::Constant(_) | Expr::Format(_) | Expr::Not(_) | Expr::Unary(_) => true,
            Expr::Call(call) => facts.called_name(facts.call(call)).is_some_and(|called| {
                matches!(called.as_str(), "id" | "len" | "hash" | "int" | "str" | "float" | "bool" | "repr" | "type")
            }),
            Expr::Name(_) => self.only_value(item).is_some_and(|value| value != item && self.is_light_item(value)),
            _ => false,
        }
    }

    /// A handler, an endless loop or the like runs a function.
    pub fn shown_to_repeat(&self, function: FunctionRef) -> Option<Cost> {
        let repetition = self.function_repetition(function);
        (repetition.frequency == Frequency::Repeated).then(|| {
            let label = repetition.reasons.into_iter().next_back();
            Cost { what: "it is made again and again".to_owned(), label }
        })
    }

    /// A function up the chain of callers that is handed to others to be called back.
    pub fn called_back_by(&self, function: FunctionRef) -> Option<Cost> {
        let name = self.function(self.outermost_function(function)).name;
        if is_called_once(name.as_str()) || self.is_memoized(function, CALLERS) {
            return None;
        }
        let mut waiting = vec![(function, 0)];
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        while let Some((caller, depth)) = waiting.pop() {
            if depth > CALLERS || seen.len() > MOST_CALLERS || !seen.insert(caller) {
                continue;
            }
            let mentions = self.mentions(Definition::Function(caller));
            let mut handed = mentions.iter().filter(|mention| {
                self.module(mention.event.module).input.role == Role::Library
                    && self.is_handed_over(mention.event, mention.expr.id)
            });
            // `Thread(target=work)` runs it as often as the function around it.
            let starts = |mention: &&Mention| self.starts_beside(mention.event);
            waiting.extend(
                handed
                    .clone()
                    .filter(starts)
                    .filter_map(|mention| Some((self.event_function(mention.event)?, depth + 1))),
            );
            if let Some(mention) = handed.find(|mention| !starts(mention)) {
                let label = Label {
                    location: self.event_location(mention.event),
                    message: format!("`{}` is handed on here", self.function_name(caller)),
                };
                return Some(Cost { what: "it is made whenever somebody calls back".to_owned(), label: Some(label) });
            }
            if let Some(lambda) = self.lambda_handed_over(caller) {
                let label =
                    Label { location: self.event_location(lambda), message: "made to be called back".to_owned() };
                return Some(Cost { what: "it is made whenever somebody calls back".to_owned(), label: Some(label) });
            }
            let known = self.known_calls(caller).into_iter();
            waiting.extend(known.filter_map(|site| Some((self.event_function(site.event)?, depth + 1))));
        }
        None
    }

    /// The calls of a function: those that are certain, and those that its name tells of.
    fn known_calls(&self, function: FunctionRef) -> Vec<CallSite> {
        let sites = self.callers(function);
        let words = self.function(function).name.as_str().trim_matches('_').matches('_').count();
        let is_told_by_name =
            sites.len() <= FEW_CALLERS && (words >= 2 || words == 1 && self.is_only_one_named(function));
        let is_known = |site: &&CallSite| {
            let is_thinkable = || !self.is_ruled_out(site, self.outermost_function(function));
            site.is_certain || is_told_by_name && is_thinkable()
        };
        sites.iter().filter(|site| !self.is_test(site.module)).filter(is_known).copied().collect()
    }

    /// A call that runs what it is given once, beside the caller.
    fn starts_beside(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let EventKind::Call(call) = facts.event(event.id).kind else { return false };
        let last = match facts.expr(facts.call(call).callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => name,
            _ => return false,
        };
        let is_in_loop = facts.contexts_around(facts.event(event.id).context).any(|context| context.kind.is_loop());
        !is_in_loop && (matches!(last.as_str(), "Greenlet" | "spawn") || vocabulary::is_starting_name(last.as_str()))
    }

    /// The only function of the project that has its name.
    fn is_only_one_named(&self, function: FunctionRef) -> bool {
        !self.common_functions().contains(self.function(function).name)
    }

    /// A function that a call is given to call it; not one that gets another name, becomes a property or is wrapped.
    fn is_handed_over(&self, event: EventRef, value: ExprId) -> bool {
        let facts = self.facts(event.module);
        let EventKind::Call(call) = facts.event(event.id).kind else { return false };
        let call_facts = facts.call(call);
        let last = match facts.expr(call_facts.callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => name,
            _ => return false,
        };
        let is_given = facts.all_arguments(call_facts).any(|argument| argument == value);
        let in_function = self.event_function(event).is_some();
        let memoizes = ["factory", "memo", "cache"].iter().any(|word| last.as_str().to_lowercase().contains(word));
        is_given
            && in_function
            && !memoizes
            && !is_naming_call(last.as_str())
            && !self.module(event.module).is_decorator(call)
    }

    /// The call outside of the project that a lambda is handed to.
    fn lambda_handed_over(&self, function: FunctionRef) -> Option<EventRef> {
        let facts = self.facts(function.module);
        if !matches!(facts.scope(self.function(function).scope).kind, ScopeKind::Lambda(_)) {
            return None;
        }
        let scope = self.defining_scope(function);
        let value = facts.id_of(Expr::Lambda(function.id))?;
        facts.scope_events(scope.id).find_map(|(id, event)| {
            let event_ref = EventRef::new(function.module, id);
            let EventKind::Call(call) = event.kind else { return None };
            let is_elsewhere = self.callee(scope, call).is_none();
            (is_elsewhere && self.is_handed_over(event_ref, value)).then_some(event_ref)
        })
    }

    fn calls_often(&self, function: FunctionRef) -> Option<String> {
        let outermost = self.outermost_function(function);
        let class = self.class_of_method(outermost)?;
        let name = self.function(outermost).name.as_str();
        let class_name = self.class(class).name;
        if self.stands_in(class) {
            return None;
        }
        if matches!(name, "__exit__" | "__aexit__") {
            return Some(format!("every `with` block of a `{class_name}` makes it"));
        }
        let serves =
            vocabulary::is_serving_name(class_name.as_str()) && self.owner(class).lifetime >= Lifetime::Presumed;
        (serves && vocabulary::is_operation_name(name) && !is_called_once(name))
            .then(|| format!("every call of `{class_name}.{name}` makes it"))
    }

    /// Whether a scope is a function's.
    fn is_function_scope(&self, scope: ScopeRef) -> bool {
        matches!(self.facts(scope.module).scope(scope.id).kind, ScopeKind::Function(_) | ScopeKind::Lambda(_))
    }

    /// The first costly variable among some that are kept.
    pub fn cost_of_variables(&self, variables: impl IntoIterator<Item = (ScopeRef, Name)>) -> Option<Cost> {
        variables
            .into_iter()
            .filter(|(scope, _)| self.is_function_scope(*scope))
            .find_map(|(scope, name)| self.cost_of_variable(scope, name))
    }
}

/// Methods and functions that run when something begins or ends.
fn is_called_once(name: &str) -> bool {
    vocabulary::is_beginning_name(name)
        || vocabulary::is_ending_name(name)
        || vocabulary::is_setup_name(name)
        || vocabulary::is_startup_name(name)
}

/// Calls after which an object is done with.
fn ends(method: &str) -> bool {
    vocabulary::is_ending_name(method)
        || matches!(
            method,
            "disconnect" | "release" | "abort" | "cancel" | "communicate" | "wait" | "detach" | "cleanup" | "unlink"
        )
}

/// What an attribute is called that holds what an object is about, in one or many.
fn carries(word: &str) -> bool {
    matches!(
        word.trim_end_matches('s'),
        "data" | "payload" | "packet" | "message" | "body" | "request" | "response" | "result" | "content" | "record"
    )
}

/// `num_results`, `max_data`: how many there are of what the rest of the name says.
fn counts(name: &str) -> bool {
    let first = name.trim_start_matches('_').split('_').next().unwrap_or(name);
    matches!(first, "num" | "n" | "max" | "min" | "nb" | "count")
}

/// Calls that do nothing one would wait for.
fn is_idle_call(name: &str) -> bool {
    matches!(
        name,
        "super"
            | "getattr"
            | "hasattr"
            | "isinstance"
            | "callable"
            | "bool"
            | "len"
            | "id"
            | "type"
            | "suppress"
            | "debug"
            | "info"
            | "is_finalizing"
    )
}

/// Calls that give a function another name, look at it or make a property of it.
fn is_naming_call(name: &str) -> bool {
    matches!(
        name,
        "setattr"
            | "getattr"
            | "hasattr"
            | "callable"
            | "isinstance"
            | "issubclass"
            | "property"
            | "staticmethod"
            | "classmethod"
            | "wraps"
            | "update_wrapper"
            | "signature"
            | "repr"
            | "str"
            | "id"
            | "type"
            | "dict"
    )
}

/// `engine.core` of `engine`.
fn is_part_of(facts: &FileFacts, id: ExprId, name: Name) -> bool {
    match facts.expr(id) {
        Expr::Attribute(base, _) => facts.expr(base) == Expr::Name(name) || is_part_of(facts, base, name),
        _ => false,
    }
}

/// Whether an expression is a variable or is made with it.
fn mentions_name(facts: &FileFacts, id: ExprId, name: Name) -> bool {
    match facts.expr(id) {
        Expr::Name(other) => other == name,
        Expr::Call(call) => facts.all_arguments(facts.call(call)).any(|argument| mentions_name(facts, argument, name)),
        Expr::Display(_, run) | Expr::Conditional(run) | Expr::Or(run) | Expr::And(run) => {
            facts.list(run).iter().any(|part| *part != NOTHING && mentions_name(facts, *part, name))
        }
        Expr::Await(inner) | Expr::Starred(inner) => mentions_name(facts, inner, name),
        _ => false,
    }
}

/// Messages that are generated from a description are data, and so is a request that is still to be sent.
fn is_data(path: Name) -> bool {
    path.as_str().contains("_pb2") || path.as_str() == "urllib.request.Request"
}

/// `set()`, `{}`, `[]`: a container that begins with nothing.
fn is_made_empty(facts: &FileFacts, made: Expr) -> bool {
    match made {
        Expr::Display(_, run) => run.len == 0,
        Expr::Call(call) => {
            let call = facts.call(call);
            call.arguments.len == 0
                && call.keywords.len == 0
                && facts.called_name(call).is_some_and(|called| matches!(called.as_str(), "set" | "dict" | "list"))
        }
        _ => false,
    }
}
