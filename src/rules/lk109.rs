//! LK109: a queue that is fed and never read.

use super::{Claim, Report, growth, lk102};
use crate::finding::Confidence;
use crate::models::Shape;
use crate::program::growth::{Account, Growth};
use crate::program::{ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, account) in program.accounts(module).iter().chain(program.instance_accounts(module)) {
        if account.holder.container.shape != Shape::Queue || account.escapes || program.may_be_read(*place) {
            continue;
        }
        let growths: Vec<&Growth> = account.growths.iter().collect();
        let Some(first) = growths.first() else { continue };
        let Some(confidence) = confidence(program, *place, account, &growths) else { continue };
        let by = match program.event_function(first.touch.event()) {
            Some(function) => program.function_name(function),
            None => "the module".to_owned(),
        };
        let (label, reasons) = match *place {
            Place::Instance(class, _) => (lk102::held(program, class), program.owner(class).reasons),
            _ => ("held for as long as the process runs".to_owned(), Vec::new()),
        };
        let mut related = growth::labels(program, account, &growths);
        related.extend(reasons);
        report.add(Claim {
            span: program.event_location(account.holder.binding).span,
            confidence,
            message: format!(
                "`{}` has no bound, and nothing reads what `{by}` puts into it",
                program.place_name(*place)
            ),
            label,
            related,
            symbol: program.place_symbol(*place),
        });
    }
}

fn confidence(program: &Program, place: Place, account: &Account, growths: &[&Growth]) -> Option<Confidence> {
    let strongest = growth::confidence(program, place, account, growths)?;
    let Place::Instance(class, name) = place else { return Some(strongest) };
    let most = growth::most_sure(&program.owner(class))?;
    // A public attribute may be the way in which others get what is in it.
    let most = if name.as_str().starts_with('_') { most } else { Confidence::Low };
    Some(strongest.min(most))
}
