//! What a place holds: is it a container, does it hold strongly, is it bounded, and by what.

use std::sync::LazyLock;

use super::names::Definition;
use super::operations::OperationKind;
use super::types::last_part;
use super::{ClassRef, EventRef, ExprRef, FunctionRef, Place, Program, ScopeRef};
use crate::facts::{
    Call, ComprehensionKind, Constant, DisplayKind, EventId, EventKind, Expr, ExprId, FileFacts, MODULE_SCOPE,
    Operator, ScopeKind,
};
use crate::models::{Argument, Holds, Shape};
use crate::source::Name;

/// A container, by what makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Container {
    pub shape: Shape,
    pub holds: Holds,
    pub is_bounded: bool,
    /// Reading a missing key inserts it.
    pub reads_insert: bool,
    /// `counts[key] += 1` inserts a missing key.
    pub counts_missing: bool,
    /// It starts with entries: a table of constants.
    pub starts_filled: bool,
}

impl Container {
    fn plain(shape: Shape, starts_filled: bool) -> Container {
        Container {
            shape,
            holds: Holds::Strong,
            is_bounded: false,
            reads_insert: false,
            counts_missing: false,
            starts_filled,
        }
    }
}

/// A place's container and where the place is bound to it.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    pub container: Container,
    /// The binding that a finding is reported at: the first that makes the container.
    pub binding: EventRef,
}

static DICTS: LazyLock<[Name; 3]> =
    LazyLock::new(|| ["dict", "collections.OrderedDict", "UserDict.UserDict"].map(Name::new));

impl Program<'_> {
    /// Whether what a place holds goes when nothing else holds it.
    pub(super) fn is_weak_container(&self, place: Place) -> bool {
        if self.holder(place).is_some_and(|holder| holder.container.holds != Holds::Strong) {
            return true;
        }
        let Place::Module(module, name) = place else { return false };
        let (values, _) = self.bound_values(ScopeRef::new(module, MODULE_SCOPE), name);
        values.iter().any(|(_, value)| match self.expr(*value) {
            Expr::Call(_) => self
                .external_path(self.callee_or_self(*value))
                .is_some_and(|path| last_part(path.as_str()).starts_with("Weak")),
            _ => false,
        })
    }

    /// The container that an expression makes; `None` for anything else.
    pub fn container_made_by(&self, expr: ExprRef) -> Option<Container> {
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Display(kind, run) => {
                let shape = match kind {
                    DisplayKind::List => Shape::List,
                    DisplayKind::Set => Shape::Set,
                    DisplayKind::Dict => Shape::Dict,
                    DisplayKind::Tuple => return None,
                };
                Some(Container::plain(shape, run.len > 0))
            }
            Expr::Comprehension(kind, _) => {
                let shape = match kind {
                    ComprehensionKind::List => Shape::List,
                    ComprehensionKind::Set => Shape::Set,
                    ComprehensionKind::Dict => Shape::Dict,
                    ComprehensionKind::Generator => return None,
                };
                Some(Container::plain(shape, true))
            }
            Expr::Call(call) => {
                let call = facts.call(call);
                match self.resolve(expr.scope.expr(call.callee)) {
                    Definition::External(path) => {
                        let Some(model) = self.models.container(path) else { return self.made_by_field(expr) };
                        let bound = model.bound.and_then(|bound| self.argument(expr, bound));
                        let is_bounded =
                            model.always_bounded || bound.is_some_and(|b| self.is_bound(b, model.zero_is_unbounded));
                        let positional_bound = model.bound.and_then(|bound| bound.position);
                        let starts_filled = facts.arguments(call).iter().enumerate().any(|(position, argument)| {
                            Some(position as u32) != positional_bound
                                && !self.is_plainly_empty(expr.scope.expr(*argument))
                        }) && !model.reads_insert;
                        Some(Container {
                            shape: model.shape,
                            holds: model.holds,
                            is_bounded,
                            reads_insert: model.reads_insert,
                            counts_missing: model.reads_insert || model.counts_missing,
                            starts_filled,
                        })
                    }
                    Definition::Class(class) => self.container_class(class),
                    _ => None,
                }
            }
            Expr::Or(run) => facts.list(run).iter().find_map(|id| self.container_made_by(expr.scope.expr(*id))),
            Expr::Conditional(run) => {
                facts.list(run).iter().skip(1).find_map(|id| self.container_made_by(expr.scope.expr(*id)))
            }
            _ => None,
        }
    }

    fn is_plainly_empty(&self, expr: ExprRef) -> bool {
        matches!(self.expr(expr), Expr::Display(_, run) if run.len == 0)
            || matches!(self.expr(expr), Expr::Constant(Constant::None) | Expr::Name(_))
    }

    /// The argument of the call `expr` for a model's parameter.
    pub fn argument(&self, expr: ExprRef, parameter: Argument) -> Option<ExprRef> {
        let facts = self.facts(expr.scope.module);
        let Expr::Call(call) = self.expr(expr) else { return None };
        let call = facts.call(call);
        let by_keyword = facts.keyword_arguments(call).iter().find(|(name, _)| *name == Some(parameter.keyword));
        let by_position = || parameter.position.and_then(|position| facts.arguments(call).get(position as usize));
        by_keyword.map(|(_, value)| value).or_else(by_position).map(|id| expr.scope.expr(*id))
    }

    /// Anything but `None` (and zero or less, where that means none) is a bound, also when its value is not known.
    fn is_bound(&self, bound: ExprRef, zero_is_unbounded: bool) -> bool {
        match self.expr(bound) {
            _ if self.is_none(bound) => false,
            Expr::Constant(Constant::Int(size)) => !zero_is_unbounded || size > 0,
            Expr::Unary(_) => !zero_is_unbounded,
            _ => true,
        }
    }

    /// A class of the project that is a container because a base is one. Whether it bounds itself is read from what
    /// its methods do, not from its name.
    pub fn container_class(&self, class: ClassRef) -> Option<Container> {
        // Most classes have no base outside of the project: they are answered at once.
        let model = self.external_bases(class).iter().find_map(|base| {
            self.models
                .container(*base)
                .or_else(|| self.models.container(Name::new(abstract_container(base.as_str())?)))
        })?;
        let reads_insert = model.reads_insert || self.method(class, Name::new("__missing__")).is_some();
        Some(Container {
            shape: model.shape,
            holds: model.holds,
            // What a class does on its own storing may be anything; it is not called a leak.
            is_bounded: model.always_bounded || self.evicts(class) || self.stores_its_own_way(class),
            reads_insert,
            counts_missing: reads_insert || model.counts_missing,
            starts_filled: false,
        })
    }

    fn stores_its_own_way(&self, class: ClassRef) -> bool {
        self.method(class, Name::new("__setitem__")).is_some()
    }

    /// The container that a `defaultdict`'s factory makes: `defaultdict(list)`, `defaultdict(lambda: TTLCache(…))`.
    pub fn made_by_factory(&self, made: ExprRef) -> Option<Container> {
        let facts = self.facts(made.scope.module);
        let Expr::Call(call) = self.expr(made) else { return None };
        self.container_of_factory(made.scope.expr(*facts.arguments(facts.call(call)).first()?))
    }

    /// What a field of a data class is declared to begin with: `field(default_factory=dict)`, `attrs.field(factory=dict)`.
    fn made_by_field(&self, made: ExprRef) -> Option<Container> {
        let facts = self.facts(made.scope.module);
        let Expr::Call(call) = self.expr(made) else { return None };
        self.container_of_factory(made.scope.expr(field_factory(facts, facts.call(call))?))
    }

    /// The declaration of a field that each instance of a data class gets a container of its own for.
    pub(super) fn field_declaration(&self, class: ClassRef, name: Name) -> Option<EventRef> {
        let module = self.module(class.module);
        let facts = module.facts();
        let is_field = |event: &EventId| match facts.event(*event).kind {
            EventKind::Bind { value, .. } => {
                matches!(facts.expr(value), Expr::Call(call) if field_factory(facts, facts.call(call)).is_some())
            }
            _ => false,
        };
        let mut bindings = module.bindings_of(self.class_scope(class).id, name);
        bindings.find(is_field).map(|event| EventRef::new(class.module, event))
    }

    fn container_of_factory(&self, factory: ExprRef) -> Option<Container> {
        let facts = self.facts(factory.scope.module);
        if let Expr::Lambda(function) = self.expr(factory) {
            let scope = facts.function(function).scope;
            return facts.scope_events(scope).find_map(|(_, event)| match event.kind {
                EventKind::Return(value) => {
                    self.container_made_by(ScopeRef::new(factory.scope.module, scope).expr(value))
                }
                _ => None,
            });
        }
        match self.resolve(factory) {
            Definition::Class(class) => self.container_class(class),
            Definition::External(path) => {
                let model = self.models.container(path)?;
                Some(Container {
                    holds: model.holds,
                    is_bounded: model.always_bounded,
                    reads_insert: model.reads_insert,
                    counts_missing: model.reads_insert || model.counts_missing,
                    ..Container::plain(model.shape, false)
                })
            }
            _ => None,
        }
    }

    /// Whether a method that adds (`__setitem__`, `add`, `append`, …) also removes from the same object, directly or
    /// through one of the class's own methods.
    pub fn evicts(&self, class: ClassRef) -> bool {
        const ADDING: &[&str] = &[
            "__setitem__",
            "__missing__",
            "__getitem__",
            "add",
            "append",
            "put",
            "set",
            "setdefault",
            "update",
            "push",
            "insert",
            "get",
        ];
        ADDING.iter().any(|name| match self.method(class, Name::new(name)) {
            Some(method) => self.removes_from_self(class, method, 3),
            None => false,
        })
    }

    /// The method of a class that keeps a mapping within a bound, where the class inherits ways past it: what
    /// `dict` itself does in `update` and `setdefault` does not call the `__setitem__` of a derived class.
    pub fn bypassed_bound(&self, class: ClassRef) -> Option<FunctionRef> {
        let writes_directly = self.external_bases(class).iter().any(|base| DICTS.contains(base));
        if !writes_directly {
            return None;
        }
        let store = self.method(class, Name::new("__setitem__"))?;
        let facts = self.facts(store.module);
        let measures = facts.scope_events(self.function(store).scope).any(|(_, event)| match event.kind {
            EventKind::Call(call) => {
                matches!(facts.expr(facts.call(call).callee), Expr::Name(name) if name.as_str() == "len")
            }
            _ => false,
        });
        (measures && self.removes_from_self(class, store, 3)).then_some(store)
    }

    /// Where a mapping of this class is written to by a method that it inherits from `dict`.
    pub fn bypassing_write(&self, class: ClassRef) -> Option<EventRef> {
        self.operations.all().find_map(|operation| {
            let method = match operation.kind {
                OperationKind::Update => "update",
                OperationKind::SetDefault => "setdefault",
                _ => return None,
            };
            if operation.level > 0
                || self.is_test(operation.event.module)
                || self.method(class, Name::new(method)).is_some()
            {
                return None;
            }
            let made = self.stored_value(self.holder(operation.place)?.binding)?;
            (self.instantiated_class(made) == Some(class)).then_some(operation.event)
        })
    }

    fn removes_from_self(&self, class: ClassRef, method: FunctionRef, depth: u32) -> bool {
        let Some(receiver) = self.receiver(method) else { return false };
        let facts = self.facts(method.module);
        let scope = self.function(method).scope;
        facts.scope_events(scope).any(|(_, event)| {
            let here = ScopeRef::new(method.module, facts.scope_of(event));
            match event.kind {
                EventKind::Delete { target } => {
                    matches!(facts.expr(target), Expr::Subscript(base, _) if self.roots_in(here.expr(base), receiver.name))
                }
                EventKind::Call(call) => {
                    let Expr::Attribute(base, name) = facts.expr(facts.call(call).callee) else { return false };
                    let on_self = self.roots_in(here.expr(base), receiver.name) || self.is_super_call(here.expr(base));
                    if !on_self {
                        return false;
                    }
                    if OperationKind::of_method(name).is_some_and(OperationKind::is_shrink) {
                        return true;
                    }
                    let is_self = matches!(facts.expr(base), Expr::Name(name) if name == receiver.name);
                    is_self
                        && depth > 0
                        && self.method(class, name).is_some_and(|helper| helper != method && self.removes_from_self(class, helper, depth - 1))
                }
                _ => false,
            }
        })
    }

    /// `self`, `self.data`, `self.data[k]`: the object itself or something it holds.
    fn roots_in(&self, expr: ExprRef, receiver: Name) -> bool {
        match self.expr(expr) {
            Expr::Name(name) => name == receiver,
            Expr::Attribute(base, _) | Expr::Subscript(base, _) => self.roots_in(expr.scope.expr(base), receiver),
            _ => false,
        }
    }

    pub fn is_super_call(&self, expr: ExprRef) -> bool {
        let facts = self.facts(expr.scope.module);
        matches!(self.expr(expr), Expr::Call(call)
            if matches!(facts.expr(facts.call(call).callee), Expr::Name(name) if name == self.words.super_))
    }

    /// What a place is bound to, if that is a container wherever it is bound to anything.
    pub fn holder(&self, place: Place) -> Option<Holder> {
        let bindings: Vec<(EventRef, Option<ExprRef>)> = match place {
            Place::Module(module, name) => self.variable_bindings(ScopeRef::new(module, MODULE_SCOPE), name),
            Place::Class(class, name) => self.variable_bindings(self.class_scope(class), name),
            Place::Instance(class, name) => (self.field_declaration(class, name).into_iter())
                .chain(self.instance_stores(class, name).iter().copied())
                .map(|store| (store, self.stored_value(store)))
                .collect(),
            Place::Function(function, name) => {
                let module = self.module(function.module);
                module
                    .attribute_stores_of(name)
                    .map(|event| EventRef::new(function.module, event))
                    .map(|event| (event, self.stored_value(event)))
                    .collect()
            }
            Place::Local(scope, name) if self.is_parameter(scope, name) => return self.default_holder(scope, name),
            Place::Local(scope, name) => return self.captured_holder(scope, name),
            Place::Unresolved(_) => return None,
        };
        let mut holder: Option<Holder> = None;
        for (binding, value) in bindings {
            let Some(value) = value else { continue };
            match self.container_made_by(value) {
                Some(container) => {
                    let known = holder.get_or_insert(Holder { container, binding });
                    known.container.is_bounded |= container.is_bounded;
                }
                None if matches!(self.expr(value), Expr::Constant(_)) => {}
                // `X = X + […]` and `X = X[-n:]` are operations on what is there.
                None if matches!(
                    self.expr(value),
                    Expr::Binary(Operator::Add | Operator::BitOr, ..) | Expr::Subscript(..)
                ) => {}
                None => return None,
            }
        }
        holder
    }

    /// A default argument is made once and shared by all calls that leave it out: `def f(key, _seen={}):`.
    fn default_holder(&self, scope: ScopeRef, name: Name) -> Option<Holder> {
        let module = self.module(scope.module);
        let facts = module.facts();
        let ScopeKind::Function(function) = facts.scope(scope.id).kind else { return None };
        let function = FunctionRef::new(scope.module, function);
        // Whoever copies calls it, and always gives it a memo.
        if self.function(function).name.as_str() == "__deepcopy__" {
            return None;
        }
        let container = self.container_made_by(self.parameter_default(function, name)?)?;
        // Bound to something else in between, or given by callers, it is another's.
        let is_rebound =
            module.bindings_of(scope.id, name).any(|event| matches!(facts.event(event).kind, EventKind::Bind { .. }));
        // What a function hands on to itself is what it has.
        let is_given = self.callers(function).iter().any(|site| {
            let given = self.argument_for(*site, function, name);
            let is_own = || self.event_function(site.event) == Some(function);
            given.is_some_and(|given| !(self.expr(given) == Expr::Name(name) && is_own()))
        });
        if is_rebound || is_given {
            return None;
        }
        let defines = |kind: EventKind| kind == EventKind::Define(function.id);
        let position = facts.events.iter().position(|event| defines(event.kind))?;
        Some(Holder { container, binding: EventRef::new(scope.module, EventId(position as u32)) })
    }

    fn variable_bindings(&self, scope: ScopeRef, name: Name) -> Vec<(EventRef, Option<ExprRef>)> {
        self.module(scope.module)
            .bindings_of(scope.id, name)
            .map(|event| EventRef::new(scope.module, event))
            .map(|event| (event, self.stored_value(event)))
            .collect()
    }

    /// The value of a plain store; anything else that binds makes the value unknown, which `NOTHING` stands for.
    pub fn stored_value(&self, event: EventRef) -> Option<ExprRef> {
        match self.facts(event.module).event(event.id).kind {
            EventKind::Bind { value, .. } => Some(self.event_scope(event).expr(value)),
            EventKind::Annotate { .. } | EventKind::Augment { .. } => None,
            _ => Some(self.event_scope(event).expr(crate::facts::NOTHING)),
        }
    }
}

/// What a declaration of a field gives as the maker of its first value: `dict` of `field(default_factory=dict)`.
pub(super) fn field_factory(facts: &FileFacts, call: &Call) -> Option<ExprId> {
    let is_factory = |name: Name| matches!(name.as_str(), "default_factory" | "factory");
    let given = facts.keyword_arguments(call).iter().find(|(name, _)| name.is_some_and(is_factory))?.1;
    let declares = |name: Name| matches!(name.as_str(), "field" | "Field" | "PrivateAttr" | "ib" | "attrib");
    facts.called_name(call).is_some_and(declares).then_some(given)
}

/// Abstract bases and wrappers that behave like a built-in container.
fn abstract_container(path: &str) -> Option<&'static str> {
    Some(match path {
        "collections.UserDict"
        | "UserDict.UserDict"
        | "collections.abc.MutableMapping"
        | "typing.MutableMapping"
        | "typing.Dict" => "dict",
        "collections.UserList" | "collections.abc.MutableSequence" | "typing.MutableSequence" | "typing.List" => "list",
        "collections.abc.MutableSet" | "typing.MutableSet" | "typing.Set" => "set",
        _ => return None,
    })
}
