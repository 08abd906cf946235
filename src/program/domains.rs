//! Where keys come from: from a domain that the source bounds, or from one that stays open as long as the process
//! runs.
//!
//! A dict keyed by class can only get as large as the program has classes; one keyed by session id grows with every
//! session. The domain of an expression follows its bindings, the callers' arguments for parameters, and what models
//! know of library calls. Names are the last evidence: the word a programmer chose for an id is worth something,
//! where nothing else is known.

use std::cell::Cell;
use std::sync::LazyLock;

use super::names::Definition;
use super::repetition::Frequency;
use super::types::{Type, last_part};
use super::{EventRef, ExprRef, FunctionRef, OperationKind, Place, Program, ScopeRef, permanence, vocabulary};
use crate::facts::{
    ComprehensionKind, Constant, ContextKind, EventKind, Expr, NOTHING, Operator, Parameter, ParameterKind, ScopeKind,
};
use crate::models;
use crate::source::Name;

/// How many values an expression can have in the life of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// As many as the source has of something.
    Bounded,
    /// Not known.
    Unknown,
    /// Only its name says that there is no end of it; the reason completes "the key is …".
    Likely(Name),
    /// Named like something there is always another of, or an object of its own; whether they come and go is not
    /// shown.
    Presumed(Name),
    /// Without end: fresh at run time, or a part of what comes and goes; the reason completes "the key is …".
    Open(Name),
}

impl Domain {
    fn rank(self) -> u8 {
        match self {
            Domain::Bounded => 0,
            Domain::Unknown => 1,
            Domain::Likely(_) => 2,
            Domain::Presumed(_) => 3,
            Domain::Open(_) => 4,
        }
    }

    /// The one with more values: a tuple with a fresh id in it is fresh.
    pub fn or(self, other: Domain) -> Domain {
        if other.rank() > self.rank() { other } else { self }
    }

    pub fn is_open(self) -> bool {
        matches!(self, Domain::Open(_) | Domain::Presumed(_))
    }
}

/// How deep one answer may reach.
const DEPTH: u32 = 6;
/// How many expressions one answer may look at.
const MOST_STEPS: u32 = 300;

/// What is left of one answer's allowance.
#[derive(Clone, Copy)]
struct Allowance<'a> {
    depth: u32,
    steps: &'a Cell<u32>,
    /// What is asked about is declared to be a text or a number, which no object of a class is.
    is_plain: bool,
    /// A word for what there are few of is no evidence: the parts of an `event` are not named by it, and a `tag` that
    /// is shown to come and go does.
    looks_past_words: bool,
}

impl<'a> Allowance<'a> {
    fn new(depth: u32, steps: &'a Cell<u32>) -> Self {
        Allowance { depth, steps, is_plain: false, looks_past_words: false }
    }

    fn spend(self) -> Option<Self> {
        self.steps.set(self.steps.get().checked_sub(1)?);
        Some(Allowance { depth: self.depth.checked_sub(1)?, ..self })
    }
}

/// What only classes and functions have.
static CLASS_ATTRIBUTES: LazyLock<[Name; 6]> = LazyLock::new(|| {
    ["__mro__", "__bases__", "__qualname__", "__subclasses__", "__dataclass_fields__", "_meta"].map(Name::new)
});

impl Program<'_> {
    pub fn domain(&self, expr: ExprRef) -> Domain {
        self.domain_within(expr, Allowance::new(DEPTH, &Cell::new(MOST_STEPS)))
    }

    /// Nothing but its word says that a key is one of few: neither a declaration nor what it is made of.
    pub(super) fn is_bounded_by_word(&self, key: ExprRef) -> bool {
        let steps = Cell::new(MOST_STEPS);
        let past_words = Allowance { looks_past_words: true, ..Allowance::new(DEPTH, &steps) };
        self.domain_within(key, past_words) != Domain::Bounded
    }

    fn domain_within(&self, expr: ExprRef, depth: Allowance) -> Domain {
        let Some(depth) = depth.spend() else { return Domain::Unknown };
        let facts = self.facts(expr.scope.module);
        let all = |run: &[crate::facts::ExprId]| {
            self.joined_domain(run.iter().map(|id| self.domain_within(expr.scope.expr(*id), depth)))
        };
        match self.expr(expr) {
            Expr::Constant(_) | Expr::Slice(_) | Expr::Lambda(_) => Domain::Bounded,
            Expr::Display(_, run) | Expr::Format(run) | Expr::And(run) | Expr::Or(run) => all(facts.list(run)),
            Expr::Conditional(run) => all(facts.list(run).get(1..).unwrap_or_default()),
            Expr::Binary(operator, left, right) => match operator {
                Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtE
                | Operator::Gt
                | Operator::GtE
                | Operator::Is
                | Operator::IsNot
                | Operator::In
                | Operator::NotIn
                | Operator::Mod
                    if operator != Operator::Mod || matches!(self.expr(expr.scope.expr(right)), Expr::Constant(_)) =>
                {
                    Domain::Bounded
                }
                Operator::BitAnd if [left, right].iter().any(|side| is_small_mask(facts.expr(*side))) => {
                    Domain::Bounded
                }
                _ => all(&[left, right]),
            },
            Expr::Not(_) => Domain::Bounded,
            Expr::Unary(inner) | Expr::Starred(inner) | Expr::Await(inner) => {
                self.domain_within(expr.scope.expr(inner), depth)
            }
            Expr::Element(_) | Expr::Subscript(..) if self.is_part_of_few(expr) => Domain::Bounded,
            // Which part of a result an unpacked name gets is not followed.
            Expr::Element(inner) if self.awaited_call(expr.scope.expr(inner)).is_some() => {
                let inner = self.awaited_call(expr.scope.expr(inner)).unwrap_or(expr);
                match self.is_paired(inner) && self.domain_of_elements(inner, depth) == Domain::Bounded {
                    true => Domain::Bounded,
                    false => Domain::Unknown,
                }
            }
            Expr::Element(inner) => self.domain_of_elements(expr.scope.expr(inner), depth),
            Expr::Subscript(base, key) => self.domain_of_item(expr.scope.expr(base), expr.scope.expr(key), depth),
            Expr::Name(name) => self.domain_of_name(expr, name, depth),
            Expr::Attribute(base, attribute) => self.domain_of_attribute(expr, expr.scope.expr(base), attribute, depth),
            Expr::Call(call) => self.domain_of_call(expr, call, depth),
            Expr::Nothing | Expr::Comprehension(..) | Expr::Sent => Domain::Unknown,
        }
    }

    /// `data["user_id"]` is named by its key where nothing else is known.
    fn domain_of_item(&self, base: ExprRef, key: ExprRef, depth: Allowance) -> Domain {
        // What lies in an object of the project is not the object.
        let elements = match self.type_of(base) {
            Type::Instance(_) => Domain::Unknown,
            _ => self.domain_of_elements(base, Allowance { looks_past_words: true, ..depth }),
        };
        // What a document calls its parts is written in it.
        if matches!(self.expr(base), Expr::Attribute(_, name) if name.as_str() == "attrib") {
            return Domain::Unknown;
        }
        if let Some(domain) = self.domain_of_input(base, key) {
            return domain;
        }
        // `self.options["size"]`: a setting of the object.
        if matches!((self.expr(base), self.expr(key)), (Expr::Attribute(..), Expr::Constant(Constant::Word(_))))
            && self.is_settings(base)
        {
            return Domain::Bounded;
        }
        match (elements, self.expr(key)) {
            (Domain::Unknown | Domain::Likely(_) | Domain::Presumed(_), Expr::Constant(Constant::Word(word)))
                if !self.is_settings(base) =>
            {
                match self.domain_by_name(word) {
                    Domain::Bounded => Domain::Bounded,
                    Domain::Presumed(_) | Domain::Open(_) if self.comes_in(base) => {
                        Domain::Open(Name::new(&format!("`{word}`, part of what comes in")))
                    }
                    open @ (Domain::Presumed(_) | Domain::Open(_)) => open,
                    _ => Domain::Unknown,
                }
            }
            (domain, _) => domain,
        }
    }

    /// `inspect.stack()[1][1:4]`: a part of what a library has a bounded number of.
    fn is_part_of_few(&self, part: ExprRef) -> bool {
        let mut whole = part;
        while let Expr::Element(inner) | Expr::Subscript(inner, _) = self.expr(whole) {
            whole = whole.scope.expr(inner);
        }
        self.domain_of_made(whole) == Some(Domain::Bounded)
    }

    /// The call that an expression is, perhaps awaited.
    fn awaited_call(&self, expr: ExprRef) -> Option<ExprRef> {
        match self.expr(expr) {
            Expr::Call(_) => Some(expr),
            Expr::Await(inner) => self.awaited_call(expr.scope.expr(inner)),
            _ => None,
        }
    }

    fn joined_domain(&self, parts: impl Iterator<Item = Domain>) -> Domain {
        parts.fold(Domain::Bounded, Domain::or)
    }

    fn domain_of_name(&self, expr: ExprRef, name: Name, depth: Allowance) -> Domain {
        if let Some(receiver) = self.receiver_named(expr.scope, name) {
            return match receiver.is_class {
                true => self.domain_of_classes(expr),
                // `self[1:]`, where a text is asked for.
                false if depth.is_plain => Domain::Unknown,
                false => self.domain_of_instances(receiver.class),
            };
        }
        match self.resolve_name(expr.scope, name) {
            Definition::Class(_) | Definition::Function(_) | Definition::Module(_) | Definition::External(_) => {
                self.domain_of_function_object(expr, name)
            }
            Definition::Variable(scope, name) => match self.domain_of_variable(scope, name, depth) {
                // What is given where nothing else is: one, or as many as are configured.
                known if known != Domain::Bounded && names_default(name) => Domain::Unknown,
                vague @ (Domain::Unknown | Domain::Likely(_)) if !depth.is_plain => {
                    vague.or(self.domain_of_object(expr))
                }
                known => known,
            },
            Definition::Unknown => Domain::Unknown,
        }
    }

    /// An object of a class of the project that compares by identity.
    fn domain_of_object(&self, expr: ExprRef) -> Domain {
        match self.type_of(expr) {
            Type::Instance(class)
                if !self.is_value_class(class)
                    && self.external_bases(class).iter().all(|base| is_neutral_base(base.as_str()))
                    && !self.has_unknown_base(class) =>
            {
                self.domain_of_instances(class)
            }
            _ => Domain::Unknown,
        }
    }

    /// A function or class defined inside a function is made anew on each call of that; one that is imported there
    /// is not.
    fn domain_of_function_object(&self, expr: ExprRef, name: Name) -> Domain {
        let is_defined_in = |holder: ScopeRef| {
            let module = self.module(holder.module);
            module.bindings_of(holder.id, name).any(|event| {
                matches!(module.facts().event(event).kind, EventKind::Define(_) | EventKind::DefineClass(_))
            })
        };
        match self.holding_scope(expr.scope, name).filter(|holder| is_defined_in(*holder)) {
            Some(holder) => match self.enclosing_function(holder) {
                Some(function) if self.function_frequency(function) >= Frequency::Presumed => {
                    Domain::Open(Name::new("made anew on each call"))
                }
                _ => Domain::Bounded,
            },
            None => Domain::Bounded,
        }
    }

    /// The class that a method is called on: one of those that the source defines, unless a function defines another
    /// at each call.
    fn domain_of_classes(&self, receiver: ExprRef) -> Domain {
        let method = self.enclosing_function(receiver.scope);
        match method.is_some_and(|method| !self.makers_of_subclasses(method).is_empty()) {
            true => Domain::Open(Name::new("a class that is made at run time")),
            false => Domain::Bounded,
        }
    }

    /// Objects hashed by identity: as many as are made.
    fn domain_of_instances(&self, class: super::ClassRef) -> Domain {
        let is_enum = self.external_bases(class).iter().any(|base| base.as_str().starts_with("enum."));
        if is_enum || self.has_bounded_instances(class) {
            return Domain::Bounded;
        }
        Domain::Presumed(Name::new(&format!("an instance of `{}`, and each is a new one", self.class(class).name)))
    }

    /// All instances are made while modules are imported.
    pub fn is_singleton(&self, class: super::ClassRef) -> bool {
        let made = self.instantiations(class);
        let outside_tests: Vec<_> = made.iter().filter(|site| !self.is_test(site.module)).collect();
        !outside_tests.is_empty()
            && outside_tests.iter().all(|site| self.is_module_level(site.event))
            && self.subclasses(class).is_empty()
    }

    fn domain_of_variable(&self, scope: ScopeRef, name: Name, depth: Allowance) -> Domain {
        let facts = self.facts(scope.module);
        if let ScopeKind::Function(function) | ScopeKind::Lambda(function) = facts.scope(scope.id).kind {
            let function = FunctionRef::new(scope.module, function);
            if self.is_parameter(scope, name) {
                return self.domain_of_parameter(function, name, depth);
            }
        }
        if self.is_set_at_definition(scope, name) {
            return Domain::Bounded;
        }
        let in_function = !self.is_module_scope(scope) && !matches!(facts.scope(scope.id).kind, ScopeKind::Class(_));
        let module = self.module(scope.module);
        let mut parts = Vec::new();
        let mut is_loop_variable = false;
        for event in module.bindings_of(scope.id, name).take(8) {
            let here = self.event_scope(EventRef::new(scope.module, event));
            parts.push(match facts.event(event).kind {
                EventKind::Bind { value, .. } => self.domain_within(here.expr(value), depth),
                EventKind::BindElement { iterable, .. } => {
                    is_loop_variable = true;
                    self.domain_of_elements(here.expr(iterable), depth)
                }
                EventKind::Annotate { .. } => continue,
                // A counter that outlives the call: a local one starts anew with each.
                EventKind::Augment { value, .. }
                    if here != scope && matches!(facts.expr(value), Expr::Constant(Constant::Int(_))) =>
                {
                    Domain::Open(Name::new("a counter"))
                }
                _ => Domain::Unknown,
            });
        }
        if parts.is_empty() {
            return Domain::Unknown;
        }
        match self.joined_domain(parts.into_iter()) {
            Domain::Unknown if in_function && is_loop_variable => self.domain_by_word(name, depth),
            // What a call gives is named by what it is, where that leaves no doubt.
            Domain::Unknown if in_function => match self.domain_by_name(name) {
                open if open.is_open() => open,
                _ => Domain::Unknown,
            },
            joined => joined,
        }
    }

    /// A module- or class-level variable that no function binds: it has the values that the source gives it.
    fn is_set_at_definition(&self, scope: ScopeRef, name: Name) -> bool {
        let module = self.module(scope.module);
        let mut bindings = module.bindings_of(scope.id, name).peekable();
        bindings.peek().is_some()
            && bindings.all(|event| self.event_function(EventRef::new(scope.module, event)).is_none())
    }

    /// The domain of a parameter, by its annotation, its name and what callers pass.
    pub fn parameter_domain(&self, function: FunctionRef, name: Name) -> Domain {
        self.domain_of_parameter(function, name, Allowance::new(DEPTH, &Cell::new(MOST_STEPS)))
    }

    fn domain_of_parameter(&self, function: FunctionRef, name: Name, depth: Allowance) -> Domain {
        let facts = self.facts(function.module);
        let Some(parameter) = facts.parameters(self.function(function)).iter().find(|p| p.name == name) else {
            return Domain::Unknown;
        };
        if matches!(parameter.kind, ParameterKind::Rest | ParameterKind::Keywords) {
            return Domain::Unknown;
        }
        if parameter.annotation != NOTHING {
            let annotation = self.defining_scope(function).expr(parameter.annotation);
            match self.domain_of_annotation(annotation) {
                // A number is as many as callers compute.
                Some(likely @ Domain::Likely(_)) => {
                    let given = self.domain_of_given(function, parameter, depth);
                    return if given == Domain::Bounded { given } else { likely };
                }
                // Callables are as many as callers pass.
                Some(Domain::Bounded) if self.is_callable_annotation(annotation) => {
                    let given = self.domain_of_given(function, parameter, depth);
                    return if given.is_open() { given } else { Domain::Bounded };
                }
                Some(domain) => return domain,
                None => {}
            }
        }
        if vocabulary::is_definition_name(name.as_str()) || self.is_used_as_class(function, name) {
            return Domain::Bounded;
        }
        let depth = Allowance { is_plain: depth.is_plain || self.is_declared_plain(function, parameter), ..depth };
        match self.domain_of_given(function, parameter, depth) {
            // What all known callers pass is bounded; a public function may have others, but those who write
            // them pass the same kind of thing.
            Domain::Unknown => match self.domain_by_word(name, depth) {
                // The word for a text, of what is declared to be none.
                Domain::Likely(_) if self.is_declared_otherwise(function, parameter) => Domain::Unknown,
                named => named,
            },
            known => known,
        }
    }

    fn is_declared_plain(&self, function: FunctionRef, parameter: &Parameter) -> bool {
        let annotation = self.defining_scope(function).expr(parameter.annotation);
        parameter.annotation != NOTHING
            && matches!(self.type_of_annotation(annotation, 4), Type::External(path)
                if matches!(path.as_str(), "str" | "bytes" | "int"))
    }

    fn is_declared_otherwise(&self, function: FunctionRef, parameter: &Parameter) -> bool {
        let annotation = self.defining_scope(function).expr(parameter.annotation);
        parameter.annotation != NOTHING && !self.names_text(annotation)
    }

    /// `str`, `str | None`, `Optional[str]`: an annotation with a text in it, or with anything.
    pub(super) fn names_text(&self, annotation: ExprRef) -> bool {
        let facts = self.facts(annotation.scope.module);
        match self.expr(annotation) {
            Expr::Name(name) | Expr::Attribute(_, name) => {
                matches!(name.as_str(), "str" | "bytes" | "Any" | "object" | "AnyStr" | "Text")
            }
            Expr::Binary(_, left, right) => {
                self.names_text(annotation.scope.expr(left)) || self.names_text(annotation.scope.expr(right))
            }
            Expr::Subscript(_, inner) => self.names_text(annotation.scope.expr(inner)),
            Expr::Display(_, run) => facts.list(run).iter().any(|part| self.names_text(annotation.scope.expr(*part))),
            _ => false,
        }
    }

    /// What the known callers of a function pass for a parameter.
    fn domain_of_given(&self, function: FunctionRef, parameter: &Parameter, depth: Allowance) -> Domain {
        let sites: Vec<_> = self
            .callers(function)
            .iter()
            .copied()
            .filter(|site| site.is_certain && !self.is_test(site.module))
            .collect();
        if sites.is_empty() || sites.len() > 24 {
            return Domain::Unknown;
        }
        self.joined_domain(sites.iter().map(|site| match self.argument_for(*site, function, parameter.name) {
            Some(argument) => self.domain_within(argument, depth),
            None if parameter.default != NOTHING => Domain::Bounded,
            None => Domain::Unknown,
        }))
    }

    fn is_callable_annotation(&self, annotation: ExprRef) -> bool {
        matches!(self.type_of_annotation(annotation, 4), Type::External(path)
            if matches!(path.as_str(), "typing.Callable" | "collections.abc.Callable" | "types.FunctionType"))
    }

    /// `issubclass(x, …)`, `x.__name__`, `x.__mro__`, `isinstance(x, type)` say that `x` is a class or function.
    fn is_used_as_class(&self, function: FunctionRef, name: Name) -> bool {
        let facts = self.facts(function.module);
        let declared = self.function(function);
        facts.scope_events(declared.scope).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let call = facts.call(call);
            let mut arguments = facts.arguments(call).iter().map(|id| facts.expr(*id));
            let is_it = |expr: Option<Expr>| expr == Some(Expr::Name(name));
            match facts.expr(call.callee) {
                Expr::Name(callee) => match callee.as_str() {
                    "issubclass" => is_it(arguments.next()),
                    "isinstance" => {
                        is_it(arguments.next())
                            && matches!(arguments.next(), Some(Expr::Name(kind)) if kind.as_str() == "type")
                    }
                    _ => callee == name && vocabulary::is_class_word(name.as_str()),
                },
                Expr::Attribute(base, method) => {
                    facts.expr(base) == Expr::Name(name) && matches!(method.as_str(), "mro" | "__subclasses__")
                }
                _ => false,
            }
        }) || facts.binds(declared.scope, name)
            // All parameters of all functions are asked about, and few files have one of these.
            && CLASS_ATTRIBUTES.iter().any(|word| self.module(function.module).may_name(*word))
            && facts.exprs.iter().any(|expr| {
                matches!(expr, Expr::Attribute(base, attribute)
                    if facts.expr(*base) == Expr::Name(name) && CLASS_ATTRIBUTES.contains(attribute))
            })
    }

    /// What an annotation says; of a union, if it says the same of every member.
    pub(super) fn domain_of_annotation(&self, annotation: ExprRef) -> Option<Domain> {
        if let Expr::Binary(Operator::BitOr, left, right) = self.expr(annotation) {
            let left = self.domain_of_annotation(annotation.scope.expr(left))?;
            return Some(left.or(self.domain_of_annotation(annotation.scope.expr(right))?));
        }
        self.domain_of_type(self.type_of_annotation(annotation, 4))
    }

    fn domain_of_type(&self, kind: Type) -> Option<Domain> {
        match kind {
            Type::Class(_) | Type::None => Some(Domain::Bounded),
            Type::Instance(class) => {
                let is_enum = self.external_bases(class).iter().any(|base| base.as_str().starts_with("enum."));
                is_enum.then_some(Domain::Bounded)
            }
            Type::External(path) => match path.as_str() {
                "bool"
                | "type"
                | "types.ModuleType"
                | "typing.Literal"
                | "types.FunctionType"
                | "typing.Callable"
                | "collections.abc.Callable"
                | "types.GenericAlias"
                | "types.UnionType"
                | "inspect.Signature" => Some(Domain::Bounded),
                "float" => Some(Domain::Likely(Name::new("a number that is computed, and there is always another"))),
                "uuid.UUID" | "datetime.datetime" | "socket.socket" | "asyncio.Task" => {
                    Some(Domain::Open(Name::new("a fresh value each time")))
                }
                _ => None,
            },
            Type::Unknown => None,
        }
    }

    fn domain_of_attribute(&self, expr: ExprRef, base: ExprRef, attribute: Name, depth: Allowance) -> Domain {
        let text = attribute.as_str();
        // `model_config.hidden` is a setting; `sdk_config.readers` is what the user puts together.
        let is_set = permanence::is_configuration_of(self.expr(base)) && !text.ends_with('s');
        if self.is_settings(base) || is_set || is_of_call_site(text) {
            return Domain::Bounded;
        }
        // `threading.current_thread().ident`: the number goes to another thread when this one ends.
        if text == "ident" && self.domain_of_made(base).is_some() {
            return Domain::Bounded;
        }
        if vocabulary::is_definition_attribute(text)
            || matches!(text, "__name__" | "__qualname__" | "__module__" | "_meta" | "model")
        {
            return Domain::Bounded;
        }
        match self.resolve(expr) {
            // The request that a framework keeps for each thread.
            Definition::External(_)
                if vocabulary::is_address_word(vocabulary::last_word(text).as_str()) && self.is_request(base) =>
            {
                return Domain::Open(Name::new(&format!("`{attribute}`, part of what comes in")));
            }
            Definition::Class(_) | Definition::Function(_) | Definition::Module(_) | Definition::External(_) => {
                return Domain::Bounded;
            }
            Definition::Variable(scope, name) => return self.domain_of_variable(scope, name, depth),
            Definition::Unknown => {}
        }
        // A bound method is as much another as its object is.
        if let Some(method) = self.bound_method(expr).filter(|method| !self.is_property(*method))
            && let Type::Instance(class) = self.type_of(base)
            && self.receiver(method).is_some()
        {
            return self.domain_of_instances(class);
        }
        // A file changes now and then, and is the same in between.
        if matches!(text, "st_mtime" | "st_mtime_ns" | "st_size" | "st_ino") {
            return Domain::Bounded;
        }
        match self.type_of(base) {
            Type::External(path) if path.as_str() == "logging.LogRecord" && is_of_log_call(text) => Domain::Bounded,
            Type::Instance(class) => {
                if let Some(domain) = self.domain_of_type(self.type_of(expr)) {
                    return domain;
                }
                let stores = self.instance_stores(class, attribute);
                if !stores.is_empty() {
                    let parts: Vec<Domain> = stores
                        .iter()
                        .filter_map(|store| match self.facts(store.module).event(store.id).kind {
                            EventKind::Bind { value, .. } => {
                                Some(self.domain_within(self.event_scope(*store).expr(value), depth))
                            }
                            EventKind::Augment { operator: Operator::Add, value, .. }
                                if matches!(self.facts(store.module).expr(value), Expr::Constant(Constant::Int(_))) =>
                            {
                                Some(Domain::Open(Name::new("a counter")))
                            }
                            _ => None,
                        })
                        .collect();
                    if !parts.is_empty() {
                        let joined = self.joined_domain(parts.into_iter());
                        if joined != Domain::Unknown {
                            return joined;
                        }
                    }
                }
                match self.domain_by_word(attribute, depth) {
                    Domain::Unknown if vocabulary::is_address_word(text) && self.is_made_of_what_comes(base) => {
                        Domain::Open(Name::new(&format!("`{attribute}`, part of what comes in")))
                    }
                    named => named,
                }
            }
            Type::Class(_) => Domain::Bounded,
            _ => match self.domain_by_word(attribute, depth) {
                // A name or a kind is one of those that are known; a constant is written in capitals.
                _ if is_constant_name(text) => Domain::Bounded,
                Domain::Unknown if vocabulary::is_naming_word(text) || vocabulary::is_inventory_word(text) => {
                    Domain::Unknown
                }
                // `job.id`
                Domain::Presumed(_) if is_number_word(text) && self.is_named_passing(base) => {
                    Domain::Open(Name::new(&format!("`{attribute}`, and there is always another")))
                }
                Domain::Unknown | Domain::Likely(_) | Domain::Presumed(_)
                    if self.comes_and_goes(base)
                        || (vocabulary::is_address_word(text) && self.is_made_of_what_comes(base)) =>
                {
                    Domain::Open(Name::new(&format!("`{attribute}`, part of what comes in")))
                }
                // `uuid.uuid4().hex` is as fresh as what it is part of.
                Domain::Unknown => self.domain_of_made(base).unwrap_or(Domain::Unknown),
                named => named,
            },
        }
    }

    /// `request.args["name"]`: whoever asks may write there what he wants.
    fn domain_of_input(&self, base: ExprRef, key: ExprRef) -> Option<Domain> {
        let Expr::Attribute(request, part) = self.expr(base) else { return None };
        let is_environment = part.as_str() == "META";
        if !(is_environment || vocabulary::is_input_word(part.as_str())) || !self.is_request(base.scope.expr(request)) {
            return None;
        }
        let written = "written by whoever sends the request";
        match self.expr(key) {
            Expr::Constant(Constant::Word(word)) if is_environment => {
                let is_of_peer = word.as_str().starts_with("HTTP_") || word.as_str().starts_with("REMOTE_");
                is_of_peer.then(|| Domain::Open(Name::new(&format!("`{word}`, {written}"))))
            }
            // Nobody asks for a mode that there is not, but by mistake.
            Expr::Constant(Constant::Word(word)) => Some(match self.domain_by_name(word) {
                Domain::Bounded => Domain::Unknown,
                _ => Domain::Open(Name::new(&format!("`{word}`, {written}"))),
            }),
            // `request.headers["X-Session"]`
            Expr::Constant(Constant::Str) if part.as_str() == "headers" => Some(Domain::Open(Name::new(written))),
            _ => None,
        }
    }

    /// The request that is being answered: a variable, an attribute, or the one that a framework keeps for each thread.
    fn is_request(&self, expr: ExprRef) -> bool {
        if let Definition::External(path) = self.resolve(expr) {
            return last_part(path.as_str()) == "request";
        }
        match self.expr(expr) {
            Expr::Name(name) if self.is_module_scope_name(expr.scope, name) => false,
            Expr::Name(name) | Expr::Attribute(_, name) => {
                matches!(name.as_str().rsplit('_').next(), Some("request" | "req"))
            }
            _ => false,
        }
    }

    /// A request, message or peer: each is another, and so is what it brings.
    fn comes_and_goes(&self, expr: ExprRef) -> bool {
        match self.expr(expr) {
            Expr::Name(name) => {
                let text = name.as_str();
                let last = text.rsplit('_').next().unwrap_or(text);
                matches!(
                    last,
                    "request"
                        | "req"
                        | "message"
                        | "msg"
                        | "packet"
                        | "peer"
                        | "client"
                        | "session"
                        | "update"
                        | "frame"
                ) && !self.is_module_scope_name(expr.scope, name)
            }
            // The peer of a request is another's each time, and so is what it asks for; the client of an object may be
            // its own.
            Expr::Attribute(base, name) if matches!(name.as_str(), "client" | "url") => {
                self.comes_and_goes(expr.scope.expr(base))
            }
            Expr::Attribute(_, name) => matches!(name.as_str(), "request" | "message" | "peer"),
            _ => false,
        }
    }

    /// A variable or attribute that is called by what comes and goes.
    fn is_named_passing(&self, expr: ExprRef) -> bool {
        match self.expr(expr) {
            Expr::Name(name) | Expr::Attribute(_, name) => {
                let text = name.as_str();
                vocabulary::is_passing_word(text.rsplit('_').next().unwrap_or(text))
            }
            _ => false,
        }
    }

    /// A payload: what lies in it is another's each time.
    fn comes_in(&self, expr: ExprRef) -> bool {
        match self.expr(expr) {
            Expr::Name(name) => {
                vocabulary::is_payload_word(name.as_str()) && !self.is_module_scope_name(expr.scope, name)
            }
            _ => self.comes_and_goes(expr),
        }
    }

    /// `urlsplit(request.url)`, `message.get_from()`: worked out of what comes in.
    fn is_made_of_what_comes(&self, expr: ExprRef) -> bool {
        let facts = self.facts(expr.scope.module);
        let Expr::Call(call) = self.expr(expr) else { return false };
        let call = facts.call(call);
        let is_asked =
            matches!(facts.expr(call.callee), Expr::Attribute(asked, _) if self.comes_and_goes(expr.scope.expr(asked)));
        is_asked || facts.arguments(call).iter().any(|argument| {
            let argument = expr.scope.expr(*argument);
            self.comes_and_goes(argument)
                || matches!(self.expr(argument), Expr::Attribute(base, _) if self.comes_and_goes(argument.scope.expr(base)))
        })
    }

    fn is_module_scope_name(&self, scope: ScopeRef, name: Name) -> bool {
        self.holding_scope(scope, name).is_none_or(|holder| self.is_module_scope(holder))
    }

    /// A function or class, by what it resolves to or by what its name says.
    fn is_definition(&self, expr: ExprRef) -> bool {
        match self.expr(expr) {
            Expr::Name(name) => {
                vocabulary::is_definition_name(name.as_str())
                    || matches!(self.resolve_name(expr.scope, name), Definition::Class(_) | Definition::Function(_))
            }
            Expr::Attribute(_, name) => vocabulary::is_definition_attribute(name.as_str()),
            _ => false,
        }
    }

    /// The domain of the items that `x.update(items)` adds.
    pub(super) fn domain_of_items(&self, items: ExprRef) -> Domain {
        self.domain_of_elements(items, Allowance::new(DEPTH, &Cell::new(MOST_STEPS)))
    }

    /// `getattr(object, "name", default)` is an attribute like any other.
    fn domain_of_getattr(&self, expr: ExprRef, arguments: &[crate::facts::ExprId], depth: Allowance) -> Domain {
        let [object, name, rest @ ..] = arguments else { return Domain::Unknown };
        if self.is_settings(expr.scope.expr(*object)) {
            return Domain::Bounded;
        }
        let named = match self.expr(expr.scope.expr(*name)) {
            Expr::Constant(Constant::Word(name)) => self.domain_by_name(name),
            _ => Domain::Unknown,
        };
        rest.iter().map(|default| self.domain_within(expr.scope.expr(*default), depth)).fold(named, Domain::or)
    }

    /// `settings`, `self.config`: an object that holds settings.
    fn is_settings(&self, expr: ExprRef) -> bool {
        match self.expr(expr) {
            Expr::Name(name) => vocabulary::is_settings_word(name.as_str()),
            // A group of settings holds settings too.
            Expr::Attribute(base, name) => {
                vocabulary::is_settings_word(name.as_str())
                    || matches!(self.expr(expr.scope.expr(base)), Expr::Name(base) if vocabulary::is_settings_word(base.as_str()))
            }
            _ => false,
        }
    }

    fn domain_of_call(&self, expr: ExprRef, id: crate::facts::CallId, depth: Allowance) -> Domain {
        let facts = self.facts(expr.scope.module);
        let call = facts.call(id);
        let callee = expr.scope.expr(call.callee);
        let arguments = || {
            self.joined_domain(facts.arguments(call).iter().map(|id| self.domain_within(expr.scope.expr(*id), depth)))
        };
        // `request.args.get("name")`
        if let Expr::Attribute(base, method) = self.expr(callee)
            && matches!(method.as_str(), "get" | "pop")
            && let Some(first) = facts.arguments(call).first()
            && let Some(domain) = self.domain_of_input(callee.scope.expr(base), expr.scope.expr(*first))
        {
            return domain;
        }
        // A lookup in a table of constants.
        if let Expr::Attribute(base, method) = self.expr(callee)
            && method.as_str() == "get"
            && matches!(self.expr(callee.scope.expr(base)), Expr::Name(_) | Expr::Attribute(..))
            && self.domain_of_elements(callee.scope.expr(base), depth) == Domain::Bounded
        {
            return Domain::Bounded;
        }
        match self.resolve(callee) {
            Definition::External(path) => {
                if path.as_str() == "id"
                    && let Some(of) = facts.arguments(call).first()
                {
                    if self.is_definition(expr.scope.expr(*of)) || self.is_of_process(expr.scope.expr(*of)) {
                        return Domain::Bounded;
                    }
                    if self.domain_within(expr.scope.expr(*of), depth) == Domain::Bounded {
                        return Domain::Unknown;
                    }
                }
                // `type(name, bases, namespace)` makes a class.
                if path.as_str() == "type" && facts.arguments(call).len() == 3 {
                    return Domain::Open(Name::new("a class that is made here"));
                }
                if let Some(domain) = self.domain_of_origin(path) {
                    return domain;
                }
                if path.as_str() == "getattr" {
                    return self.domain_of_getattr(expr, facts.arguments(call), depth);
                }
                let is_of_items = matches!(path.as_str(), "max" | "min") && facts.arguments(call).len() == 1;
                if is_of_items || matches!(path.as_str(), "next" | "iter" | "list" | "set" | "sorted") {
                    return facts
                        .arguments(call)
                        .first()
                        .map_or(Domain::Unknown, |first| self.domain_of_elements(expr.scope.expr(*first), depth));
                }
                match facts.arguments(call).is_empty() {
                    true => Domain::Unknown,
                    // A value made of others: `str(x)`, `tuple(x)`, `os.path.join(x, y)`.
                    false => arguments(),
                }
            }
            Definition::Class(class) => match self.method(class, Name::new("__eq__")) {
                Some(_) => arguments(),
                None if self.is_value_class(class) => arguments(),
                None => self.domain_of_instances(class),
            },
            Definition::Function(function) => self.domain_of_result(function, depth),
            _ => {
                if let Some(function) = self.callee(expr.scope, id) {
                    return self.domain_of_result(function, depth);
                }
                let Expr::Attribute(base, method) = self.expr(callee) else { return Domain::Unknown };
                if let Some(domain) = self.method_path(callee).and_then(|path| self.domain_of_origin(path)) {
                    return domain;
                }
                if self.is_settings(callee.scope.expr(base)) {
                    return Domain::Bounded;
                }
                match method.as_str() {
                    // A string's own methods: as many results as inputs.
                    "lower" | "upper" | "strip" | "lstrip" | "rstrip" | "encode" | "decode" | "replace" | "join"
                    | "hexdigest" | "digest" | "split" | "rsplit" | "partition" | "casefold" | "title" | "items"
                    | "keys" | "values" | "copy" => {
                        let own = self.domain_within(callee.scope.expr(base), depth);
                        match call.arguments.len {
                            0 => own,
                            _ => self.joined_domain([own, arguments()].into_iter()),
                        }
                    }
                    _ => self.domain_by_name(method),
                }
            }
        }
    }

    /// What models say of a callable's results.
    fn domain_of_origin(&self, path: Name) -> Option<Domain> {
        let origin = self.models.origin(path)?;
        Some(match origin.domain {
            models::Domain::Open => Domain::Open(origin.why),
            models::Domain::Bounded => Domain::Bounded,
        })
    }

    /// The same of the call that an expression is, if it is one.
    fn domain_of_made(&self, made: ExprRef) -> Option<Domain> {
        let Expr::Call(call) = self.expr(made) else { return None };
        let callee = made.scope.expr(self.facts(made.scope.module).call(call).callee);
        let path = self.external_path(callee).or_else(|| self.method_path(callee))?;
        self.domain_of_origin(path)
    }

    /// Dataclasses and named tuples compare by value.
    pub fn is_value_class(&self, class: super::ClassRef) -> bool {
        let facts = self.facts(class.module);
        let declared = self.class(class);
        let scope = ScopeRef::new(class.module, facts.context(declared.context).scope);
        let decorated = facts.list(declared.decorators).iter().any(|id| {
            let written = match self.expr(self.callee_or_self(scope.expr(*id))) {
                Expr::Name(name) | Expr::Attribute(_, name) => name,
                _ => return false,
            };
            matches!(
                written.as_str(),
                "dataclass" | "record" | "define" | "frozen" | "attrs" | "s" | "mutable" | "total_ordering"
            ) || written.as_str().starts_with("record")
                || written.as_str().ends_with("dataclass")
        });
        // `class Point(NamedTuple("Point", …))`
        let made_base = facts.list(declared.bases).iter().any(|base| match facts.expr(*base) {
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Name(name) | Expr::Attribute(_, name) => matches!(name.as_str(), "NamedTuple" | "namedtuple"),
                _ => false,
            },
            _ => false,
        });
        decorated
            || made_base
            || self.external_bases(class).iter().any(|base| {
                matches!(
                    last_part(base.as_str()),
                    "NamedTuple"
                        | "namedtuple"
                        | "str"
                        | "int"
                        | "tuple"
                        | "bytes"
                        | "frozenset"
                        | "BaseModel"
                        | "Struct"
                        | "float"
                )
            })
            || self.method(class, Name::new("__eq__")).is_some()
    }

    fn domain_of_result(&self, function: FunctionRef, depth: Allowance) -> Domain {
        let facts = self.facts(function.module);
        let declared = self.function(function);
        if declared.returns != NOTHING
            && let Some(domain) =
                self.domain_of_type(self.type_of_annotation(self.defining_scope(function).expr(declared.returns), 4))
        {
            return domain;
        }
        let mut parts = Vec::new();
        for (_, event) in facts.scope_events(declared.scope) {
            if let EventKind::Return(value) = event.kind {
                parts
                    .push(self.domain_within(ScopeRef::new(function.module, facts.scope_of(event)).expr(value), depth));
            }
        }
        if parts.is_empty() || parts.len() > 8 {
            return Domain::Unknown;
        }
        self.joined_domain(parts.into_iter())
    }

    /// The domain of what lies in an iterable or mapping.
    fn domain_of_elements(&self, container: ExprRef, depth: Allowance) -> Domain {
        let facts = self.facts(container.scope.module);
        match self.expr(container) {
            Expr::Call(call) => {
                let call = facts.call(call);
                let callee = container.scope.expr(call.callee);
                match (self.resolve(callee), self.expr(callee)) {
                    (Definition::External(path), _) if path.as_str() == "range" => Domain::Bounded,
                    (Definition::External(path), _)
                        if matches!(
                            path.as_str(),
                            "enumerate" | "zip" | "sorted" | "list" | "set" | "tuple" | "reversed" | "iter" | "dict"
                        ) =>
                    {
                        match facts.arguments(call).first() {
                            Some(first) => self.domain_of_elements(container.scope.expr(*first), depth),
                            None => Domain::Bounded,
                        }
                    }
                    (_, Expr::Attribute(base, method))
                        if matches!(method.as_str(), "items" | "keys" | "values" | "copy") =>
                    {
                        self.domain_of_elements(container.scope.expr(base), depth)
                    }
                    _ => self.domain_within(container, depth),
                }
            }
            Expr::Display(..) | Expr::Constant(_) => self.domain_within(container, depth),
            Expr::Comprehension(kind, scope) => {
                let made = ScopeRef::new(container.scope.module, scope);
                self.joined_domain(facts.scope_events(scope).filter_map(|(_, event)| {
                    let EventKind::Yield(value) = event.kind else { return None };
                    // What lies in a dict are its keys.
                    let item = match facts.expr(value) {
                        Expr::Display(_, pair) if kind == ComprehensionKind::Dict => *facts.list(pair).first()?,
                        _ => value,
                    };
                    Some(self.domain_within(made.expr(item), depth))
                }))
            }
            Expr::Name(name) => match self.resolve_name(container.scope, name) {
                Definition::Variable(scope, name)
                    if scope.id == crate::facts::MODULE_SCOPE
                        || matches!(self.facts(scope.module).scope(scope.id).kind, ScopeKind::Class(_)) =>
                {
                    self.domain_of_table(scope, name, depth)
                }
                // The members of an enumeration, the subclasses of a class.
                Definition::Class(_) => Domain::Bounded,
                Definition::Variable(scope, name) => match self.domain_within(container, depth) {
                    Domain::Bounded => self.domain_of_collected(scope, name, depth),
                    known => known,
                },
                _ => self.domain_within(container, depth),
            },
            _ => self.domain_within(container, depth),
        }
    }

    /// What a function puts into a local list, set or dict that it begins empty.
    fn domain_of_collected(&self, scope: ScopeRef, name: Name, depth: Allowance) -> Domain {
        let (values, _) = self.bound_values(scope, name);
        let begins_empty = values.iter().any(|(_, value)| self.is_empty_display(*value));
        if !begins_empty {
            return Domain::Bounded;
        }
        let facts = self.facts(scope.module);
        let mut joined = Domain::Bounded;
        for (id, event) in facts.scope_events(scope.id) {
            let here = self.event_scope(EventRef::new(scope.module, id));
            let added = match event.kind {
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    let Expr::Attribute(base, method) = facts.expr(call.callee) else { continue };
                    let adds = OperationKind::of_method(method).is_some_and(OperationKind::is_growth);
                    match facts.arguments(call).first() {
                        Some(argument) if adds && facts.expr(base) == Expr::Name(name) => *argument,
                        _ => continue,
                    }
                }
                EventKind::Bind { target, .. } => match facts.expr(target) {
                    Expr::Subscript(base, key) if facts.expr(base) == Expr::Name(name) => key,
                    _ => continue,
                },
                _ => continue,
            };
            joined = joined.or(self.domain_within(here.expr(added), depth));
        }
        joined
    }

    fn is_empty_display(&self, expr: ExprRef) -> bool {
        match self.expr(expr) {
            Expr::Display(_, run) => run.len == 0,
            Expr::Call(call) => {
                let call = self.facts(expr.scope.module).call(call);
                call.arguments.len == 0
                    && call.keywords.len == 0
                    && matches!(self.resolve(expr.scope.expr(call.callee)), Definition::External(path)
                        if matches!(path.as_str(), "list" | "set" | "dict" | "collections.OrderedDict"))
            }
            _ => false,
        }
    }

    /// `TABLE.items()`, `enumerate(TABLE)`: each part of a pair has as many values as the table has entries.
    fn is_paired(&self, pairs: ExprRef) -> bool {
        let facts = self.facts(pairs.scope.module);
        let Expr::Call(call) = self.expr(pairs) else { return false };
        let call = facts.call(call);
        match facts.expr(call.callee) {
            Expr::Attribute(_, method) => method.as_str() == "items",
            Expr::Name(name) => matches!(name.as_str(), "enumerate" | "zip"),
            _ => false,
        }
    }

    /// A module- or class-level table of constants.
    fn domain_of_table(&self, scope: ScopeRef, name: Name, depth: Allowance) -> Domain {
        let (values, complete) = self.bound_values(scope, name);
        if !complete || values.is_empty() {
            return Domain::Unknown;
        }
        // An iterator without end: `NUMBERS = itertools.count()`.
        if let Some(open) =
            values.iter().filter_map(|(_, value)| self.domain_of_made(*value)).find(|made| made.is_open())
        {
            return open;
        }
        let place = match self.facts(scope.module).scope(scope.id).kind {
            ScopeKind::Class(class) => Place::Class(super::ClassRef::new(scope.module, class), name),
            _ => Place::Module(scope.module, name),
        };
        // Looking something up adds nothing to a plain table.
        let reads_insert = self.holder(place).is_some_and(|holder| holder.container.reads_insert);
        let mut grows_later = self.operations.on(place).filter(|o| {
            let grows = o.kind.is_growth() && (reads_insert || o.kind != OperationKind::Read);
            grows && self.event_function(o.event).is_some()
        });
        if grows_later.next().is_none() && values.iter().all(|(event, _)| self.event_function(*event).is_none()) {
            return Domain::Bounded;
        }
        self.joined_domain(values.iter().map(|(_, value)| match self.expr(*value) {
            Expr::Display(_, run) if run.len > 0 => Domain::Bounded,
            // What comes into an empty one is not followed.
            Expr::Display(..) => Domain::Unknown,
            _ => self.domain_within(*value, depth),
        }))
    }

    /// As [`Self::domain_by_name`], unless a word for what there are few of is looked past.
    fn domain_by_word(&self, name: Name, depth: Allowance) -> Domain {
        match self.domain_by_name(name) {
            Domain::Bounded if depth.looks_past_words => Domain::Unknown,
            named => named,
        }
    }

    /// The word that the programmer chose, where nothing else is known.
    fn domain_by_name(&self, name: Name) -> Domain {
        let text = name.as_str().trim_matches('_');
        let last = text.rsplit('_').next().unwrap_or(text);
        if vocabulary::is_class_word(text) || vocabulary::is_bounded_word(last) || vocabulary::is_measure_name(text) {
            return Domain::Bounded;
        }
        if names_default(name) {
            return Domain::Unknown;
        }
        let why = || Name::new(&format!("`{name}`, and there is always another"));
        let first = text.split('_').next().unwrap_or(text);
        let names_one =
            matches!(last, "name" | "key" | "path" | "url" | "host" | "no" | "number" | "nr") && first != last;
        let before = text.rsplit('_').nth(1).unwrap_or(last);
        let numbers = is_number_word(last);
        if vocabulary::is_fresh_word(last) || (numbers && before != last && vocabulary::is_passing_word(before)) {
            return Domain::Open(why());
        }
        if vocabulary::is_passing_word(last) && !vocabulary::is_deed_word(text) {
            return Domain::Presumed(why());
        }
        if numbers && before != last && (vocabulary::is_inventory_word(before) || vocabulary::is_bounded_word(before)) {
            return Domain::Unknown;
        }
        if vocabulary::is_open_word(last) || (names_one && vocabulary::is_open_word(first)) {
            return Domain::Presumed(why());
        }
        // What is connected to is configured.
        if vocabulary::is_text_word(last) && !(last == "string" && text.contains("conn")) {
            return Domain::Likely(why());
        }
        Domain::Unknown
    }

    /// Whether a test on the way to an event keeps the key to known values: `if key not in KNOWN: raise`.
    pub fn is_guarded_by_membership(&self, event: EventRef, key: ExprRef) -> bool {
        let facts = self.facts(event.module);
        facts.contexts_around(facts.event(event.id).context).any(|context| match context.kind {
            ContextKind::If(test) => matches!(facts.expr(test), Expr::Binary(Operator::In, left, right)
                if left == key.id && self.is_constant_table(key.scope.expr(right))),
            _ => false,
        })
    }

    pub(super) fn is_constant_table(&self, expr: ExprRef) -> bool {
        match self.expr(expr) {
            Expr::Display(..) => true,
            Expr::Name(_) | Expr::Attribute(..) => {
                self.domain_of_elements(expr, Allowance::new(3, &Cell::new(MOST_STEPS))) == Domain::Bounded
            }
            _ => false,
        }
    }
}

/// `0x7F`: a few bits have few values.
fn is_small_mask(expr: Expr) -> bool {
    matches!(expr, Expr::Constant(Constant::Int(0..=0xFFFF)))
}

/// Where in the source a frame is: as many places as there are lines.
fn is_of_call_site(attribute: &str) -> bool {
    matches!(
        attribute,
        "f_lineno" | "f_code" | "f_globals" | "co_filename" | "co_name" | "co_firstlineno" | "tb_lineno"
    )
}

/// What a log record has of the call that made it: as many as the source has calls. The message without its arguments is
/// one of these.
fn is_of_log_call(attribute: &str) -> bool {
    matches!(
        attribute,
        "name" | "msg" | "levelno" | "levelname" | "pathname" | "filename" | "module" | "lineno" | "funcName"
    )
}

/// Bases that say nothing of how instances compare.
fn is_neutral_base(path: &str) -> bool {
    matches!(
        path,
        "abc.ABC"
            | "typing.Generic"
            | "typing.Protocol"
            | "object"
            | "typing_extensions.Protocol"
            | "contextlib.AbstractContextManager"
    )
}

fn names_default(name: Name) -> bool {
    name.as_str().split('_').any(|word| word == "default")
}

fn is_constant_name(name: &str) -> bool {
    name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// What tells one thing of a kind from another.
fn is_number_word(word: &str) -> bool {
    matches!(word, "id" | "ids" | "uid" | "uuid" | "no" | "number" | "nr" | "token")
}
