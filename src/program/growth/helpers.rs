//! Entries that a helper adds and another one takes out: `waiter = self._register()`, a wait, `self._unregister(waiter)`.
//!
//! What a wait can skip is asked of the function that waits, and who adds for it is told by what it is given or gives
//! back: a parameter that it puts into a container, or what it puts there and returns. Such a function has a handle of
//! the entry, and only who has a handle can take the entry out.

use rayon::prelude::*;

use super::exits::{Entry, Raised, Skipped, SkippedKind, Wait, called_name, waited_with_limit};
use super::*;
use crate::facts::{Call, EventId};
use crate::program::ModuleId;

/// A function that adds what it is given, or what it gives back.
struct Helper {
    /// Of a place that is known.
    operation: Operation,
    function: FunctionRef,
    /// What is added is a parameter.
    parameter: Option<Name>,
    /// What is returned is the entry, its key, or a function that takes it out.
    gives_handle: bool,
}

/// The entries that stay when a wait behind the call of a helper fails, by the module of the call.
#[derive(Default)]
pub struct SkippedAfterHelpers {
    by_module: Vec<Vec<(Place, Skipped)>>,
}

/// How many calls of a helper are looked at.
const MOST_CALLS: usize = 64;

impl SkippedAfterHelpers {
    /// A helper of one module may be called in any other, so they are looked for once and by all threads, when everything
    /// else is linked.
    pub fn of(program: &Program) -> SkippedAfterHelpers {
        let found: Vec<(Place, Skipped)> = (program.par_modules())
            .flat_map_iter(|module| program.operations.in_module(module))
            .filter_map(|operation| program.adding_helper(*operation))
            .flat_map_iter(|helper| program.skipped_by(&helper))
            .collect();
        let mut by_module: Vec<Vec<(Place, Skipped)>> = program.module_ids().map(|_| Vec::new()).collect();
        for (place, skipped) in found {
            by_module[skipped.growth.touch.event().module.0 as usize].push((place, skipped));
        }
        by_module.iter_mut().for_each(|found| found.sort_by_key(|(_, skipped)| skipped.growth.touch.event()));
        SkippedAfterHelpers { by_module }
    }
}

impl Program<'_> {
    /// The entries that functions of a module leave behind which others add for them, in source order.
    pub(super) fn skipped_after_helpers(&self, module: ModuleId) -> &[(Place, Skipped)] {
        self.skipped_after_helpers.by_module.get(module.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// `self._waiting.append(waiter)` in a function that was given `waiter` or returns it.
    fn adding_helper(&self, operation: Operation) -> Option<Helper> {
        let adds = matches!(operation.kind, OperationKind::Append | OperationKind::Add | OperationKind::Store);
        if !adds || operation.level > 1 || self.is_test(operation.event.module) {
            return None;
        }
        let function = self.event_function(operation.event)?;
        if self.function(function).name == self.words.init || self.outermost_function(function) != function {
            return None;
        }
        let place = match operation.place {
            Place::Unresolved(name) if name.as_str().starts_with('_') => {
                self.instance_place(self.only_class_with(name)?, name)
            }
            place => place,
        };
        if !matches!(place, Place::Instance(..)) && !self.is_shared(place) {
            return None;
        }
        let names = self.names_of(function.module, &[operation.key, operation.value]);
        let scope = self.function_scope(function);
        let parameter = names
            .iter()
            .copied()
            .find(|name| self.is_parameter(scope, *name) && self.receiver_named(scope, *name).is_none());
        let gives_handle = self.gives_handle(function, place, &names);
        let operation = Operation { place, ..operation };
        (parameter.is_some() || gives_handle).then_some(Helper { operation, function, parameter, gives_handle })
    }

    /// The variables that expressions are made of: `waiter`, `(waiter, error)`, `cast(Handler, waiter)`.
    pub(super) fn names_of(&self, module: ModuleId, exprs: &[ExprId]) -> Vec<Name> {
        let facts = self.facts(module);
        let mut rest = exprs.to_vec();
        let mut names = Vec::new();
        while let Some(expr) = rest.pop() {
            match facts.expr(expr) {
                Expr::Name(name) => names.push(name),
                Expr::Display(_, run) => rest.extend(facts.list(run)),
                Expr::Call(call) if called_name(facts, expr).is_some_and(|name| name.as_str() == "cast") => {
                    rest.extend(facts.arguments(facts.call(call)).get(1));
                }
                _ => {}
            }
        }
        names
    }

    /// The function returns what is added, or a nested function that takes it out.
    fn gives_handle(&self, function: FunctionRef, place: Place, added: &[Name]) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        facts.scope_events(scope.id).any(|(_, event)| {
            let EventKind::Return(value) = event.kind else { return false };
            let is_undoing = |name: Name| match self.resolve_name(scope, name) {
                Definition::Function(nested) => self.operations.on(place).any(|operation| {
                    operation.kind.is_shrink() && self.event_function(operation.event) == Some(nested)
                }),
                _ => false,
            };
            value != NOTHING
                && self
                    .names_of(function.module, &[value])
                    .into_iter()
                    .any(|name| added.contains(&name) || is_undoing(name))
        })
    }

    fn skipped_by(&self, helper: &Helper) -> Vec<(Place, Skipped)> {
        let mut found = Vec::new();
        if !self.may_lose_one(helper.operation.place) {
            return found;
        }
        let sites = self.callers(helper.function);
        let mut entry = None;
        for site in sites.iter().filter(|site| site.is_certain && !self.is_test(site.module)).take(MOST_CALLS) {
            let Some(waiting) = self.waiting_behind(helper, *site) else { continue };
            // What becomes of entries is a dearer question than whether anybody waits.
            let find = || self.entry(helper.operation, self.growth_of_own(helper));
            let Some(entry) = entry.get_or_insert_with(find) else { break };
            found.extend(
                self.skipped_at(helper, *site, &waiting, entry).map(|skipped| (helper.operation.place, skipped)),
            );
        }
        found
    }

    /// The function around a call of a helper, where it waits behind it.
    fn waiting_behind(&self, helper: &Helper, site: CallSite) -> Option<Waiting> {
        let function = self.event_function(site.event)?;
        if function == helper.function {
            return None;
        }
        let facts = self.facts(site.module);
        let handles = self.handles(helper, site);
        let call = facts.call(site.call).expr;
        let is_async = self.function(function).is_async;
        if handles.is_empty() && !is_async {
            return None;
        }
        let wait = if is_async {
            // A helper that itself waits only before it adds leaves nothing when it fails.
            let waits = self.wait_after_but(helper.operation.event, NOTHING).is_some();
            self.wait_after_but(site.event, if waits { NOTHING } else { call })?
        } else {
            self.limited_wait_after(site.event, &|waited| {
                let mut root = waited;
                while let Expr::Attribute(base, _) = facts.expr(root) {
                    root = base;
                }
                matches!(facts.expr(root), Expr::Name(name)
                    if handles.contains(&name) || self.is_seen_by_handle(function, &handles, name))
            })?
        };
        // Who has no handle of the entry can only wait for the call itself.
        let has_handle = !handles.is_empty() || waited_with_limit(facts, wait.event) == Some(call);
        has_handle.then_some(Waiting { function, is_async, handles, wait })
    }

    /// `done` where the handle is a nested function that uses it: `def on_reply(reply): done.set()`.
    fn is_seen_by_handle(&self, function: FunctionRef, handles: &[Name], name: Name) -> bool {
        let scope = self.function_scope(function);
        handles.iter().any(|handle| match self.resolve_name(scope, *handle) {
            Definition::Function(nested) => self.captures(nested).contains(&(scope, name)),
            _ => false,
        })
    }

    /// The variables by which the caller of a helper has the entry.
    fn handles(&self, helper: &Helper, site: CallSite) -> Vec<Name> {
        let facts = self.facts(site.module);
        let scope = self.event_scope(site.event);
        let mut handles = Vec::new();
        if helper.gives_handle {
            let made = facts.call(site.call).expr;
            let gives = |value: ExprId| match facts.expr(value) {
                Expr::Element(whole) | Expr::Await(whole) => whole == made,
                _ => value == made,
            };
            handles.extend(facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
                EventKind::Bind { target, value } if gives(value) => match facts.expr(target) {
                    Expr::Name(name) => Some(name),
                    _ => None,
                },
                _ => None,
            }));
        }
        let given = helper.parameter.and_then(|parameter| self.argument_for(site, helper.function, parameter));
        if let Some(Expr::Name(name)) = given.map(|given| self.expr(given))
            && self.is_fresh(scope, name)
        {
            handles.push(name);
        }
        handles
    }

    /// A nested function, or a variable that is bound to what calls give: each call of the function has another.
    pub(super) fn is_fresh(&self, scope: ScopeRef, name: Name) -> bool {
        match self.resolve_name(scope, name) {
            Definition::Function(function) => self.enclosing_function(self.defining_scope(function)).is_some(),
            Definition::Variable(holder, name) => {
                let (values, is_all) = self.bound_values(holder, name);
                let is_made = |value: &ExprRef| matches!(self.expr(*value), Expr::Call(_) | Expr::Lambda(_));
                is_all
                    && self.enclosing_function(holder).is_some()
                    && !self.is_parameter(holder, name)
                    && !values.is_empty()
                    && values.iter().all(|(_, value)| is_made(value))
            }
            _ => false,
        }
    }

    fn skipped_at(&self, helper: &Helper, site: CallSite, waiting: &Waiting, entry: &Entry) -> Option<Skipped> {
        let (function, wait) = (waiting.function, waiting.wait);
        let removers: Vec<FunctionRef> =
            entry.removals.iter().filter_map(|removal| self.event_function(removal.event)).collect();
        if self.is_handed_on(waiting, site, &removers) {
            return None;
        }
        let raised = if waiting.is_async { Raised::Cancellation } else { Raised::Error };
        let is_cleaned_up = |raised| self.is_cleaned_up(function, helper.operation, wait, &entry.removals, raised);
        if is_cleaned_up(raised) {
            return None;
        }
        let own = self.own_removals(waiting, site, entry, &removers);
        let (kind, removal) = match own.first() {
            Some(first) if first.id > wait.event.id && self.are_of_own_kind(helper, waiting, entry) => {
                let is_caught = waiting.is_async && is_cleaned_up(Raised::Error);
                (if is_caught { SkippedKind::Cancelled } else { SkippedKind::Own }, *first)
            }
            Some(_) => return None,
            None => (SkippedKind::TimedOut, self.removed_by_others(helper, site, waiting, entry)?),
        };
        let place = helper.operation.place;
        let mut growth = entry.growth.clone();
        growth.touch.through = Some(site);
        growth.repetition = self.repetition_of_entry(place, site.event);
        if !growth.domain.is_open() && self.is_given_anew(helper, site) {
            growth.domain = made_anew();
        }
        (growth.repetition.frequency >= Frequency::Presumed).then_some(Skipped {
            holder: entry.holder,
            growth,
            wait: wait.event,
            removal,
            kind,
        })
    }

    /// What a helper adds to a list or set is what it makes or is given, whatever the words for it say. Of a table the
    /// key decides.
    fn growth_of_own(&self, helper: &Helper) -> Option<Growth> {
        let operation = helper.operation;
        let scope = self.function_scope(helper.function);
        let is_keyed = !matches!(operation.kind, OperationKind::Append | OperationKind::Add);
        if is_keyed || self.is_length_guarded(operation.place, operation.level, operation.event) {
            return None;
        }
        let mut added = self.names_of(scope.module, &[operation.value]).into_iter();
        let is_made = added.any(|name| self.is_fresh(scope, name));
        Some(Growth {
            touch: Touch { operation, through: None },
            repetition: Repetition::plain(Frequency::Never),
            domain: if is_made { made_anew() } else { Domain::Unknown },
            is_append: operation.kind == OperationKind::Append,
            is_conditional: self.is_conditional(operation.event),
            is_per_instance: false,
            stores_parameter: helper.parameter.is_some(),
            is_memo: false,
            sibling: None,
            defeat: None,
        })
    }

    /// The call of a helper gives it what no other call has: a nested function, or what was just made.
    fn is_given_anew(&self, helper: &Helper, site: CallSite) -> bool {
        let is_keyed = helper.operation.kind == OperationKind::Store;
        let given = helper.parameter.and_then(|parameter| self.argument_for(site, helper.function, parameter));
        given.filter(|_| !is_keyed).is_some_and(|given| match self.expr(given) {
            Expr::Lambda(_) => true,
            Expr::Name(name) => self.is_fresh(given.scope, name),
            _ => false,
        })
    }

    /// Where the function that waits takes its entry out: by itself, or by handing its handle to what does.
    fn own_removals(
        &self,
        waiting: &Waiting,
        site: CallSite,
        entry: &Entry,
        removers: &[FunctionRef],
    ) -> Vec<EventRef> {
        let module = waiting.function.module;
        let facts = self.facts(module);
        let is_handle = |expr: ExprId| matches!(facts.expr(expr), Expr::Name(name) if waiting.handles.contains(&name));
        let takes_out = |id: EventId, kind: EventKind| {
            let event = EventRef::new(module, id);
            let is_direct = entry.removals.iter().any(|removal| {
                let taken = || self.names_of(waiting.function.module, &[removal.key]);
                removal.event == event && taken().iter().any(|name| waiting.handles.contains(name))
            });
            match kind {
                _ if is_direct => true,
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    // `unsubscribe()`
                    is_handle(call.callee)
                        || facts.all_arguments(call).any(is_handle) && self.calls_one_of(event, removers, 1)
                }
                _ => false,
            }
        };
        facts
            .scope_events(self.function_scope(waiting.function).id)
            .filter(|(id, event)| *id > site.event.id && takes_out(*id, event.kind))
            .map(|(id, _)| EventRef::new(module, id))
            .collect()
    }

    /// Nobody else takes out what this function takes out itself: others are given theirs, or empty the whole.
    fn are_of_own_kind(&self, helper: &Helper, waiting: &Waiting, entry: &Entry) -> bool {
        entry.removals.iter().all(|removal| {
            let function = self.event_function(removal.event);
            let is_nested = function.is_some_and(|function| self.outermost_function(function) == helper.function);
            is_nested && helper.gives_handle
                || function == Some(waiting.function)
                || self.empties(*removal)
                || self.takes_what_it_is_given(*removal)
                || self.takes_what_it_added(*removal)
        })
    }

    /// `self._waiting.remove(waiter)` with a `waiter` that the function is given, and not by who goes through all of them.
    pub(super) fn takes_what_it_is_given(&self, removal: Operation) -> bool {
        let Some(function) = self.event_function(removal.event) else { return false };
        let scope = self.event_scope(removal.event);
        let names = self.names_of(function.module, &[removal.key]);
        let parameters: Vec<(ScopeRef, Name)> = names
            .into_iter()
            .filter_map(|name| Some((self.holding_scope(scope, name)?, name)))
            .filter(|(holder, name)| self.is_parameter(*holder, *name))
            .collect();
        // A key may be told to anybody, an object is only with those who have it.
        removal.kind == OperationKind::Remove
            && !parameters.is_empty()
            && self.callers(function).iter().filter(|site| !self.is_test(site.module)).all(|site| {
                let scope = self.event_scope(site.event);
                let facts = self.facts(site.module);
                facts.all_arguments(facts.call(site.call)).all(|argument| match facts.expr(argument) {
                    Expr::Name(name) => !self.is_element(scope, name),
                    _ => true,
                })
            })
    }

    /// Bound by a loop.
    fn is_element(&self, scope: ScopeRef, name: Name) -> bool {
        let Some(holder) = self.holding_scope(scope, name) else { return false };
        let module = self.module(holder.module);
        module
            .bindings_of(holder.id, name)
            .any(|event| matches!(module.facts().event(event).kind, EventKind::BindElement { .. }))
    }

    /// The function of a removal adds the same before.
    fn takes_what_it_added(&self, removal: Operation) -> bool {
        let Some(function) = self.event_function(removal.event) else { return false };
        let taken = self.names_of(function.module, &[removal.key]);
        let scope = self.function_scope(function);
        taken.iter().any(|name| self.is_fresh(scope, *name))
            && self.operations.in_module(function.module).any(|operation| {
                operation.place == removal.place
                    && operation.kind.is_growth()
                    && self.event_function(operation.event) == Some(function)
                    && self
                        .names_of(function.module, &[operation.key, operation.value])
                        .iter()
                        .any(|name| taken.contains(name))
            })
    }

    /// Empties the container, whatever is in it, at no time that has to do with one entry.
    pub(super) fn empties(&self, removal: Operation) -> bool {
        let is_whole = matches!(removal.kind, OperationKind::Clear | OperationKind::Rebind);
        let goes_through = |function| is_whole && self.goes_through(function, removal.place);
        self.event_function(removal.event).is_some_and(goes_through) || self.fails_all(removal)
    }

    /// `while tasks: task = tasks.pop()`
    fn takes_each(&self, removal: Operation) -> bool {
        let facts = self.facts(removal.event.module);
        removal.kind == OperationKind::Pop
            && removal.key == NOTHING
            && facts
                .contexts_around(facts.event(removal.event.id).context)
                .any(|context| matches!(context.kind, ContextKind::While(_)))
    }

    /// The variable is bound to what a call takes out.
    fn is_given_by(&self, scope: ScopeRef, name: Name, removal: EventRef) -> bool {
        let EventKind::Call(call) = self.facts(removal.module).event(removal.id).kind else { return false };
        let bound = self.holding_scope(scope, name).map(|holder| self.bound_values(holder, name).0);
        bound.is_some_and(|values| values.iter().any(|(_, value)| self.expr(*value) == Expr::Call(call)))
    }

    /// `for waiter in self._waiting: waiter.set_exception(…)`, and then the container is emptied: nothing will come any
    /// more.
    pub(super) fn fails_all(&self, removal: Operation) -> bool {
        let is_whole = matches!(removal.kind, OperationKind::Clear | OperationKind::Rebind);
        let is_each = self.takes_each(removal);
        let Some(function) = self.event_function(removal.event).filter(|_| is_whole || is_each) else { return false };
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let is_member = |name: Name| match is_each {
            true => self.is_given_by(scope, name, removal.event),
            false => self.iterates_over(scope, name, removal.place),
        };
        let fails = |kind: EventKind| {
            let EventKind::Call(call) = kind else { return false };
            let Expr::Attribute(base, method) = facts.expr(facts.call(call).callee) else { return false };
            matches!(method.as_str(), "set_exception" | "cancel")
                && matches!(facts.expr(base), Expr::Name(name) if is_member(name))
        };
        vocabulary::is_failing_name(self.function(function).name.as_str())
            || facts.scope_events(scope.id).any(|(_, event)| fails(event.kind))
    }

    /// Others take it out when what is waited for has come: the wait is for the entry itself, with a limit of time.
    fn removed_by_others(&self, helper: &Helper, site: CallSite, waiting: &Waiting, entry: &Entry) -> Option<EventRef> {
        let mut by_key = entry.removals.iter().filter(|removal| !self.fails_all(**removal)).peekable();
        let first = by_key.peek()?.event;
        let level = helper.operation.level;
        let is_outside = |removal: &Operation| {
            self.event_function(removal.event)
                .is_some_and(|function| self.outermost_function(function) != helper.function)
        };
        if !by_key.all(|removal| self.takes_one(*removal, level) && is_outside(removal)) {
            return None;
        }
        if waiting.is_async {
            let facts = self.facts(site.module);
            let limited = waited_with_limit(facts, waiting.wait.event)?;
            let is_given_back = limited == facts.call(site.call).expr && self.gives_value(helper);
            let is_handle =
                |expr: ExprId| matches!(facts.expr(expr), Expr::Name(name) if waiting.handles.contains(&name));
            let is_waited = match facts.expr(limited) {
                // `wait_for(entry.wait(), 10)`
                Expr::Call(call) => {
                    matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, _) if is_handle(base))
                }
                _ => is_handle(limited),
            };
            if !is_given_back && !is_waited {
                return None;
            }
        }
        Some(first)
    }

    /// What is returned is what is added, and not its key.
    fn gives_value(&self, helper: &Helper) -> bool {
        let facts = self.facts(helper.function.module);
        let value = helper.operation.value;
        facts.scope_events(self.function_scope(helper.function).id).any(
            |(_, event)| matches!(event.kind, EventKind::Return(returned) if returned == value && value != NOTHING),
        )
    }

    /// The handle goes to somebody who may take the entry out later: it is stored or returned, or handed on with a
    /// function, or its own callback does it.
    fn is_handed_on(&self, waiting: &Waiting, site: CallSite, removers: &[FunctionRef]) -> bool {
        let module = waiting.function.module;
        let facts = self.facts(module);
        let scope = self.function_scope(waiting.function);
        let is_handle = |expr: ExprId| matches!(facts.expr(expr), Expr::Name(name) if waiting.handles.contains(&name));
        let is_callable = |expr: ExprId| match facts.expr(expr) {
            Expr::Lambda(_) => true,
            Expr::Attribute(..) => self.bound_method(scope.expr(expr)).is_some(),
            Expr::Name(name) => matches!(self.resolve_name(scope, name), Definition::Function(_)),
            _ => false,
        };
        let hands_on = |call: &Call| {
            let by_callback = matches!(facts.expr(call.callee), Expr::Attribute(base, method) if is_handle(base) && method.as_str() == "add_done_callback");
            by_callback
                || facts.all_arguments(call).any(is_handle)
                    && facts.all_arguments(call).any(|argument| !is_handle(argument) && is_callable(argument))
        };
        let by_event = facts.scope_events(scope.id).any(|(id, event)| match event.kind {
            EventKind::Call(call) => id != site.event.id && hands_on(facts.call(call)),
            EventKind::Bind { target, value } => is_handle(value) && !matches!(facts.expr(target), Expr::Name(_)),
            _ => false,
        });
        let outer = self.outermost_function(waiting.function);
        let is_inside = |event: EventRef| {
            let inside = self.event_function(event);
            inside != Some(waiting.function) && inside.map(|inside| self.outermost_function(inside)) == Some(outer)
        };
        by_event || removers.iter().any(|remover| self.callers(*remover).iter().any(|caller| is_inside(caller.event)))
    }
}

pub(super) fn made_anew() -> Domain {
    Domain::Open(Name::new("one that each call makes"))
}

/// A function that waits after it has called a helper.
struct Waiting {
    function: FunctionRef,
    is_async: bool,
    handles: Vec<Name>,
    wait: Wait,
}
