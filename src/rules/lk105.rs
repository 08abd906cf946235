//! LK105: a cache on a method keeps every instance it was called on.

use super::{Claim, Report};
use crate::finding::{Confidence, Label};
use crate::program::lifetimes::Lifetime;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    for cached in program.cached_functions(module) {
        if !cached.keeps_instances {
            continue;
        }
        let Some(class) = program.class_of_method(cached.function) else { continue };
        if program.has_bounded_instances(class) {
            continue;
        }
        if program.is_cache_cleared(cached) || (cached.is_bounded && program.is_value_class(class)) {
            continue;
        }
        let made = program.repeated_instantiation(class);
        let is_of_one_run = match made {
            Some(site) => program.is_presumed_in_tool(module, program.frequency(site.event)),
            None => program.is_part_of_tool(module),
        };
        let confidence = match (&made, cached.is_bounded) {
            (Some(_), false) => Confidence::High,
            (Some(_), true) | (None, false) => Confidence::Medium,
            (None, true) => Confidence::Low,
        };
        // What lives as long as the process anyway is not kept by the cache.
        let owner = match made {
            Some(site) => program.owner_made_at(site, class),
            None => program.owner(class),
        };
        let confidence = match owner.lifetime {
            // A command makes them, and ends.
            _ if is_of_one_run => Confidence::Low,
            // As many as it has entries are kept, and a few small objects more or less are no leak.
            _ if cached.is_bounded && program.is_light_instance(class) => Confidence::Low,
            _ if cached.is_bounded && made.is_some_and(|site| !program.is_shown_to_be_many(&site)) => Confidence::Low,
            Lifetime::Process | Lifetime::Long if cached.is_bounded => confidence.lowered(),
            Lifetime::Process => confidence.lowered(),
            // Never made in the project, and there is one of it: by its name, or because it goes on by itself.
            Lifetime::Presumed | Lifetime::Long if made.is_none() => Confidence::Low,
            _ => confidence,
        };
        let name = program.function_name(cached.function);
        let receiver = program.receiver(cached.function).map_or("self", |receiver| receiver.name.as_str());
        let how_many = if cached.is_bounded { "as many instances as it has entries" } else { "every instance" };
        let related: Vec<Label> = made
            .map(|site| Label {
                location: program.event_location(site.event),
                message: format!("instances of `{}` are made here", program.class(class).name),
            })
            .into_iter()
            .collect();
        report.add(Claim {
            span: cached.span,
            confidence,
            message: format!("the cache of `{name}` belongs to the class and keeps {how_many} alive"),
            label: format!("`{receiver}` is part of each key"),
            related,
            symbol: program.function_symbol(cached.function),
        });
    }
}
