//! LK103: an entry that is taken out after a wait, and stays when the wait fails or comes to nothing.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Label};
use crate::program::growth::exits::{Skipped, SkippedKind};
use crate::program::lifetimes::Lifetime;
use crate::program::{EventRef, ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, skipped) in program.skipped_removals(module) {
        let adds = skipped.growth.touch.event();
        let is_async = program.event_function(adds).is_some_and(|function| program.is_coroutine(function));
        let Some((confidence, reasons)) = confidence(program, place, &skipped, is_async) else { continue };
        let name = name(program, place, adds);
        let how = match skipped.kind {
            _ if !is_async => "wait after it times out",
            SkippedKind::Own => "`await` after it fails or is cancelled",
            SkippedKind::Task | SkippedKind::Cancelled => "`await` after it is cancelled",
            SkippedKind::TimedOut => "`await` after it times out",
        };
        let mut related = vec![label(program, skipped.holder.binding, held(program, place))];
        if skipped.growth.touch.through.is_some() {
            related.push(label(
                program,
                skipped.growth.touch.operation.event,
                "and this is where it goes in".to_owned(),
            ));
        }
        related.extend([
            label(
                program,
                skipped.wait,
                if is_async {
                    "what raises here leaves the entry behind"
                } else {
                    "whoever gives up here leaves the entry behind"
                },
            ),
            label(program, skipped.removal, removal(skipped.kind, is_async)),
        ]);
        related.extend(skipped.growth.repetition.reasons.iter().take(2).cloned());
        related.extend(reasons);
        related.dedup_by_key(|label| label.location);
        report.add(Claim {
            span: program.event_location(adds).span,
            confidence,
            message: format!("`{name}` keeps this entry when the {how}"),
            label: "added here".to_owned(),
            related,
            symbol: program.place_symbol(place),
        });
    }
}

/// The coroutine ends and others were meant to see the entry, so its container outlives the call; how long is only
/// known of some owners. What a thread waits for may be the same each time.
fn confidence(program: &Program, place: Place, skipped: &Skipped, is_async: bool) -> Option<(Confidence, Vec<Label>)> {
    let is_open = skipped.growth.domain.is_open() || skipped.kind == SkippedKind::Task;
    let by_key = match skipped.kind {
        _ if !is_open && (matches!(skipped.kind, SkippedKind::Own | SkippedKind::Cancelled) || !is_async) => {
            Confidence::Low
        }
        _ => Confidence::Medium,
    };
    let Place::Instance(class, _) = place else { return Some((by_key, Vec::new())) };
    let owner = program.owner(class);
    (owner.lifetime != Lifetime::Short).then_some((by_key, owner.reasons))
}

/// The container, as the function that adds to it would name it.
fn name(program: &Program, place: Place, adds: EventRef) -> String {
    let own =
        program.event_function(adds).and_then(|function| program.class_of_method(program.outermost_function(function)));
    match place {
        Place::Instance(class, name) if own.is_none_or(|own| !program.mro(own).contains(&class)) => {
            format!("{}.{name}", program.class(class).name)
        }
        _ => program.place_name(place),
    }
}

fn held(program: &Program, place: Place) -> String {
    match place {
        Place::Instance(class, _) => super::lk102::held(program, class),
        _ => "held for as long as the process runs".to_owned(),
    }
}

fn removal(kind: SkippedKind, is_async: bool) -> &'static str {
    match kind {
        SkippedKind::Cancelled => "this is reached if the `await` returns or fails",
        SkippedKind::Own if !is_async => "this is reached only if something comes in time",
        SkippedKind::Own => "this is reached only if the `await` returns",
        SkippedKind::Task | SkippedKind::TimedOut => "only this takes it out, when the wait ends as it should",
    }
}
