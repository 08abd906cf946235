//! Draws a function's graph: evaluates what it stores, in terms of the objects that it knows.
//!
//! Expressions become handles on objects: `self`, `Child(self)`, `self.child`, a bound method, a closure, a weak
//! reference. Locals are followed to the bindings that may reach the place where they are read, so that a name
//! used for two objects in turn does not link them.

mod calls;
mod inline;

pub(super) use calls::may_give_back;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::attributes::{AttributeKind, MethodKind};
use super::captures::{Capture, captured, defaults};
use super::{Arguments, Form, Handle, Object, ObjectGraph, ObjectId, Origin, Reference, Strength};
use crate::facts::{
    CallId, ComprehensionKind, ContextId, ContextKind, DisplayKind, EventId, EventKind, Expr, ExprId, FileFacts,
    NOTHING, Operator, ScopeKind,
};
use crate::models::Holds;
use crate::program::names::Definition;
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

pub(super) fn trace(program: &Program, function: FunctionRef, calls: u8) -> ObjectGraph {
    let mut tracer = Tracer {
        program,
        facts: program.facts(function.module),
        function,
        scope: program.function_scope(function),
        granted: calls,
        calls,
        graph: ObjectGraph::default(),
        numbers: FxHashMap::default(),
        // Large enough for most functions from the start.
        results: FxHashMap::with_capacity_and_hasher(14, FxBuildHasher),
        bound: FxHashMap::default(),
        nesting: 0,
        seen: 0,
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
    /// How many calls deep callees may be looked into.
    granted: u8,
    /// How many of them are left.
    calls: u8,
    graph: ObjectGraph,
    numbers: FxHashMap<Origin, ObjectId>,
    results: FxHashMap<CallId, Vec<Handle>>,
    /// What bindings give, by how far it was followed: in a long function a name is bound in many branches, to what
    /// other such names give.
    bound: FxHashMap<(EventId, u32), Vec<Handle>>,
    /// How many calls are being evaluated, each for the sake of the one before.
    nesting: u32,
    /// How many references are drawn that are not only concluded.
    seen: usize,
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
                let mut handles = self.value(scope.expr(value), Some(id), DEPTH);
                if !handles.is_empty() && self.is_tested_as_weak(scope, id, value) {
                    handles.iter_mut().for_each(|handle| handle.strength = Strength::Weak);
                }
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

    /// `if isinstance(sender, weakref.ref):` around what is done with `sender`.
    fn is_tested_as_weak(&self, scope: ScopeRef, at: EventId, value: ExprId) -> bool {
        let is_weak = |class: ExprId| {
            let path = self.program.external_path(scope.expr(class));
            path.is_some_and(|path| path.as_str().starts_with("weakref."))
        };
        self.facts.contexts_around(self.facts.event(at).context).any(|context| {
            let ContextKind::If(test) = context.kind else { return false };
            let Expr::Call(call) = self.facts.expr(test) else { return false };
            let call = self.facts.call(call);
            matches!(self.facts.expr(call.callee), Expr::Name(name) if name.as_str() == "isinstance")
                && matches!(*self.facts.arguments(call), [tested, class] if tested == value && is_weak(class))
        })
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
                let slots = holders.map(|holder| Slot { holder: holder.object, via: Some(name) });
                slots.filter(|slot| !self.belongs_to_class(*slot)).collect()
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

    /// `self.instances` where only the class has it: all its objects are in there for good, which is no cycle.
    fn belongs_to_class(&self, slot: Slot) -> bool {
        let class = self.graph.object(slot.holder).class;
        class
            .zip(slot.via)
            .is_some_and(|(class, name)| matches!(self.program.instance_place(class, name), Place::Class(..)))
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
            Expr::Attribute(base, name) => self.attribute(expr.scope.expr(base), name, at, depth),
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
        self.program.contents(class, name).holds == Some(Holds::Strong)
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
            // No more than these are taken from one value.
            if handles.len() > MOST_HANDLES {
                break;
            }
            let here = self.program.event_scope(EventRef::new(holder.module, event));
            match self.facts.event(event).kind {
                EventKind::Bind { value, .. } if self.is_container(here.expr(value)) => {
                    let origin = Origin::Container(EventRef::new(holder.module, event));
                    handles.push(plain(self.intern(origin, None)));
                }
                EventKind::Bind { value, .. } => match self.bound.get(&(event, depth)) {
                    Some(known) => handles.extend_from_slice(known),
                    None => {
                        let given = self.value(here.expr(value), Some(event), depth);
                        handles.extend_from_slice(&given);
                        self.bound.insert((event, depth), given);
                    }
                },
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
            handles.dedup();
        }
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
        let mut reaching = Vec::new();
        for event in all.clone().take_while(|event| *event < at) {
            if matches!(self.facts.event(event).kind, EventKind::Annotate { .. }) {
                continue;
            }
            if self.is_around(self.facts.event(event).context, at) {
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
        bindings.first().is_some_and(|first| {
            let event = self.facts.event(*first);
            holder.id == self.facts.scope_of(event) && self.is_around(event.context, at)
        })
    }

    /// Whether an event happens in a context or within it. A context is opened after those around it, so there is
    /// nothing to look for where the numbers are smaller.
    fn is_around(&self, context: ContextId, at: EventId) -> bool {
        let mut outwards = self.facts.context_ids_outwards(self.facts.event(at).context);
        outwards.find(|id| *id <= context) == Some(context)
    }

    fn attribute(&mut self, base: ExprRef, name: Name, at: Option<EventId>, depth: u32) -> Vec<Handle> {
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
                    let class = self.program.class_in(class, name);
                    handles
                        .push(Handle { object: self.intern(Origin::Attribute(holder.object, name), class), ..holder });
                }
            }
        }
        handles
    }

    fn event(&self, id: EventId) -> EventRef {
        EventRef::new(self.scope.module, id)
    }

    /// What a function object keeps: the variables it captures and its defaults.
    fn closure(&mut self, function: FunctionRef, at: Option<EventId>, depth: u32) -> Vec<Handle> {
        let Some(depth) = depth.min(CLOSURE_DEPTH).checked_sub(1) else { return Vec::new() };
        let mut handles = Vec::new();
        for Capture { holder, name, .. } in captured(self.program, function) {
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
        if self.graph.object(from).class.is_some() {
            self.graph.references.push(Reference {
                from,
                to,
                via: Some(via),
                is_item,
                form: Form::Itself,
                strength: Strength::Strong,
                event: None,
                is_certain: true,
                through: self.through,
            });
        }
    }

    fn refer(&mut self, slot: Slot, role: Role, handle: Handle, event: EventRef) {
        if self.seen >= MOST_REFERENCES {
            return;
        }
        let mut reference = Reference {
            from: slot.holder,
            to: handle.object,
            via: slot.via,
            is_item: role != Role::Attribute,
            form: handle.form,
            strength: handle.strength,
            event: Some(event),
            is_certain: true,
            through: self.through,
        };
        if let Some(via) = slot.via {
            match (self.graph.object(slot.holder).class, role) {
                (None, _) => reference.is_certain = false,
                (Some(class), Role::Attribute) => match self.program.attribute_kind(class, via) {
                    AttributeKind::Plain => {}
                    AttributeKind::Weak => reference.strength = Strength::Weak,
                    AttributeKind::Unknown => reference.is_certain = false,
                    AttributeKind::Setter(setter) => return self.set(setter, slot.holder, handle, event),
                    AttributeKind::Computed => return,
                },
                (Some(class), role) => match self.program.contents(class, via).holds {
                    Some(Holds::Strong) => {}
                    Some(Holds::WeakKey) if role == Role::Item => {}
                    Some(Holds::WeakValue) if role == Role::Key => {}
                    Some(_) => reference.strength = Strength::Weak,
                    None => return,
                },
            }
        }
        let same = |known: &Reference| {
            (known.from, known.to, known.via, known.event)
                == (reference.from, reference.to, reference.via, reference.event)
        };
        match self.graph.references.iter_mut().find(|known| same(known)) {
            Some(known) => {
                known.through = known.through.and(reference.through);
                known.strength = known.strength.max(reference.strength);
            }
            None => {
                self.seen += 1;
                self.graph.references.push(reference);
            }
        }
    }

    fn set(&mut self, setter: FunctionRef, holder: ObjectId, handle: Handle, event: EventRef) {
        let target = Target { function: setter, receiver: Some(vec![plain(holder)]) };
        let arguments = Arguments { positional: vec![vec![handle]], keywords: Vec::new() };
        self.inline(&target, &arguments, event, true);
    }
}

fn plain(object: ObjectId) -> Handle {
    Handle { object, form: Form::Itself, strength: Strength::Strong }
}
