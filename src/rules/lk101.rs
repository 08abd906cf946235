//! LK101: a module- or class-level container that only grows.

use super::{Claim, Report, growth};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for place in program.shared_places(module) {
        let Some(account) = program.account(place) else { continue };
        if account.is_emptied() {
            continue;
        }
        let growths: Vec<_> = account.growths.iter().filter(|growth| !growth.is_memo).collect();
        let Some(confidence) = growth::confidence(&account, &growths) else { continue };
        let Some(first) = growths.first() else { continue };
        let name = program.place_name(place);
        report.add(Claim {
            span: program.event_location(account.holder.binding).span,
            confidence,
            message: format!("`{name}` only grows: {}", growth::summary(program, first)),
            label: "held for as long as the process runs".to_owned(),
            related: growth::labels(program, &account, &growths),
            symbol: program.place_symbol(place),
        });
    }
}
