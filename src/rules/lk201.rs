//! LK201: a function acquires what nothing ever releases.

use super::{Claim, Report};
use crate::finding::{Confidence, Label};
use crate::models::Lost;
use crate::program::resources::{Loss, LostResource};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for lost in program.lost_resources(module) {
        let Loss::Never { name } = lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        let LostResource { acquisition, .. } = lost;
        let (what, path) = (resource.what, acquisition.path);
        let function = program.function_name(acquisition.function);
        let message = match name {
            Some(name) => format!("`{function}` never releases the {what} in `{name}`, nor hands it on"),
            None => format!("the {what} of `{path}` is used without a name, so nothing can release it"),
        };
        report.add(Claim {
            span: program.event_location(acquisition.event).span,
            confidence: match resource.lost {
                Lost::Stays => Confidence::High,
                Lost::Late => Confidence::Medium,
                Lost::Goes => Confidence::Low,
            },
            message,
            label: label(resource.lost).to_owned(),
            related: vec![Label {
                location: program.location(module, program.function(acquisition.function).name_span),
                message: format!("no way out of `{function}` releases it"),
            }],
            symbol: symbol(program, lost, name.map_or(path.as_str(), |name| name.as_str())),
        });
    }
}

/// What becomes of a resource that is lost.
pub(super) fn label(lost: Lost) -> &'static str {
    match lost {
        Lost::Stays => "acquired here, and no longer reachable once its names are gone",
        Lost::Late => "acquired here; it is part of a cycle, so only the collector releases it, some time later",
        Lost::Goes => "acquired here; released whenever the last reference goes",
    }
}

pub(super) fn symbol(program: &Program, lost: &LostResource, name: &str) -> String {
    format!("{}.{name}", program.function_symbol(lost.acquisition.function))
}
