//! `unleak profile`: which lines of a run hold more and more memory, and what a check says of them.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::confirm::{roots, warn_of};
use super::streams::{print_plain, print_styled, say_error};
use super::{Exit, MinConfidence, ProfileArguments, RuleFormat, check, config, progress};
use crate::config::BaselineChoice;
use crate::confirm::profile::{Course, Line, Profile, Sizes};
use crate::confirm::{self, Run, bytes};
use crate::engine::{self, Options, Outcome, Request};
use crate::finding::Finding;
use crate::output::{plural, shown_path, sparkline, style};
use crate::rules::page::page;

/// What grew by less is what a program happens to need.
const LEAST: u64 = 1024;
/// What grows to the end of the run by at least so much is reported with an exit code of 1.
const LEAST_OF_A_LEAK: u64 = 16 * 1024;
/// So many files are shown.
const MOST_MODULES: usize = 10;

pub fn run(arguments: ProfileArguments, quiet: bool) -> Exit {
    match profile(arguments, quiet) {
        Ok(exit) => exit,
        Err(message) => {
            say_error(message);
            Exit::Failure
        }
    }
}

fn profile(mut arguments: ProfileArguments, quiet: bool) -> Result<Exit, String> {
    let directory = std::env::current_dir().map_err(|error| format!("the current folder cannot be told: {error}"))?;
    // What grows is seen, so that even a weak argument may be its reason.
    arguments.choice.min_confidence.get_or_insert(MinConfidence::Low);
    let configuration = config::configuration(&arguments.choice, BaselineChoice::None)?;
    let roots = roots(&arguments.paths);
    let request = Request {
        models: check::read_models(arguments.choice.models)?,
        paths: if arguments.paths.is_empty() { vec![".".into()] } else { arguments.paths },
        options: Options { configuration, threads: arguments.choice.threads },
        ..Request::default()
    };
    let mut outcome = progress::shown(!quiet, |progress| engine::check(&request, progress)).without_remains();
    check::say_problems(&outcome, &directory, quiet);
    if outcome.is_refused() {
        return Ok(Exit::Failure);
    }
    let profile = if arguments.read.is_empty() {
        let run = Run { command: arguments.command, rounds: arguments.rounds, memory: true, roots, ..Run::default() };
        let (ended, profile) = confirm::profile(&mut outcome, &run)?;
        if !quiet {
            warn_of(ended);
        }
        profile
    } else {
        confirm::profile_of(&outcome, &arguments.read, &roots)?
    };
    let report = Report { profile: &profile, outcome: &outcome, directory: &directory, top: arguments.top };
    let printed = match arguments.output_format {
        RuleFormat::Text => print_styled(|out| report.write(out)),
        RuleFormat::Json => print_plain(|out| {
            serde_json::to_writer_pretty(&mut *out, &report.json())?;
            writeln!(out)
        }),
    };
    Ok(if !printed || outcome.is_incomplete() {
        Exit::Failure
    } else if profile.lines.iter().any(is_leak) {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

fn is_leak(line: &Line) -> bool {
    line.sizes.course == Course::Grows && line.sizes.growth >= LEAST_OF_A_LEAK
}

struct Report<'a> {
    profile: &'a Profile,
    outcome: &'a Outcome,
    directory: &'a Path,
    top: usize,
}

impl Report<'_> {
    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.profile.lines.iter().filter(|line| line.sizes.growth >= LEAST).take(self.top)
    }

    fn finding(&self, line: &Line) -> Option<&Finding> {
        self.outcome.findings.get(line.finding?)
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Profile { before, after, looks, in_rounds, .. } = self.profile;
        let (before, after) = (bytes(*before), bytes(*after));
        match (looks, in_rounds) {
            (0, _) => return writeln!(out, "Nobody looked at the memory of a Python process."),
            (1, _) => writeln!(out, "{after} were held at one time, which tells what is large, not what grows.")?,
            (looks, true) => {
                writeln!(out, "From {before} after the first of {looks} rounds to {after} after the last.")?
            }
            (looks, false) => writeln!(out, "From {before} to {after}, looked at {looks} times.")?,
        }
        if self.lines().next().is_none() {
            return writeln!(out, "No line grew.");
        }
        let growth = if *looks > 1 { "grew by" } else { "" };
        writeln!(out, "\n{growth:>10}  {:>10}  by line", "holds")?;
        self.lines().try_for_each(|line| self.write_line(line, out))?;
        writeln!(out, "\n{growth:>10}  {:>10}  by module", "holds")?;
        for module in self.profile.modules.iter().filter(|module| module.growth >= LEAST).take(MOST_MODULES) {
            let path = shown_path(&module.path, self.directory);
            writeln!(out, "{:>10}  {:>10}  {path}", self.growth(module.growth), bytes(module.size))?;
        }
        Ok(())
    }

    fn write_line(&self, line: &Line, out: &mut dyn Write) -> io::Result<()> {
        let strong = style::STRONG;
        let Sizes { growth, last, series, .. } = &line.sizes;
        let place = format!("{}:{}", shown_path(&line.path, self.directory), line.row);
        let function = line.function.as_ref().map_or_else(String::new, |function| format!(" in `{function}`"));
        let chart = sparkline(series);
        let gap = if chart.is_empty() { "" } else { "  " };
        writeln!(
            out,
            "{:>10}  {:>10}  {strong}{place}{strong:#}{function}{gap}{chart}",
            self.growth(*growth),
            bytes(*last)
        )?;
        writeln!(out, "{:>10}  {:>10}  {}", "", "", self.why(line))
    }

    /// Of a single look nothing is known but what is held.
    fn growth(&self, growth: u64) -> String {
        if self.profile.looks > 1 { bytes(growth) } else { String::new() }
    }

    /// The finding that explains a line, or that there is none.
    fn why(&self, line: &Line) -> String {
        let course = match line.sizes.course {
            Course::Stays => "grew once and then no more; ",
            Course::Grows | Course::Unknown => "",
        };
        let Some(finding) = self.finding(line) else {
            return format!("{course}{} that no rule explains", plural(line.blocks as usize, "block"));
        };
        let place = self.place(finding);
        let observed = finding.evidence.as_ref().map_or_else(String::new, |evidence| {
            let calls = evidence.series.last().map_or(0, |point| point.0);
            let over = if calls > 0 { format!(" over {}", plural(calls as usize, "call")) } else { String::new() };
            format!("{over}, {}", evidence.verdict.words())
        });
        format!("{course}{}, {} (at {place}){observed}", finding.code, held_by(finding))
    }

    fn place(&self, finding: &Finding) -> String {
        let Some(file) = self.outcome.file(finding.location.file) else { return String::new() };
        let path = shown_path(&file.source.path, self.directory);
        format!("{path}:{}", file.lines.row(finding.location.span.start))
    }

    fn json(&self) -> Value {
        let line = |line: &Line| {
            json!({
                "filename": shown_path(&line.path, self.directory),
                "row": line.row,
                "function": line.function,
                "growth": line.sizes.growth,
                "size": line.sizes.last,
                "blocks": line.blocks,
                "sizes": line.sizes.series.iter().map(|point| point.1).collect::<Vec<_>>(),
                "course": course_word(line.sizes.course),
                "finding": self.finding(line).map(|finding| json!({
                    "code": finding.code,
                    "symbol": finding.symbol,
                    "message": finding.message,
                    "place": self.place(finding),
                    "evidence": finding.evidence,
                })),
            })
        };
        let modules = self.profile.modules.iter().filter(|module| module.growth >= LEAST);
        json!({
            "before": self.profile.before,
            "after": self.profile.after,
            "looks": self.profile.looks,
            "rounds": self.profile.in_rounds,
            "lines": self.lines().map(line).collect::<Vec<_>>(),
            "modules": modules.map(|module| json!({
                "filename": shown_path(&module.path, self.directory),
                "growth": module.growth,
                "size": module.size,
            })).collect::<Vec<_>>(),
        })
    }
}

fn course_word(course: Course) -> &'static str {
    match course {
        Course::Grows => "grows",
        Course::Stays => "stays",
        Course::Unknown => "unknown",
    }
}

/// What a rule says of the thing, in few words.
fn held_by(finding: &Finding) -> String {
    let is_growth = page(finding.code).is_some_and(|page| page.family == "growth" || page.family == "listeners");
    let names: Vec<&str> = finding.symbol.rsplitn(3, '.').collect();
    let short = names[..names.len().min(2)].iter().rev().copied().collect::<Vec<_>>().join(".");
    if is_growth { format!("held by `{short}`") } else { format!("`{short}`") }
}
