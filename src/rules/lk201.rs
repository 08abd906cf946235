//! LK201: a function acquires what nothing ever releases.

use super::{Claim, Report, label, resources};
use crate::finding::{Confidence, Remedy};
use crate::program::resources::{Loss, LostResource};
use crate::program::{ModuleId, Program};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    let never = program.lost_resources(module).iter().filter(|lost| !lost.is_entered);
    for (lost, others) in resources::by_giver(program, never.filter(|lost| matches!(lost.how, Loss::Never { .. }))) {
        let Loss::Never { name } = &lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        let LostResource { acquisition, .. } = lost;
        let function = program.function_name(acquisition.function);
        let what = resource.what;
        let (confidence, severity) = resources::weigh(program, acquisition, resource, Confidence::High);
        let mut related =
            vec![resources::acquirer(program, acquisition, format!("no way out of `{function}` releases it"))];
        related.extend(resources::origin(program, acquisition));
        related.extend(others.iter().take(MOST_SHOWN).map(|other| {
            let again = format!("`{}` loses another", program.function_name(other.acquisition.function));
            label(program, other.acquisition.event, again)
        }));
        let also = match others.len() {
            0 => String::new(),
            more => format!("; {more} more calls of `{}` here lose theirs as well", program.giver_name(acquisition)),
        };
        let claim = Claim {
            span: program.event_location(acquisition.event).span,
            confidence,
            message: format!("`{function}` never releases the {what} in `{name}`, nor hands it on{also}"),
            label: resources::fate(resource.lost).to_owned(),
            related,
            symbol: resources::symbol(program, lost, name),
        };
        // Where many lose what one function gives them, that function is what to mend.
        let remedy = Remedy::CloseAfterUse { name: Name::new(name), method: resource.closing_method() };
        report.add_mendable(severity, (resource.has_with_block() && others.is_empty()).then_some(remedy), claim);
    }
}

/// How many of the others that lose what the same function gives are pointed at.
const MOST_SHOWN: usize = 3;
