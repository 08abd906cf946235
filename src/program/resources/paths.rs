//! What becomes of a resource on each way through the function that acquires it.
//!
//! A search over the control flow, whose state is the set of places that hold the resource. It follows what is possible:
//! a place that holds the resource is not `None`, a test that came out one way where the resource was acquired does
//! not come out the other way later. Where a test on a flag decides about the release, the flag is trusted.

mod decisions;
mod exceptions;
mod exits;
mod passing;

use std::collections::VecDeque;

pub(super) use decisions::plain;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::{EventRef, ExprRef, FunctionRef, Program, ScopeRef};
use super::firsts::Binding;
use super::uses::{Use, is_released_by_with, is_releasing_method};
use super::{Acquisition, Because, Loss, LostAt, PathLoss, Source};
use crate::facts::dump::expression;
use crate::facts::flow::{Edge, Flow, NodeId, Step};
use crate::facts::{CallId, ContextId, ContextKind, Event, EventId, EventKind, Expr, ExprId, FileFacts, NOTHING};
use crate::models::{Lost, Resource};
use crate::source::Name;

/// The graphs of a module's functions, made when first asked for, and how many states may still be looked at in each.
#[derive(Default)]
pub(super) struct Flows(FxHashMap<FunctionRef, (Flow, usize)>);

/// How many places of one resource are followed, the first one included.
const MOST_PLACES: usize = 8;
/// How many states are looked at in one function; beyond, it says nothing.
const MOST_STATES: usize = 200_000;

/// Why a way is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum By {
    /// The source says so.
    Source,
    /// A call raises what a handler further out than the acquisition waits for.
    Handled,
    /// The system may refuse what a method of the resource asks for: an `OSError`.
    OsError,
    /// A method may raise of which nothing is known.
    Guess,
    /// A call may raise.
    Exception,
    /// A call may raise of which a model says that it often does.
    Failure,
    /// It raises what no handler around it is for.
    Passing,
    /// The time is up that a wait for its end is given.
    TimeOut,
}

/// A point on a way: a node, the places that hold the resource there, and why the way is taken.
type State = (NodeId, u8, By);
/// Where each state was reached from.
type Seen = FxHashMap<State, Option<State>>;

struct Search<'p, 'r> {
    program: &'p Program<'p>,
    facts: &'p FileFacts,
    function: FunctionRef,
    scope: ScopeRef,
    flow: &'r Flow,
    resource: &'r Resource,
    /// Places that hold the resource at one time or another.
    places: Vec<ExprId>,
    /// Those that are attributes of the object that the function constructs: who gets the object has the resource.
    on_self: u8,
    /// The class of that object has a method that releases it, and nothing else will.
    is_kept_by_owner: bool,
    /// Those that hold what was made of the resource, if anything was.
    wrappers: u8,
    /// What each event does to the resource, for those that do anything.
    uses: FxHashMap<EventId, Use>,
    /// Calls that seem to keep the resource, though the function releases it afterwards.
    lending: FxHashSet<EventId>,
    /// Tests on flags and how they come out where the resource is released.
    deciding: FxHashSet<(ExprId, bool)>,
    /// Loops in which the resource is released: that they run at all is trusted.
    deciding_loops: FxHashSet<ContextId>,
    /// Tests around the acquisition and how they came out.
    known: Vec<(ExprId, bool)>,
    start: NodeId,
    /// The statements around the acquisition.
    groups: Vec<ContextId>,
    is_context_manager: bool,
    /// It is acquired for a `with`, which its author takes for its end.
    is_scoped: bool,
    /// A generator that somebody may give up at a `yield`.
    is_given_up: bool,
    /// A task, which what its maker awaits may leave behind: that fails, or is cancelled.
    is_task: bool,
    /// The test that holds in a child process, with how it comes out there.
    forked: Option<(ExprId, bool)>,
}

/// What a search has found.
#[derive(Default)]
struct Ways {
    released: Option<EventId>,
    handed_on: Option<EventId>,
    lost: Option<LostAt>,
    /// One of the ways on which it is lost is a `raise`.
    is_raised: bool,
    by_guess: Option<LostAt>,
    by_exception: Option<LostAt>,
    by_failure: Option<LostAt>,
    by_passing: Option<LostAt>,
    by_time_out: Option<LostAt>,
}

impl Program<'_> {
    /// How a function loses what it acquires, if it does.
    pub(super) fn loss_of(
        &self,
        acquisition: &Acquisition,
        resource: &Resource,
        binding: Binding,
        flows: &mut Flows,
    ) -> Option<Loss> {
        let function = acquisition.function;
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let constructed = self.constructed_object(function);
        let places = self.aliases(scope, binding.place, resource, constructed)?;
        let forked = self.forked_child(scope)?;
        let names = || places.iter().filter_map(|place| local_name(facts, *place));
        if !resource.of_receiver && names().any(|name| self.is_captured_to_keep(function, name, resource)) {
            return None;
        }
        if !resource.done_by.is_empty() && !self.is_done_with(scope, resource) {
            return None;
        }
        if resource.of_receiver && names().any(|name| self.is_known_here_alone(function, name)) {
            return None;
        }
        if self.hands_on_a_keeper(acquisition, resource, &|id| places.contains(&id)) {
            return None;
        }
        let ends = |call| self.ends_process(scope, call);
        let (flow, states) = flows.0.entry(function).or_insert_with(|| (Flow::of(facts, scope.id, &ends), MOST_STATES));
        let is_generator = facts.function(function.id).is_generator;
        let is_context_manager =
            self.has_decorator(function, &["contextlib.contextmanager", "contextlib.asynccontextmanager"]);
        let mut search = Search {
            program: self,
            facts,
            function,
            scope,
            flow,
            resource,
            is_kept_by_owner: constructed.is_some() && self.is_released_by_owner(function, &places, resource),
            on_self: mask_of(&places, |place| local_name(facts, place).is_none() && !resource.of_receiver),
            places,
            wrappers: 0,
            uses: FxHashMap::default(),
            lending: FxHashSet::default(),
            deciding: FxHashSet::default(),
            deciding_loops: FxHashSet::default(),
            known: Vec::new(),
            groups: Vec::new(),
            start: flow.nodes_of(binding.event).next()?,
            is_context_manager,
            is_scoped: matches!(facts.event(binding.event).kind, EventKind::BindManager { .. }),
            is_task: acquisition.source == Source::Task,
            forked,
            is_given_up: is_generator && facts.list(facts.function(function.id).decorators).is_empty(),
        };
        if search.is_in_child(binding.event) {
            return None;
        }
        search.prepare(binding.event);
        if resource.of_receiver && !search.releases_beside(binding.event) {
            return None;
        }
        let ways = search.run(states)?;
        let name = expression(facts, binding.place);
        let at = |event| EventRef::new(function.module, event);
        let (own, is_handed_on, lost, because) = match ways {
            Ways { released: None, handed_on: None, lost: Some(_), is_raised, .. } => {
                return (!resource.of_receiver).then_some(Loss::Never {
                    name,
                    place: binding.place,
                    is_raised,
                    is_contained: false,
                });
            }
            Ways { released, handed_on, lost: Some(lost), .. } => {
                (released.or(handed_on)?, released.is_none(), lost, Because::Source)
            }
            Ways { released, handed_on, by_failure: Some(lost), .. } => {
                (released.or(handed_on)?, released.is_none(), lost, Because::Failure)
            }
            Ways { by_time_out: Some(lost), .. } => (search.first_release()?, false, lost, Because::TimeOut),
            Ways { by_passing: Some(lost), .. } if resource.done_by.is_empty() => {
                (search.first_release()?, false, lost, Because::Passing)
            }
            // What may go wrong with a figure is not what pyplot is full of.
            Ways { released: Some(released), by_exception: Some(lost), .. } if resource.done_by.is_empty() => {
                (released, false, lost, Because::Exception)
            }
            Ways { released: Some(released), by_guess: Some(lost), .. } if resource.done_by.is_empty() => {
                (released, false, lost, Because::Guess)
            }
            _ => return None,
        };
        Some(Loss::OnPath(PathLoss { name, place: binding.place, released: at(own), is_handed_on, lost, because }))
    }

    /// Whether a function makes what a name holds and nobody else gets it: nobody waits for such a lock.
    fn is_known_here_alone(&self, function: FunctionRef, name: Name) -> bool {
        let scope = self.function_scope(function);
        let facts = self.facts(function.module);
        if self.holding_scope(scope, name) != Some(scope) || self.is_parameter(scope, name) {
            return false;
        }
        let (values, is_all) = self.bound_values(scope, name);
        // A lock of a file or a server has a name that others know.
        let is_made = |value: ExprRef| {
            let Expr::Call(call) = self.expr(value) else { return false };
            let path = self.external_path(value.scope.expr(facts.call(call).callee));
            let root = path.and_then(|path| path.as_str().split('.').next());
            root.is_some_and(|root| matches!(root, "threading" | "asyncio" | "multiprocessing" | "_thread"))
        };
        let is_method = |call: CallId| matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, _) if facts.expr(base) == Expr::Name(name));
        let is_given = |event: &Event| match event.kind {
            EventKind::Call(call) => facts.all_arguments(facts.call(call)).any(|given| facts.mentions(given, name)),
            EventKind::Bind { target, value } => facts.expr(target) != Expr::Name(name) && facts.mentions(value, name),
            EventKind::Await(value) => {
                !matches!(facts.expr(value), Expr::Call(call) if is_method(call)) && facts.mentions(value, name)
            }
            _ => facts.is_mentioned_in(event, name),
        };
        is_all
            && !values.is_empty()
            && values.iter().all(|(_, value)| is_made(*value))
            && !facts.scope_events(scope.id).any(|(_, event)| is_given(event))
            && !self.nested_functions(function).any(|nested| self.captures(nested).contains(&(scope, name)))
    }

    /// Whether a function calls what a resource is made for in the end.
    fn is_done_with(&self, scope: ScopeRef, resource: &Resource) -> bool {
        let facts = self.facts(scope.module);
        facts.scope_events(scope.id).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, name)
                if Resource::names(&resource.done_by, name))
        })
    }

    /// The receiver of a constructor whose object cannot release anything when the constructor fails.
    pub(super) fn constructed_object(&self, function: FunctionRef) -> Option<Name> {
        let class = self.class_of_method(function).filter(|_| self.function(function).name == self.words.init)?;
        if self.method(class, Name::new("__del__")).is_some() {
            return None;
        }
        let facts = self.facts(function.module);
        facts.parameters(facts.function(function.id)).first().map(|parameter| parameter.name)
    }

    /// Whether the class of a constructor has a method that releases what the constructor keeps in one of these places, and
    /// that stays without it.
    fn is_released_by_owner(&self, constructor: FunctionRef, places: &[ExprId], resource: &Resource) -> bool {
        let facts = self.facts(constructor.module);
        let Some(class) = self.class_of_method(constructor) else { return false };
        resource.lost == Lost::Stays
            && !resource.is_path
            && places.iter().any(|place| match facts.expr(*place) {
                Expr::Attribute(_, name) => !self.releasing_methods(class, name, resource).is_empty(),
                _ => false,
            })
    }

    /// The places that the first one's value comes to; `None` where there are too many, or one is not local.
    fn aliases(
        &self,
        scope: ScopeRef,
        first: ExprId,
        resource: &Resource,
        constructed: Option<Name>,
    ) -> Option<Vec<ExprId>> {
        let facts = self.facts(scope.module);
        let mut places = vec![first];
        if resource.elements_keep {
            places.extend(self.elements_beside(scope, first));
        }
        let mut next = 0;
        while next < places.len() && !resource.of_receiver {
            let place = places[next];
            next += 1;
            let is_held = |id: ExprId| id == place;
            for (_, event) in facts.scope_events(scope.id) {
                let (target, value) = match event.kind {
                    EventKind::Bind { target, value } => (target, value),
                    EventKind::BindManager { target, manager } if resource.with_keeps => (target, manager),
                    _ => continue,
                };
                let is_followed = match facts.expr(target) {
                    Expr::Name(_) => true,
                    Expr::Attribute(base, _) => {
                        constructed.is_some_and(|receiver| facts.expr(base) == Expr::Name(receiver))
                    }
                    _ => false,
                };
                let is_alias = is_held(value)
                    || self.is_itself(scope.expr(value), resource, &is_held)
                    || (resource.is_path && self.carries(scope.expr(value), resource, &is_held));
                if is_followed && is_alias && !places.contains(&target) {
                    places.push(target);
                }
            }
        }
        let are_local = places.iter().all(|place| match local_name(facts, *place) {
            Some(name) => resource.of_receiver || self.holding_scope(scope, name) == Some(scope),
            None => true,
        });
        (places.len() <= MOST_PLACES && are_local).then_some(places)
    }

    /// The names of the other elements of what a name is an element of.
    fn elements_beside(&self, scope: ScopeRef, first: ExprId) -> Vec<ExprId> {
        let facts = self.facts(scope.module);
        let elements = || {
            facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
                EventKind::Bind { target, value } => match facts.expr(value) {
                    Expr::Element(whole) => Some((target, whole)),
                    _ => None,
                },
                _ => None,
            })
        };
        let Some((_, whole)) = elements().find(|(target, _)| *target == first) else { return Vec::new() };
        elements().filter(|(target, other)| *other == whole && *target != first).map(|(target, _)| target).collect()
    }

    /// Whether a call never returns.
    pub(in crate::program) fn ends_process(&self, scope: ScopeRef, call: crate::facts::CallId) -> bool {
        let callee = self.facts(scope.module).call(call).callee;
        let last = match self.facts(scope.module).expr(callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => name,
            _ => return false,
        };
        let is_method = matches!(self.facts(scope.module).expr(callee), Expr::Attribute(..));
        if is_method && self.endings.of_process.contains(&last) {
            return true;
        }
        let text = last.as_str();
        if !matches!(text, "exit" | "_exit" | "abort" | "quit") && !text.starts_with("exec") {
            return false;
        }
        self.external_path(scope.expr(callee)).is_some_and(|path| {
            let text = path.as_str();
            matches!(text, "sys.exit" | "os._exit" | "os.abort" | "exit" | "quit") || text.starts_with("os.exec")
        })
    }
}

impl Search<'_, '_> {
    /// Finds what each event does, what the function only seems to hand on, the flags that decide about the release, and
    /// what was known at the acquisition.
    fn prepare(&mut self, acquired: EventId) {
        self.uses = self.find_uses();
        self.groups = self.contexts_of(acquired).into_iter().map(|id| self.facts.context(id).group).collect();
        self.find_lending();
        self.decide(acquired);
    }

    /// Calls that are given the resource and might keep it, but after which the function itself releases it where the
    /// call stands or further out: these only used it. What they give may still be a wrapper around it.
    fn find_lending(&mut self) {
        let releases = self.uses.iter().filter(|(id, used)| **used == Use::Released && !self.is_of_another(**id));
        let releases: Vec<EventId> = releases.map(|(id, _)| *id).collect();
        let last = releases.iter().copied().max();
        let is_beside = |event: EventId| {
            let around = self.contexts_of(event);
            releases.iter().any(|release| {
                *release > event
                    && (around.contains(&self.facts.event(*release).context)
                        || self.is_else_of(*release, &around)
                        || self.is_finally_of(*release, &around) && !self.takes_over(event))
            })
        };
        let mut seeming: Vec<(EventId, crate::facts::CallId)> = self
            .uses
            .iter()
            .filter_map(|(id, used)| match self.facts.event(*id).kind {
                EventKind::Call(call)
                    if *used == Use::HandedOn
                        && (self.is_scoped
                            || last.is_some_and(|last| *id < last) && is_beside(*id)
                            || self.makes_or_fails(call)
                            || self.is_set_to_run(call)
                            || self.makes_a_wrapper(call)) =>
                {
                    Some((*id, call))
                }
                _ => None,
            })
            .collect();
        seeming.sort_unstable();
        for (event, call) in seeming {
            if self.is_scoped {
                self.lending.insert(event);
                continue;
            }
            let Some(result) = self.facts.id_of(Expr::Call(call)) else { continue };
            let kept = self.facts.scope_events(self.scope.id).find_map(|(_, event)| match event.kind {
                EventKind::Bind { target, value } if value == result => Some(target),
                _ => None,
            });
            if let Some(target) = kept {
                let is_local = local_name(self.facts, target)
                    .is_some_and(|name| self.program.holding_scope(self.scope, name) == Some(self.scope));
                // `connection = Wrapper(connection)`: what is released under that name from here on is the wrapper.
                let takes_its_name = self.wrappers & mask_of(&self.places, |place| place == target) == 0
                    && self.places.contains(&target);
                if !is_local || takes_its_name || self.places.len() >= MOST_PLACES {
                    continue;
                }
                if !self.places.contains(&target) {
                    self.places.push(target);
                    self.wrappers |= 1 << (self.places.len() - 1);
                }
            }
            self.lending.insert(event);
        }
        if self.wrappers != 0 {
            self.uses = self.find_uses();
        }
    }

    fn find_uses(&self) -> FxHashMap<EventId, Use> {
        let events = self.facts.scope_events(self.scope.id).map(|(id, _)| id);
        events
            .filter(|id| !self.is_in_child(*id))
            .map(|id| (id, self.use_at(id, u8::MAX)))
            .filter(|(_, used)| *used != Use::Nothing)
            .collect()
    }

    /// `for file in files: file.close()`: under the name of the resource, a loop releases what was kept elsewhere.
    fn is_of_another(&self, release: EventId) -> bool {
        let around = self.contexts_of(release);
        around.iter().any(|id| {
            let ContextKind::For { iterable } = self.facts.context(*id).kind else { return false };
            self.facts.scope_events(self.scope.id).any(|(_, event)| {
                matches!(event.kind, EventKind::BindElement { target, iterable: over }
                    if over == iterable && self.places.contains(&target))
            })
        })
    }

    /// `image = read(file)` and `if image: return image`, where `read` is of the project: what it makes has the resource,
    /// and where it makes nothing, nobody has.
    fn makes_or_fails(&self, call: crate::facts::CallId) -> bool {
        let Some(result) = self.facts.id_of(Expr::Call(call)) else { return false };
        let events = || self.facts.scope_events(self.scope.id).map(|(_, event)| event);
        let made = events().find_map(|event| match event.kind {
            EventKind::Bind { target, value } if value == result => local_name(self.facts, target).map(|_| target),
            _ => None,
        });
        let Some(made) = made.filter(|_| self.program.callee(self.scope, call).is_some()) else { return false };
        let is_returned = events().any(|event| matches!(event.kind, EventKind::Return(value) if value == made));
        let is_test = |test: ExprId| match self.facts.expr(test) {
            Expr::Not(inner) => inner == made,
            Expr::Binary(_, left, _) => left == made,
            _ => test == made,
        };
        let contexts = &self.facts.contexts;
        let is_tested = contexts.iter().any(|context| {
            context.scope == self.scope.id && matches!(context.kind, ContextKind::If(test) if is_test(test))
        });
        is_returned && is_tested
    }

    /// `asyncio.set_event_loop(loop)`, where the function runs the loop itself until its work is done, and never closes it:
    /// the next one to be set takes the place of this one. Where the name may hold another loop it is meant to stay.
    fn is_set_to_run(&self, call: crate::facts::CallId) -> bool {
        let callee = self.scope.expr(self.facts.call(call).callee);
        let is_run = |(_, event): (EventId, &Event)| {
            matches!(event.kind, EventKind::Call(run) if matches!(self.facts.expr(self.facts.call(run).callee),
                Expr::Attribute(base, method) if method.as_str() == "run_until_complete" && self.is_held(base, u8::MAX)))
        };
        let is_only_one = || {
            let name = local_name(self.facts, self.places[0]);
            let module = self.program.module(self.scope.module);
            name.is_some_and(|name| module.bindings_of(self.scope.id, name).count() == 1)
        };
        self.program.external_path(callee).is_some_and(|path| path.as_str() == "asyncio.set_event_loop")
            && is_only_one()
            && !self.uses.values().any(|used| *used == Use::Released)
            && self.facts.scope_events(self.scope.id).any(is_run)
    }

    /// `report = Report(file)`, where objects of the class keep the file and nothing in it releases what they keep: to lose
    /// the object is to lose the file.
    fn makes_a_wrapper(&self, call: crate::facts::CallId) -> bool {
        let Some(result) = self.facts.id_of(Expr::Call(call)) else { return false };
        let called = self.facts.call(call);
        let mut given = self.facts.all_arguments(called).filter(|given| self.is_held(*given, u8::MAX));
        let is_named = || {
            self.facts.scope_events(self.scope.id).any(|(_, event)| {
                matches!(event.kind, EventKind::Bind { target, value }
                    if value == result && local_name(self.facts, target).is_some())
            })
        };
        let (Some(given), None) = (given.next(), given.next()) else { return false };
        is_named() && self.program.only_keeps(self.scope, call, given, self.resource)
    }

    /// Whether the function releases where an event stands or further out, after it.
    fn releases_beside(&self, event: EventId) -> bool {
        let around = self.contexts_of(event);
        self.uses.iter().any(|(release, used)| {
            *used == Use::Released && *release > event && around.contains(&self.facts.event(*release).context)
        }) || self.uses.iter().any(|(release, used)| *used == Use::Released && self.is_in_finally(*release))
    }

    /// Whether a call makes another resource of what it is given (`os.fdopen(fd)`), or the name is given up behind it: a
    /// `finally` that asks for the name finds none then.
    fn takes_over(&self, event: EventId) -> bool {
        let makes_another = match self.facts.event(event).kind {
            EventKind::Call(call) => {
                let callee = self.scope.expr(self.facts.call(call).callee);
                let path = self.program.external_path(callee);
                path.is_some_and(|path| self.program.models.resource(path).is_some())
                    || matches!(self.facts.expr(callee.id), Expr::Name(name) | Expr::Attribute(_, name)
                        if name.as_str() == "fdopen")
            }
            _ => false,
        };
        let is_given_up = || {
            self.facts.scope_events(self.scope.id).any(|(id, other)| match other.kind {
                EventKind::Bind { target, value } => {
                    id > event
                        && self.places.contains(&target)
                        && matches!(self.facts.expr(value), Expr::Constant(_) | Expr::Unary(_))
                }
                _ => false,
            })
        };
        makes_another || is_given_up()
    }

    /// Whether an event stands in the `finally` of a statement that these contexts are arms of.
    fn is_finally_of(&self, event: EventId, around: &[ContextId]) -> bool {
        self.contexts_of(event).iter().map(|id| self.facts.context(*id)).any(|context| {
            matches!(context.kind, ContextKind::Finally)
                && around.iter().any(|arm| self.facts.context(*arm).group == context.group)
        })
    }

    /// Whether an event stands, under no further condition, in the `else` of a `try` that one of these contexts is the
    /// body of.
    fn is_else_of(&self, event: EventId, around: &[ContextId]) -> bool {
        let context = self.facts.context(self.facts.event(event).context);
        context.kind == ContextKind::TryElse && around.contains(&context.group)
    }

    fn is_in_finally(&self, event: EventId) -> bool {
        self.is_within_finally(self.facts.event(event).context)
    }

    fn is_within_finally(&self, context: ContextId) -> bool {
        let mut around = self.facts.context_ids_outwards(context);
        around.any(|id| matches!(self.facts.context(id).kind, ContextKind::Finally))
    }

    /// The contexts around an event, innermost first.
    fn contexts_of(&self, event: EventId) -> Vec<ContextId> {
        let mut found = Vec::new();
        let mut next = self.facts.event(event).context;
        for _ in 0..DEEPEST {
            found.push(next);
            let parent = self.facts.context(next).parent;
            if parent == next {
                break;
            }
            next = parent;
        }
        found
    }

    fn is_held(&self, id: ExprId, mask: u8) -> bool {
        self.places.iter().position(|known| *known == id).is_some_and(|bit| mask & (1 << bit) != 0)
    }

    fn use_at(&self, event: EventId, mask: u8) -> Use {
        let kind = self.facts.event(event).kind;
        match kind {
            EventKind::Bind { target, value } if self.is_held(target, u8::MAX) && self.is_held(value, mask) => {
                return Use::Nothing;
            }
            // What a context manager yields it lends to the block.
            EventKind::Yield(_) if self.is_context_manager => return Use::Nothing,
            _ => {}
        }
        let reference = EventRef::new(self.function.module, event);
        let used = self.program.use_of(reference, self.resource, &|id| self.is_held(id, mask));
        match kind {
            EventKind::Call(call) if mask & self.on_self != 0 => used.max(self.use_of_object(call)),
            _ => used,
        }
    }

    /// What a call does to the object that is being constructed, and with it to what it holds.
    fn use_of_object(&self, call: crate::facts::CallId) -> Use {
        let called = self.facts.call(call);
        let parameters = self.facts.parameters(self.facts.function(self.function.id));
        let Some(receiver) = parameters.first().map(|parameter| parameter.name) else { return Use::Nothing };
        let is_object = |id: ExprId| self.facts.expr(id) == Expr::Name(receiver);
        match self.facts.expr(called.callee) {
            Expr::Attribute(base, method) if is_object(base) && is_releasing_method(self.resource, method) => {
                return Use::Released;
            }
            Expr::Attribute(_, method) if method == self.program.words.init => return Use::Nothing,
            _ => {}
        }
        if self.facts.all_arguments(called).any(is_object) {
            return Use::HandedOn;
        }
        let Some(callee) = self.program.callee(self.scope, call) else { return Use::Nothing };
        if !matches!(self.facts.expr(called.callee), Expr::Attribute(base, _) if is_object(base)) {
            return Use::Nothing;
        }
        let attributes = self.places.iter().filter_map(|place| match self.facts.expr(*place) {
            Expr::Attribute(_, name) => Some(name),
            _ => None,
        });
        let attributes: Vec<Name> = attributes.collect();
        let facts = self.program.facts(callee.module);
        let is_attribute =
            |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) if attributes.contains(&name));
        let events = facts.scope_events(facts.function(callee.id).scope);
        let uses =
            events.map(|(id, _)| self.program.use_of(EventRef::new(callee.module, id), self.resource, &is_attribute));
        if uses.max().unwrap_or(Use::Nothing) == Use::Released { Use::Released } else { Use::Nothing }
    }

    fn run(&self, states: &mut usize) -> Option<Ways> {
        let first: State = (self.start, 1, By::Source);
        let mut seen: Seen = FxHashMap::default();
        seen.insert(first, None);
        let mut waiting: VecDeque<State> = VecDeque::from([first]);
        let mut ways = Ways::default();
        while let Some(state) = waiting.pop_front() {
            *states = states.checked_sub(1)?;
            let (node, mut mask, by) = state;
            let mut lost = None;
            match self.flow.step(node) {
                Step::Event(event) if by == By::TimeOut && self.ends_by_number(event, mask) => continue,
                Step::Event(event) if node != self.start || seen[&state].is_some() => {
                    match self.after(event, mask, &mut ways) {
                        After::Holds(after) => mask = after,
                        After::Done => {
                            let is_refused =
                                by == By::Source && self.passes_by(event) && self.raises_before_it_keeps(event, mask);
                            if is_refused {
                                self.pass_by(state, mask, By::Passing, &mut seen, &mut waiting);
                            }
                            if by == By::Source && self.may_time_out(event) {
                                self.pass_by(state, mask, By::TimeOut, &mut seen, &mut waiting);
                            }
                            continue;
                        }
                        After::Lost(at) => lost = Some(at),
                    }
                }
                Step::Assume { test, holds } => match self.assumed(test, holds, mask) {
                    Some(after) => mask = after,
                    None => continue,
                },
                Step::Exhausted(context) if self.deciding_loops.contains(&context) => continue,
                Step::Enter(context) if self.is_managed(context, mask) => {
                    ways.released = ways.released.or(self.event_in(context));
                    continue;
                }
                // The object that was constructed has it.
                Step::Returned if mask & self.on_self != 0 => {
                    ways.handed_on = ways.handed_on.or(self.first_event());
                    continue;
                }
                Step::Returned | Step::Raised if by <= By::Handled => lost = Some(self.exit(&seen, state)),
                Step::Returned => {
                    self.add_swallowed(&seen, state, &mut ways);
                    continue;
                }
                Step::Raised => {
                    let at = self.raising_event(&seen, state).filter(|at| self.is_credible(&seen, state, *at));
                    let found = match by {
                        By::Failure => &mut ways.by_failure,
                        By::Passing => &mut ways.by_passing,
                        By::TimeOut => &mut ways.by_time_out,
                        By::Guess => &mut ways.by_guess,
                        _ => &mut ways.by_exception,
                    };
                    *found = found.or(at);
                    continue;
                }
                Step::Halted => continue,
                Step::Handler(handler) if by == By::TimeOut && !self.takes_time_out(handler) => continue,
                _ => {}
            }
            if let Some(lost) = lost {
                let is_raised = matches!(lost, LostAt::Exit(event) if self.program.is_raise(event));
                // One way is enough.
                let is_known = match by {
                    By::Source => ways.lost.is_some() && (ways.is_raised || !is_raised),
                    By::Handled => ways.by_failure.is_some(),
                    By::OsError | By::Guess | By::Exception | By::Failure | By::Passing | By::TimeOut => {
                        self.add_swallowed(&seen, state, &mut ways);
                        true
                    }
                };
                if is_known || !self.is_credible(&seen, state, lost) {
                    continue;
                }
                match by {
                    By::Source => {
                        ways.is_raised |= is_raised;
                        ways.lost = ways.lost.or(Some(lost));
                    }
                    By::Handled => ways.by_failure = ways.by_failure.or(Some(lost)),
                    By::OsError | By::Guess | By::Exception | By::Failure | By::Passing | By::TimeOut => {}
                }
                continue;
            }
            let by = if by > By::Handled && by != By::TimeOut && self.is_handled(node) { By::Handled } else { by };
            let is_dispatch = matches!(self.flow.step(node), Step::Dispatch(_));
            let passes_by = matches!(self.flow.step(node), Step::Event(event)
                if by == By::Source && seen[&state].is_some() && self.passes_by(event));
            if passes_by {
                self.pass_by(state, mask, By::Passing, &mut seen, &mut waiting);
            }
            for (_, to, edge) in self.flow.next(node) {
                let by = match edge {
                    // What passes by all handlers is led out by all but those.
                    Edge::Plain | Edge::Possible | Edge::Beyond
                        if by == By::Passing && is_dispatch == (*edge == Edge::Plain) =>
                    {
                        continue;
                    }
                    Edge::Beyond if by != By::Passing => continue,
                    // What a manager takes leads on, and nowhere else.
                    Edge::Plain if by > By::Handled && by != By::Passing && self.is_taken(node, *to) => continue,
                    Edge::Beyond => by,
                    Edge::Plain => by,
                    // Nothing was acquired.
                    Edge::Possible if seen[&state].is_none() => continue,
                    Edge::Possible if by == By::TimeOut => match self.flow.step(node) {
                        Step::Dispatch(group) if self.handler_of_time_out(group).is_some() => continue,
                        _ => by,
                    },
                    Edge::Possible => match self.raises(node, mask, by) {
                        // What a handler lets pass is another exception than the expected one.
                        Some(_) if by == By::Failure => By::Exception,
                        Some(raises) => by.max(raises),
                        None => continue,
                    },
                };
                // Coming back to the beginning acquires another.
                if *to == self.start && by == By::Source {
                    if mask & !1 == 0 && !self.changes_what_was_tested(&seen, state, self.first_event()?) {
                        ways.lost = ways.lost.or(Some(LostAt::Reacquired));
                    }
                    continue;
                }
                if let std::collections::hash_map::Entry::Vacant(entry) = seen.entry((*to, mask, by)) {
                    entry.insert(Some(state));
                    waiting.push_back((*to, mask, by));
                }
            }
        }
        Some(ways)
    }

    fn first_release(&self) -> Option<EventId> {
        self.uses.iter().filter(|(_, used)| **used == Use::Released).map(|(event, _)| *event).min()
    }

    /// Follows what is raised at a node for a reason that says which handlers take it.
    fn pass_by(&self, state: State, mask: u8, by: By, seen: &mut Seen, waiting: &mut VecDeque<State>) {
        for (_, to, _) in self.flow.next(state.0).iter().filter(|(.., edge)| *edge == Edge::Possible) {
            if let std::collections::hash_map::Entry::Vacant(entry) = seen.entry((*to, mask, by)) {
                entry.insert(Some(state));
                waiting.push_back((*to, mask, by));
            }
        }
    }

    /// Whether a node lies in a handler of a `try` that the acquisition is not in.
    fn is_handled(&self, node: NodeId) -> bool {
        let is_outside = |id: ContextId| {
            let context = self.facts.context(id);
            matches!(context.kind, ContextKind::Except(_)) && !self.groups.contains(&context.group)
        };
        match self.flow.step(node) {
            Step::Handler(handler) => is_outside(handler),
            Step::Event(event) => self.contexts_of(event).into_iter().any(is_outside),
            _ => false,
        }
    }

    /// Adds a way on which a handler for all exceptions takes what was raised, and the function goes on to an end that
    /// loses the resource. The handler is of a `try` that the acquisition is in as well: where that fails there is nothing
    /// to release, and where something fails after it there is.
    fn add_swallowed(&self, seen: &Seen, state: State, ways: &mut Ways) {
        if state.2 == By::Passing || state.2 != By::TimeOut && !self.is_swallowed(seen, state) {
            return;
        }
        let at = self.raising_event(seen, state).filter(|at| self.is_credible(seen, state, *at));
        let found = match state.2 {
            By::TimeOut => &mut ways.by_time_out,
            By::Guess => &mut ways.by_guess,
            _ => &mut ways.by_exception,
        };
        *found = found.or(at);
    }

    fn first_event(&self) -> Option<EventId> {
        match self.flow.step(self.start) {
            Step::Event(event) => Some(event),
            _ => None,
        }
    }

    fn after(&self, event: EventId, mask: u8, ways: &mut Ways) -> After {
        let used = if self.uses.contains_key(&event) { self.use_at(event, mask) } else { Use::Nothing };
        match used {
            Use::Released => {
                ways.released = ways.released.or(Some(event));
                return After::Done;
            }
            Use::HandedOn if !self.lending.contains(&event) => {
                ways.handed_on = ways.handed_on.or(Some(event));
                return After::Done;
            }
            Use::HandedOn | Use::Nothing => {}
        }
        let (target, value) = match self.facts.event(event).kind {
            EventKind::Raise { exception, .. } if self.is_exit(exception) => return After::Done,
            EventKind::Bind { target, value } => (target, value),
            EventKind::BindManager { target, manager } if self.resource.with_keeps => (target, manager),
            EventKind::BindElement { target, .. }
            | EventKind::BindManager { target, .. }
            | EventKind::BindException { target, .. }
            | EventKind::Delete { target } => (target, NOTHING),
            _ => return After::Holds(mask),
        };
        let Some(bit) = self.places.iter().position(|place| *place == target) else { return After::Holds(mask) };
        let is_held = |id: ExprId| self.is_held(id, mask);
        let is_wrapped = self.wrappers & (1 << bit) != 0
            && matches!(self.facts.expr(value), Expr::Call(call)
                if self.lending.contains(&self.facts.call(call).event));
        let is_alias = is_wrapped || self.program.carries(self.scope.expr(value), self.resource, &is_held);
        let after = if is_alias { mask | 1 << bit } else { mask & !(1 << bit) };
        if after & !self.wrappers == 0 {
            return After::Lost(LostAt::Overwritten(EventRef::new(self.function.module, event)));
        }
        After::Holds(after)
    }

    /// `raise SystemExit(1)`: the process ends. `raise AssertionError`: nobody expects to come here.
    fn is_exit(&self, exception: ExprId) -> bool {
        let raised = match self.facts.expr(exception) {
            Expr::Call(call) => self.facts.call(call).callee,
            _ => exception,
        };
        matches!(self.facts.expr(raised), Expr::Name(name) if matches!(name.as_str(), "SystemExit" | "KeyboardInterrupt" | "AssertionError" | "NotImplementedError"))
    }

    /// A `with` on a place that holds the resource, and that releases it.
    fn is_managed(&self, context: ContextId, mask: u8) -> bool {
        match self.facts.context(context).kind {
            ContextKind::With { manager, .. } => {
                self.is_held(manager, mask) && (is_released_by_with(self.resource) || !self.resource.with_keeps)
            }
            _ => false,
        }
    }

    fn event_in(&self, context: ContextId) -> Option<EventId> {
        let opened = self.facts.context(context).opened;
        self.facts.events.get(opened.index()).map(|_| opened)
    }
}

/// How many contexts up a release is looked for in an arm.
const DEEPEST: usize = 32;

fn local_name(facts: &FileFacts, place: ExprId) -> Option<Name> {
    match facts.expr(place) {
        Expr::Name(name) => Some(name),
        _ => None,
    }
}

fn mask_of(places: &[ExprId], is_wanted: impl Fn(ExprId) -> bool) -> u8 {
    places.iter().enumerate().filter(|(_, place)| is_wanted(**place)).fold(0, |mask, (bit, _)| mask | 1 << bit)
}

enum After {
    /// These places hold it.
    Holds(u8),
    Done,
    Lost(LostAt),
}
