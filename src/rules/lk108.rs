//! LK108: entries that were meant to go with their objects, and stay.

use super::{Claim, Report, growth, lk102};
use crate::finding::{Confidence, Label};
use crate::program::growth::weakness::Defeat;
use crate::program::growth::{Account, Growth};
use crate::program::lifetimes::Lifetime;
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, account) in program.accounts(module).iter().chain(program.instance_accounts(module)) {
        report_defeats(program, *place, account, report);
    }
    for (place, account) in program.identity_accounts(module) {
        report_defeats(program, place, &account, report);
    }
}

fn report_defeats(program: &Program, place: Place, account: &Account, report: &mut Report) {
    let growths: Vec<&Growth> = account.growths.iter().filter(|growth| growth.defeat.is_some()).collect();
    let Some(first) = growths.first() else { return };
    let Some(defeat) = first.defeat else { return };
    let Some((confidence, reasons)) = confidence(program, place, account, &growths) else { return };
    let name = program.place_name(place);
    let by = match program.event_function(first.touch.event()) {
        Some(function) => program.function_name(function),
        None => "the module".to_owned(),
    };
    let message = match defeat {
        Defeat::Identity => format!(
            "`{name}` keeps entries of objects that are gone: nothing takes out what `{by}` keeps under `id(…)`"
        ),
        Defeat::DeadReference => {
            format!("`{name}` keeps dead references: nothing takes out the weak references that `{by}` adds")
        }
        Defeat::ValueHoldsKey => {
            format!("`{name}` lets nothing go: the values that `{by}` stores hold their weak keys")
        }
        Defeat::KeyHoldsValue => {
            format!("`{name}` lets nothing go: the keys under which `{by}` stores hold the weak values")
        }
    };
    let mut related = growth::labels(program, account, &growths);
    related.extend(reasons);
    report.add(Claim {
        span: program.event_location(account.holder.binding).span,
        confidence,
        message,
        label: match place {
            Place::Instance(class, _) => lk102::held(program, class),
            _ => "held for as long as the process runs".to_owned(),
        },
        related,
        symbol: program.place_symbol(place),
    });
}

fn confidence(
    program: &Program,
    place: Place,
    account: &Account,
    growths: &[&Growth],
) -> Option<(Confidence, Vec<Label>)> {
    // Who refers weakly expects the object to end before the reference: each one is another in the end.
    let is_meant = |growth: &Growth| program.is_kept_weakly_beside(growth.touch.operation);
    let collects = |growth: &&&Growth| growth.defeat == Some(Defeat::DeadReference) && growth.is_append;
    let repeats = |growth: &&Growth| growth.repetition.frequency == Frequency::Repeated && !growth.is_conditional;
    let collected = growths.iter().filter(collects).map(|growth| match repeats(growth) {
        true => Confidence::High,
        false => Confidence::Medium,
    });
    let collected = collected.max().map(|sure| if account.escapes { sure.lowered() } else { sure });
    let strongest = collected.max(growth::confidence(program, place, account, growths))?;
    let Place::Instance(class, _) = place else { return Some((strongest, Vec::new())) };
    let owner = program.owner(class);
    let outlives = growths.iter().any(|growth| collects(&growth) || is_meant(growth));
    let most = match owner.lifetime {
        Lifetime::Unknown if outlives => Confidence::Medium,
        _ => growth::most_sure(&owner)?,
    };
    Some((strongest.min(most), owner.reasons))
}
