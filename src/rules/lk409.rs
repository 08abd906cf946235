//! LK409: a task is left waiting each time, and the event that it waits for keeps it.

use super::{Claim, Report, label};
use crate::finding::Confidence;
use crate::program::abandoned_tasks::{AbandonedTask, Again, LeftBy, OutlivingTask};
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    let (abandoned, outliving) = program.abandoned_tasks(module);
    for found in abandoned {
        let Some(function) = program.event_function(found.event) else { continue };
        let what = program.awaited_name(&found);
        let each = match found.again {
            Again::Turn => format!("each turn of a loop in `{}`", program.function_name(function)),
            Again::Call(_) => format!("each call of `{}`", program.function_name(function)),
        };
        report.add(Claim {
            span: program.event_location(found.event).span,
            confidence: confidence(&found),
            message: match found.how {
                LeftBy::TimeoutOfFuture => format!("{each} may leave a future behind in `{what}`"),
                _ => format!("{each} may leave a task behind that waits for `{what}`"),
            },
            label: match found.how {
                LeftBy::TimeoutOfFuture => {
                    "the future leaves its container when it is done, and nothing ends it".to_owned()
                }
                _ => format!("the task ends when {}, and is kept until then", found.awaited.until),
            },
            related: program.abandoned_task_labels(&found),
            symbol: format!("{}.{what}", program.function_symbol(function)),
        });
    }
    for found in outliving {
        report_outliving(program, &found, report);
    }
}

fn report_outliving(program: &Program, found: &OutlivingTask, report: &mut Report) {
    let OutlivingTask { name, other, function, .. } = *found;
    report.add(Claim {
        span: program.event_location(found.event).span,
        confidence: Confidence::Medium,
        message: format!(
            "`{}` leaves the task in `{name}` behind when it is cancelled",
            program.function_name(function)
        ),
        label: "goes on, and nobody has it any more".to_owned(),
        related: vec![
            label(program, found.waited, "a cancellation leaves this, and all that it waits for, as it is"),
            label(program, found.cancels, format!("cancels the task in `{other}` only")),
        ],
        symbol: format!("{}.{name}", program.function_symbol(function)),
    });
}

fn confidence(found: &AbandonedTask) -> Confidence {
    let awaited = &found.awaited;
    // Whoever goes through the container may take them out, and does so in the end.
    if found.how == LeftBy::TimeoutOfFuture {
        return Confidence::Medium;
    }
    // An event that is set and cleared lets go of what has piled up.
    if !awaited.is_final && found.how == LeftBy::FirstCompleted {
        return Confidence::Low;
    }
    let is_certain = awaited.is_known && awaited.is_final;
    match &found.again {
        Again::Turn if is_certain => Confidence::High,
        Again::Turn => Confidence::Medium,
        Again::Call(repetition) if is_certain && repetition.frequency == Frequency::Repeated => Confidence::High,
        Again::Call(repetition) if repetition.frequency == Frequency::Repeated => Confidence::Medium,
        Again::Call(_) if is_certain => Confidence::Medium,
        Again::Call(_) => Confidence::Low,
    }
}
