//! LK301: objects with a `__del__` method refer to each other in a cycle.

use std::sync::LazyLock;

use rayon::prelude::*;

use super::cycles::{self, Step};
use super::{Claim, Report, label};
use crate::finding::Confidence;
use crate::program::lifetimes::Lifetime;
use crate::program::references::{ObjectGraph, ObjectId, Origin, Reference};
use crate::program::{ClassRef, EventRef, FunctionRef, ModuleId, Program, vocabulary};
use crate::source::{Location, Name};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    let finalized: Vec<(ClassRef, FunctionRef)> = (program.classes_of(module))
        .filter_map(|class| Some((class, finalizer(program, class)?)))
        .filter(|(class, _)| report.is_asked_for(most_confidence(program, *class)))
        .collect();
    // A module may hold all the classes that are costly to follow.
    let claims: Vec<Claim> = finalized
        .into_par_iter()
        .filter_map(|(class, finalizer)| {
            let cycle = Search { program, class }.best_cycle()?;
            Some(claim(program, class, finalizer, &cycle))
        })
        .collect();
    // Where one line may make either of several classes, mending it mends them all.
    let mut known: Vec<Vec<Location>> = Vec::new();
    for claim in claims {
        let mut steps: Vec<Location> = claim.related.iter().rev().skip(1).map(|label| label.location).collect();
        steps.sort_unstable();
        if !known.contains(&steps) {
            known.push(steps);
            report.add(claim);
        }
    }
}

/// All classes are asked for it.
static FINALIZER: LazyLock<Name> = LazyLock::new(|| Name::new("__del__"));

/// The `__del__` that instances have, if it does anything.
fn finalizer(program: &Program, class: ClassRef) -> Option<FunctionRef> {
    program.method(class, *FINALIZER).filter(|finalizer| program.does_something(*finalizer))
}

/// A cycle as a reader follows it, beginning and ending with the object that has the `__del__`.
struct Cycle {
    confidence: Confidence,
    steps: Vec<Step>,
}

struct Search<'p> {
    program: &'p Program<'p>,
    class: ClassRef,
}

impl Search<'_> {
    /// The best shown of all cycles that nothing breaks, and the shortest of these.
    fn best_cycle(&self) -> Option<Cycle> {
        let mut best: Option<Cycle> = None;
        for function in self.program.functions_handling(self.class) {
            if best.as_ref().is_some_and(|best| best.confidence == Confidence::High && best.steps.len() <= 2) {
                break;
            }
            // Tests make what the program never would.
            if self.program.is_test(function.module) && !self.program.is_test(self.class.module) {
                continue;
            }
            let graph = self.program.object_graph(function);
            for object in graph.object_ids() {
                if !self.is_instance(&graph, object, function) {
                    continue;
                }
                let Some(cycle) = self.cycle_through(&graph, object) else { continue };
                let rank = |cycle: &Cycle| (std::cmp::Reverse(cycle.confidence), cycle.steps.len());
                if best.as_ref().is_none_or(|best| rank(&cycle) < rank(best)) {
                    best = Some(cycle);
                }
            }
        }
        best
    }

    /// Whether the object is an instance of the class, or stands for one in a method that the class inherits.
    fn is_instance(&self, graph: &ObjectGraph, id: ObjectId, function: FunctionRef) -> bool {
        let object = graph.object(id);
        let Some(known) = object.class else { return false };
        if known == self.class {
            return true;
        }
        let method = self.program.outermost_function(function);
        let is_receiver = match object.origin {
            Origin::Parameter(name) | Origin::Enclosing(_, name) => {
                self.program.receiver(method).is_some_and(|receiver| receiver.name == name && !receiver.is_class)
            }
            _ => false,
        };
        is_receiver
            && self.program.mro(self.class).contains(&known)
            && self.program.method(self.class, self.program.function(method).name) == Some(method)
    }

    fn cycle_through(&self, graph: &ObjectGraph, start: ObjectId) -> Option<Cycle> {
        // Most objects are in no cycle at all, and whether a reference is given up costs more to know.
        graph.cycle_through(start, &mut |_| true)?;
        let shown = |reference: &Reference| reference.event.is_some() && reference.is_certain;
        let certain =
            graph.cycle_through(start, &mut |reference| shown(reference) && self.holds(graph, start, reference));
        let path =
            certain.or_else(|| graph.cycle_through(start, &mut |reference| self.holds(graph, start, reference)))?;
        let references: Vec<&Reference> = path.iter().map(|index| &graph.references[*index]).collect();
        let own = references.iter().filter(|reference| reference.from == start);
        let own: Vec<EventRef> = own.filter_map(|reference| self.program.maker_of(graph, reference)).collect();
        if self.is_shown_for_base(&own) {
            return None;
        }
        let confidence =
            if references.iter().all(|reference| shown(reference)) { Confidence::High } else { Confidence::Medium };
        let name = |id: ObjectId| {
            if id == start {
                format!("`{}`", self.program.class(self.class).name)
            } else {
                cycles::describe(self.program, graph, id)
            }
        };
        let steps = references.into_iter().filter_map(|reference| {
            let event = self.program.maker_of(graph, reference)?;
            Some(Step { reference: *reference, event, from: name(reference.from), to: name(reference.to) })
        });
        Some(Cycle { confidence, steps: steps.collect() })
    }

    fn holds(&self, graph: &ObjectGraph, start: ObjectId, reference: &Reference) -> bool {
        // The next one that is current takes the place of this one.
        let is_slot = reference.via.is_some_and(|via| vocabulary::is_slot_name(via.as_str()));
        let class = if reference.from == start { Some(self.class) } else { graph.object(reference.from).class };
        !is_slot
            && self
                .program
                .maker_of(graph, reference)
                .is_some_and(|made| !self.program.is_released(class, reference, made))
    }

    /// A base class that has the `__del__` and makes the cycle is the one to report; `own` makes the references of the
    /// object itself.
    fn is_shown_for_base(&self, own: &[EventRef]) -> bool {
        let bases = self.program.mro(self.class).iter().filter(|base| **base != self.class);
        bases.filter(|base| finalizer(self.program, **base).is_some()).any(|base| {
            let mro = self.program.mro(*base);
            own.iter().all(|event| self.method_class(*event).is_some_and(|class| mro.contains(&class)))
        })
    }

    fn method_class(&self, event: EventRef) -> Option<ClassRef> {
        let function = self.program.event_function(event)?;
        self.program.class_of_method(self.program.outermost_function(function))
    }
}

fn claim(program: &Program, class: ClassRef, finalizer: FunctionRef, cycle: &Cycle) -> Claim {
    let name = program.class(class).name;
    let via = cycle.steps.iter().find_map(|step| step.reference.via);
    let message = match via {
        Some(via) => format!("`{name}` has `__del__` and keeps itself alive through `self.{via}`"),
        None => format!("`{name}` has `__del__` and keeps itself alive"),
    };
    let mut related: Vec<_> =
        cycle.steps.iter().map(|step| label(program, step.event, cycles::step_label(step))).collect();
    related.push(crate::finding::Label {
        location: program.location(finalizer.module, program.function(finalizer).name_span),
        message: "`__del__` waits for the cyclic garbage collector, and runs at a time of its own".to_owned(),
    });
    Claim {
        span: program.class(class).name_span,
        confidence: cycle.confidence.min(most_confidence(program, class)),
        message,
        label: cycles::chain(&cycle.steps),
        related,
        symbol: via.map_or_else(|| program.class_symbol(class), |via| format!("{}.{via}", program.class_symbol(class))),
    }
}

/// Late is bad where the finalizer does something that others wait for, and where there is an end to wait for: what lives
/// as long as the process is never finalized before it.
fn most_confidence(program: &Program, class: ClassRef) -> Confidence {
    let is_costly = program.costly_finalizer(class).is_some();
    let ends = || program.owner(class).lifetime < Lifetime::Process;
    if is_costly && ends() { Confidence::High } else { Confidence::Low }
}
