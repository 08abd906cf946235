//! LK306: a class statement in a function makes a class at each call.

use super::{Claim, Report};
use crate::finding::Confidence;
use crate::program::references::definitions::LocalClass;
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.local_classes(module) {
        let repetition = program.function_repetition(found.maker);
        if repetition.frequency <= Frequency::Once {
            continue;
        }
        let class = program.class(found.class);
        report.add(Claim {
            span: class.name_span,
            confidence: confidence(repetition.frequency, &found),
            message: format!(
                "each call of `{}` makes the class `{}` anew",
                program.function_name(found.maker),
                class.name
            ),
            label: "a class is a cycle by itself, and its bases list it until the collector runs".to_owned(),
            related: repetition.reasons.into_iter().take(3).collect(),
            symbol: program.class_symbol(found.class),
        });
    }
}

/// A class that leaves the function may be what the function is for; one that only the function itself uses might as
/// well stand outside of it.
fn confidence(frequency: Frequency, found: &LocalClass) -> Confidence {
    match frequency {
        _ if found.captures => Confidence::Low,
        Frequency::Repeated => Confidence::Medium,
        _ if found.is_given_away => Confidence::Low,
        _ => Confidence::Medium,
    }
}
