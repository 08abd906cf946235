//! What becomes of a loss on CPython: refcounting undoes most of those of plain files before the next statement, and
//! nobody notices. What is left is what something keeps for longer.

use super::super::repetition::Frequency;
use super::super::types::last_part;
use super::super::{EventRef, FunctionRef, Program};
use super::owners::INNOCENT_BASES;
use super::{Loss, LostAt, LostResource, Source, Unnamed};
use crate::facts::{ComprehensionKind, EventId, EventKind, Expr, NOTHING, ScopeKind};
use crate::models::{Lost, Resource};
use crate::source::Name;

impl Program<'_> {
    /// Whether a loss costs something before the last reference goes: there is a connection, a process, a thread.
    pub fn is_costly_loss(&self, lost: &LostResource, resource: &Resource) -> bool {
        resource.is_costly
            && !resource.ends_itself
            && !self.is_made_cheap(lost, resource)
            && (resource.costly_by.is_empty() || self.is_put_to_use(lost, resource))
    }

    /// `socket.socket(AF_INET, SOCK_DGRAM)`
    fn is_made_cheap(&self, lost: &LostResource, resource: &Resource) -> bool {
        let facts = self.facts(lost.acquisition.event.module);
        facts.all_arguments(facts.call(lost.acquisition.call)).any(|given| {
            matches!(facts.expr(given), Expr::Name(name) | Expr::Attribute(_, name)
                if resource.cheap_with.contains(&name))
        })
    }

    /// Whether the last reference to a lost resource goes with the function that loses it, so that CPython releases it
    /// at once and nothing has come of it.
    ///
    /// Not so where a suspended generator has it, or the traceback of what the function raises; where each turn of a loop
    /// loses another; where its release would have written what it still owed; and where it is an object of the project,
    /// which others may know. What ends in order whenever that is needs nothing of all this but the last reference, and
    /// what is cheap as well costs nothing whoever has it for how long.
    pub fn goes_at_once(&self, lost: &LostResource, resource: &Resource) -> bool {
        let acquisition = &lost.acquisition;
        let facts = self.facts(acquisition.function.module);
        if resource.ends_itself && !resource.is_costly {
            return true;
        }
        let is_sound = resource.ends_itself || resource.closes_itself;
        let is_costly = self.is_costly_loss(lost, resource);
        let is_thrown = matches!(&lost.how, Loss::OnPath(loss) if matches!(loss.lost, LostAt::Thrown(_)));
        resource.lost == Lost::Goes
            && (!is_costly || self.closes_as_well(lost, resource) || self.is_known_to_go(lost))
            && (is_sound || matches!(acquisition.source, Source::Library(_)))
            && (is_thrown || !facts.function(acquisition.function.id).is_generator)
            && (resource.ends_itself || !self.is_in_turns(acquisition.event))
            && !self.is_called(lost, &resource.unfinished_by)
            && match &lost.how {
                Loss::Never { is_raised, .. } => resource.is_costly || resource.ends_itself || !is_raised,
                Loss::OnPath(loss) => match loss.lost {
                    LostAt::Exit(event) => is_sound || !(loss.is_handed_on && self.is_raise(event)),
                    _ => true,
                },
                Loss::Unnamed(Unnamed::Iterated) => !self.is_run_through_lazily(lost),
                Loss::Unnamed(_) => true,
            }
    }

    /// Whether a loss that would cost something costs nothing here: the last reference closes the resource as its release
    /// does, and goes with the way on which it is lost.
    ///
    /// Not so where that is shown to happen again and again, where nothing ever releases it, and in a method by which a
    /// library makes its connection: what keeps the exception and tries again is its pool.
    fn closes_as_well(&self, lost: &LostResource, resource: &Resource) -> bool {
        let is_on_some_way = match &lost.how {
            Loss::Never { .. } => false,
            Loss::OnPath(loss) => !matches!(loss.lost, LostAt::Thrown(_)),
            Loss::Unnamed(_) => true,
        };
        resource.closes_itself
            && is_on_some_way
            && !self.is_called_by_library(lost.acquisition.function)
            && self.frequency(lost.acquisition.event) < Frequency::Repeated
    }

    /// Whether the function that loses a resource says that it is done with it: it has waited for all work of the threads
    /// in it, or silences Python's own warning of such a loss.
    fn is_known_to_go(&self, lost: &LostResource) -> bool {
        let Source::Library(path) = lost.acquisition.source else { return false };
        let has_threads = last_part(path.as_str()) == "ThreadPoolExecutor";
        let scope = self.function_scope(lost.acquisition.function);
        let facts = self.facts(scope.module);
        facts.scope_events(scope.id).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let call = facts.call(call);
            let mut arguments = facts.all_arguments(call);
            let waits = || {
                let path = self.external_path(scope.expr(call.callee));
                path.is_some_and(|path| {
                    matches!(path.as_str(), "concurrent.futures.wait" | "concurrent.futures.as_completed")
                })
            };
            has_threads && waits()
                || arguments
                    .any(|given| matches!(facts.expr(given), Expr::Name(name) if name.as_str() == "ResourceWarning"))
        })
    }

    /// Whether a method is one of a class that a library knows by its base, and nobody in the project calls it.
    fn is_called_by_library(&self, function: FunctionRef) -> bool {
        self.function(function).name != self.words.init
            && self.class_of_method(function).is_some_and(|class| {
                self.external_bases(class).iter().any(|base| !INNOCENT_BASES.contains(&base.as_str()))
            })
            && !self.callers(function).iter().any(|site| site.is_certain)
    }

    /// A `raise` with an exception of its own.
    pub(super) fn is_raise(&self, event: EventRef) -> bool {
        let kind = self.facts(event.module).event(event.id).kind;
        matches!(kind, EventKind::Raise { exception, .. } if exception != NOTHING)
    }

    /// Whether a call stands in a loop or comprehension of its function.
    fn is_in_turns(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        facts.contexts_around(facts.event(event.id).context).any(|context| context.kind.is_loop())
            || self.is_in_comprehension(event)
    }

    fn is_in_comprehension(&self, event: EventRef) -> bool {
        let scope = self.event_scope(event);
        self.facts(scope.module).scope(scope.id).kind == ScopeKind::Comprehension
    }

    /// `(line for line in open(path))`: the generator has the file as long as somebody has the generator.
    fn is_run_through_lazily(&self, lost: &LostResource) -> bool {
        let acquisition = &lost.acquisition;
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        facts.events.iter().enumerate().any(|(id, event)| {
            matches!(event.kind, EventKind::BindElement { iterable, .. }
                if self.is_result(scope.expr(iterable), acquisition.call))
                && self.is_in_generator(EventRef::new(scope.module, EventId(id as u32)))
        })
    }

    fn is_in_generator(&self, event: EventRef) -> bool {
        let scope = self.event_scope(event);
        self.facts(scope.module).id_of(Expr::Comprehension(ComprehensionKind::Generator, scope.id)).is_some()
    }

    /// Whether a function does with a resource what makes it cost something, or gives it to something that may.
    fn is_put_to_use(&self, lost: &LostResource, resource: &Resource) -> bool {
        match lost.how {
            Loss::Unnamed(Unnamed::Method(method)) => Resource::names(&resource.costly_by, method),
            Loss::Unnamed(how) => matches!(how, Unnamed::Argument(_)),
            _ => self.any_call(lost, |method, is_given| {
                is_given || method.is_some_and(|method| Resource::names(&resource.costly_by, method))
            }),
        }
    }

    /// Whether one of these methods is called on what is lost.
    fn is_called(&self, lost: &LostResource, methods: &[Name]) -> bool {
        !methods.is_empty()
            && self.any_call(lost, |method, _| method.is_some_and(|method| Resource::names(methods, method)))
    }

    /// Whether any call of the function that loses a resource is wanted, by the method that it calls on the resource, if
    /// it does, and by whether it is given the resource.
    fn any_call(&self, lost: &LostResource, is_wanted: impl Fn(Option<Name>, bool) -> bool) -> bool {
        let place = match &lost.how {
            Loss::Never { place, .. } => *place,
            Loss::OnPath(loss) => loss.place,
            Loss::Unnamed(_) => return false,
        };
        let scope = self.function_scope(lost.acquisition.function);
        let facts = self.facts(scope.module);
        // What is given to be called calls it, too.
        let lambdas = facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
            EventKind::Call(call) => facts.all_arguments(facts.call(call)).find_map(|given| match facts.expr(given) {
                Expr::Lambda(function) => Some(facts.function(function).scope),
                _ => None,
            }),
            _ => None,
        });
        std::iter::once(scope.id).chain(lambdas).flat_map(|scope| facts.scope_events(scope)).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let call = facts.call(call);
            let method = match facts.expr(call.callee) {
                Expr::Attribute(base, method) if base == place => Some(method),
                _ => None,
            };
            is_wanted(method, facts.all_arguments(call).any(|given| given == place))
        })
    }
}
