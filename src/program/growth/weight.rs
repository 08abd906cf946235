//! What an entry weighs, and what stands in its container's way to a leak worth a word.
//!
//! A map that keeps a request, a connection or a page for each id is a leak in an hour; one that keeps a number takes
//! months, and where its object ends with a connection, for ever. So where the rest of an argument is a presumption,
//! weight decides.

use super::super::types::Type;
use super::*;
use crate::facts::EventId;

impl Program<'_> {
    /// The growth keeps what is made for a moment: a lock (`self._locks[key] = asyncio.Lock()`), or a piece of work that
    /// ends by itself.
    pub fn stores_passing(&self, growth: &Growth) -> bool {
        let operation = growth.touch.operation;
        let value = self.event_scope(operation.event).expr(operation.value);
        let bound = match self.expr(value) {
            Expr::Name(name) => self.holding_scope(value.scope, name).map(|holder| self.bound_values(holder, name).0),
            _ => None,
        };
        let is_passing = |value: ExprRef| {
            let facts = self.facts(value.scope.module);
            matches!(facts.expr(value.id), Expr::Call(call)
                if facts.called_name(facts.call(call)).is_some_and(|name| makes_passing(name.as_str())))
        };
        let is_name = matches!(self.facts(operation.event.module).expr(operation.key), Expr::Name(key) | Expr::Attribute(_, key)
            if vocabulary::last_word(key.as_str()) == "name");
        operation.level == 0
            // What has a name is there for longer.
            && !is_name
            && (is_passing(value) || bound.into_iter().flatten().any(|(_, value)| is_passing(value)))
    }

    /// What the growth keeps for each key is a number or a flag.
    pub fn is_light(&self, place: Place, growth: &Growth) -> bool {
        let operation = growth.touch.operation;
        if operation.level > 0 {
            return false;
        }
        let scope = self.event_scope(operation.event);
        let declared = self.declared_items(place).is_some_and(
            |(_, annotation)| matches!(self.type_of_annotation(annotation, 4), Type::External(path) if is_number(path)),
        );
        declared || self.is_number(scope.expr(operation.value))
    }

    fn is_number(&self, value: ExprRef) -> bool {
        match self.expr(value) {
            Expr::Constant(constant) => matches!(
                constant,
                Constant::None | Constant::True | Constant::False | Constant::Int(_) | Constant::Number
            ),
            Expr::Not(_) => true,
            _ => matches!(self.type_of(value), Type::External(path) if is_number(path)),
        }
    }

    /// A domain that is only told from a word, corrected by what the container's own annotation says of its keys:
    /// classes and flags are bounded, and the word for a text says nothing of what is declared to be none.
    pub(super) fn as_declared(&self, place: Place, container: Container, domain: Domain) -> Domain {
        if container.shape != Shape::Dict && container.shape != Shape::Set {
            return domain;
        }
        if !matches!(domain, Domain::Unknown | Domain::Likely(_) | Domain::Presumed(_)) {
            return domain;
        }
        let Some((key, item)) = self.declared_items(place) else { return domain };
        let key = key.unwrap_or(item);
        match domain {
            _ if self.domain_of_annotation(key) == Some(Domain::Bounded) => Domain::Bounded,
            Domain::Likely(_) if !self.names_text(key) => Domain::Unknown,
            domain => domain,
        }
    }

    /// What the keys of a mapping and its values, or the items of another container, are declared to be: `K` and `V`
    /// of `dict[K, V]`.
    fn declared_items(&self, place: Place) -> Option<(Option<ExprRef>, ExprRef)> {
        let annotation = self.declaration(place)?;
        let facts = self.facts(annotation.scope.module);
        let Expr::Subscript(base, argument) = self.expr(annotation) else { return None };
        if let Definition::External(path) = self.resolve(annotation.scope.expr(base))
            && matches!(path.as_str(), "typing.ClassVar" | "typing.Final" | "typing.Optional")
        {
            return None;
        }
        Some(match facts.expr(argument) {
            Expr::Display(_, run) => match facts.list(run) {
                [key, value] => (Some(annotation.scope.expr(*key)), annotation.scope.expr(*value)),
                _ => return None,
            },
            _ => (None, annotation.scope.expr(argument)),
        })
    }

    /// The annotation of a place, where it is bound or in the body of its class.
    fn declaration(&self, place: Place) -> Option<ExprRef> {
        let annotated = |event: EventRef| match self.facts(event.module).event(event.id).kind {
            EventKind::Annotate { annotation, .. } => Some(self.event_scope(event).expr(annotation)),
            _ => None,
        };
        let in_scope = |scope: ScopeRef, name: Name| {
            let mut bindings = self.module(scope.module).bindings_of(scope.id, name);
            bindings.find_map(|event: EventId| annotated(EventRef::new(scope.module, event)))
        };
        match place {
            Place::Module(module, name) => in_scope(ScopeRef::new(module, crate::facts::MODULE_SCOPE), name),
            Place::Class(class, name) => in_scope(self.class_scope(class), name),
            Place::Instance(class, name) => self
                .instance_stores(class, name)
                .iter()
                .copied()
                .find_map(annotated)
                .or_else(|| self.mro(class).iter().find_map(|class| in_scope(self.class_scope(*class), name))),
            Place::Function(..) | Place::Local(..) | Place::Unresolved(_) => None,
        }
    }

    /// A class that stands in for another, or that serves while somebody looks for a mistake: what it keeps is kept
    /// on purpose, and its process is short.
    pub fn is_stand_in(&self, place: Place) -> bool {
        match place {
            Place::Class(class, _) | Place::Instance(class, _) => self.stands_in(class),
            _ => false,
        }
    }

    /// It happens only where the environment asks for it: `if os.environ.get("BENCH"): samples = []`.
    pub fn is_switched_on(&self, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        let scope = self.event_scope(event);
        facts.contexts_around(facts.event(event.id).context).any(|context| match context.kind {
            ContextKind::If(test) => self.asks_environment(scope.expr(test), 4),
            _ => false,
        }) || self.is_switched_off(event)
    }

    fn asks_environment(&self, expr: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(expr.scope.module);
        let any = |run| facts.list(run).iter().any(|part| self.asks_environment(expr.scope.expr(*part), depth));
        match self.expr(expr) {
            Expr::And(run) | Expr::Or(run) => any(run),
            Expr::Call(call) => {
                let call = facts.call(call);
                any(call.arguments)
                    || matches!(self.resolve(expr.scope.expr(call.callee)), Definition::External(path)
                        if matches!(path.as_str(), "os.environ.get" | "os.getenv"))
            }
            Expr::Name(name) => match self.resolve_name(expr.scope, name) {
                Definition::Variable(scope, name) => {
                    self.bound_values(scope, name).0.iter().any(|(_, value)| self.asks_environment(*value, depth))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// The object ends with a connection, and what it counts ends with it.
    pub fn ends_with_connection(&self, class: ClassRef) -> bool {
        self.mro(class).iter().any(|class| vocabulary::is_connection_name(self.class(*class).name.as_str()))
    }
}

fn is_number(path: Name) -> bool {
    matches!(path.as_str(), "bool" | "int" | "float")
}

fn makes_passing(name: &str) -> bool {
    matches!(
        name,
        "Lock"
            | "RLock"
            | "Semaphore"
            | "BoundedSemaphore"
            | "Condition"
            | "create_task"
            | "ensure_future"
            | "run_coroutine_threadsafe"
            | "submit"
    )
}
