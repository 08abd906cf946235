//! What takes entries out of a library's table again.

use super::{MOST_HANDS, Program, Site};
use crate::facts::{CallId, Constant, EventId, EventKind, Expr, ExprId, NOTHING, ParameterKind, ScopeKind};
use crate::finding::Label;
use crate::models::{EntryBy, Registry};
use crate::program::names::Definition;
use crate::program::repetition::Frequency;
use crate::program::{EventRef, ExprRef, FunctionRef, ModuleId, Place, ScopeRef};
use crate::source::Name;

impl Program<'_> {
    /// The removals that do not help; `None` where there is one that does.
    pub(super) fn refuted_removals(&self, site: Site, registry: &Registry) -> Option<Vec<Label>> {
        let mut refuted = Vec::new();
        for removal in self.registry_removals(site, registry) {
            if let Some(given) = self.event_function(removal).and_then(|function| self.gone_at_once(function)) {
                let message =
                    "this does not help: it is held weakly, nobody else has it, and it is gone at once".to_owned();
                refuted.push(Label { location: self.event_location(given), message });
                continue;
            }
            if self.frequency(removal) > Frequency::Never || self.event_function(removal).is_none() {
                return None;
            }
            let message = "this does not help: nobody runs it".to_owned();
            refuted.push(Label { location: self.event_location(removal), message });
        }
        Some(refuted)
    }

    /// The call that a lambda is given to, where it only refers to it weakly: `signal.connect(lambda: …)`.
    fn gone_at_once(&self, function: FunctionRef) -> Option<EventRef> {
        let facts = self.facts(function.module);
        if !matches!(facts.scope(self.function(function).scope).kind, ScopeKind::Lambda(_)) {
            return None;
        }
        let value = facts.id_of(Expr::Lambda(function.id))?;
        let scope = self.defining_scope(function);
        facts.scope_events(scope.id).find_map(|(id, event)| {
            let EventKind::Call(call) = event.kind else { return None };
            let position = facts.arguments(facts.call(call)).iter().position(|argument| *argument == value)?;
            self.refers_weakly(scope, call, position, MOST_HANDS).then(|| EventRef::new(function.module, id))
        })
    }

    /// Whether a call refers weakly to what it is given in this place, itself or by handing it on.
    fn refers_weakly(&self, scope: ScopeRef, call: CallId, position: usize, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(scope.module);
        let callee = scope.expr(facts.call(call).callee);
        let is_strong = |(name, value): &(Option<Name>, ExprId)| {
            name.is_some_and(|name| name.as_str() == "weak") && facts.expr(*value) != Expr::Constant(Constant::True)
        };
        if facts.keyword_arguments(facts.call(call)).iter().any(is_strong) {
            return false;
        }
        let path = self.external_path(callee).or_else(|| self.method_path(callee));
        if let Some(registry) = path.and_then(|path| self.models.registry(path)) {
            let is_callable = matches!(registry.entry, EntryBy::Callable(argument)
                if argument.position.is_some_and(|place| place as usize == position));
            return is_callable && registry.if_false.is_some() && self.goes_elsewhere(scope, call, registry);
        }
        let Some(function) = self.callee(scope, call) else { return false };
        let inner = self.facts(function.module);
        let declared = inner.parameters(self.function(function));
        let is_default = |id: ExprId| id != NOTHING && inner.expr(id) == Expr::Constant(Constant::True);
        if declared.iter().any(|parameter| parameter.name.as_str() == "weak" && is_default(parameter.default)) {
            return position == 0;
        }
        let own: Vec<_> = (declared.iter())
            .filter(|parameter| matches!(parameter.kind, ParameterKind::PositionalOnly | ParameterKind::Positional))
            .skip(usize::from(self.receiver(function).is_some()))
            .collect();
        let rest = declared.iter().find(|parameter| parameter.kind == ParameterKind::Rest);
        let own_scope = self.function_scope(function);
        inner.scope_events(own_scope.id).any(|(_, event)| {
            let EventKind::Call(call) = event.kind else { return false };
            let handed = inner.arguments(inner.call(call)).iter().enumerate().find_map(|(at, argument)| {
                match (inner.expr(*argument), own.get(position), rest) {
                    (Expr::Name(name), Some(parameter), _) => (name == parameter.name).then_some(at),
                    (Expr::Starred(all), None, Some(rest)) => {
                        (inner.expr(all) == Expr::Name(rest.name)).then(|| at + position - own.len())
                    }
                    _ => None,
                }
            });
            handed.is_some_and(|at| self.refers_weakly(own_scope, call, at, depth))
        })
    }

    /// Those in the modules that register, and in the modules of the class that does.
    fn registry_removals(&self, site: Site, registry: &Registry) -> Vec<EventRef> {
        if registry.removed_by.is_empty() {
            return Vec::new();
        }
        let mut modules: Vec<ModuleId> = vec![site.event.module];
        modules.extend(site.inner.map(|inner| inner.module));
        if let Some(class) = self.method_around(site.event).and_then(|method| self.class_of_method(method)) {
            modules.extend(self.mro(class).iter().chain(self.subclasses(class)).map(|class| class.module));
        }
        modules.sort_unstable();
        modules.dedup();
        let place = self.called_on(site.event).map(|(_, place)| place);
        let mut found = Vec::new();
        for module in modules {
            let facts = self.facts(module);
            for (number, event) in facts.events.iter().enumerate() {
                let scope = ScopeRef::new(module, facts.scope_of(event));
                if registry.removed_by.iter().any(|by| self.removes(scope, event.kind, *by, place)) {
                    found.push(EventRef::new(module, EventId(number as u32)));
                }
            }
        }
        found
    }

    fn removes(&self, scope: ScopeRef, event: EventKind, by: Name, place: Option<Place>) -> bool {
        let facts = self.facts(scope.module);
        let by = by.as_str();
        if let Some(method) = by.strip_prefix('.') {
            let EventKind::Call(call) = event else { return false };
            return match facts.expr(facts.call(call).callee) {
                Expr::Attribute(base, name) => {
                    name.as_str() == method && self.reach(scope.expr(base)).map(|reach| reach.place) == place
                }
                _ => false,
            };
        }
        let table = by.rsplit_once('.').map(|(table, _)| table);
        let is_table = |id: ExprId| table.is_some_and(|table| self.is_written(scope.expr(id), table));
        match event {
            EventKind::Call(call) => {
                let call = facts.call(call);
                self.is_written(scope.expr(call.callee), by)
                    // `weakref.ref(self, atexit.unregister)`
                    || facts.arguments(call).iter().any(|argument| self.is_written(scope.expr(*argument), by))
            }
            EventKind::Delete { target } => matches!(facts.expr(target), Expr::Subscript(base, _) if is_table(base)),
            EventKind::Bind { target, .. } => match facts.expr(target) {
                Expr::Subscript(base, key) => matches!(facts.expr(key), Expr::Slice(_)) && is_table(base),
                Expr::Attribute(..) => is_table(target),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether an expression is written with this dotted end, or is what it names.
    fn is_written(&self, expr: ExprRef, dotted: &str) -> bool {
        let mut at = expr.id;
        let facts = self.facts(expr.scope.module);
        let mut parts = dotted.rsplit('.').peekable();
        let (Expr::Attribute(_, last) | Expr::Name(last)) = facts.expr(at) else { return false };
        if Some(last.as_str()) != parts.peek().copied() {
            return false;
        }
        loop {
            let Some(part) = parts.next() else { return true };
            match facts.expr(at) {
                Expr::Attribute(base, name) if name.as_str() == part => at = base,
                Expr::Name(name) if name.as_str() == part && parts.peek().is_none() => return true,
                _ => break,
            }
        }
        matches!(self.resolve(expr), Definition::External(path) if path.as_str() == dotted)
    }
}
