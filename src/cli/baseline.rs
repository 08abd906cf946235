//! `unleak baseline`: writes what is found to a file, so that from then on only what is new is reported.

use std::fs;
use std::path::{Path, PathBuf};

use super::streams::{cannot_write, print_styled, say_error};
use super::{BaselineArguments, Exit, check, config, progress, replace};
use crate::config::BaselineChoice;
use crate::engine::baseline::{Baseline, Entry, entries, of_other_files};
use crate::engine::{self, Options, Request};
use crate::output::{plural, shown_path};

const NAME: &str = ".unleak-baseline.json";

pub fn run(arguments: BaselineArguments, quiet: bool) -> Exit {
    match write(arguments, quiet) {
        Ok(exit) => exit,
        Err(message) => {
            say_error(message);
            Exit::Failure
        }
    }
}

fn write(mut arguments: BaselineArguments, quiet: bool) -> Result<Exit, String> {
    let directory = std::env::current_dir().map_err(|error| format!("the current folder cannot be told: {error}"))?;
    let mut request = Request {
        models: check::read_models(std::mem::take(&mut arguments.choice.models))?,
        paths: if arguments.paths.is_empty() { vec![".".into()] } else { arguments.paths },
        ..Request::default()
    };
    let configured = config::configuration(&arguments.choice, BaselineChoice::AsConfigured)?;
    let here = fs::canonicalize(&directory).unwrap_or(directory.clone());
    let usual = configured.at(&here).baseline.clone();
    let path = arguments.output.or_else(|| usual.clone()).unwrap_or_else(|| NAME.into());
    let old = read(&path)?;
    let choice = if arguments.prune { BaselineChoice::File(old.path.clone()) } else { BaselineChoice::None };
    let configuration = config::configuration(&arguments.choice, choice)?;
    request.options = Options { configuration, threads: arguments.choice.threads };

    let outcome = progress::shown(!quiet, |progress| engine::check(&request, progress));
    check::say_problems(&outcome, &directory, quiet);
    if outcome.is_incomplete() {
        return Err(format!("{} is left as it is", path.display()));
    }
    let new: Vec<Entry> = if arguments.prune {
        without(&old.entries, outcome.known.outdated.iter().map(|(_, entry)| entry))
    } else {
        entries(&outcome, &old.folder).into_iter().chain(of_other_files(&old, &outcome.checked)).collect()
    };
    let text = Baseline::text(&new);
    replace::replace(&path, |out| out.write_all(text.as_bytes()))
        .map_err(|error| cannot_write(path.display(), &error))?;
    let gone = old.entries.len().saturating_sub(new.len());
    let shown = shown_path(&path, &directory);
    let said = match arguments.prune {
        true => format!("Took {} out of {shown}.", entry_count(gone)),
        false => format!("Wrote {} to {shown}.", plural(new.len(), "finding")),
    };
    let is_used = arguments.prune || usual.is_some_and(|usual| absolute(&usual, &here) == absolute(&path, &here));
    let printed = quiet
        || print_styled(|out| {
            writeln!(out, "{said}")?;
            if is_used {
                return Ok(());
            }
            writeln!(out, "`baseline = '{shown}'` in the configuration, or `--baseline {shown}`, leaves them out.")
        });
    Ok(Exit::of_printing(printed))
}

pub fn entry_count(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// What is there already, which may be nothing.
fn read(path: &Path) -> Result<Baseline, String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(|error| cannot_write(path.display(), &error))?;
    let own = folder.join(path.file_name().unwrap_or_default());
    if !own.is_file() {
        return Ok(Baseline { path: own, folder, entries: Vec::new() });
    }
    let text = fs::read_to_string(&own).map_err(|error| format!("{}: {error}", path.display()))?;
    let entries = Baseline::parse(path, &text).map_err(|problem| {
        let at = problem.position.map_or_else(String::new, |at| format!(":{}:{}", at.row, at.column));
        format!("{}{at}: {}", path.display(), problem.message)
    })?;
    Ok(Baseline { path: own, folder, entries })
}

fn without<'e>(entries: &[Entry], outdated: impl Iterator<Item = &'e Entry>) -> Vec<Entry> {
    let mut left = entries.to_vec();
    for entry in outdated {
        if let Some(at) = left.iter().position(|other| other == entry) {
            left.remove(at);
        }
    }
    left
}

/// Of a path as a configuration or the command line gives it.
pub fn absolute(path: &Path, here: &Path) -> PathBuf {
    let path = here.join(path);
    fs::canonicalize(&path).unwrap_or(path)
}
