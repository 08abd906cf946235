//! LK205: a `with` that ends something else than the resource.

use super::{Claim, Report, resources};
use crate::facts::EventKind;
use crate::finding::Confidence;
use crate::program::resources::{Loss, LostAt};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    let entered = program.lost_resources(module).iter().filter(|lost| lost.is_entered).collect();
    for (lost, others) in resources::by_giver(program, entered) {
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        let acquisition = &lost.acquisition;
        let name = match &lost.how {
            Loss::Never { name, .. } => name,
            // Somebody closes it where all goes well.
            Loss::OnPath(loss) if !leaves_well(program, loss.lost) => continue,
            Loss::OnPath(loss) => &loss.name,
            Loss::Unnamed(_) => continue,
        };
        let what = resource.what;
        // Whoever wrote the block believes that it closes; that is a mistake even where it runs once.
        let (confidence, severity) = resources::weigh(program, lost, resource, Confidence::High);
        let confidence = if resource.ends_itself { confidence } else { confidence.max(Confidence::Medium) };
        let (labels, also) = resources::of_same_giver(program, lost, &others);
        let mut related: Vec<_> = resources::origin(program, acquisition).into_iter().collect();
        related.extend(labels);
        let claim = Claim {
            span: program.event_location(acquisition.event).span,
            confidence,
            message: format!("the `with` does not close the {what} in `{name}`, and nothing else does{also}"),
            label: resources::fate(resource.lost).to_owned(),
            related,
            symbol: resources::symbol(program, lost, name),
        };
        report.add_as(severity, claim);
    }
}

/// Whether a way ends the function and is not a failure.
fn leaves_well(program: &Program, lost: LostAt) -> bool {
    match lost {
        LostAt::Exit(event) => !matches!(program.facts(event.module).event(event.id).kind, EventKind::Raise { .. }),
        LostAt::End(_) => true,
        _ => false,
    }
}
