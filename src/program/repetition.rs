//! What runs once and what repeats, with the reason that can be shown.
//!
//! A container that grows when a module is imported, when a class is created or when a program starts is no leak;
//! one that grows whenever a request comes is. The answer for a function is the most frequent of its callers'
//! answers; a function that nobody in the project calls is taken by what it is: a handler by its decorator or base
//! class, part of the public surface, or dead.

use std::sync::Arc;

use super::calls::CallSite;
use super::names::Definition;
use super::{ClassRef, EventRef, FunctionRef, Program, ScopeRef, told, vocabulary};
use crate::facts::{ContextKind, EventKind, Expr, ExprId, MODULE_SCOPE, NOTHING, ParameterKind, ScopeKind};
use crate::finding::Label;
use crate::models::{Argument, By};
use crate::source::Name;

/// How often something runs, from never to for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// Nobody calls it.
    Never,
    /// While modules are imported or classes created: as often as the source says.
    Definition,
    /// Once per process, or a few times: start-up, configuration, registration.
    Once,
    /// Public, so others are presumed to call it as often as they like.
    Presumed,
    /// Shown to repeat: a handler, an endless loop.
    Repeated,
}

#[derive(Clone, Debug)]
pub struct Repetition {
    pub frequency: Frequency,
    /// The chain from the place asked about to what repeats it.
    pub reasons: Vec<Label>,
    /// Nobody in the project runs it: it is presumed to repeat because it is public.
    pub is_surface: bool,
    /// The functions on that chain, the one asked about first.
    pub path: Vec<FunctionRef>,
    /// What repeats it is a loop that something ends.
    pub ends: bool,
}

impl Repetition {
    pub(super) fn plain(frequency: Frequency) -> Repetition {
        Repetition { frequency, reasons: Vec::new(), is_surface: false, path: Vec::new(), ends: false }
    }
}

/// A loop that no counter ends.
pub struct EndlessLoop {
    pub label: Label,
    /// A flag, a `break` or a `return` does.
    pub ends: bool,
    /// It goes on until it is told to stop, whatever comes in.
    pub is_work: bool,
}

/// How many functions up the chains of callers are looked at for one answer.
const MOST_FUNCTIONS: usize = 48;

/// A function on the way up from the place asked about.
struct Step {
    /// `None` for a loop that was found on the way: nothing is above it.
    function: Option<FunctionRef>,
    /// Every call on the way resolves to what it calls; otherwise one only has its name.
    is_certain: bool,
    /// The step this one was reached from, and what shows that it is.
    from: Option<usize>,
    reason: Option<Reason>,
}

/// Why a step follows from another. Most steps are not on the way that is shown in the end, so most of it is said only
/// then.
enum Reason {
    Said(Label),
    /// A call of the function.
    Called(FunctionRef, CallSite),
    /// Anybody may call the function.
    Public(FunctionRef),
}

/// The search upwards: breadth first, so that the shortest chain is the one shown.
#[derive(Default)]
struct Search {
    steps: Vec<Step>,
    best: Option<(Frequency, Option<usize>, Option<Reason>)>,
    /// What is asked is how often it runs in the life of one instance of this class.
    owner: Option<ClassRef>,
    /// The best so far is that a function is public.
    is_surface: bool,
    /// The best so far is a loop that something ends.
    ends: bool,
}

impl Search {
    fn visit(&mut self, function: FunctionRef, is_certain: bool, from: Option<usize>, reason: Option<Reason>) {
        let is_known =
            self.steps.iter().any(|step| step.function == Some(function) && (step.is_certain || !is_certain));
        if !is_known && self.steps.len() < MOST_FUNCTIONS {
            self.steps.push(Step { function: Some(function), is_certain, from, reason });
        }
    }

    fn found(&mut self, frequency: Frequency, at: Option<usize>, reason: Option<Reason>) {
        if self.best.as_ref().is_none_or(|(best, ..)| frequency > *best) {
            self.best = Some((frequency, at, reason));
            self.is_surface = false;
            self.ends = false;
        }
    }

    fn has_found(&self, frequency: Frequency) -> bool {
        self.best.as_ref().is_some_and(|(best, ..)| *best >= frequency)
    }

    fn result(self, program: &Program) -> Repetition {
        let Some((frequency, mut at, last)) = self.best else { return Repetition::plain(Frequency::Never) };
        let mut reasons: Vec<Label> = last.iter().map(|reason| program.said(reason)).collect();
        let mut path = Vec::new();
        while let Some(step) = at.map(|number| &self.steps[number]) {
            reasons.extend(step.reason.iter().map(|reason| program.said(reason)));
            path.extend(step.function);
            at = step.from;
        }
        reasons.reverse();
        path.reverse();
        Repetition { frequency, reasons, is_surface: self.is_surface, path, ends: self.ends }
    }
}

impl Program<'_> {
    /// How often an event happens: as often as the most frequent way to it.
    pub fn repetition(&self, event: EventRef) -> Repetition {
        Arc::unwrap_or_clone(self.known_repetition(event, None))
    }

    /// The same without its reasons.
    pub fn frequency(&self, event: EventRef) -> Frequency {
        self.known_repetition(event, None).frequency
    }

    /// How often an event happens in the life of one instance of a class: what runs at its beginning runs once.
    pub fn repetition_in_life(&self, event: EventRef, owner: ClassRef) -> Repetition {
        Arc::unwrap_or_clone(self.known_repetition(event, Some(owner)))
    }

    fn known_repetition(&self, event: EventRef, owner: Option<ClassRef>) -> Arc<Repetition> {
        let mut search = Search { owner, ..Search::default() };
        self.climb_from_event(&mut search, event, true, None, None);
        match search.steps.first().and_then(|step| step.function) {
            Some(function) => self.known_function_repetition(function, owner),
            None => Arc::new(search.result(self)),
        }
    }

    fn known_function_repetition(&self, function: FunctionRef, owner: Option<ClassRef>) -> Arc<Repetition> {
        self.repetitions.get((function, owner), |_| {
            let mut search = Search { owner, ..Search::default() };
            search.visit(function, true, None, None);
            self.climb(&mut search, Frequency::Repeated);
            Arc::new(search.result(self))
        })
    }

    /// Whether an event is at least presumed to repeat. The first way that says so will do, whatever others say.
    pub fn is_repeated(&self, event: EventRef) -> bool {
        let mut search = Search::default();
        self.climb_from_event(&mut search, event, true, None, None);
        match search.steps.first().and_then(|step| step.function) {
            Some(function) => match self.repetitions.known(&(function, None)) {
                Some(known) => known.frequency >= Frequency::Presumed,
                None => self.repeated.get(function, |_| {
                    self.climb(&mut search, Frequency::Presumed);
                    search.has_found(Frequency::Presumed)
                }),
            },
            None => search.has_found(Frequency::Presumed),
        }
    }

    /// A method of the owner's own family that begins an instance's life.
    fn begins(&self, function: FunctionRef, owner: ClassRef) -> bool {
        let name = self.function(function).name;
        vocabulary::is_beginning_name(name.as_str())
            && self
                .class_of_method(function)
                .is_some_and(|class| self.mro(class).contains(&owner) || self.mro(owner).contains(&class))
    }

    /// `Thread(target=self._run)`: it runs as often as one is made.
    fn is_work_of_threads(&self, function: FunctionRef) -> bool {
        let name = self.function(function).name.as_str();
        let is_private = name.starts_with('_') && !is_special(name);
        let mentions = is_private.then(|| self.mentions(Definition::Function(function))).into_iter();
        let mut mentions = mentions.flat_map(|mentions| mentions.to_vec()).peekable();
        mentions.peek().is_some()
            && mentions.all(|mention| {
                let facts = self.facts(mention.event.module);
                let EventKind::Call(call) = facts.event(mention.event.id).kind else { return false };
                self.external_path(mention.expr.scope.expr(facts.call(call).callee))
                    .and_then(|path| self.models.calls(path))
                    .is_some_and(|model| self.is_argument(mention.event, mention.expr.id, model.argument))
            })
    }

    /// A function that makes an instance fills what it makes: that is the beginning of the instance's life, whatever the
    /// function is called.
    fn makes_it_first(&self, function: FunctionRef, owner: ClassRef) -> bool {
        self.class_of_method(function).is_none_or(|class| !self.mro(class).contains(&owner))
            && std::iter::once(&owner).chain(self.subclasses(owner)).any(|class| {
                self.instantiations(*class).iter().any(|site| self.event_function(site.event) == Some(function))
            })
    }

    /// What sets things up, called by nothing but constructors that nobody in the project calls.
    fn sets_up_with_its_maker(&self, function: FunctionRef) -> bool {
        let callers = self.callers(function);
        let name = self.function(function).name.as_str();
        vocabulary::is_setup_name(name)
            && !is_special(name)
            && !callers.is_empty()
            && self.mentions(Definition::Function(function)).is_empty()
            && callers.iter().filter(|site| !self.is_test(site.module)).all(|site| {
                self.event_function(site.event).is_some_and(|caller| {
                    vocabulary::is_making_name(self.function(caller).name.as_str())
                        && self.class_of_method(caller).is_some_and(|class| self.instantiations(class).is_empty())
                })
            })
    }

    /// A method of the owner's own family that ends an instance's life.
    fn ends(&self, function: FunctionRef, owner: ClassRef) -> bool {
        let name = self.function(function).name;
        vocabulary::is_ending_name(name.as_str())
            && self
                .class_of_method(function)
                .is_some_and(|class| self.mro(class).contains(&owner) || self.mro(owner).contains(&class))
    }

    pub fn function_repetition(&self, function: FunctionRef) -> Repetition {
        Arc::unwrap_or_clone(self.known_function_repetition(function, None))
    }

    /// The same without its reasons.
    pub fn function_frequency(&self, function: FunctionRef) -> Frequency {
        self.known_function_repetition(function, None).frequency
    }

    /// Goes on until it has found what is enough.
    fn climb(&self, search: &mut Search, enough: Frequency) {
        let mut next = 0;
        while next < search.steps.len() && !search.has_found(enough) {
            self.climb_one(search, next);
            next += 1;
        }
    }

    fn climb_from_event(
        &self,
        search: &mut Search,
        event: EventRef,
        is_certain: bool,
        from: Option<usize>,
        reason: Option<Reason>,
    ) {
        if is_certain && let Some(around) = self.endless_loop_around(event) {
            search.steps.push(Step { function: None, is_certain, from, reason });
            let reason = Reason::Said(around.label);
            search.found(Frequency::Repeated, Some(search.steps.len() - 1), Some(reason));
            search.ends = around.ends;
            return;
        }
        match self.event_function(event) {
            Some(function) => search.visit(function, is_certain, from, reason),
            None => search.found(Frequency::Definition, from, None),
        }
    }

    fn climb_one(&self, search: &mut Search, number: usize) {
        let Step { function: Some(function), is_certain, .. } = search.steps[number] else { return };
        if self.runs_at_definition(function) {
            search.found(Frequency::Definition, Some(number), None);
            // A class statement in a function defines another class at each call of that.
            for (maker, label) in self.makers_of_subclasses(function) {
                search.visit(maker, is_certain, Some(number), Some(Reason::Said(label)));
            }
            return;
        }
        // A command does its work once.
        if self.module(function.module).input.role == super::Role::Command {
            search.found(Frequency::Once, Some(number), None);
            return;
        }
        // A lambda is made to be called: at least as often as the function around it runs.
        let defining = self.defining_scope(function);
        if matches!(self.facts(function.module).scope(self.function(function).scope).kind, ScopeKind::Lambda(_)) {
            match self.enclosing_function(defining) {
                Some(outer) => search.visit(outer, is_certain, Some(number), None),
                None => search.found(Frequency::Presumed, Some(number), None),
            }
            return;
        }
        let is_edge =
            |owner| self.begins(function, owner) && !self.is_work_of_threads(function) || self.ends(function, owner);
        if search.owner.is_some_and(is_edge) {
            search.found(Frequency::Once, Some(number), None);
            return;
        }
        if search.owner.is_some_and(|owner| self.makes_it_first(function, owner)) {
            search.found(Frequency::Once, Some(number), None);
            return;
        }
        if let Some(registered) = self.registered(function) {
            let limit = if is_certain { Frequency::Repeated } else { Frequency::Presumed };
            let reason = registered.reasons.into_iter().next().map(Reason::Said);
            search.found(registered.frequency.min(limit), Some(number), reason);
            return;
        }
        if vocabulary::is_startup_name(self.function(function).name.as_str()) || self.remembers_its_one_result(function)
        {
            search.found(Frequency::Once, Some(number), None);
            return;
        }
        let mut is_used = false;
        let callers = self.callers(function);
        // `register_hooks()` in the constructor of a plugin: whoever makes the plugin makes one.
        if search.owner.is_none() && self.sets_up_with_its_maker(function) {
            search.found(Frequency::Once, Some(number), None);
            return;
        }
        // In the life of one object, and of what sets things up, a call that only has the right name says nothing.
        let only_certain = search.owner.is_some() || vocabulary::is_setup_name(self.function(function).name.as_str());
        for site in callers.iter().filter(|site| site.is_certain || !only_certain && self.is_plausible(site, function))
        {
            // `def publish(self, …): self.channel.publish(…)` says nothing of who calls the first.
            let is_own = self.event_function(site.event) == Some(function);
            if is_own || self.is_test(site.module) && !self.is_test(function.module) {
                continue;
            }
            is_used = true;
            let reason = Reason::Called(function, *site);
            self.climb_from_event(search, site.event, is_certain && site.is_certain, Some(number), Some(reason));
        }
        // Told what to work with before it works, also where that is handed on under another name.
        let is_arranging =
            search.owner.is_some() && !is_used && vocabulary::is_arranging_name(self.function(function).name.as_str());
        is_used |= !is_arranging && self.climb_by_mentions(search, function, number);
        // Others call something of its name, which may be it: a public method is taken for what it is.
        let may_be_called = |site: &CallSite| !site.is_certain && !self.is_ruled_out(site, function);
        let is_left_open = !only_certain
            && callers.iter().any(|site| may_be_called(site) && !self.is_plausible(site, function))
            && !self.function(function).name.as_str().starts_with('_');
        if !is_used || is_left_open {
            let name = self.function(function).name;
            let frequency = if is_arranging { Frequency::Once } else { self.surface_frequency(function, name) };
            let reason = (frequency == Frequency::Presumed).then_some(Reason::Public(function));
            let known = search.best.as_ref().map(|(best, ..)| *best);
            search.found(frequency, Some(number), reason);
            search.is_surface |= known.is_none_or(|known| frequency > known);
        }
    }

    /// `@functools.cache` on a function without parameters, or a decorator of the project that keeps the result of a
    /// method in its object: it runs once.
    fn remembers_its_one_result(&self, function: FunctionRef) -> bool {
        let has_none = self.function(function).parameters.len == 0;
        self.decorators(function).any(|(_, meaning)| match meaning {
            Definition::External(path) => has_none && self.models.cache(path).is_some(),
            Definition::Function(decorator) => self.nested_functions(decorator).any(|wrapper| {
                self.keeps_in_its_parameter(decorator, wrapper)
                    || has_none && self.keeps_the_one_result(decorator, wrapper)
            }),
            _ => false,
        })
    }

    /// `while True:` and other loops that no counter ends.
    pub fn endless_loop_around(&self, event: EventRef) -> Option<EndlessLoop> {
        let facts = self.facts(event.module);
        facts.contexts_around(facts.event(event.id).context).find_map(|context| {
            let ContextKind::While(test) = context.kind else { return None };
            let is_told = told::goes_on_until_told(facts, test);
            if !(is_told || facts.always_holds(test))
                || self.is_left_after(event)
                || !(self.runs_for_long(event) || is_told && told::waits_to_be_told(facts, test))
            {
                return None;
            }
            let is_left = self.is_left(event.module, context, true);
            let ends = is_told || is_left || self.is_left(event.module, context, false);
            let message = match ends {
                true => "this loop goes on until something ends it",
                false => "this loop runs for as long as the program",
            };
            let location = self.location(event.module, context.span);
            Some(EndlessLoop { label: Label { location, message: message.to_owned() }, ends, is_work: !is_left })
        })
    }

    /// Whether a `break` or `return` leaves a loop, other than in an error handler; where that is asked, also other than
    /// where it is told to stop.
    fn is_left(&self, module: super::ModuleId, around: &crate::facts::Context, unless_told: bool) -> bool {
        let facts = self.facts(module);
        facts.scope_events(around.scope).any(|(_, event)| {
            if unless_told && matches!(facts.context(event.context).kind, ContextKind::If(test) if told::is_told_to_stop(facts, test)) {
                return false;
            }
            let mut inside = facts.contexts_around(event.context);
            let is_handled = || {
                let mut inside = facts.contexts_around(event.context);
                inside.any(|context| matches!(context.kind, ContextKind::Except(_)))
            };
            match event.kind {
                EventKind::Return(_) => inside.any(|context| context.group == around.group) && !is_handled(),
                EventKind::Break => {
                    inside.find(|context| context.kind.is_loop()).is_some_and(|context| context.group == around.group)
                        && !is_handled()
                }
                _ => false,
            }
        })
    }

    /// `while True: try: …event…; break`: what follows the event, whichever branch it stands in, leaves the loop, so
    /// that it happens once.
    pub(super) fn is_left_after(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let innermost = facts.event(event.id).context;
        let scope = facts.scope_of(facts.event(event.id));
        let mut on_the_way = vec![innermost];
        let mut id = innermost;
        while !matches!(facts.context(id).kind, ContextKind::While(_) | ContextKind::Body)
            && facts.context(id).parent != id
        {
            id = facts.context(id).parent;
            on_the_way.push(id);
        }
        facts.scope_events(scope).any(|(later, other)| {
            let leaves = match other.kind {
                EventKind::Return(_) | EventKind::Raise { .. } => true,
                EventKind::Break => facts
                    .contexts_around(other.context)
                    .find(|context| context.kind.is_loop())
                    .is_some_and(|context| matches!(context.kind, ContextKind::While(_))),
                _ => false,
            };
            leaves && later > event.id && on_the_way.contains(&other.context)
        })
    }

    /// An endless loop that waits for something outside is a service's; one that only computes ends by `break`.
    fn runs_for_long(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let Some(around) = facts
            .contexts_around(facts.event(event.id).context)
            .find(|context| matches!(context.kind, ContextKind::While(_)))
            .map(|context| context.group)
        else {
            return false;
        };
        let scope = facts.scope_of(facts.event(event.id));
        // What a forked child does ends with it.
        let forks = facts.scope_events(scope).any(|(_, other)| match other.kind {
            EventKind::Call(call) => {
                matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, name) if name.as_str() == "fork")
            }
            _ => false,
        });
        !forks && facts.scope_events(scope).any(|(_, other)| {
            let inside = facts.contexts_around(other.context).any(|context| context.group == around);
            let waits = match other.kind {
                EventKind::Await(_) => true,
                // `queue.get()`, unlike a mapping's `get`, takes no key.
                EventKind::Call(call)
                    if facts.call(call).arguments.len == 0
                        && matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, name) if name.as_str() == "get") =>
                {
                    true
                }
                EventKind::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, name)
                    if matches!(name.as_str(), "sleep" | "wait" | "accept" | "recv" | "recv_multipart" | "poll" | "select" | "receive" | "consume" | "get_message" | "fetch")),
                _ => false,
            };
            inside && waits
        })
    }

    fn said(&self, reason: &Reason) -> Label {
        match reason {
            Reason::Said(label) => label.clone(),
            Reason::Called(function, site) => {
                let by = match self.event_function(site.event) {
                    Some(caller) => format!("`{}`", self.function_name(caller)),
                    None => "the module".to_owned(),
                };
                let message = format!("{by} calls `{}` here", self.function_name(*function));
                Label { location: self.event_location(site.event), message }
            }
            Reason::Public(function) => Label {
                location: self.location(function.module, self.function(*function).name_span),
                message: format!("`{}` is public and may be called any number of times", self.function_name(*function)),
            },
        }
    }

    /// How often a function that no call in the project reaches is run by others.
    fn surface_frequency(&self, function: FunctionRef, name: Name) -> Frequency {
        let text = name.as_str();
        let facts = self.facts(function.module);
        let scope = self.defining_scope(function);
        match facts.scope(scope.id).kind {
            ScopeKind::Function(_) | ScopeKind::Lambda(_) => {
                // A nested function that is neither called nor handed on does not run; one that is, as often as the
                // one around it at most once more per call.
                return Frequency::Never;
            }
            ScopeKind::Class(_) if is_special(text) => return Frequency::Presumed,
            _ => {}
        }
        if is_special(text) {
            return Frequency::Once;
        }
        if text.starts_with('_') {
            // A private method may implement what an outside base class calls.
            let may_override = self
                .class_of_method(function)
                .is_some_and(|class| !self.external_bases(class).is_empty() || self.has_unknown_base(class));
            return if may_override { Frequency::Presumed } else { Frequency::Never };
        }
        if vocabulary::is_setup_name(text) { Frequency::Once } else { Frequency::Presumed }
    }

    /// Class-creation hooks, metaclass methods, decorators and what they define around the function they return.
    pub fn runs_at_definition(&self, function: FunctionRef) -> bool {
        let name = self.function(function).name;
        if let Some(class) = self.class_of_method(function) {
            let hook =
                matches!(name.as_str(), "__init_subclass__" | "__set_name__" | "__class_getitem__" | "__mro_entries__");
            let creates_class =
                self.is_metaclass(class) && matches!(name.as_str(), "__new__" | "__init__" | "__prepare__");
            if hook || creates_class {
                return true;
            }
        }
        if self.is_decorator(function) || self.makes_decorator(function) {
            return true;
        }
        if self.is_returned_decorator(function) {
            return true;
        }
        // The nested `decorator(func)` of a decorator factory runs once per decorated thing.
        match self.enclosing_function(self.defining_scope(function)) {
            Some(outer) => {
                self.is_decorator(function)
                    || self.is_used_as_decorator(outer)
                        && (self.returns_parameter_or_wrapper(function)
                            || self.gives_back_its_argument(function)
                            || self.returns_wrapper_of_its_argument(function))
            }
            None => false,
        }
    }

    /// `def register(handler_of_it): TABLE.append(handler_of_it); return handler_of_it`
    fn gives_back_its_argument(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let [argument] = facts.parameters(self.function(function)) else { return false };
        facts.scope_events(self.function(function).scope).any(|(_, event)| {
            matches!(event.kind, EventKind::Return(value) if facts.expr(value) == Expr::Name(argument.name))
        })
    }

    /// The functions in which classes are defined that an `__init_subclass__` is called for.
    pub(super) fn makers_of_subclasses(&self, hook: FunctionRef) -> Vec<(FunctionRef, Label)> {
        let Some(class) =
            self.class_of_method(hook).filter(|_| self.function(hook).name.as_str() == "__init_subclass__")
        else {
            return Vec::new();
        };
        let made_here = |derived: &ClassRef| {
            let scope =
                ScopeRef::new(derived.module, self.facts(derived.module).context(self.class(*derived).context).scope);
            let is_kept_from_tests = self.is_test(derived.module) && !self.is_test(hook.module);
            self.enclosing_function(scope).filter(|_| !is_kept_from_tests)?;
            let local = self.local_classes(derived.module).into_iter().find(|local| local.class == *derived)?;
            let (location, name) =
                (self.location(derived.module, self.class(*derived).name_span), self.class(*derived).name);
            let message = format!("`{}` defines another `{name}` here at each call", self.function_name(local.maker));
            Some((local.maker, Label { location, message }))
        };
        self.subclasses(class).iter().filter_map(made_here).collect()
    }

    /// A nested function that takes one function or class and is what the function around it returns.
    fn is_returned_decorator(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let declared = self.function(function);
        let [parameter] = facts.parameters(declared) else { return false };
        let Some(outer) = self.enclosing_function(self.defining_scope(function)) else { return false };
        vocabulary::is_definition_name(parameter.name.as_str())
            && facts.scope_events(self.function(outer).scope).any(|(_, event)| {
                matches!(event.kind, EventKind::Return(value) if facts.expr(value) == Expr::Name(declared.name))
            })
    }

    /// The constructor of a class whose instances take a function and give what wraps it, or stand for one: `@memoize`.
    fn makes_decorator(&self, function: FunctionRef) -> bool {
        let Some(class) = self.class_of_method(function) else { return false };
        let takes_function = || {
            let parameters = self.facts(function.module).parameters(self.function(function));
            matches!(parameters, [_, taken] if vocabulary::is_definition_name(taken.name.as_str()))
        };
        let wraps = |method: FunctionRef| {
            self.returns_parameter_or_wrapper(method)
                || self.returns_wrapper_of_its_argument(method)
                || self.decorates(Definition::Class(class))
                // Nobody in the project makes one otherwise.
                || takes_function() && self.instantiations(class).is_empty()
        };
        self.function(function).name == self.words.init
            && self.own_methods(class).any(|method| self.function(method).name.as_str() == "__call__" && wraps(method))
    }

    /// A function or method that takes one thing and returns a nested function which calls it.
    fn returns_wrapper_of_its_argument(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let parameters = facts.parameters(self.function(function));
        let given = match self.class_of_method(function) {
            Some(_) => parameters.get(1..).unwrap_or_default(),
            None => parameters,
        };
        let [wrapped] = given else { return false };
        let calls_it = |nested: FunctionRef| {
            facts.scope_events(self.function(nested).scope).any(|(_, event)| match event.kind {
                EventKind::Call(call) => facts.expr(facts.call(call).callee) == Expr::Name(wrapped.name),
                _ => false,
            })
        };
        let is_returned = |name: Name| {
            facts.scope_events(self.function(function).scope).any(
                |(_, event)| matches!(event.kind, EventKind::Return(value) if facts.expr(value) == Expr::Name(name)),
            )
        };
        self.nested_functions(function).any(|nested| is_returned(self.function(nested).name) && calls_it(nested))
    }

    /// Decorators are known by use (`@f`) or by what they do: take a function or class and give it back.
    fn is_decorator(&self, function: FunctionRef) -> bool {
        if self.is_used_as_decorator(function) {
            return true;
        }
        self.returns_parameter_or_wrapper(function)
    }

    fn is_used_as_decorator(&self, function: FunctionRef) -> bool {
        let name = self.function(function).name;
        if !self.may_be_decorator(function) || self.class_of_method(function).is_some() && self.is_property(function) {
            return false;
        }
        let by_name = self.decorates(Definition::Function(function));
        by_name
            || self
                .callers(function)
                .iter()
                .any(|site| site.is_certain && self.module(site.module).is_decorator(site.call))
            // `@registry.register` on an object of unknown type, in the method's own module: taken as a use.
            || (self.class_of_method(function).is_some()
                && self.module(function.module).decorates_with_attribute(name))
    }

    /// `@it`, without arguments.
    fn decorates(&self, definition: Definition) -> bool {
        self.mentions(definition).iter().any(|mention| {
            let facts = self.facts(mention.event.module);
            let run = match facts.event(mention.event.id).kind {
                EventKind::Define(decorated) => facts.function(decorated).decorators,
                EventKind::DefineClass(decorated) => facts.class(decorated).decorators,
                _ => return false,
            };
            facts.list(run).contains(&mention.expr.id)
        })
    }

    /// The wrapper keeps the result in the one object that it is given, and returns it from there before it calls again.
    fn keeps_in_its_parameter(&self, decorator: FunctionRef, wrapper: FunctionRef) -> bool {
        let facts = self.facts(wrapper.module);
        let [object] = facts.parameters(self.function(wrapper)) else { return false };
        let Some(wrapped) = facts.parameters(self.function(decorator)).first() else { return false };
        let is_object = |id: ExprId| facts.expr(id) == Expr::Name(object.name);
        let events = || facts.scope_events(self.function(wrapper).scope);
        let called = events().find_map(|(id, event)| match event.kind {
            EventKind::Call(call) if facts.expr(facts.call(call).callee) == Expr::Name(wrapped.name) => Some(id),
            _ => None,
        });
        let Some(called) = called else { return false };
        let returns_before = events().any(|(id, event)| id < called && matches!(event.kind, EventKind::Return(_)));
        let keeps = events().any(|(id, event)| match event.kind {
            EventKind::Call(call) => {
                let call = facts.call(call);
                id > called
                    && matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "setattr")
                    && facts.arguments(call).first().is_some_and(|first| is_object(*first))
            }
            // `self.__dict__[name] = value`, `self._pool = value`
            EventKind::Bind { target, .. } => match facts.expr(target) {
                Expr::Attribute(base, _) => is_object(base),
                Expr::Subscript(base, _) => matches!(facts.expr(base), Expr::Attribute(base, _) if is_object(base)),
                _ => false,
            },
            _ => false,
        });
        returns_before && keeps
    }

    /// `def wrapper(): if instance is None: instance = function()`: what the function gives is kept, and it is called
    /// only where there is nothing yet.
    fn keeps_the_one_result(&self, decorator: FunctionRef, wrapper: FunctionRef) -> bool {
        let facts = self.facts(wrapper.module);
        let Some(wrapped) = facts.parameters(self.function(decorator)).first() else { return false };
        let takes_none = (facts.parameters(self.function(wrapper)).iter())
            .all(|parameter| matches!(parameter.kind, ParameterKind::Rest | ParameterKind::Keywords));
        let events = || facts.scope_events(self.function(wrapper).scope);
        let mut called = events().filter_map(|(id, event)| match event.kind {
            EventKind::Call(call) if facts.expr(facts.call(call).callee) == Expr::Name(wrapped.name) => {
                Some((id, call))
            }
            _ => None,
        });
        takes_none
            && called.next().is_some_and(|(id, call)| {
                let is_result = |expr: ExprId| facts.expr(expr) == Expr::Call(call);
                let is_kept = events().any(|(_, event)| match event.kind {
                    EventKind::Bind { value, .. } => is_result(value),
                    EventKind::Call(outer) => facts.all_arguments(facts.call(outer)).any(is_result),
                    _ => false,
                });
                is_kept && !self.conditions(EventRef::new(wrapper.module, id)).is_empty()
            })
    }

    /// Whether a decorator somewhere has the name that this function would have there; most names have none.
    fn may_be_decorator(&self, function: FunctionRef) -> bool {
        let name = self.function(function).name;
        match self.class_of_method(function).filter(|_| name == self.words.init) {
            Some(class) => {
                let mut classes = std::iter::once(&class).chain(self.subclasses(class));
                classes.any(|class| self.decorators.contains(self.class(*class).name))
            }
            None => self.decorators.contains(name),
        }
    }

    /// A function that returns its own parameter named like a function or class, or a nested function that wraps it.
    pub(super) fn returns_parameter_or_wrapper(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let declared = self.function(function);
        let callable = |name: Name| vocabulary::is_definition_name(name.as_str());
        let parameters: Vec<Name> =
            facts.parameters(declared).iter().map(|parameter| parameter.name).filter(|name| callable(*name)).collect();
        if parameters.is_empty() {
            return false;
        }
        facts.scope_events(declared.scope).any(|(_, event)| {
            let EventKind::Return(value) = event.kind else { return false };
            if facts.scope_of(event) != declared.scope {
                return false;
            }
            match facts.expr(value) {
                Expr::Name(name) => {
                    parameters.contains(&name)
                        || self.is_nested_function(ScopeRef::new(function.module, declared.scope), name)
                }
                _ => false,
            }
        })
    }

    fn is_nested_function(&self, scope: ScopeRef, name: Name) -> bool {
        match self.resolve_name(scope, name) {
            Definition::Function(nested) => self.defining_scope(nested) == scope,
            _ => false,
        }
    }

    /// What models say of the function's decorators, its class's bases and the calls it is handed to.
    pub(super) fn registered(&self, function: FunctionRef) -> Option<Repetition> {
        let declared = self.function(function);
        let here = self.location(function.module, declared.name_span);
        let name = self.function_name(function);
        let repeated = |why: Name| Repetition {
            reasons: vec![Label { location: here, message: format!("`{name}` is {why}") }],
            ..Repetition::plain(Frequency::Repeated)
        };
        for (_, decorator) in self.decorators(function) {
            let Some(path) = self.decorator_path(decorator) else { continue };
            if let Some(model) = self.models.repeats(path).filter(|model| model.by == By::Decorator) {
                return Some(repeated(model.why));
            }
            if self.models.once(path).is_some_and(|model| model.by == By::Decorator) {
                return Some(Repetition::plain(Frequency::Once));
            }
        }
        if let Some(why) = self.decorator_of_typed_object(function) {
            return Some(repeated(why));
        }
        let class = self.class_of_method(function)?;
        let covers = |methods: &[Name]| {
            methods.contains(&declared.name) || (methods.is_empty() && !declared.name.as_str().starts_with('_'))
        };
        for base in self.external_bases(class) {
            if let Some(model) = self.models.repeats(*base)
                && let By::Base(methods) = &model.by
                && covers(methods)
            {
                return Some(repeated(model.why));
            }
            if let Some(model) = self.models.once(*base)
                && let By::Base(methods) = &model.by
                && covers(methods)
            {
                return Some(Repetition::plain(Frequency::Once));
            }
        }
        None
    }

    fn decorator_path(&self, decorator: Definition) -> Option<Name> {
        match decorator {
            Definition::External(path) => Some(path),
            _ => None,
        }
    }

    /// `@app.route(…)` where `app = Flask(…)`: the model's name is made of the object's type and the method.
    fn decorator_of_typed_object(&self, function: FunctionRef) -> Option<Name> {
        let facts = self.facts(function.module);
        let scope = self.defining_scope(function);
        facts.list(self.function(function).decorators).iter().find_map(|id| {
            let callee = self.callee_or_self(scope.expr(*id));
            let path = self.method_path(callee)?;
            let model = self.models.repeats(path)?;
            (model.by == By::Decorator).then_some(model.why)
        })
    }

    /// `flask.Flask.route` for `app.route` where `app` is a `flask.Flask`.
    pub fn method_path(&self, callee: super::ExprRef) -> Option<Name> {
        let Expr::Attribute(base, method) = self.expr(callee) else { return None };
        match self.type_of(callee.scope.expr(base)) {
            super::types::Type::External(path) => Some(super::names::joined(path, method)),
            // A part of a library's object that has no type of its own: `application.focusChanged`.
            super::types::Type::Unknown => match self.expr(callee.scope.expr(base)) {
                Expr::Attribute(..) => {
                    let part = self.method_path(callee.scope.expr(base))?;
                    Some(super::names::joined(part, method))
                }
                _ => None,
            },
            super::types::Type::Instance(class) if self.method(class, method).is_none() => {
                let base = self.external_bases(class).first()?;
                Some(super::names::joined(*base, method))
            }
            _ => None,
        }
    }

    /// Being handed on as a value: as a callback, thread target or handler by a model; presumed otherwise. Says
    /// whether there is any such use.
    fn climb_by_mentions(&self, search: &mut Search, function: FunctionRef, number: usize) -> bool {
        let mut is_used = false;
        let name = || self.function_name(function);
        for mention in self.mentions(Definition::Function(function)).iter() {
            let facts = self.facts(mention.event.module);
            let event = facts.event(mention.event.id);
            // `@dispatch(implementation)` says what another function does, not that it is done.
            let is_decoration = match event.kind {
                EventKind::Define(_) | EventKind::DefineClass(_) => true,
                EventKind::Call(call) => self.module(mention.event.module).is_decorator(call),
                _ => false,
            };
            if is_decoration || self.is_test(mention.event.module) && !self.is_test(function.module) {
                continue;
            }
            // `init = package.init` gives it another name, by which others call it.
            if let EventKind::Bind { target, value } = event.kind
                && value == mention.expr.id
                && matches!(facts.expr(target), Expr::Name(_))
                && self.is_module_level(mention.event)
                && vocabulary::is_setup_name(name_of(facts, target).as_str())
            {
                search.found(Frequency::Once, Some(number), None);
                is_used = true;
                continue;
            }
            is_used = true;
            let reason =
                |message: String| Some(Reason::Said(Label { location: self.event_location(mention.event), message }));
            let path = match event.kind {
                EventKind::Call(call) => {
                    let callee = mention.expr.scope.expr(facts.call(call).callee);
                    self.external_path(callee).or_else(|| self.method_path(callee))
                }
                _ => None,
            };
            let is_for = |argument| self.is_argument(mention.event, mention.expr.id, argument);
            let registers = |by: &By| match by {
                By::Argument(argument) => is_for(*argument),
                By::Decorator => true,
                By::Base(_) => false,
            };
            let calls = path.and_then(|path| self.models.calls(path)).filter(|model| is_for(model.argument));
            if let Some(model) = path.and_then(|path| self.models.repeats(path)).filter(|model| registers(&model.by)) {
                search.found(Frequency::Repeated, Some(number), reason(format!("`{}` is {}", name(), model.why)));
            } else if path.and_then(|path| self.models.once(path)).is_some_and(|model| registers(&model.by)) {
                search.found(Frequency::Once, Some(number), None);
            } else if let Some(model) = calls {
                let reason = reason(match model.many {
                    true => format!("`{}` is called here for each item", name()),
                    false => format!("`{}` is called from here", name()),
                });
                let is_certain = search.steps[number].is_certain;
                self.climb_from_event(search, mention.event, is_certain, Some(number), reason);
            } else {
                search.found(Frequency::Presumed, Some(number), reason(format!("`{}` is handed on here", name())));
            }
        }
        is_used
    }

    /// Whether a value is given for a model's parameter; what stands behind `*arguments` may be given for any.
    fn is_argument(&self, event: EventRef, value: ExprId, parameter: Argument) -> bool {
        let facts = self.facts(event.module);
        let EventKind::Call(call) = facts.event(event.id).kind else { return false };
        let call = facts.call(call);
        let mut arguments = facts.arguments(call).iter();
        let mut keywords = facts.keyword_arguments(call).iter();
        let position = arguments.clone().position(|argument| *argument == value);
        let is_spread = arguments.any(|argument| matches!(facts.expr(*argument), Expr::Starred(_)));
        keywords.any(|(name, given)| *name == Some(parameter.keyword) && *given == value)
            || position.is_some_and(|position| is_spread || parameter.position == Some(position as u32))
    }

    /// Whether some code outside of tests runs this function: called, handed on, or public and not only a way to
    /// start afresh.
    pub fn is_live(&self, function: FunctionRef) -> bool {
        let outside_tests = |module| !self.is_test(module) || self.is_test(function.module);
        self.callers(function)
            .iter()
            .any(|site| outside_tests(site.module) && self.event_function(site.event) != Some(function))
            || self.mentions(Definition::Function(function)).iter().any(|mention| outside_tests(mention.event.module))
            || self.registered(function).is_some()
            || self.is_handed_on_by_decorator(function)
    }

    /// `@deferred.addCallback`, `@emitter.on("name")`: an object is given the function, and calls it.
    fn is_handed_on_by_decorator(&self, function: FunctionRef) -> bool {
        self.decorators(function).any(|(decorator, meaning)| {
            let mut root = self.callee_or_self(decorator);
            let is_part = matches!(self.expr(root), Expr::Attribute(..));
            while let Expr::Attribute(base, _) = self.expr(root) {
                root = root.scope.expr(base);
            }
            let is_object = || match self.expr(root) {
                Expr::Name(name) => matches!(self.resolve_name(root.scope, name), Definition::Variable(..)),
                _ => false,
            };
            is_part && matches!(meaning, Definition::Unknown | Definition::Variable(..)) && is_object()
        })
    }

    /// Whether the value of a parameter annotation or default matters: the module scope for lookups.
    pub fn is_module_scope(&self, scope: ScopeRef) -> bool {
        scope.id == MODULE_SCOPE
    }

    /// The default of a parameter, if it has one.
    pub fn parameter_default(&self, function: FunctionRef, parameter: Name) -> Option<super::ExprRef> {
        let facts = self.facts(function.module);
        let declared = facts.parameters(self.function(function)).iter().find(|p| p.name == parameter)?;
        (declared.default != NOTHING).then(|| self.defining_scope(function).expr(declared.default))
    }
}

fn name_of(facts: &crate::facts::FileFacts, target: ExprId) -> Name {
    match facts.expr(target) {
        Expr::Name(name) => name,
        _ => Name::new(""),
    }
}

pub(super) fn is_special(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}
