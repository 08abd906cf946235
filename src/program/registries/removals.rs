//! What takes entries out of a library's table again.

use super::{Program, Site};
use crate::facts::{EventId, EventKind, Expr, ExprId};
use crate::finding::Label;
use crate::models::Registry;
use crate::program::names::Definition;
use crate::program::repetition::Frequency;
use crate::program::{EventRef, ExprRef, ModuleId, Place, ScopeRef};
use crate::source::Name;

impl Program<'_> {
    /// The removals that do not help; `None` where there is one that does.
    pub(super) fn refuted_removals(&self, site: Site, registry: &Registry) -> Option<Vec<Label>> {
        let mut refuted = Vec::new();
        for removal in self.registry_removals(site, registry) {
            if self.repetition(removal).frequency > Frequency::Never || self.event_function(removal).is_none() {
                return None;
            }
            let message = "this does not help: nobody runs it".to_owned();
            refuted.push(Label { location: self.event_location(removal), message });
        }
        Some(refuted)
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
