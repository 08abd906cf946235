//! LK202: one way through a function releases a resource, another loses it.

use super::{Claim, Report, label, resources};
use crate::facts::{EventKind, Expr};
use crate::finding::{Confidence, Label, Remedy, Severity};
use crate::models::{Lost, Resource};
use crate::program::repetition::Frequency;
use crate::program::resources::{Because, Loss, LostAt, LostResource, PathLoss};
use crate::program::{ModuleId, Program};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    let is_ours = |lost: &&LostResource| {
        !lost.is_entered
            && matches!(&lost.how, Loss::OnPath(loss) if !matches!(loss.lost, LostAt::Thrown(_)))
            && program.resource_of(&lost.acquisition).is_some_and(|resource| !resource.of_receiver)
    };
    let all = program.lost_resources(module).iter().filter(is_ours).collect();
    let confidence = |lost: &LostResource| {
        let resource = program.resource_of(&lost.acquisition)?;
        let Loss::OnPath(loss) = &lost.how else { return None };
        Some((weigh(program, lost, resource, loss), way(loss)))
    };
    // What a `with` can mend is told by itself.
    let is_alike = |first: &LostResource, other: &LostResource| {
        let resource = program.resource_of(&first.acquisition);
        resource.is_some_and(|resource| resource.lost == Lost::Stays || resource.is_costly)
            && confidence(first) == confidence(other)
    };
    for (lost, others) in resources::by_function(program, all, is_alike) {
        let Loss::OnPath(loss) = &lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        let (name, what, way) = (&loss.name, resource.what, way(loss));
        let (labels, also) = resources::of_same_function(program, &others);
        let mut related = Vec::new();
        let is_late = loss.because == Because::TimeOut;
        if !is_late {
            let how = if loss.is_handed_on { "hands it on" } else { "releases it" };
            related.push(label(program, loss.released, format!("another way {how} here")));
        }
        related.extend(lost_label(program, module, loss));
        related.extend(resources::origin(program, &lost.acquisition));
        related.extend(labels);
        let (confidence, severity) = weigh(program, lost, resource, loss);
        let claim = Claim {
            span: program.event_location(lost.acquisition.event).span,
            confidence,
            message: format!("the {what} in `{name}` is lost {way}{also}"),
            label: if is_late { "goes on until somebody ends it" } else { resources::fate(resource.lost) }.to_owned(),
            related,
            symbol: resources::symbol(program, lost, name),
        };
        let remedy = Remedy::ReleaseOnEveryWay {
            name: Name::new(name),
            release: program.event_location(loss.released).span,
            method: resource.closing_method(),
        };
        report.add_mendable(severity, (!loss.is_handed_on && !is_late && others.is_empty()).then_some(remedy), claim);
    }
}

fn way(loss: &PathLoss) -> &'static str {
    match loss.lost {
        LostAt::Exception(_) if loss.because == Because::TimeOut => "when the time is up",
        LostAt::Exit(_) | LostAt::End(_) => "on one way out",
        LostAt::Overwritten(_) => "when the name is bound again",
        LostAt::Reacquired => "when the loop goes round",
        LostAt::Exception(_) | LostAt::Thrown(_) => "when an exception passes",
        LostAt::GivenUp(_) => "when the generator is given up",
    }
}

fn weigh(program: &Program, lost: &LostResource, resource: &Resource, loss: &PathLoss) -> (Confidence, Severity) {
    // A process whose time is up goes on whether or not anybody has a reference to it.
    if loss.because == Because::TimeOut {
        let is_repeated = program.frequency(lost.acquisition.event) >= Frequency::Presumed;
        return (if is_repeated { Confidence::Medium } else { Confidence::Low }, Severity::Warning);
    }
    resources::weigh(program, lost, resource, believed(program, resource, loss))
}

fn believed(program: &Program, resource: &Resource, loss: &PathLoss) -> Confidence {
    let is_expected = matches!(loss.because, Because::Failure | Because::Passing);
    match (resource.lost, loss.lost) {
        // What another way reads to its end is not taken for something to be closed by who reads nothing.
        (Lost::Goes, _) if is_read(program, resource, loss) => Confidence::Low,
        // Whether the call ever raises is not known, and if it does, the reference goes soon.
        (Lost::Goes | Lost::Late, LostAt::Exception(_)) if !is_expected => Confidence::Low,
        _ if loss.because == Because::Guess => Confidence::Low,
        (_, LostAt::Exception(_) | LostAt::GivenUp(_)) => Confidence::Medium,
        _ if loss.is_handed_on || loss.because == Because::Failure => Confidence::Medium,
        _ => Confidence::High,
    }
}

/// Whether what releases it on another way is that it is read to its end.
fn is_read(program: &Program, resource: &Resource, loss: &PathLoss) -> bool {
    let facts = program.facts(loss.released.module);
    let EventKind::Call(call) = facts.event(loss.released.id).kind else { return false };
    matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, method)
        if Resource::names(&resource.read_by, method))
}

pub(super) fn lost_label(program: &Program, module: ModuleId, loss: &PathLoss) -> Option<Label> {
    match loss.lost {
        LostAt::Exit(event) => Some(label(program, event, "this way out does not release it")),
        LostAt::Overwritten(event) => Some(label(program, event, "the name that holds it is lost here")),
        LostAt::Exception(event) if loss.because == Because::Passing => {
            Some(label(program, event, "what is raised here passes by the handler that releases it"))
        }
        LostAt::Exception(event) if loss.because == Because::TimeOut => {
            Some(label(program, event, "raises when it takes longer, and no way from there ends it"))
        }
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
