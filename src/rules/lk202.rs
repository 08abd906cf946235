//! LK202: one way through a function releases a resource, another loses it.

use super::{Claim, Report, label, resources};
use crate::finding::{Confidence, Label};
use crate::models::Lost;
use crate::program::resources::{Loss, LostAt, PathLoss};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for lost in program.lost_resources(module) {
        let Loss::OnPath(loss) = &lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        let (name, what) = (loss.name, resource.what);
        let way = match loss.lost {
            LostAt::Exit(_) | LostAt::End(_) => "on one way out",
            LostAt::Overwritten(_) => "when the name is bound again",
            LostAt::Reacquired => "when the loop goes round",
            LostAt::Exception(_) => "when an exception passes",
        };
        let mut related = vec![label(
            program,
            loss.released,
            if loss.is_handed_on { "another way hands it on here" } else { "another way releases it here" },
        )];
        related.extend(lost_label(program, module, loss));
        related.extend(resources::origin(program, &lost.acquisition));
        let (confidence, severity) =
            resources::weigh(program, &lost.acquisition, resource, believed(resource.lost, loss));
        let claim = Claim {
            span: program.event_location(lost.acquisition.event).span,
            confidence,
            message: format!("the {what} in `{name}` is lost {way}"),
            label: resources::fate(resource.lost).to_owned(),
            related,
            symbol: resources::symbol(program, lost, name.as_str()),
        };
        report.add_as(severity, claim);
    }
}

fn believed(lost: Lost, loss: &PathLoss) -> Confidence {
    match (lost, loss.lost) {
        // Whether the call ever raises is not known, and if it does, the reference goes soon.
        (Lost::Goes | Lost::Late, LostAt::Exception(_)) => Confidence::Low,
        (Lost::Stays, LostAt::Exception(_)) => Confidence::Medium,
        _ if loss.is_handed_on => Confidence::Medium,
        _ => Confidence::High,
    }
}

fn lost_label(program: &Program, module: ModuleId, loss: &PathLoss) -> Option<Label> {
    match loss.lost {
        LostAt::Exit(event) => Some(label(program, event, "this way leaves the function with it")),
        LostAt::Overwritten(event) => Some(label(program, event, "the name that holds it is lost here")),
        LostAt::Exception(event) => Some(label(program, event, "an exception of this call skips the release")),
        LostAt::Reacquired => None,
        LostAt::End(None) => None,
        LostAt::End(Some((span, holds))) => Some(Label {
            location: program.location(module, span),
            message: format!("lost where this is {}", if holds { "true" } else { "false" }),
        }),
    }
}
