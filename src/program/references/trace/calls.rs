//! Calls: what is handed over, what the callee does with it, and what comes back.
//!
//! A library's function is what the models say. A project's function is drawn in, as deep as the tracer still looks;
//! a method of an object of unknown class waits for a caller who knows the class.

use super::{DEPTH, MOST_HANDLES, Role, Slot, Target, Tracer, plain};
use crate::facts::{CallId, Constant, EventKind, Expr, NOTHING};
use crate::models::Holds;
use crate::program::names::Definition;
use crate::program::operations::OperationKind;
use crate::program::references::attributes::{is_called_weak, is_data_class};
use crate::program::references::{Arguments, Deferred, Form, Handle, ObjectId, Origin, Strength};
use crate::program::types::Type;
use crate::program::{ClassRef, EventRef, ExprRef, FunctionRef, Program, ScopeRef};
use crate::source::Name;

const MOST_DEFERRED: usize = 24;

/// What the call of a method runs.
#[derive(Clone, Copy)]
pub(super) enum Called {
    Method(FunctionRef),
    /// A class that is an attribute of another.
    Class(ClassRef),
    /// Only a caller may know the class of the object.
    Unknown,
}

impl Tracer<'_> {
    /// What a call gives, and on the first ask what it does to the objects it is handed.
    pub(super) fn result_of(&mut self, scope: ScopeRef, id: CallId) -> Vec<Handle> {
        if let Some(known) = self.results.get(&id) {
            return known.clone();
        }
        // A call inside its own arguments cannot be, but a loop may make it look so.
        self.results.insert(id, Vec::new());
        if self.nesting >= DEPTH {
            return Vec::new();
        }
        self.nesting += 1;
        let result = self.call(scope, id);
        self.nesting -= 1;
        if !result.is_empty() {
            self.results.insert(id, result.clone());
        }
        result
    }

    fn call(&mut self, scope: ScopeRef, id: CallId) -> Vec<Handle> {
        let call = self.facts.call(id);
        let at = Some(call.event);
        let event = self.event(call.event);
        let callee = scope.expr(call.callee);
        match self.program.resolve(callee) {
            Definition::External(path) => return self.external_call(scope, id, path),
            Definition::Class(class) => return self.construct(scope, id, class),
            Definition::Function(_) if !self.looks_into_callees() => return Vec::new(),
            Definition::Function(function) => {
                let is_class_method = self.program.receiver(function).is_some_and(|receiver| receiver.is_class);
                let arguments = self.arguments(scope, id);
                let target = Target { function, receiver: is_class_method.then(Vec::new) };
                return self.inline(&target, &arguments, event, true);
            }
            _ => {}
        }
        if let Type::Class(class) = self.program.type_of(callee) {
            return self.construct(scope, id, class);
        }
        let Expr::Attribute(base, method) = self.facts.expr(call.callee) else { return Vec::new() };
        let base = scope.expr(base);
        if self.program.is_super_call(base) {
            let Some(function) = self.program.callee(scope, id).filter(|_| self.looks_into_callees()) else {
                return Vec::new();
            };
            let receiver = self.receiver_handles();
            let arguments = self.arguments(scope, id);
            return self.inline(&Target { function, receiver: Some(receiver) }, &arguments, event, false);
        }
        let grown = self.container_call(scope, id, base, method);
        let mut results = grown;
        let mut arguments = None;
        for holder in self.value(base, at, DEPTH) {
            if holder.form != Form::Itself {
                continue;
            }
            let Some(called) = self.called(holder.object, method) else { continue };
            let arguments = arguments.get_or_insert_with(|| self.arguments(scope, id));
            results.extend(self.call_method(holder, method, called, arguments, event));
        }
        results.truncate(MOST_HANDLES);
        results
    }

    fn receiver_handles(&mut self) -> Vec<Handle> {
        let outermost = self.program.outermost_function(self.function);
        match self.program.receiver(outermost) {
            Some(receiver) if !receiver.is_class => self.name(self.scope, receiver.name, None, 2),
            _ => Vec::new(),
        }
    }

    /// What the call of a method comes to here; `None` where what it is given does not matter.
    pub(super) fn called(&mut self, receiver: ObjectId, method: Name) -> Option<Called> {
        let Some(class) = self.graph.object(receiver).class else {
            return self.may_be_known_to_callers(receiver).then_some(Called::Unknown);
        };
        match self.program.member_of_class(class, method) {
            Definition::Function(function) => self.looks_into_callees().then_some(Called::Method(function)),
            Definition::Class(class) => Some(Called::Class(class)),
            _ => None,
        }
    }

    /// Whether a caller may know the class of an object that is not known here.
    fn may_be_known_to_callers(&self, object: ObjectId) -> bool {
        match self.graph.object(object).origin {
            Origin::Parameter(_) => true,
            Origin::Attribute(holder, _) => self.may_be_known_to_callers(holder),
            _ => false,
        }
    }

    /// Whether callees are still looked into; to ask is to need it.
    fn looks_into_callees(&mut self) -> bool {
        self.graph.is_cut |= self.calls == 0;
        self.calls > 0
    }

    pub(super) fn call_method(
        &mut self,
        holder: Handle,
        method: Name,
        called: Called,
        arguments: &Arguments,
        event: EventRef,
    ) -> Vec<Handle> {
        match called {
            Called::Unknown => {
                let mut given = arguments.positional.iter().chain(arguments.keywords.iter().map(|(_, h)| h));
                if self.graph.deferred.len() < MOST_DEFERRED && given.any(|handles| !handles.is_empty()) {
                    let arguments = arguments.clone();
                    self.graph.deferred.push(Deferred { receiver: holder.object, method, arguments, event });
                }
                Vec::new()
            }
            Called::Method(function) => {
                let receiver = (!self.program.is_static_method(function)).then(|| vec![holder]);
                self.inline(&Target { function, receiver }, arguments, event, true)
            }
            Called::Class(class) => self.make(class, arguments, event),
        }
    }

    /// `append`, `add`, `setdefault` and the like on a container.
    fn container_call(&mut self, scope: ScopeRef, id: CallId, base: ExprRef, method: Name) -> Vec<Handle> {
        let call = self.facts.call(id);
        let at = Some(call.event);
        let positional: Vec<ExprRef> = self.facts.arguments(call).iter().map(|id| scope.expr(*id)).collect();
        match OperationKind::of_method(method) {
            // What is put in a queue is on its way to whoever takes it out.
            Some(OperationKind::Append) if matches!(method.as_str(), "put" | "put_nowait") => Vec::new(),
            Some(OperationKind::Append | OperationKind::Add) => {
                if let Some(last) = positional.last() {
                    let handles = self.value(*last, at, DEPTH);
                    self.put(base, call.event, &handles, Role::Item);
                }
                Vec::new()
            }
            Some(OperationKind::SetDefault) => {
                if let Some(value) = positional.get(1) {
                    let handles = self.value(*value, at, DEPTH);
                    self.put(base, call.event, &handles, Role::Item);
                }
                self.items(base, at, DEPTH)
            }
            Some(OperationKind::Extend | OperationKind::Update) => {
                for argument in positional {
                    let handles = self.contents(argument, at, DEPTH);
                    self.put(base, call.event, &handles, Role::Item);
                }
                for (_, argument) in self.facts.keyword_arguments(call) {
                    let handles = self.value(scope.expr(*argument), at, DEPTH);
                    self.put(base, call.event, &handles, Role::Item);
                }
                Vec::new()
            }
            None if method.as_str() == "get" => self.items(base, at, DEPTH),
            _ => Vec::new(),
        }
    }

    fn arguments(&mut self, scope: ScopeRef, id: CallId) -> Arguments {
        let call = self.facts.call(id);
        let at = Some(call.event);
        let mut arguments = Arguments::default();
        for argument in self.facts.arguments(call) {
            if matches!(self.facts.expr(*argument), Expr::Starred(_)) {
                break;
            }
            arguments.positional.push(self.value(scope.expr(*argument), at, DEPTH));
        }
        for (name, argument) in self.facts.keyword_arguments(call) {
            if let Some(name) = name {
                arguments.keywords.push((*name, self.value(scope.expr(*argument), at, DEPTH)));
            }
        }
        arguments
    }

    fn construct(&mut self, scope: ScopeRef, id: CallId, class: ClassRef) -> Vec<Handle> {
        let is_needed = self.calls > 0 || self.program.method(class, self.program.words.init).is_none();
        let arguments = if is_needed { self.arguments(scope, id) } else { Arguments::default() };
        self.make(class, &arguments, self.event(self.facts.call(id).event))
    }

    fn make(&mut self, class: ClassRef, arguments: &Arguments, event: EventRef) -> Vec<Handle> {
        let made = plain(self.intern(Origin::Made(event), Some(class)));
        match self.program.method(class, self.program.words.init) {
            Some(function) => {
                self.inline(&Target { function, receiver: Some(vec![made]) }, arguments, event, true);
            }
            None => self.fill_fields(class, made.object, arguments),
        }
        vec![made]
    }

    /// The generated constructor of a data class stores each argument under the name of its field.
    fn fill_fields(&mut self, class: ClassRef, made: ObjectId, arguments: &Arguments) {
        if !is_data_class(self.program, class) {
            return;
        }
        let scope = self.program.class_scope(class);
        let facts = self.program.facts(class.module);
        let mut position = 0;
        for (id, event) in facts.scope_events(scope.id) {
            let EventKind::Annotate { target, .. } = event.kind else { continue };
            let Expr::Name(name) = facts.expr(target) else { continue };
            if facts.scope_of(event) != scope.id {
                continue;
            }
            let by_keyword = arguments.keywords.iter().find(|(keyword, _)| *keyword == name).map(|(_, h)| h);
            let handles = by_keyword.or(arguments.positional.get(position)).cloned().unwrap_or_default();
            position += 1;
            for handle in handles {
                let slot = Slot { holder: made, via: Some(name) };
                self.refer(slot, Role::Attribute, handle, EventRef::new(class.module, id));
            }
        }
    }

    fn external_call(&mut self, scope: ScopeRef, id: CallId, path: Name) -> Vec<Handle> {
        let call = self.facts.call(id);
        let event = self.event(call.event);
        match path.as_str() {
            "super" => return self.receiver_handles(),
            "setattr" | "object.__setattr__" => {
                if let [target, name, value] = *self.facts.arguments(call)
                    && let Expr::Constant(Constant::Word(name)) = self.facts.expr(name)
                {
                    let handles = self.value(scope.expr(value), Some(call.event), DEPTH);
                    self.store(scope.expr(target), name, call.event, &handles);
                }
                return Vec::new();
            }
            "typing.cast" => {
                let value = self.facts.arguments(call).get(1).copied().unwrap_or(NOTHING);
                return self.value(scope.expr(value), Some(call.event), DEPTH);
            }
            _ => {}
        }
        if !may_give_back(self.program, path) {
            let last = path.as_str().rsplit('.').next().unwrap_or_default();
            let is_class = last.starts_with(|first: char| first.is_ascii_uppercase());
            return if is_class { vec![plain(self.intern(Origin::Made(event), None))] } else { Vec::new() };
        }
        let model = self.program.models.weak(path);
        let keeps = self.program.models.keeps(path);
        let keyword = |name: Name| {
            let mut given = self.facts.keyword_arguments(call).iter();
            given.any(|(word, value)| *word == Some(name) && self.facts.expr(*value) != Expr::Constant(Constant::False))
        };
        let keeps_first_weakly = keeps.and_then(|keeps| keeps.weak_if).is_some_and(keyword);
        let is_weak = model.is_some() || is_called_weak(path);
        let container = self.program.models.container(path);
        let arguments = self.arguments(scope, id);
        let mut handles = Vec::new();
        let weak_position = model.map_or(0, |model| model.position as usize);
        for (position, argument) in arguments.positional.iter().enumerate() {
            let weakly = (is_weak || keeps_first_weakly) && position == weak_position;
            handles.extend(argument.iter().map(|handle| Handle {
                object: handle.object,
                form: if container.is_some() { Form::Item } else { Form::Argument },
                strength: if weakly { Strength::Weak } else { handle.strength },
            }));
        }
        if !is_weak {
            handles.extend(arguments.keywords.iter().flat_map(|(_, handles)| handles).copied());
        }
        if container.is_some_and(|container| container.holds != Holds::Strong) {
            handles.clear();
        }
        handles.truncate(MOST_HANDLES);
        handles
    }
}

/// Whether what a library's function gives may keep what it is given.
pub(in crate::program) fn may_give_back(program: &Program, path: Name) -> bool {
    let models = program.models;
    matches!(path.as_str(), "super" | "typing.cast")
        || is_called_weak(path)
        || models.weak(path).is_some()
        || models.keeps(path).is_some()
        || models.container(path).is_some()
}
