//! LK303: an exception is stored with its traceback, and nothing takes it out again.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Effect, Label};
use crate::program::exceptions::Thrown;
use crate::program::exceptions::kept::KeptException;
use crate::program::lifetimes::Lifetime;
use crate::program::{ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.kept_exceptions(module) {
        let Some((confidence, effect, reasons)) = judge(program, &found) else { continue };
        let name = program.place_name(found.place);
        let mut related = Vec::new();
        if let Some(source) = found.thrown.source() {
            related.push(label(program, source, "this exception holds the frames that it passed through"));
        }
        if let Some((caller, event)) = found.handed_by {
            let caller = program.function_name(caller);
            related.push(label(program, event, format!("`{caller}` caught it: its frame is in the traceback")));
        }
        if let Some(raised) = found.raised {
            related.push(label(
                program,
                raised,
                "raising it adds this frame, which holds the object, to its traceback",
            ));
        }
        related.extend(reasons);
        super::once_each(&mut related);
        report.add_with_effect(
            effect,
            Claim {
                span: program.event_location(found.stored).span,
                confidence,
                message: format!("`{name}` keeps {} with all frames of its traceback", what(&found)),
                label: chain(program, &found),
                related,
                symbol: program.place_symbol(found.place),
            },
        );
    }
}

fn what(found: &KeptException) -> &'static str {
    match (found.is_item, found.thrown) {
        (_, Thrown::Frame(_)) => "a frame",
        (true, _) => "each exception",
        (false, _) => "an exception",
    }
}

fn chain(program: &Program, found: &KeptException) -> String {
    let attribute = found.attribute;
    match (found.passed(), found.holder) {
        (Some(function), Some(holder)) => {
            let function = program.function_name(function);
            format!("`{holder}` → `{attribute}` → exception → traceback → frame of `{function}` → `{holder}`")
        }
        _ => format!("`{attribute}` → exception → traceback → frames"),
    }
}

/// How far it is believed, what becomes of it, and why.
fn judge(program: &Program, found: &KeptException) -> Option<(Confidence, Effect, Vec<Label>)> {
    let medium = |effect| Some((Confidence::Medium, effect, Vec::new()));
    let low = Some((Confidence::Low, Effect::Delayed(None), Vec::new()));
    if found.is_let_go {
        return low;
    }
    if let Some((variable, bound)) = found.before
        && found.passed().is_some()
    {
        let message = format!("`{variable}` has the one before, so that each exception keeps all earlier ones");
        return Some((Confidence::Medium, Effect::Rooted, vec![label(program, bound, message)]));
    }
    let Place::Instance(class, _) = found.place else {
        return match found.place {
            Place::Module(..) | Place::Class(..) => medium(Effect::Rooted),
            _ if found.passed().is_some() => medium(Effect::Delayed(cost(program, found))),
            _ => None,
        };
    };
    if found.is_item {
        let owner = program.owner(class);
        if owner.lifetime >= Lifetime::Presumed {
            return Some((Confidence::Medium, Effect::Rooted, owner.reasons));
        }
        if found.passed().is_none() {
            return low;
        }
    }
    let raised = found.raised.map(|_| "the frames of whoever it is raised to".to_owned());
    match found.passed() {
        Some(_) if found.thrown.passed_here() => medium(Effect::Delayed(cost(program, found))),
        Some(_) => medium(Effect::Delayed(cost(program, found).or(raised))),
        None if raised.is_some() => medium(Effect::Delayed(raised)),
        None => low,
    }
}

/// What the frame holds that the exception has passed through, or the object that keeps it.
fn cost(program: &Program, found: &KeptException) -> Option<String> {
    let (function, caught) = found.handed_by.unwrap_or((found.function, found.stored));
    let frame = program.cost_of_frame(caught).map(|cost| cost.what);
    frame.or_else(|| program.called_often_by(function).map(|cost| cost.what))
}
