//! `unleak confirm`: a check, a run of the program, and the findings with what the run says of them.

use std::fs;
use std::path::PathBuf;

use super::check;
use super::streams::{say_error, say_warning};
use super::{ConfirmArguments, Exit};
use crate::confirm::{self, Ended, Run};

pub fn run(arguments: ConfirmArguments, quiet: bool) -> Exit {
    let ConfirmArguments { mut check, rounds, inject, bytes, cycles, command } = arguments;
    if check.fix || check.diff {
        say_error("the program is run as it is: mend it first, with `unleak check --fix`");
        return Exit::Failure;
    }
    let roots = roots(&check.paths);
    let run = Run { command, rounds, inject, memory: bytes, cycles, roots, folder: check.evidence.take() };
    check::run_observed(check, quiet, |outcome| {
        let ended = confirm::confirm(outcome, &run)?;
        if !quiet {
            warn_of(ended);
        }
        Ok(())
    })
}

/// The canonical paths of what was named.
pub fn roots(paths: &[PathBuf]) -> Vec<PathBuf> {
    let named = if paths.is_empty() { &[PathBuf::from(".")] } else { paths };
    named.iter().filter_map(|path| fs::canonicalize(path).ok()).collect()
}

/// What makes the verdicts say less than they seem to.
pub fn warn_of(ended: Ended) {
    if ended.processes == 0 {
        say_warning("nothing was watched: the command ran no Python that heeds PYTHONPATH");
    }
    match ended.status {
        Some(0) => {}
        Some(status) => say_warning(format_args!("the command ended with {status}")),
        None => say_warning("the command was ended by a signal"),
    }
}
