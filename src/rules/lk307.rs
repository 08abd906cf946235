//! LK307: the cyclic garbage collector is switched off and stays off.

use super::{Claim, Report};
use crate::finding::{Confidence, Effect};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for event in program.collector_left_off(module) {
        let (by, symbol) = match program.event_function(event) {
            Some(function) => (program.function_name(function), program.function_symbol(function)),
            None => ("the module".to_owned(), program.scope_symbol(program.event_scope(event))),
        };
        let by = if by == "the module" { by } else { format!("`{by}`") };
        report.add_with_effect(
            Effect::Uncollectable,
            Claim {
                span: program.event_location(event).span,
                confidence: Confidence::Medium,
                message: format!("{by} switches the cyclic garbage collector off, and nothing switches it on again"),
                label: "from here on, every cycle of objects stays until the process ends".to_owned(),
                related: Vec::new(),
                symbol: format!("{symbol}.gc.disable"),
            },
        );
    }
}
