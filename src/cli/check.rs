//! `unleak check`: asks the engine and prints what it says.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::mend::{self, Mending};
use super::outputs::Outputs;
use super::streams::{say_error, say_warning};
use super::{CheckArguments, Exit, config, progress};
use crate::engine::{self, Options, Problem, Request};
use crate::fix::Mended;
use crate::output::{Format, Report, printable_line, shown_path};

pub fn run(mut arguments: CheckArguments, quiet: bool) -> Exit {
    let (statistics, exit_zero) = (arguments.statistics, arguments.exit_zero);
    let mending = Mending::of(&arguments);
    let (shows_files, shows_settings) = (arguments.show_files, arguments.show_settings);
    let outputs = outputs(&mut arguments);
    let (request, outputs) = match outputs.and_then(|outputs| Ok((request(arguments)?, outputs))) {
        Ok(both) => both,
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
    let Mended { outcome, files: changed, mended } =
        progress::shown(!quiet, |progress| mend::check(&request, &mending, progress));

    for problem in &outcome.problems {
        say(problem, &directory, quiet);
    }
    if outcome.is_refused() {
        return Exit::Failure;
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
    let configuration = config::configuration(&arguments)?;
    let read_model = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) => Err(format!("{}: {error}", path.display())),
    };
    let models = arguments.models.into_iter().map(read_model).collect::<Result<_, _>>()?;

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

    let options = Options { configuration, threads: arguments.threads };
    Ok(Request { paths, stdin, models, options, ..Request::default() })
}

/// What would be checked, and by which settings.
fn show(request: &Request, settings: bool, directory: &Path, quiet: bool) -> Exit {
    let found = engine::find(request);
    for problem in &found.problems {
        say(problem, directory, quiet);
    }
    if found.problems.iter().any(Problem::is_failure) {
        return Exit::Failure;
    }
    if settings { config::print_settings(&found, directory) } else { config::print_files(&found, directory) }
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
