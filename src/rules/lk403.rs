//! LK403: a task that nothing keeps.

use super::{Claim, Report};
use crate::finding::{Confidence, Label};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for task in program.dropped_tasks(module) {
        let Some(function) = program.event_function(task.event) else { continue };
        let function_name = program.function_name(function);
        let work = task.work.map(|work| format!("`{}`", program.function_name(work)));
        let mut related = Vec::new();
        related.extend(task.rounds.map(|location| Label {
            location,
            message: format!("{} waits here for as long as the program", work.as_deref().unwrap_or("it")),
        }));
        report.add(Claim {
            span: program.event_location(task.event).span,
            // What ends soon mostly ends before anybody collects it.
            confidence: if task.rounds.is_some() { Confidence::Medium } else { Confidence::Low },
            message: format!("`{function_name}` drops the task of {}", work.as_deref().unwrap_or("a coroutine")),
            label: "event loop → task is a weak reference: the collector may take it while it waits".to_owned(),
            related,
            symbol: format!("{}.{}", program.function_symbol(function), work.unwrap_or_default().trim_matches('`')),
        });
    }
}
