//! LK303: an exception is stored with its traceback, and nothing takes it out again.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Effect, Label};
use crate::program::exceptions::Thrown;
use crate::program::exceptions::kept::KeptException;
use crate::program::lifetimes::Lifetime;
use crate::program::{EventRef, ModuleId, Place, Program, vocabulary};

/// So many classes that are derived from one have objects enough.
const MANY_CLASSES: usize = 10;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.kept_exceptions(module) {
        let Some((confidence, effect, reasons)) = judge(program, &found) else { continue };
        let function = program.function_name(found.function);
        let name = match found.place {
            Place::Class(..) => program.place_name(found.place),
            _ => found.written.clone(),
        };
        let mut related = Vec::new();
        if let Some(source) = found.thrown.source() {
            related.push(label(program, source, "this exception holds the frames that it passed through"));
        }
        if let Some(raised) = found.raised {
            related.push(label(
                program,
                raised,
                "raising it adds this frame, which holds the object, to its traceback",
            ));
        }
        if let Some(caught) = found.caught {
            related.push(label(program, caught, "whoever has caught it hands it to the object here"));
        }
        if let Some(also) = found.also {
            related.push(label(program, also, "and keeps it once more"));
        }
        related.extend(reasons);
        super::once_each(&mut related);
        report.add_with_effect(
            effect,
            Claim {
                span: program.event_location(found.stored).span,
                confidence,
                message: format!("`{name}` keeps {} with all frames of its traceback", what(&found)),
                label: chain(&found, &function),
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

fn chain(found: &KeptException, function: &str) -> String {
    let attribute = found.attribute;
    match (found.thrown.passed_here(), found.holder) {
        (true, Some(holder)) => {
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
        && found.thrown.passed_here()
    {
        let message = format!("`{variable}` has the one before, so that each exception keeps all earlier ones");
        return Some((Confidence::Medium, Effect::Rooted, vec![label(program, bound, message)]));
    }
    let Place::Instance(class, _) = found.place else {
        return match found.place {
            // One at a time, until the next.
            Place::Module(..) | Place::Class(..) if !found.is_item && !has_cost(program, found) => low,
            Place::Module(..) | Place::Class(..) => medium(Effect::Rooted),
            _ if found.thrown.passed_here() => medium(Effect::Delayed(cost(program, found))),
            _ => None,
        };
    };
    if found.is_item {
        let owner = program.owner(class);
        // What the project makes is judged by what becomes of it, not by what it is called.
        let is_called_so = owner.lifetime == Lifetime::Presumed && program.instantiations(class).is_empty();
        if owner.lifetime >= Lifetime::Long || is_called_so {
            return Some((Confidence::Medium, Effect::Rooted, owner.reasons));
        }
        if !found.thrown.passed_here() {
            return low;
        }
    }
    match (found.thrown.passed_here(), found.raised) {
        _ if found.is_meant && found.caught.is_none() => low,
        (true, _) => medium(Effect::Delayed(cost(program, found))),
        (false, Some(raised)) => medium(Effect::Delayed(cost_of_raising(program, found, raised))),
        (false, None) => low,
    }
}

/// What the frame holds that the exception has passed through, or that the object is filled again and again.
fn cost(program: &Program, found: &KeptException) -> Option<String> {
    let frame = program.cost_of_frame(found.stored).map(|cost| cost.what);
    frame
        .or_else(|| program.shown_to_repeat(found.function).map(|cost| cost.what))
        .or_else(|| one_for_each(program, found))
}

/// A base of many classes has many objects, each with an exception of its own.
fn one_for_each(program: &Program, found: &KeptException) -> Option<String> {
    let Place::Instance(class, _) = found.place else { return None };
    let classes = program.subclasses(class).len();
    let serves = vocabulary::is_serving_name(program.class(class).name.as_str());
    (serves && classes >= MANY_CLASSES).then(|| format!("one for each object of {classes} classes"))
}

fn has_cost(program: &Program, found: &KeptException) -> bool {
    program.cost_of_frame(found.stored).is_some()
}

/// What waits in the frames of those who raise it, or of those who have caught it before.
fn cost_of_raising(program: &Program, found: &KeptException, raised: EventRef) -> Option<String> {
    let frame = program.cost_of_frame(raised).map(|cost| cost.what);
    frame.or_else(|| found.caught.map(|_| "the frames of whoever has caught it".to_owned()))
}
