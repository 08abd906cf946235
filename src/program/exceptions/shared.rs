//! Exceptions that are made once and raised again and again.
//!
//! To raise an exception adds a traceback entry for each frame that it passes, in front of those that it has already: nothing
//! takes these away when it is caught. One that a module or class holds thus collects the frames of all who ever raised
//! it, with all their variables.

use crate::facts::{EventId, EventKind, Expr, ExprId, MODULE_SCOPE};
use crate::program::names::Definition;
use crate::program::repetition::{Frequency, Repetition};
use crate::program::types::last_part;
use crate::program::{EventRef, ExprRef, FunctionRef, ModuleId, Place, Program, ScopeRef};
use crate::source::Name;

#[derive(Clone, Debug)]
pub struct SharedException {
    pub place: Place,
    /// Where it is made.
    pub made: EventRef,
    /// Where it is raised first, in source order.
    pub raised: EventRef,
    pub function: FunctionRef,
    pub repetition: Repetition,
    /// It tells of a mistake in the program that raises it, which is not made for long.
    pub tells_of_mistake: bool,
}

impl Program<'_> {
    /// The exceptions that functions of a module raise and that a module or class holds; the first `raise` of each.
    pub fn shared_exceptions(&self, module: ModuleId) -> Vec<SharedException> {
        let facts = self.facts(module);
        let mut found: Vec<SharedException> = Vec::new();
        for (number, event) in facts.events.iter().enumerate() {
            let EventKind::Raise { exception, .. } = event.kind else { continue };
            if !matches!(facts.expr(exception), Expr::Name(_) | Expr::Attribute(..)) {
                continue;
            }
            let raised = EventRef::new(module, EventId(number as u32));
            let shared = self.shared_exception(raised, exception);
            found.extend(shared.filter(|shared| found.iter().all(|known| known.place != shared.place)));
        }
        found
    }

    fn shared_exception(&self, raised: EventRef, exception: ExprId) -> Option<SharedException> {
        let function = self.event_function(raised)?;
        let reach = self.reach(self.event_scope(raised).expr(exception)).filter(|reach| reach.level == 0)?;
        let (values, is_all) = match reach.place {
            Place::Module(module, name) => self.bound_values(ScopeRef::new(module, MODULE_SCOPE), name),
            Place::Class(class, name) => self.bound_values(self.class_scope(class), name),
            _ => return None,
        };
        let [(made, value)] = *values else { return None };
        let class = self.exception_made_by(value).filter(|_| is_all)?;
        if self.is_traceback_taken(raised.module, exception) {
            return None;
        }
        let tells_of_mistake = tells_of_mistake(class) || tells_of_mistake(reach.place.name());
        let repetition = self.repetition(raised);
        let place = reach.place;
        let shared = SharedException { place, made, raised, function, repetition, tells_of_mistake };
        (shared.repetition.frequency >= Frequency::Presumed).then_some(shared)
    }

    /// The name of the class of exceptions that a call makes one of.
    fn exception_made_by(&self, value: ExprRef) -> Option<Name> {
        let Expr::Call(call) = self.expr(value) else { return None };
        let callee = value.scope.expr(self.facts(value.scope.module).call(call).callee);
        match self.resolve(callee) {
            // `socket.gaierror`, `struct.error`
            Definition::External(path) if super::is_exception_name(path) || path.as_str().ends_with("error") => {
                Some(Name::new(last_part(path.as_str())))
            }
            Definition::Class(class) => self.is_exception_class(class).then_some(self.class(class).name),
            Definition::External(_) | Definition::Function(_) => None,
            // `compat.socket.gaierror(…)`, which nobody knows and which is raised.
            _ => {
                let facts = self.facts(value.scope.module);
                let called = facts.called_name(facts.call(call));
                called.filter(|name| super::is_exception_name(*name) || name.as_str().ends_with("error"))
            }
        }
    }

    /// `ERROR.__traceback__ = None`
    fn is_traceback_taken(&self, module: ModuleId, exception: ExprId) -> bool {
        let facts = self.facts(module);
        facts.events.iter().any(|event| match event.kind {
            EventKind::Bind { target, .. } | EventKind::Delete { target } => {
                matches!(facts.expr(target), Expr::Attribute(base, name)
                    if base == exception && name.as_str() == "__traceback__")
            }
            _ => false,
        })
    }
}

/// `TypeError`, `NOT_SUPPORTED_ERROR`, `InvalidUsage`: by a class or by what the exception is called.
fn tells_of_mistake(name: Name) -> bool {
    let text = name.as_str().to_ascii_lowercase();
    matches!(text.as_str(), "assertionerror" | "attributeerror" | "notimplementederror")
        || ["type_error", "typeerror", "usage", "supported", "implemented", "invalid"]
            .iter()
            .any(|word| text.contains(word))
}
