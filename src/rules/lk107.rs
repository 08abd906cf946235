//! LK107: what each thread or context has for itself only grows.

use super::{Claim, Report};
use crate::finding::{Confidence, Label};
use crate::program::domains::Domain;
use crate::program::repetition::Frequency;
use crate::program::thread_locals::{Held, ThreadLocalGrowth};
use crate::program::{ModuleId, Place, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for growth in program.thread_local_growths(module) {
        let name = program.thread_local_name(&growth);
        let by = match program.event_function(growth.event) {
            Some(function) => format!("`{}`", program.function_name(function)),
            None => "the module".to_owned(),
        };
        let message = match growth.held {
            Held::Attributes => {
                format!("{by} gives `{name}` an attribute under every new name, and nothing deletes it")
            }
            Held::Container(_) => format!("`{name}` only grows in each thread: nothing takes out what {by} adds"),
            Held::Default => {
                format!("the default of `{name}` is shared by all contexts and only grows: {by} adds to it")
            }
        };
        let symbol = match growth.held {
            Held::Container(attribute) => format!("{}.{attribute}", program.place_symbol(growth.place)),
            Held::Attributes | Held::Default => program.place_symbol(growth.place),
        };
        report.add(Claim {
            span: program.event_location(growth.event).span,
            confidence: confidence(&growth),
            message,
            label: match growth.domain {
                Domain::Open(why) if !growth.is_append => format!("the key is {why}"),
                _ => "adds here each time it runs".to_owned(),
            },
            related: labels(program, &growth),
            symbol,
        });
    }
}

fn confidence(growth: &ThreadLocalGrowth) -> Confidence {
    let is_repeated = growth.repetition.frequency == Frequency::Repeated;
    let found = match (growth.domain.is_open(), growth.is_append) {
        (true, _) | (_, true) if is_repeated && !growth.is_conditional => Confidence::High,
        (true, false) => Confidence::Medium,
        (_, true) if !growth.is_conditional => Confidence::Medium,
        _ => Confidence::Low,
    };
    // With the object that has it goes the thread-local.
    let dies_with_owner = matches!(growth.place, Place::Instance(..));
    if growth.escapes || dies_with_owner { found.lowered() } else { found }
}

fn labels(program: &Program, growth: &ThreadLocalGrowth) -> Vec<Label> {
    let mut labels = Vec::new();
    if let Some(binding) = growth.binding {
        let message = match growth.held {
            Held::Default => "this one container is every context's until it sets another",
            _ => "held for as long as the thread: pool threads and the main thread do not end",
        };
        labels.push(Label { location: program.event_location(binding), message: message.to_owned() });
    }
    labels.extend(growth.repetition.reasons.iter().cloned());
    let mut seen = vec![program.event_location(growth.event)];
    labels.retain(|label| {
        let is_new = !seen.contains(&label.location);
        seen.push(label.location);
        is_new
    });
    labels
}
