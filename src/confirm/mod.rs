//! Runs the user's program and says which findings are real.
//!
//! A finding names the exact container, acquisition or class, so a run needs to watch only those. [`plan`] writes down
//! what that is, [`agent`] starts the program with a small Python package in front of its path that watches it, and
//! [`judge`] makes a verdict of what each process of the program has written. The agent counts and never judges, and a
//! verdict ranks findings and never deletes one: a run shows what happened in it, not what cannot happen.

mod agent;
mod judge;
mod memory;
mod plan;
pub mod profile;
mod record;
mod trend;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

pub use self::agent::remove_temporary;
use self::profile::Profile;
use crate::engine::Outcome;
use crate::finding::{Evidence, Finding, Verdict};
use crate::output::fingerprint::Fingerprints;

/// What is to be run, and how.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub command: Vec<OsString>,
    /// How often the work is to be done; by pytest in one process, else as equal parts of one run.
    pub rounds: u32,
    /// Raise once between each acquisition and its release.
    pub inject: bool,
    /// Look at the memory of each line as well.
    pub memory: bool,
    /// Look for the references that make a cycle.
    pub cycles: bool,
    /// The files and folders whose lines are the program's own.
    pub roots: Vec<PathBuf>,
    /// Where the plan and what was seen are kept; a temporary folder if not said.
    pub folder: Option<PathBuf>,
}

/// What is worth telling of a run besides its verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `None` if a signal ended it.
    pub status: Option<i32>,
    /// How many Python processes were watched.
    pub processes: usize,
}

/// The file in the folder that holds the verdicts.
const EVIDENCE: &str = "evidence.json";

/// Runs the command, and gives each finding its evidence.
pub fn confirm(outcome: &mut Outcome, run: &Run) -> Result<Ended, String> {
    let ended = watch(outcome, run)?.0;
    rank(&mut outcome.findings);
    Ok(ended)
}

/// The same for a run whose memory is looked at: what its lines hold. The findings keep their order.
pub fn profile(outcome: &mut Outcome, run: &Run) -> Result<(Ended, Profile), String> {
    let (ended, profile) = watch(outcome, run)?;
    Ok((ended, profile.unwrap_or_else(|| Profile::new(outcome, &[], &run.roots))))
}

/// What is in files that other tools have written, in the order in which they were taken.
pub fn profile_of(outcome: &Outcome, files: &[PathBuf], roots: &[PathBuf]) -> Result<Profile, String> {
    Ok(Profile::new(outcome, &[memory::read_files(files)?], roots))
}

fn watch(outcome: &mut Outcome, run: &Run) -> Result<(Ended, Option<Profile>), String> {
    let folder = agent::Folder::new(run.folder.as_deref())?;
    let fingerprints = fingerprints(outcome);
    let plan = plan::Plan::new(outcome, &fingerprints, run, folder.path());
    let status = agent::run(&folder, &plan, &run.command)?;
    let processes = record::read(folder.path())?;
    for (finding, watch) in outcome.findings.iter_mut().zip(&plan.watches) {
        finding.evidence = Some(judge::evidence(watch, &processes));
    }
    let memories = if run.memory { memory::read_all(folder.path())? } else { Vec::new() };
    let profile = run.memory.then(|| Profile::new(outcome, &memories, &run.roots));
    if let Some(profile) = &profile {
        say_bytes(&mut outcome.findings, profile);
    }
    write_evidence(folder.path(), &fingerprints, &outcome.findings)?;
    Ok((Ended { status, processes: processes.len() }, profile))
}

/// Adds to what was seen of a finding how much its lines grew by.
fn say_bytes(findings: &mut [Finding], profile: &Profile) {
    for (number, finding) in findings.iter_mut().enumerate() {
        let growth = profile.growth_of(number);
        if let Some(evidence) = finding.evidence.as_mut().filter(|_| growth > 0) {
            evidence.note.push_str(&format!("; its lines grew by {}", bytes(growth)));
        }
    }
}

/// `14.1 MiB`
pub fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..0x10_0000 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.1} MiB", count as f64 / f64::from(0x10_0000)),
    }
}

/// Gives findings the evidence that an earlier run has left in a folder.
pub fn attach(outcome: &mut Outcome, folder: &Path) -> Result<(), String> {
    let path = folder.join(EVIDENCE);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut evidence: FxHashMap<String, Evidence> =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let fingerprints = fingerprints(outcome);
    for (finding, fingerprint) in outcome.findings.iter_mut().zip(&fingerprints) {
        finding.evidence = evidence.remove(fingerprint);
    }
    rank(&mut outcome.findings);
    Ok(())
}

/// What happened first. The order is otherwise kept.
fn rank(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| {
        let verdict = finding.evidence.as_ref().map(|evidence| evidence.verdict);
        // What was not seen may still be there.
        (verdict == Some(Verdict::NotReproduced), verdict)
    });
}

fn write_evidence(folder: &Path, fingerprints: &[String], findings: &[Finding]) -> Result<(), String> {
    let pairs = fingerprints.iter().zip(findings);
    let evidence: std::collections::BTreeMap<&String, &Evidence> =
        pairs.filter_map(|(fingerprint, finding)| Some((fingerprint, finding.evidence.as_ref()?))).collect();
    let path = folder.join(EVIDENCE);
    let text = serde_json::to_string_pretty(&evidence).map_err(|error| error.to_string())?;
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn fingerprints(outcome: &Outcome) -> Vec<String> {
    let mut fingerprints = Fingerprints::default();
    let line = |finding: &Finding| {
        let file = outcome.file(finding.location.file)?;
        file.lines.line(&file.source.text, file.lines.row(finding.location.span.start))
    };
    outcome.findings.iter().map(|finding| fingerprints.of(finding, line(finding).unwrap_or_default())).collect()
}
