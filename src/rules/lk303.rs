//! LK303: an exception is stored with its traceback, and nothing takes it out again.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Label};
use crate::program::exceptions::Thrown;
use crate::program::exceptions::kept::KeptException;
use crate::program::lifetimes::Lifetime;
use crate::program::{ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.kept_exceptions(module) {
        let Some((confidence, reasons)) = confidence(program, &found) else { continue };
        let function = program.function_name(found.function);
        let name = program.place_name(found.place);
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
        related.extend(reasons);
        report.add(Claim {
            span: program.event_location(found.stored).span,
            confidence,
            message: format!("`{name}` keeps {} with all frames of its traceback", what(&found)),
            label: chain(&found, &function),
            related,
            symbol: program.place_symbol(found.place),
        });
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

fn confidence(program: &Program, found: &KeptException) -> Option<(Confidence, Vec<Label>)> {
    let none = Vec::new();
    if found.is_let_go {
        return Some((Confidence::Low, none));
    }
    match found.place {
        Place::Module(..) | Place::Class(..) => return Some((Confidence::Medium, none)),
        Place::Instance(class, _) if !found.thrown.passed_here() => {
            if found.raised.is_some() && !found.is_item {
                return Some((Confidence::Medium, none));
            }
            if !found.is_item {
                return Some((Confidence::Low, none));
            }
            let owner = program.owner(class);
            let is_long = owner.lifetime >= Lifetime::Presumed;
            return Some((if is_long { Confidence::Medium } else { Confidence::Low }, owner.reasons));
        }
        _ => {}
    }
    if !found.thrown.passed_here() {
        return None;
    }
    Some((Confidence::Medium, none))
}
