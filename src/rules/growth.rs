//! What the growth rules say in common: how sure they are, and the argument in labels.

use crate::facts::Expr;
use crate::finding::{Confidence, Label};
use crate::program::domains::Domain;
use crate::program::growth::weakness::Defeat;
use crate::program::growth::{Account, Growth};
use crate::program::lifetimes::{Lifetime, Owner};
use crate::program::repetition::Frequency;
use crate::program::{OperationKind, Place, Program, vocabulary};

/// How far the argument is complete. Each presumption (that a public function is called again and again, that a key
/// of unknown origin is never the same) costs a step.
pub fn confidence(program: &Program, place: Place, account: &Account, growths: &[&Growth]) -> Option<Confidence> {
    let strongest = growths.iter().map(|growth| of_one_that_serves(program, growth)).max()?;
    Some(settled(program, place, account, growths, strongest))
}

/// The constructor of what a program has one of adds once.
fn of_one_that_serves(program: &Program, growth: &Growth) -> Confidence {
    // The same of entries under the numbers of objects that constructors are given.
    let is_of_few = growth.defeat == Some(Defeat::Identity) && program.begins_with_constructor(&growth.repetition);
    // A list of all of them is kept where there may be more than one.
    let is_one_of_many = growth.is_append && program.holds_receiver(&[growth.touch]);
    let is_only_one = || !is_one_of_many && program.is_one_that_serves(growth.touch.event());
    match growth.repetition.is_surface && (is_of_few || is_only_one()) {
        _ if is_of_one_run(program, growth) => Confidence::Low,
        true => Confidence::Low,
        false => growth_confidence(growth),
    }
}

/// Nothing shows that it repeats in a command, whose process ends with its work.
fn is_of_one_run(program: &Program, growth: &Growth) -> bool {
    program.is_presumed_in_tool(growth.touch.event().module, growth.repetition.frequency)
}

/// A step less where the container is handed to code that is not seen, and where it is filled only on purpose.
fn settled(program: &Program, place: Place, account: &Account, growths: &[&Growth], found: Confidence) -> Confidence {
    let is_meant = program.is_stand_in(place)
        || program.is_switched_on(account.holder.binding)
        || growths.iter().all(|growth| program.is_switched_on(growth.touch.event()));
    if account.escapes || is_meant { found.lowered() } else { found }
}

fn growth_confidence(growth: &Growth) -> Confidence {
    let is_repeated = growth.repetition.frequency == Frequency::Repeated;
    let surest = if growth.repetition.ends { Confidence::Medium } else { Confidence::High };
    match growth.domain {
        domain if domain.is_open() && is_repeated && !growth.is_conditional => surest,
        domain if domain.is_open() => Confidence::Medium,
        // Whatever comes is added, and nothing stands in the way.
        _ if growth.is_append && !growth.is_conditional && is_repeated => surest,
        // What a public function stores as given is a registry as likely as a leak.
        _ if growth.is_append && !growth.is_conditional && !growth.stores_parameter => Confidence::Medium,
        _ if growth.is_append && is_repeated => Confidence::Medium,
        _ if growth.is_per_instance && !growth.is_conditional => Confidence::Medium,
        _ => Confidence::Low,
    }
}

/// What an instance holds is a leak by the life of the instance: no surer than that is known. Most attributes that
/// grow are as large as what they describe, so only keys that are shown to come and go count, and lists only where
/// the object itself goes on adding.
pub fn instance_confidence(
    program: &Program,
    place: Place,
    account: &Account,
    growths: &[&Growth],
    owner: &Owner,
) -> Option<Confidence> {
    // What entries were to leave lives longer than they, whatever else is known of it.
    let is_mistaken = account.removals.iter().any(|removal| removal.is_mistaken);
    let least = if is_mistaken { Confidence::Medium } else { Confidence::Low };
    let most = most_sure_of_entries(program, place, growths, owner)?.max(least);
    if account.passes_over.is_some() || account.ends_entry.is_some() {
        return Some(settled(program, place, account, growths, Confidence::Medium));
    }
    let strongest = growths
        .iter()
        .map(|growth| {
            let is_repeated = growth.repetition.frequency == Frequency::Repeated;
            match growth.domain {
                // Siblings that only sometimes get the same keys say something of an object that is shown to go on.
                _ if growth.sibling.is_some_and(|sibling| !sibling.is_parallel && !sibling.is_of_objects)
                    && owner.lifetime < Lifetime::Long =>
                {
                    Confidence::Low
                }
                // `register_user(user_id, user)`: told what there is, as often as there is one.
                Domain::Open(_) if !growth.is_append && !is_repeated && arranges(program, growth) => Confidence::Low,
                Domain::Open(_) if !growth.is_append => growth_confidence(growth),
                _ if owner.lifetime >= Lifetime::Presumed && program.keeps_keys_of_emptied(place, account, growth) => {
                    Confidence::Medium
                }
                // A lock or a piece of work for each key that comes is made for a moment.
                Domain::Presumed(_) if owner.lifetime >= Lifetime::Presumed && program.stores_passing(growth) => {
                    Confidence::Medium
                }
                _ if is_mistaken => Confidence::Medium,
                _ if owner.lifetime >= Lifetime::Presumed && is_left_by_others(program, place, growth) => {
                    Confidence::Medium
                }
                _ if owner.lifetime < Lifetime::Long || !growth.is_append || growth.is_conditional => Confidence::Low,
                // The object itself goes on adding, or other objects leave something of their own in it.
                Domain::Open(_) | Domain::Presumed(_) if is_given(program, growth) => Confidence::Medium,
                _ if is_repeated => Confidence::Medium,
                _ => Confidence::Low,
            }
        })
        .max()?;
    Some(settled(program, place, account, growths, strongest.min(most)))
}

/// An object that is told when a key is done with, or that lets go what it has under such keys, lives longer than that,
/// whatever else is known of it.
fn most_sure_of_siblings(program: &Program, growths: &[&Growth]) -> Confidence {
    let is_told = |event| {
        let function = program.event_function(event);
        function.is_some_and(|function| vocabulary::is_told_name(program.function(function).name.as_str()))
    };
    let outlives = |growth: &Growth| {
        growth.sibling.is_some_and(|sibling| {
            let shows_life = match sibling.has_open_key {
                // What it was given the object may keep for as long as that for which it was made.
                true => !is_given(program, growth),
                false => is_told(sibling.removal),
            };
            sibling.is_of_objects || sibling.is_parallel && shows_life
        })
    };
    match growths.iter().copied().any(outlives) {
        true => Confidence::Medium,
        false => Confidence::Low,
    }
}

/// Objects that are told of what happens, of which there are many, leave one after the other with the one that they have
/// the container from.
fn is_left_by_others(program: &Program, place: Place, growth: &Growth) -> bool {
    let Place::Instance(owner, _) = place else { return false };
    let function = program.event_function(growth.touch.event());
    let method = function.map(|function| program.outermost_function(function));
    let class = method.and_then(|method| program.class_of_method(method));
    let is_other = |class| !program.mro(class).contains(&owner) && !program.mro(owner).contains(&class);
    growth.is_append
        && !growth.is_conditional
        && growth.repetition.frequency == Frequency::Repeated
        && class.is_some_and(|class| is_other(class) && program.instance_frequency(class) >= Frequency::Presumed)
}

/// What is added is another's: neither made on the spot nor the object whose method adds it.
fn is_given(program: &Program, growth: &Growth) -> bool {
    let scope = program.event_scope(growth.touch.operation.event);
    match program.expr(scope.expr(growth.touch.operation.value)) {
        Expr::Name(name) => program.receiver_named(scope, name).is_none(),
        _ => false,
    }
}

fn arranges(program: &Program, growth: &Growth) -> bool {
    let function = program.event_function(growth.touch.event());
    function.is_some_and(|function| vocabulary::is_arranging_name(program.function(function).name.as_str()))
}

/// The same for memos.
pub fn instance_memo_confidence(
    program: &Program,
    place: Place,
    account: &Account,
    memos: &[&Growth],
    owner: &Owner,
) -> Option<Confidence> {
    let is_shown = memos.iter().any(|memo| match memo.domain {
        Domain::Open(_) => true,
        Domain::Presumed(_) => program.stores_passing(memo),
        _ => false,
    });
    let most = if is_shown { most_sure_of_entries(program, place, memos, owner)? } else { Confidence::Low };
    Some(memo_confidence(program, place, account, memos)?.min(most))
}

/// Numbers weigh little: where the life of the object is only presumed or ends with a connection, they are no leak
/// that anybody meets.
fn most_sure_of_entries(program: &Program, place: Place, growths: &[&Growth], owner: &Owner) -> Option<Confidence> {
    let most = most_sure(owner)?.max(most_sure_of_siblings(program, growths));
    let Place::Instance(class, _) = place else { return Some(most) };
    let is_shown = growths.iter().any(|growth| {
        matches!(growth.domain, Domain::Open(_)) && growth.sibling.is_none_or(|sibling| sibling.has_open_key)
    });
    let ends = match owner.lifetime {
        Lifetime::Process => false,
        Lifetime::Presumed if !is_shown => true,
        _ => program.ends_with_connection(class),
    };
    let is_light = ends && growths.iter().all(|growth| program.is_light(place, growth));
    Some(if is_light { Confidence::Low } else { most })
}

pub fn most_sure(owner: &Owner) -> Option<Confidence> {
    match owner.lifetime {
        Lifetime::Short => None,
        Lifetime::Unknown => Some(Confidence::Low),
        Lifetime::Presumed => Some(Confidence::Medium),
        Lifetime::Long | Lifetime::Process => Some(Confidence::High),
    }
}

/// A memo exists to be asked again and again: only its keys are in question.
pub fn memo_confidence(program: &Program, place: Place, account: &Account, memos: &[&Growth]) -> Option<Confidence> {
    let strongest = memos
        .iter()
        .map(|growth| match (growth.repetition.frequency, growth.domain) {
            // Whoever makes objects of a library's class makes a few, and their keys repeat.
            _ if growth.repetition.is_surface && program.begins_with_constructor(&growth.repetition) => Confidence::Low,
            _ if is_of_one_run(program, growth) => Confidence::Low,
            (Frequency::Repeated, Domain::Open(_) | Domain::Presumed(_)) if !growth.repetition.ends => Confidence::High,
            (_, Domain::Open(_) | Domain::Presumed(_) | Domain::Likely(_)) => Confidence::Medium,
            _ => Confidence::Low,
        })
        .max()?;
    Some(settled(program, place, account, memos, strongest))
}

/// The growth in half a sentence, for the message.
pub fn summary(program: &Program, growth: &Growth) -> String {
    let by = match program.event_function(growth.touch.event()) {
        Some(function) => format!("`{}`", program.function_name(function)),
        None => "the module".to_owned(),
    };
    format!("nothing takes out what {by} {}", verb(growth.touch.operation.kind))
}

fn verb(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Store | OperationKind::SetDefault => "stores",
        OperationKind::Read => "inserts by looking it up",
        _ => "adds",
    }
}

/// Where it grows, what repeats that, and the removals that do not count.
pub fn labels(program: &Program, account: &Account, growths: &[&Growth]) -> Vec<Label> {
    let mut labels = Vec::new();
    // Where keys stay, what comes into their values is beside the point.
    let level = growths.iter().map(|growth| growth.touch.operation.level).min();
    for growth in growths.iter().filter(|growth| Some(growth.touch.operation.level) == level).take(4) {
        let operation = growth.touch.operation;
        let what = match (operation.kind, growth.domain) {
            (OperationKind::Read, _) => "looking up a missing key inserts it here".to_owned(),
            (OperationKind::Append | OperationKind::Extend, _) => "adds here each time it runs".to_owned(),
            (_, Domain::Open(why) | Domain::Presumed(why) | Domain::Likely(why)) => {
                format!("grows here: the key is {why}")
            }
            _ => "grows here with every new key".to_owned(),
        };
        labels.push(Label { location: program.event_location(growth.touch.event()), message: what });
        if growth.touch.through.is_some() {
            let message = "and this is where the item goes in".to_owned();
            labels.push(Label { location: program.event_location(operation.event), message });
        }
    }
    if let Some(event) = account.passes_over {
        let message = "members that are done with are passed over here, and stay".to_owned();
        labels.push(Label { location: program.event_location(event), message });
    }
    if let Some(event) = account.ends_entry {
        let message = "an entry is ended here, and stays".to_owned();
        labels.push(Label { location: program.event_location(event), message });
    }
    if let Some(sibling) = growths.iter().find_map(|growth| growth.sibling) {
        let name = program.place_name(sibling.place);
        let message = format!("`{name}` lets its entry go here");
        labels.push(Label { location: program.event_location(sibling.removal), message });
    }
    if let Some(first) = growths.first() {
        labels.extend(first.repetition.reasons.iter().cloned());
    }
    for removal in account
        .removals
        .iter()
        .filter(|removal| !is_trivial(removal.touch.operation.kind, removal.refuted.as_deref()))
        .take(2)
    {
        if let Some(why) = &removal.refuted {
            let message = format!("this does not help: {why}");
            labels.push(Label { location: program.event_location(removal.touch.event()), message });
        }
    }
    super::once_each(&mut labels);
    labels
}

/// The binding that makes the container is no removal worth a word.
fn is_trivial(kind: OperationKind, refuted: Option<&str>) -> bool {
    kind == OperationKind::Rebind
        && refuted.is_some_and(|why| why.starts_with("it only makes") || why.starts_with("it runs once"))
}
