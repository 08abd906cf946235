//! LK401: a hook that the process keeps for each instance or call.

use super::{Claim, Report, label};
use crate::finding::{Confidence, Label};
use crate::program::listeners::Emitter;
use crate::program::registries::{Cause, Registration};
use crate::program::repetition::Frequency;
use crate::program::{ClassRef, FunctionRef, ModuleId, Program, vocabulary};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    let of_process = |registration: &Registration| registration.emitter == Emitter::Process;
    for registration in program.registrations(module, true).into_iter().filter(of_process) {
        let path = registration.path;
        let ending = ending_method(program, &registration);
        let function = program.event_function(registration.event);
        let by = function.map_or("the module".to_owned(), |function| format!("`{}`", program.function_name(function)));
        let message = match registration.cause {
            Cause::Constructor(class) | Cause::Instance(class) if is_once_in_a_life(program, function) => {
                format!("{by} leaves a hook in `{path}` for every `{}`", program.class(class).name)
            }
            _ => format!("{by} leaves a hook in `{path}` on every call"),
        };
        let symbol = match function {
            Some(function) => format!("{}.{path}", program.function_symbol(function)),
            None => path.to_string(),
        };
        report.add(Claim {
            span: program.event_location(registration.event).span,
            confidence: confidence(program, &registration, ending),
            message: format!("{message}, and nothing takes it out"),
            label: match registration.inner {
                Some(_) => kept(program, &registration),
                None => format!("{}; {}", kept(program, &registration), registration.registry.why),
            },
            related: labels(program, &registration, ending),
            symbol,
        });
    }
}

/// What begins an object's life runs once in it; what else it does, it may do again.
fn is_once_in_a_life(program: &Program, function: Option<FunctionRef>) -> bool {
    let method = function.map(|function| program.outermost_function(function));
    method.is_none_or(|method| vocabulary::is_beginning_name(program.function(method).name.as_str()))
}

fn class_of(registration: &Registration) -> Option<ClassRef> {
    match registration.cause {
        Cause::Constructor(class) | Cause::Instance(class) => Some(class),
        _ => None,
    }
}

/// The method that ends the object while the process goes on, and leaves the hook where it is.
fn ending_method(program: &Program, registration: &Registration) -> Option<FunctionRef> {
    program.ending_method(class_of(registration)?)
}

fn confidence(program: &Program, registration: &Registration, ending: Option<FunctionRef>) -> Confidence {
    let is_repeated = registration.repetition.frequency == Frequency::Repeated;
    let is_shown = (is_repeated || program.is_made_in_loop(registration)) && !program.is_in_handler(registration.event);
    match registration.cause {
        Cause::Call if is_repeated && !registration.is_conditional => Confidence::High,
        Cause::Call if is_repeated => Confidence::Medium,
        // Whoever calls a public function may mean to call it once.
        Cause::Call | Cause::Key(_) => Confidence::Low,
        _ if program.begins_something(registration.event) => Confidence::Low,
        // One of a kind, made by whoever sets the program up.
        _ if !is_repeated && program.is_one_that_serves(registration.event) => Confidence::Low,
        // A process has a few of them; what can be ended before it, it may have many of.
        _ if registration.registry.only_if_shown && !is_shown => match ending {
            Some(_) => Confidence::Medium,
            None => Confidence::Low,
        },
        _ if is_repeated => Confidence::High,
        _ => Confidence::Medium,
    }
}

fn kept(program: &Program, registration: &Registration) -> String {
    match registration.cause {
        Cause::Constructor(class) => format!("each `{}` adds another", program.class(class).name),
        Cause::Instance(class) => format!("it keeps the `{}`, and each is a new one", program.class(class).name),
        _ => "adds another each time it runs".to_owned(),
    }
}

fn labels(program: &Program, registration: &Registration, ending: Option<FunctionRef>) -> Vec<Label> {
    let mut labels = Vec::new();
    if let Some(inner) = registration.inner {
        labels.push(label(program, inner, format!("goes in here: {}", registration.registry.why)));
    }
    labels.extend(registration.repetition.reasons.iter().cloned());
    labels.extend(registration.refuted.iter().take(2).cloned());
    if let Some(ending) = ending {
        labels.push(Label {
            location: program.location(ending.module, program.function(ending).name_span),
            message: format!("`{}` ends it and leaves the hook", program.function_name(ending)),
        });
    }
    super::once_each(&mut labels);
    labels
}
