//! LK309: an exception that a module or class holds is raised again and again, and keeps the frames of each time.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Effect};
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.shared_exceptions(module) {
        let name = program.place_name(found.place);
        let function = program.function_name(found.function);
        let mut related = vec![label(program, found.made, "made once, for all who raise it")];
        related.extend(found.repetition.reasons);
        super::once_each(&mut related);
        report.add_with_effect(
            Effect::Rooted,
            Claim {
                span: program.event_location(found.raised).span,
                confidence: match found.repetition.frequency {
                    _ if found.tells_of_mistake => Confidence::Low,
                    Frequency::Repeated => Confidence::High,
                    _ => Confidence::Medium,
                },
                message: format!("`{name}` keeps the frames of each time that `{function}` raises it"),
                label: format!("`{name}` → traceback, which only grows → frames"),
                related,
                symbol: program.place_symbol(found.place),
            },
        );
    }
}
