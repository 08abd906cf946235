//! What it costs when objects are freed late.
//!
//! Most garbage that waits for the cyclic collector harms nobody. It does where something is open to the outside until
//! then (a socket, a session, a response), where a finalizer was meant to run, where big blocks of memory wait, or where
//! so much of it is made that the collector has to run for it: for every request, message or call of a long-lived object.

use rustc_hash::FxHashSet;

use super::calls::{CallSite, Mention};
use super::lifetimes::Lifetime;
use super::names::Definition;
use super::repetition::Frequency;
use super::types::{Type, last_part};
use super::{ClassRef, EventRef, FunctionRef, Program, ScopeRef, vocabulary};
use crate::facts::{EventKind, Expr, ScopeKind};
use crate::finding::Label;
use crate::source::Name;

/// Evidence that freeing objects late costs something.
#[derive(Clone, Debug)]
pub struct Cost {
    /// What stays, or how often: a noun phrase.
    pub what: String,
    /// Where the source tells.
    pub label: Option<Label>,
}

/// How many callers up somebody who calls often is looked for.
const CALLERS: usize = 3;
/// The most callers that are looked at for one answer.
const MOST_CALLERS: usize = 48;
/// The most places where instances of a class are made that are looked at.
const MOST_SITES: usize = 24;
/// So few calls of a method by its name alone are taken for calls of it.
const FEW_CALLERS: usize = 6;
/// The most variables of one function that are looked at.
const MOST_VARIABLES: usize = 64;

impl Program<'_> {
    /// The first costly thing that the variables of a function have when an event happens, which its frame keeps.
    pub fn cost_of_frame(&self, at: EventRef) -> Option<Cost> {
        let function = self.event_function(at)?;
        let scope = self.function_scope(function);
        let facts = self.facts(function.module);
        let parameters = facts.parameters(self.function(function)).iter().map(|parameter| parameter.name);
        let mut names: Vec<Name> = parameters.collect();
        let around: Vec<_> = facts.contexts_around(facts.event(at.id).context).map(|context| context.span).collect();
        for (_, event) in facts.scope_events(scope.id).take_while(|(id, _)| *id < at.id) {
            // What a `try` binds may not be bound when something in it fails.
            let is_bound = around.contains(&facts.context(event.context).span);
            if let EventKind::Bind { target, value } = event.kind
                && let Expr::Name(name) = facts.expr(target)
                && (is_bound || matches!(facts.expr(value), Expr::Call(_)) && self.acquired_in(scope, name).is_some())
                && facts.scope_of(event) == scope.id
                && !names.contains(&name)
                && names.len() < MOST_VARIABLES
            {
                names.push(name);
            }
        }
        // The object itself is mostly kept by others as well.
        if self.receiver(function).is_some_and(|receiver| names.first() == Some(&receiver.name)) {
            names.rotate_left(1);
        }
        names.into_iter().find_map(|name| self.cost_of_variable(scope, name))
    }

    /// What a variable keeps that is costly to keep.
    pub fn cost_of_variable(&self, scope: ScopeRef, name: Name) -> Option<Cost> {
        let holder = self.holding_scope(scope, name)?;
        if let Some(receiver) = self.receiver_named(holder, name) {
            let what = (!receiver.is_class).then(|| self.cost_of_instance(receiver.class))??;
            return Some(Cost { what: format!("`{name}`, {what}"), label: None });
        }
        if let Some(cost) = self.acquired_in(holder, name) {
            return Some(cost);
        }
        let what = match self.type_of_name_in(holder, name) {
            Type::Instance(class) => self.cost_of_instance(class)?,
            Type::External(path) => self.cost_of_external(path).or_else(|| self.called_costly(holder, name, path))?,
            Type::Unknown if vocabulary::is_open_end_name(name.as_str()) && !self.is_plain_value(holder, name) => {
                String::new()
            }
            _ => return None,
        };
        let comma = if what.is_empty() { "" } else { ", " };
        Some(Cost { what: format!("`{name}`{comma}{what}"), label: None })
    }

    /// What an instance keeps or does at its end that is costly to have late.
    pub fn cost_of_instance(&self, class: ClassRef) -> Option<String> {
        let name = self.class(class).name;
        if let Some(resource) = self.resource_of_class(class).filter(|resource| resource.is_costly) {
            return Some(format!("a `{name}` with its {}", resource.what));
        }
        let finalizer = self.method(class, Name::new("__del__")).filter(|finalizer| self.does_something(*finalizer));
        if finalizer.is_some() {
            return Some(format!("a `{name}` with its `__del__`"));
        }
        let is_open_end = vocabulary::is_open_end_name(name.as_str()) && self.has_ending(class);
        is_open_end.then(|| format!("a `{name}`"))
    }

    fn has_ending(&self, class: ClassRef) -> bool {
        ["close", "aclose", "disconnect", "shutdown", "__exit__", "__aexit__"]
            .iter()
            .any(|name| self.method(class, Name::new(name)).is_some())
    }

    fn cost_of_external(&self, path: Name) -> Option<String> {
        let last = last_part(path.as_str());
        if let Some(resource) = self.models.resource(path).filter(|resource| resource.is_costly) {
            return Some(format!("a {}", resource.what));
        }
        let is_open_end = vocabulary::is_open_end_name(last) && last != "StartResponse";
        let is_costly = is_open_end || vocabulary::is_block_type(last);
        is_costly.then(|| format!("a `{last}`"))
    }

    /// A type that says little of a variable whose name says it all.
    fn called_costly(&self, holder: ScopeRef, name: Name, path: Name) -> Option<String> {
        let is_builtin = !path.as_str().contains('.');
        let is_callable = path.as_str().contains("Callable") || path.as_str().ends_with("StartResponse");
        let is_costly = vocabulary::is_open_end_name(name.as_str()) && !self.is_plain_value(holder, name);
        (is_costly && !is_builtin && !is_callable).then(String::new)
    }

    /// A variable that is bound to a resource where somebody would want to have it released soon.
    fn acquired_in(&self, holder: ScopeRef, name: Name) -> Option<Cost> {
        let (values, _) = self.bound_values(holder, name);
        let acquisitions = self.acquisitions(holder.module);
        values.iter().find_map(|(event, value)| {
            let id = match self.expr(*value) {
                Expr::Await(inner) => inner,
                _ => value.id,
            };
            let Expr::Call(call) = self.expr(value.scope.expr(id)) else { return None };
            let acquisition = acquisitions.iter().find(|known| known.call == call)?;
            let resource = self.resource_of(acquisition).filter(|resource| resource.is_costly)?;
            let label = Label {
                location: self.event_location(*event),
                message: format!("`{name}` gets a {} here", resource.what),
            };
            Some(Cost { what: format!("the {} in `{name}`", resource.what), label: Some(label) })
        })
    }

    fn type_of_name_in(&self, holder: ScopeRef, name: Name) -> Type {
        let facts = self.facts(holder.module);
        match facts.id_of(Expr::Name(name)) {
            Some(id) => self.type_of(holder.expr(id)),
            None => Type::Unknown,
        }
    }

    /// Text or a number, by what it is bound to or its annotation.
    fn is_plain_value(&self, holder: ScopeRef, name: Name) -> bool {
        let (values, _) = self.bound_values(holder, name);
        !values.is_empty()
            && values.iter().all(|(_, value)| {
                matches!(
                    self.expr(*value),
                    Expr::Constant(_) | Expr::Format(_) | Expr::Display(..) | Expr::Comprehension(..)
                )
            })
    }

    /// Somebody who calls a function again and again: what is shown to repeat, or a method of an object that lives for
    /// long, or one that runs at the end of every `with` block of its class.
    pub fn called_often_by(&self, function: FunctionRef) -> Option<Cost> {
        let repetition = self.function_repetition(function);
        if is_called_once(self.function(self.outermost_function(function)).name.as_str()) {
            return None;
        }
        if repetition.frequency == Frequency::Repeated {
            let label = repetition.reasons.into_iter().next_back();
            return Some(Cost { what: "it is made again and again".to_owned(), label });
        }
        if repetition.frequency < Frequency::Presumed {
            return None;
        }
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        let mut front = vec![(function, None::<EventRef>)];
        for _ in 0..=CALLERS {
            let mut next = Vec::new();
            for (caller, through) in front {
                if !seen.insert(caller) || seen.len() > MOST_CALLERS {
                    continue;
                }
                if let Some(what) = self.calls_often(caller) {
                    let label = through.map(|event| Label {
                        location: self.event_location(event),
                        message: format!("`{}` calls it here", self.function_name(caller)),
                    });
                    return Some(Cost { what, label });
                }
                let sites = self.callers(self.outermost_function(caller));
                next.extend(
                    sites
                        .iter()
                        .filter(|site| site.is_certain && !self.is_test(site.module))
                        .filter_map(|site| Some((self.event_function(site.event)?, through.or(Some(site.event))))),
                );
            }
            front = next;
        }
        None
    }

    /// Where instances of a class are made again and again: shown so, or each for a `with` block.
    pub fn made_often(&self, class: ClassRef) -> Option<Cost> {
        let enters = ["__enter__", "__aenter__"].iter().any(|name| self.method(class, Name::new(name)).is_some());
        let family = std::iter::once(&class).chain(self.subclasses(class));
        let sites: Vec<CallSite> = family.flat_map(|class| self.instantiations(*class).to_vec()).collect();
        sites.into_iter().filter(|site| !self.is_test(site.module)).take(MOST_SITES).find_map(|site| {
            let frequency = self.repetition(site.event).frequency;
            let needed = match enters && self.is_made_by_with(site) {
                true => Frequency::Presumed,
                false => Frequency::Repeated,
            };
            (frequency >= needed).then(|| Cost {
                what: "it is made again and again".to_owned(),
                label: Some(Label { location: self.event_location(site.event), message: "made here".to_owned() }),
            })
        })
    }

    /// `with Class(…)`.
    fn is_made_by_with(&self, site: CallSite) -> bool {
        let facts = self.facts(site.module);
        let made = facts.id_of(Expr::Call(site.call));
        facts.contexts.iter().any(
            |context| matches!(context.kind, crate::facts::ContextKind::With { manager, .. } if Some(manager) == made),
        )
    }

    /// A function up the chain of callers that is handed to others to be called back.
    pub fn called_back_by(&self, function: FunctionRef) -> Option<Cost> {
        if is_called_once(self.function(self.outermost_function(function)).name.as_str()) {
            return None;
        }
        let mut waiting = vec![(function, 0)];
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        while let Some((caller, depth)) = waiting.pop() {
            if depth > CALLERS || seen.len() > MOST_CALLERS || !seen.insert(caller) {
                continue;
            }
            let mentions = self.mentions(Definition::Function(caller));
            let is_handed_on =
                |mention: &&Mention| !self.is_test(mention.event.module) && !self.is_another_name(mention);
            if let Some(mention) = mentions.iter().find(is_handed_on) {
                let label = Label {
                    location: self.event_location(mention.event),
                    message: format!("`{}` is handed on here", self.function_name(caller)),
                };
                return Some(Cost { what: "it is made whenever somebody calls back".to_owned(), label: Some(label) });
            }
            // A lambda is made to be handed on.
            if self.is_lambda(caller) {
                let label = Label {
                    location: self.location(caller.module, self.function(caller).span),
                    message: "made to be called back".to_owned(),
                };
                return Some(Cost { what: "it is made whenever somebody calls back".to_owned(), label: Some(label) });
            }
            let sites = self.callers(caller);
            let is_known = |site: &CallSite| site.is_certain || sites.len() <= FEW_CALLERS;
            let known = sites.iter().filter(|site| is_known(site) && !self.is_test(site.module));
            waiting.extend(known.filter_map(|site| Some((self.event_function(site.event)?, depth + 1))));
        }
        None
    }

    /// `command = init`: another name in the same function, by which it is called.
    fn is_another_name(&self, mention: &Mention) -> bool {
        let facts = self.facts(mention.event.module);
        match facts.event(mention.event.id).kind {
            EventKind::Bind { target, .. } => {
                matches!(facts.expr(target), Expr::Name(_)) && self.event_function(mention.event).is_some()
            }
            _ => false,
        }
    }

    fn calls_often(&self, function: FunctionRef) -> Option<String> {
        let outermost = self.outermost_function(function);
        let class = self.class_of_method(outermost)?;
        let name = self.function(outermost).name.as_str();
        let class_name = self.class(class).name;
        if matches!(name, "__exit__" | "__aexit__") {
            return Some(format!("every `with` block of a `{class_name}` makes it"));
        }
        let is_once = is_called_once(name);
        let serves =
            vocabulary::is_serving_name(class_name.as_str()) && self.owner(class).lifetime >= Lifetime::Presumed;
        (serves && !is_once).then(|| format!("every call of `{class_name}.{name}` makes it"))
    }

    fn is_lambda(&self, function: FunctionRef) -> bool {
        matches!(self.facts(function.module).scope(self.function(function).scope).kind, ScopeKind::Lambda(_))
    }

    /// Whether a scope is a function's.
    fn is_function_scope(&self, scope: ScopeRef) -> bool {
        matches!(self.facts(scope.module).scope(scope.id).kind, ScopeKind::Function(_) | ScopeKind::Lambda(_))
    }

    /// The first costly variable among some that are kept.
    pub fn cost_of_variables(&self, variables: impl IntoIterator<Item = (ScopeRef, Name)>) -> Option<Cost> {
        variables
            .into_iter()
            .filter(|(scope, _)| self.is_function_scope(*scope))
            .find_map(|(scope, name)| self.cost_of_variable(scope, name))
    }
}

/// Methods and functions that run when something begins or ends.
fn is_called_once(name: &str) -> bool {
    vocabulary::is_beginning_name(name)
        || vocabulary::is_ending_name(name)
        || vocabulary::is_setup_name(name)
        || vocabulary::is_startup_name(name)
}
