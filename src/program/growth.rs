//! Whether a place only grows: every growth with what repeats it and where its key comes from, every removal with
//! whether it counts.
//!
//! "Any removal means silence" loses more than a quarter of real leaks, so removals are graded: by level (taking an
//! item out of a value does not take the key out), by whether anybody outside of tests runs them, and by whether
//! they only undo what a failed growth began.

pub mod captured;
mod ended;
pub mod exits;
mod guards;
mod helpers;
pub mod loops;
mod memos;
mod passed_over;
mod reinit;
mod removals;
mod siblings;
pub mod weakness;
mod weight;

use rustc_hash::FxHashSet;

pub use helpers::SkippedAfterHelpers;
pub use siblings::Sibling;

use super::calls::CallSite;
use super::containers::{Container, Holder};
use super::domains::Domain;
use super::names::Definition;
use super::repetition::{Frequency, Repetition};
use super::{
    ClassRef, EventRef, ExprRef, FunctionRef, Operation, OperationKind, Place, Program, ScopeRef, told, vocabulary,
};
use crate::facts::{
    Constant, ContextKind, DisplayKind, EventId, EventKind, Expr, ExprId, FileFacts, NOTHING, Operator, ScopeKind,
};
use crate::models::{Holds, Shape};
use crate::source::Name;

/// An operation on a place, perhaps through a helper that the place was passed to.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    pub operation: Operation,
    /// The call that passes the place to the function of the operation.
    pub through: Option<CallSite>,
}

impl Touch {
    /// Where the place itself is named.
    pub fn event(&self) -> EventRef {
        self.through.map_or(self.operation.event, |site| site.event)
    }
}

#[derive(Clone, Debug)]
pub struct Growth {
    pub touch: Touch,
    pub repetition: Repetition,
    pub domain: Domain,
    /// It adds whatever comes, without looking whether it is there.
    pub is_append: bool,
    /// A branch decides whether it happens at all.
    pub is_conditional: bool,
    /// A constructor adds one more to a collection, whatever it is given: one for each instance.
    pub is_per_instance: bool,
    /// What is stored is what the function was given: the caller decides what is registered.
    pub stores_parameter: bool,
    /// The value is computed from the key and looked up by it.
    pub is_memo: bool,
    /// Another container gets the same key here and loses it elsewhere.
    pub sibling: Option<Sibling>,
    /// The entry was meant to go with its object, and does not.
    pub defeat: Option<weakness::Defeat>,
}

#[derive(Clone, Debug)]
pub struct Removal {
    pub touch: Touch,
    /// Why it lets nothing go, as a clause; `None` where it counts, which no account has.
    pub refuted: Option<String>,
    /// It was to take out what was added, and takes out something else: entries were never meant to stay.
    pub is_mistaken: bool,
}

impl Growth {
    /// How much the growth weighs as evidence, for choosing the one that is shown first.
    fn weight(&self) -> (Frequency, bool, bool) {
        (self.repetition.frequency, self.domain.is_open(), !self.is_conditional)
    }
}

/// All that is known of what comes into a place and what leaves it.
#[derive(Clone, Debug)]
pub struct Account {
    pub holder: Holder,
    /// Growths at run time, most frequent first.
    pub growths: Vec<Growth>,
    /// Removals that do not count.
    pub removals: Vec<Removal>,
    /// The container is handed to code that is not seen, which may take from it.
    pub escapes: bool,
    /// Where the owner passes over members that are done with, and leaves them in.
    pub passes_over: Option<EventRef>,
    /// Where the owner ends an entry, and leaves it in.
    pub ends_entry: Option<EventRef>,
}

impl Account {
    /// The value is computed from the key and looked up by it, and nothing says that it ends before the owner does.
    pub fn is_memo(&self, growth: &Growth) -> bool {
        growth.is_memo && self.ends_entry.is_none()
    }
}

/// A kind, not an identity: `listener.event_type`.
fn is_sort(name: &str) -> bool {
    let last = vocabulary::last_word(name);
    vocabulary::is_bounded_word(&last) || vocabulary::is_class_word(&last) || vocabulary::is_definition_name(name)
}

impl Program<'_> {
    /// The accounts of what a module and its classes and functions hold, in source order.
    pub fn accounts(&self, module: super::ModuleId) -> &[(Place, Account)] {
        self.accounts[module.0 as usize].get_or_init(|| {
            self.shared_places(module).into_iter().filter_map(|place| Some((place, self.account(place)?))).collect()
        })
    }

    /// The accounts of what instances of a module's classes hold, in source order.
    pub fn instance_accounts(&self, module: super::ModuleId) -> &[(Place, Account)] {
        self.instance_accounts[module.0 as usize].get_or_init(|| {
            self.instance_places(module).into_iter().filter_map(|place| Some((place, self.account(place)?))).collect()
        })
    }

    /// Objects are kept under something of their own (`by_host.setdefault(peer.host, []).append(peer)`), and what takes
    /// them out again leaves the key: as the objects come and go, so do the keys.
    pub fn keeps_keys_of_emptied(&self, place: Place, account: &Account, growth: &Growth) -> bool {
        let operation = growth.touch.operation;
        let is_emptied = account.removals.iter().map(|removal| removal.touch).any(|removal| {
            removal.operation.level > operation.level && !self.is_part_of_move(removal.event(), growth.touch.event())
        });
        if !is_emptied || growth.domain == Domain::Bounded {
            return false;
        }
        // `if peer.host not in by_host: by_host[peer.host] = []` says only that the key is new.
        let is_new =
            || self.conditions(operation.event).iter().all(|condition| self.looks_up(condition.test, operation));
        if growth.is_conditional && !is_new() {
            return false;
        }
        if self.is_group_of_passing(operation) {
            return true;
        }
        let facts = self.facts(operation.event.module);
        let Expr::Attribute(base, name) = facts.expr(operation.key) else { return false };
        let is_sorted = is_sort(name.as_str());
        let function = self.event_function(operation.event);
        !is_sorted
            && matches!(facts.expr(base), Expr::Name(name) if
                self.receiver_named(self.event_scope(operation.event), name).is_none())
            && self.operations.on(place).any(|inner| {
                inner.level > operation.level
                    && inner.kind.is_growth()
                    && inner.value == base
                    && inner.event.module == operation.event.module
                    && self.event_function(inner.event) == function
            })
    }

    /// Whoever has something taken out has it put in again right behind that: it goes from one key to another.
    fn is_part_of_move(&self, removal: EventRef, growth: EventRef) -> bool {
        let (Some(takes), Some(adds)) = (self.event_function(removal), self.event_function(growth)) else {
            return false;
        };
        let (taking, adding) = (self.callers(takes), self.callers(adds));
        let context_of = |event: EventRef| self.facts(event.module).event(event.id).context;
        let is_put_in_again = |taken: &CallSite| {
            adding.iter().any(|added| {
                added.module == taken.module
                    && added.event > taken.event
                    && context_of(added.event) == context_of(taken.event)
            })
        };
        let mut outside = taking.iter().filter(|site| !self.is_test(site.module)).peekable();
        takes != adds && outside.peek().is_some() && outside.all(is_put_in_again)
    }

    /// `groups.setdefault(group, set()).add(member)`, where there is always another member and another function takes
    /// members out one by one: as members come and go, so do their groups.
    pub(super) fn is_group_of_passing(&self, operation: Operation) -> bool {
        let facts = self.facts(operation.event.module);
        let Expr::Name(key) = facts.expr(operation.key) else { return false };
        let function = self.event_function(operation.event);
        let scope = self.event_scope(operation.event);
        let is_member = |value: ExprId| {
            matches!(facts.expr(value), Expr::Name(name)
                if !vocabulary::is_listener_name(name.as_str()) && self.receiver_named(scope, name).is_none())
                && self.domain(scope.expr(value)).is_open()
        };
        let takes_out = |inner: &Operation| {
            inner.kind == OperationKind::Remove
                && inner.level == 1
                && self.event_function(inner.event) != function
                && !self.is_test(inner.event.module)
        };
        let adds = |inner: &Operation| {
            inner.level == 1
                && matches!(inner.kind, OperationKind::Add | OperationKind::Append)
                && inner.event.module == operation.event.module
                && self.event_function(inner.event) == function
                && is_member(inner.value)
        };
        operation.level == 0
            && matches!(operation.kind, OperationKind::Store | OperationKind::SetDefault | OperationKind::Read)
            && !is_sort(key.as_str())
            && self.operations.on(operation.place).any(takes_out)
            && self.operations.on(operation.place).any(adds)
    }

    /// The attributes that a module's methods bind to a container of their own, and that other methods add to.
    fn instance_places(&self, module: super::ModuleId) -> Vec<Place> {
        let facts = self.facts(module);
        let mut seen = FxHashSet::default();
        let mut places = Vec::new();
        for id in &self.module(module).index.may_hold {
            let event = facts.event(*id);
            let EventKind::Bind { target, value } = event.kind else { continue };
            let scope = ScopeRef::new(module, facts.scope_of(event));
            let (class, name) = match (facts.expr(target), facts.scope(scope.id).kind) {
                (Expr::Attribute(base, name), _) => {
                    let Expr::Name(base) = facts.expr(base) else { continue };
                    match self.receiver_named(scope, base).filter(|receiver| !receiver.is_class) {
                        Some(receiver) => (receiver.class, name),
                        None => continue,
                    }
                }
                (Expr::Name(name), ScopeKind::Class(class)) => (ClassRef::new(module, class), name),
                _ => continue,
            };
            if !self.operations.may_touch(name) || self.container_made_by(scope.expr(value)).is_none() {
                continue;
            }
            let place = self.instance_place(class, name);
            let is_here = matches!(place, Place::Instance(owner, _) if owner.module == module);
            if is_here && seen.insert(place) {
                places.push(place);
            }
        }
        places.retain(|place| {
            self.operations.on(*place).any(|operation| {
                operation.kind.is_growth() || matches!(operation.kind, OperationKind::Read | OperationKind::Passed(_))
            })
        });
        places
    }

    /// The account of a place that holds a container and only grows at run time; `None` for places that hold none,
    /// or one that is bounded, weak or emptied.
    pub fn account(&self, place: Place) -> Option<Account> {
        let holder = self.holder(place)?;
        if holder.container.is_bounded || !self.holds_for_ever(place, holder.container) {
            return None;
        }
        let touches = self.touches(place);
        if matches!(place, Place::Instance(..)) && self.is_plainly_pruned(place, &touches) {
            return None;
        }
        // Constructors count only beside what goes on, so they come last.
        let begins =
            |touch: &&Touch| holder.container.holds == Holds::Strong && self.is_in_constructor_of(place, touch);
        let growth = |touch: &Touch| self.growth(place, holder.container, *touch, &touches);
        let mut growths: Vec<Growth> = touches.iter().filter(|touch| !begins(touch)).filter_map(growth).collect();
        if growths.is_empty() {
            return None;
        }
        growths.extend(touches.iter().filter(begins).filter_map(growth));
        if self.graded_removals(place, &touches, &growths).any(|removal| removal.refuted.is_none())
            || matches!(place, Place::Instance(owner, _) if self.is_remade(owner))
        {
            return None;
        }
        // Who runs a growth is the dearest question, so it comes last.
        for growth in &mut growths {
            growth.repetition = match place {
                Place::Instance(owner, _) => self.repetition_in_life(growth.touch.event(), owner),
                Place::Local(scope, name) if !self.is_parameter(scope, name) => {
                    self.repetition_by_handler(&growth.touch.operation).unwrap_or(Repetition::plain(Frequency::Once))
                }
                _ => self.growth_repetition(growth.touch),
            };
            self.expect_others(growth);
        }
        growths.retain(|growth| {
            growth.repetition.frequency >= Frequency::Presumed
                && !self.is_filled_afresh(place, &touches, growth)
                && !self.is_beside_decorators(place, growth)
        });
        self.drop_undone_below(place, &touches, &mut growths);
        growths.sort_by_key(|growth| std::cmp::Reverse(growth.weight()));
        let removals: Vec<Removal> = self.graded_removals(place, &touches, &growths).collect();
        if growths.is_empty() || removals.iter().any(|removal| removal.refuted.is_none()) {
            return None;
        }
        let escapes = touches.iter().any(|touch| self.is_escape(*touch));
        let passes_over = self.passes_over_finished(place, &growths);
        let ends_entry = self.ends_entry(place, &growths);
        Some(Account { holder, growths, removals, escapes, passes_over, ends_entry })
    }

    /// It happens once in the life of the object that has the place.
    fn is_in_constructor_of(&self, place: Place, touch: &Touch) -> bool {
        let Place::Instance(owner, _) = place else { return false };
        let event = touch.event();
        let class = self.event_function(event).and_then(|function| self.class_of_method(function));
        class.is_some_and(|class| self.mro(class).contains(&owner) || self.mro(owner).contains(&class))
            && self.is_in_constructor(event)
            && self.endless_loop_around(event).is_none()
    }

    fn growth_repetition(&self, touch: Touch) -> Repetition {
        let mut repetition = self.repetition_through(touch);
        // A method of a class that the project never makes is the public's to call, whatever seems to call it.
        let method = self.event_function(touch.event()).map(|function| self.outermost_function(function));
        if repetition.frequency == Frequency::Repeated
            && let Some(class) = method.and_then(|method| self.class_of_method(method))
            && method.is_some_and(|method| self.registered(method).is_none())
            && !self.is_made(class)
        {
            repetition.frequency = Frequency::Presumed;
        }
        repetition
    }

    /// Whether the project makes instances of the class or of one derived from it, or hands the class on.
    fn is_made(&self, class: super::ClassRef) -> bool {
        std::iter::once(&class).chain(self.subclasses(class)).any(|class| {
            !self.instantiations(*class).is_empty() || !self.mentions(Definition::Class(*class)).is_empty()
        })
    }

    fn repetition_through(&self, touch: Touch) -> Repetition {
        let outer = self.repetition(touch.event());
        if touch.through.is_none() || outer.frequency >= Frequency::Once {
            return outer;
        }
        // The loop may be inside the helper.
        let inner = self.repetition(touch.operation.event);
        if inner.frequency > outer.frequency { inner } else { outer }
    }

    /// All operations on a place, with those that helpers do to it when it is passed to them.
    fn touches(&self, place: Place) -> Vec<Touch> {
        let mut touches = Vec::new();
        for operation in self.operations.on(place) {
            match operation.kind {
                OperationKind::Passed(_) if self.is_handed_to_itself(operation) => {}
                OperationKind::Passed(_) => match self.touches_through(operation, 2) {
                    Some(inner) => touches.extend(inner),
                    None => touches.push(Touch { operation: *operation, through: None }),
                },
                OperationKind::Escaped if operation.level == 0 && matches!(place, Place::Local(..)) => {
                    match self.alias_kept_in(operation.event) {
                        Some(kept) => touches.extend(self.touches_of_alias(kept)),
                        None => touches.push(Touch { operation: *operation, through: None }),
                    }
                }
                _ => touches.push(Touch { operation: *operation, through: None }),
            }
        }
        touches
    }

    /// `def walk(node, found=[]): … walk(child, found)`
    fn is_handed_to_itself(&self, passed: &Operation) -> bool {
        let Place::Local(holder, name) = passed.place else { return false };
        let Some(site) = self.call_site(passed.event) else { return false };
        let Some(callee) = self.callee(self.event_scope(passed.event), site.call) else { return false };
        self.function_scope(callee) == holder && self.parameter_that_takes(site, callee, passed.place) == Some(name)
    }

    /// What a called function does to a place passed to it; `None` where the function is not known.
    fn touches_through(&self, passed: &Operation, depth: u32) -> Option<Vec<Touch>> {
        let site = self.call_site(passed.event)?;
        let scope = self.event_scope(passed.event);
        let callee = self.callee(scope, site.call)?;
        let depth = depth.checked_sub(1)?;
        let parameter = self.parameter_that_takes(site, callee, passed.place)?;
        let mut touches = Vec::new();
        for operation in self.operations_on_parameter(callee, parameter) {
            let operation = Operation { level: operation.level + passed.level, ..*operation };
            match operation.kind {
                OperationKind::Passed(_) => match self.touches_through(&operation, depth) {
                    Some(inner) => touches.extend(inner),
                    None => touches.push(Touch { operation, through: Some(site) }),
                },
                // A rebound parameter is the function's own affair.
                OperationKind::Rebind => {}
                OperationKind::Escaped if operation.level == 0 => match self.alias_kept_in(operation.event) {
                    Some(place) => touches.extend(self.touches_of_alias(place)),
                    None => touches.push(Touch { operation, through: Some(site) }),
                },
                _ => touches.push(Touch { operation, through: Some(site) }),
            }
        }
        Some(touches)
    }

    /// `self.tasks = tasks` in a constructor, and further down `self.tasks.append(…)`: the attribute is nothing but another
    /// name for what was given, and the object adds to it.
    fn alias_kept_in(&self, event: EventRef) -> Option<Place> {
        let facts = self.facts(event.module);
        let EventKind::Bind { target, .. } = facts.event(event.id).kind else { return None };
        let Expr::Attribute(base, attribute) = facts.expr(target) else { return None };
        let Expr::Name(base) = facts.expr(base) else { return None };
        let receiver = self.receiver_named(self.event_scope(event), base).filter(|receiver| !receiver.is_class)?;
        let is_only_store = matches!(*self.instance_stores(receiver.class, attribute), [store] if store == event);
        if !is_only_store || !self.is_in_constructor(event) {
            return None;
        }
        let place = self.instance_place(receiver.class, attribute);
        let adds_itself = |operation: &Operation| {
            let method = self.event_function(operation.event).map(|function| self.outermost_function(function));
            operation.kind.is_growth() && method.and_then(|method| self.class_of_method(method)) == Some(receiver.class)
        };
        self.operations.on(place).any(adds_itself).then_some(place)
    }

    /// What is done to a container under the name that another object has for it.
    fn touches_of_alias(&self, place: Place) -> impl Iterator<Item = Touch> {
        let operations = self.operations.on(place).filter(|operation| operation.kind != OperationKind::Rebind);
        operations.map(|operation| Touch { operation: *operation, through: None })
    }

    fn parameter_that_takes(&self, site: CallSite, callee: FunctionRef, place: Place) -> Option<Name> {
        let facts = self.facts(callee.module);
        facts.parameters(self.function(callee)).iter().map(|parameter| parameter.name).find(|parameter| {
            self.argument_for(site, callee, *parameter)
                .is_some_and(|argument| self.reach(argument).is_some_and(|reach| reach.place == place))
        })
    }

    fn is_escape(&self, touch: Touch) -> bool {
        if touch.operation.level > 0 {
            return false;
        }
        match touch.operation.kind {
            OperationKind::Escaped => !self.is_reported(touch.operation.event),
            OperationKind::Passed(call) => {
                // A constructor of a container copies; anything else unknown may keep it.
                let event = touch.operation.event;
                let callee = self.event_scope(event).expr(self.facts(event.module).call(call).callee);
                match self.resolve(callee) {
                    Definition::External(path) => {
                        !path.as_str().chars().next().is_some_and(char::is_lowercase) || path.as_str().contains('.')
                    }
                    _ => true,
                }
            }
            _ => false,
        }
    }

    /// `return {"log": self.log}`: a report on how things are, which nobody takes anything out of.
    fn is_reported(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        matches!(facts.event(event.id).kind, EventKind::Return(value)
            if matches!(facts.expr(value), Expr::Display(DisplayKind::Dict, _)))
    }

    fn growth(&self, place: Place, container: Container, touch: Touch, touches: &[Touch]) -> Option<Growth> {
        let operation = touch.operation;
        let fits = match operation.kind {
            OperationKind::Read => container.reads_insert && operation.level == 0,
            // Assigning to an index or slice replaces.
            OperationKind::Store => container.shape != Shape::List || operation.level > 0,
            kind => kind.is_growth(),
        };
        if !fits
            || (operation.level > 0 && self.is_replacement_below(operation))
            || (self.adds_to_value(operation) && !self.counts_missing(place, container, operation.level, touches))
        {
            return None;
        }
        // What a weak container holds goes by itself, but for entries that hold themselves.
        if container.holds != Holds::Strong && !self.holds_itself(container.holds, operation) {
            return None;
        }
        if operation.kind == OperationKind::Read && self.is_read_for_known_key(touch, touches) {
            return None;
        }
        if self.only_moves(operation) || (operation.level > 0 && self.holds_loose_values(place, touches)) {
            return None;
        }
        // `self.digests["latency"].add(x)`: what the values are must be known, for `add` may be anything.
        if operation.level > 0 && matches!(place, Place::Instance(..)) && !self.holds_containers(place, touches) {
            return None;
        }
        let event = touch.event();
        if operation.kind == OperationKind::Update && self.is_result_used(operation.event) {
            return None;
        }
        if self.event_function(event).is_none()
            || self.is_lazily_filled(place, event)
            || self.is_length_guarded(place, operation.level, operation.event)
        {
            return None;
        }
        if self.is_test(event.module) && !self.is_test(self.place_module(place)) {
            return None;
        }
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let is_append = matches!(operation.kind, OperationKind::Append | OperationKind::Extend)
            && !self.is_membership_guarded(operation);
        let key = self.growing_key(operation);
        let mut domain = self.growth_domain(container, operation, scope, key);
        let is_vague = match domain {
            Domain::Unknown | Domain::Likely(_) | Domain::Presumed(_) => true,
            Domain::Bounded => matches!(facts.expr(key), Expr::Name(_) | Expr::Attribute(..)),
            Domain::Open(_) => false,
        };
        // Keys that are shown to go are not as few as their word says.
        let is_owned = matches!(domain, Domain::Open(_)) && matches!(place, Place::Instance(..));
        let sibling = if is_vague || is_owned { self.pruned_sibling(place, operation) } else { None };
        // Of keys that are shown to come and go anyway, a sibling says only that the owner outlives them.
        let sibling = sibling
            .filter(|sibling| is_vague || sibling.is_of_objects || sibling.is_parallel)
            .map(|sibling| Sibling { has_open_key: !is_vague, ..sibling });
        let sibling = sibling.filter(|_| domain != Domain::Bounded || self.is_bounded_by_word(scope.expr(key)));
        if operation.level == 0 && container.holds == Holds::Strong {
            domain = self.as_declared(place, container, domain);
        }
        if let Domain::Presumed(why) = domain
            && matches!(place, Place::Instance(..))
            && self.comes_with_event(scope.expr(key))
        {
            domain = Domain::Open(why);
        }
        if let Some(sibling) = sibling.filter(|_| is_vague) {
            let name = self.place_name(sibling.place);
            domain = Domain::Open(Name::new(&format!("one that `{name}` lets go when it is done with")));
        }
        if domain == Domain::Bounded || self.is_own_constant(place, scope.expr(key)) {
            return None;
        }
        if (sibling.is_none_or(|sibling| sibling.has_open_key) && self.is_said_once(operation))
            || self.is_kept_to_fixed_table(operation)
            || self.is_imported_first(operation)
            || (!domain.is_open() && self.is_validated(operation))
            || self.is_once_for_few(operation)
            || self.is_while_ending(operation.event)
            // Who calls it is the dearest question.
            || self.is_guarded_by_callers(place, operation.level, event)
        {
            return None;
        }
        let repetition = Repetition::plain(Frequency::Never);
        let is_conditional = self.is_conditional(operation.event) || self.may_add_nothing(operation);
        let is_per_instance = matches!(operation.kind, OperationKind::Add | OperationKind::Append)
            && key != NOTHING
            && self.domain(scope.expr(key)) != Domain::Bounded
            && self.is_in_constructor(event);
        let is_memo = operation.level == 0 && container.shape == Shape::Dict && self.is_memo(operation, touches);
        Some(Growth {
            touch,
            repetition,
            domain,
            is_append,
            is_conditional,
            is_per_instance,
            stores_parameter: self.stores_parameter(operation),
            is_memo,
            sibling,
            defeat: self.defeat(place, container, operation),
        })
    }

    /// `extend(options.get("more", []))`: as a rule there are none.
    fn may_add_nothing(&self, operation: Operation) -> bool {
        let facts = self.facts(operation.event.module);
        let Expr::Call(call) = facts.expr(operation.value) else { return false };
        let call = facts.call(call);
        operation.kind == OperationKind::Extend
            && matches!(facts.expr(call.callee), Expr::Attribute(_, method) if method.as_str() == "get")
            && matches!(facts.arguments(call), [_, default] if matches!(facts.expr(*default), Expr::Display(_, run) if run.len == 0))
    }

    /// What is added was just taken from another container, or is stored under a key of the place itself.
    fn only_moves(&self, operation: Operation) -> bool {
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let is_taken = match facts.expr(operation.value) {
            Expr::Call(call) => matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, method)
                if OperationKind::of_method(method) == Some(OperationKind::Pop)),
            _ => false,
        };
        let is_own_key = match facts.expr(operation.key) {
            Expr::Name(name) if operation.kind == OperationKind::Store => {
                self.iterates_over(scope, name, operation.place)
            }
            _ => false,
        };
        is_taken || is_own_key
    }

    fn place_module(&self, place: Place) -> super::ModuleId {
        match place {
            Place::Module(module, _) => module,
            Place::Class(class, _) | Place::Instance(class, _) => class.module,
            Place::Function(function, _) => function.module,
            Place::Local(scope, _) => scope.module,
            Place::Unresolved(_) => super::ModuleId(0),
        }
    }

    /// `counts[key] += 1`
    fn adds_to_value(&self, operation: Operation) -> bool {
        let event = self.facts(operation.event.module).event(operation.event.id);
        operation.kind == OperationKind::Store && matches!(event.kind, EventKind::Augment { .. })
    }

    /// `X[k][0] = v` and `X[k].name = v` change what is there; `X[k] = {}`-like stores are at level 0.
    fn is_replacement_below(&self, operation: Operation) -> bool {
        operation.kind == OperationKind::Store
            && matches!(self.facts(operation.event.module).expr(operation.key), Expr::Constant(_) | Expr::Unary(_))
    }

    /// The expression whose domain decides how large the container can get.
    fn growing_key(&self, operation: Operation) -> ExprId {
        match operation.kind {
            OperationKind::Append | OperationKind::Extend => operation.value,
            _ => operation.key,
        }
    }

    fn growth_domain(&self, container: Container, operation: Operation, scope: ScopeRef, key: ExprId) -> Domain {
        let facts = self.facts(scope.module);
        if key == NOTHING {
            return Domain::Unknown;
        }
        // What was searched for decides, not that each item is an object of its own.
        if operation.kind == OperationKind::Append && self.is_searched_before(operation) {
            return Domain::Unknown;
        }
        if container.holds != Holds::Strong {
            return match self.is_permanent(scope.expr(key)) {
                true => Domain::Bounded,
                false => Domain::Open(weakness::why_it_stays(container.holds)),
            };
        }
        if let Some(object) = self.identified(scope.expr(key), 3) {
            if self.is_permanent_by_name(object) {
                return Domain::Bounded;
            }
            if operation.value != key && self.may_keep(scope.expr(operation.value), object, weakness::DEPTH) {
                return Domain::Open(Name::new("the `id()` of an object, which the entry keeps alive"));
            }
        }
        let domain = match (operation.kind, facts.expr(key)) {
            // `X.update({"a": 1})`: the keys decide.
            (OperationKind::Update, Expr::Display(DisplayKind::Dict, run)) => {
                let keys: Vec<ExprId> = facts.list(run).iter().step_by(2).copied().collect();
                keys.iter()
                    .map(|key| if *key == NOTHING { Domain::Unknown } else { self.domain(scope.expr(*key)) })
                    .fold(Domain::Bounded, Domain::or)
            }
            (
                OperationKind::Update | OperationKind::Extend,
                Expr::Comprehension(..) | Expr::Name(_) | Expr::Attribute(..),
            ) => self.domain_of_items(scope.expr(key)),
            (OperationKind::Extend, Expr::Display(_, run)) => {
                facts.list(run).iter().map(|item| self.domain(scope.expr(*item))).fold(Domain::Bounded, Domain::or)
            }
            _ => self.domain(scope.expr(key)),
        };
        let appends = matches!(operation.kind, OperationKind::Append | OperationKind::Extend);
        match domain {
            // A list takes equal items again and again.
            Domain::Bounded if appends && container.shape != Shape::Set && !self.is_membership_guarded(operation) => {
                Domain::Unknown
            }
            domain if self.is_guarded_by_membership(operation.event, scope.expr(key)) => {
                if domain.is_open() {
                    domain
                } else {
                    Domain::Bounded
                }
            }
            domain => domain,
        }
    }

    /// `table.update().values(…)`: the `update` of a mapping gives nothing to go on with.
    fn is_result_used(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let EventKind::Call(call) = facts.event(event.id).kind else { return false };
        let Some(made) = facts.id_of(Expr::Call(call)) else { return false };
        facts.exprs.iter().any(|expr| matches!(expr, Expr::Attribute(base, _) if *base == made))
    }

    /// A part of what a function is given that is told of something that happened: `on_join(self, member)` and
    /// `member.id`.
    fn comes_with_event(&self, key: ExprRef) -> bool {
        let Some(function) = self.enclosing_function(key.scope) else { return false };
        let is_told = vocabulary::is_told_name(self.function(function).name.as_str());
        let base = match self.expr(key) {
            Expr::Attribute(base, _) | Expr::Subscript(base, _) => base,
            _ => key.id,
        };
        is_told
            && matches!(self.expr(key.scope.expr(base)), Expr::Name(name)
                if self.is_parameter(self.function_scope(function), name)
                    && self.receiver_named(key.scope, name).is_none())
    }

    /// `self.by_id[self.id]`: an attribute of the owner that is set when its life begins.
    fn is_own_constant(&self, place: Place, key: ExprRef) -> bool {
        let Place::Instance(..) = place else { return false };
        let Expr::Attribute(base, name) = self.expr(key) else { return false };
        let Expr::Name(base) = self.expr(key.scope.expr(base)) else { return false };
        let Some(receiver) = self.receiver_named(key.scope, base) else { return false };
        let stores = self.instance_stores(receiver.class, name);
        !stores.is_empty()
            && stores.iter().all(|store| {
                self.event_function(*store)
                    .is_some_and(|function| vocabulary::is_beginning_name(self.function(function).name.as_str()))
            })
    }

    /// The stored value is a parameter as it came, or a tuple of such.
    fn stores_parameter(&self, operation: Operation) -> bool {
        let scope = self.event_scope(operation.event);
        let facts = self.facts(scope.module);
        let is_parameter = |id: ExprId| match facts.expr(id) {
            Expr::Name(name) => self
                .holding_scope(scope, name)
                .is_some_and(|holder| self.is_parameter(holder, name) && self.receiver_named(scope, name).is_none()),
            _ => false,
        };
        // Events are handed to whoever records them; definitions to whoever registers them.
        let records = self
            .event_function(operation.event)
            .is_some_and(|function| vocabulary::is_event_name(self.function(function).name.as_str()));
        !records
            && match facts.expr(operation.value) {
                Expr::Display(_, run) => facts.list(run).iter().any(|item| is_parameter(*item)),
                _ => is_parameter(operation.value),
            }
    }
}
