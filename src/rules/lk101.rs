//! LK101: a module- or class-level container that only grows, or a local that handlers keep or a loop without an end fills.

use rustc_hash::FxHashSet;

use super::{Claim, Report, growth, label};
use crate::finding::Confidence;
use crate::models::Shape;
use crate::program::growth::{Account, Growth};
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Place, Program, vocabulary};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    check_holders(module, program, report);
    check_aliases(module, program, report);
    check_loops(module, program, report);
}

fn check_holders(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, account) in program.accounts(module) {
        let growths: Vec<_> = account
            .growths
            .iter()
            .filter(|growth| is_plain(account, growth) && !changes_constant(account, growth))
            .collect();
        let Some(confidence) = growth::confidence(program, *place, account, &growths) else { continue };
        let Some(first) = growths.first() else { continue };
        let name = program.place_name(*place);
        let held = match *place {
            Place::Local(scope, name) if !program.is_parameter(scope, name) => "kept by the handlers that use it",
            _ => "held for as long as the process runs",
        };
        report.add(Claim {
            span: program.event_location(account.holder.binding).span,
            confidence,
            message: format!("`{name}` only grows: {}", growth::summary(program, first)),
            label: held.to_owned(),
            related: growth::labels(program, account, &growths),
            symbol: program.place_symbol(*place),
        });
    }
}

/// A table of constants that grows because a value in it is extended under another name. The mistake is where it is
/// extended, so that is what is reported.
fn check_aliases(module: ModuleId, program: &Program, report: &mut Report) {
    let mut places: Vec<Place> = program
        .operations
        .in_module(module)
        .filter(|operation| operation.through_alias && operation.kind.is_growth() && program.is_shared(operation.place))
        .map(|operation| operation.place)
        .collect();
    let mut seen = FxHashSet::default();
    places.retain(|place| seen.insert(*place));
    for place in places {
        // Few tables are filled where they are made, and what becomes of one is a dear question.
        if !program.holder(place).is_some_and(|holder| holder.container.starts_filled) {
            continue;
        }
        let Some(account) = program.account(place) else { continue };
        let growths: Vec<_> = account.growths.iter().filter(|growth| changes_constant(&account, growth)).collect();
        let Some(first) = growths.iter().find(|growth| growth.touch.event().module == module) else { continue };
        let name = program.place_name(place);
        let mut related = vec![label(program, account.holder.binding, format!("`{name}` is shared by every run"))];
        related.extend(first.repetition.reasons.iter().cloned());
        report.add(Claim {
            span: program.event_location(first.touch.event()).span,
            confidence: match first.repetition.frequency {
                _ if account.escapes || first.is_conditional => Confidence::Low,
                Frequency::Repeated => Confidence::High,
                _ => Confidence::Medium,
            },
            message: format!("each run extends what `{name}` holds, not a copy of it"),
            label: String::new(),
            related,
            symbol: program.place_symbol(place),
        });
    }
}

/// A local of a loop that goes on for as long as the program, unless it may do so only while a peer is there.
fn check_loops(module: ModuleId, program: &Program, report: &mut Report) {
    for local in program.filled_by_loops(module) {
        let Some(function) = program.event_function(local.growth) else { continue };
        let name = local.name;
        let serves_a_peer = program.facts(module).parameters(program.function(function)).iter().any(|parameter| {
            let word = vocabulary::last_word(parameter.name.as_str());
            vocabulary::is_open_end_name(parameter.name.as_str())
                || matches!(word.as_str(), "reader" | "writer" | "client")
        });
        report.add(Claim {
            span: program.event_location(local.made).span,
            confidence: if serves_a_peer { Confidence::Low } else { Confidence::Medium },
            message: format!("`{name}` only grows: nothing takes out what each round of the loop adds"),
            label: "held for as long as the loop goes on".to_owned(),
            related: vec![label(program, local.growth, "adds here each time it runs"), local.rounds],
            symbol: format!("{}.{name}", program.function_symbol(function)),
        });
    }
}

/// Neither a memo nor meant to go with its object nor in a queue: those have rules of their own. What lies below keys
/// that were meant to go is told of with these.
pub fn is_plain(account: &Account, growth: &Growth) -> bool {
    let level = growth.touch.operation.level;
    let is_below_defeat =
        account.growths.iter().any(|other| other.defeat.is_some() && other.touch.operation.level < level);
    !account.is_memo(growth)
        && growth.defeat.is_none()
        && !is_below_defeat
        && account.holder.container.shape != Shape::Queue
}

fn changes_constant(account: &Account, growth: &Growth) -> bool {
    account.holder.container.starts_filled && growth.touch.operation.through_alias && growth.touch.through.is_none()
}
