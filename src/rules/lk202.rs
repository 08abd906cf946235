//! LK202: one way through a function releases a resource, another loses it.

use super::{Claim, Report, label, resources};
use crate::finding::{Confidence, Label, Remedy};
use crate::models::Lost;
use crate::program::resources::{Loss, LostAt, PathLoss};
use crate::program::{ModuleId, Program};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for lost in program.lost_resources(module) {
        let Loss::OnPath(loss) = &lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition).filter(|it| !it.of_receiver) else { continue };
        if lost.is_entered || matches!(loss.lost, LostAt::Thrown(_)) {
            continue;
        }
        let (name, what) = (&loss.name, resource.what);
        let way = match loss.lost {
            LostAt::Exit(_) | LostAt::End(_) => "on one way out",
            LostAt::Overwritten(_) => "when the name is bound again",
            LostAt::Reacquired => "when the loop goes round",
            LostAt::Exception(_) | LostAt::Thrown(_) => "when an exception passes",
            LostAt::GivenUp(_) => "when the generator is given up",
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
            symbol: resources::symbol(program, lost, name),
        };
        let remedy = Remedy::ReleaseOnEveryWay {
            name: Name::new(name),
            release: program.event_location(loss.released).span,
            method: resource.closing_method(),
        };
        report.add_mendable(severity, (!loss.is_handed_on).then_some(remedy), claim);
    }
}

fn believed(lost: Lost, loss: &PathLoss) -> Confidence {
    match (lost, loss.lost) {
        // Whether the call ever raises is not known, and if it does, the reference goes soon.
        (Lost::Goes | Lost::Late, LostAt::Exception(_)) if !loss.is_failure => Confidence::Low,
        (_, LostAt::Exception(_) | LostAt::GivenUp(_)) => Confidence::Medium,
        _ if loss.is_handed_on || loss.is_failure => Confidence::Medium,
        _ => Confidence::High,
    }
}

pub(super) fn lost_label(program: &Program, module: ModuleId, loss: &PathLoss) -> Option<Label> {
    match loss.lost {
        LostAt::Exit(event) => Some(label(program, event, "this way leaves the function with it")),
        LostAt::Overwritten(event) => Some(label(program, event, "the name that holds it is lost here")),
        LostAt::Exception(event) | LostAt::Thrown(event) => {
            Some(label(program, event, "an exception that comes out here skips the release"))
        }
        LostAt::GivenUp(event) => Some(label(program, event, "who stops here never comes to the release")),
        LostAt::Reacquired => None,
        LostAt::End(None) => None,
        LostAt::End(Some((span, holds))) => Some(Label {
            location: program.location(module, span),
            message: format!("lost where this is {}", if holds { "true" } else { "false" }),
        }),
    }
}
