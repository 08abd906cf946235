//! A panic in one file or one rule is reported like any other problem, and the rest goes on.
//!
//! The standard hook would print it in the middle of other output; while [`catch`] runs, the hook keeps the message
//! and its place for the caller instead. Other panics reach the hook that was there before.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// What `work` gives, or what its panic said and where.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(install_hook);
    let was_caught = IS_CAUGHT.replace(true);
    // Nothing is shared with the outside but what other files and rules do not read.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(was_caught);
    result.map_err(|_| MESSAGE.take().unwrap_or_else(|| "it panicked".into()))
}

fn install_hook() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |information| {
        if !IS_CAUGHT.get() {
            return previous(information);
        }
        let message = information.payload_as_str().unwrap_or("it panicked");
        let place = information.location().map(|place| format!(" ({place})")).unwrap_or_default();
        MESSAGE.set(Some(format!("{message}{place}")));
    }));
}
