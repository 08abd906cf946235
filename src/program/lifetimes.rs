//! How long an object lives, compared with what passes through it.
//!
//! A dict on a parser goes with the parser; the same dict on a server stays until the server ends. So an attribute
//! that only grows is a leak by the life of its owner, and that life is read from what the program does with
//! instances (kept in a module, made by another long-lived object, running a loop, handing its own methods out as
//! callbacks), and only where nothing is seen of them from what the class is called. The evidence is kept, because
//! a finding must show it.

use std::sync::{PoisonError, RwLock};

use rustc_hash::{FxHashMap, FxHashSet};

use super::calls::CallSite;
use super::names::Definition;
use super::repetition::Frequency;
use super::types::Type;
use super::{ClassRef, EventRef, ExprRef, FunctionRef, OperationKind, Place, Program, ScopeRef, vocabulary};
use crate::facts::{ContextKind, EventKind, Expr, ExprId, NOTHING, Operator, ScopeKind};
use crate::finding::Label;
use crate::source::Name;

/// How long an instance lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// It ends with the call, request or statement that made it.
    Short,
    /// Nothing speaks for one or the other.
    Unknown,
    /// What the class is called says that it serves for long.
    Presumed,
    /// Shown to go on by itself: it runs a loop, or others call it back.
    Long,
    /// Shown to be kept for as long as the process runs, by a module or by what a module keeps.
    Process,
}

/// The life of a class's instances, and why it is taken to be so.
#[derive(Clone, Debug)]
pub struct Owner {
    pub lifetime: Lifetime,
    pub reasons: Vec<Label>,
}

impl Owner {
    fn plain(lifetime: Lifetime) -> Owner {
        Owner { lifetime, reasons: Vec::new() }
    }

    fn kept(reason: Label) -> Owner {
        Owner { lifetime: Lifetime::Process, reasons: vec![reason] }
    }

    fn with(mut self, reason: Label) -> Owner {
        self.reasons.insert(0, reason);
        self
    }
}

/// Answers that were given before.
#[derive(Default)]
pub struct Lifetimes {
    /// With how far owners of owners were followed for it.
    known: RwLock<FxHashMap<(ClassRef, u32), Owner>>,
}

/// How many owners of owners, and factories of factories, are followed.
const DEPTH: u32 = 4;
/// The most subclasses, places of construction and callers that are looked at for one answer.
const MOST: usize = 24;

/// What becomes of an object where it is made.
enum Fate {
    /// It is kept: by a place that lives as long as the process, or by an owner.
    Kept(Owner),
    /// Handed to the caller.
    Returned,
    /// Only locals and calls see it.
    Local,
    /// Handed to code that may keep it.
    Unknown,
}

impl Program<'_> {
    /// How long instances of a class, or of one derived from it, live at most.
    pub fn owner(&self, class: ClassRef) -> Owner {
        self.owner_within(class, DEPTH)
    }

    fn owner_within(&self, class: ClassRef, depth: u32) -> Owner {
        let Some(depth) = depth.checked_sub(1) else { return Owner::plain(Lifetime::Unknown) };
        let known = self.lifetimes.known.read().unwrap_or_else(PoisonError::into_inner);
        // An answer near the limit of depth may be cut short, so that it is one for this depth only. Which deeper ones
        // are known already depends on the threads, and so must not decide.
        if let Some(owner) = known.get(&(class, depth)) {
            return owner.clone();
        }
        drop(known);
        let owner = self.find_owner(class, depth);
        self.lifetimes.known.write().unwrap_or_else(PoisonError::into_inner).insert((class, depth), owner.clone());
        owner
    }

    fn find_owner(&self, class: ClassRef, depth: u32) -> Owner {
        if self.external_bases(class).iter().any(|base| vocabulary::is_passing_base(base.as_str())) {
            return Owner::plain(Lifetime::Short);
        }
        let family: Vec<ClassRef> =
            std::iter::once(class).chain(self.subclasses(class).iter().copied()).take(MOST).collect();
        let mut best = Owner::plain(Lifetime::Unknown);
        let mut sites = 0;
        let mut short = 0;
        for member in &family {
            for site in
                self.instantiations(*member).iter().copied().filter(|site| !self.is_test(site.module)).take(MOST)
            {
                sites += 1;
                let found = self.owner_at(site, *member, depth);
                short += usize::from(found.lifetime == Lifetime::Short);
                if found.lifetime > best.lifetime {
                    best = found;
                }
                if best.lifetime == Lifetime::Process {
                    return best;
                }
            }
        }
        // A value is made, used and gone, unless one is shown to stay.
        if self.is_value_class(class) && !self.has_coroutines(class) && self.runs_on(class).is_none() {
            return Owner::plain(Lifetime::Short);
        }
        if best.lifetime < Lifetime::Long
            && let Some(reason) = family.iter().find_map(|member| self.runs_on(*member))
        {
            return Owner { lifetime: Lifetime::Long, reasons: vec![reason] };
        }
        if best.lifetime >= Lifetime::Presumed {
            return best;
        }
        if sites > 0 && short == sites {
            return Owner::plain(Lifetime::Short);
        }
        let serves = |member: &&ClassRef| {
            vocabulary::is_serving_name(self.class(**member).name.as_str())
                || self.external_bases(**member).iter().any(|base| vocabulary::is_serving_base(base.as_str()))
        };
        let named = family.iter().find(serves);
        match named {
            Some(member) if short == 0 && !self.is_made_per_call(class) && !self.is_taken_out(&family) => Owner {
                lifetime: Lifetime::Presumed,
                reasons: vec![Label {
                    location: self.location(member.module, self.class(*member).name_span),
                    message: format!("a `{}` serves for long", self.class(*member).name),
                }],
            },
            _ => Owner::plain(Lifetime::Unknown),
        }
    }

    /// What waits in its methods does something, however its fields are declared: that is no value.
    fn has_coroutines(&self, class: ClassRef) -> bool {
        self.own_methods(class).any(|method| {
            let declared = self.function(method);
            declared.is_async && !declared.is_generator
        })
    }

    /// A private class that the project makes wherever it is made, each time in a function that runs again and again:
    /// what is seen of it says more than its name.
    fn is_made_per_call(&self, class: ClassRef) -> bool {
        let is_private = self.class(class).name.as_str().starts_with('_') && self.subclasses(class).is_empty();
        let made = self.instantiations(class);
        let mut sites = made.iter().filter(|site| !self.is_test(site.module)).peekable();
        is_private
            && sites.peek().is_some()
            && sites.all(|site| {
                self.event_function(site.event).is_some()
                    && self.is_repeated(site.event)
                    && self.is_bound_to_local(*site)
            })
    }

    /// `name = Class(…)` in a function.
    fn is_bound_to_local(&self, site: CallSite) -> bool {
        let facts = self.facts(site.module);
        let made = self.made_at(site);
        let next = facts.events.iter().skip(site.event.id.index() + 1).take(2);
        next.filter_map(|event| match event.kind {
            EventKind::Bind { target, value } if value == made.id => Some(facts.expr(target)),
            _ => None,
        })
        .any(|target| matches!(target, Expr::Name(_)))
    }

    /// The constructor of a class that a program has one of, by what it is called, and of which the project makes none.
    pub fn is_one_that_serves(&self, event: EventRef) -> bool {
        let function = self.event_function(event).map(|inner| self.outermost_function(inner));
        let Some(class) = function.and_then(|function| self.class_of_method(function)) else { return false };
        let is_constructor = function.is_some_and(|function| self.function(function).name == self.words.init);
        is_constructor
            && self.instantiations(class).is_empty()
            && vocabulary::is_single_name(self.class(class).name.as_str())
    }

    /// Some place in the program takes the instances that it holds out again, whatever they are called.
    fn is_taken_out(&self, family: &[ClassRef]) -> bool {
        let sites = family.iter().flat_map(|member| self.instantiations(*member).iter().copied().collect::<Vec<_>>());
        sites.filter(|site| !self.is_test(site.module)).take(MOST).any(|site| {
            let made = self.made_at(site);
            let facts = self.facts(site.module);
            let Some(maker) = self.event_function(site.event) else { return false };
            let scope = self.function_scope(maker);
            let names: Vec<ExprId> = (facts.scope_events(scope.id))
                .filter_map(|(_, event)| match event.kind {
                    EventKind::Bind { target, value }
                        if value == made.id && matches!(facts.expr(target), Expr::Name(_)) =>
                    {
                        Some(target)
                    }
                    _ => None,
                })
                .chain([made.id])
                .collect();
            facts.scope_events(scope.id).any(|(_, event)| match event.kind {
                EventKind::Bind { target, value } if names.contains(&value) => match facts.expr(target) {
                    Expr::Subscript(table, _) => self
                        .reach(scope.expr(table))
                        .is_some_and(|reach| reach.level == 0 && self.loses_items(reach.place)),
                    _ => false,
                },
                _ => false,
            })
        })
    }

    /// The life of the instance that one call makes.
    pub fn owner_made_at(&self, site: CallSite, class: ClassRef) -> Owner {
        self.owner_at(site, class, DEPTH)
    }

    fn owner_at(&self, site: CallSite, class: ClassRef, depth: u32) -> Owner {
        let made = self.made_at(site);
        match self.fate(made, site.event, depth) {
            Fate::Kept(owner) => owner,
            Fate::Returned => self.owner_of_returned(site, class, depth),
            Fate::Unknown => Owner::plain(Lifetime::Unknown),
            Fate::Local if self.event_function(site.event).is_none() => Owner::plain(Lifetime::Unknown),
            Fate::Local if let Some(rounds) = self.works_in_loop(site) => {
                Owner { lifetime: Lifetime::Long, reasons: vec![rounds] }
            }
            Fate::Local => match self.is_repeated(site.event) {
                true => Owner::plain(Lifetime::Short),
                false => Owner::plain(Lifetime::Unknown),
            },
        }
    }

    /// `tracker = Tracker()`, and behind that `while True: tracker.see(queue.get())` in a function that works until it is
    /// told to stop: the object lives as long as that.
    fn works_in_loop(&self, site: CallSite) -> Option<Label> {
        let function = self.event_function(site.event)?;
        let facts = self.facts(site.module);
        if !vocabulary::is_running_name(self.function(function).name.as_str()) {
            return None;
        }
        let made = self.made_at(site).id;
        let mut behind =
            facts.scope_events(self.function_scope(function).id).skip_while(|(id, _)| *id <= site.event.id);
        let name = behind.find_map(|(_, event)| match event.kind {
            EventKind::Bind { target, value } if value == made => match facts.expr(target) {
                Expr::Name(name) => Some(name),
                _ => None,
            },
            _ => None,
        })?;
        let is_used = |event: &crate::facts::Event| match event.kind {
            EventKind::Call(_) => facts.is_mentioned_in(event, name),
            _ => false,
        };
        if self.is_in_loop(site.event) {
            return None;
        }
        let mut rounds = behind.filter(|(_, event)| is_used(event));
        rounds.find_map(|(id, _)| {
            let around = self.endless_loop_around(EventRef::new(site.module, id))?;
            around.is_work.then_some(around.label)
        })
    }

    fn made_at(&self, site: CallSite) -> ExprRef {
        let made = self.facts(site.module).id_of(Expr::Call(site.call)).unwrap_or(NOTHING);
        self.event_scope(site.event).expr(made)
    }

    /// A factory: what its callers do with what it gives.
    fn owner_of_returned(&self, site: CallSite, class: ClassRef, depth: u32) -> Owner {
        let Some(depth) = depth.checked_sub(1) else { return Owner::plain(Lifetime::Unknown) };
        let Some(factory) = self.event_function(site.event) else { return Owner::plain(Lifetime::Unknown) };
        let is_kept = self.cached_functions(factory.module).iter().any(|cached| cached.function == factory);
        if is_kept && self.cache_key(factory).is_none() {
            return Owner::kept(Label {
                location: self.event_location(site.event),
                message: format!("`{}` is made once here and kept", self.class(class).name),
            });
        }
        let mut best = Owner::plain(Lifetime::Unknown);
        for caller in
            self.callers(factory).iter().filter(|caller| caller.is_certain && !self.is_test(caller.module)).take(4)
        {
            let found = self.owner_at(*caller, class, depth);
            if found.lifetime > best.lifetime {
                best = found;
            }
        }
        best
    }

    /// What becomes of a value that is made at an event.
    fn fate(&self, made: ExprRef, event: EventRef, depth: u32) -> Fate {
        let facts = self.facts(event.module);
        let in_function = self.event_function(event).is_some();
        for (number, next) in facts.events.iter().enumerate().skip(event.id.index() + 1).take(16) {
            let here = EventRef::new(event.module, crate::facts::EventId(number as u32));
            let scope = self.event_scope(here);
            match next.kind {
                EventKind::Bind { target, value } if self.gives(scope.expr(value), made.id) => {
                    return self.fate_of_stored(scope.expr(target), here, depth);
                }
                EventKind::Return(value) | EventKind::Yield(value) if self.gives(scope.expr(value), made.id) => {
                    return Fate::Returned;
                }
                EventKind::Call(call) if self.passes(scope, call, made.id) => {
                    return if in_function {
                        self.fate_of_passed(here, made, depth)
                    } else {
                        self.kept_by_module(here)
                    };
                }
                _ => {}
            }
        }
        Fate::Local
    }

    fn kept_by_module(&self, event: EventRef) -> Fate {
        if self.is_in_main_guard(event) {
            return Fate::Unknown;
        }
        Fate::Kept(Owner::kept(Label {
            location: self.event_location(event),
            message: "made here once, when the module is imported".to_owned(),
        }))
    }

    /// Whether the value of an expression is, or may be, another's.
    fn gives(&self, expr: ExprRef, made: ExprId) -> bool {
        if expr.id == made {
            return true;
        }
        let facts = self.facts(expr.scope.module);
        match self.expr(expr) {
            Expr::Or(run) | Expr::And(run) | Expr::Conditional(run) | Expr::Display(_, run) => {
                facts.list(run).iter().any(|part| self.gives(expr.scope.expr(*part), made))
            }
            Expr::Await(inner) => self.gives(expr.scope.expr(inner), made),
            _ => false,
        }
    }

    fn passes(&self, scope: ScopeRef, call: crate::facts::CallId, made: ExprId) -> bool {
        let facts = self.facts(scope.module);
        facts.all_arguments(facts.call(call)).any(|argument| self.gives(scope.expr(argument), made))
    }

    fn passes_method(&self, scope: ScopeRef, call: crate::facts::CallId, made: ExprId) -> bool {
        let facts = self.facts(scope.module);
        facts.all_arguments(facts.call(call)).any(|argument| {
            matches!(facts.expr(argument), Expr::Attribute(base, _)
                if base == made && self.bound_method(scope.expr(argument)).is_some())
        })
    }

    fn fate_of_stored(&self, target: ExprRef, event: EventRef, depth: u32) -> Fate {
        match self.expr(target) {
            Expr::Name(name) => match self.holding_scope(target.scope, name) {
                Some(holder) if self.enclosing_function(holder).is_some() => self.fate_of_local(holder, name, depth),
                _ if matches!(self.facts(target.scope.module).scope(target.scope.id).kind, ScopeKind::Function(_)) => {
                    Fate::Kept(Owner::kept(Label {
                        location: self.event_location(event),
                        message: format!("kept in the module's `{name}`"),
                    }))
                }
                _ => self.kept_by_module(event),
            },
            _ => self.fate_of_attribute(target, event, depth),
        }
    }

    /// `self.x = made`, `Class.x = made`, `registry[key] = made`.
    fn fate_of_attribute(&self, target: ExprRef, event: EventRef, depth: u32) -> Fate {
        let Some(reach) = self.reach(target) else { return Fate::Unknown };
        // An attribute that its class gives a default is set on the instance all the same.
        let place = match (reach.place, self.expr(target)) {
            (Place::Class(class, name), Expr::Attribute(base, _))
                if matches!(self.type_of(target.scope.expr(base)), Type::Instance(_)) =>
            {
                Place::Instance(class, name)
            }
            (place, _) => place,
        };
        if self.is_shared(place) {
            let name = self.place_name(place);
            let location = self.event_location(event);
            let owner = Owner::kept(Label { location, message: format!("kept in `{name}`") });
            if reach.level > 0 && (self.loses_items(place) || self.is_weak_container(place)) {
                return Fate::Unknown;
            }
            // What is under a key may be replaced and taken out.
            return Fate::Kept(if reach.level == 0 { owner } else { Owner { lifetime: Lifetime::Presumed, ..owner } });
        }
        match place {
            // What a method puts there again and again lives from one time to the next.
            Place::Instance(class, name) if reach.level == 0 && self.is_slot(class, name) => Fate::Unknown,
            Place::Instance(class, name) if reach.level == 0 && self.is_replaced(class, name, event) => Fate::Unknown,
            Place::Instance(class, _) if self.is_remade(class) => Fate::Unknown,
            Place::Instance(class, _) if reach.level == 0 => {
                let owner = self.owner_within(class, depth);
                match owner.lifetime {
                    Lifetime::Process | Lifetime::Long | Lifetime::Presumed => Fate::Kept(owner.with(Label {
                        location: self.event_location(event),
                        message: format!("kept by `{}`", self.class(class).name),
                    })),
                    Lifetime::Short => Fate::Kept(owner),
                    Lifetime::Unknown => Fate::Unknown,
                }
            }
            _ => Fate::Unknown,
        }
    }

    /// What lies in a place is taken out of it one by one: it comes and goes.
    fn loses_items(&self, place: Place) -> bool {
        self.operations.on(place).any(|operation| {
            matches!(operation.kind, OperationKind::Pop | OperationKind::Delete | OperationKind::Remove)
                && operation.level == 0
                && !self.is_test(operation.event.module)
        })
    }

    /// Some method puts another object there in the middle of the owner's life.
    fn is_slot(&self, class: ClassRef, name: Name) -> bool {
        self.instance_stores(class, name).iter().copied().any(|store| {
            let facts = self.facts(store.module);
            let EventKind::Bind { value, .. } = facts.event(store.id).kind else { return false };
            let ends = self
                .event_function(store)
                .is_some_and(|function| vocabulary::is_ending_name(self.function(function).name.as_str()));
            !matches!(facts.expr(value), Expr::Constant(_)) && !ends && !self.is_stored_at_beginning(store)
        })
    }

    /// `self.logger = EarlyLogger()` in a constructor, and `self.logger = logger` in a method that is given another: the
    /// first one was meant for the time before, and what it holds goes with it.
    fn is_replaced(&self, class: ClassRef, name: Name, made: EventRef) -> bool {
        let constructor = self.event_function(made).filter(|function| self.function(*function).name == self.words.init);
        constructor.is_some()
            && self.instance_stores(class, name).iter().any(|store| {
                let facts = self.facts(store.module);
                let EventKind::Bind { value, .. } = facts.event(store.id).kind else { return false };
                let function = self.event_function(*store).filter(|function| Some(*function) != constructor);
                let is_given =
                    |given| function.is_some_and(|function| self.is_parameter(self.function_scope(function), given));
                matches!(facts.expr(value), Expr::Name(given) if is_given(given))
            })
    }

    fn is_stored_at_beginning(&self, event: EventRef) -> bool {
        let Some(function) = self.event_function(event) else { return true };
        vocabulary::is_beginning_name(self.function(function).name.as_str())
            || self.is_lazily_made(event)
            || !self.callers(function).is_empty()
                && self.callers(function).iter().all(|site| {
                    self.event_function(site.event)
                        .is_some_and(|caller| vocabulary::is_beginning_name(self.function(caller).name.as_str()))
                })
    }

    /// `if _client is None: _client = Client()`, where the variable or attribute is kept by a module or class, and the same
    /// for each of the few keys of a table.
    pub(super) fn is_made_lazily(&self, site: CallSite) -> bool {
        if self.happens_for_few_keys(site.event, &|place| self.is_shared(place)) {
            return true;
        }
        let made = self.made_at(site).id;
        let facts = self.facts(site.module);
        facts.events.iter().enumerate().skip(site.event.id.index() + 1).take(4).any(|(number, event)| {
            let here = EventRef::new(site.module, crate::facts::EventId(number as u32));
            let EventKind::Bind { target, value } = event.kind else { return false };
            value == made
                && self
                    .reach(self.event_scope(here).expr(target))
                    .is_some_and(|reach| reach.level == 0 && self.is_shared(reach.place))
                && self.is_lazily_made(here)
        })
    }

    /// `if self.x is None: self.x = X()`
    fn is_lazily_made(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let EventKind::Bind { target, .. } = facts.event(event.id).kind else { return false };
        self.conditions(event).iter().any(|condition| match (self.expr(condition.test), condition.holds) {
            (Expr::Not(inner), true) => inner == target,
            (Expr::Binary(Operator::Is, left, _), true) | (Expr::Binary(Operator::IsNot, left, _), false) => {
                left == target
            }
            (_, false) => condition.test.id == target,
            _ => false,
        })
    }

    /// Under `if __name__ == "__main__":` a module is a program of its own, often a short one.
    fn is_in_main_guard(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        facts.contexts_around(facts.event(event.id).context).any(|context| match context.kind {
            ContextKind::If(test) => matches!(facts.expr(test), Expr::Binary(Operator::Eq, left, _)
                if facts.expr(left) == Expr::Name(Name::new("__name__"))),
            _ => false,
        })
    }

    /// What the function does with the local variable that holds it.
    fn fate_of_local(&self, holder: ScopeRef, name: Name, depth: u32) -> Fate {
        let facts = self.facts(holder.module);
        let Some(local) = facts.id_of(Expr::Name(name)) else { return Fate::Local };
        let mut fate = Fate::Local;
        for (id, event) in facts.scope_events(holder.id) {
            let here = EventRef::new(holder.module, id);
            let scope = self.event_scope(here);
            let found = match event.kind {
                EventKind::Return(value) | EventKind::Yield(value) if self.gives(scope.expr(value), local) => {
                    Fate::Returned
                }
                EventKind::Bind { target, value } if self.gives(scope.expr(value), local) => match facts.expr(target) {
                    // `global current; current = made`
                    Expr::Name(other) if self.holding_scope(scope, other) != Some(holder) => {
                        self.fate_of_stored(scope.expr(target), here, depth)
                    }
                    Expr::Name(_) => continue,
                    _ => self.fate_of_attribute(scope.expr(target), here, depth),
                },
                EventKind::Call(call) if self.passes(scope, call, local) => {
                    self.fate_of_passed(here, scope.expr(local), depth)
                }
                EventKind::Define(nested)
                    if self.captures(FunctionRef::new(holder.module, nested)).contains(&(holder, name)) =>
                {
                    Fate::Unknown
                }
                // A bound method keeps its object.
                EventKind::Call(call) if self.passes_method(scope, call, local) => Fate::Unknown,
                _ => continue,
            };
            match found {
                Fate::Kept(owner) if owner.lifetime >= Lifetime::Presumed => return Fate::Kept(owner),
                Fate::Local => {}
                Fate::Kept(_) | Fate::Unknown if matches!(fate, Fate::Returned) => {}
                found => fate = found,
            }
        }
        fate
    }

    /// Handed to a call: kept by what the call makes, or by what is told to register it.
    fn fate_of_passed(&self, event: EventRef, made: ExprRef, depth: u32) -> Fate {
        let Some(site) = self.call_site(event) else { return Fate::Local };
        let facts = self.facts(event.module);
        let scope = self.event_scope(event);
        let callee = scope.expr(facts.call(site.call).callee);
        if let Some(function) = self.callee(scope, site.call)
            && self.function(function).name == self.words.init
            && let Some(class) = self.class_of_method(function)
        {
            let is_stored = self
                .parameter_for(site, function, made)
                .is_some_and(|parameter| self.stores_on_self(function, parameter));
            if is_stored {
                return Fate::Kept(self.owner_within(class, depth));
            }
        }
        let name = match self.expr(callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => name,
            _ => return Fate::Local,
        };
        // Registered while the program is set up: whoever takes it keeps it.
        let is_set_up = || matches!(self.frequency(event), Frequency::Definition | Frequency::Once);
        if vocabulary::is_registering_name(name.as_str()) && is_set_up() {
            return Fate::Kept(Owner {
                lifetime: Lifetime::Presumed,
                reasons: vec![Label { location: self.event_location(event), message: "registered here".to_owned() }],
            });
        }
        match self.resolve(callee) {
            Definition::Function(_) => Fate::Local,
            Definition::External(_) => Fate::Local,
            _ => self.fate_in_method(site, made, depth),
        }
    }

    /// Handed to a method: what that does with its parameter, and what becomes of the result where that is it.
    fn fate_in_method(&self, site: CallSite, made: ExprRef, depth: u32) -> Fate {
        let Some(depth) = depth.checked_sub(1) else { return Fate::Unknown };
        let scope = self.event_scope(site.event);
        let Some(method) = self.callee(scope, site.call) else { return Fate::Unknown };
        let Some(parameter) = self.parameter_for(site, method, made) else { return Fate::Unknown };
        match self.fate_of_local(self.function_scope(method), parameter, depth) {
            Fate::Returned => self.fate(self.made_at(site), site.event, depth),
            Fate::Kept(owner) if owner.lifetime == Lifetime::Short => Fate::Local,
            fate => fate,
        }
    }

    /// What shows that an instance goes on by itself: a loop that waits in one of its methods, or its own methods
    /// handed out as callbacks by its constructor.
    fn runs_on(&self, class: ClassRef) -> Option<Label> {
        self.own_methods(class).find_map(|method| self.loop_in(method).or_else(|| self.hands_itself_out(class, method)))
    }

    fn loop_in(&self, method: FunctionRef) -> Option<Label> {
        let facts = self.facts(method.module);
        let declared = self.function(method);
        self.receiver(method).filter(|receiver| !receiver.is_class)?;
        if declared.is_generator || !vocabulary::is_running_name(declared.name.as_str()) {
            return None;
        }
        let body = facts.scope(declared.scope).body;
        facts
            .scope_events(declared.scope)
            .filter(|(_, event)| facts.context(event.context).scope == facts.context(body).scope)
            .filter(|(_, event)| matches!(event.kind, EventKind::Call(_) | EventKind::Await(_)))
            .filter(|(_, event)| {
                facts.contexts_around(event.context).any(|context| matches!(context.kind, ContextKind::While(_)))
            })
            .find_map(|(id, _)| Some(self.endless_loop_around(EventRef::new(method.module, id))?.label))
    }

    /// `bus.subscribe(self.on_event)`, `Thread(target=self.run)`: whoever calls back keeps the object.
    fn hands_itself_out(&self, class: ClassRef, method: FunctionRef) -> Option<Label> {
        let facts = self.facts(method.module);
        let receiver = self.receiver(method).filter(|receiver| !receiver.is_class)?;
        let declared = self.function(method);
        let is_beginning = declared.name == self.words.init || vocabulary::is_beginning_name(declared.name.as_str());
        if !is_beginning {
            return None;
        }
        facts.scope_events(declared.scope).find_map(|(id, event)| {
            let EventKind::Call(call) = event.kind else { return None };
            let call = facts.call(call);
            let (Expr::Name(name) | Expr::Attribute(_, name)) = facts.expr(call.callee) else { return None };
            // What an object tells a part of itself stays within it.
            let is_own = matches!(facts.expr(call.callee), Expr::Attribute(base, _)
                if matches!(facts.expr(base), Expr::Name(name) if name == receiver.name));
            if is_own || !vocabulary::is_calling_back_name(name.as_str()) {
                return None;
            }
            let handed = facts.all_arguments(call).find_map(|argument| {
                let Expr::Attribute(base, method) = facts.expr(argument) else { return None };
                let is_receiver = matches!(facts.expr(base), Expr::Name(name) if name == receiver.name);
                let handed = self.method(class, method).filter(|_| is_receiver)?;
                // A thread, timer or task that only does one piece of work ends with it.
                (!vocabulary::is_starting_name(name.as_str()) || self.loop_in(handed).is_some()).then_some(method)
            })?;
            if self.takes_back(class, declared.name, handed) {
                return None;
            }
            Some(Label {
                location: self.event_location(EventRef::new(method.module, id)),
                message: format!("`{}` hands out its own `{handed}` to be called back", self.class(class).name),
            })
        })
    }

    /// One method of the object has it called back and sees to the end of that: `self.start()`, `self.shutdown()`, where
    /// the second ends in `bus.remove(…, self.on_event)`.
    fn takes_back(&self, class: ClassRef, beginning: Name, handed: Name) -> bool {
        let is_end = |method: FunctionRef| {
            let facts = self.facts(method.module);
            facts.scope_events(self.function(method).scope).any(|(_, event)| {
                let EventKind::Call(call) = event.kind else { return false };
                let call = facts.call(call);
                matches!(facts.expr(call.callee), Expr::Attribute(_, name) if vocabulary::is_taking_out_name(name.as_str()))
                    && facts.all_arguments(call).any(
                        |argument| matches!(facts.expr(argument), Expr::Attribute(_, method) if method == handed),
                    )
            })
        };
        let ends: Vec<Name> =
            self.own_methods(class).filter(|method| is_end(*method)).map(|method| self.function(method).name).collect();
        !ends.is_empty()
            && self.own_methods(class).any(|method| {
                let called = self.own_calls(class, method, 3);
                called.contains(&beginning) && ends.iter().any(|end| called.contains(end))
            })
    }

    /// The names of the methods that a method calls on its own object, and that those call.
    fn own_calls(&self, class: ClassRef, method: FunctionRef, depth: u32) -> FxHashSet<Name> {
        let mut called = FxHashSet::default();
        let (Some(depth), Some(receiver)) = (depth.checked_sub(1), self.receiver(method)) else { return called };
        let facts = self.facts(method.module);
        for (_, event) in facts.scope_events(self.function(method).scope) {
            let EventKind::Call(call) = event.kind else { continue };
            let Expr::Attribute(base, name) = facts.expr(facts.call(call).callee) else { continue };
            if facts.expr(base) == Expr::Name(receiver.name)
                && called.insert(name)
                && let Some(inner) = self.method(class, name)
            {
                called.extend(self.own_calls(class, inner, depth));
            }
        }
        called
    }
}
