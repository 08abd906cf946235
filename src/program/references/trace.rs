//! Draws a function's graph: evaluates what it stores, in terms of the objects that it knows.
//!
//! Expressions become handles on objects: `self`, `Child(self)`, `self.child`, a bound method, a closure, a weak
//! reference. Locals are followed to the bindings that may reach the place where they are read, so that a name
//! used for two objects in turn does not link them.

use std::sync::{Arc, PoisonError};

use rustc_hash::FxHashMap;

use super::captures::{captured, defaults};
use super::{Arguments, Deferred, Form, Handle, Object, ObjectGraph, ObjectId, Origin, Reference, Strength};
use crate::facts::{
    CallId, ComprehensionKind, Constant, ContextId, DisplayKind, EventId, EventKind, Expr, ExprId, FileFacts, NOTHING,
    Operator, ParameterKind, ScopeKind,
};
use crate::models::Holds;
use crate::program::names::Definition;
use crate::program::operations::OperationKind;
use crate::program::types::Type;
use crate::program::{ClassRef, EventRef, ExprRef, FunctionRef, Place, Program, ScopeRef};
use crate::source::Name;

/// How far a value is followed through names, attributes and operators.
const DEPTH: u32 = 10;
/// How far the variables of a closure are followed, all of them.
const CLOSURE_DEPTH: u32 = 5;
/// More than this is no longer a graph that a function has in its hands.
const MOST_REFERENCES: usize = 240;
const MOST_OBJECTS: usize = 400;
const MOST_HANDLES: usize = 6;
const MOST_DEFERRED: usize = 24;

pub(super) fn trace(program: &Program, function: FunctionRef, calls: u8) -> ObjectGraph {
    let mut tracer = Tracer {
        program,
        facts: program.facts(function.module),
        function,
        scope: program.function_scope(function),
        calls,
        graph: ObjectGraph::default(),
        numbers: FxHashMap::default(),
        results: FxHashMap::default(),
        nesting: 0,
        through: None,
    };
    tracer.run();
    tracer.graph
}

struct Tracer<'p> {
    program: &'p Program<'p>,
    facts: &'p FileFacts,
    function: FunctionRef,
    scope: ScopeRef,
    /// How many calls deep callees are still looked into.
    calls: u8,
    graph: ObjectGraph,
    numbers: FxHashMap<Origin, ObjectId>,
    results: FxHashMap<CallId, Vec<Handle>>,
    /// How many calls are being evaluated, each for the sake of the one before.
    nesting: u32,
    /// The call whose callee's references are being drawn.
    through: Option<EventRef>,
}

/// What a call runs, and what it hands over as the receiver.
struct Target {
    function: FunctionRef,
    receiver: Option<Vec<Handle>>,
}

/// Where in a container something is put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Attribute,
    Key,
    Item,
}

/// A container, by what holds it.
#[derive(Clone, Copy)]
struct Slot {
    holder: ObjectId,
    via: Option<Name>,
}

impl<'p> Tracer<'p> {
    fn run(&mut self) {
        let undecorated = self.facts.function(self.function.id).decorators.len == 0;
        let gives_values = undecorated || self.program.is_property(self.function) || self.is_plain_decorated();
        for (id, event) in self.facts.scope_events(self.scope.id) {
            let scope = ScopeRef::new(self.scope.module, self.facts.scope_of(event));
            match event.kind {
                EventKind::Call(call) => {
                    self.result_of(scope, call);
                }
                EventKind::Bind { target, value } => self.bind(scope, id, target, value),
                EventKind::Augment { target, operator: Operator::Add | Operator::BitOr, value } => {
                    let handles = self.contents(scope.expr(value), Some(id), DEPTH);
                    self.put(scope.expr(target), id, &handles, Role::Item);
                }
                EventKind::Return(value) if gives_values && !self.facts.function(self.function.id).is_generator => {
                    for handle in self.value(scope.expr(value), Some(id), DEPTH) {
                        if self.graph.returns.len() < MOST_HANDLES && !self.graph.returns.contains(&handle) {
                            self.graph.returns.push(handle);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn is_plain_decorated(&self) -> bool {
        self.program.is_static_method(self.function) || self.program.is_class_method(self.function)
    }

    fn bind(&mut self, scope: ScopeRef, id: EventId, target: ExprId, value: ExprId) {
        match self.facts.expr(target) {
            Expr::Attribute(base, name) => {
                let handles = self.value(scope.expr(value), Some(id), DEPTH);
                self.store(scope.expr(base), name, id, &handles);
            }
            Expr::Subscript(base, key) => {
                let handles = self.value(scope.expr(value), Some(id), DEPTH);
                self.put(scope.expr(base), id, &handles, Role::Item);
                let keys = self.value(scope.expr(key), Some(id), DEPTH);
                self.put(scope.expr(base), id, &keys, Role::Key);
            }
            Expr::Name(_) if self.is_container(scope.expr(value)) => {
                let event = EventRef::new(self.scope.module, id);
                let container = self.intern(Origin::Container(event), None);
                for handle in self.contents(scope.expr(value), Some(id), DEPTH) {
                    self.refer(Slot { holder: container, via: None }, Role::Item, handle, event);
                }
            }
            _ => {}
        }
    }

    fn is_container(&self, value: ExprRef) -> bool {
        let is_strong = |c: crate::program::containers::Container| c.holds == Holds::Strong;
        matches!(self.program.expr(value), Expr::Display(DisplayKind::Tuple, _))
            || self.program.container_made_by(value).is_some_and(is_strong)
    }

    /// `base.name = handles`
    fn store(&mut self, base: ExprRef, name: Name, id: EventId, handles: &[Handle]) {
        if handles.is_empty() {
            return;
        }
        for holder in self.value(base, Some(id), DEPTH) {
            if holder.form == Form::Itself {
                for handle in handles {
                    let slot = Slot { holder: holder.object, via: Some(name) };
                    self.refer(slot, Role::Attribute, *handle, EventRef::new(self.scope.module, id));
                }
            }
        }
    }

    /// The container that `base` speaks of gets one more item.
    fn put(&mut self, base: ExprRef, id: EventId, handles: &[Handle], role: Role) {
        if handles.is_empty() {
            return;
        }
        for slot in self.slots(base, Some(id), DEPTH) {
            for handle in handles {
                self.refer(slot, role, *handle, EventRef::new(self.scope.module, id));
            }
        }
    }

    /// The containers that an expression speaks of: `self.children`, `self.by_kind[kind]`, a local list.
    fn slots(&mut self, expr: ExprRef, at: Option<EventId>, depth: u32) -> Vec<Slot> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        match self.program.expr(expr) {
            Expr::Attribute(base, name) => {
                let holders = self.value(expr.scope.expr(base), at, depth);
                let holders = holders.into_iter().filter(|holder| holder.form == Form::Itself);
                holders.map(|holder| Slot { holder: holder.object, via: Some(name) }).collect()
            }
            Expr::Subscript(base, _) | Expr::Element(base) => self.slots(expr.scope.expr(base), at, depth),
            Expr::Call(call) => {
                let callee = self.facts.call(call).callee;
                match self.facts.expr(callee) {
                    Expr::Attribute(base, name) if matches!(name.as_str(), "get" | "setdefault" | "values") => {
                        self.slots(expr.scope.expr(base), at, depth)
                    }
                    _ => Vec::new(),
                }
            }
            Expr::Name(name) => {
                let Some(holder) = self.program.holding_scope(expr.scope, name) else { return Vec::new() };
                if !self.is_own(holder) {
                    return Vec::new();
                }
                let mut slots = Vec::new();
                for event in self.reaching(holder, name, at) {
                    let here = self.program.event_scope(EventRef::new(holder.module, event));
                    match self.facts.event(event).kind {
                        EventKind::Bind { value, .. } if self.is_container(here.expr(value)) => {
                            let origin = Origin::Container(EventRef::new(holder.module, event));
                            slots.push(Slot { holder: self.intern(origin, None), via: None });
                        }
                        EventKind::Bind { value, .. } => slots.extend(self.slots(here.expr(value), Some(event), depth)),
                        EventKind::BindElement { iterable, .. } => {
                            slots.extend(self.slots(here.expr(iterable), Some(event), depth));
                        }
                        _ => {}
                    }
                }
                slots.truncate(MOST_HANDLES);
                slots
            }
            _ => Vec::new(),
        }
    }

    /// The function's own scope, or a comprehension inside it.
    fn is_own(&self, scope: ScopeRef) -> bool {
        self.program.enclosing_function(scope) == Some(self.function)
    }

    /// The objects that a value keeps.
    fn value(&mut self, expr: ExprRef, at: Option<EventId>, depth: u32) -> Vec<Handle> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let mut handles = match self.facts.expr(expr.id) {
            Expr::Name(name) => self.name(expr.scope, name, at, depth),
            Expr::Attribute(base, name) => self.attribute(expr, expr.scope.expr(base), name, at, depth),
            Expr::Call(call) => self.result_of(expr.scope, call),
            Expr::Await(inner) => self.value(expr.scope.expr(inner), at, depth),
            Expr::Or(run) | Expr::And(run) => self.values(expr.scope, run.range(), at, depth),
            Expr::Conditional(run) => self.values(expr.scope, run.range().start + 1..run.range().end, at, depth),
            Expr::Subscript(base, _) | Expr::Element(base) => self.items(expr.scope.expr(base), at, depth),
            Expr::Lambda(function) => self.closure(FunctionRef::new(self.scope.module, function), at, depth),
            Expr::Display(..) | Expr::Comprehension(..) => self.contents(expr, at, depth),
            _ => Vec::new(),
        };
        handles.truncate(MOST_HANDLES);
        handles
    }

    fn values(
        &mut self,
        scope: ScopeRef,
        range: std::ops::Range<usize>,
        at: Option<EventId>,
        depth: u32,
    ) -> Vec<Handle> {
        range.flat_map(|index| self.value(scope.expr(self.facts.lists[index]), at, depth)).collect()
    }

    /// What a container holds that is made on the spot, as items of it.
    fn contents(&mut self, expr: ExprRef, at: Option<EventId>, depth: u32) -> Vec<Handle> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let mut handles = match self.facts.expr(expr.id) {
            Expr::Display(_, run) => self.values(expr.scope, run.range(), at, depth),
            Expr::Comprehension(kind, scope) if kind != ComprehensionKind::Generator => {
                let scope = ScopeRef::new(expr.scope.module, scope);
                let elements: Vec<(EventId, ExprId)> = self
                    .facts
                    .scope_events(scope.id)
                    .filter(|(_, event)| self.facts.scope_of(event) == scope.id)
                    .filter_map(|(id, event)| match event.kind {
                        EventKind::Yield(element) => Some((id, element)),
                        _ => None,
                    })
                    .collect();
                elements
                    .into_iter()
                    .flat_map(|(id, element)| self.value(scope.expr(element), Some(id), DEPTH))
                    .collect()
            }
            // A generator holds what it runs over only until it is used up.
            Expr::Comprehension(..) => return Vec::new(),
            _ => return self.value(expr, at, depth),
        };
        handles.iter_mut().filter(|handle| handle.form == Form::Itself).for_each(|handle| handle.form = Form::Item);
        handles
    }

    /// The items of a container that is read.
    fn items(&mut self, container: ExprRef, at: Option<EventId>, depth: u32) -> Vec<Handle> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        match self.facts.expr(container.id) {
            Expr::Attribute(base, name) => {
                let mut handles = Vec::new();
                for holder in self.value(container.scope.expr(base), at, depth) {
                    if holder.form == Form::Itself && self.is_known_container(holder.object, name) {
                        handles.push(plain(self.intern(Origin::Item(holder.object, name), None)));
                    }
                }
                handles
            }
            Expr::Call(call) => {
                let call = self.facts.call(call);
                match self.facts.expr(call.callee) {
                    Expr::Attribute(base, name) if matches!(name.as_str(), "values" | "copy") => {
                        self.items(container.scope.expr(base), at, depth)
                    }
                    Expr::Name(name)
                        if matches!(name.as_str(), "list" | "tuple" | "set" | "sorted" | "reversed")
                            && call.arguments.len == 1 =>
                    {
                        let first = self.facts.arguments(call).first().copied().unwrap_or(NOTHING);
                        self.items(container.scope.expr(first), at, depth)
                    }
                    _ => Vec::new(),
                }
            }
            Expr::Display(_, run) => self.values(container.scope, run.range(), at, depth),
            Expr::Name(name) => {
                let Some(holder) = self.program.holding_scope(container.scope, name) else { return Vec::new() };
                if !self.is_own(holder) {
                    return Vec::new();
                }
                let mut handles = Vec::new();
                for event in self.reaching(holder, name, at) {
                    if let EventKind::Bind { value, .. } = self.facts.event(event).kind {
                        let here = self.program.event_scope(EventRef::new(holder.module, event));
                        handles.extend(self.items(here.expr(value), Some(event), depth));
                    }
                }
                handles
            }
            _ => Vec::new(),
        }
    }

    fn is_known_container(&self, holder: ObjectId, name: Name) -> bool {
        let Some(class) = self.graph.object(holder).class else { return false };
        self.program.attribute(class, name).holds == Some(Holds::Strong)
    }

    fn name(&mut self, scope: ScopeRef, name: Name, at: Option<EventId>, depth: u32) -> Vec<Handle> {
        let Some(holder) = self.program.holding_scope(scope, name) else { return Vec::new() };
        if !self.is_own(holder) {
            return self.enclosing_variable(holder, name);
        }
        let mut handles = Vec::new();
        let bindings = self.reaching(holder, name, at);
        if self.program.is_parameter(holder, name) && !self.is_rebound_before(holder, &bindings, at) {
            handles.push(plain(self.parameter(name)));
        }
        for event in bindings {
            let here = self.program.event_scope(EventRef::new(holder.module, event));
            match self.facts.event(event).kind {
                EventKind::Bind { value, .. } if self.is_container(here.expr(value)) => {
                    let origin = Origin::Container(EventRef::new(holder.module, event));
                    handles.push(plain(self.intern(origin, None)));
                }
                EventKind::Bind { value, .. } => handles.extend(self.value(here.expr(value), Some(event), depth)),
                EventKind::BindElement { iterable, .. } => {
                    handles.extend(self.items(here.expr(iterable), Some(event), depth));
                }
                EventKind::BindManager { manager, .. } => {
                    handles.extend(self.entered(here.expr(manager), event, depth));
                }
                EventKind::Define(function) => {
                    handles.extend(self.closure(FunctionRef::new(holder.module, function), None, depth));
                }
                _ => {}
            }
        }
        handles.dedup();
        handles
    }

    fn enclosing_variable(&mut self, holder: ScopeRef, name: Name) -> Vec<Handle> {
        let is_function = matches!(self.facts.scope(holder.id).kind, ScopeKind::Function(_) | ScopeKind::Lambda(_));
        if !is_function || holder.module != self.scope.module {
            return Vec::new();
        }
        let class = self.program.receiver_named(holder, name).filter(|receiver| !receiver.is_class);
        let Some(class) = class.map(|receiver| receiver.class) else { return Vec::new() };
        vec![plain(self.intern(Origin::Enclosing(holder, name), Some(class)))]
    }

    fn parameter(&mut self, name: Name) -> ObjectId {
        let class = match self.program.receiver_named(self.scope, name) {
            Some(receiver) => (!receiver.is_class).then_some(receiver.class),
            None => self.annotated_class(name),
        };
        self.intern(Origin::Parameter(name), class)
    }

    fn annotated_class(&self, name: Name) -> Option<ClassRef> {
        let parameters = self.facts.parameters(self.facts.function(self.function.id));
        let parameter = parameters.iter().find(|parameter| parameter.name == name)?;
        let scope = self.program.defining_scope(self.function);
        match self.program.type_of_annotation(scope.expr(parameter.annotation), 6) {
            Type::Instance(class) => Some(class),
            _ => None,
        }
    }

    /// What `with manager as name` binds.
    fn entered(&mut self, manager: ExprRef, event: EventId, depth: u32) -> Vec<Handle> {
        let managers = self.value(manager, Some(event), depth);
        let mut handles = Vec::new();
        for handle in managers {
            let enter = self.graph.object(handle.object).class.and_then(|class| {
                ["__enter__", "__aenter__"].iter().find_map(|name| self.program.method(class, Name::new(name)))
            });
            if let Some(function) = enter {
                let target = Target { function, receiver: Some(vec![handle]) };
                let event = EventRef::new(self.scope.module, event);
                handles.extend(self.inline(&target, &Arguments::default(), event, true));
            }
        }
        handles
    }

    /// The bindings of a variable that may reach a place; all of them where the place is not known.
    fn reaching(&self, holder: ScopeRef, name: Name, at: Option<EventId>) -> Vec<EventId> {
        let all = self.program.module(holder.module).bindings_of(holder.id, name);
        let Some(at) = at else { return all.take(MOST_HANDLES).collect() };
        let around = self.contexts_around(at);
        let mut reaching = Vec::new();
        for event in all.clone().take_while(|event| *event < at) {
            if matches!(self.facts.event(event).kind, EventKind::Annotate { .. }) {
                continue;
            }
            if around.contains(&self.facts.event(event).context) {
                reaching.clear();
            }
            reaching.push(event);
        }
        if reaching.is_empty() && !self.program.is_parameter(holder, name) {
            return all.take(MOST_HANDLES).collect();
        }
        reaching
    }

    fn is_rebound_before(&self, holder: ScopeRef, bindings: &[EventId], at: Option<EventId>) -> bool {
        let Some(at) = at else { return false };
        let around = self.contexts_around(at);
        bindings.first().is_some_and(|first| {
            let event = self.facts.event(*first);
            holder.id == self.facts.scope_of(event) && around.contains(&event.context)
        })
    }

    fn contexts_around(&self, at: EventId) -> Vec<ContextId> {
        let mut around = vec![self.facts.event(at).context];
        let mut id = self.facts.event(at).context;
        while self.facts.context(id).parent != id {
            id = self.facts.context(id).parent;
            around.push(id);
        }
        around
    }

    fn attribute(&mut self, whole: ExprRef, base: ExprRef, name: Name, at: Option<EventId>, depth: u32) -> Vec<Handle> {
        let mut handles = Vec::new();
        for holder in self.value(base, at, depth) {
            if holder.form != Form::Itself {
                continue;
            }
            let Some(class) = self.graph.object(holder.object).class else {
                handles.push(Handle { object: self.intern(Origin::Attribute(holder.object, name), None), ..holder });
                continue;
            };
            match self.program.member_of_class(class, name) {
                Definition::Function(function) => match self.program.method_kind(class, name, function) {
                    MethodKind::Plain => handles.push(Handle { form: Form::BoundMethod, ..holder }),
                    MethodKind::Getter(getter) => {
                        let event = at.unwrap_or(EventId(0));
                        let target = Target { function: getter, receiver: Some(vec![holder]) };
                        handles.extend(self.inline(&target, &Arguments::default(), self.event(event), true));
                    }
                    MethodKind::Other => {}
                },
                Definition::Class(_) => {}
                _ => {
                    let class = self.program.attribute(class, name).class;
                    handles
                        .push(Handle { object: self.intern(Origin::Attribute(holder.object, name), class), ..holder });
                }
            }
        }
        let _ = whole;
        handles
    }

    fn event(&self, id: EventId) -> EventRef {
        EventRef::new(self.scope.module, id)
    }

    /// What a function object keeps: the variables it captures and its defaults.
    fn closure(&mut self, function: FunctionRef, at: Option<EventId>, depth: u32) -> Vec<Handle> {
        let Some(depth) = depth.min(CLOSURE_DEPTH).checked_sub(1) else { return Vec::new() };
        let mut handles = Vec::new();
        for (holder, name) in captured(self.program, function) {
            if self.is_own(holder) {
                handles.extend(self.name(holder, name, None, depth));
            } else {
                handles.extend(self.enclosing_variable(holder, name));
            }
        }
        for default in defaults(self.program, function) {
            handles.extend(self.value(default, at, depth));
        }
        handles.iter_mut().for_each(|handle| handle.form = Form::Captured);
        handles
    }

    /// What a call gives, and on the first ask what it does to the objects it is handed.
    fn result_of(&mut self, scope: ScopeRef, id: CallId) -> Vec<Handle> {
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
        self.results.insert(id, result.clone());
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
            let receiver = self.receiver_handles();
            let Some(function) = self.program.callee(scope, id) else { return Vec::new() };
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
            let arguments = arguments.get_or_insert_with(|| self.arguments(scope, id)).clone();
            results.extend(self.call_method(holder, method, arguments, event));
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

    fn call_method(&mut self, holder: Handle, method: Name, arguments: Arguments, event: EventRef) -> Vec<Handle> {
        let Some(class) = self.graph.object(holder.object).class else {
            let says_anything = arguments.positional.iter().chain(arguments.keywords.iter().map(|(_, h)| h));
            if self.graph.deferred.len() < MOST_DEFERRED && says_anything.clone().any(|handles| !handles.is_empty()) {
                self.graph.deferred.push(Deferred { receiver: holder.object, method, arguments, event });
            }
            return Vec::new();
        };
        match self.program.member_of_class(class, method) {
            Definition::Function(function) => {
                let receiver = (!self.program.is_static_method(function)).then(|| vec![holder]);
                self.inline(&Target { function, receiver }, &arguments, event, true)
            }
            Definition::Class(class) => self.make(class, &arguments, event),
            _ => Vec::new(),
        }
    }

    /// `append`, `add`, `setdefault` and the like on a container.
    fn container_call(&mut self, scope: ScopeRef, id: CallId, base: ExprRef, method: Name) -> Vec<Handle> {
        let call = self.facts.call(id);
        let at = Some(call.event);
        let positional: Vec<ExprRef> = self.facts.arguments(call).iter().map(|id| scope.expr(*id)).collect();
        match OperationKind::of_method(method) {
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
        let arguments = self.arguments(scope, id);
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
        let model = self.program.models.weak(path);
        let is_weak = model.is_some() || path.as_str().to_ascii_lowercase().contains("weak");
        let container = self.program.models.container(path);
        let keeps = matches!(path.as_str(), "functools.partial" | "types.MethodType" | "functools.partialmethod");
        if is_weak || keeps || container.is_some() {
            let arguments = self.arguments(scope, id);
            let mut handles = Vec::new();
            let weak_position = model.map_or(0, |model| model.position as usize);
            for (position, argument) in arguments.positional.iter().enumerate() {
                let weakly = is_weak && position == weak_position;
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
            return handles;
        }
        let last = path.as_str().rsplit('.').next().unwrap_or_default();
        if last.starts_with(|first: char| first.is_ascii_uppercase()) {
            return vec![plain(self.intern(Origin::Made(event), None))];
        }
        Vec::new()
    }

    /// Draws what a callee does with the objects it is handed, and gives what it returns.
    fn inline(&mut self, target: &Target, arguments: &Arguments, event: EventRef, is_call: bool) -> Vec<Handle> {
        let Some(calls) = self.calls.checked_sub(1) else { return Vec::new() };
        let graph = self.program.object_graph_within(target.function, calls);
        if graph.references.is_empty() && graph.returns.is_empty() && graph.deferred.is_empty() {
            return Vec::new();
        }
        let given = self.bind_parameters(target, arguments);
        let around = self.through;
        if is_call {
            self.through = self.through.or(Some(event));
        }
        let results = Inlining { tracer: self, graph, given, event, known: FxHashMap::default() }.run();
        self.through = around;
        results
    }

    /// What each parameter of the callee is given.
    fn bind_parameters(&self, target: &Target, arguments: &Arguments) -> FxHashMap<Name, Vec<Handle>> {
        let facts = self.program.facts(target.function.module);
        let mut given: FxHashMap<Name, Vec<Handle>> = FxHashMap::default();
        let receiver = target.receiver.iter();
        let mut positional = receiver.chain(&arguments.positional);
        for parameter in facts.parameters(facts.function(target.function.id)) {
            match parameter.kind {
                ParameterKind::PositionalOnly | ParameterKind::Positional => {
                    if let Some(handles) = positional.next() {
                        given.insert(parameter.name, handles.clone());
                    }
                }
                _ => break,
            }
        }
        for (name, handles) in &arguments.keywords {
            given.entry(*name).or_insert_with(|| handles.clone());
        }
        given
    }

    fn intern(&mut self, origin: Origin, class: Option<ClassRef>) -> ObjectId {
        if let Some(known) = self.numbers.get(&origin) {
            return *known;
        }
        let id = ObjectId(self.graph.objects.len() as u32);
        self.graph.objects.push(Object { origin, class });
        self.numbers.insert(origin, id);
        if self.graph.objects.len() < MOST_OBJECTS {
            self.conclude_reference(id, origin);
        }
        id
    }

    /// Whatever is read from an attribute is held there, unless weakly.
    fn conclude_reference(&mut self, to: ObjectId, origin: Origin) {
        let (from, via, is_item) = match origin {
            Origin::Attribute(from, via) => (from, via, false),
            Origin::Item(from, via) => (from, via, true),
            _ => return,
        };
        let Some(class) = self.graph.object(from).class else { return };
        let event =
            if is_item { growth_of(self.program, class, via) } else { self.program.attribute(class, via).store };
        if let Some(event) = event {
            self.graph.references.push(Reference {
                from,
                to,
                via: Some(via),
                is_item,
                form: Form::Itself,
                strength: Strength::Strong,
                event,
                is_seen: false,
                is_certain: true,
                through: self.through,
            });
        }
    }

    fn refer(&mut self, slot: Slot, role: Role, handle: Handle, event: EventRef) {
        if self.graph.references.len() >= MOST_REFERENCES {
            return;
        }
        let mut reference = Reference {
            from: slot.holder,
            to: handle.object,
            via: slot.via,
            is_item: role != Role::Attribute,
            form: handle.form,
            strength: handle.strength,
            event,
            is_seen: true,
            is_certain: true,
            through: self.through,
        };
        if let Some(via) = slot.via {
            match (self.graph.object(slot.holder).class, role) {
                (None, _) => reference.is_certain = false,
                (Some(class), Role::Attribute) => match self.attribute_kind(class, via) {
                    AttributeKind::Plain => {}
                    AttributeKind::Weak => reference.strength = Strength::Weak,
                    AttributeKind::Unknown => reference.is_certain = false,
                    AttributeKind::Setter(setter) => return self.set(setter, slot.holder, handle, event),
                    AttributeKind::Computed => return,
                },
                (Some(class), role) => match self.program.attribute(class, via).holds {
                    Some(Holds::Strong) => {}
                    Some(Holds::WeakKey) if role == Role::Item => {}
                    Some(Holds::WeakValue) if role == Role::Key => {}
                    Some(_) => reference.strength = Strength::Weak,
                    None => return,
                },
            }
        }
        let same = |known: &Reference| {
            (known.from, known.to, known.via, known.event) == (reference.from, reference.to, reference.via, event)
        };
        match self.graph.references.iter_mut().find(|known| same(known)) {
            Some(known) => {
                known.through = known.through.and(reference.through);
                known.strength = known.strength.max(reference.strength);
            }
            None => self.graph.references.push(reference),
        }
    }

    fn set(&mut self, setter: FunctionRef, holder: ObjectId, handle: Handle, event: EventRef) {
        let target = Target { function: setter, receiver: Some(vec![plain(holder)]) };
        let arguments = Arguments { positional: vec![vec![handle]], keywords: Vec::new() };
        self.inline(&target, &arguments, event, true);
    }

    fn attribute_kind(&self, class: ClassRef, name: Name) -> AttributeKind {
        match self.program.member_of_class(class, name) {
            Definition::Function(function) => match setter(self.program, class, name) {
                Some(setter) => AttributeKind::Setter(setter),
                None if self.program.decorators(function).next().is_none() => AttributeKind::Plain,
                None => AttributeKind::Computed,
            },
            Definition::Variable(scope, name) => {
                let (values, _) = self.program.bound_values(scope, name);
                let made = values.iter().find_map(|(_, value)| match self.program.expr(*value) {
                    Expr::Call(_) => Some(self.program.callee_or_self(*value)),
                    _ => None,
                });
                match made.map(|callee| self.program.resolve(callee)) {
                    None => AttributeKind::Plain,
                    Some(Definition::External(path)) if is_called_weak(path) => AttributeKind::Weak,
                    Some(Definition::Class(class)) if is_called_weak(self.program.class(class).name) => {
                        AttributeKind::Weak
                    }
                    Some(Definition::Class(class)) if self.program.method(class, Name::new("__set__")).is_some() => {
                        AttributeKind::Computed
                    }
                    Some(_) => AttributeKind::Unknown,
                }
            }
            _ => AttributeKind::Plain,
        }
    }
}

enum AttributeKind {
    Plain,
    /// A descriptor that says it is weak.
    Weak,
    /// A descriptor, perhaps.
    Unknown,
    Setter(FunctionRef),
    /// A property that cannot be set, or a descriptor with a life of its own.
    Computed,
}

fn is_called_weak(name: Name) -> bool {
    name.as_str().to_ascii_lowercase().contains("weak")
}

fn plain(object: ObjectId) -> Handle {
    Handle { object, form: Form::Itself, strength: Strength::Strong }
}

/// What reading a method from an instance gives.
enum MethodKind {
    /// The method, bound to the instance.
    Plain,
    /// What this function returns.
    Getter(FunctionRef),
    /// A function without the instance, or what nobody knows.
    Other,
}

impl Program<'_> {
    fn method_kind(&self, class: ClassRef, name: Name, function: FunctionRef) -> MethodKind {
        if let Some(getter) = accessor(self, class, name, |decorator| self.is_property(decorator)) {
            return MethodKind::Getter(getter);
        }
        if self.receiver(function).is_none_or(|receiver| receiver.is_class) {
            return MethodKind::Other;
        }
        let facts = self.facts(function.module);
        let is_plain = facts.list(facts.function(function.id).decorators).iter().all(|decorator| {
            let callee = self.callee_or_self(self.defining_scope(function).expr(*decorator));
            match self.expr(callee) {
                Expr::Name(word) | Expr::Attribute(_, word) => !is_called_computed(word),
                _ => false,
            }
        });
        if is_plain { MethodKind::Plain } else { MethodKind::Other }
    }
}

/// The names of decorators that make an attribute of a method.
fn is_called_computed(decorator: Name) -> bool {
    const PARTS: &[&str] =
        &["property", "prop", "lazy", "cached", "reify", "attr", "setter", "getter", "deleter", "memo"];
    let word = decorator.as_str().to_ascii_lowercase();
    PARTS.iter().any(|part| word.contains(part))
}

fn is_data_class(program: &Program, class: ClassRef) -> bool {
    let facts = program.facts(class.module);
    let declared = facts.class(class.id);
    let scope = ScopeRef::new(class.module, facts.context(declared.context).scope);
    facts.list(declared.decorators).iter().any(|decorator| {
        let callee = program.callee_or_self(scope.expr(*decorator));
        matches!(program.resolve(callee), Definition::External(path) if matches!(path.as_str(),
            "dataclasses.dataclass" | "attr.s" | "attr.attrs" | "attr.dataclass" | "attr.define" | "attr.mutable"
            | "attr.frozen" | "attrs.define" | "attrs.mutable" | "attrs.frozen"))
    })
}

/// The function that `@name.setter` decorates.
fn setter(program: &Program, class: ClassRef, name: Name) -> Option<FunctionRef> {
    accessor(program, class, name, |function| {
        let facts = program.facts(function.module);
        facts
            .list(facts.function(function.id).decorators)
            .iter()
            .any(|decorator| matches!(facts.expr(*decorator), Expr::Attribute(_, word) if word.as_str() == "setter"))
    })
}

/// One of the functions of a name in the first class that has the name.
fn accessor(
    program: &Program,
    class: ClassRef,
    name: Name,
    is_wanted: impl Fn(FunctionRef) -> bool,
) -> Option<FunctionRef> {
    let Some(Place::Class(owner, _)) = program.class_place(class, name) else { return None };
    let scope = program.class_scope(owner);
    let module = program.module(scope.module);
    module.bindings_of(scope.id, name).find_map(|event| match module.facts().event(event).kind {
        EventKind::Define(function) => {
            Some(FunctionRef::new(scope.module, function)).filter(|function| is_wanted(*function))
        }
        _ => None,
    })
}

/// What the source tells of an attribute of a class's instances.
#[derive(Clone, Copy)]
pub(super) struct Attribute {
    /// The class of what is in it.
    class: Option<ClassRef>,
    /// Where it is given something that it then keeps.
    store: Option<EventRef>,
    /// How the container in it holds its items; `None` where it is not known to be one.
    holds: Option<Holds>,
}

impl Program<'_> {
    fn attribute(&self, class: ClassRef, name: Name) -> Attribute {
        let known = &self.references.attributes;
        if let Some(attribute) = known.read().unwrap_or_else(PoisonError::into_inner).get(&(class, name)) {
            return *attribute;
        }
        let held = match self.type_of_member(class, name, 6) {
            Type::Instance(class) => Some(class),
            _ => None,
        };
        let store = strong_store(self, class, name);
        let attribute = Attribute { class: held, store, holds: container_holds(self, class, name) };
        known.write().unwrap_or_else(PoisonError::into_inner).insert((class, name), attribute);
        attribute
    }
}

/// How the container in an attribute holds its items; `None` where it is not known to be a container.
fn container_holds(program: &Program, class: ClassRef, name: Name) -> Option<Holds> {
    let mut found = None;
    let mut note = |value: ExprRef| {
        if let Some(container) = program.container_made_by(value) {
            found = Some(match found {
                Some(Holds::Strong) => Holds::Strong,
                _ => container.holds,
            });
        }
    };
    for store in program.instance_stores(class, name) {
        if let EventKind::Bind { value, .. } = program.facts(store.module).event(store.id).kind {
            note(program.event_scope(store).expr(value));
        }
    }
    if let Definition::Variable(scope, name) = program.member_of_class(class, name) {
        program.bound_values(scope, name).0.iter().for_each(|(_, value)| note(*value));
    }
    found
}

/// Where an attribute is given something that it then keeps.
fn strong_store(program: &Program, class: ClassRef, name: Name) -> Option<EventRef> {
    let mut found = None;
    for store in program.instance_stores(class, name) {
        let EventKind::Bind { value, .. } = program.facts(store.module).event(store.id).kind else { continue };
        match held_by(program, program.event_scope(store).expr(value), 4) {
            Some(Strength::Strong) => found = found.or(Some(store)),
            // Once weak, the attribute is meant to be weak.
            Some(Strength::Weak) => return None,
            None => {}
        }
    }
    found
}

/// How a value keeps what one gets from it; `None` for constants.
fn held_by(program: &Program, value: ExprRef, depth: u32) -> Option<Strength> {
    let depth = depth.checked_sub(1)?;
    let facts = program.facts(value.scope.module);
    match program.expr(value) {
        Expr::Constant(_) | Expr::Nothing => None,
        Expr::Call(call) => match program.resolve(value.scope.expr(facts.call(call).callee)) {
            Definition::External(path) if program.models.weak(path).is_some() || is_called_weak(path) => {
                Some(Strength::Weak)
            }
            Definition::Function(function) => {
                let scope = program.function_scope(function);
                let callee = program.facts(function.module);
                let returned = callee.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
                    EventKind::Return(value) => held_by(program, scope.expr(value), depth),
                    _ => None,
                });
                Some(returned.min().unwrap_or(Strength::Strong))
            }
            _ => Some(Strength::Strong),
        },
        Expr::Conditional(run) => {
            facts.list(run).iter().skip(1).filter_map(|id| held_by(program, value.scope.expr(*id), depth)).min()
        }
        Expr::Or(run) | Expr::And(run) => {
            facts.list(run).iter().filter_map(|id| held_by(program, value.scope.expr(*id), depth)).min()
        }
        Expr::Name(name) => {
            let Some(holder) = program.holding_scope(value.scope, name) else { return Some(Strength::Strong) };
            let (values, is_complete) = program.bound_values(holder, name);
            let strengths = values.iter().filter_map(|(_, value)| held_by(program, *value, depth));
            strengths.min().filter(|strength| is_complete || *strength == Strength::Weak).or(Some(Strength::Strong))
        }
        _ => Some(Strength::Strong),
    }
}

/// Where the container in an attribute gets its items, or else where it is made.
fn growth_of(program: &Program, class: ClassRef, name: Name) -> Option<EventRef> {
    let place = program.instance_place(class, name);
    let growth = program.operations.on(place).find(|operation| operation.kind.is_growth()).map(|grown| grown.event);
    growth.or_else(|| match place {
        Place::Instance(owner, name) => program.instance_stores(owner, name).first().copied(),
        _ => None,
    })
}

/// One callee's graph on its way into a caller's.
struct Inlining<'t, 'p> {
    tracer: &'t mut Tracer<'p>,
    graph: Arc<ObjectGraph>,
    given: FxHashMap<Name, Vec<Handle>>,
    event: EventRef,
    known: FxHashMap<ObjectId, Vec<Handle>>,
}

impl Inlining<'_, '_> {
    fn run(mut self) -> Vec<Handle> {
        let graph = self.graph.clone();
        let reachable = self.touched();
        for reference in &graph.references {
            // What is concluded from reading an attribute is concluded again, for the caller's objects.
            if !reachable[reference.from.0 as usize] || !reference.is_seen {
                continue;
            }
            let holders = self.handles(reference.from);
            let held = self.handles(reference.to);
            let role = if reference.is_item { Role::Item } else { Role::Attribute };
            for holder in holders.iter().filter(|holder| holder.form == Form::Itself) {
                for handle in &held {
                    let handle = Handle {
                        object: handle.object,
                        form: if reference.form == Form::Itself { handle.form } else { reference.form },
                        strength: handle.strength.min(reference.strength),
                    };
                    let slot = Slot { holder: holder.object, via: reference.via };
                    self.tracer.refer(slot, role, handle, reference.event);
                }
            }
        }
        for deferred in &graph.deferred {
            let arguments = Arguments {
                positional: deferred.arguments.positional.iter().map(|handles| self.mapped(handles)).collect(),
                keywords: deferred.arguments.keywords.iter().map(|(n, handles)| (*n, self.mapped(handles))).collect(),
            };
            for receiver in self.handles(deferred.receiver) {
                if receiver.form == Form::Itself && self.tracer.calls > 0 {
                    // One call less, so that two methods that call each other come to an end. The callee could not see
                    // what it does, so it counts as done here.
                    self.tracer.calls -= 1;
                    let around = self.tracer.through.take();
                    self.tracer.call_method(receiver, deferred.method, arguments.clone(), deferred.event);
                    self.tracer.through = around;
                    self.tracer.calls += 1;
                }
            }
        }
        self.mapped(&graph.returns)
    }

    /// The callee's objects that hang together with what it was handed or what it returns.
    fn touched(&mut self) -> Vec<bool> {
        let graph = self.graph.clone();
        let mut touched = vec![false; graph.objects.len()];
        for (index, object) in graph.objects.iter().enumerate() {
            touched[index] = match object.origin {
                Origin::Parameter(name) => self.given.get(&name).is_some_and(|handles| !handles.is_empty()),
                Origin::Enclosing(..) => true,
                Origin::Attribute(base, _) | Origin::Item(base, _) => touched[base.0 as usize],
                _ => false,
            };
        }
        graph.returns.iter().for_each(|handle| touched[handle.object.0 as usize] = true);
        for _ in 0..4 {
            for reference in &graph.references {
                let (from, to) = (reference.from.0 as usize, reference.to.0 as usize);
                let either = touched[from] || touched[to];
                (touched[from], touched[to]) = (either, either);
            }
        }
        touched
    }

    fn mapped(&mut self, handles: &[Handle]) -> Vec<Handle> {
        let mut mapped = Vec::new();
        for handle in handles {
            for object in self.handles(handle.object) {
                mapped.push(Handle {
                    object: object.object,
                    form: if handle.form == Form::Itself { object.form } else { handle.form },
                    strength: handle.strength.min(object.strength),
                });
            }
        }
        mapped.truncate(MOST_HANDLES);
        mapped
    }

    /// What a callee's object is to the caller.
    fn handles(&mut self, id: ObjectId) -> Vec<Handle> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let object = *self.graph.object(id);
        let handles = match object.origin {
            Origin::Parameter(name) => self.given.get(&name).cloned().unwrap_or_default(),
            Origin::Enclosing(..) => vec![plain(self.tracer.intern(object.origin, object.class))],
            Origin::Attribute(base, name) | Origin::Item(base, name) => {
                let is_item = matches!(object.origin, Origin::Item(..));
                let mut handles = Vec::new();
                for holder in self.handles(base).into_iter().filter(|holder| holder.form == Form::Itself) {
                    let class = self.tracer.graph.object(holder.object).class;
                    let held = match class.filter(|_| !is_item) {
                        Some(class) => self.tracer.program.attribute(class, name).class.or(object.class),
                        None => object.class,
                    };
                    let origin = match object.origin {
                        Origin::Item(..) => Origin::Item(holder.object, name),
                        _ => Origin::Attribute(holder.object, name),
                    };
                    handles.push(Handle { object: self.tracer.intern(origin, held), ..holder });
                }
                handles
            }
            Origin::Made(_) | Origin::Container(_) | Origin::Inner(..) => {
                vec![plain(self.tracer.intern(Origin::Inner(self.event, id), object.class))]
            }
        };
        self.known.insert(id, handles.clone());
        handles
    }
}
