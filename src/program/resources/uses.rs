//! What an event does to a resource that some expressions hold, followed into the functions of the project.

use rustc_hash::FxHashSet;

use super::super::names::Definition;
use super::super::types::last_part;
use super::super::{EventRef, ExprRef, FunctionRef, Program, ScopeRef, vocabulary};
use super::parts_of;
use crate::facts::{CallId, ContextId, ContextKind, EventId, EventKind, Expr, ExprId, NOTHING, ParameterKind};
use crate::models::Resource;
use crate::source::Name;

/// How many functions a resource is followed into from one call.
const MOST_FUNCTIONS: usize = 64;

/// A class with more subclasses is made for others to derive from.
const MOST_OVERRIDES: usize = 12;

/// How far behind an event the `raise` that ends its branch is looked for.
const FEW_EVENTS: usize = 24;

/// What an event does to a resource; of several, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Nothing,
    Released,
    /// Returned, stored, or passed to what may keep it.
    HandedOn,
}

/// Parameters that a resource is passed on to, and that are not followed yet.
type Passed = Vec<(FunctionRef, Name)>;

/// Attributes that tell about a resource and are not it.
const DESCRIPTIONS: [&str; 17] = [
    "name",
    "mode",
    "closed",
    "returncode",
    "args",
    "encoding",
    "stdout",
    "stderr",
    "stdin",
    "_max_workers",
    "size",
    "family",
    "status",
    "status_code",
    "headers",
    "reason",
    "pid",
];

/// Methods that make text of what they are given, or log it.
fn describes(method: Name) -> bool {
    matches!(
        method.as_str(),
        "format" | "debug" | "info" | "warning" | "warn" | "error" | "exception" | "critical" | "log"
    )
}

/// `print(process.pid)`, `log.info("%s", process.pid)`: whether a call makes text of what it is given, or shows it.
pub(super) fn writes(callee: Expr) -> bool {
    match callee {
        Expr::Name(name) => matches!(name.as_str(), "print" | "str" | "repr" | "int"),
        Expr::Attribute(_, method) => describes(method),
        _ => false,
    }
}

/// Whether a method of a resource releases it, by the model or by what methods of that name do.
pub(super) fn is_releasing_method(resource: &Resource, method: Name) -> bool {
    if Resource::names(&resource.outlives, method) {
        return false;
    }
    // Handles of Windows are closed by `.Close()`.
    let text = method.as_str().to_ascii_lowercase();
    Resource::names(&resource.released_by, method)
        || Resource::names(&resource.read_by, method)
        || vocabulary::is_ending_name(&text)
        || matches!(
            text.as_str(),
            "release" | "detach" | "cleanup" | "__enter__" | "__aenter__" | "disconnect" | "unlink"
        )
}

/// Whether the `with` of a resource releases it.
pub(super) fn is_released_by_with(resource: &Resource) -> bool {
    resource.released_by.iter().any(|by| matches!(by.as_str(), ".__exit__" | ".__aexit__"))
}

impl Program<'_> {
    /// What an event does to a resource held by some expressions of the function around it.
    pub(super) fn use_of(&self, event: EventRef, resource: &Resource, is_held: &dyn Fn(ExprId) -> bool) -> Use {
        let mut passed = Passed::new();
        let used = self.local_use(event, resource, is_held, &mut passed);
        used.max(self.use_by_functions(passed, resource))
    }

    pub(super) fn use_by_call(
        &self,
        scope: ScopeRef,
        call: CallId,
        resource: &Resource,
        is_held: &dyn Fn(ExprId) -> bool,
    ) -> Use {
        let mut passed = Passed::new();
        let used = self.local_use_by_call(scope, call, resource, is_held, &mut passed);
        used.max(self.use_by_functions(passed, resource))
    }

    fn local_use(
        &self,
        event: EventRef,
        resource: &Resource,
        is_held: &dyn Fn(ExprId) -> bool,
        passed: &mut Passed,
    ) -> Use {
        let facts = self.facts(event.module);
        let scope = self.event_scope(event);
        let carries = |value: ExprId| self.carries(scope.expr(value), resource, is_held);
        let is_handed_on = match facts.event(event.id).kind {
            EventKind::Call(call) => return self.local_use_by_call(scope, call, resource, is_held, passed),
            EventKind::Return(value) | EventKind::Yield(value) | EventKind::Await(value) => carries(value),
            // `process.returncode = 0` says that nobody will wait for it.
            EventKind::Bind { target, .. }
                if matches!(facts.expr(target), Expr::Attribute(base, name)
                    if name.as_str() == "returncode" && is_held(base)) =>
            {
                return Use::Released;
            }
            // `environment["READY"] = str(descriptor)`: a number is handed on as text, too.
            EventKind::Bind { target, value } if !matches!(facts.expr(target), Expr::Name(_)) => {
                let is_key = matches!(facts.expr(target), Expr::Subscript(_, key) if is_held(key));
                is_key || self.has_part(scope.expr(value), resource, true, is_held)
            }
            EventKind::Bind { target, value } => {
                let Expr::Name(target) = facts.expr(target) else { return Use::Nothing };
                // Another plain name is an alias, which whoever asks follows.
                let is_alias = is_held(value)
                    || self.is_itself(scope.expr(value), resource, is_held)
                    || (resource.is_path && !matches!(facts.expr(value), Expr::Display(..)));
                let is_local = self.holding_scope(scope, target) == Some(scope);
                // `pid = process.pid`: who keeps the number speaks of the process by it.
                let is_number = matches!(facts.expr(value), Expr::Attribute(base, name)
                    if name.as_str() == "pid" && is_held(base));
                is_number || !(is_alias && is_local) && carries(value)
            }
            EventKind::Augment { value, .. } => carries(value),
            EventKind::BindElement { iterable, .. } => !is_held(iterable) && carries(iterable),
            EventKind::Raise { exception, .. } => carries(exception),
            EventKind::Define(function) => {
                let defaults = facts.parameters(facts.function(function)).iter().map(|parameter| parameter.default);
                defaults.filter(|id| *id != NOTHING).any(is_held)
            }
            _ => false,
        };
        if is_handed_on { Use::HandedOn } else { Use::Nothing }
    }

    /// Whether a value is the resource, or has it as a part.
    pub(super) fn carries(&self, value: ExprRef, resource: &Resource, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        self.is_item(value, resource, is_held) || self.carries_itself(value, resource, is_held)
    }

    fn carries_itself(&self, value: ExprRef, resource: &Resource, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        self.is_itself(value, resource, is_held) || self.has_part(value, resource, resource.is_path, is_held)
    }

    /// `client["database"]["table"]`, which keeps its connection.
    fn is_item(&self, value: ExprRef, resource: &Resource, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(value.scope.module);
        let Expr::Subscript(mut base, _) = self.expr(value) else { return false };
        while let Expr::Subscript(inner, _) = facts.expr(base) {
            base = inner;
        }
        resource.is_costly && is_held(base)
    }

    /// `connection.execution_options(…)`: a method that gives the object that it is called on.
    pub(super) fn is_itself(&self, value: ExprRef, resource: &Resource, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(value.scope.module);
        !resource.gives_itself.is_empty()
            && matches!(self.expr(value), Expr::Call(call)
                if matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
                    if is_held(base) && Resource::names(&resource.gives_itself, method)))
    }

    fn has_part(&self, value: ExprRef, resource: &Resource, with_text: bool, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(value.scope.module);
        let mut found = false;
        parts_of(self, value, with_text, &mut |part| {
            // A bound method or a part of a compound resource keeps it, or stands for it.
            let is_member = matches!(facts.expr(part), Expr::Attribute(base, name)
                if is_held(base)
                    && (!DESCRIPTIONS.contains(&name.as_str()) || Resource::names(&resource.known_by, name)));
            found |= is_held(part) || is_member;
        });
        found
    }

    fn local_use_by_call(
        &self,
        scope: ScopeRef,
        call: CallId,
        resource: &Resource,
        is_held: &dyn Fn(ExprId) -> bool,
        passed: &mut Passed,
    ) -> Use {
        let facts = self.facts(scope.module);
        let called = facts.call(call);
        if resource.is_path && self.moves_or_removes(scope, call, resource, is_held) {
            return Use::Released;
        }
        if let Expr::Attribute(base, method) = facts.expr(called.callee) {
            if is_held(base) && (is_releasing_method(resource, method) || self.ends_its_object(scope, call, resource)) {
                return Use::Released;
            }
            // What runs until the process ends has it until then.
            if is_held(base) && matches!(method.as_str(), "serve_forever" | "run_forever") {
                return Use::HandedOn;
            }
            // `proc.stdout.close()`, `server.socket.close()`
            if let Expr::Attribute(inner, _) = facts.expr(base)
                && is_held(inner)
                && is_releasing_method(resource, method)
            {
                return Use::Released;
            }
        }
        if self.releases_the_current(scope, call, resource) {
            return Use::Released;
        }
        let given = || facts.all_arguments(called);
        // `response.text.strip()`
        let is_read = |value: ExprId| self.reads(scope.expr(value), resource, is_held);
        let receiver = match facts.expr(called.callee) {
            Expr::Attribute(base, _) => base,
            _ => NOTHING,
        };
        if !resource.read_as.is_empty() && given().chain([receiver]).any(is_read) {
            return Use::Released;
        }
        if !given().any(|argument| self.carries(scope.expr(argument), resource, is_held)) {
            return Use::Nothing;
        }
        let callee = scope.expr(called.callee);
        if !resource.is_path && matches!(self.expr(callee), Expr::Attribute(_, method) if describes(method)) {
            return Use::Nothing;
        }
        if self.is_lent_to(scope, call, resource) {
            return Use::Nothing;
        }
        let unknown = if resource.is_lent { Use::Nothing } else { Use::HandedOn };
        match self.resolve(callee) {
            // What a library's function does with a table it tells in its result.
            Definition::External(path)
                if !last_part(path.as_str()).starts_with(char::is_uppercase)
                    && !given().any(|argument| self.carries_itself(scope.expr(argument), resource, is_held)) =>
            {
                return Use::Nothing;
            }
            Definition::External(path) => return self.use_by_library(path, resource),
            Definition::Class(_) => return unknown,
            _ => {}
        }
        if let Some(path) = self.method_path(callee)
            && self.use_by_library(path, resource) == Use::Nothing
        {
            return Use::Nothing;
        }
        let Some(function) = self.callee(scope, call) else { return unknown };
        let event = EventRef::new(scope.module, called.event);
        let Some(site) = self.call_site(event) else { return unknown };
        for argument in given().filter(|argument| self.carries(scope.expr(*argument), resource, is_held)) {
            match self.parameter_for(site, function, scope.expr(argument)).filter(|_| is_held(argument)) {
                Some(parameter) => passed.push((function, parameter)),
                None => return unknown,
            }
        }
        Use::Nothing
    }

    /// `Path(name).unlink()`, `path.replace(target)`: what a path itself does with what lies there. That of a text takes two
    /// arguments.
    fn moves_or_removes(
        &self,
        scope: ScopeRef,
        call: CallId,
        resource: &Resource,
        is_held: &dyn Fn(ExprId) -> bool,
    ) -> bool {
        let facts = self.facts(scope.module);
        let called = facts.call(call);
        let Expr::Attribute(base, method) = facts.expr(called.callee) else { return false };
        let makes_path = |made: CallId| {
            let made = facts.call(made);
            facts.arguments(made).first().is_some_and(|given| is_held(*given))
                && self.external_path(scope.expr(made.callee)).is_some_and(|path| last_part(path.as_str()) == "Path")
        };
        let is_path = is_held(base) || matches!(facts.expr(base), Expr::Call(made) if makes_path(made));
        let replaces = method.as_str() == "replace" && facts.arguments(called).len() == 1;
        is_path && (replaces || Resource::names(&resource.released_by, method))
    }

    /// Whether a method is called that only uses the resource it is given, by the model: not one of the project, which is
    /// looked at.
    pub(super) fn is_lent_to(&self, scope: ScopeRef, call: CallId, resource: &Resource) -> bool {
        let facts = self.facts(scope.module);
        matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, method)
            if Resource::names(&resource.lent_to, method))
            && self.callee(scope, call).is_none()
    }

    /// Whether a value is made of what reads a resource to its end: `f"failed: {response.text}"`.
    fn reads(&self, value: ExprRef, resource: &Resource, is_held: &dyn Fn(ExprId) -> bool) -> bool {
        let facts = self.facts(value.scope.module);
        let mut found = false;
        parts_of(self, value, true, &mut |part| {
            found |= matches!(facts.expr(part), Expr::Attribute(base, name)
                if is_held(base) && Resource::names(&resource.read_as, name));
        });
        found
    }

    /// Whether a method of the project ends the object that it is called on whenever it comes to its own end, as one does
    /// that reads to the end and closes.
    fn ends_its_object(&self, scope: ScopeRef, call: CallId, resource: &Resource) -> bool {
        let Some(method) = self.callee(scope, call) else { return false };
        let facts = self.facts(method.module);
        let body = self.function_scope(method);
        for (_, event) in facts.scope_events(body.id) {
            match event.kind {
                EventKind::Return(_) | EventKind::Yield(_) => return false,
                EventKind::Call(inner) => {
                    let is_always = facts.context(event.context).kind == ContextKind::Body;
                    if is_always
                        && matches!(facts.expr(facts.call(inner).callee), Expr::Attribute(base, name)
                            if self.is_receiver(body, base) && is_releasing_method(resource, name))
                    {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }

    fn use_by_library(&self, path: Name, resource: &Resource) -> Use {
        let text = path.as_str();
        if resource.released_by.contains(&path) {
            return Use::Released;
        }
        let is_lent = resource.lent_to.iter().any(|lent| match lent.as_str().strip_suffix('.') {
            Some(module) => text.strip_prefix(module).is_some_and(|rest| rest.starts_with('.')),
            None => *lent == path,
        });
        if is_lent || resource.is_lent || self.models.borrows(path).is_some_and(|borrows| !borrows.copies) {
            return Use::Nothing;
        }
        Use::HandedOn
    }

    /// `pyplot.close()`, `pyplot.close("all")`: a function that releases what it is not given, too.
    fn releases_the_current(&self, scope: ScopeRef, call: CallId, resource: &Resource) -> bool {
        let facts = self.facts(scope.module);
        let call = facts.call(call);
        let name = match facts.expr(call.callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => name,
            _ => return false,
        };
        let is_named = |by: &Name| matches!(by.as_str().rsplit_once('.'), Some((module, last)) if !module.is_empty() && last == name.as_str());
        facts.all_arguments(call).all(|given| matches!(facts.expr(given), Expr::Constant(_)))
            && resource.released_by.iter().any(is_named)
            && self.external_path(scope.expr(call.callee)).is_some_and(|path| resource.released_by.contains(&path))
    }

    /// The most that functions do with what they get for some parameters, or that those do which they pass it on to.
    fn use_by_functions(&self, mut waiting: Passed, resource: &Resource) -> Use {
        let mut seen: FxHashSet<(FunctionRef, Name)> = FxHashSet::default();
        let mut most = Use::Nothing;
        while let Some((function, parameter)) = waiting.pop() {
            if !seen.insert((function, parameter)) {
                continue;
            }
            if seen.len() > MOST_FUNCTIONS {
                return Use::HandedOn;
            }
            most = most.max(self.use_of_parameter(function, parameter, resource, &mut waiting));
            if most == Use::HandedOn {
                break;
            }
        }
        most
    }

    /// What a function itself does with what it gets for a parameter.
    fn use_of_parameter(
        &self,
        function: FunctionRef,
        parameter: Name,
        resource: &Resource,
        passed: &mut Passed,
    ) -> Use {
        let facts = self.facts(function.module);
        let declared = facts.function(function.id);
        let is_plain = facts.parameters(declared).iter().any(|declared| {
            declared.name == parameter && !matches!(declared.kind, ParameterKind::Rest | ParameterKind::Keywords)
        });
        // A nested function may do what it likes.
        if !is_plain || self.is_captured(function, parameter) || !self.pass_to_overrides(function, parameter, passed) {
            return if resource.is_lent { Use::Nothing } else { Use::HandedOn };
        }
        let scope = self.function_scope(function);
        let mut names = vec![parameter];
        for (_, event) in facts.scope_events(scope.id) {
            if let EventKind::Bind { target, value } = event.kind
                && let (Expr::Name(target), Expr::Name(value)) = (facts.expr(target), facts.expr(value))
                && names.contains(&value)
                && !names.contains(&target)
            {
                names.push(target);
            }
        }
        let is_held = |id: ExprId| matches!(facts.expr(id), Expr::Name(name) if names.contains(&name));
        let mut most = Use::Nothing;
        for (id, event) in facts.scope_events(scope.id) {
            // What happens on the way to a `raise` says nothing of what the caller gets back.
            if self.ends_in_raise(function, id, event.context) {
                continue;
            }
            let used = self.local_use(EventRef::new(function.module, id), resource, &is_held, passed);
            if used == Use::HandedOn && resource.is_lent {
                continue;
            }
            most = most.max(used);
            if most == Use::HandedOn {
                return most;
            }
        }
        let is_managed = facts.contexts.iter().any(|context| {
            context.scope == scope.id && matches!(context.kind, ContextKind::With { manager, .. } if is_held(manager))
        });
        if is_managed && is_released_by_with(resource) { most.max(Use::Released) } else { most }
    }

    /// Whether an event stands in a branch whose end is a `raise`.
    fn ends_in_raise(&self, function: FunctionRef, event: EventId, context: ContextId) -> bool {
        let facts = self.facts(function.module);
        let scope = facts.function(function.id).scope;
        let mut next = context;
        while facts.context(next).parent != next && facts.context(next).scope == scope {
            let after = facts.events[event.index()..].iter().take(FEW_EVENTS);
            let mut beside = after.filter(|other| other.context == next);
            if beside.any(|other| matches!(other.kind, EventKind::Raise { .. })) {
                return true;
            }
            next = facts.context(next).parent;
        }
        false
    }

    /// Adds what overrides a method, under the name of the parameter there; not where there is more to it than that.
    fn pass_to_overrides(&self, function: FunctionRef, parameter: Name, passed: &mut Passed) -> bool {
        let Some(class) = self.class_of_method(function) else { return true };
        let facts = self.facts(function.module);
        let own = facts.parameters(facts.function(function.id));
        let Some(place) = own.iter().position(|declared| declared.name == parameter) else { return false };
        let name = self.function(function).name;
        let subclasses = self.subclasses(class);
        for subclass in subclasses.iter() {
            let Some(method) = self.method(*subclass, name) else { return false };
            if method == function {
                continue;
            }
            let its = self.facts(method.module);
            match its.parameters(its.function(method.id)).get(place) {
                Some(its) if its.kind == own[place].kind => passed.push((method, its.name)),
                _ => return false,
            }
        }
        subclasses.len() <= MOST_OVERRIDES
    }

    /// Whether a nested function that is not a getter keeps a variable of this function. Who is given a getter
    /// (`Resolver(get_pool=lambda: pool)`) may ask again and again, and so does not own what it gives.
    pub(super) fn is_captured_to_keep(&self, function: FunctionRef, name: Name, resource: &Resource) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let is_getter = |nested: FunctionRef| {
            let body = facts.function(nested.id).scope;
            let gives_only = facts.scope_events(body).all(
                |(_, event)| matches!(event.kind, EventKind::Return(value) if facts.expr(value) == Expr::Name(name)),
            );
            let lambda = facts.id_of(Expr::Lambda(nested.id)).filter(|_| gives_only);
            lambda.is_some_and(|lambda| {
                let keywords = facts.keywords.iter().filter(|(_, value)| *value == lambda);
                let mut keywords = keywords.peekable();
                keywords.peek().is_some()
                    && keywords.all(|(keyword, _)| keyword.is_some_and(|name| name.as_str().starts_with("get")))
            })
        };
        self.nested_functions(function).any(|nested| {
            self.captures(nested).contains(&(scope, name))
                && !is_getter(nested)
                && !self.is_called_meanwhile(function, nested, name, resource)
        })
    }

    /// `retry(lambda: connection.connect(address))`: a lambda that only uses what a name holds, given to a function of the
    /// project that does no more than to call it.
    fn is_called_meanwhile(&self, function: FunctionRef, nested: FunctionRef, name: Name, resource: &Resource) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let Some(lambda) = facts.id_of(Expr::Lambda(nested.id)) else { return false };
        let is_held = |id: ExprId| facts.expr(id) == Expr::Name(name);
        let body = facts.scope_events(facts.function(nested.id).scope);
        let mut uses = body.map(|(id, _)| self.use_of(EventRef::new(function.module, id), resource, &is_held));
        if !uses.all(|used| used == Use::Nothing) {
            return false;
        }
        let given = facts.scope_events(scope.id).find_map(|(id, event)| match event.kind {
            EventKind::Call(call) if facts.all_arguments(facts.call(call)).any(|given| given == lambda) => {
                Some((EventRef::new(function.module, id), call))
            }
            _ => None,
        });
        let passed = given.and_then(|(event, call)| {
            let callee = self.callee(scope, call)?;
            Some((callee, self.parameter_for(self.call_site(event)?, callee, scope.expr(lambda))?))
        });
        passed.is_some_and(|passed| self.use_by_functions(vec![passed], resource) == Use::Nothing)
    }

    /// Whether a nested function or lambda keeps a variable of this function.
    pub(super) fn is_captured(&self, function: FunctionRef, name: Name) -> bool {
        let scope = self.function_scope(function);
        self.nested_functions(function).any(|nested| self.captures(nested).contains(&(scope, name)))
    }
}
