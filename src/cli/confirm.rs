//! `unleak confirm`: a check, a run of the program, and the findings with what the run says of them.

use super::check;
use super::streams::{say_error, say_warning};
use super::{ConfirmArguments, Exit};
use crate::confirm::{self, Ended, Run};

pub fn run(arguments: ConfirmArguments, quiet: bool) -> Exit {
    let ConfirmArguments { mut check, rounds, inject, command } = arguments;
    if check.fix || check.diff {
        say_error("the program is run as it is: mend it first, with `unleak check --fix`");
        return Exit::Failure;
    }
    let run = Run { command, rounds, inject, folder: check.evidence.take() };
    check::run_observed(check, quiet, |outcome| {
        let ended = confirm::confirm(outcome, &run)?;
        if !quiet {
            warn_of(ended);
        }
        Ok(())
    })
}

/// What makes the verdicts say less than they seem to.
fn warn_of(ended: Ended) {
    if ended.processes == 0 {
        say_warning("nothing was watched: the command ran no Python that heeds PYTHONPATH");
    }
    match ended.status {
        Some(0) => {}
        Some(status) => say_warning(format_args!("the command ended with {status}")),
        None => say_warning("the command was ended by a signal"),
    }
}
