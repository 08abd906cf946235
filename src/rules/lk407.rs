//! LK407: what a weak reference was to let go is held by the callable beside it.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Label};
use crate::program::weak_closures::{DefeatedWeakness, HeldBy};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.defeated_weaknesses(module) {
        let object = found.object;
        let function = program.event_function(found.event);
        let place = function.map_or_else(String::new, |function| program.function_symbol(function));
        report.add(Claim {
            span: program.event_location(found.event).span,
            confidence: Confidence::High,
            message: format!("{} what the weak reference to `{object}` was to let go", holder(program, &found)),
            label: match found.by {
                HeldBy::Closure(..) => format!("made too late: the function has `{object}` in its closure by then"),
                HeldBy::OwnCallback(_) => format!("the reference keeps its callback, and that keeps `{object}`"),
                _ => format!("the finalizer keeps what it is to call, and so `{object}` never goes"),
            },
            related: labels(program, &found),
            symbol: format!("{place}.{object}"),
        });
    }
}

fn holder(program: &Program, found: &DefeatedWeakness) -> String {
    let name = |function| match program.function(function).name.as_str() {
        "<lambda>" => "the lambda".to_owned(),
        name => format!("`{name}`"),
    };
    match found.by {
        HeldBy::Closure(function, _) | HeldBy::Callback(function) => format!("{} holds", name(function)),
        HeldBy::OwnCallback(Some(function)) => format!("{} that is its callback holds", name(function)),
        HeldBy::OwnCallback(None) => format!("a method of `{}` that is its callback holds", found.object),
        HeldBy::Method(method) => format!("the method `{}.{method}` holds", found.object),
        HeldBy::Argument => "an argument of the finalizer holds".to_owned(),
    }
}

fn labels(program: &Program, found: &DefeatedWeakness) -> Vec<Label> {
    let here = program.event_location(found.event);
    let mut labels = Vec::new();
    if let HeldBy::Closure(function, at) = found.by {
        let message = format!("its closure → `{}`", found.object);
        labels
            .push(Label { location: program.location(function.module, program.function(function).name_span), message });
        labels.extend(at.map(|at| label(program, at, format!("uses the variable `{}`", found.object))));
    }
    labels.retain(|label| label.location != here);
    labels
}
