//! LK104: a cache without a bound on keys that never run out.

use super::{Claim, Report, growth, label};
use crate::finding::{Confidence, Label};
use crate::program::domains::Domain;
use crate::program::{ModuleId, Program};

pub fn check(module: ModuleId, program: &Program, report: &mut Report) {
    check_memos(module, program, report);
    check_cached_functions(module, program, report);
}

/// Hand-written: `if key in MEMO: return MEMO[key]`.
fn check_memos(module: ModuleId, program: &Program, report: &mut Report) {
    for (place, account) in program.accounts(module) {
        let memos: Vec<_> = account.growths.iter().filter(|growth| growth.is_memo).collect();
        if memos.is_empty() || memos.len() < account.growths.len() {
            continue;
        }
        let Some(confidence) = growth::memo_confidence(account, &memos) else { continue };
        let name = program.place_name(*place);
        let why = match memos[0].domain {
            Domain::Open(why) | Domain::Likely(why) => format!("the key is {why}"),
            _ => "every new key stays".to_owned(),
        };
        report.add(Claim {
            span: program.event_location(account.holder.binding).span,
            confidence,
            message: format!("`{name}` remembers every result and has no bound: {why}"),
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
            Domain::Open(_) => Confidence::High,
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
            Domain::Open(why) | Domain::Likely(why) => {
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
        report.add(Claim {
            span: cached.span,
            confidence,
            message: format!("the cache of `{name}` has no bound and keeps every result"),
            label: "one entry for each distinct argument, for as long as the process runs".to_owned(),
            related,
            symbol: program.function_symbol(function),
        });
    }
}
