//! Light types: enough to know which class `self.pool` is, and that `x.append` is a list's.
//!
//! From annotations, constructor calls, displays and what project functions return. A type that stays ambiguous is
//! unknown, and unknown neither proves nor refutes anything. A full type engine was measured and rejected: it cost
//! 42 times the time of this pass and settled 5 % of the questions that matter.

use std::sync::PoisonError;

use super::names::Definition;
use super::recent::{self, Recent};
use super::{ClassRef, ExprRef, FunctionRef, Program, ScopeRef};
use crate::facts::{ComprehensionKind, Constant, DisplayKind, EventKind, Expr, ExprId, NOTHING, Operator, ScopeKind};
use crate::source::Name;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// An instance of a class of the project.
    Instance(ClassRef),
    /// An instance of something outside of the project, by its dotted name; builtins are plain (`list`).
    External(Name),
    /// A class object itself.
    Class(ClassRef),
    None,
    Unknown,
}

const DEPTH: u32 = 8;

thread_local! {
    static TYPES: Recent<Type> = Recent::of(Type::Unknown);
}

impl Program<'_> {
    pub fn type_of(&self, expr: ExprRef) -> Type {
        recent::asked(&TYPES, self.edition, expr.scope, expr.id.0, || self.type_within(expr, DEPTH))
    }

    pub(super) fn type_within(&self, expr: ExprRef, depth: u32) -> Type {
        let Some(depth) = depth.checked_sub(1) else { return Type::Unknown };
        let builtin = |name: &str| Type::External(Name::new(name));
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Display(kind, _) => builtin(match kind {
                DisplayKind::Tuple => "tuple",
                DisplayKind::List => "list",
                DisplayKind::Set => "set",
                DisplayKind::Dict => "dict",
            }),
            Expr::Comprehension(kind, _) => builtin(match kind {
                ComprehensionKind::List => "list",
                ComprehensionKind::Set => "set",
                ComprehensionKind::Dict => "dict",
                ComprehensionKind::Generator => "generator",
            }),
            Expr::Constant(constant) => match constant {
                Constant::None => Type::None,
                Constant::True | Constant::False => builtin("bool"),
                Constant::Int(_) => builtin("int"),
                Constant::Number => builtin("float"),
                Constant::Word(_) | Constant::Str => builtin("str"),
                Constant::Bytes => builtin("bytes"),
                Constant::Ellipsis => Type::Unknown,
            },
            Expr::Format(_) => builtin("str"),
            Expr::Name(name) => self.type_of_name(expr.scope, name, depth),
            Expr::Attribute(base, attribute) => {
                let base = expr.scope.expr(base);
                match self.type_within(base, depth) {
                    Type::Instance(class) => self.type_of_member(class, attribute, depth),
                    Type::Class(class) => self.type_of_definition(self.member_of_class(class, attribute), depth),
                    _ => self.type_of_definition(self.resolve(expr), depth),
                }
            }
            Expr::Call(call) => self.type_of_call(expr.scope.expr(facts.call(call).callee), depth),
            Expr::Await(inner) | Expr::Starred(inner) => self.type_within(expr.scope.expr(inner), depth),
            // `folder / "name"`
            Expr::Binary(Operator::Other, left, _) => match self.type_within(expr.scope.expr(left), depth) {
                Type::External(path) if path.as_str() == "pathlib.Path" => Type::External(path),
                _ => Type::Unknown,
            },
            Expr::Or(run) | Expr::And(run) => self.first_known(facts.list(run), expr.scope, depth),
            Expr::Conditional(run) => {
                let arms = facts.list(run);
                self.first_known(arms.get(1..).unwrap_or_default(), expr.scope, depth)
            }
            _ => Type::Unknown,
        }
    }

    fn first_known(&self, exprs: &[crate::facts::ExprId], scope: ScopeRef, depth: u32) -> Type {
        exprs
            .iter()
            .map(|id| self.type_within(scope.expr(*id), depth))
            .find(|found| !matches!(found, Type::Unknown | Type::None))
            .unwrap_or(Type::Unknown)
    }

    fn type_of_name(&self, scope: ScopeRef, name: Name, depth: u32) -> Type {
        if let Some(receiver) = self.receiver_named(scope, name) {
            return if receiver.is_class { Type::Class(receiver.class) } else { Type::Instance(receiver.class) };
        }
        let definition = self.resolve_name(scope, name);
        self.type_of_definition(definition, depth)
    }

    /// The type of what a definition is as a value.
    fn type_of_definition(&self, definition: Definition, depth: u32) -> Type {
        match definition {
            Definition::Class(class) => Type::Class(class),
            Definition::Variable(scope, name) => self.type_of_variable(scope, name, depth),
            _ => Type::Unknown,
        }
    }

    fn type_of_variable(&self, scope: ScopeRef, name: Name, depth: u32) -> Type {
        let module = self.module(scope.module);
        let facts = module.facts();
        if let ScopeKind::Function(function) | ScopeKind::Lambda(function) = facts.scope(scope.id).kind
            && let Some(parameter) = facts.parameters(facts.function(function)).iter().find(|p| p.name == name)
        {
            let defining = self.defining_scope(FunctionRef::new(scope.module, function));
            let annotated = self.type_of_annotation(defining.expr(parameter.annotation), depth);
            if annotated != Type::Unknown {
                return annotated;
            }
            if let Some(class) = self.class_wrapped_by(FunctionRef::new(scope.module, function), name) {
                return Type::Instance(class);
            }
        }
        // Variables that are bound to what is made of each other, several times each, would be asked for without end.
        if module.bindings_of(scope.id, name).nth(1).is_none() {
            return self.type_of_bindings(scope, name, depth);
        }
        let key = (scope.id, name, depth);
        if let Some(known) = module.variable_types.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let found = self.type_of_bindings(scope, name, depth);
        module.variable_types.write().unwrap_or_else(PoisonError::into_inner).insert(key, found);
        found
    }

    /// `def wrapper(self, …)` in a decorator: the class of the module whose methods carry it, where there is only one.
    fn class_wrapped_by(&self, wrapper: FunctionRef, parameter: Name) -> Option<ClassRef> {
        let facts = self.facts(wrapper.module);
        let is_first = facts.parameters(self.function(wrapper)).first().is_some_and(|first| first.name == parameter);
        if !is_first || parameter.as_str() != "self" {
            return None;
        }
        let decorator = self.enclosing_function(self.defining_scope(wrapper))?;
        let name = self.function(decorator).name;
        let carries = |method: FunctionRef| {
            let decorators = facts.list(self.function(method).decorators).iter();
            decorators.into_iter().any(|id| match facts.expr(*id) {
                Expr::Name(other) => {
                    other == name
                        && self.resolve(self.defining_scope(method).expr(*id)) == Definition::Function(decorator)
                }
                _ => false,
            })
        };
        let mut classes = self.classes_of(wrapper.module).filter(|class| self.own_methods(*class).any(&carries));
        classes.next().filter(|_| classes.next().is_none())
    }

    /// The one type of all that a variable is bound to.
    fn type_of_bindings(&self, scope: ScopeRef, name: Name, depth: u32) -> Type {
        let module = self.module(scope.module);
        let facts = module.facts();
        let mut found = Type::Unknown;
        for event in module.bindings_of(scope.id, name).take(12) {
            let here = self.event_scope(super::EventRef::new(scope.module, event));
            let bound = match facts.event(event).kind {
                EventKind::Annotate { annotation, .. } => {
                    let annotated = self.type_of_annotation(here.expr(annotation), depth);
                    if annotated != Type::Unknown {
                        return annotated;
                    }
                    continue;
                }
                EventKind::Bind { value, .. } if value != NOTHING => self.type_within(here.expr(value), depth),
                EventKind::BindManager { manager, .. } => self.type_of_entered(here.expr(manager), depth),
                EventKind::BindElement { iterable, .. } => self.element_type(here.expr(iterable), depth),
                _ => continue,
            };
            match (found, bound) {
                (_, Type::Unknown | Type::None) => {}
                (Type::Unknown, bound) => found = bound,
                (found, bound) if found == bound => {}
                // Two different types: ambiguous.
                _ => return Type::Unknown,
            }
        }
        found
    }

    /// The type of what lies in an iterable: `X` of `Sequence[X]`.
    fn element_type(&self, iterable: ExprRef, depth: u32) -> Type {
        let Some(annotation) = self.annotation_of(iterable, depth) else { return Type::Unknown };
        let Expr::Subscript(base, argument) = self.expr(annotation) else { return Type::Unknown };
        let Definition::External(path) = self.resolve(annotation.scope.expr(base)) else { return Type::Unknown };
        let argument = match (last_part(path.as_str()), self.expr(annotation.scope.expr(argument))) {
            (
                "list" | "List" | "set" | "Set" | "frozenset" | "FrozenSet" | "Sequence" | "Iterable" | "Collection"
                | "Iterator" | "deque" | "Deque",
                _,
            ) => argument,
            ("tuple" | "Tuple", Expr::Display(_, run)) => match self.facts(annotation.scope.module).list(run) {
                [one, rest] if self.expr(annotation.scope.expr(*rest)) == Expr::Constant(Constant::Ellipsis) => *one,
                _ => return Type::Unknown,
            },
            _ => return Type::Unknown,
        };
        self.type_of_annotation(annotation.scope.expr(argument), depth)
    }

    /// The annotation of a variable, parameter or attribute.
    fn annotation_of(&self, expr: ExprRef, depth: u32) -> Option<ExprRef> {
        let declared = |scope: ScopeRef, name: Name| {
            let module = self.module(scope.module);
            if let ScopeKind::Function(function) = module.facts().scope(scope.id).kind
                && let Some(parameter) =
                    module.facts().parameters(module.facts().function(function)).iter().find(|p| p.name == name)
            {
                return (parameter.annotation != NOTHING)
                    .then(|| self.defining_scope(FunctionRef::new(scope.module, function)).expr(parameter.annotation));
            }
            module.bindings_of(scope.id, name).find_map(|event| match module.facts().event(event).kind {
                EventKind::Annotate { annotation, .. } => Some(scope.expr(annotation)),
                _ => None,
            })
        };
        match self.expr(expr) {
            Expr::Name(name) => declared(self.holding_scope(expr.scope, name)?, name),
            Expr::Attribute(base, name) => {
                let Type::Instance(class) = self.type_within(expr.scope.expr(base), depth) else { return None };
                let on_instance = self.instance_stores(class, name).iter().copied().find_map(|store| {
                    match self.facts(store.module).event(store.id).kind {
                        EventKind::Annotate { annotation, .. } => Some(self.event_scope(store).expr(annotation)),
                        _ => None,
                    }
                });
                on_instance
                    .or_else(|| self.mro(class).iter().find_map(|ancestor| declared(self.class_scope(*ancestor), name)))
            }
            _ => None,
        }
    }

    /// What `with manager as name` binds: the same object for most classes of a project that return `self`.
    fn type_of_entered(&self, manager: ExprRef, depth: u32) -> Type {
        match self.type_within(manager, depth) {
            entered @ Type::Instance(_) => entered,
            _ => Type::Unknown,
        }
    }

    /// The type of `instance.name`.
    pub(super) fn type_of_member(&self, class: ClassRef, name: Name, depth: u32) -> Type {
        let Some(depth) = depth.checked_sub(1) else { return Type::Unknown };
        let mut found = Type::Unknown;
        for ancestor in self.mro(class) {
            for store in self.own_instance_stores(*ancestor, name).take(8) {
                let here = self.event_scope(store);
                let stored = match self.facts(store.module).event(store.id).kind {
                    EventKind::Annotate { annotation, .. } => {
                        let annotated = self.type_of_annotation(here.expr(annotation), depth);
                        if annotated != Type::Unknown {
                            return annotated;
                        }
                        continue;
                    }
                    EventKind::Bind { value, .. } => self.type_within(here.expr(value), depth),
                    _ => continue,
                };
                match (found, stored) {
                    (_, Type::Unknown | Type::None) => {}
                    (Type::Unknown, stored) => found = stored,
                    (found, stored) if found == stored => {}
                    _ => return Type::Unknown,
                }
            }
            if found != Type::Unknown {
                return found;
            }
        }
        match self.member_of_class(class, name) {
            Definition::Variable(scope, name) => self.type_of_variable(scope, name, depth),
            Definition::Function(function) if self.is_property(function) => self.type_of_result(function, depth),
            Definition::Class(class) => Type::Class(class),
            _ => Type::Unknown,
        }
    }

    pub fn is_property(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let declared = self.function(function);
        // `@name.setter` stands last where it stands, and is what the name means.
        let sets_property = |decorator: ExprId| match facts.expr(decorator) {
            Expr::Attribute(base, part) => {
                facts.expr(base) == Expr::Name(declared.name)
                    && matches!(part.as_str(), "setter" | "getter" | "deleter")
            }
            _ => false,
        };
        facts.list(declared.decorators).iter().any(|decorator| sets_property(*decorator))
            || self.has_decorator(
                function,
                &[
                    "property",
                    "functools.cached_property",
                    "django.utils.functional.cached_property",
                    "abc.abstractproperty",
                ],
            )
    }

    fn type_of_call(&self, callee: ExprRef, depth: u32) -> Type {
        if let Expr::Attribute(base, method) = self.expr(callee)
            && let Type::Instance(class) = self.type_within(callee.scope.expr(base), depth)
        {
            return match self.method(class, method) {
                Some(function) => self.type_of_result(function, depth),
                None => Type::Unknown,
            };
        }
        match self.resolve(callee) {
            Definition::Class(class) => Type::Instance(class),
            Definition::External(path) => Type::External(path),
            Definition::Function(function) => self.type_of_result(function, depth),
            Definition::Variable(scope, name) => match self.type_of_variable(scope, name, depth) {
                Type::Class(class) => Type::Instance(class),
                _ => Type::Unknown,
            },
            _ => match self.type_within(callee, depth) {
                Type::Class(class) => Type::Instance(class),
                _ => Type::Unknown,
            },
        }
    }

    /// What a call of a project function gives: its annotation, else the one type that its returns agree on.
    pub(super) fn type_of_result(&self, function: FunctionRef, depth: u32) -> Type {
        let Some(depth) = depth.checked_sub(1) else { return Type::Unknown };
        let facts = self.facts(function.module);
        let declared = facts.function(function.id);
        if declared.returns != NOTHING {
            let annotated = self.type_of_annotation(self.defining_scope(function).expr(declared.returns), depth);
            if annotated != Type::Unknown {
                return annotated;
            }
        }
        if declared.is_generator {
            return Type::External(Name::new("generator"));
        }
        let mut found = Type::Unknown;
        for (_, event) in facts.scope_events(declared.scope) {
            let EventKind::Return(value) = event.kind else { continue };
            let scope = ScopeRef::new(function.module, facts.scope_of(event));
            match (found, self.type_within(scope.expr(value), depth)) {
                (_, Type::Unknown | Type::None) => {}
                (Type::Unknown, returned) => found = returned,
                (found, returned) if found == returned => {}
                _ => return Type::Unknown,
            }
        }
        found
    }

    /// The type that an annotation speaks of: `Optional[X]` and `X | None` are X, `list[X]` is a list.
    pub fn type_of_annotation(&self, annotation: ExprRef, depth: u32) -> Type {
        let Some(depth) = depth.checked_sub(1) else { return Type::Unknown };
        let facts = self.facts(annotation.scope.module);
        match self.expr(annotation) {
            Expr::Constant(Constant::None) => Type::None,
            Expr::Name(_) | Expr::Attribute(..) => match self.resolve(annotation) {
                Definition::Class(class) => Type::Instance(class),
                Definition::External(path) => external_annotation(path),
                _ => Type::Unknown,
            },
            Expr::Subscript(base, argument) => match self.resolve(annotation.scope.expr(base)) {
                Definition::External(path) => match last_part(path.as_str()) {
                    "Optional" | "Annotated" | "ClassVar" | "Final" | "Required" | "NotRequired" | "ReadOnly" => {
                        let argument = match facts.expr(argument) {
                            Expr::Display(_, run) => facts.list(run).first().copied().unwrap_or(NOTHING),
                            _ => argument,
                        };
                        self.type_of_annotation(annotation.scope.expr(argument), depth)
                    }
                    "Union" => match facts.expr(argument) {
                        Expr::Display(_, run) => self.one_of(facts.list(run), annotation.scope, depth),
                        _ => self.type_of_annotation(annotation.scope.expr(argument), depth),
                    },
                    "type" | "Type" => match self.type_of_annotation(annotation.scope.expr(argument), depth) {
                        Type::Instance(class) => Type::Class(class),
                        _ => Type::External(Name::new("type")),
                    },
                    "Literal" => Type::External(Name::new("typing.Literal")),
                    _ => external_annotation(path),
                },
                Definition::Class(class) => Type::Instance(class),
                _ => Type::Unknown,
            },
            Expr::Binary(crate::facts::Operator::BitOr, left, right) => {
                self.one_of(&[left, right], annotation.scope, depth)
            }
            _ => Type::Unknown,
        }
    }

    fn one_of(&self, members: &[crate::facts::ExprId], scope: ScopeRef, depth: u32) -> Type {
        let mut known =
            members.iter().map(|id| self.type_of_annotation(scope.expr(*id), depth)).filter(|t| *t != Type::None);
        match (known.next(), known.next()) {
            (Some(one), None) => one,
            _ => Type::Unknown,
        }
    }
}

/// `typing.Dict` is `dict`; what an abstract container's concrete type is stays the abstract name.
fn external_annotation(path: Name) -> Type {
    let text = path.as_str();
    let plain = match text {
        "typing.Dict" => "dict",
        "typing.List" => "list",
        "typing.Set" => "set",
        "typing.FrozenSet" => "frozenset",
        "typing.Tuple" => "tuple",
        "typing.Type" => "type",
        "typing.DefaultDict" => "collections.defaultdict",
        "typing.OrderedDict" => "collections.OrderedDict",
        "typing.Counter" => "collections.Counter",
        "typing.Deque" => "collections.deque",
        "typing.Any" | "object" => return Type::Unknown,
        other => other,
    };
    Type::External(Name::new(plain))
}

pub(super) fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
