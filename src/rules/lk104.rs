//! LK104: a cache without a bound on keys that never run out.

use super::{Claim, Report, growth, label, lk102};
use crate::finding::{Confidence, Label, Remedy};
use crate::models::BoundIs;
use crate::program::caches::CachedFunction;
use crate::program::domains::Domain;
use crate::program::lifetimes::Lifetime;
use crate::program::types::Type;
use crate::program::{FunctionRef, ModuleId, Place, Program};
use crate::source::Name;

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    check_memos(module, program, report);
    check_instance_memos(module, program, report);
    check_cached_functions(module, program, report);
    check_bypassed_bounds(module, program, report);
}

/// A mapping that keeps its bound in `__setitem__`, and is written to by a method that does not go through it.
fn check_bypassed_bounds(module: ModuleId, program: &Program, report: &mut Report) {
    for class in program.classes_of(module) {
        let Some(store) = program.bypassed_bound(class) else { continue };
        let Some(write) = program.bypassing_write(class) else { continue };
        let name = program.class(class).name;
        let bound = Label {
            location: program.location(store.module, program.function(store).name_span),
            message: "only this keeps the bound".to_owned(),
        };
        report.add(Claim {
            span: program.class(class).name_span,
            confidence: Confidence::Medium,
            message: format!("`{name}` keeps its bound in `__setitem__`, and what it inherits writes past it"),
            label: "inherits `update` and `setdefault` that do not call `__setitem__`".to_owned(),
            related: vec![bound, label(program, write, "this writes past the bound")],
            symbol: program.class_symbol(class),
        });
    }
}

/// The same on an object that lives long.
fn check_instance_memos(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, account) in program.instance_accounts(module) {
        let Place::Instance(class, _) = *place else { continue };
        let memos: Vec<_> =
            account.growths.iter().filter(|growth| account.is_memo(growth) && growth.defeat.is_none()).collect();
        if memos.is_empty() || memos.len() < account.growths.len() {
            continue;
        }
        let owner = program.owner(class);
        let Some(confidence) = growth::instance_memo_confidence(program, *place, account, &memos, &owner) else {
            continue;
        };
        let mut related = growth::labels(program, account, &memos);
        related.extend(owner.reasons.iter().cloned());
        super::once_each(&mut related);
        report.add(Claim {
            span: program.event_location(account.holder.binding).span,
            confidence,
            message: memo_message(program, *place, memos[0].domain),
            label: lk102::held(program, class),
            related,
            symbol: program.place_symbol(*place),
        });
    }
}

fn memo_message(program: &Program, place: Place, domain: Domain) -> String {
    let why = match domain {
        Domain::Open(why) | Domain::Presumed(why) | Domain::Likely(why) => format!("the key is {why}"),
        _ => "every new key stays".to_owned(),
    };
    format!("`{}` remembers every result and has no bound: {why}", program.place_name(place))
}

/// Hand-written: `if key in MEMO: return MEMO[key]`.
fn check_memos(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, account) in program.accounts(module) {
        let memos: Vec<_> =
            account.growths.iter().filter(|growth| account.is_memo(growth) && growth.defeat.is_none()).collect();
        if memos.is_empty() || memos.len() < account.growths.len() {
            continue;
        }
        let Some(confidence) = growth::memo_confidence(program, *place, account, &memos) else { continue };
        report.add(Claim {
            span: program.event_location(account.holder.binding).span,
            confidence,
            message: memo_message(program, *place, memos[0].domain),
            label: "held for as long as the process runs".to_owned(),
            related: growth::labels(program, account, &memos),
            symbol: program.place_symbol(*place),
        });
    }
}

/// `functools.cache` and its kin without a size.
fn check_cached_functions(module: ModuleId, program: &Program, report: &mut Report) {
    for cached in program.cached_functions(module) {
        // The instances are the matter of LK105, unless they are few and the arguments are not.
        let is_of_instances = cached.keeps_instances
            && !program.class_of_method(cached.function).is_some_and(|class| program.has_bounded_instances(class));
        if cached.is_bounded
            || is_of_instances
            || program.enclosing_function(program.defining_scope(cached.function)).is_some()
        {
            continue;
        }
        let function = cached.function;
        if program.returns_nothing(function) {
            continue;
        }
        let Some(key) = program.cache_key(function) else { continue };
        let confidence = match key.domain {
            Domain::Bounded => continue,
            // An object that everything shares: the application, the one client.
            Domain::Presumed(_) if is_shared_object(program, function, key.name) => Confidence::Low,
            Domain::Open(_) | Domain::Presumed(_) => Confidence::High,
            Domain::Likely(_) => Confidence::Medium,
            Domain::Unknown => Confidence::Low,
        };
        if program.is_cache_cleared(cached) {
            continue;
        }
        let (confidence, reasons) = match program.cache_repetition(function, confidence) {
            Some(answer) => answer,
            None => continue,
        };
        let name = program.function_name(function);
        let parameter = program.location(function.module, key.span);
        let why = match key.domain {
            Domain::Open(why) | Domain::Presumed(why) | Domain::Likely(why) => {
                let name = format!("`{}`", key.name);
                match why.as_str().strip_prefix(&name) {
                    Some(rest) => format!("keyed by {name}{rest}"),
                    None => format!("keyed by {name}: {why}"),
                }
            }
            _ => format!("keyed by `{}`, of which there can be any number", key.name),
        };
        let mut related = vec![Label { location: parameter, message: why }];
        related.extend(reasons);
        if let Some(clear) = program.dead_cache_clear(cached) {
            related.push(label(program, clear, "this clears it, and nobody runs it"));
        }
        let claim = Claim {
            span: cached.span,
            confidence,
            message: format!("the cache of `{name}` has no bound and keeps every result"),
            label: "one entry for each distinct argument, for as long as the process runs".to_owned(),
            related,
            symbol: program.function_symbol(function),
        };
        report.add_mendable(report.severity(), remedy(program, cached), claim);
    }
}

fn remedy(program: &Program, cached: &CachedFunction) -> Option<Remedy> {
    let made_by = cached.made_by?;
    let model = program.models.cache(made_by).filter(|model| model.bound_is == BoundIs::Size)?;
    let parameter = model.bound.map(|bound| (bound.keyword, bound.position));
    Some(Remedy::BoundCache { made_by, parameter, bounded_form: model.bounded_form })
}

/// The parameter is declared to be an object that lives as long as the process, or goes on by itself.
fn is_shared_object(program: &Program, function: FunctionRef, parameter: Name) -> bool {
    let declared = program.facts(function.module).parameters(program.function(function));
    let Some(parameter) = declared.iter().find(|declared| declared.name == parameter) else { return false };
    match program.type_of_annotation(program.defining_scope(function).expr(parameter.annotation), 4) {
        Type::Instance(class) => program.owner(class).lifetime >= Lifetime::Long,
        _ => false,
    }
}
