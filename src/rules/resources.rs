//! What the rules about resources have in common: how much a loss costs, and the labels that say so.

use super::label;
use crate::finding::{Confidence, Label, Severity};
use crate::models::{Lost, Resource};
use crate::program::Program;
use crate::program::repetition::Frequency;
use crate::program::resources::{Acquisition, LostResource, Source};

/// How far a loss is believed and how much it costs, for what is believed so far if the resource stays.
///
/// What the last reference releases is hidden by CPython until a traceback, a cycle or another interpreter keeps that
/// reference. It is worth a word where it happens again and again and something keeps it, and more than that where the
/// resource is costly.
pub fn weigh(
    program: &Program,
    lost: &LostResource,
    resource: &Resource,
    believed: Confidence,
) -> (Confidence, Severity) {
    if resource.lost == Lost::Stays {
        return (believed, Severity::Warning);
    }
    let is_repeated = || program.frequency(lost.acquisition.event) >= Frequency::Presumed;
    let is_noticed = !program.goes_at_once(lost, resource) && is_repeated();
    let severity = severity(resource.lost, program.is_costly_loss(lost, resource));
    (if is_noticed { believed.min(Confidence::Medium) } else { Confidence::Low }, severity)
}

/// What refcounting hides on CPython is no more than a remark, unless it is costly.
pub fn severity(lost: Lost, is_costly: bool) -> Severity {
    if lost == Lost::Goes && !is_costly { Severity::Info } else { Severity::Warning }
}

/// A loss and others that are told with it.
pub type Told<'a> = (&'a LostResource, Vec<&'a LostResource>);

/// Losses of what one function of the project gives, told together: the first and the others. So are those of the
/// clients that a file makes, one for each call. Two are told apart.
pub fn by_giver<'a>(program: &Program, all: Vec<&'a LostResource>) -> Vec<Told<'a>> {
    let told = together(all, |first, other| {
        let (first, other) = (&first.acquisition, &other.acquisition);
        let is_client =
            || first.source == other.source && program.resource_of(first).is_some_and(|resource| resource.is_lazy);
        first.through == other.through && (first.through.is_some() || is_client())
    });
    let two_apart = |(first, others): Told<'a>| match *others {
        [second] => vec![(first, Vec::new()), (second, Vec::new())],
        _ => vec![(first, others)],
    };
    told.into_iter().flat_map(two_apart).collect()
}

/// Losses of one function that are alike, told together: both ends of a pseudo-terminal, the socket of each arm.
pub fn by_function<'a>(
    program: &Program,
    all: Vec<&'a LostResource>,
    is_alike: impl Fn(&LostResource, &LostResource) -> bool,
) -> Vec<Told<'a>> {
    let what = |lost: &LostResource| program.resource_of(&lost.acquisition).map(|resource| resource.what);
    together(all, |first, other| {
        first.acquisition.function == other.acquisition.function && what(first) == what(other) && is_alike(first, other)
    })
}

fn together<'a>(
    all: Vec<&'a LostResource>,
    is_together: impl Fn(&LostResource, &LostResource) -> bool,
) -> Vec<Told<'a>> {
    let mut groups: Vec<Told> = Vec::new();
    for lost in all {
        match groups.iter_mut().find(|(first, _)| is_together(first, lost)) {
            Some((_, others)) => others.push(lost),
            None => groups.push((lost, Vec::new())),
        }
    }
    groups
}

/// The labels and the end of the message for those of the same function that are told together.
pub fn of_same_function(program: &Program, others: &[&LostResource]) -> (Vec<Label>, String) {
    let labels = others.iter().take(MOST_SHOWN).map(|other| label(program, other.acquisition.event, "so is this one"));
    let also = match others.len() {
        0 => String::new(),
        1 => "; so is another of this function".to_owned(),
        more => format!("; so are {more} others of this function"),
    };
    (labels.collect(), also)
}

/// The labels and the end of the message for those that lose what the same giver gives them.
pub fn of_same_giver(program: &Program, lost: &LostResource, others: &[&LostResource]) -> (Vec<Label>, String) {
    let labels = others.iter().take(MOST_SHOWN).map(|other| {
        let again = format!("`{}` loses another", program.function_name(other.acquisition.function));
        label(program, other.acquisition.event, again)
    });
    let also = match others.len() {
        0 => String::new(),
        more => format!("; {more} more calls of `{}` here lose theirs as well", program.giver_name(&lost.acquisition)),
    };
    (labels.collect(), also)
}

/// How many of the others that are told with a loss are pointed at.
const MOST_SHOWN: usize = 3;

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
