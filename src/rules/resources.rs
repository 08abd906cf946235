//! What the rules about resources have in common: how much a loss costs, and the labels that say so.

use crate::finding::{Confidence, Label, Severity};
use crate::models::{Lost, Resource};
use crate::program::Program;
use crate::program::repetition::Frequency;
use crate::program::resources::{Acquisition, LostResource, Source};

/// How far a loss is believed and how much it costs, for what is believed so far if the resource stays.
///
/// What the last reference releases is hidden by CPython until a traceback, a cycle or another interpreter keeps that
/// reference. It is worth a word where it happens again and again, and more than that where the resource is costly.
pub fn weigh(
    program: &Program,
    acquisition: &Acquisition,
    resource: &Resource,
    believed: Confidence,
) -> (Confidence, Severity) {
    if resource.lost == Lost::Stays {
        return (believed, Severity::Warning);
    }
    let is_repeated = program.repetition(acquisition.event).frequency >= Frequency::Presumed;
    (if is_repeated { believed.min(Confidence::Medium) } else { Confidence::Low }, severity(resource))
}

/// What refcounting hides on CPython is no more than a remark, unless it is costly.
pub fn severity(resource: &Resource) -> Severity {
    if resource.lost == Lost::Goes && !resource.is_costly { Severity::Info } else { Severity::Warning }
}

/// Losses of what one function of the project gives, told together: the first and the others. So are those of the
/// clients that a file makes, one for each call. Two are told apart.
pub fn by_giver<'a>(
    program: &Program,
    all: impl Iterator<Item = &'a LostResource>,
) -> Vec<(&'a LostResource, Vec<&'a LostResource>)> {
    let is_together = |first: &Acquisition, other: &Acquisition| {
        let is_client =
            || first.source == other.source && program.resource_of(first).is_some_and(|resource| resource.is_lazy);
        first.through == other.through && (first.through.is_some() || is_client())
    };
    let mut groups: Vec<(&LostResource, Vec<&LostResource>)> = Vec::new();
    for lost in all {
        match groups.iter_mut().find(|(first, _)| is_together(&first.acquisition, &lost.acquisition)) {
            Some((_, others)) => others.push(lost),
            None => groups.push((lost, Vec::new())),
        }
    }
    let mut told = Vec::new();
    for (first, others) in groups {
        match *others {
            [second] => told.extend([(first, Vec::new()), (second, Vec::new())]),
            _ => told.push((first, others)),
        }
    }
    told
}

/// What becomes of a resource that is lost.
pub fn fate(lost: Lost) -> &'static str {
    match lost {
        Lost::Stays => "acquired here, and no longer reachable once its names are gone",
        Lost::Late => "acquired here; it is part of a cycle, so only the collector releases it, some time later",
        Lost::Goes => "acquired here; CPython releases it when the last reference goes, others some time later",
    }
}

/// Where a function or class of the project got what it gives.
pub fn origin(program: &Program, acquisition: &Acquisition) -> Option<Label> {
    if let Some(function) = acquisition.through {
        let location = program.location(function.module, program.function(function).name_span);
        let name = program.function_name(function);
        return Some(Label { location, message: format!("`{name}` returns what it acquires") });
    }
    let Source::Class(class) = acquisition.source else { return None };
    let location = program.location(class.module, program.class(class).name_span);
    let name = program.class(class).name;
    Some(Label { location, message: format!("`{name}` holds what its constructor acquires") })
}

pub fn symbol(program: &Program, lost: &LostResource, name: &str) -> String {
    format!("{}.{name}", program.function_symbol(lost.acquisition.function))
}

/// The function that acquires, as a label.
pub fn acquirer(program: &Program, acquisition: &Acquisition, message: String) -> Label {
    let function = acquisition.function;
    Label { location: program.location(function.module, program.function(function).name_span), message }
}
