//! LK308: a context manager runs its `with` block while it handles an exception.

use super::{Claim, Report};
use crate::finding::{Confidence, Effect};
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.yields_in_handlers(module) {
        if program.function_frequency(found.function) == Frequency::Definition {
            continue;
        }
        let function = program.function_name(found.function);
        report.add_with_effect(
            Effect::Delayed(Some("the frames of whoever raises in the `with` block".to_owned())),
            Claim {
                span: program.event_location(found.yielded).span,
                confidence: Confidence::Medium,
                message: format!("what is raised in a `with` block of `{function}` keeps itself alive"),
                label: format!(
                    "exception → `__context__` → exception that is handled here → traceback → frame of `{function}` → exception"
                ),
                related: Vec::new(),
                symbol: program.function_symbol(found.function),
            },
        );
    }
}
