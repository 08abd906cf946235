//! LK406: a `__del__` that cannot run, because work that the object started holds it.

use super::{Claim, Report};
use crate::finding::{Confidence, Label};
use crate::program::{FunctionRef, ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.finalizers_kept_off(module) {
        let class = program.class(found.class).name;
        let work = program.function_name(found.work);
        let kind = if program.function(found.work).is_async { "task" } else { "thread" };
        let name_of = |function: FunctionRef| program.location(function.module, program.function(function).name_span);
        report.add(Claim {
            span: program.event_location(found.event).span,
            confidence: Confidence::High,
            message: format!("`__del__` of `{class}` cannot run while `{work}` does"),
            label: format!("`{class}` → its {kind} → frame of `{work}` → `self` → `{class}`"),
            related: vec![
                Label { location: found.rounds, message: format!("`{work}` holds its object in each round") },
                Label {
                    location: name_of(found.finalizer),
                    message: format!("waits for the last reference to the `{class}`"),
                },
            ],
            symbol: format!("{}.__del__", program.class_symbol(found.class)),
        });
    }
}
