//! What happens when somebody stops a run: it says so, leaves nothing half-written and exits with 2.

use super::replace;
use super::streams::say_error;
use crate::confirm::remove_temporary;

/// Installs the handler for SIGINT, SIGTERM and SIGHUP, or Ctrl-C.
pub fn handle() {
    // Where that is impossible, the system ends the process in its own way.
    let _ = ctrlc::set_handler(|| {
        replace::remove_unfinished();
        remove_temporary();
        say_error("interrupted");
        std::process::exit(2);
    });
}
