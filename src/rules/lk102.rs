//! LK102: a container of a long-lived object that only grows.

use super::{Claim, Report, growth, lk101};
use crate::program::{ClassRef, ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, account) in program.instance_accounts(module) {
        let Place::Instance(class, _) = *place else { continue };
        let growths: Vec<_> = account.growths.iter().filter(|growth| lk101::is_plain(account, growth)).collect();
        let Some(first) = growths.first() else { continue };
        let owner = program.owner(class);
        let Some(confidence) = growth::instance_confidence(program, *place, account, &growths, &owner) else {
            continue;
        };
        let name = program.place_name(*place);
        let mut related = growth::labels(program, account, &growths);
        related.extend(owner.reasons.iter().cloned());
        super::once_each(&mut related);
        report.add(Claim {
            span: program.event_location(account.holder.binding).span,
            confidence,
            message: format!("`{name}` only grows: {}", growth::summary(program, first)),
            label: held(program, class),
            related,
            symbol: program.place_symbol(*place),
        });
    }
}

/// What a finding says of the container.
pub fn held(program: &Program, class: ClassRef) -> String {
    format!("held for as long as the `{}` lives", program.class(class).name)
}
