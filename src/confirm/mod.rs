//! Runs the user's program and says which findings are real.
//!
//! A finding names the exact container, acquisition or class, so a run needs to watch only those. [`plan`] writes down
//! what that is, [`agent`] starts the program with a small Python package in front of its path that watches it, and
//! [`judge`] makes a verdict of what each process of the program has written. The agent counts and never judges, and a
//! verdict ranks findings and never deletes one: a run shows what happened in it, not what cannot happen.

mod agent;
mod judge;
mod plan;
mod record;
mod trend;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::engine::Outcome;
use crate::finding::{Evidence, Finding, Verdict};
use crate::output::fingerprint::Fingerprints;

/// What is to be run, and how.
#[derive(Clone, Debug)]
pub struct Run {
    pub command: Vec<OsString>,
    /// How often the work is to be done; by pytest in one process, else as equal parts of one run.
    pub rounds: u32,
    /// Raise once between each acquisition and its release.
    pub inject: bool,
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
    let folder = agent::Folder::new(run.folder.as_deref())?;
    let fingerprints = fingerprints(outcome);
    let plan = plan::Plan::new(outcome, &fingerprints, run, folder.path());
    let status = agent::run(&folder, &plan, &run.command)?;
    let processes = record::read(folder.path())?;
    for (finding, watch) in outcome.findings.iter_mut().zip(&plan.watches) {
        finding.evidence = Some(judge::evidence(watch, &processes));
    }
    write_evidence(folder.path(), &fingerprints, &outcome.findings)?;
    rank(&mut outcome.findings);
    Ok(Ended { status, processes: processes.len() })
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
