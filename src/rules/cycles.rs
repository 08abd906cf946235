//! What the rules on cycles say of the way round.

use crate::facts::{EventKind, Expr};
use crate::program::references::{Form, ObjectGraph, ObjectId, Origin, Reference};
use crate::program::{EventRef, Program};

/// One reference on the way, with what a reader would call its ends.
pub struct Step {
    pub reference: Reference,
    /// What makes it.
    pub event: EventRef,
    pub from: String,
    pub to: String,
}

/// What a reader would call an object of a function.
pub fn describe(program: &Program, graph: &ObjectGraph, id: ObjectId) -> String {
    let object = graph.object(id);
    if let Some(class) = object.class {
        return format!("`{}`", program.class(class).name);
    }
    match object.origin {
        Origin::Parameter(name) | Origin::Enclosing(_, name) => format!("`{name}`"),
        Origin::Attribute(_, name) => format!("what is in `{name}`"),
        Origin::Item(_, name) => format!("an item of `{name}`"),
        Origin::Container(_) => "a container".to_owned(),
        Origin::Made(event) => made_name(program, event).unwrap_or_else(|| "an object".to_owned()),
        Origin::Inner(..) => "an object".to_owned(),
    }
}

fn made_name(program: &Program, event: EventRef) -> Option<String> {
    let facts = program.facts(event.module);
    let EventKind::Call(call) = facts.event(event.id).kind else { return None };
    match facts.expr(facts.call(call).callee) {
        Expr::Name(name) | Expr::Attribute(_, name) => Some(format!("`{name}`")),
        _ => None,
    }
}

/// The step as a line of the argument.
pub fn step_label(step: &Step) -> String {
    let verb = if step.reference.is_item { "added" } else { "stored" };
    format!("{verb} here: {} → {}{}", step.from, between(&step.reference), step.to)
}

/// The whole way in one line: `Connection` → `handler` → closure → `Connection`.
pub fn chain(steps: &[Step]) -> String {
    let mut text = steps.first().map(|step| step.from.clone()).unwrap_or_default();
    for step in steps {
        if let Some(via) = step.reference.via {
            text += &format!(" → `{via}`");
        }
        text += &format!(" → {}{}", between(&step.reference), step.to);
    }
    text
}

/// What stands between the place that holds the object and the object itself.
fn between(reference: &Reference) -> &'static str {
    match reference.form {
        Form::Itself | Form::Item => "",
        Form::BoundMethod => "bound method → ",
        Form::Captured => "closure → ",
        Form::Argument => "wrapper → ",
    }
}
