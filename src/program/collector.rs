//! The cyclic garbage collector, where the program switches it off.

use super::{EventRef, ModuleId, Program};
use crate::facts::Expr;
use crate::source::Name;

impl Program<'_> {
    /// Where a module switches the collector off for good: nothing in the program switches it on again, or runs it by hand.
    pub fn collector_left_off(&self, module: ModuleId) -> Vec<EventRef> {
        let disabled: Vec<EventRef> = self.collector_calls(module, "gc.disable");
        if disabled.is_empty() {
            return disabled;
        }
        let modules: Vec<ModuleId> = self.module_ids().filter(|module| !self.is_test(*module)).collect();
        let is_managed = modules.iter().any(|module| {
            ["gc.enable", "gc.collect"].iter().any(|path| !self.collector_calls(*module, path).is_empty())
        });
        // `resume = gc.enable` and `atexit.register(gc.enable)` name it without calling it.
        let is_named = || {
            let enable = Name::new("enable");
            modules.iter().any(|module| {
                self.module(*module).may_name(enable)
                    && self.facts(*module).exprs.iter().any(|expr| {
                        matches!(expr, Expr::Attribute(base, name) if *name == enable
                            && self.facts(*module).expr(*base) == Expr::Name(Name::new("gc")))
                    })
            })
        };
        if is_managed || is_named() { Vec::new() } else { disabled }
    }

    fn collector_calls(&self, module: ModuleId, path: &str) -> Vec<EventRef> {
        let facts = self.facts(module);
        let last = Name::new(path.rsplit('.').next().unwrap_or(path));
        if !self.module(module).may_name(last) {
            return Vec::new();
        }
        let imported = facts.imported_as(&[last]);
        let calls = facts.calls.iter().filter(|call| match facts.expr(call.callee) {
            Expr::Name(name) => imported.contains(&name),
            Expr::Attribute(_, name) => name == last,
            _ => false,
        });
        calls
            .map(|call| (EventRef::new(module, call.event), call.callee))
            .filter(|(event, callee)| {
                let callee = self.event_scope(*event).expr(*callee);
                self.external_path(callee).is_some_and(|found| found.as_str() == path)
            })
            .map(|(event, _)| event)
            .collect()
    }
}
