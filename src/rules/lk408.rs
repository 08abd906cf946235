//! LK408: a loop over an async generator is left early, and nobody closes the generator.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Label};
use crate::program::async_generators::{Left, OpenGenerator};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.open_generators(module) {
        let name = program.function_name(found.generator);
        let Some(around) = program.event_function(found.event) else { continue };
        report.add(Claim {
            span: program.event_location(found.event).span,
            confidence: match found.how {
                Left::Here => Confidence::High,
                Left::ByReader => Confidence::Medium,
            },
            message: format!("`{}` may leave `{name}` open", program.function_name(around)),
            label: "`async for` does not close what it iterates over".to_owned(),
            related: labels(program, &found, &name),
            symbol: format!("{}.{name}", program.function_symbol(around)),
        });
    }
}

fn labels(program: &Program, found: &OpenGenerator, name: &str) -> Vec<Label> {
    let left = match found.how {
        Left::Here => "leaves the loop before the generator has ended",
        Left::ByReader => "whoever reads this may stop here, and only this generator is told",
    };
    let pending = match found.pending.is_with {
        true => {
            format!("`{name}` is in this block when it is dropped; the event loop ends it later, in a task of its own")
        }
        false => format!(
            "`{name}` has this still to do when it is dropped; the event loop runs it later, in a task of its own"
        ),
    };
    let mut labels = vec![label(program, found.left, left)];
    labels.push(Label { location: found.pending.location, message: pending });
    labels
}
