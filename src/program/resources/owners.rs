//! What objects acquire and keep on themselves, and whether any of their methods lets it go.
//!
//! The whole family counts: a base may acquire what a subclass releases. Whatever else is done with the attribute than
//! using it (an alias, a return, an unknown callee) is presumed to release it.

use std::sync::LazyLock;

use super::super::names::Definition;
use super::super::types::last_part;
use super::super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef, vocabulary};
use super::uses::{Use, is_releasing_method};
use super::{Acquisition, parts_of};
use crate::facts::{CallId, Constant, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, NOTHING, ScopeKind};
use crate::models::{Lost, Resource};
use crate::source::{Name, NameSet, Span};

/// An attribute in which instances keep a resource that none of their methods releases.
#[derive(Clone, Debug)]
pub struct UnreleasedAttribute {
    pub class: ClassRef,
    pub attribute: Name,
    pub acquisition: Acquisition,
    pub stored: EventRef,
    /// The method that ends the object's life and leaves the resource.
    pub ends: Option<FunctionRef>,
    /// A base outside of the project may know more.
    pub has_foreign_base: bool,
    pub how: Kept,
}

/// Why what an attribute holds is not released.
#[derive(Clone, Copy, Debug)]
pub enum Kept {
    /// Nothing releases it.
    Always,
    /// What releases it does so only where a flag is set.
    UnderFlag { flag: Name, release: EventRef, set: EventRef },
    /// A method stores another in its place.
    Overwritten { by: FunctionRef, held: EventRef },
    /// The method that releases it is overridden by one that does not call it.
    Overridden { release: EventRef },
}

/// Methods that end an object's life, the most telling first.
pub(super) const ENDS: [&str; 17] = [
    "close",
    "aclose",
    "shutdown",
    "stop",
    "terminate",
    "__exit__",
    "__aexit__",
    "cleanup",
    "clean_up",
    "dispose",
    "destroy",
    "teardown",
    "finalize",
    "disconnect",
    "_close",
    "quit",
    "__del__",
];

/// The same, interned once: many classes are asked for them.
pub(super) static END_NAMES: LazyLock<[Name; 17]> = LazyLock::new(|| ENDS.map(Name::new));

/// Bases that release nothing.
pub(super) const INNOCENT_BASES: [&str; 10] = [
    "object",
    "abc.ABC",
    "typing.Generic",
    "typing.Protocol",
    "threading.Thread",
    "Exception",
    "collections.abc.Iterator",
    "collections.abc.Mapping",
    "dict",
    "list",
];

impl Program<'_> {
    /// The attributes of a module's classes that keep what nothing releases.
    pub fn unreleased_attributes(&self, module: ModuleId) -> Vec<UnreleasedAttribute> {
        let mut found: Vec<UnreleasedAttribute> = Vec::new();
        let workers = self.resources.workers.made_in(module);
        for acquisition in self.acquisitions(module).iter().chain(workers).copied() {
            let Some(resource) = self.resource_of(&acquisition).filter(|resource| !resource.of_receiver) else {
                continue;
            };
            if self.is_work_of_process(acquisition.function) {
                continue;
            }
            let stores = self.stored_results(&acquisition, resource);
            let why_kept = |(_, class, attribute): &(EventRef, ClassRef, Name)| match self
                .is_attribute_released(*class, *attribute, resource)
            {
                false => Some(Kept::Always),
                true => self.released_under_flag(&acquisition, *class, *attribute, resource),
            };
            found.extend(self.overridden_ends(&acquisition, resource, &stores));
            let kept: Vec<_> = stores.iter().filter_map(|store| Some((*store, why_kept(store)?))).collect();
            // One attribute says what is used and another what is owned: one resource, which either may release. Where one
            // has them all, `self.ends`, it may release them all.
            let is_whole = |(stored, ..): &(EventRef, ClassRef, Name)| {
                self.stored_value(*stored).is_some_and(|value| self.is_result(value, acquisition.call))
            };
            let is_told_by_another = kept.len() < stores.len()
                && (acquisition.elements(resource).len() <= 1
                    || stores.iter().any(|store| is_whole(store) && why_kept(store).is_none()));
            if is_told_by_another {
                found.extend(self.overwritten_attribute(&acquisition));
                continue;
            }
            for ((stored, class, attribute), how) in kept {
                // Both ends of a pipe are mostly forgotten together: one finding tells it.
                let is_told = |known: &UnreleasedAttribute| {
                    known.acquisition.event == acquisition.event
                        || (known.class == class && known.attribute == attribute)
                };
                if found.iter().any(is_told) {
                    continue;
                }
                let ends = self.ending_method(class);
                // What has no end runs as long as the process, and what runs on a loop cannot close it.
                if resource.is_lent && ends.is_none_or(|ends| self.function(ends).is_async) {
                    continue;
                }
                if resource.ends_itself && ends.is_some_and(|ends| self.forgets(class, ends, attribute, CALLS)) {
                    continue;
                }
                // What works may be meant to do so for as long, and to be ended by who derives from the class.
                let is_ended_here = ends.is_some_and(|ends| ends.module == class.module);
                if acquisition.works() && !(is_ended_here && self.is_left_working(&acquisition, class, attribute)) {
                    continue;
                }
                let has_foreign_base = self.has_foreign_base(class);
                found.push(UnreleasedAttribute { class, attribute, acquisition, stored, ends, has_foreign_base, how });
            }
        }
        found.extend(self.abandoned_tasks_of_others(module));
        found
    }

    /// The `run` of a process: it ends with the process, and whoever started that has another object.
    fn is_work_of_process(&self, function: FunctionRef) -> bool {
        self.function(function).name.as_str() == "run"
            && self.class_of_method(function).is_some_and(|class| {
                let mut bases = self.external_bases(class).iter();
                bases.any(|base| base.as_str().starts_with("multiprocessing.") && last_part(base.as_str()) == "Process")
            })
    }

    /// Subclasses of what keeps a resource whose `close` takes the place of the one that releases it: where that is the only
    /// release, it never comes to it.
    fn overridden_ends(
        &self,
        acquisition: &Acquisition,
        resource: &Resource,
        stores: &[(EventRef, ClassRef, Name)],
    ) -> Vec<UnreleasedAttribute> {
        let [(stored, base, attribute)] = *stores else { return Vec::new() };
        let init = self.words.init;
        if acquisition.works()
            || self.method(base, init) != Some(acquisition.function)
            || self.endings.from_outside.contains(&attribute)
        {
            return Vec::new();
        }
        let Some(releases) = self.releases_in(base, attribute, resource).collect::<Option<Vec<EventRef>>>() else {
            return Vec::new();
        };
        let Some(release) = releases.first().copied() else { return Vec::new() };
        let Some(releasing) = self.event_function(release) else { return Vec::new() };
        if releases.iter().any(|other| self.event_function(*other) != Some(releasing)) {
            return Vec::new();
        }
        let name = self.function(releasing).name;
        if !ENDS.contains(&name.as_str()) || self.method(base, name) != Some(releasing) {
            return Vec::new();
        }
        let overridden = |class: ClassRef| {
            let ends = self.method(class, name).filter(|ends| *ends != releasing && self.does_something(*ends))?;
            let made_by = self.method(class, init)?;
            let is_made_alike = made_by == acquisition.function || self.calls_super(made_by);
            let is_released = || {
                let members = self.mro(class).iter().chain(self.subclasses(class)).filter(|member| **member != base);
                members.copied().any(|member| self.releases_attribute(member, attribute, resource))
            };
            let is_lost = is_made_alike
                && !self.calls_super(ends)
                && !self.method_releases(class, ends, attribute, resource, CALLS)
                && !self.has_foreign_base(class)
                && !is_released();
            is_lost.then_some(UnreleasedAttribute {
                class,
                attribute,
                acquisition: *acquisition,
                stored,
                ends: Some(ends),
                has_foreign_base: false,
                how: Kept::Overridden { release },
            })
        };
        self.subclasses(base).iter().take(MOST_CLASSES).filter_map(|class| overridden(*class)).take(1).collect()
    }

    /// Whether a method asks its base to do the same: `super().close()`, `Base.close(self)`.
    fn calls_super(&self, method: FunctionRef) -> bool {
        let facts = self.facts(method.module);
        let scope = self.function_scope(method);
        let receiver = self.receiver(method).map(|receiver| receiver.name);
        facts.scope_events(scope.id).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let called = facts.call(call);
            let is_super = matches!(facts.expr(called.callee), Expr::Name(name) if name.as_str() == "super");
            let is_given_self = facts
                .arguments(called)
                .first()
                .is_some_and(|first| matches!(facts.expr(*first), Expr::Name(name) if Some(name) == receiver));
            is_super || is_given_self
        })
    }

    /// Where the result of an acquisition is stored on the instance, directly or by way of a local name.
    pub(super) fn stored_results(
        &self,
        acquisition: &Acquisition,
        resource: &Resource,
    ) -> Vec<(EventRef, ClassRef, Name)> {
        let module = acquisition.event.module;
        let facts = self.facts(module);
        let scope = self.function_scope(acquisition.function);
        let is_local =
            |locals: &[Name], id: ExprId| matches!(facts.expr(id), Expr::Name(name) if locals.contains(&name));
        let mut locals: Vec<Name> = Vec::new();
        let mut stores = Vec::new();
        let mut element = 0;
        let mut is_shared = false;
        for (id, event) in facts.scope_events(scope.id).skip_while(|(id, _)| *id <= acquisition.event.id) {
            let (target, value) = match event.kind {
                EventKind::Bind { target, value } => (target, value),
                EventKind::Call(call) => {
                    let is_given =
                        |id: ExprId| is_local(&locals, id) || self.is_result(scope.expr(id), acquisition.call);
                    stores.extend(self.stored_by_base(EventRef::new(module, id), call, &is_given));
                    continue;
                }
                _ => continue,
            };
            let is_result = |id: ExprId| self.is_result(scope.expr(id), acquisition.call);
            let is_acquired = match facts.expr(value) {
                Expr::Element(whole) if self.is_result(scope.expr(whole), acquisition.call) => {
                    element += 1;
                    acquisition.elements(resource).contains(&(element - 1))
                }
                Expr::Name(_) => is_local(&locals, value),
                // `self.owned = client if is_own else None`
                Expr::Conditional(run) => facts.list(run).iter().skip(1).any(|arm| is_local(&locals, *arm)),
                // A tuple of descriptors is followed by its items.
                _ if acquisition.elements(resource).is_empty() => {
                    is_result(value) || self.is_itself(scope.expr(value), resource, &is_result)
                }
                _ => resource.lost == Lost::Stays && is_result(value),
            };
            match facts.expr(target) {
                Expr::Name(name) if is_acquired && self.is_own_local(scope, name) => {
                    // A name that is bound to other things too may hold one of these.
                    if self.module(module).bindings_of(scope.id, name).count() == 1 {
                        locals.push(name);
                    }
                }
                Expr::Attribute(base, attribute) if is_acquired => {
                    // A property keeps it under a name of its own.
                    if let Expr::Name(base) = facts.expr(base)
                        && let Some(receiver) = self.receiver_named(scope, base)
                        && !receiver.is_class
                        && !self.is_computed_attribute(receiver.class, attribute)
                    {
                        stores.push((EventRef::new(module, id), receiver.class, attribute));
                    } else {
                        is_shared = true;
                    }
                }
                // `self.stream = sys.stdout = open(path)`
                _ => is_shared |= is_acquired,
            }
        }
        if stores.is_empty() {
            return self.stored_by_decorator(acquisition, &locals).into_iter().collect();
        }
        // `self.block = block = acquire()`, and then `block.close()`
        let is_released = !locals.is_empty()
            && facts.scope_events(scope.id).any(|(id, _)| {
                self.use_of(EventRef::new(module, id), resource, &|id| is_local(&locals, id)) == Use::Released
            });
        if is_shared || is_released {
            stores.clear();
        }
        stores
    }

    /// `@cached_property def client(self): return Client()`, `@default("client")` of a trait: what the method gives is kept
    /// as an attribute from then on.
    fn stored_by_decorator(&self, acquisition: &Acquisition, locals: &[Name]) -> Option<(EventRef, ClassRef, Name)> {
        let function = acquisition.function;
        let class = self.class_of_method(function)?;
        let facts = self.facts(function.module);
        let name = self.function(function).name;
        let of_trait = |expr: ExprRef| {
            let Expr::Call(call) = self.expr(expr) else { return None };
            match facts.expr(*facts.arguments(facts.call(call)).first()?) {
                Expr::Constant(Constant::Word(attribute)) => Some(attribute),
                _ => None,
            }
        };
        let by_decorator = self.decorators(function).find_map(|(expr, meaning)| match meaning {
            Definition::External(path) if last_part(path.as_str()) == "cached_property" => Some(name),
            Definition::External(path) if path.as_str() == "traitlets.default" => of_trait(expr),
            _ => None,
        });
        // The older way of traits.
        let by_name = || {
            let attribute = name.as_str().strip_prefix('_')?.strip_suffix("_default")?;
            let has_traits = self.external_bases(class).iter().any(|base| base.as_str().starts_with("traitlets."));
            has_traits.then(|| Name::new(attribute))
        };
        let attribute = by_decorator.or_else(by_name)?;
        let scope = self.function_scope(function);
        facts.scope_events(scope.id).find_map(|(id, event)| {
            let EventKind::Return(value) = event.kind else { return None };
            let is_given = self.is_result(scope.expr(value), acquisition.call)
                || matches!(facts.expr(value), Expr::Name(name) if locals.contains(&name));
            is_given.then_some((EventRef::new(function.module, id), class, attribute))
        })
    }

    /// `super().__init__(connection)`: where the constructor of a base keeps what that of the class gives it.
    fn stored_by_base(
        &self,
        event: EventRef,
        call: CallId,
        is_given: &dyn Fn(ExprId) -> bool,
    ) -> Option<(EventRef, ClassRef, Name)> {
        let facts = self.facts(event.module);
        let scope = self.event_scope(event);
        let Expr::Attribute(_, called) = facts.expr(facts.call(call).callee) else { return None };
        let given = facts.all_arguments(facts.call(call)).find(|given| is_given(*given))?;
        if called != self.words.init {
            return None;
        }
        let class = self.class_of_method(self.enclosing_function(scope)?)?;
        let base = self.callee(scope, call).filter(|base| {
            self.class_of_method(*base).is_some_and(|owner| owner != class && self.mro(class).contains(&owner))
        })?;
        let parameter = self.parameter_for(self.call_site(event)?, base, scope.expr(given))?;
        let receiver = self.receiver(base)?.name;
        let facts = self.facts(base.module);
        facts.scope_events(self.function(base).scope).find_map(|(id, event)| {
            let EventKind::Bind { target, value } = event.kind else { return None };
            let Expr::Attribute(object, attribute) = facts.expr(target) else { return None };
            let is_kept = facts.expr(object) == Expr::Name(receiver) && facts.expr(value) == Expr::Name(parameter);
            is_kept.then_some((EventRef::new(base.module, id), class, attribute))
        })
    }

    /// Where a constructor keeps what it acquires, also if only under a condition: `self.out = open(path) if path else out`.
    pub(super) fn stored_by_constructor(
        &self,
        acquisition: &Acquisition,
        resource: &Resource,
    ) -> Option<(EventRef, ClassRef, Name)> {
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let is_arm = |value: ExprId| match facts.expr(value) {
            Expr::Conditional(run) => {
                facts.list(run).iter().skip(1).any(|arm| self.is_result(scope.expr(*arm), acquisition.call))
            }
            _ => false,
        };
        let under_condition = || {
            facts.scope_events(scope.id).find_map(|(id, event)| {
                let EventKind::Bind { target, value } = event.kind else { return None };
                let Expr::Attribute(base, attribute) = facts.expr(target) else { return None };
                let Expr::Name(base) = facts.expr(base) else { return None };
                let receiver = self.receiver_named(scope, base).filter(|receiver| !receiver.is_class)?;
                let event = EventRef::new(acquisition.event.module, id);
                is_arm(value).then_some((event, receiver.class, attribute))
            })
        };
        self.stored_results(acquisition, resource).first().copied().or_else(under_condition)
    }

    /// The method that ends the life of a class's instances, the most telling first.
    pub fn ending_method(&self, class: ClassRef) -> Option<FunctionRef> {
        let named =
            END_NAMES.iter().find_map(|name| self.method(class, *name).filter(|method| !self.ends_another(*method)));
        // A `with` whose end does nothing has one all the same.
        named.filter(|method| self.does_something(*method) || self.is_end_of_block(*method))
    }

    fn is_end_of_block(&self, method: FunctionRef) -> bool {
        matches!(self.function(method).name.as_str(), "__exit__" | "__aexit__")
    }

    /// `def disconnect(self, peer)`: what is given ends, for it is ended itself or taken out of where it was, or there would
    /// be no need to say which.
    fn ends_another(&self, method: FunctionRef) -> bool {
        let facts = self.facts(method.module);
        let parameters = facts.parameters(self.function(method)).iter().skip(1);
        let given: Vec<Name> = parameters.filter(|given| given.default == NOTHING).map(|given| given.name).collect();
        // What takes leave of one peer must be told which.
        let says_how =
            |name: &Name| matches!(name.as_str(), "reason" | "timeout" | "wait" | "force" | "code" | "message");
        if self.function(method).name.as_str() == "disconnect" && given.iter().any(|name| !says_how(name)) {
            return true;
        }
        let is_given = |id: ExprId| matches!(facts.expr(id), Expr::Name(name) if given.contains(&name));
        facts.scope_events(self.function(method).scope).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let call = facts.call(call);
            let Expr::Attribute(base, name) = facts.expr(call.callee) else { return false };
            (is_given(base) && vocabulary::is_ending_name(name.as_str()))
                || (matches!(name.as_str(), "remove" | "discard" | "pop")
                    && facts.arguments(call).first().is_some_and(|first| is_given(*first)))
        })
    }

    /// The methods that end an object's life and release an attribute, themselves or by another method.
    pub(super) fn releasing_methods(&self, class: ClassRef, attribute: Name, resource: &Resource) -> Vec<Name> {
        // What the resource itself is ended by may be called so on the object around it as well: `context.term()`.
        let of_resource = resource.released_by.iter().filter_map(|by| by.as_str().strip_prefix('.'));
        let of_resource = of_resource.filter(|name| !name.starts_with("__") && !ENDS.contains(name));
        let named = ENDS.iter().copied().chain(of_resource).map(Name::new);
        named
            .filter(|name| {
                let method = self.method(class, *name);
                method.is_some_and(|method| self.method_releases(class, method, attribute, resource, CALLS))
            })
            .collect()
    }

    fn method_releases(
        &self,
        class: ClassRef,
        method: FunctionRef,
        attribute: Name,
        resource: &Resource,
        calls: u32,
    ) -> bool {
        let facts = self.facts(method.module);
        let is_held = |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) if name == attribute);
        let scope = facts.function(method.id).scope;
        facts.scope_events(scope).any(|(id, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            if self.use_of(EventRef::new(method.module, id), resource, &is_held) != Use::Nothing {
                return true;
            }
            let Expr::Attribute(_, name) = facts.expr(facts.call(call).callee) else { return false };
            calls > 0
                && self.method(class, name).is_some_and(|other| {
                    other != method && self.method_releases(class, other, attribute, resource, calls - 1)
                })
        })
    }

    /// Whether a method, or one that it calls, gives an attribute up: `self.client = None`.
    fn forgets(&self, class: ClassRef, method: FunctionRef, attribute: Name, calls: u32) -> bool {
        let facts = self.facts(method.module);
        facts.scope_events(self.function(method).scope).any(|(_, event)| match event.kind {
            EventKind::Bind { target, value } => {
                matches!(facts.expr(target), Expr::Attribute(_, name) if name == attribute)
                    && facts.expr(value) == Expr::Constant(Constant::None)
            }
            EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(_, name) => {
                    let called = self.method(class, name).filter(|other| calls > 0 && *other != method);
                    called.is_some_and(|other| self.forgets(class, other, attribute, calls - 1))
                }
                _ => false,
            },
            _ => false,
        })
    }

    fn is_attribute_released(&self, class: ClassRef, attribute: Name, resource: &Resource) -> bool {
        let mut family: Vec<ClassRef> = self.mro(class).to_vec();
        for subclass in self.subclasses(class) {
            family.extend(self.mro(*subclass).iter().filter(|member| **member != class));
        }
        family.dedup();
        family.iter().take(MOST_CLASSES).any(|member| self.releases_attribute(*member, attribute, resource))
            || family.len() > MOST_CLASSES
            || self.endings.from_outside.contains(&attribute)
    }

    /// Whether some code in a class's body releases an attribute, or does with it what might.
    fn releases_attribute(&self, class: ClassRef, attribute: Name, resource: &Resource) -> bool {
        self.releases_in(class, attribute, resource).next().is_some()
    }

    /// What releases an attribute in a class's body, or does with it what might: events, and statements that are none.
    pub(super) fn releases_in<'a>(
        &'a self,
        class: ClassRef,
        attribute: Name,
        resource: &'a Resource,
    ) -> impl Iterator<Item = Option<EventRef>> + 'a {
        let facts = self.facts(class.module);
        let body = facts.class(class.id).span;
        let is_attribute = move |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) if name == attribute);
        let is_held = move |id: ExprId| match facts.expr(id) {
            Expr::Subscript(whole, _) | Expr::Element(whole) if !resource.elements.is_empty() => is_attribute(whole),
            _ => is_attribute(id),
        };
        let inside = facts.events.iter().enumerate().filter(move |(_, event)| body.contains(event.span));
        let by_events = inside.filter_map(move |(id, event)| {
            let id = EventRef::new(class.module, EventId(id as u32));
            let scope = self.event_scope(id);
            let carried = |value: ExprId| self.carries(scope.expr(value), resource, &is_held);
            let is_release = match event.kind {
                EventKind::Call(call) if runs_until_stopped(facts, call, &is_held) => {
                    !is_stopped_within(facts, body, &is_held)
                }
                EventKind::Call(call) => self.may_release(facts, scope, call, attribute, resource, &is_held),
                // Under another name it is released as well, and nobody else does that.
                EventKind::Bind { target, value } if resource.is_lent => {
                    is_held(value) && self.is_released_as(scope, target, resource)
                }
                EventKind::Return(_) | EventKind::Yield(_) if resource.is_lent => false,
                EventKind::Bind { value, .. }
                | EventKind::Return(value)
                | EventKind::Yield(value)
                | EventKind::Await(value)
                | EventKind::Augment { value, .. }
                | EventKind::BindElement { iterable: value, .. } => carried(value),
                _ => false,
            };
            is_release.then_some(Some(id))
        });
        let by_contexts = facts.contexts.iter().filter(move |context| {
            body.contains(context.span)
                && match context.kind {
                    ContextKind::With { manager, .. } => is_held(manager),
                    ContextKind::For { iterable } => {
                        self.carries(ScopeRef::new(class.module, context.scope).expr(iterable), resource, &is_held)
                    }
                    _ => false,
                }
        });
        by_events.chain(by_contexts.map(|_| None))
    }

    /// Whether a call makes an object of the project that keeps what it is given in an attribute and does nothing else with
    /// it, so that whoever loses the object has lost that as well.
    pub(super) fn only_keeps(&self, scope: ScopeRef, call: CallId, given: ExprId, resource: &Resource) -> bool {
        let called = self.facts(scope.module).call(call);
        let Definition::Class(class) = self.resolve(scope.expr(called.callee)) else { return false };
        let ends_with_object = || self.method(class, Name::new("__del__")).is_some();
        let Some(init) = self.method(class, self.words.init) else { return false };
        let are_known = self.mro(class).iter().all(|member| {
            self.external_bases(*member)
                .iter()
                .all(|base| matches!(base.as_str(), "object" | "abc.ABC" | "typing.Generic" | "typing.Protocol"))
        });
        if !are_known || self.has_unknown_base(class) || ends_with_object() || self.shows_itself(class) {
            return false;
        }
        let Some(site) = self.call_site(EventRef::new(scope.module, called.event)) else { return false };
        let Some(parameter) = self.parameter_for(site, init, scope.expr(given)) else { return false };
        let facts = self.facts(init.module);
        let is_given = |id: ExprId| facts.expr(id) == Expr::Name(parameter);
        let own = self.function_scope(init);
        let mut kept = Vec::new();
        for (id, event) in facts.scope_events(own.id) {
            match event.kind {
                EventKind::Bind { target, value } if is_given(value) => match facts.expr(target) {
                    Expr::Attribute(base, attribute) if self.is_receiver(own, base) => kept.push(attribute),
                    _ => return false,
                },
                _ if self.use_of(EventRef::new(init.module, id), resource, &is_given) != Use::Nothing => return false,
                _ => {}
            }
        }
        !kept.is_empty()
            && !self.is_captured(init, parameter)
            && !kept.iter().any(|attribute| self.is_attribute_released(class, *attribute, resource))
    }

    /// Whether methods of a class pass their object on, or a method bound to it: somebody else may keep it then.
    fn shows_itself(&self, class: ClassRef) -> bool {
        self.mro(class).iter().any(|member| {
            let facts = self.facts(member.module);
            let body = facts.class(member.id).span;
            let is_shown = |scope: ScopeRef, value: ExprId| {
                let mut found = false;
                parts_of(self, scope.expr(value), false, &mut |part| {
                    found |= match facts.expr(part) {
                        Expr::Name(name) => self.receiver_named(scope, name).is_some(),
                        Expr::Attribute(base, name) => {
                            self.is_receiver(scope, base) && self.method(class, name).is_some()
                        }
                        _ => false,
                    };
                });
                found
            };
            let inside = facts.events.iter().enumerate().filter(|(_, event)| body.contains(event.span));
            inside.map(|(id, event)| (EventRef::new(member.module, EventId(id as u32)), event.kind)).any(
                |(event, kind)| {
                    let scope = self.event_scope(event);
                    match kind {
                        EventKind::Call(call) => {
                            facts.all_arguments(facts.call(call)).any(|given| is_shown(scope, given))
                        }
                        EventKind::Bind { value, .. } => is_shown(scope, value),
                        _ => false,
                    }
                },
            )
        })
    }

    /// Whether a base outside of the project may know more of a class's attributes.
    pub(super) fn has_foreign_base(&self, class: ClassRef) -> bool {
        self.has_unknown_base(class) || self.external_bases(class).iter().any(|base| !is_innocent(base.as_str()))
    }

    /// Whether the function of a scope releases what one of its variables holds.
    fn is_released_as(&self, scope: ScopeRef, variable: ExprId, resource: &Resource) -> bool {
        let facts = self.facts(scope.module);
        facts.scope_events(scope.id).any(|(id, _)| {
            self.use_of(EventRef::new(scope.module, id), resource, &|held| held == variable) != Use::Nothing
        })
    }

    fn may_release(
        &self,
        facts: &FileFacts,
        scope: ScopeRef,
        call: CallId,
        attribute: Name,
        resource: &Resource,
        is_held: &dyn Fn(ExprId) -> bool,
    ) -> bool {
        let called = facts.call(call);
        // `vars(self)`, `getattr(self, "attribute")`
        if let Expr::Name(name) = facts.expr(called.callee)
            && name.as_str() == "vars"
        {
            return true;
        }
        // In a class's body, such as in a decorator, the name only says which attribute is meant.
        let may_name = !matches!(facts.scope(scope.id).kind, ScopeKind::Class(_));
        for argument in facts.all_arguments(called) {
            let mut is_named = false;
            parts_of(self, scope.expr(argument), false, &mut |part| {
                is_named |= may_name && facts.expr(part) == Expr::Constant(Constant::Word(attribute));
                // `atexit.register(self.attribute.close)`
                // and `run(self.attribute.protocol.close)`
                is_named |= matches!(facts.expr(part), Expr::Attribute(base, method)
                    if is_releasing_method(resource, method)
                        && (is_held(base) || matches!(facts.expr(base), Expr::Attribute(inner, _) if is_held(inner))));
            });
            // `finalize(self, lambda connection=self.connection: close(connection))`
            let is_kept_by_function = matches!(facts.expr(argument), Expr::Lambda(function)
                if facts.parameters(facts.function(function)).iter().any(|parameter| is_held(parameter.default)));
            if is_named || is_kept_by_function {
                return true;
            }
        }
        self.use_by_call(scope, call, resource, is_held) != Use::Nothing
    }

    /// Attributes on which a module calls a releasing method through another object than `self`.
    pub(in crate::program) fn released_outside(&self, module: ModuleId, releasing: &mut ReleasingNames) -> Vec<Name> {
        let facts = self.facts(module);
        let mut released = Vec::new();
        let of_argument = ["close", "rmtree"].map(Name::new);
        for call in &facts.calls {
            // In a decorator outside of the class, `self` is a parameter like others.
            let is_self = |owner: ExprId| {
                let Expr::Name(name) = facts.expr(owner) else { return false };
                let scope = self.event_scope(EventRef::new(module, call.event));
                self.words.receivers.contains(&name) && self.receiver_named(scope, name).is_some()
            };
            if let Expr::Attribute(held, method) = facts.expr(call.callee)
                && let Expr::Attribute(owner, attribute) = facts.expr(held)
                && releasing.has(method)
                && !is_self(owner)
            {
                released.push(attribute);
            }
            if !matches!(facts.expr(call.callee), Expr::Name(name) | Expr::Attribute(_, name) if of_argument.contains(&name))
            {
                continue;
            }
            for argument in facts.arguments(call) {
                if let Expr::Attribute(owner, attribute) = facts.expr(whole_of(facts, *argument))
                    && !is_self(owner)
                {
                    released.push(attribute);
                }
            }
        }
        released
    }
}

/// The names of methods that release: most are asked for again and again.
#[derive(Default)]
pub(in crate::program) struct ReleasingNames {
    asked: NameSet,
    releasing: NameSet,
}

impl ReleasingNames {
    fn has(&mut self, method: Name) -> bool {
        if !self.asked.contains(method) {
            self.asked.insert(method);
            if vocabulary::is_ending_name(method.as_str()) || method.as_str() == "release" {
                self.releasing.insert(method);
            }
        }
        self.releasing.contains(method)
    }
}

/// A base that releases nothing; what has traits only observes them.
fn is_innocent(base: &str) -> bool {
    INNOCENT_BASES.contains(&base) || base.starts_with("traitlets.")
}

/// `self.loop.run_forever()`, `self.server.serve_forever()`
fn runs_until_stopped(facts: &FileFacts, call: CallId, is_held: &dyn Fn(ExprId) -> bool) -> bool {
    matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, method)
        if is_held(base) && matches!(method.as_str(), "run_forever" | "serve_forever"))
}

/// Whether a class stops what it runs, so that it comes back from there: `self.server.shutdown()`,
/// `self.loop.call_soon_threadsafe(self.loop.stop)`, `shut_down(self.loop)`.
fn is_stopped_within(facts: &FileFacts, body: Span, is_held: &dyn Fn(ExprId) -> bool) -> bool {
    let stops = |id: ExprId| {
        matches!(facts.expr(id), Expr::Attribute(base, method)
            if is_held(base) && matches!(method.as_str(), "stop" | "shutdown"))
    };
    facts.events.iter().filter(|event| body.contains(event.span)).any(|event| {
        let EventKind::Call(call) = event.kind else { return false };
        let call = facts.call(call);
        let ends = matches!(facts.expr(call.callee), Expr::Name(name) if vocabulary::is_ending_name(name.as_str()));
        stops(call.callee) || facts.all_arguments(call).any(|given| stops(given) || ends && is_held(given))
    })
}

/// What a subscript is an item of, and everything else as it is.
fn whole_of(facts: &FileFacts, value: ExprId) -> ExprId {
    match facts.expr(value) {
        Expr::Subscript(whole, _) => whole,
        _ => value,
    }
}

/// How many methods a release may be away from the one that ends the object.
const CALLS: u32 = 2;

/// A class with more relatives is a framework's; what its attributes go through is not to be known.
const MOST_CLASSES: usize = 40;
