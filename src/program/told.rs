//! Loops that go on until they are told to stop: `while self._running:`, `while not self._stopped.is_set():`.
//!
//! Whoever sets the flag ends the work as a whole. Until then there is another round, whatever the last one brought.

use super::vocabulary;
use crate::facts::{Call, Expr, ExprId, FileFacts};
use crate::source::Name;

/// Whether the test of a loop is nothing but the question whether it was told to stop.
pub(super) fn goes_on_until_told(facts: &FileFacts, test: ExprId) -> bool {
    match facts.expr(test) {
        Expr::Attribute(base, name) => is_object(facts, base) && vocabulary::is_work_flag_name(name.as_str()),
        Expr::Call(call) => {
            let call = facts.call(call);
            has_no_arguments(call) && goes_on_until_told(facts, call.callee)
        }
        Expr::And(run) => facts.list(run).iter().all(|part| goes_on_until_told(facts, *part)),
        Expr::Not(inner) => is_told_to_stop(facts, inner),
        _ => false,
    }
}

/// `self._stopping`, `stop_event.is_set()`, `self._stop.wait(5)`, perhaps as a part of a longer test.
pub(super) fn is_told_to_stop(facts: &FileFacts, test: ExprId) -> bool {
    match facts.expr(test) {
        Expr::Attribute(base, name) => is_object(facts, base) && vocabulary::is_stop_flag_name(name.as_str()),
        Expr::Call(call) => {
            let Expr::Attribute(flag, question) = facts.expr(facts.call(call).callee) else { return false };
            matches!(question.as_str(), "is_set" | "isSet" | "wait")
                && name_of(facts, flag).is_some_and(|name| vocabulary::is_stop_flag_name(name.as_str()))
        }
        Expr::And(run) => facts.list(run).iter().any(|part| is_told_to_stop(facts, *part)),
        Expr::Not(inner) => goes_on_until_told(facts, inner),
        _ => false,
    }
}

/// `while not self._stop.wait(5):` sleeps where it asks.
pub(super) fn waits_to_be_told(facts: &FileFacts, test: ExprId) -> bool {
    match facts.expr(test) {
        Expr::Not(inner) => waits_to_be_told(facts, inner),
        Expr::Call(call) => {
            matches!(facts.expr(facts.call(call).callee), Expr::Attribute(_, name) if name.as_str() == "wait")
        }
        _ => false,
    }
}

fn has_no_arguments(call: &Call) -> bool {
    call.arguments.len == 0 && call.keywords.len == 0
}

/// An object by its name: flags of what is got from somewhere else speak of that.
fn is_object(facts: &FileFacts, base: ExprId) -> bool {
    matches!(facts.expr(base), Expr::Name(_))
}

fn name_of(facts: &FileFacts, expr: ExprId) -> Option<Name> {
    match facts.expr(expr) {
        Expr::Name(name) | Expr::Attribute(_, name) => Some(name),
        _ => None,
    }
}
