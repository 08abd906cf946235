//! What objects let go only sometimes: under a flag that need not be set, or not before something else takes its place.
//!
//! Both are said only where the class shows all of it: one method acquires, every release is in sight, and the flag or
//! the second acquisition belongs to a method that users call or do not call as they please.

use super::super::{ClassRef, EventRef, FunctionRef, Program, ScopeRef, vocabulary};
use super::owners::{Kept, UnreleasedAttribute};
use super::paths::plain;
use super::uses::Use;
use super::{Acquisition, Source};
use crate::facts::{Constant, ContextId, ContextKind, EventKind, Expr, ExprId, Operator};
use crate::models::Resource;
use crate::source::Name;

impl Program<'_> {
    /// The flag without which nothing releases an attribute, though the method that acquires has nothing to do with it.
    pub(super) fn released_under_flag(
        &self,
        acquisition: &Acquisition,
        class: ClassRef,
        attribute: Name,
        resource: &Resource,
    ) -> Option<Kept> {
        let is_alone = self.subclasses(class).is_empty()
            && !self.has_foreign_base(class)
            && !self.endings.from_outside.contains(&attribute)
            && self.instance_stores(class, attribute).iter().all(|stored| {
                self.event_function(*stored) == Some(acquisition.function) || self.stores_nothing(*stored)
            });
        if !is_alone {
            return None;
        }
        let releases = self.certain_releases(class, attribute, resource)?;
        let (first, others) = releases.split_first()?;
        let flags = self.flags_around(*first);
        let flag = flags.into_iter().find(|flag| {
            *flag != attribute && others.iter().all(|release| self.flags_around(*release).contains(flag))
        })?;
        let set = self.set_by_user(acquisition.function, class, flag)?;
        Some(Kept::UnderFlag { flag, release: *first, set })
    }

    /// The calls that release an attribute; `None` where something else might.
    fn certain_releases(&self, class: ClassRef, attribute: Name, resource: &Resource) -> Option<Vec<EventRef>> {
        let mut found = Vec::new();
        for member in self.mro(class) {
            for release in self.releases_in(*member, attribute, resource) {
                let release = release?;
                let EventKind::Call(call) = self.facts(release.module).event(release.id).kind else { return None };
                let facts = self.facts(release.module);
                let is_held = |id: ExprId| matches!(facts.expr(id), Expr::Attribute(_, name) if name == attribute);
                let scope = self.event_scope(release);
                let is_certain = self.use_by_call(scope, call, resource, &is_held) == Use::Released
                    && self.event_function(release).is_some_and(|function| self.class_of_method(function).is_some());
                found.push(is_certain.then_some(release)?);
            }
        }
        Some(found)
    }

    /// The attributes of the object that must be set for an event to be reached.
    fn flags_around(&self, event: EventRef) -> Vec<Name> {
        let facts = self.facts(event.module);
        let scope = self.event_scope(event);
        let around: Vec<ContextId> = facts.context_ids_around(facts.event(event.id).context).collect();
        let mut flags = Vec::new();
        for id in &around {
            match facts.context(*id).kind {
                ContextKind::If(test) => self.flags_in(scope, test, true, &mut flags),
                ContextKind::Else(test) => self.flags_in(scope, test, false, &mut flags),
                _ => {}
            }
        }
        // `if not self.started: return`
        for (_, other) in facts.scope_events(scope.id).take_while(|(id, _)| *id < event.id) {
            let context = facts.context(other.context);
            if matches!(other.kind, EventKind::Return(_))
                && let ContextKind::If(test) = context.kind
                && !around.contains(&other.context)
                && around.contains(&context.parent)
            {
                self.flags_in(scope, test, false, &mut flags);
            }
        }
        flags
    }

    fn flags_in(&self, scope: ScopeRef, test: ExprId, holds: bool, flags: &mut Vec<Name>) {
        let facts = self.facts(scope.module);
        let (test, holds) = plain(facts, test, holds);
        match facts.expr(test) {
            Expr::And(run) if holds => facts.list(run).iter().for_each(|part| self.flags_in(scope, *part, true, flags)),
            Expr::Or(run) if !holds => {
                facts.list(run).iter().for_each(|part| self.flags_in(scope, *part, false, flags))
            }
            Expr::Attribute(base, name) if holds && self.is_receiver(scope, base) => flags.push(name),
            Expr::Binary(operator, left, right) if facts.expr(right) == Expr::Constant(Constant::None) => {
                let is_set = matches!(operator, Operator::IsNot | Operator::NotEq) == holds
                    && matches!(operator, Operator::Is | Operator::Eq | Operator::IsNot | Operator::NotEq);
                if let Expr::Attribute(base, name) = facts.expr(left)
                    && is_set
                    && self.is_receiver(scope, base)
                {
                    flags.push(name);
                }
            }
            _ => {}
        }
    }

    /// Where a flag is set: only in methods that a user of the object may call or not, and not together with the method
    /// that acquires.
    fn set_by_user(&self, acquirer: FunctionRef, class: ClassRef, flag: Name) -> Option<EventRef> {
        let name = self.function(acquirer).name;
        let is_public = |function: FunctionRef| !self.function(function).name.as_str().starts_with('_');
        if name != self.words.init && !is_public(acquirer) {
            return None;
        }
        let mut set = None;
        for module in self.modules_storing(flag).iter().copied() {
            for event in self.module(module).attribute_stores_of(flag) {
                let stored = EventRef::new(module, event);
                // What is done to an object of unknown class may be done to one of this.
                let owner = self.owner_of_store(stored)?;
                if !self.mro(class).contains(&owner) || self.stores_nothing(stored) {
                    continue;
                }
                let EventKind::Bind { value, .. } = self.facts(module).event(event).kind else { return None };
                let function = self.event_function(stored)?;
                let is_for_all =
                    matches!(self.facts(module).expr(value), Expr::Constant(Constant::True) | Expr::Call(_));
                if !is_for_all
                    || function == acquirer
                    || !is_public(function)
                    || self.goes_with(class, acquirer, function)
                {
                    return None;
                }
                set = set.or(Some(stored));
            }
        }
        set
    }

    /// Whether an attribute is given nothing: `None`, `False`, or deleted.
    fn stores_nothing(&self, stored: EventRef) -> bool {
        let facts = self.facts(stored.module);
        match facts.event(stored.id).kind {
            EventKind::Bind { value, .. } => {
                matches!(facts.expr(value), Expr::Constant(Constant::None | Constant::False | Constant::Int(0)))
            }
            EventKind::Delete { .. } | EventKind::Annotate { .. } => true,
            _ => false,
        }
    }

    /// The class of whose object a method stores an attribute, if that is its own.
    fn owner_of_store(&self, stored: EventRef) -> Option<ClassRef> {
        let facts = self.facts(stored.module);
        let [target, _] = facts.event(stored.id).kind.operands();
        let Expr::Attribute(base, _) = facts.expr(target) else { return None };
        let Expr::Name(base) = facts.expr(base) else { return None };
        self.receiver_named(self.event_scope(stored), base).filter(|receiver| !receiver.is_class).map(|it| it.class)
    }

    /// Whether one method calls the other, or a third calls both.
    fn goes_with(&self, class: ClassRef, one: FunctionRef, other: FunctionRef) -> bool {
        let (one_name, other_name) = (self.function(one).name, self.function(other).name);
        let methods: Vec<FunctionRef> = self.mro(class).iter().flat_map(|member| self.own_methods(*member)).collect();
        methods.into_iter().any(|method| {
            let facts = self.facts(method.module);
            let scope = self.function_scope(method);
            let calls = |name: Name| {
                facts.scope_events(scope.id).any(|(_, event)| {
                    matches!(event.kind, EventKind::Call(call)
                        if matches!(facts.expr(facts.call(call).callee), Expr::Attribute(base, called)
                            if called == name && self.is_receiver(scope, base)))
                })
            };
            match (method == one, method == other) {
                (true, _) => calls(other_name),
                (_, true) => calls(one_name),
                _ => calls(other_name) && (calls(one_name) || one_name == self.words.init),
            }
        })
    }

    /// The attribute that an acquisition outside of the constructor is stored in, while it still holds what the
    /// constructor has acquired.
    pub(super) fn overwritten_attribute(&self, acquisition: &Acquisition) -> Option<UnreleasedAttribute> {
        let resource = self.resource_of(acquisition).filter(|resource| !resource.of_receiver && !resource.is_lent)?;
        let function = acquisition.function;
        let name = self.function(function).name;
        if !is_done_again(name) || !acquisition.elements(resource).is_empty() {
            return None;
        }
        let stores = self.stored_results(acquisition, resource);
        let [(stored, class, attribute)] = *stores.as_slice() else { return None };
        let held = self.held_from_the_start(acquisition, class, attribute)?;
        let is_released_before = self.has_other_use(function, attribute, stored)
            || self.callers(function).iter().any(|site| {
                self.event_function(site.event)
                    .is_some_and(|caller| self.ends_something(caller, class, attribute, resource))
            });
        if is_released_before || self.has_unknown_base(class) {
            return None;
        }
        Some(UnreleasedAttribute {
            class,
            attribute,
            acquisition: *acquisition,
            stored,
            ends: self.ending_method(class),
            has_foreign_base: self.has_foreign_base(class),
            how: Kept::Overwritten { by: function, held },
        })
    }

    /// Where the constructor stores, whatever it is given, what another acquisition takes the place of.
    fn held_from_the_start(&self, acquisition: &Acquisition, class: ClassRef, attribute: Name) -> Option<EventRef> {
        let init = self.method(class, self.words.init)?;
        let first = self.acquisitions(init.module).iter().find(|first| {
            first.function == init
                && first.source == acquisition.source
                && matches!(first.source, Source::Library(_) | Source::Class(_))
                && self.resource_of(first).is_some_and(|resource| {
                    self.stored_results(first, resource).iter().any(|(_, _, stored)| *stored == attribute)
                })
        })?;
        let facts = self.facts(init.module);
        let is_plain = |event: EventRef| matches!(facts.context(facts.event(event.id).context).kind, ContextKind::Body);
        let stored = self.instance_stores(class, attribute);
        let in_init: Vec<EventRef> = stored
            .iter()
            .copied()
            .filter(|stored| self.event_function(*stored) == Some(init) && !self.stores_nothing(*stored))
            .collect();
        let [held] = *in_init.as_slice() else { return None };
        (is_plain(held) && is_plain(first.event)).then_some(held)
    }

    /// Whether a method does anything with an attribute before it stores another value there, or with the object.
    fn has_other_use(&self, function: FunctionRef, attribute: Name, stored: EventRef) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let is_used = |id: ExprId| self.mentions_attribute(scope, id, attribute);
        facts.scope_events(scope.id).any(|(id, event)| {
            if id == stored.id {
                return false;
            }
            match event.kind {
                // What is done by other methods is theirs to know, but for those that end something.
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    // `super().reopen()`
                    let is_of_base = |base: ExprId| matches!(facts.expr(base), Expr::Call(_));
                    let ends = matches!(facts.expr(call.callee), Expr::Attribute(base, name)
                        if vocabulary::is_ending_name(name.as_str())
                            || (name == self.function(function).name && is_of_base(base)));
                    let is_own =
                        matches!(facts.expr(call.callee), Expr::Attribute(base, _) if self.is_receiver(scope, base));
                    ends || (id < stored.id
                        && (is_own || is_used(call.callee) || facts.all_arguments(call).any(is_used)))
                }
                kind => id < stored.id && kind.operands().into_iter().any(is_used),
            }
        }) || facts
            .contexts
            .iter()
            .any(|context| context.scope == scope.id && context.kind.operands().into_iter().any(is_used))
    }

    fn mentions_attribute(&self, scope: ScopeRef, expr: ExprId, attribute: Name) -> bool {
        let facts = self.facts(scope.module);
        let mut waiting = vec![expr];
        for _ in 0..MOST_PARTS {
            let Some(id) = waiting.pop() else { return false };
            match facts.expr(id) {
                Expr::Attribute(_, name) if name == attribute => return true,
                Expr::Call(call) => {
                    let call = facts.call(call);
                    waiting.push(call.callee);
                    waiting.extend(facts.all_arguments(call));
                }
                other => waiting.extend(facts.operands(other)),
            }
        }
        true
    }

    /// Whether a function that calls a method ends something as well, or uses the attribute itself.
    fn ends_something(&self, caller: FunctionRef, class: ClassRef, attribute: Name, resource: &Resource) -> bool {
        let facts = self.facts(caller.module);
        let scope = self.function_scope(caller);
        facts.scope_events(scope.id).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let callee = facts.call(call).callee;
            let Expr::Attribute(_, name) = facts.expr(callee) else { return false };
            self.mentions_attribute(scope, callee, attribute)
                || vocabulary::is_ending_name(name.as_str())
                || self.releasing_methods(class, attribute, resource).contains(&name)
        })
    }
}

/// Whether the name of a method says that it does again what was done before. What is called `open` or `connect` may be for
/// those who have closed.
fn is_done_again(method: Name) -> bool {
    const BEGINNINGS: [&str; 9] =
        ["reopen", "reconnect", "restart", "reload", "refresh", "renew", "reset", "recreate", "rotate"];
    BEGINNINGS.iter().any(|beginning| method.as_str().trim_start_matches('_').starts_with(beginning))
}

/// How many parts of an expression are looked at.
const MOST_PARTS: usize = 64;
