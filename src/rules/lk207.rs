//! LK207: one way through a function leaves a lock locked.

use super::{Claim, Report, label, lk202, resources};
use crate::finding::Confidence;
use crate::program::resources::{Loss, LostAt};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for lost in program.lost_resources(module) {
        let Loss::OnPath(loss) = &lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition).filter(|it| it.of_receiver) else { continue };
        let is_by_exception = matches!(loss.lost, LostAt::Exception(_) | LostAt::GivenUp(_));
        if loss.is_handed_on || matches!(loss.lost, LostAt::Overwritten(_) | LostAt::Thrown(_)) {
            continue;
        }
        let way = if is_by_exception { "when an exception passes" } else { "on one way out" };
        let mut related = vec![label(program, loss.released, "another way releases it here")];
        related.extend(lk202::lost_label(program, module, loss));
        report.add(Claim {
            span: program.event_location(lost.acquisition.event).span,
            confidence: if is_by_exception { Confidence::Medium } else { Confidence::High },
            message: format!("the {} `{}` stays locked {way}", resource.what, loss.name),
            label: "acquired here, and whoever wants it next waits for ever".to_owned(),
            related,
            symbol: resources::symbol(program, lost, &loss.name),
        });
    }
}
