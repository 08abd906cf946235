//! The command line: arguments in, exit code out.
//!
//! There are three exit codes and no others: 0 nothing found, 1 findings, 2 unleak could not do its work. Scripts
//! rely on them, so a panic is caught here and made a 2, and so is a report that did not arrive whole (`unleak … | head`):
//! a 0 or 1 says that all was told.

mod baseline;
mod check;
mod config;
mod confirm;
mod interrupt;
mod manual;
mod mend;
mod outputs;
mod profile;
mod progress;
mod replace;
mod rule;
mod since;
mod streams;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::finding::Confidence;
use outputs::{Target, TargetParser};
use streams::ColorChoice;

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing found
  1  leaks found
  2  unleak could not do its work";

/// Finds where Python code leaks: what only grows, what nothing lets go, and why
#[derive(Debug, Parser)]
#[command(name = "unleak", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    check: CheckArguments,
    #[command(flatten)]
    global: GlobalArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check files and folders; what `unleak PATHS` does as well
    #[command(after_help = EXIT_CODES)]
    Check(Box<CheckArguments>),
    /// Run a program or its tests, and say which findings are real
    #[command(after_help = EXIT_CODES)]
    Confirm(Box<ConfirmArguments>),
    /// Run a program or its tests, and say which lines hold more and more memory, and why
    #[command(after_help = EXIT_CODES)]
    Profile(Box<ProfileArguments>),
    /// Serve an editor: the language server protocol on standard input and output
    Server(ServerArguments),
    /// Explain a rule, or list them all
    Rule(RuleArguments),
    /// Write what is found to a file: from then on only what is new is reported
    Baseline(Box<BaselineArguments>),
    /// Print what there is to know of configurations
    Config(ConfigArguments),
    /// Print what completes the command line in a shell
    Completions {
        /// The shell that reads it
        shell: clap_complete::Shell,
    },
    /// Print the manual page, for `man -l -`
    Man,
}

#[derive(Debug, Args)]
struct ConfigArguments {
    #[command(subcommand)]
    about: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// The JSON Schema of `unleak.toml`, for editors
    Schema,
}

#[derive(Debug, Args)]
struct GlobalArguments {
    /// Print the findings and errors only: no warnings, no closing line, no progress
    #[arg(short, long, global = true)]
    quiet: bool,
    /// When to use colours; `auto` asks the terminal, NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: ColorChoice,
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// Files and folders to report on, `-` for standard input [default: .]
    paths: Vec<PathBuf>,
    /// How findings are printed, or written to a file; may be given again [default: full]
    #[arg(long, value_parser = TargetParser, value_name = "FORMAT[=FILE]")]
    output_format: Vec<Target>,
    /// Write the report to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    #[command(flatten)]
    choice: ChoiceArguments,
    /// Print how often each rule found something instead of the findings
    #[arg(long)]
    statistics: bool,
    /// Mend what can be mended without changing what the program does
    #[arg(long)]
    fix: bool,
    /// Print what `--fix` would change, and change nothing
    #[arg(long)]
    diff: bool,
    /// With `--fix` or `--diff`: also changes that somebody has to look at
    #[arg(long)]
    unsafe_fixes: bool,
    /// Write a comment at each finding that silences it, with a reason if one is given
    #[arg(long, value_name = "REASON", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(conflicts_with_all = ["fix", "unsafe_fixes"])]
    add_ignore: Option<String>,
    /// Exit with 0 even if there are findings
    #[arg(long)]
    exit_zero: bool,
    /// The path that standard input stands for
    #[arg(long, value_name = "PATH")]
    stdin_filename: Option<PathBuf>,
    /// Report only what is not in this file, which `unleak baseline` writes
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Report only what has to do with rows that have changed since this revision of git
    #[arg(long, value_name = "REVISION", conflicts_with_all = ["fix", "diff", "add_ignore"])]
    since: Option<String>,
    /// Say what a run has shown of each finding: `unleak confirm` leaves that in this folder, `check` reads it
    #[arg(long, value_name = "FOLDER")]
    evidence: Option<PathBuf>,
    /// Print the settings that hold for the files, and check nothing
    #[arg(long)]
    show_settings: bool,
    /// Print the files that would be reported on, and check nothing
    #[arg(long, conflicts_with = "show_settings")]
    show_files: bool,
}

/// What is checked, by which rules and with which knowledge.
#[derive(Debug, Args)]
struct ChoiceArguments {
    /// Run only these rules: codes, names, families, starts of codes (`LK1`), ALL
    #[arg(long, value_delimiter = ',', value_name = "RULES")]
    select: Vec<String>,
    /// Leave out these rules
    #[arg(long, value_delimiter = ',', value_name = "RULES")]
    ignore: Vec<String>,
    /// Leave out findings that are less certain [default: medium]
    #[arg(long, value_enum, value_name = "LEVEL")]
    min_confidence: Option<MinConfidence>,
    /// Read more models of libraries from this file; may be given again
    #[arg(long, value_name = "FILE")]
    models: Vec<PathBuf>,
    /// Use so many threads [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Files and folders that are neither reported nor read, in place of the usual ones
    #[arg(long, value_delimiter = ',', value_name = "PATTERNS")]
    exclude: Vec<String>,
    /// More files and folders that are neither reported nor read
    #[arg(long, value_delimiter = ',', value_name = "PATTERNS")]
    extend_exclude: Vec<String>,
    /// Leave out what is excluded also where it was named, as in hooks
    #[arg(long)]
    force_exclude: bool,
    /// Use this configuration in place of those above the files
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    config: Option<PathBuf>,
    /// Read no configuration files
    #[arg(long)]
    isolated: bool,
    /// Neither read nor write a cache: unleak keeps nothing between runs, with or without it
    #[arg(long)]
    no_cache: bool,
}

#[derive(Debug, Args)]
struct BaselineArguments {
    /// Files and folders whose findings are known from now on [default: .]
    paths: Vec<PathBuf>,
    /// The file to write [default: what the configuration says, else .unleak-baseline.json]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only take out what does not occur any more
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    choice: ChoiceArguments,
}

#[derive(Debug, Args)]
struct ConfirmArguments {
    #[command(flatten)]
    check: CheckArguments,
    /// Do the work so often: pytest runs its tests again in the same process, other programs are looked at in equal parts
    #[arg(long, value_name = "N", default_value_t = 1)]
    rounds: u32,
    /// Raise an exception once between each acquisition and its release; the program has to bear that
    #[arg(long)]
    inject: bool,
    /// Say as well how many bytes the lines of a finding grew by: tracemalloc runs along, which takes time
    #[arg(long)]
    bytes: bool,
    /// Say by which references an object keeps itself: the collector is slower until that is found
    #[arg(long)]
    cycles: bool,
    /// What to run, behind `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Debug, Args)]
struct ProfileArguments {
    /// Files and folders whose lines are the program's own, and are checked [default: .]
    paths: Vec<PathBuf>,
    /// How often pytest runs its tests in the same process; other programs are looked at now and then
    #[arg(long, value_name = "N", default_value_t = 4)]
    rounds: u32,
    /// Read this in place of running a command: a snapshot that tracemalloc dumped, or what `memray transform csv` made;
    /// may be given again, in the order in which they were taken
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    read: Vec<PathBuf>,
    /// Show so many lines
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// How it is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    output_format: RuleFormat,
    #[command(flatten)]
    choice: ChoiceArguments,
    /// What to run, behind `--`
    #[arg(last = true, required_unless_present = "read", value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Debug, Args)]
struct ServerArguments {
    /// What is always so; editors pass it out of habit
    #[arg(long, hide = true)]
    stdio: bool,
}

#[derive(Debug, Args)]
struct RuleArguments {
    /// A code or a name
    #[arg(value_name = "CODE")]
    rule: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    output_format: RuleFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RuleFormat {
    /// For people
    #[default]
    Text,
    /// For programs: one object, or an array of all
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MinConfidence {
    High,
    Medium,
    Low,
}

impl From<MinConfidence> for Confidence {
    fn from(level: MinConfidence) -> Confidence {
        match level {
            MinConfidence::High => Confidence::High,
            MinConfidence::Medium => Confidence::Medium,
            MinConfidence::Low => Confidence::Low,
        }
    }
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Clean,
    Findings,
    Failure,
}

impl Exit {
    /// Of a command that only prints.
    fn of_printing(printed: bool) -> Exit {
        if printed { Exit::Clean } else { Exit::Failure }
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // The panic's own message was printed where it happened.
    let exit = std::panic::catch_unwind(run).unwrap_or(Exit::Failure);
    ExitCode::from(match exit {
        Exit::Clean => 0,
        Exit::Findings => 1,
        Exit::Failure => 2,
    })
}

fn run() -> Exit {
    streams::choose_color(ColorChoice::Auto);
    interrupt::handle();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let printed = error.print();
            // Help and version are no errors. A message that cannot be printed has no other place to go to.
            return if error.use_stderr() { Exit::Failure } else { Exit::of_printing(streams::was_printed(printed)) };
        }
    };
    streams::choose_color(cli.global.color);
    match cli.command {
        Some(Command::Rule(arguments)) => rule::run(&arguments),
        // The protocol wants a 1 if the editor leaves without a word.
        Some(Command::Server(_)) => {
            if crate::lsp::run() {
                Exit::Clean
            } else {
                Exit::Findings
            }
        }
        Some(Command::Baseline(arguments)) => baseline::run(*arguments, cli.global.quiet),
        Some(Command::Completions { shell }) => manual::print_completions(shell),
        Some(Command::Man) => manual::print_page(),
        Some(Command::Config(ConfigArguments { about: ConfigCommand::Schema })) => config::print_schema(),
        Some(Command::Check(arguments)) => check::run(*arguments, cli.global.quiet),
        Some(Command::Confirm(arguments)) => confirm::run(*arguments, cli.global.quiet),
        Some(Command::Profile(arguments)) => profile::run(*arguments, cli.global.quiet),
        None => {
            if let Some(command) = misplaced_command(&cli.check) {
                streams::say_error(format_args!("options stand behind the command: unleak {command} [OPTIONS]"));
                return Exit::Failure;
            }
            check::run(cli.check, cli.global.quiet)
        }
    }
}

/// In `unleak --select LK1 check src` clap takes `check` for a path, which is what it would be without the command.
fn misplaced_command(arguments: &CheckArguments) -> Option<&'static str> {
    let first = arguments.paths.first()?;
    ["check", "rule", "server", "confirm", "profile", "baseline", "config", "completions", "man"]
        .into_iter()
        .find(|command| first.as_os_str() == *command && !first.exists())
}
