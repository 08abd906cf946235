//! LK305: a nested function refers to itself, so that every call of the function around it leaves a cycle.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Effect, Label};
use crate::program::costs::Cost;
use crate::program::references::captures::Capture;
use crate::program::references::definitions::SelfReferring;
use crate::program::repetition::Frequency;
use crate::program::{FunctionRef, ModuleId, Program, ScopeRef};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.self_referring_functions(module) {
        let [(first, _), ..] = *found.steps.as_slice() else { continue };
        let [.., (_, last)] = *found.steps.as_slice() else { continue };
        let cost = cost(program, &found);
        let effect = Effect::Delayed(cost.as_ref().map(|cost| cost.what.clone()));
        if !report.is_asked_for(effect.most_confidence()) {
            continue;
        }
        let repetition = program.function_repetition(found.maker);
        if repetition.frequency <= Frequency::Once {
            continue;
        }
        let maker = program.function_name(found.maker);
        let mut related: Vec<Label> =
            found.steps.iter().filter_map(|(function, capture)| step(program, *function, capture, last.name)).collect();
        related.extend(cost.as_ref().and_then(|cost| cost.label.clone()));
        related.extend(repetition.reasons.into_iter().take(2));
        super::once_each(&mut related);
        report.add_with_effect(
            effect,
            Claim {
                span: program.function(first).name_span,
                confidence: Confidence::Medium,
                message: format!("`{}` refers to itself, so each call of `{maker}` leaves a cycle", last.name),
                label: match found.keeps.as_slice() {
                    [] => "made anew by each call".to_owned(),
                    keeps => format!("made anew by each call; it keeps {}", listed(keeps)),
                },
                related,
                symbol: format!("{}.{}", program.function_symbol(found.maker), last.name),
            },
        );
    }
}

/// The cycle is certain; what it costs is what it keeps until the collector runs, or how often it is made where it keeps
/// anything at all.
fn cost(program: &Program, found: &SelfReferring) -> Option<Cost> {
    let kept = program.cost_of_variables(found.keeps.iter().copied());
    let keeps_something = || found.keeps.iter().any(|(scope, name)| !program.is_light_variable(*scope, *name));
    kept.or_else(|| keeps_something().then(|| program.called_often_by(found.maker))?)
}

fn step(program: &Program, function: FunctionRef, capture: &Capture, first: Name) -> Option<Label> {
    let own = program.function(function).name;
    let own = if own.as_str() == "<lambda>" { first } else { own };
    let message = format!("uses the variable `{}`: `{own}` → its closure → `{}`", capture.name, capture.name);
    Some(label(program, capture.at?, message))
}

fn listed(names: &[(ScopeRef, Name)]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    let more = if names.len() > shown.len() { " and more" } else { "" };
    format!("{}{more}", shown.join(", "))
}
