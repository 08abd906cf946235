//! LK405: tasks stay in their owner's collection when they are done.

use super::{Claim, Report, label};
use crate::finding::Confidence;
use crate::program::lifetimes::Lifetime;
use crate::program::{ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for kept in program.kept_tasks(module) {
        let Some(function) = program.event_function(kept.event) else { continue };
        // What only grows for as long as a server or the process is the affair of the rules on growth.
        let is_growth = match kept.place {
            Place::Instance(class, _) => program.owner(class).lifetime >= Lifetime::Presumed,
            _ => true,
        };
        if is_growth && program.account(kept.place).is_some() {
            continue;
        }
        let place = program.place_name(kept.place);
        report.add(Claim {
            span: program.event_location(kept.event).span,
            confidence: Confidence::Medium,
            message: format!("`{}` keeps each task in `{place}` when it is done", program.function_name(function)),
            label: "with its result or exception, and nothing takes it out".to_owned(),
            related: vec![label(program, kept.told, "told of the task's end, and leaves it there")],
            symbol: program.place_symbol(kept.place),
        });
    }
}
