//! LK206: a context manager that releases nothing when its block raises.

use super::{Claim, Report, label, lk202, resources};
use crate::finding::Confidence;
use crate::program::resources::{Loss, LostAt};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for lost in program.lost_resources(module) {
        let Loss::OnPath(loss) = &lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        if !matches!(loss.lost, LostAt::Thrown(_)) {
            continue;
        }
        let acquisition = &lost.acquisition;
        let function = program.function_name(acquisition.function);
        let what = resource.what;
        let (confidence, severity) = resources::weigh(program, lost, resource, Confidence::High);
        let mut related: Vec<_> = lk202::lost_label(program, module, loss).into_iter().collect();
        related.push(label(program, loss.released, "only a block that ends well comes here"));
        let claim = Claim {
            span: program.event_location(acquisition.event).span,
            confidence,
            message: format!("`{function}` does not release the {what} in `{}` when its block raises", loss.name),
            label: "acquired for the block".to_owned(),
            related,
            symbol: resources::symbol(program, lost, &loss.name),
        };
        report.add_as(severity, claim);
    }
}
