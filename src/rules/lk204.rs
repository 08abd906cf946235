//! LK204: a resource is used without a name, so that nothing can release it.

use super::{Claim, Report, resources};
use crate::facts::{EventKind, Expr};
use crate::finding::{Confidence, Remedy};
use crate::models::{Lost, Resource};
use crate::program::resources::{Acquisition, Loss, LostResource, Source, Unnamed};
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for lost in program.lost_resources(module) {
        let Loss::Unnamed(how) = lost.how else { continue };
        let Some(resource) = program.resource_of(&lost.acquisition) else { continue };
        let LostResource { acquisition, .. } = lost;
        let (what, giver) = (resource.what, program.giver_name(acquisition));
        let is_harmless = is_read_at_once(resource, how) || is_left_to_itself(program, acquisition, how);
        let believed = if is_harmless { Confidence::Low } else { Confidence::High };
        let (confidence, severity) = resources::weigh(program, lost, resource, believed);
        let claim = Claim {
            span: program.event_location(acquisition.event).span,
            confidence,
            message: format!(
                "the {what} of `{giver}` {}, so nothing can release it",
                use_of(program, acquisition, how)
            ),
            label: resources::fate(resource.lost).to_owned(),
            related: resources::origin(program, acquisition).into_iter().collect(),
            symbol: resources::symbol(program, lost, &giver),
        };
        report.add_mendable(severity, resource.has_with_block().then_some(Remedy::NameAndClose), claim);
    }
}

/// `open(path).read()`: CPython closes the file before the next statement, and nothing waits to be written.
fn is_read_at_once(resource: &Resource, how: Unnamed) -> bool {
    let is_cheap = resource.lost == Lost::Goes && !resource.is_costly;
    is_cheap && matches!(how, Unnamed::Method(name) if name.as_str().starts_with("read"))
}

/// A process that nobody wants to hear of again, and a descriptor that is opened for its number: who drops these at once
/// means it, mostly.
fn is_left_to_itself(program: &Program, acquisition: &Acquisition, how: Unnamed) -> bool {
    let Source::Library(path) = acquisition.source else { return false };
    let facts = program.facts(acquisition.event.module);
    let is_for_its_number = || {
        let scope = program.function_scope(acquisition.function);
        facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            EventKind::Call(call) => {
                matches!(facts.expr(facts.call(call).callee), Expr::Name(name) | Expr::Attribute(_, name)
                if matches!(name.as_str(), "close" | "closerange" | "dup2"))
            }
            _ => false,
        })
    };
    how == Unnamed::Dropped
        && match path.as_str() {
            "os.open" => is_for_its_number(),
            "subprocess.Popen" => !program.has_pipes(acquisition),
            _ => false,
        }
}

/// What is done with it, as the message says it.
fn use_of(program: &Program, acquisition: &Acquisition, how: Unnamed) -> String {
    match how {
        Unnamed::Method(method) => format!("gets no name before `.{method}()`"),
        Unnamed::Argument(call) => {
            let facts = program.facts(acquisition.event.module);
            match facts.expr(facts.call(call).callee) {
                Expr::Name(name) | Expr::Attribute(_, name) => format!("gets no name before `{name}()` uses it"),
                _ => "gets no name before it is passed on".to_owned(),
            }
        }
        Unnamed::Iterated => "gets no name before it is run through".to_owned(),
        Unnamed::Element => "is left aside when the rest is taken".to_owned(),
        Unnamed::Dropped => "is dropped at once".to_owned(),
    }
}
