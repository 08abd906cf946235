//! LK201: a function acquires what nothing ever releases.

use super::resources::Told;
use super::{Claim, Report, resources};
use crate::finding::{Confidence, Label, Remedy};
use crate::program::resources::{Loss, LostResource};
use crate::program::{ModuleId, Program};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    let never = program.lost_resources(module).iter().filter(|lost| !lost.is_entered);
    let never = never.filter(|lost| matches!(lost.how, Loss::Never { .. })).collect();
    let mut alone = Vec::new();
    for told in resources::by_giver(program, never) {
        let (lost, others) = &told;
        match others.is_empty() && !is_mendable(program, lost) {
            true => alone.push(*lost),
            false => tell(program, &told, resources::of_same_giver(program, lost, others), report),
        }
    }
    // A strong finding is not told behind a weak one.
    let weight = |lost: &LostResource| {
        program
            .resource_of(&lost.acquisition)
            .map(|resource| resources::weigh(program, lost, resource, Confidence::High))
    };
    for told in resources::by_function(program, alone, |first, other| weight(first) == weight(other)) {
        let also = resources::of_same_function(program, &told.1);
        tell(program, &told, also, report);
    }
}

fn tell(program: &Program, (lost, others): &Told, (labels, also): (Vec<Label>, String), report: &mut Report) {
    let Loss::Never { name, .. } = &lost.how else { return };
    let Some(resource) = program.resource_of(&lost.acquisition) else { return };
    let LostResource { acquisition, .. } = lost;
    let function = program.function_name(acquisition.function);
    let what = resource.what;
    let (confidence, severity) = resources::weigh(program, lost, resource, Confidence::High);
    let mut related =
        vec![resources::acquirer(program, acquisition, format!("no way out of `{function}` releases it"))];
    related.extend(resources::origin(program, acquisition));
    related.extend(labels);
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
    report.add_mendable(severity, (is_mendable(program, lost) && others.is_empty()).then_some(remedy), claim);
}

fn is_mendable(program: &Program, lost: &LostResource) -> bool {
    let is_contained = matches!(lost.how, Loss::Never { is_contained: true, .. });
    !is_contained && program.resource_of(&lost.acquisition).is_some_and(|resource| resource.has_with_block())
}
