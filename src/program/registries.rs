//! Growth inside of libraries: calls that put an entry into a table that the program never sees.
//!
//! `logging.getLogger(name)` keeps a logger for each name there ever was, `atexit.register` keeps what it is given
//! until the process ends. Which calls do so, and by what an entry is told from the others, is said by models. A
//! function that hands its own parameter on to such a call stands for it, so that the place that makes up the key is
//! what is judged and reported.

mod guards;
mod keys;
mod removals;
mod stacks;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::domains::Domain;
use super::listeners::Emitter;
use super::names::Definition;
use super::repetition::{Frequency, Repetition};
use super::types::{Type, last_part};
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Place, Program, ScopeRef, vocabulary};
use crate::facts::{CallId, Constant, EventId, EventKind, Expr, ExprId, NOTHING, ScopeKind};
use crate::finding::Label;
use crate::models::{Argument, EntryBy, Held, Registry};
use crate::source::{Name, NameSet};

use guards::Guard;

/// Every call that may put an entry into a library's table, by module.
#[derive(Default)]
pub struct Registrations {
    sites: Vec<Vec<Site>>,
}

/// One such call.
#[derive(Clone, Copy, Debug)]
struct Site {
    event: EventRef,
    /// What the library calls it.
    path: Name,
    /// What decides whether the entry is another one, where one argument does.
    key: Option<ExprRef>,
    /// The library's call, where a function of the project hands the key on to it.
    inner: Option<EventRef>,
}

/// Entries that are put into a library's table again and again.
#[derive(Clone, Debug)]
pub struct Registration<'p> {
    pub event: EventRef,
    pub path: Name,
    pub registry: &'p Registry,
    pub inner: Option<EventRef>,
    pub cause: Cause,
    /// Whose the object is that it is registered with.
    pub emitter: Emitter,
    pub repetition: Repetition,
    /// A branch decides whether it happens at all.
    pub is_conditional: bool,
    /// What takes entries out but does not help, and why.
    pub refuted: Vec<Label>,
}

/// Why each time is another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The key is another each time.
    Key(Domain),
    /// Each call adds one, whatever it is given.
    Call,
    /// Each call adds one, and this class is made again and again.
    Constructor(ClassRef),
    /// What is registered belongs to an instance of this class, which it keeps.
    Instance(ClassRef),
    /// What is registered is made by the call itself.
    Fresh,
}

/// How many functions a key may be handed through.
const MOST_HANDS: u32 = 3;

impl Registrations {
    pub fn collect(program: &Program) -> Registrations {
        let names: NameSet = program.models.registry_names().map(|path| Name::new(last_part(path.as_str()))).collect();
        let mut sites: Vec<Vec<Site>> = by_module(program, &names)
            .into_par_iter()
            .map(|(module, calls)| library_sites(program, module, calls, &names))
            .collect();
        let mut last: Vec<Site> = sites.iter().flatten().copied().collect();
        for _ in 0..MOST_HANDS {
            let hands = Hands::of(program, &last);
            if hands.by_function.is_empty() {
                break;
            }
            let found: Vec<Vec<Site>> = by_module(program, &hands.names)
                .into_par_iter()
                .map(|(module, calls)| handed_sites(program, module, calls, &hands))
                .collect();
            last = found.iter().flatten().copied().collect();
            for (all, more) in sites.iter_mut().zip(found) {
                all.extend(more);
            }
        }
        for all in &mut sites {
            all.sort_by_key(|site| site.event);
        }
        Registrations { sites }
    }
}

/// Functions that hand a parameter on to a library's table.
#[derive(Default)]
struct Hands {
    by_function: FxHashMap<FunctionRef, Vec<(Name, Site)>>,
    /// The names under which they are called.
    names: NameSet,
}

impl Hands {
    fn of(program: &Program, sites: &[Site]) -> Hands {
        let mut hands = Hands::default();
        for site in sites {
            let Some(key) = site.key else { continue };
            let Expr::Name(name) = program.expr(key) else { continue };
            let Some((function, parameter)) = program.handed_parameter(key, name) else { continue };
            hands.by_function.entry(function).or_default().push((parameter, *site));
            let declared = program.function(function).name;
            match program.class_of_method(function).filter(|_| declared == program.words.init) {
                Some(class) => {
                    let derived = program.subclasses(class).iter().chain(std::iter::once(&class));
                    hands.names.extend(derived.map(|class| program.class(*class).name));
                }
                None => hands.names.extend(std::iter::once(declared)),
            }
        }
        hands
    }
}

/// The calls under these names for each module.
fn by_module(program: &Program, names: &NameSet) -> Vec<(ModuleId, Vec<CallId>)> {
    let mut calls: Vec<(ModuleId, Vec<CallId>)> = program.module_ids().map(|module| (module, Vec::new())).collect();
    for (module, call) in program.calls_under(names) {
        calls[module.0 as usize].1.push(call);
    }
    calls
}

fn library_sites(program: &Program, module: ModuleId, calls: Vec<CallId>, names: &NameSet) -> Vec<Site> {
    let facts = program.facts(module);
    let mut sites = Vec::new();
    for call in calls {
        let event = facts.call(call).event;
        let event = EventRef::new(module, event);
        let scope = program.event_scope(event);
        let callee = scope.expr(facts.call(call).callee);
        let Some(path) = program.external_path(callee).or_else(|| program.method_path(callee)) else { continue };
        let Some(registry) = program.models.registry(path) else { continue };
        if registry.entry == EntryBy::Item || program.goes_elsewhere(scope, call, registry) {
            continue;
        }
        let key = match registry.entry {
            EntryBy::Key(Some(argument)) | EntryBy::Text(argument) | EntryBy::Callable(argument) => {
                match program.given(scope, call, argument) {
                    Some(key) => Some(key),
                    None => continue,
                }
            }
            _ => None,
        };
        sites.push(Site { event, path, key, inner: None });
    }
    for id in &program.module(module).index.item_stores {
        let event = facts.event(*id);
        let EventKind::Bind { target, .. } = event.kind else { continue };
        let Expr::Subscript(table, key) = facts.expr(target) else { continue };
        let is_named = matches!(facts.expr(table), Expr::Name(name) | Expr::Attribute(_, name) if names.contains(name));
        if !is_named {
            continue;
        }
        let scope = ScopeRef::new(module, facts.scope_of(event));
        let Some(path) = program.external_path(scope.expr(table)) else { continue };
        if program.models.registry(path).is_some_and(|registry| registry.entry == EntryBy::Item) {
            let event = EventRef::new(module, *id);
            sites.push(Site { event, path, key: Some(scope.expr(key)), inner: None });
        }
    }
    sites
}

fn handed_sites(program: &Program, module: ModuleId, calls: Vec<CallId>, hands: &Hands) -> Vec<Site> {
    let facts = program.facts(module);
    let mut sites = Vec::new();
    for call in calls {
        let event = EventRef::new(module, facts.call(call).event);
        let scope = program.event_scope(event);
        let Some(function) = program.callee(scope, call) else { continue };
        let Some(parameters) = hands.by_function.get(&function) else { continue };
        let Some(site) = program.call_site(event) else { continue };
        for (parameter, handed) in parameters {
            let registry = program.models.registry(handed.path);
            if registry.is_none_or(|registry| program.goes_elsewhere(scope, call, registry)) {
                continue;
            }
            if let Some(key) = program.argument_for(site, function, *parameter) {
                let inner = Some(handed.inner.unwrap_or(handed.event));
                sites.push(Site { event, path: handed.path, key: Some(key), inner });
            }
        }
    }
    sites
}

impl Program<'_> {
    /// The registrations of a module that go on without end, in source order: those of hooks, which keep what they
    /// belong to, or all others.
    pub fn registrations(&self, module: ModuleId, hooks: bool) -> Vec<Registration<'_>> {
        let sites = self.registrations.sites.get(module.0 as usize).map_or(&[][..], Vec::as_slice);
        let mut seen = FxHashSet::default();
        sites
            .iter()
            .filter(|site| self.models.registry(site.path).is_some_and(|registry| registry.is_hook == hooks))
            .filter_map(|site| self.registration(*site))
            .filter(|registration| seen.insert(registration.event))
            .collect()
    }

    fn registration(&self, site: Site) -> Option<Registration<'_>> {
        let registry = self.models.registry(site.path)?;
        if registry.held == Held::Receiver {
            return self.stack_registration(site, registry);
        }
        let cause = match registry.entry {
            EntryBy::Key(Some(_)) | EntryBy::Item => Cause::Key(self.key_domain(site.key?)),
            EntryBy::Key(None) => Cause::Key(self.domain_of_any_argument(site)),
            EntryBy::Text(_) => Cause::Key(self.text_domain(site.key?, site.event)),
            EntryBy::Call => match self.constructor_around(site.event) {
                Some(class) => Cause::Constructor(class),
                None => Cause::Call,
            },
            EntryBy::Callable(_) => self.callable_cause(site)?,
        };
        let emitter = match registry.held {
            Held::Emitter => self.emitter_of(site.event)?,
            _ => Emitter::Process,
        };
        // What is added to a logger that nothing else holds ends with it.
        if registry.entry == EntryBy::Call && self.is_called_on_own_object(site.event) {
            return None;
        }
        if matches!(cause, Cause::Key(Domain::Bounded | Domain::Unknown)) || self.is_asked_first(site.event, registry) {
            return None;
        }
        let guard = self.once_guard(site.event);
        if guard == Guard::Process && !matches!(cause, Cause::Key(_)) {
            return None;
        }
        let function = self.event_function(site.event)?;
        if self.is_cached(function, 1) && !matches!(cause, Cause::Key(_)) {
            return None;
        }
        let mut repetition = self.repetition(site.event);
        let name = self.function(function).name.as_str();
        let is_setup = !name.starts_with("__") && vocabulary::is_setup_name(name);
        if is_setup && repetition.frequency < Frequency::Repeated {
            return None;
        }
        let class = self.method_around(site.event).and_then(|method| self.class_of_method(method));
        if let Some(class) = class
            && !matches!(cause, Cause::Key(_))
        {
            let is_per_instance = guard == Guard::Instance || self.constructor_around(site.event).is_some();
            if is_per_instance {
                repetition.frequency = repetition.frequency.min(self.instance_frequency(class));
            }
        }
        if repetition.frequency < Frequency::Presumed {
            return None;
        }
        let refuted = self.refuted_removals(site, registry)?;
        Some(Registration { emitter, refuted, ..self.registration_at(site, registry, cause, repetition) })
    }

    fn registration_at<'p>(
        &self,
        site: Site,
        registry: &'p Registry,
        cause: Cause,
        repetition: Repetition,
    ) -> Registration<'p> {
        let Site { event, path, inner, .. } = site;
        let is_conditional = self.is_conditional_event(event);
        let (emitter, refuted) = (Emitter::Process, Vec::new());
        Registration { event, path, registry, inner, cause, emitter, repetition, is_conditional, refuted }
    }

    /// Whether the instances that each make an entry are made in a loop.
    pub fn is_made_in_loop(&self, registration: &Registration) -> bool {
        let (Cause::Instance(class) | Cause::Constructor(class)) = registration.cause else { return false };
        let classes = std::iter::once(&class).chain(self.subclasses(class));
        classes
            .flat_map(|class| self.instantiations(*class).to_vec())
            .filter(|site| !self.is_test(site.module))
            .any(|site| self.event_function(site.event).is_some() && self.is_in_loop(site.event))
    }

    /// How often instances of a class are made.
    pub fn instance_frequency(&self, class: ClassRef) -> Frequency {
        if self.has_bounded_instances(class) {
            return Frequency::Once;
        }
        let classes = std::iter::once(&class).chain(self.subclasses(class));
        let made =
            classes.flat_map(|class| self.instantiations(*class).to_vec()).filter(|site| !self.is_test(site.module));
        let most = made.take(24).map(|site| self.frequency(site.event)).max();
        most.unwrap_or(match self.class(class).name.as_str().starts_with('_') {
            true => Frequency::Never,
            false => Frequency::Presumed,
        })
    }

    /// The method that an event stands in, also from the functions inside of it.
    fn method_around(&self, event: EventRef) -> Option<FunctionRef> {
        let mut function = self.event_function(event)?;
        while self.class_of_method(function).is_none() {
            function = self.enclosing_function(self.defining_scope(function))?;
        }
        Some(function)
    }

    /// The class whose constructor an event stands in.
    fn constructor_around(&self, event: EventRef) -> Option<ClassRef> {
        let function = self.event_function(event)?;
        let name = self.function(function).name;
        let constructs = name == self.words.init || name.as_str() == "__post_init__";
        self.class_of_method(function).filter(|_| constructs)
    }

    fn is_conditional_event(&self, event: EventRef) -> bool {
        self.conditions(event).iter().any(|condition| !condition.is_check)
    }

    fn is_called_on_own_object(&self, event: EventRef) -> bool {
        self.called_on(event).is_some_and(|(base, _)| matches!(self.type_of(base), Type::Instance(_)))
    }

    /// Whether a flag of the process, or a table of it that is looked at, lets an event happen once.
    pub(super) fn is_guarded_for_process(&self, event: EventRef) -> bool {
        self.once_guard(event) == Guard::Process
    }

    /// What a call gives for a parameter.
    fn given(&self, scope: ScopeRef, call: CallId, parameter: Argument) -> Option<ExprRef> {
        let facts = self.facts(scope.module);
        let call = facts.call(call);
        let by_keyword = facts.keyword_arguments(call).iter().find(|(name, _)| *name == Some(parameter.keyword));
        let by_position = || {
            let position = parameter.position? as usize;
            let before = facts.arguments(call).get(..=position)?;
            let is_spread = before.iter().any(|argument| matches!(facts.expr(*argument), Expr::Starred(_)));
            before.last().filter(|_| !is_spread)
        };
        by_keyword.map(|(_, value)| value).or_else(by_position).map(|id| scope.expr(*id))
    }

    /// A keyword or argument with which there is no entry in this table.
    fn goes_elsewhere(&self, scope: ScopeRef, call: CallId, registry: &Registry) -> bool {
        let facts = self.facts(scope.module);
        let call = facts.call(call);
        let keywords = facts.keyword_arguments(call);
        if keywords.iter().any(|(name, _)| name.is_some_and(|name| registry.unless_keyword.contains(&name))) {
            return true;
        }
        let is_false = |wanted: Name| {
            let mut given = keywords.iter().filter(|(name, _)| *name == Some(wanted));
            given.any(|(_, value)| facts.expr(*value) == Expr::Constant(Constant::False))
        };
        if registry.if_false.is_some_and(|wanted| !is_false(wanted)) {
            return true;
        }
        if registry.if_class.is_some_and(|place| !self.is_class_given(scope, call.event, place)) {
            return true;
        }
        if registry.unless_value.is_empty() {
            return false;
        }
        let is_excluded = |id: ExprId| self.is_one_of(scope.expr(id), &registry.unless_value, 2);
        facts.arguments(call).iter().copied().chain(keywords.iter().map(|(_, value)| *value)).any(is_excluded)
    }

    /// Whether an argument is a class, by what it is or how it is written.
    fn is_class_given(&self, scope: ScopeRef, event: EventId, place: u32) -> bool {
        let facts = self.facts(scope.module);
        let EventKind::Call(call) = facts.event(event).kind else { return false };
        let Some(given) = facts.arguments(facts.call(call)).get(place as usize) else { return false };
        match self.resolve(scope.expr(*given)) {
            Definition::Class(_) => true,
            Definition::External(path) => last_part(path.as_str()).starts_with(char::is_uppercase),
            _ => false,
        }
    }

    /// Whether an argument is one of these, or a parameter that is unless a caller says otherwise.
    fn is_one_of(&self, expr: ExprRef, names: &[Name], depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.resolve(expr) {
            Definition::External(path) => names.contains(&path),
            Definition::Class(class) => {
                names.contains(&self.class(class).name)
                    || self.external_bases(class).iter().any(|base| names.contains(base))
            }
            Definition::Variable(scope, name) => {
                let function = self.enclosing_function(scope).filter(|_| self.is_parameter(scope, name));
                let default = function.and_then(|function| self.parameter_default(function, name));
                default.is_some_and(|default| self.is_one_of(default, names, depth))
            }
            _ => false,
        }
    }

    /// What a registered callable belongs to; `None` where it is one function however often it is registered.
    fn callable_cause(&self, site: Site) -> Option<Cause> {
        let callable = site.key?;
        let registry = self.models.registry(site.path)?;
        if registry.methods_weak && matches!(self.expr(callable), Expr::Attribute(..)) {
            return None;
        }
        if let Some(cause) = self.cause_of_callable(callable, 3) {
            return Some(cause);
        }
        // A plain function with arguments of its own: `atexit.register(shutil.rmtree, path)`.
        let is_given = matches!(self.expr(callable), Expr::Name(name) if self.is_parameter_name(callable, name));
        if !registry.keeps_arguments || site.inner.is_some() || is_given {
            return None;
        }
        let call = self.call_site(site.event)?.call;
        let facts = self.facts(site.event.module);
        let arguments = facts.all_arguments(facts.call(call)).filter(|argument| *argument != callable.id);
        self.cause_of_arguments(callable.scope, &arguments.collect::<Vec<_>>())
    }

    /// The object whose method gives itself as an argument, or what belongs to the call.
    fn cause_of_arguments(&self, scope: ScopeRef, arguments: &[ExprId]) -> Option<Cause> {
        let facts = self.facts(scope.module);
        let own_object = arguments.iter().find_map(|argument| match facts.expr(*argument) {
            Expr::Name(name) => self.receiver_named(scope, name).filter(|receiver| !receiver.is_class),
            _ => None,
        });
        let is_fresh = || arguments.iter().any(|argument| self.belongs_to_the_call(scope.expr(*argument)));
        own_object.map(|receiver| Cause::Instance(receiver.class)).or_else(|| is_fresh().then_some(Cause::Fresh))
    }

    pub(super) fn cause_of_callable(&self, callable: ExprRef, depth: u32) -> Option<Cause> {
        let depth = depth.checked_sub(1)?;
        match self.expr(callable) {
            Expr::Lambda(function) => self.cause_of_closure(FunctionRef::new(callable.scope.module, function)),
            Expr::Attribute(base, _) => {
                if !matches!(self.resolve(callable), Definition::Unknown | Definition::Variable(..)) {
                    return None;
                }
                let base = callable.scope.expr(base);
                if let Expr::Name(name) = self.expr(base)
                    && let Some(receiver) = self.receiver_named(base.scope, name)
                {
                    return (!receiver.is_class).then_some(Cause::Instance(receiver.class));
                }
                match self.reach(base)?.place {
                    Place::Instance(class, _) => Some(Cause::Instance(class)),
                    Place::Local(scope, name) if !self.is_parameter(scope, name) => Some(Cause::Fresh),
                    _ => None,
                }
            }
            Expr::Call(call) => {
                let facts = self.facts(callable.scope.module);
                let call = facts.call(call);
                let path = self.external_path(callable.scope.expr(call.callee))?;
                if last_part(path.as_str()) != "partial" {
                    return None;
                }
                let (first, rest) = facts.arguments(call).split_first()?;
                self.cause_of_callable(callable.scope.expr(*first), depth)
                    .or_else(|| self.cause_of_arguments(callable.scope, rest))
            }
            Expr::Name(name) => match self.resolve_name(callable.scope, name) {
                Definition::Function(function) => self.cause_of_closure(function),
                Definition::Variable(scope, name) if self.is_in_function(scope) && !self.is_parameter(scope, name) => {
                    let (values, _) = self.bound_values(scope, name);
                    values.iter().find_map(|(_, value)| self.cause_of_callable(*value, depth))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// A nested function belongs to what it keeps of the call; where it keeps an object weakly, that is the point of it.
    fn cause_of_closure(&self, function: FunctionRef) -> Option<Cause> {
        self.enclosing_function(self.defining_scope(function))?;
        let mut cause = None;
        for (scope, name) in self.captures(function) {
            if let Some(receiver) = self.receiver_named(scope, name) {
                if !receiver.is_class {
                    return Some(Cause::Instance(receiver.class));
                }
                continue;
            }
            let (values, _) = self.bound_values(scope, name);
            if values.iter().any(|(_, value)| self.is_weak(*value)) {
                return None;
            }
            let is_kept = match values.is_empty() {
                true => self.is_parameter(scope, name) && !vocabulary::is_definition_name(name.as_str()),
                false => values.iter().any(|(_, value)| !self.is_fixed(*value)),
            };
            if is_kept {
                cause = Some(Cause::Fresh);
            }
        }
        let facts = self.facts(function.module);
        let defining = self.defining_scope(function);
        let defaults = facts.parameters(self.function(function)).iter().map(|parameter| parameter.default);
        cause.or_else(|| {
            let mut kept = defaults.filter(|default| *default != NOTHING);
            kept.any(|default| self.belongs_to_the_call(defining.expr(default))).then_some(Cause::Fresh)
        })
    }

    fn is_weak(&self, value: ExprRef) -> bool {
        let Expr::Call(call) = self.expr(value) else { return false };
        let callee = value.scope.expr(self.facts(value.scope.module).call(call).callee);
        self.external_path(callee).is_some_and(|path| path.as_str().starts_with("weakref."))
    }

    fn is_fixed(&self, value: ExprRef) -> bool {
        matches!(self.expr(value), Expr::Constant(_))
            || matches!(
                self.resolve(value),
                Definition::Function(_) | Definition::Class(_) | Definition::Module(_) | Definition::External(_)
            )
    }

    /// Whether a function remembers what it did for the same arguments, by a decorator on it or on its one caller.
    fn is_cached(&self, function: FunctionRef, depth: u32) -> bool {
        let facts = self.facts(function.module);
        let decorated = facts.list(self.function(function).decorators).iter().any(|decorator| {
            let written = self.callee_or_self(self.defining_scope(function).expr(*decorator));
            matches!(self.expr(written), Expr::Name(name) | Expr::Attribute(_, name)
                if ["cache", "once", "memo", "singleton"].iter().any(|word| name.as_str().contains(word)))
        });
        decorated
            || depth > 0 && {
                let callers = self.callers(function);
                !callers.is_empty()
                    && callers.len() <= 4
                    && callers.iter().all(|site| {
                        self.event_function(site.event).is_some_and(|caller| self.is_cached(caller, depth - 1))
                    })
            }
    }

    /// Whether a function begins what goes on until the process ends, by the verbs in use everywhere.
    pub fn begins_something(&self, event: EventRef) -> bool {
        self.event_function(event).is_some_and(|function| {
            let name = self.function(function).name;
            let first = name.as_str().trim_start_matches('_').split('_').next().unwrap_or_default();
            let begins = ["run", "start", "launch", "daemonize", "connect", "serve", "boot", "begin", "spawn", "auto"];
            begins.contains(&first)
        })
    }

    /// A local of the call, `self`, or something that is another each time.
    fn belongs_to_the_call(&self, argument: ExprRef) -> bool {
        match self.expr(argument) {
            Expr::Name(name) => match self.resolve_name(argument.scope, name) {
                Definition::Variable(scope, name) => {
                    self.is_in_function(scope)
                        && self.domain(argument) != Domain::Bounded
                        && {
                            // What a module holds under another name is no new thing.
                            self.reach(argument).is_none_or(|reach| !self.is_shared(reach.place))
                        }
                        && !self.is_parameter_of_setup(scope, name)
                }
                _ => false,
            },
            Expr::Attribute(base, _) | Expr::Starred(base) => self.belongs_to_the_call(argument.scope.expr(base)),
            Expr::Call(_) => self.domain(argument).is_open(),
            _ => false,
        }
    }

    fn is_parameter_of_setup(&self, scope: ScopeRef, name: Name) -> bool {
        self.is_parameter(scope, name) && vocabulary::is_definition_name(name.as_str())
    }

    fn is_parameter_name(&self, expr: ExprRef, name: Name) -> bool {
        self.holding_scope(expr.scope, name).is_some_and(|holder| self.is_parameter(holder, name))
    }

    fn is_in_function(&self, scope: ScopeRef) -> bool {
        matches!(self.facts(scope.module).scope(scope.id).kind, ScopeKind::Function(_) | ScopeKind::Lambda(_))
    }

    /// The parameter that a name is, with its function, where nothing rebinds it on the way.
    fn handed_parameter(&self, key: ExprRef, name: Name) -> Option<(FunctionRef, Name)> {
        let holder = self.holding_scope(key.scope, name)?;
        let function = self.enclosing_function(holder)?;
        if !self.is_parameter(holder, name) || self.receiver_named(key.scope, name).is_some() {
            return None;
        }
        let module = self.module(holder.module);
        let is_rebound = module
            .bindings_of(holder.id, name)
            .any(|event| matches!(module.facts().event(event).kind, EventKind::Bind { value, .. } if value != NOTHING));
        (!is_rebound).then_some((function, name))
    }

    /// `Class` of `self.attribute` for the object that a method is called on, with the place that holds it.
    fn called_on(&self, event: EventRef) -> Option<(ExprRef, Place)> {
        let site = self.call_site(event)?;
        let scope = self.event_scope(event);
        let Expr::Attribute(base, _) = self.facts(event.module).expr(self.facts(event.module).call(site.call).callee)
        else {
            return None;
        };
        let base = scope.expr(base);
        Some((base, self.reach(base)?.place))
    }
}
