//! How open the key of an entry is: what a name or a text is put together from.
//!
//! A key is mostly composed (`f"job.{job.id}"`), and what decides is the most open of its parts. The word of the
//! whole says nothing: a parameter called `message` is another text wherever it is written, not whenever it is run.

use super::{Domain, Program, Site};
use crate::facts::{Constant, EventKind, Expr, ExprId, Operator};
use crate::program::names::Definition;
use crate::program::types::Type;
use crate::program::{EventRef, ExprRef};
use crate::source::Name;

const DEPTH: u32 = 9;

impl Program<'_> {
    /// The domain of a name that entries are kept under.
    pub(in crate::program) fn key_domain(&self, key: ExprRef) -> Domain {
        self.composed_domain(key, DEPTH)
    }

    /// The domain of a text at an event: only what is put into it counts.
    pub(super) fn text_domain(&self, text: ExprRef, event: EventRef) -> Domain {
        match (self.is_composed(text, DEPTH), self.expr(text)) {
            (true, Expr::Format(run)) => {
                let facts = self.facts(text.scope.module);
                let parts = facts.list(run).iter().filter(|part| !self.is_told_apart(text.scope.expr(**part), event));
                parts.map(|part| self.composed_domain(text.scope.expr(*part), DEPTH)).fold(Domain::Bounded, Domain::or)
            }
            (true, _) => self.composed_domain(text, DEPTH),
            (false, _) => Domain::Bounded,
        }
    }

    /// Whether the branch that leads to an event is the one for what is of another type than was looked for: of what
    /// callers pass, it is not known which comes here.
    fn is_told_apart(&self, part: ExprRef, event: EventRef) -> bool {
        let facts = self.facts(event.module);
        self.conditions(event).iter().any(|condition| {
            let Expr::Call(call) = self.expr(condition.test) else { return false };
            let call = facts.call(call);
            !condition.holds
                && matches!(facts.expr(call.callee), Expr::Name(name) if name.as_str() == "isinstance")
                && facts.arguments(call).first() == Some(&part.id)
        })
    }

    pub(super) fn domain_of_any_argument(&self, site: Site) -> Domain {
        let facts = self.facts(site.event.module);
        let scope = self.event_scope(site.event);
        let Some(call) = self.call_site(site.event) else { return Domain::Unknown };
        let call = facts.call(call.call);
        let keywords = facts.keyword_arguments(call).iter().filter(|(name, _)| name.is_some()).map(|(_, value)| *value);
        facts
            .arguments(call)
            .iter()
            .copied()
            .chain(keywords)
            .map(|argument| self.key_domain(scope.expr(argument)))
            .fold(Domain::Bounded, Domain::or)
    }

    /// Whether a text is put together here, in the binding of its name, or by the warning that wraps it.
    fn is_composed(&self, text: ExprRef, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(text.scope.module);
        match self.expr(text) {
            Expr::Format(_) | Expr::Binary(Operator::Add | Operator::Mod, ..) => true,
            Expr::Call(call) => {
                let call = facts.call(call);
                match facts.expr(call.callee) {
                    Expr::Attribute(_, method) if method.as_str() == "format" => true,
                    Expr::Name(name) | Expr::Attribute(_, name) if is_wrapper(name.as_str()) => {
                        let inner = facts.arguments(call).first();
                        inner.is_some_and(|inner| self.is_composed(text.scope.expr(*inner), depth))
                    }
                    _ => false,
                }
            }
            Expr::Conditional(run) => {
                facts.list(run).iter().skip(1).any(|arm| self.is_composed(text.scope.expr(*arm), depth))
            }
            Expr::Name(name) => self.local_values(text, name).iter().any(|value| self.is_composed(*value, depth)),
            _ => false,
        }
    }

    fn local_values(&self, expr: ExprRef, name: Name) -> Vec<ExprRef> {
        match self.resolve_name(expr.scope, name) {
            Definition::Variable(scope, name) if self.is_in_function(scope) && !self.is_parameter(scope, name) => {
                self.bound_values(scope, name).0.into_iter().map(|(_, value)| value).take(4).collect()
            }
            _ => Vec::new(),
        }
    }

    fn composed_domain(&self, expr: ExprRef, depth: u32) -> Domain {
        let Some(depth) = depth.checked_sub(1) else { return Domain::Unknown };
        let facts = self.facts(expr.scope.module);
        let all = |parts: &mut dyn Iterator<Item = ExprId>| {
            parts.map(|part| self.composed_domain(expr.scope.expr(part), depth)).fold(Domain::Bounded, Domain::or)
        };
        match self.expr(expr) {
            Expr::Constant(_) => Domain::Bounded,
            Expr::Format(run) | Expr::Display(_, run) | Expr::Or(run) => all(&mut facts.list(run).iter().copied()),
            Expr::Conditional(run) => all(&mut facts.list(run).iter().skip(1).copied()),
            Expr::Binary(Operator::Add, left, right) => all(&mut [left, right].into_iter()),
            Expr::Binary(Operator::Mod, _, right) => match facts.expr(right) {
                Expr::Constant(Constant::Int(_)) => Domain::Bounded,
                _ => all(&mut std::iter::once(right)),
            },
            Expr::Call(call) => {
                let call = facts.call(call);
                let mut given = facts.all_arguments(call);
                match facts.expr(call.callee) {
                    Expr::Attribute(_, method) if method.as_str() == "format" => all(&mut given),
                    Expr::Name(name) | Expr::Attribute(_, name) if is_wrapper(name.as_str()) => all(&mut given.take(1)),
                    // A number of things, or their kind.
                    Expr::Name(name) if matches!(name.as_str(), "len" | "type" | "sum" | "round" | "int" | "float") => {
                        Domain::Unknown
                    }
                    _ => by_evidence(self.domain(expr)),
                }
            }
            Expr::Name(name) => {
                if let Some(domain) = self.look_domain(expr, depth) {
                    return domain;
                }
                let values = self.local_values(expr, name);
                if values.iter().any(|value| self.is_composed(*value, depth)) {
                    return values
                        .iter()
                        .map(|value| self.composed_domain(*value, depth))
                        .fold(Domain::Bounded, Domain::or);
                }
                match self.part_domain(expr, name) {
                    // Which of several values it has here is not followed.
                    Domain::Open(why)
                        if values.len() > 1 && !values.iter().all(|value| self.domain(*value).is_open()) =>
                    {
                        Domain::Likely(why)
                    }
                    domain => domain,
                }
            }
            Expr::Attribute(base, name) => match self.domain_of_property(expr.scope.expr(base), name, depth) {
                Some(domain) => domain,
                None => self.part_domain(expr, name),
            },
            _ => by_evidence(self.domain(expr)),
        }
    }

    /// A property has the values that its method returns.
    fn domain_of_property(&self, base: ExprRef, name: Name, depth: u32) -> Option<Domain> {
        let Type::Instance(class) = self.type_of(base) else { return None };
        let stores = self.instance_stores(class, name);
        if !stores.is_empty() {
            let parts: Vec<Domain> = stores
                .iter()
                .take(6)
                .filter_map(|store| self.stored_value(*store))
                .filter(|value| self.is_composed(*value, depth))
                .map(|value| self.composed_domain(value, depth))
                .collect();
            return (!parts.is_empty()).then(|| parts.into_iter().fold(Domain::Bounded, Domain::or));
        }
        let method = self.method(class, name).filter(|method| self.is_property(*method))?;
        Some(self.domain_of_returns(method, depth))
    }

    fn part_domain(&self, part: ExprRef, name: Name) -> Domain {
        if is_text(name.as_str()) {
            return Domain::Unknown;
        }
        by_evidence(self.domain(part))
    }

    /// What an object looks like in a text: by its own `__repr__`, else by its address.
    fn look_domain(&self, part: ExprRef, depth: u32) -> Option<Domain> {
        let depth = depth.checked_sub(1)?;
        let Type::Instance(class) = self.type_of(part) else { return None };
        let method = ["__str__", "__repr__"].iter().find_map(|name| self.method(class, Name::new(name)));
        Some(match method {
            Some(method) => self.domain_of_returns(method, depth),
            None if self.is_value_class(class)
                || !self.external_bases(class).is_empty()
                || self.has_unknown_base(class) =>
            {
                Domain::Unknown
            }
            None if self.has_bounded_instances(class) => Domain::Bounded,
            None => {
                let why = Name::new(&format!("the address of a `{}`", self.class(class).name));
                // Of how many there are nothing is known where nobody is seen to make them.
                match self.repeated_instantiation(class) {
                    Some(_) => Domain::Open(why),
                    None => Domain::Likely(why),
                }
            }
        })
    }

    fn domain_of_returns(&self, method: crate::program::FunctionRef, depth: u32) -> Domain {
        let facts = self.facts(method.module);
        let scope = self.function_scope(method);
        let returned = facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
            EventKind::Return(value) if facts.scope_of(event) == scope.id => Some(value),
            _ => None,
        });
        returned
            .map(|value| self.composed_domain(scope.expr(value), depth))
            .reduce(Domain::or)
            .unwrap_or(Domain::Unknown)
    }
}

/// A domain that is open only by the word for it is believed as far as the word goes.
fn by_evidence(domain: Domain) -> Domain {
    let Domain::Open(why) = domain else { return domain };
    let text = why.as_str();
    let Some((word, rest)) = text.strip_prefix('`').and_then(|text| text.split_once('`')) else {
        return match text.starts_with("an instance of") || text == "a counter" {
            true => Domain::Likely(why),
            false => domain,
        };
    };
    let last = word.rsplit('_').next().unwrap_or(word);
    let is_weak = match rest.contains("comes in") {
        true => {
            !matches!(last, "path" | "url" | "uri" | "id" | "user" | "username" | "ip" | "query" | "target" | "uuid")
        }
        false => is_configured(word) || matches!(last, "uid" | "token" | "seq" | "sequence" | "serial"),
    };
    if is_weak { Domain::Likely(why) } else { domain }
}

/// What makes a text or a warning of a text.
fn is_wrapper(name: &str) -> bool {
    matches!(name, "str" | "repr" | "dedent" | "_" | "gettext" | "fill") || name.ends_with("Warning")
}

/// Words for text that somebody wrote: as many as the source has.
fn is_text(word: &str) -> bool {
    let last = word.rsplit('_').next().unwrap_or(word);
    matches!(last, "message" | "msg" | "text" | "reason" | "hint" | "description" | "error" | "err" | "exc" | "e")
}

/// Identities of what a deployment has a fixed number of.
fn is_configured(word: &str) -> bool {
    let first = word.trim_matches('_').split('_').next().unwrap_or(word);
    first != word.trim_matches('_')
        && matches!(
            first,
            "worker"
                | "attr"
                | "attribute"
                | "operation"
                | "unique"
                | "chunk"
                | "field"
                | "column"
                | "config"
                | "template"
                | "language"
                | "shard"
                | "node"
                | "device"
                | "rank"
                | "broker"
                | "partition"
                | "plugin"
                | "app"
                | "application"
                | "service"
                | "server"
                | "project"
                | "backend"
                | "process"
                | "gpu"
                | "layer"
                | "model"
                | "pool"
                | "module"
                | "host"
                | "cluster"
                | "component"
                | "entity"
                | "bind"
                | "listen"
                | "group"
        )
}
