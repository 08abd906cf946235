//! LK203: an object or module keeps a resource that nothing releases.

use super::{Claim, Report, label, resources};
use crate::facts::MODULE_SCOPE;
use crate::finding::{Confidence, Label};
use crate::models::{Lost, Resource};
use crate::program::resources::{AbandonedGlobal, DroppedItem, Kept, Source, UnreleasedAttribute};
use crate::program::{ModuleId, Program, ScopeRef};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for found in program.unreleased_attributes(module) {
        let Some(resource) = program.resource_of(&found.acquisition) else { continue };
        let class = program.class(found.class).name;
        let (what, attribute) = (resource.what, found.attribute);
        let ends = found.ends.map_or_else(|| format!("no method of `{class}`"), |ends| program.function_name(ends));
        let message = match (found.how, found.ends) {
            (Kept::Always, Some(_)) if found.acquisition.works() => {
                format!("`{ends}` does not stop the {what} in `self.{attribute}`")
            }
            (Kept::Always, Some(_)) => format!("`{ends}` does not release the {what} in `self.{attribute}`"),
            (Kept::Always, None) => format!("{ends} releases the {what} in `self.{attribute}`"),
            (Kept::UnderFlag { flag, .. }, _) => {
                format!("the {what} in `self.{attribute}` is released only if `self.{flag}` is set")
            }
            (Kept::Overridden { .. }, _) => {
                format!("`{ends}` does not release the {what} in `self.{attribute}` as the method it overrides does")
            }
            (Kept::Overwritten { by, .. }, _) => {
                let by = program.function_name(by);
                format!("`{by}` replaces the {what} in `self.{attribute}` and does not release the old one")
            }
        };
        let mut related = vec![label(program, found.stored, "kept on the instance")];
        match (found.how, found.ends) {
            (Kept::Always, Some(ends)) => related.push(Label {
                location: program.location(ends.module, program.function(ends).name_span),
                message: "the object ends here, the resource does not".to_owned(),
            }),
            (Kept::Always, None) => related.push(Label {
                location: program.location(found.class.module, program.class(found.class).name_span),
                message: "no method that ends the object".to_owned(),
            }),
            (Kept::UnderFlag { release, set, flag }, _) => {
                related.push(label(program, release, format!("released only if `self.{flag}` is set")));
                related.push(label(program, set, "set only here, which need not have been called"));
            }
            (Kept::Overridden { release }, ends) => {
                related.push(label(program, release, "only this method releases it"));
                related.extend(ends.map(|ends| Label {
                    location: program.location(ends.module, program.function(ends).name_span),
                    message: "takes its place, and does not call it".to_owned(),
                }));
            }
            (Kept::Overwritten { held, .. }, _) => related = vec![label(program, held, "held from here on")],
        }
        if let Source::Worker(worker) = found.acquisition.source
            && let Some(location) = program.rounds_of_worker(worker)
        {
            related.push(Label { location, message: "goes round here until its object is told to stop".to_owned() });
        }
        let at = program.event_location(found.acquisition.event);
        let severity = resources::severity(resource.lost, resource.is_costly);
        let claim = Claim {
            span: at.span,
            confidence: confidence(resource, &found),
            message,
            label: match resource.lost {
                Lost::Stays if found.acquisition.works() => "goes on by itself until it is told to stop".to_owned(),
                Lost::Stays => "acquired here; only a call can release it".to_owned(),
                Lost::Late | Lost::Goes if matches!(found.how, Kept::Overwritten { .. }) => {
                    "acquired here; the old one is released when its last reference goes".to_owned()
                }
                Lost::Late | Lost::Goes => {
                    "acquired here; released only when the last reference to the object goes".to_owned()
                }
            },
            related,
            symbol: format!("{}.{attribute}", program.class_symbol(found.class)),
        };
        report.add_as(severity, claim);
    }
    for found in program.abandoned_globals(module) {
        report_global(program, module, &found, report);
    }
    for found in program.dropped_items(module) {
        report_dropped(program, &found, report);
    }
}

fn report_dropped(program: &Program, found: &DroppedItem, report: &mut Report) {
    let attribute = found.attribute;
    report.add(Claim {
        span: program.event_location(found.dropped).span,
        confidence: Confidence::Medium,
        message: format!(
            "`{}` takes out of `self.{attribute}` what it does not release",
            program.function_name(found.by)
        ),
        label: "nobody has it any more".to_owned(),
        related: vec![label(program, found.released, "the end of the object releases only what is left")],
        symbol: format!("{}.{attribute}", program.class_symbol(found.class)),
    });
}

fn report_global(program: &Program, module: ModuleId, found: &AbandonedGlobal, report: &mut Report) {
    let Some(resource) = program.resource_of(&found.acquisition) else { return };
    let (variable, what) = (found.variable, resource.what);
    let mut related = vec![label(program, found.given_up, "given up here, and not released")];
    related.extend(resources::origin(program, &found.acquisition));
    let claim = Claim {
        span: program.event_location(found.acquisition.event).span,
        confidence: if resource.lost == Lost::Stays { Confidence::High } else { Confidence::Medium },
        message: format!(
            "nothing releases the {what} in `{variable}` before `{}` sets it to `None`",
            program.function_name(found.by)
        ),
        label: resources::fate(resource.lost).to_owned(),
        related,
        symbol: format!("{}.{variable}", program.scope_symbol(ScopeRef::new(module, MODULE_SCOPE))),
    };
    report.add_as(resources::severity(resource.lost, resource.is_costly), claim);
}

fn confidence(resource: &Resource, found: &UnreleasedAttribute) -> Confidence {
    let is_cheap = resource.lost != Lost::Stays && !resource.is_costly;
    let known = match (resource.lost, found.ends) {
        // It may end in a way that is not seen.
        _ if found.acquisition.works() => Confidence::Medium,
        (Lost::Stays, _) if !matches!(found.how, Kept::Always) => Confidence::Medium,
        // Nobody has to close it, and it goes with the object.
        (Lost::Goes, _) if resource.ends_itself && !resource.is_costly => Confidence::Low,
        // The last reference goes with the assignment.
        (Lost::Goes, _) if matches!(found.how, Kept::Overwritten { .. }) => Confidence::Low,
        (Lost::Stays, Some(_)) => Confidence::High,
        (Lost::Stays, None) | (Lost::Late | Lost::Goes, Some(_)) => Confidence::Medium,
        (Lost::Late | Lost::Goes, None) => Confidence::Low,
    };
    // The end that a base of another module has may be that of something else.
    let is_foreign_end = is_cheap && found.ends.is_some_and(|ends| ends.module != found.class.module);
    if found.has_foreign_base || is_foreign_end { known.lowered() } else { known }
}
