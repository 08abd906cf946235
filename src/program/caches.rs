//! Functions that remember: cache decorators, what their keys are, and who clears them.

use rustc_hash::FxHashSet;

use super::domains::Domain;
use super::names::Definition;
use super::repetition::{Frequency, Repetition};
use super::types::Type;
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Place, Program, ScopeRef, vocabulary};
use crate::facts::{Constant, EventKind, Expr, ExprId, MODULE_SCOPE, NOTHING, Parameter, ParameterKind, ScopeKind};
use crate::finding::{Confidence, Label};
use crate::models::{self, BoundIs};
use crate::source::{Name, Span};

/// A function whose results a cache keeps by arguments.
#[derive(Clone, Copy, Debug)]
pub struct CachedFunction {
    pub function: FunctionRef,
    /// The decorator, or the statement that wraps the function.
    pub span: Span,
    pub is_bounded: bool,
    /// It is a method, and its instances are part of the keys.
    pub keeps_instances: bool,
    /// The name by which `cache_clear` is called.
    pub name: Name,
    /// The library's function that makes the cache, where that is called in this very place.
    pub made_by: Option<Name>,
}

/// The parameter that decides how large a cache can get.
#[derive(Clone, Copy, Debug)]
pub struct CacheKey {
    pub name: Name,
    pub span: Span,
    pub domain: Domain,
}

impl Program<'_> {
    /// The functions of a module that are wrapped in a cache.
    pub fn cached_functions(&self, module: ModuleId) -> &[CachedFunction] {
        self.cached[module.0 as usize].get_or_init(|| self.find_cached_functions(module))
    }

    fn find_cached_functions(&self, module: ModuleId) -> Vec<CachedFunction> {
        let mut found: Vec<CachedFunction> =
            self.functions_of(module).filter_map(|function| self.cached_by_decorator(function)).collect();
        found.extend(self.cached_by_call(module));
        found
    }

    fn cached_by_decorator(&self, function: FunctionRef) -> Option<CachedFunction> {
        let decorators: Vec<(ExprRef, Definition)> = self.decorators(function).collect();
        let (number, (decorator, is_bounded, keeps_self), definition) =
            (decorators.iter().enumerate()).find_map(|(number, (expr, definition))| {
                Some((number, self.cache_made(*expr, *definition)?, *definition))
            })?;
        // A property cannot be called, so that a cache above one is refused as the class is made.
        let is_property = |meaning: &Definition| {
            matches!(meaning, Definition::External(path)
            if matches!(path.as_str(), "property" | "functools.cached_property"))
        };
        if decorators.iter().skip(number).any(|(_, meaning)| is_property(meaning)) {
            return None;
        }
        let is_abstract = decorators.iter().any(
            |(_, meaning)| matches!(meaning, Definition::External(path) if path.as_str().ends_with("abstractmethod")),
        );
        // What derived classes do instead has a cache of its own, or none.
        if is_abstract && !self.does_something(function) {
            return None;
        }
        let is_method = self.receiver(function).is_some_and(|receiver| !receiver.is_class);
        Some(CachedFunction {
            function,
            span: self.decorator_span(function, decorator),
            is_bounded,
            keeps_instances: is_method && keeps_self,
            name: self.function(function).name,
            made_by: match definition {
                Definition::External(path) => Some(path),
                _ => None,
            },
        })
    }

    /// Whether a decorator expression makes a cache: `(expression, is bounded, keeps self)`.
    fn cache_made(&self, decorator: ExprRef, definition: Definition) -> Option<(ExprRef, bool, bool)> {
        let path = match definition {
            Definition::External(path) => path,
            // `memoize = functools.lru_cache(maxsize=None)` and used as `@memoize`.
            Definition::Variable(scope, name) if scope.id == MODULE_SCOPE => {
                let (values, complete) = self.bound_values(scope, name);
                let [(_, value)] = values.as_slice() else { return None };
                if !complete || !matches!(self.expr(*value), Expr::Call(_)) {
                    return None;
                }
                let Definition::External(path) = self.resolve(self.callee_or_self(*value)) else { return None };
                let model = self.models.cache(path)?;
                return Some((decorator, self.is_cache_bounded(model, *value), model.keeps_self));
            }
            _ => return None,
        };
        let model = self.models.cache(path)?;
        Some((decorator, self.is_cache_bounded(model, decorator), model.keeps_self))
    }

    /// `None`, or a variable that is never anything else: `SIZE = None`.
    pub(super) fn is_none(&self, expr: ExprRef) -> bool {
        let is_constant = |expr: ExprRef| matches!(self.expr(expr), Expr::Constant(Constant::None));
        match self.resolve(expr) {
            _ if is_constant(expr) => true,
            Definition::Variable(scope, name) => {
                let (values, is_complete) = self.bound_values(scope, name);
                is_complete && !values.is_empty() && values.iter().all(|(_, value)| is_constant(*value))
            }
            _ => false,
        }
    }

    fn is_cache_bounded(&self, model: &models::Cache, made_by: ExprRef) -> bool {
        let is_given = |keyword: &Name| {
            self.argument(made_by, models::Argument { keyword: *keyword, position: None })
                .is_some_and(|argument| !matches!(self.expr(argument), Expr::Constant(Constant::None)))
        };
        if model.also_bounded_by.iter().any(is_given) {
            return true;
        }
        let Some(bound) = model.bound else { return model.bounded_by_default };
        let Some(argument) = self.argument(made_by, bound) else { return model.bounded_by_default };
        match model.bound_is {
            BoundIs::Size => !self.is_none(argument),
            BoundIs::Container => match self.reach(argument).and_then(|reach| self.holder(reach.place)) {
                Some(holder) => holder.container.is_bounded || holder.container.holds != models::Holds::Strong,
                None => self
                    .container_made_by(argument)
                    .is_none_or(|made| made.is_bounded || made.holds != models::Holds::Strong),
            },
        }
    }

    /// A plain decorator has no event of its own: its place is found between the decorators and the name.
    fn decorator_span(&self, function: FunctionRef, decorator: ExprRef) -> Span {
        let facts = self.facts(function.module);
        if let Expr::Call(call) = facts.expr(decorator.id) {
            return facts.event(facts.call(call).event).span;
        }
        let declared = self.function(function);
        let first = facts.list(declared.decorators).first() == Some(&decorator.id);
        if first {
            let length = self.written_length(decorator);
            return Span::new(declared.span.start + 1, declared.span.start + 1 + length);
        }
        declared.name_span
    }

    fn written_length(&self, expr: ExprRef) -> u32 {
        match self.expr(expr) {
            Expr::Name(name) => name.as_str().len() as u32,
            Expr::Attribute(base, name) => self.written_length(expr.scope.expr(base)) + 1 + name.as_str().len() as u32,
            _ => 1,
        }
    }

    /// `resolve = functools.cache(_resolve)` at module or class level.
    fn cached_by_call(&self, module: ModuleId) -> Vec<CachedFunction> {
        let facts = self.facts(module);
        let mut found = Vec::new();
        for id in &self.module(module).index.may_hold {
            let event = facts.event(*id);
            let EventKind::Bind { target, value } = event.kind else { continue };
            let (Expr::Name(name), Expr::Call(outer)) = (facts.expr(target), facts.expr(value)) else { continue };
            let scope = super::ScopeRef::new(module, facts.scope_of(event));
            if self.enclosing_function(scope).is_some() {
                continue;
            }
            let maker = scope.expr(facts.call(outer).callee);
            let Definition::External(path) = self.resolve(self.callee_or_self(maker)) else { continue };
            let Some(model) = self.models.cache(path) else { continue };
            let Some(wrapped) = facts.arguments(facts.call(outer)).first() else { continue };
            let Definition::Function(function) = self.resolve(scope.expr(*wrapped)) else { continue };
            let is_method = self.receiver(function).is_some_and(|receiver| !receiver.is_class);
            let event = EventRef::new(module, *id);
            found.push(CachedFunction {
                function,
                span: self.event_location(event).span,
                is_bounded: self.is_cache_bounded(model, maker),
                keeps_instances: is_method && model.keeps_self,
                name,
                made_by: Some(path),
            });
        }
        found
    }

    /// The parameter whose domain is most open; `None` where there is nothing to key by, or all is bounded.
    pub fn cache_key(&self, function: FunctionRef) -> Option<CacheKey> {
        let facts = self.facts(function.module);
        let receiver = self.receiver(function);
        let mut best: Option<CacheKey> = None;
        for parameter in facts.parameters(self.function(function)) {
            if receiver.is_some_and(|receiver| receiver.name == parameter.name) {
                continue;
            }
            let domain = self.cache_parameter_domain(function, parameter);
            let is_more = best.is_none_or(|best| best.domain.or(domain) != best.domain);
            if domain != Domain::Bounded && is_more {
                best = Some(CacheKey { name: parameter.name, span: parameter.span, domain });
            }
        }
        best
    }

    fn cache_parameter_domain(&self, function: FunctionRef, parameter: &Parameter) -> Domain {
        if matches!(parameter.kind, ParameterKind::Rest | ParameterKind::Keywords) {
            return Domain::Unknown;
        }
        // A flag.
        if parameter.default != NOTHING
            && matches!(
                self.facts(function.module).expr(parameter.default),
                Expr::Constant(Constant::True | Constant::False)
            )
        {
            return Domain::Bounded;
        }
        let annotation = self.defining_scope(function).expr(parameter.annotation);
        match self.domain_of_annotation(annotation) {
            // How many numbers there are is for the callers to say.
            None | Some(Domain::Likely(_)) => {}
            Some(declared) => return declared,
        }
        if vocabulary::is_callable_name(parameter.name.as_str())
            && (parameter.annotation == NOTHING || !self.names_text(annotation))
        {
            return self.domain_of_functions(function, parameter.name, 4);
        }
        self.parameter_domain(function, parameter.name)
    }

    /// Functions as keys: those defined in modules are bounded; closures, bound methods and what is taken out of
    /// objects are made at run time.
    fn domain_of_functions(&self, function: FunctionRef, parameter: Name, depth: u32) -> Domain {
        let Some(depth) = depth.checked_sub(1) else { return Domain::Unknown };
        let mut domain = Domain::Unknown;
        for site in self.callers(function).iter().filter(|site| site.is_certain && !self.is_test(site.module)) {
            let Some(argument) = self.argument_for(*site, function, parameter) else { continue };
            let is_parameter = matches!(self.expr(argument), Expr::Name(name)
                if self.holding_scope(argument.scope, name).is_some_and(|holder| self.is_parameter(holder, name)));
            if self.is_taken_from_class(argument) {
                domain = domain.or(Domain::Bounded);
                continue;
            }
            let passed = match self.resolve(argument) {
                Definition::Variable(scope, name) if is_parameter => match self.enclosing_function(scope) {
                    Some(outer) if outer != function => self.domain_of_functions(outer, name, depth),
                    _ => Domain::Unknown,
                },
                Definition::Variable(scope, _) if scope.id == MODULE_SCOPE => Domain::Unknown,
                Definition::Variable(..) | Definition::Unknown => {
                    Domain::Open(Name::new("functions that are made at run time, bound methods among them"))
                }
                _ => Domain::Bounded,
            };
            domain = domain.or(passed);
        }
        domain
    }

    /// `getattr(self.kind, name)`, perhaps under a name, of an attribute that its constructor makes a class where it is
    /// given none: `if not isclass(kind): kind = type(kind)`.
    fn is_taken_from_class(&self, expr: ExprRef) -> bool {
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Name(name) => match self.holding_scope(expr.scope, name) {
                Some(holder) if !self.is_parameter(holder, name) => {
                    let (values, is_complete) = self.bound_values(holder, name);
                    is_complete
                        && !values.is_empty()
                        && values.iter().all(|(_, value)| {
                            matches!(self.expr(*value), Expr::Call(_)) && self.is_taken_from_class(*value)
                        })
                }
                _ => false,
            },
            Expr::Call(call) => {
                let call = facts.call(call);
                let is_getattr = matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "getattr");
                let [object, ..] = facts.arguments(call) else { return false };
                let Expr::Attribute(base, attribute) = facts.expr(*object) else { return false };
                let Expr::Name(base) = facts.expr(base) else { return false };
                let Some(receiver) = self.receiver_named(expr.scope, base) else { return false };
                let stores = self.instance_stores(receiver.class, attribute);
                is_getattr && !stores.is_empty() && stores.iter().all(|store| self.stores_a_class(*store))
            }
            _ => false,
        }
    }

    /// `self.kind = kind` where the function binds `kind = type(kind)` before.
    fn stores_a_class(&self, store: EventRef) -> bool {
        let facts = self.facts(store.module);
        let EventKind::Bind { value, .. } = facts.event(store.id).kind else { return false };
        let Expr::Name(name) = facts.expr(value) else { return false };
        let Some(holder) = self.holding_scope(self.event_scope(store), name) else { return false };
        self.bound_values(holder, name).0.iter().any(|(event, bound)| {
            event.id < store.id
                && matches!(self.expr(*bound), Expr::Call(call)
                if matches!(facts.expr(facts.call(call).callee), Expr::Name(callee) if callee.as_str() == "type")
                    && facts.arguments(facts.call(call)) == [value])
        })
    }

    /// `-> None`: it is cached so that it runs once for each argument.
    pub fn returns_nothing(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        matches!(facts.expr(self.function(function).returns), Expr::Constant(Constant::None))
    }

    /// A place where instances are made again and again while the program runs.
    pub fn repeated_instantiation(&self, class: ClassRef) -> Option<super::calls::CallSite> {
        self.instantiations(class).iter().copied().find(|site| {
            !self.is_test(site.module) && !self.is_module_level(site.event) && self.is_repeated(site.event)
        })
    }

    /// The same of what shows it: an instance that a constructor makes is as often made as that constructor's own.
    pub fn is_shown_to_be_many(&self, site: &super::calls::CallSite) -> bool {
        let Some(maker) = self.event_function(site.event) else { return false };
        match self.class_of_method(maker).filter(|_| vocabulary::is_making_name(self.function(maker).name.as_str())) {
            Some(class) => std::iter::once(&class)
                .chain(self.subclasses(class))
                .any(|class| self.repeated_instantiation(*class).is_some()),
            None => true,
        }
    }

    /// Called outside of tests by code that runs: `f.cache_clear()`, or handed on as a callback.
    pub fn is_cache_cleared(&self, cached: &CachedFunction) -> bool {
        self.clears_of(cached).into_iter().any(|event| {
            !self.is_test(event.module)
                && self.event_function(event).is_some_and(|function| {
                    self.is_live(function) || !self.function(function).name.as_str().starts_with('_')
                })
        })
    }

    /// A `cache_clear` that nobody runs.
    pub fn dead_cache_clear(&self, cached: &CachedFunction) -> Option<EventRef> {
        self.clears_of(cached).into_iter().find(|event| !self.is_test(event.module))
    }

    fn clears_of(&self, cached: &CachedFunction) -> Vec<EventRef> {
        let mut found = Vec::new();
        for (event, callee) in self.cache_clears() {
            let Expr::Attribute(base, _) = self.expr(callee) else { continue };
            let base = callee.scope.expr(base);
            let same = match self.resolve(base) {
                Definition::Function(function) => function == cached.function,
                Definition::Variable(scope, name) => name == cached.name || self.loops_over(scope, name, cached.name),
                _ => matches!(self.expr(base), Expr::Attribute(_, name) if name == cached.name),
            };
            if same {
                found.push(event);
            }
        }
        found
    }

    /// `for cached in (first, Class.second): cached.cache_clear()`
    fn loops_over(&self, scope: super::ScopeRef, variable: Name, function: Name) -> bool {
        let module = self.module(scope.module);
        let facts = module.facts();
        module.bindings_of(scope.id, variable).any(|event| match facts.event(event).kind {
            EventKind::BindElement { iterable, .. } => match facts.expr(iterable) {
                Expr::Display(_, run) => facts.list(run).iter().any(
                    |item| matches!(facts.expr(*item), Expr::Name(name) | Expr::Attribute(_, name) if name == function),
                ),
                _ => false,
            },
            _ => false,
        })
    }

    /// How sure an unbounded cache on an open domain is a leak, by how often the function is called.
    pub fn cache_repetition(&self, function: FunctionRef, confidence: Confidence) -> Option<(Confidence, Vec<Label>)> {
        let repetition = self.function_repetition(function);
        match repetition.frequency {
            Frequency::Repeated => Some((confidence, repetition.reasons)),
            Frequency::Presumed if repetition.is_surface && self.begins_with_constructor(&repetition) => {
                Some((Confidence::Low, repetition.reasons))
            }
            Frequency::Presumed if self.is_part_of_tool(function.module) => Some((Confidence::Low, repetition.reasons)),
            Frequency::Presumed => Some((confidence.min(Confidence::Medium), repetition.reasons)),
            Frequency::Once | Frequency::Definition | Frequency::Never => None,
        }
    }

    /// What is at the top of a chain of callers is a constructor.
    pub fn begins_with_constructor(&self, repetition: &Repetition) -> bool {
        repetition.path.last().is_some_and(|top| vocabulary::is_making_name(self.function(*top).name.as_str()))
    }

    /// Instances whose number the source decides: enumerations, metaclasses, module-level singletons.
    pub fn has_bounded_instances(&self, class: ClassRef) -> bool {
        let is_enum = self.external_bases(class).iter().any(|base| base.as_str().starts_with("enum."));
        let sites = self.instantiations(class);
        let mut made = sites.iter().filter(|site| !self.is_test(site.module)).peekable();
        let mut is_made_once = || {
            made.peek().is_some()
                && self.subclasses(class).is_empty()
                && made.all(|site| self.is_made_lazily(*site) || !self.is_repeated(site.event))
        };
        is_enum || self.is_metaclass(class) || self.is_singleton(class) || is_made_once()
    }

    /// Instances hold nothing but numbers, texts, classes, functions and weak references.
    pub fn is_light_instance(&self, class: ClassRef) -> bool {
        let family = || self.mro(class).iter().chain(self.subclasses(class));
        let has_heavy_base = self.has_unknown_base(class)
            || self.external_bases(class).iter().any(|base| {
                !matches!(base.as_str(), "abc.ABC" | "typing.Generic" | "logging.Filter" | "logging.Formatter")
            });
        !has_heavy_base
            && family().all(|class| {
                let facts = self.facts(class.module);
                let body = facts.class(class.id).span;
                facts.events.iter().enumerate().all(|(number, event)| {
                    let EventKind::Bind { target, value } = event.kind else {
                        return true;
                    };
                    let Expr::Attribute(base, _) = facts.expr(target) else { return true };
                    let Expr::Name(base) = facts.expr(base) else { return true };
                    let scope = self.event_scope(EventRef::new(class.module, crate::facts::EventId(number as u32)));
                    !body.contains(event.span)
                        || self.receiver_named(scope, base).is_none_or(|receiver| receiver.class != *class)
                        || self.is_light_value(scope.expr(value), 4)
                })
            })
    }

    fn is_light_value(&self, value: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(value.scope.module);
        let all = |run: &[ExprId]| run.iter().all(|part| self.is_light_value(value.scope.expr(*part), depth));
        match self.expr(value) {
            Expr::Constant(_) | Expr::Not(_) | Expr::Format(_) | Expr::Nothing => true,
            Expr::Or(run) | Expr::And(run) => all(facts.list(run)),
            Expr::Conditional(run) => all(facts.list(run).get(1..).unwrap_or_default()),
            _ if is_small_type(self.type_of(value)) => true,
            Expr::Call(call) => {
                let path = self.external_path(value.scope.expr(facts.call(call).callee));
                path.is_some_and(|path| path.as_str().starts_with("weakref.") || is_small_type(Type::External(path)))
            }
            Expr::Name(_) | Expr::Attribute(..) => match self.resolve(value) {
                Definition::Class(_) | Definition::Function(_) | Definition::Module(_) | Definition::External(_) => {
                    true
                }
                Definition::Variable(scope, name) if self.is_parameter(scope, name) => {
                    let function = self.enclosing_function(scope);
                    let default = function.and_then(|function| self.parameter_default(function, name));
                    default.is_some_and(
                        |default| matches!(self.expr(default), Expr::Constant(constant) if constant != Constant::None),
                    )
                }
                Definition::Variable(scope, name) => match self.bound_values(scope, name) {
                    (values, true) => {
                        !values.is_empty() && values.iter().all(|(_, bound)| self.is_light_value(*bound, depth))
                    }
                    _ => false,
                },
                Definition::Unknown => false,
            },
            _ => false,
        }
    }

    /// Module- and class-level places, function attributes and default arguments of a module, in source order.
    pub fn shared_places(&self, module: ModuleId) -> Vec<Place> {
        let facts = self.facts(module);
        let mut seen = FxHashSet::default();
        let mut places = Vec::new();
        for id in &self.module(module).index.may_hold {
            let event = facts.event(*id);
            if let EventKind::Define(function) = event.kind {
                let function = FunctionRef::new(module, function);
                places.extend(self.default_places(function));
                continue;
            }
            let EventKind::Bind { target, value } = event.kind else { continue };
            let (Expr::Name(name) | Expr::Attribute(_, name)) = facts.expr(target) else { continue };
            if value == NOTHING || !self.operations.may_touch(name) {
                continue;
            }
            let event = EventRef::new(module, *id);
            let scope = self.event_scope(event);
            let place = match (facts.expr(target), facts.scope(scope.id).kind) {
                (Expr::Name(name), ScopeKind::Module) => Place::Module(module, name),
                (Expr::Name(name), ScopeKind::Class(class)) => Place::Class(ClassRef::new(module, class), name),
                (Expr::Name(name), _) if facts.names[facts.scope(scope.id).globals.range()].contains(&name) => {
                    Place::Module(module, name)
                }
                (Expr::Attribute(base, name), _) if may_make_container(facts.expr(value)) => {
                    match self.resolve(scope.expr(base)) {
                        Definition::Function(function) => Place::Function(function, name),
                        _ => continue,
                    }
                }
                _ => continue,
            };
            if !seen.insert(place) || self.operations.on(place).next().is_none() {
                continue;
            }
            if let Place::Class(class, name) = place
                && (matches!(self.instance_place(class, name), Place::Instance(..))
                    || self.is_copied_field(class, scope, name)
                    || self.is_rebound_by_derived(class, name))
            {
                continue;
            }
            places.push(place);
        }
        places.extend(self.captured_places(module));
        places
    }

    /// Each class that is derived gives its instances a container of their own under the name, and there are no others.
    fn is_rebound_by_derived(&self, class: ClassRef, name: Name) -> bool {
        let derived = self.subclasses(class);
        !derived.is_empty()
            && derived.iter().all(|class| matches!(self.instance_place(*class, name), Place::Instance(..)))
            && self.instantiations(class).is_empty()
    }

    /// `items: list[str] = []` in a model class: the declared default of a field, which each instance gets a copy of.
    fn is_copied_field(&self, class: ClassRef, scope: ScopeRef, name: Name) -> bool {
        let facts = self.facts(class.module);
        let is_declared = || {
            self.module(class.module)
                .bindings_of(scope.id, name)
                .any(|event| matches!(facts.event(event).kind, EventKind::Annotate { .. }))
        };
        let copies = |class: &ClassRef| {
            let facts = self.facts(class.module);
            facts.list(facts.class(class.id).bases).iter().any(|base| match facts.expr(*base) {
                Expr::Name(name) | Expr::Attribute(_, name) => {
                    matches!(name.as_str(), "BaseModel" | "BaseSettings" | "RootModel" | "SQLModel" | "Struct")
                }
                _ => false,
            })
        };
        is_declared() && self.mro(class).iter().any(copies)
    }

    /// The parameters of a function of a module or class whose default is made once and changed by the calls.
    fn default_places(&self, function: FunctionRef) -> Vec<Place> {
        if self.enclosing_function(self.defining_scope(function)).is_some() {
            return Vec::new();
        }
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let parameters = facts.parameters(self.function(function)).iter();
        parameters
            .filter(|parameter| matches!(facts.expr(parameter.default), Expr::Display(..) | Expr::Call(_)))
            .map(|parameter| Place::Local(scope, parameter.name))
            .filter(|place| self.operations.on(*place).next().is_some())
            .collect()
    }
}

fn is_small_type(kind: Type) -> bool {
    match kind {
        Type::Class(_) | Type::None => true,
        Type::External(path) => {
            matches!(
                path.as_str(),
                "int"
                    | "float"
                    | "bool"
                    | "str"
                    | "bytes"
                    | "type"
                    | "typing.Literal"
                    | "typing.Callable"
                    | "collections.abc.Callable"
            )
        }
        _ => false,
    }
}

fn may_make_container(value: Expr) -> bool {
    matches!(value, Expr::Display(..) | Expr::Comprehension(..) | Expr::Call(_))
}
