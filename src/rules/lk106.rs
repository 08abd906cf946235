//! LK106: entries in a library's own table that nothing takes out.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Label};
use crate::models::{EntryBy, Held};
use crate::program::domains::Domain;
use crate::program::registries::{Cause, Registration};
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program, vocabulary};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for registration in program.registrations(module, false) {
        let path = registration.path;
        let by = match program.event_function(registration.event) {
            Some(function) => format!("`{}`", program.function_name(function)),
            None => "the module".to_owned(),
        };
        let what = match registration.cause {
            Cause::Key(_) => "an entry for every new key",
            Cause::Call | Cause::Fresh => "an entry on every call",
            Cause::Constructor(_) | Cause::Instance(_) => "an entry for every instance",
        };
        let symbol = match program.event_function(registration.event) {
            Some(function) => format!("{}.{path}", program.function_symbol(function)),
            None => path.to_string(),
        };
        report.add(Claim {
            span: program.event_location(registration.event).span,
            confidence: confidence(program, &registration),
            message: format!("{by} leaves {what} in `{path}`, and nothing takes it out"),
            label: match registration.inner {
                Some(_) => reason(program, &registration),
                None => format!("{}; {}", reason(program, &registration), registration.registry.why),
            },
            related: labels(program, &registration),
            symbol,
        });
    }
}

fn confidence(program: &Program, registration: &Registration) -> Confidence {
    let is_repeated = registration.repetition.frequency == Frequency::Repeated;
    let is_shown = match registration.registry.entry {
        // What goes wrong, and what ends, is warned of seldom.
        EntryBy::Text(_) => is_repeated || !registration.repetition.is_surface,
        _ => is_repeated || program.is_made_in_loop(registration),
    } && !program.is_in_handler(registration.event);
    // Each of many people is warned of once, in a line of text.
    let names_person =
        matches!(registration.cause, Cause::Key(Domain::Open(why)) if vocabulary::is_of_person(why.as_str()));
    match registration.cause {
        _ if names_person && matches!(registration.registry.entry, EntryBy::Text(_)) => Confidence::Low,
        // A text that is seldom shown, and an object that a program may have a few of.
        _ if registration.registry.only_if_shown && !is_shown => Confidence::Low,
        Cause::Key(Domain::Open(_)) if is_repeated && !registration.is_conditional => Confidence::High,
        Cause::Key(Domain::Open(_)) => Confidence::Medium,
        Cause::Key(_) => Confidence::Low,
        Cause::Call if is_repeated && !registration.is_conditional => Confidence::High,
        Cause::Call if is_repeated || registration.registry.held == Held::Receiver => Confidence::Medium,
        // Whoever calls a public function may mean to call it once.
        Cause::Call => Confidence::Low,
        _ if is_repeated => Confidence::High,
        _ => Confidence::Medium,
    }
}

fn reason(program: &Program, registration: &Registration) -> String {
    match registration.cause {
        Cause::Key(Domain::Open(why) | Domain::Likely(why)) => format!("the key is {why}"),
        Cause::Key(_) => "another key each time".to_owned(),
        Cause::Call | Cause::Fresh => "adds another each time it runs".to_owned(),
        Cause::Constructor(class) => format!("each `{}` adds another", program.class(class).name),
        Cause::Instance(class) => format!("it keeps the `{}`, and each is a new one", program.class(class).name),
    }
}

fn labels(program: &Program, registration: &Registration) -> Vec<Label> {
    let mut labels = Vec::new();
    let why = registration.registry.why;
    if let Some(inner) = registration.inner {
        labels.push(label(program, inner, format!("goes in here: {why}")));
    }
    labels.extend(registration.repetition.reasons.iter().cloned());
    labels.extend(registration.refuted.iter().take(2).cloned());
    super::once_each(&mut labels);
    labels
}
