//! LK402: a listener that its emitter keeps when it has ended.

use super::{Claim, Report};
use crate::finding::{Confidence, Label};
use crate::program::listeners::{Emitter, Listener};
use crate::program::registries::{Cause, Registration};
use crate::program::repetition::Frequency;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for listener in program.listeners(module) {
        let Some(function) = program.event_function(listener.event) else { continue };
        let what = match listener.cause {
            Cause::Constructor(class) | Cause::Instance(class) => format!("each `{}`", program.class(class).name),
            _ => format!("what each call of `{}` registers", program.function_name(function)),
        };
        let keeper = match listener.emitter {
            Emitter::Process => "stays registered until the process ends",
            Emitter::Given => "stays registered for as long as its emitter lives",
        };
        let removal = program.function(listener.removal).name;
        let mut related = program.listener_labels(&listener);
        super::once_each(&mut related);
        report.add(Claim {
            span: program.event_location(listener.event).span,
            confidence: confidence(program, &listener),
            message: format!("{what} {keeper}: nothing calls `{removal}`"),
            label: format!("`{}` → {}", program.place_name(listener.place), what_is_kept(program, &listener)),
            related,
            symbol: format!("{}.{}", program.function_symbol(function), program.place_name(listener.place)),
        });
    }
    let registrations = program.registrations(module, true);
    let of_emitters = registrations.iter().filter(|registration| registration.emitter == Emitter::Given);
    let mut told = Vec::new();
    for registration in of_emitters {
        // An object that registers several methods is one that stays.
        let one = (registration.cause, registration.path, program.event_function(registration.event));
        if !told.contains(&one) {
            told.push(one);
            report_in_library(program, registration, report);
        }
    }
    for listener in program.added_listeners(module) {
        let function = program.function_name(listener.function);
        let path = format!("{}.{}", listener.emitter, listener.container);
        let class = program.class(listener.class).name;
        let mut related = listener.reasons;
        super::once_each(&mut related);
        report.add(Claim {
            span: program.event_location(listener.event).span,
            confidence: Confidence::Medium,
            message: format!("what each call of `{function}` adds to `{path}` is never taken out"),
            label: format!("`{class}` → `{}` → what is added, with all that it uses", listener.container),
            related,
            symbol: format!("{}.{path}", program.function_symbol(listener.function)),
        });
    }
    for callback in program.lasting_callbacks(module) {
        let Some(function) = program.event_function(callback.event) else { continue };
        let (name, future) = (program.function_name(function), callback.future);
        let mut related = program.lasting_callback_labels(&callback);
        super::once_each(&mut related);
        report.add(Claim {
            span: program.event_location(callback.event).span,
            confidence: Confidence::Medium,
            message: format!(
                "each call of `{name}` adds a callback to `{future}`: nothing calls `remove_done_callback`"
            ),
            label: "kept until the future is done, which is at the end".to_owned(),
            related,
            symbol: format!("{}.{future}", program.function_symbol(function)),
        });
    }
}

/// A listener that an emitter of a library keeps.
fn report_in_library(program: &Program, registration: &Registration, report: &mut Report) {
    let Some(function) = program.event_function(registration.event) else { return };
    let class = match registration.cause {
        Cause::Constructor(class) | Cause::Instance(class) => class,
        _ => return,
    };
    let Some(removal) = registration.registry.removed_by.first() else { return };
    let ending = program.ending_method(class);
    let name = program.class(class).name;
    let removal = removal.as_str().trim_start_matches('.');
    let mut related = registration.repetition.reasons.clone();
    related.extend(ending.map(|ending| Label {
        location: program.location(ending.module, program.function(ending).name_span),
        message: format!("`{}` ends it and does not call `{removal}`", program.function_name(ending)),
    }));
    super::once_each(&mut related);
    let is_repeated = registration.repetition.frequency == Frequency::Repeated;
    report.add(Claim {
        span: program.event_location(registration.event).span,
        confidence: match ending {
            _ if program.is_one_that_serves(registration.event) && !is_repeated => Confidence::Low,
            None if !is_repeated => Confidence::Low,
            _ => Confidence::Medium,
        },
        message: format!("each `{name}` stays registered for as long as its emitter lives: nothing calls `{removal}`"),
        label: format!("emitter → callback → `{name}`; {}", registration.registry.why),
        related,
        symbol: format!("{}.{}", program.function_symbol(function), registration.path),
    });
}

/// The way from the emitter's container to what stays.
fn what_is_kept(program: &Program, listener: &Listener) -> String {
    match listener.cause {
        Cause::Constructor(class) | Cause::Instance(class) => format!("callback → `{}`", program.class(class).name),
        _ => "callback → what the call has in its hands".to_owned(),
    }
}

fn confidence(program: &Program, listener: &Listener) -> Confidence {
    let is_repeated = listener.repetition.frequency == Frequency::Repeated;
    let is_one = program.is_one_that_serves(listener.event);
    match (listener.emitter, listener.ending) {
        _ if is_one && !is_repeated => Confidence::Low,
        (Emitter::Process, _) if is_repeated => Confidence::High,
        (_, Some(_)) => Confidence::Medium,
        _ if listener.waits.is_some() => Confidence::Medium,
        (Emitter::Given, None) if is_repeated => Confidence::Medium,
        _ => Confidence::Low,
    }
}
