//! LK306: a class statement in a function makes a class at each call.

use super::{Claim, Report};
use crate::finding::{Confidence, Effect};
use crate::program::costs::Cost;
use crate::program::references::definitions::LocalClass;
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program, vocabulary};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.local_classes(module) {
        let repetition = program.function_repetition(found.maker);
        if repetition.frequency <= Frequency::Once {
            continue;
        }
        let class = program.class(found.class);
        let cost = cost(program, &found);
        let mut related: Vec<_> = cost.as_ref().and_then(|cost| cost.label.clone()).into_iter().collect();
        related.extend(repetition.reasons.into_iter().take(3));
        super::once_each(&mut related);
        report.add_with_effect(
            Effect::Delayed(cost.map(|cost| cost.what)),
            Claim {
                span: class.name_span,
                confidence: confidence(repetition.frequency, &found),
                message: format!(
                    "each call of `{}` makes the class `{}` anew",
                    program.function_name(found.maker),
                    class.name
                ),
                label: "a class is a cycle by itself, and its bases list it until the collector runs".to_owned(),
                related,
                symbol: program.class_symbol(found.class),
            },
        );
    }
}

/// A class that leaves the function, or is derived from what only the function knows, may be what the function is for; one that only the function itself uses might as
/// well stand outside of it.
fn confidence(frequency: Frequency, found: &LocalClass) -> Confidence {
    match frequency {
        _ if found.captures || found.belongs_here => Confidence::Low,
        Frequency::Repeated => Confidence::Medium,
        _ if found.is_given_away => Confidence::Low,
        _ => Confidence::Medium,
    }
}

/// A class is some kilobytes, and the more often it is made, the more of them wait.
fn cost(program: &Program, found: &LocalClass) -> Option<Cost> {
    if is_stand_in(program, found) {
        return program.shown_to_repeat(found.maker);
    }
    program.called_often_by(found.maker).or_else(|| program.called_back_by(found.maker))
}

/// What is made for tests, by what it or its maker is called.
fn is_stand_in(program: &Program, found: &LocalClass) -> bool {
    let owner = program.class_of_method(found.maker).map(|class| program.class(class).name);
    let names = [Some(program.class(found.class).name), Some(program.function(found.maker).name), owner];
    names.into_iter().flatten().any(|name| vocabulary::is_stand_in_name(name.as_str()))
}
