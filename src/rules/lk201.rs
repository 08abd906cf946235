//! LK201: a function acquires what nothing ever releases.

use super::{Claim, Report, resources};
use crate::finding::{Confidence, Remedy};
use crate::program::resources::{Loss, LostResource};
use crate::program::{ModuleId, Program};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for lost in program.lost_resources(module) {
        let Loss::Never { name } = &lost.how else { continue };
        if lost.is_entered {
            continue;
        }
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        let LostResource { acquisition, .. } = lost;
        let function = program.function_name(acquisition.function);
        let what = resource.what;
        let (confidence, severity) = resources::weigh(program, acquisition, resource, Confidence::High);
        let mut related =
            vec![resources::acquirer(program, acquisition, format!("no way out of `{function}` releases it"))];
        related.extend(resources::origin(program, acquisition));
        let claim = Claim {
            span: program.event_location(acquisition.event).span,
            confidence,
            message: format!("`{function}` never releases the {what} in `{name}`, nor hands it on"),
            label: resources::fate(resource.lost).to_owned(),
            related,
            symbol: resources::symbol(program, lost, name),
        };
        let remedy = Remedy::CloseAfterUse { name: Name::new(name), method: resource.closing_method() };
        report.add_mendable(severity, resource.has_with_block().then_some(remedy), claim);
    }
}
