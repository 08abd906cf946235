//! LK302: an object keeps itself through an attribute of its own.

use rustc_hash::FxHashMap;

use super::cycles::{self, Step};
use super::{Claim, Report, label};
use crate::finding::{Confidence, Effect, Label};
use crate::program::costs::Cost;
use crate::program::lifetimes::Lifetime;
use crate::program::references::own::{OwnCycle, OwnMethod};
use crate::program::references::{ObjectId, Origin};
use crate::program::repetition::Frequency;
use crate::program::{ClassRef, ModuleId, Program};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    if !report.is_asked_for(Confidence::Medium) {
        return;
    }
    let mut known = Vec::new();
    let mut functions = Vec::new();
    // Most objects have no cycle, and to find that out takes longer than what would wait with them.
    let is_all_asked_for = report.is_asked_for(Confidence::Low);
    let mut worth: FxHashMap<ClassRef, bool> = FxHashMap::default();
    let mut is_worth = |class| {
        let asked = || is_all_asked_for || cost_of_instances(program, class, || None).is_some();
        *worth.entry(class).or_insert_with(asked)
    };
    for found in program.own_cycles(module, &mut is_worth) {
        functions.push(found.function);
        // One cycle of a class is enough to have all its instances wait.
        let subject = (found.class, found.class.is_none().then_some(found.function));
        if known.contains(&subject) || is_finalizer_cycle(program, &found) {
            continue;
        }
        known.push(subject);
        report_cycle(program, &found, report);
    }
    for found in program.own_methods_given(module) {
        if functions.contains(&found.function) {
            continue;
        }
        functions.push(found.function);
        report_method(program, &found, report);
    }
}

fn report_method(program: &Program, found: &OwnMethod, report: &mut Report) {
    let OwnMethod { object, attribute, class, .. } = *found;
    if program.costly_finalizer(class).is_none() {
        return;
    }
    let cost = format!("a `{}` with its `__del__`", program.class(class).name);
    let method = program.function_name(found.method);
    report.add_with_effect(
        Effect::Delayed(Some(cost)),
        Claim {
            span: program.event_location(found.event).span,
            confidence: Confidence::Medium,
            message: format!("`{object}` keeps itself alive through its `{attribute}`"),
            label: format!("`{object}` → `{attribute}` → bound method → `{object}`"),
            related: vec![Label {
                location: program.location(found.method.module, program.function(found.method).name_span),
                message: format!("`{method}` is bound to the object that it is read from"),
            }],
            symbol: format!("{}.{object}.{attribute}", program.function_symbol(found.function)),
        },
    );
}

fn report_cycle(program: &Program, found: &OwnCycle, report: &mut Report) {
    let name = |id: ObjectId| cycles::describe(program, &found.graph, id);
    let steps: Vec<Step> = (found.steps.iter())
        .filter_map(|reference| {
            let (from, to) = (name(reference.from), name(reference.to));
            Some(Step { reference: *reference, event: reference.event?, from, to })
        })
        .collect();
    let Some(via) = found.steps.first().and_then(|reference| reference.via) else { return };
    let cost = cost(program, found);
    let mut related: Vec<Label> =
        steps.iter().map(|step| label(program, step.event, cycles::step_label(step))).collect();
    related.retain(|label| label.location != program.event_location(found.event));
    related.extend(cost.as_ref().and_then(|cost| cost.label.clone()));
    super::once_each(&mut related);
    report.add_with_effect(
        Effect::Delayed(cost.map(|cost| cost.what)),
        Claim {
            span: program.event_location(found.event).span,
            confidence: Confidence::Medium,
            message: format!("{} keeps itself alive through its `{via}`", name(found.object)),
            label: cycles::chain(&steps),
            related,
            symbol: match found.class {
                Some(class) => format!("{}.{via}", program.class_symbol(class)),
                None => format!("{}.{via}", program.function_symbol(found.function)),
            },
        },
    );
}

/// The affair of `LK301`, which asks the functions that have such objects in their hands.
fn is_finalizer_cycle(program: &Program, found: &OwnCycle) -> bool {
    let classes = found.steps.iter().filter_map(|reference| found.graph.object(reference.from).class);
    classes
        .filter(|class| {
            let finalizer = program.method(*class, Name::new("__del__"));
            finalizer.is_some_and(|finalizer| program.does_something(finalizer))
        })
        .any(|class| program.functions_handling(class).contains(&found.function))
}

/// What waits with such objects, or that so many are made. What the process has one of waits for nobody, and of what
/// somebody ends by its name only the shell is left to wait.
fn cost(program: &Program, found: &OwnCycle) -> Option<Cost> {
    let Some(class) = found.class else { return program.called_often_by(found.function) };
    let is_own = program.receiver(program.outermost_function(found.function)).is_some_and(|receiver| {
        matches!(found.graph.object(found.object).origin, Origin::Parameter(name) | Origin::Enclosing(_, name) if name == receiver.name)
    });
    cost_of_instances(program, class, || (!is_own).then(|| program.called_often_by(found.function))?)
}

/// The same for a class, where something else may show that so many are made.
fn cost_of_instances(program: &Program, class: ClassRef, often: impl FnOnce() -> Option<Cost>) -> Option<Cost> {
    let weight = || {
        let what = program.weight_of_instance(class)?;
        (program.instance_frequency(class) >= Frequency::Presumed).then_some(Cost { what, label: None })
    };
    let made = || program.made_often(class).or_else(often);
    // How long an object lives takes the longest to find out.
    weight()
        .or_else(|| (!program.is_ended_by_name(class)).then(made)?)
        .filter(|_| program.owner(class).lifetime != Lifetime::Process)
}
