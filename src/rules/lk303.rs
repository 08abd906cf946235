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
        let name = match found.place {
            Place::Class(..) => program.place_name(found.place),
            _ => found.written.clone(),
        };
        let mut related = Vec::new();
        if let Some(source) = found.thrown.source() {
            let holds = match found.thrown {
                Thrown::Frame(_) => "this gives the frames of all callers with what they hold",
                _ => "this exception holds the frames that it passed through",
            };
            related.push(label(program, source, holds));
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
                message: format!("`{name}` keeps {}", what(&found)),
                label: chain(program, &found),
                related,
                symbol: program.place_symbol(found.place),
            },
        );
    }
}

fn what(found: &KeptException) -> &'static str {
    match (found.is_item, found.thrown) {
        (_, Thrown::Frame(_)) => "a frame with those of all its callers",
        (true, _) => "each exception with all frames of its traceback",
        (false, _) => "an exception with all frames of its traceback",
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
            // One at a time, until the next.
            Place::Module(..) | Place::Class(..) if !found.is_item && !has_cost(program, found) => low,
            Place::Module(..) | Place::Class(..) => medium(Effect::Rooted),
            _ if found.passed().is_some() => medium(Effect::Delayed(cost(program, found))),
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
        if found.passed().is_none() {
            return low;
        }
    }
    match found.passed() {
        _ if found.is_meant && found.caught.is_none() && found.handed_by.is_none() => low,
        Some(_) if found.thrown.passed_here() => medium(Effect::Delayed(cost(program, found))),
        Some(_) => medium(Effect::Delayed(cost(program, found).or_else(|| raised_to(found)))),
        None => match found.raised {
            Some(raised) => medium(Effect::Delayed(cost_of_raising(program, found, raised))),
            None => low,
        },
    }
}

/// What the frame holds that the exception has passed through, or that the object is filled again and again.
fn cost(program: &Program, found: &KeptException) -> Option<String> {
    let (function, caught) = found.handed_by.unwrap_or((found.function, found.stored));
    let frame = program.cost_of_frame(caught).map(|cost| cost.what);
    let often = || match found.handed_by {
        Some(_) => program.called_often_by(function),
        None => program.shown_to_repeat(function),
    };
    frame.or_else(|| often().map(|cost| cost.what)).or_else(|| one_for_each(program, found))
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

/// The object's own method has caught it, and whoever calls the object gets it raised.
fn raised_to(found: &KeptException) -> Option<String> {
    found.raised.map(|_| "the frames of whoever it is raised to".to_owned())
}

/// What waits in the frames of those who raise it, or of those who have caught it before.
fn cost_of_raising(program: &Program, found: &KeptException, raised: EventRef) -> Option<String> {
    let frame = program.cost_of_frame(raised).map(|cost| cost.what);
    frame.or_else(|| found.caught.map(|_| "the frames of whoever has caught it".to_owned()))
}
