//! `unleak check`: asks the engine and prints what it says.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::mend::{self, Mending};
use super::outputs::Outputs;
use super::since::Changes;
use super::streams::{say_error, say_warning};
use super::{CheckArguments, Exit, baseline, config, progress};
use crate::config::BaselineChoice;
use crate::confirm;
use crate::engine::{self, Options, Outcome, Problem, Request};
use crate::fix::Mended;
use crate::output::{Format, Report, plural, printable_line, shown_path};

pub fn run(mut arguments: CheckArguments, quiet: bool) -> Exit {
    match arguments.evidence.take() {
        Some(folder) => run_observed(arguments, quiet, |outcome| confirm::attach(outcome, &folder)),
        None => run_observed(arguments, quiet, |_| Ok(())),
    }
}

/// The same, with a look at the findings before they are printed.
pub fn run_observed(
    mut arguments: CheckArguments,
    quiet: bool,
    observe: impl FnOnce(&mut Outcome) -> Result<(), String>,
) -> Exit {
    let (statistics, exit_zero) = (arguments.statistics, arguments.exit_zero);
    let mending = Mending::of(&arguments);
    let (shows_files, shows_settings) = (arguments.show_files, arguments.show_settings);
    let since = arguments.since.take();
    let prepared = outputs(&mut arguments).and_then(|outputs| {
        let changes = since.as_deref().map(Changes::since).transpose()?;
        Ok((request(arguments)?, outputs, changes))
    });
    let (request, outputs, changes) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => {
            say_error(message);
            return Exit::Failure;
        }
    };
    // Without a current directory paths are shown as they are.
    let directory = std::env::current_dir().unwrap_or_default();
    if shows_files || shows_settings {
        return show(&request, shows_settings, &directory, quiet);
    }
    let Mended { mut outcome, files: changed, mended } =
        progress::shown(!quiet, |progress| mend::check(&request, &mending, progress));
    // The process ends when this is printed.
    std::mem::forget(outcome.remains.take());

    say_problems(&outcome, &directory, quiet);
    if outcome.is_refused() {
        return Exit::Failure;
    }
    if let Some(changes) = &changes {
        changes.restrict(&mut outcome);
    }
    if !quiet {
        say_known(&outcome, &directory);
    }
    if outcome.statistics.files == 0 && outcome.problems.is_empty() && !quiet {
        say_warning("no Python files under the given paths");
    }
    if mending.only_shows {
        return match mend::print_diff(&changed, &directory, &mending.done(mended, true), quiet) {
            true if !outcome.is_incomplete() => {
                if changed.is_empty() || exit_zero {
                    Exit::Clean
                } else {
                    Exit::Findings
                }
            }
            _ => Exit::Failure,
        };
    }
    if let Err(message) = observe(&mut outcome) {
        say_error(message);
        return Exit::Failure;
    }
    let written = mend::write(&changed, &request);
    let report = Report {
        findings: &outcome.findings,
        sources: &outcome.files,
        files: outcome.statistics.files,
        directory: &directory,
    };
    let reported = outputs.write_files(&report, statistics);
    let printed = match &request.stdin {
        Some(stdin) if mending.writes => mend::print_text(stdin, &changed, &report),
        _ => {
            outputs.print(&report, statistics, quiet)
                && (quiet || mend::print_summary(&changed, &mending.done(mended, false), &outputs))
        }
    };

    if !printed || !reported || !written || outcome.is_incomplete() {
        Exit::Failure
    } else if outcome.findings.is_empty() || exit_zero {
        Exit::Clean
    } else {
        Exit::Findings
    }
}

fn outputs(arguments: &mut CheckArguments) -> Result<Outputs, String> {
    let targets = std::mem::take(&mut arguments.output_format);
    let outputs = Outputs::new(targets, arguments.output_file.take())?;
    if arguments.diff && outputs.has_files() {
        return Err("`--diff` prints a diff and writes no report".into());
    }
    if arguments.statistics && !outputs.formats().all(Format::has_statistics) {
        return Err("`--statistics` can be full, concise, grouped, json or json-lines".into());
    }
    Ok(outputs)
}

/// The engine's view of the arguments. Everything that has to be read besides Python files is read here.
fn request(arguments: CheckArguments) -> Result<Request, String> {
    let baseline = match &arguments.baseline {
        Some(path) => BaselineChoice::File(baseline::absolute(path, &std::env::current_dir().unwrap_or_default())),
        None => BaselineChoice::AsConfigured,
    };
    let configuration = config::configuration(&arguments.choice, baseline)?;
    let models = read_models(arguments.choice.models)?;

    let is_dash = |path: &PathBuf| path.as_os_str() == "-";
    let from_stdin =
        arguments.paths.iter().any(is_dash) || (arguments.paths.is_empty() && arguments.stdin_filename.is_some());
    let stdin = if from_stdin {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map_err(|error| format!("cannot read standard input: {error}"))?;
        Some((arguments.stdin_filename.unwrap_or_else(|| "-".into()), bytes))
    } else {
        None
    };
    let mut paths = arguments.paths;
    paths.retain(|path| !is_dash(path));
    if paths.is_empty() && stdin.is_none() {
        paths.push(".".into());
    }

    let options = Options { configuration, threads: arguments.choice.threads };
    Ok(Request { paths, stdin, models, options, ..Request::default() })
}

/// The path and text of each file of models.
pub fn read_models(paths: Vec<PathBuf>) -> Result<Vec<(PathBuf, String)>, String> {
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) => Err(format!("{}: {error}", path.display())),
    };
    paths.into_iter().map(read).collect()
}

/// What the baselines hid, and which of their entries are out of date.
fn say_known(outcome: &Outcome, directory: &Path) {
    if outcome.known.findings > 0 {
        let known = plural(outcome.known.findings, "known finding");
        // There is no third stream to complain on.
        let _ = writeln!(anstream::stderr(), "{known} of the baseline not shown.");
    }
    let mut outdated = outcome.known.outdated.iter().map(|(path, _)| path).collect::<Vec<_>>();
    outdated.dedup();
    for path in outdated {
        let count = outcome.known.outdated.iter().filter(|(of, _)| of == path).count();
        let (path, verb) = (shown_path(path, directory), if count == 1 { "occurs" } else { "occur" });
        let count = baseline::entry_count(count);
        say_warning(format_args!("{path}: {count} no longer {verb}; `unleak baseline --prune` takes out what is old"));
    }
}

/// What would be checked, and by which settings.
fn show(request: &Request, settings: bool, directory: &Path, quiet: bool) -> Exit {
    let found = engine::find(request);
    say_all(&found.problems, directory, quiet);
    if found.problems.iter().any(Problem::is_failure) {
        return Exit::Failure;
    }
    if settings { config::print_settings(&found, directory) } else { config::print_files(&found, directory) }
}

pub fn say_problems(outcome: &Outcome, directory: &Path, quiet: bool) {
    say_all(&outcome.problems, directory, quiet);
}

fn say_all(problems: &[Problem], directory: &Path, quiet: bool) {
    for problem in problems {
        say(problem, directory, quiet);
    }
}

/// `error: path:row:column: message`
fn say(problem: &Problem, directory: &Path, quiet: bool) {
    let path = printable_line(&shown_path(&problem.path, directory));
    let position = problem.position.map_or_else(String::new, |at| format!(":{}:{}", at.row, at.column));
    let message = format!("{path}{position}: {}", printable_line(&problem.message));
    if problem.is_failure() {
        say_error(message);
    } else if !quiet {
        say_warning(message);
    }
}
