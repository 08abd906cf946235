//! LK304: a variable keeps an exception or frame, and with it the frame that the variable is in.

use super::{Claim, Report, label};
use crate::facts::{ContextKind, Expr};
use crate::finding::{Confidence, Effect};
use crate::program::costs::Cost;
use crate::program::exceptions::Thrown;
use crate::program::exceptions::locals::OutlivingLocal;
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.outliving_locals(module) {
        let cost = cost(program, &found);
        let effect = Effect::Delayed(cost.as_ref().map(|cost| cost.what.clone()));
        if !report.is_asked_for(effect.most_confidence()) {
            continue;
        }
        let repetition = program.function_repetition(found.function);
        if repetition.frequency == Frequency::Definition {
            continue;
        }
        let function = program.function_name(found.function);
        let variable = found.variable;
        let mut related = Vec::new();
        if let Some(source) = found.thrown.source() {
            related.push(label(program, source, source_label(found.thrown)));
        }
        if let Some(left) = found.left {
            related.push(label(program, left, format!("`{function}` ends here, and `{variable}` still has it")));
        }
        let others = found.others.iter();
        related.extend(others.map(|(other, bound)| label(program, *bound, format!("`{other}` keeps one as well"))));
        related.extend(cost.as_ref().and_then(|cost| cost.label.clone()));
        // That it is public says nothing of how often it is called.
        if !repetition.is_surface {
            related.extend(repetition.reasons.into_iter().take(1));
        }
        super::once_each(&mut related);
        let what = if matches!(found.thrown, Thrown::Frame(_)) { "the frame" } else { "the exception" };
        report.add_with_effect(
            effect,
            Claim {
                span: program.event_location(found.bound).span,
                confidence: confidence(program, &found, repetition.frequency),
                message: format!("`{variable}` keeps {what} and is kept by it when `{function}` ends"),
                label: chain(found.thrown, &function, variable.as_str()),
                related,
                symbol: format!("{}.{variable}", program.function_symbol(found.function)),
            },
        );
    }
}

fn chain(thrown: Thrown, function: &str, variable: &str) -> String {
    match thrown {
        Thrown::Frame(_) => format!("frame of `{function}` → `{variable}` → frame of `{function}`"),
        _ => format!("`{variable}` → exception → traceback → frame of `{function}` → `{variable}`"),
    }
}

fn source_label(thrown: Thrown) -> &'static str {
    match thrown {
        Thrown::Frame(_) => "this is the frame of the function itself",
        Thrown::Current(_) => "the exception that is leaving this function",
        _ => "caught here; this name goes with the handler, the other one does not",
    }
}

/// Who is interrupted at the keyboard goes on to end.
fn confidence(program: &Program, found: &OutlivingLocal, frequency: Frequency) -> Confidence {
    match frequency {
        _ if is_interrupted(program, found) => Confidence::Low,
        Frequency::Repeated | Frequency::Presumed => Confidence::Medium,
        _ => Confidence::Low,
    }
}

fn is_interrupted(program: &Program, found: &OutlivingLocal) -> bool {
    let facts = program.facts(found.bound.module);
    let mut handlers = facts.contexts_around(facts.event(found.bound.id).context);
    handlers.any(|context| {
        matches!(context.kind, ContextKind::Except(types)
            if matches!(facts.expr(types), Expr::Name(name) if name.as_str() == "KeyboardInterrupt"))
    })
}

/// What the frames hold that somebody would want to have back: of this function, or of all that are around it when an
/// exception passes the end of a `with` block.
fn cost(program: &Program, found: &OutlivingLocal) -> Option<Cost> {
    let name = program.function(found.function).name.as_str();
    if matches!(name, "__exit__" | "__aexit__") && matches!(found.thrown, Thrown::Current(_)) {
        return Some(Cost { what: "the frames of whoever used the `with` block".to_owned(), label: None });
    }
    program.cost_of_frame(found.bound)
}
