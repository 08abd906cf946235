//! What the processes of a run have written down.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One Python process.
#[derive(Debug, Deserialize)]
pub struct Process {
    /// It came to its end; else this is what it had seen when something ended it.
    pub ended: bool,
    /// Why files of the plan could not be watched.
    pub failures: BTreeMap<PathBuf, String>,
    /// Files whose code calls the agent.
    pub rewritten: Vec<PathBuf>,
    /// By fingerprint: the findings of which some place was found.
    pub watches: BTreeMap<String, Seen>,
}

/// What was seen of one finding. What does not belong to its kind is 0.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Calls of the function around, or of a cached function.
    pub calls: u64,
    /// How often the place itself was reached.
    pub sites: u64,
    /// How many containers stood there in turn.
    pub containers: u64,
    /// The few that lived longest.
    pub series: Vec<Series>,
    /// Objects, and what became of them.
    pub born: u64,
    pub alive: u64,
    pub collected: u64,
    pub freed: u64,
    pub unweakable: u64,
    /// The references by which one of them keeps itself, in words.
    pub path: Option<String>,
    /// Acquisitions, and what became of them.
    pub acquired: u64,
    pub held: u64,
    pub examples: Vec<String>,
    pub warned: u64,
    pub untracked: u64,
    /// An exception was raised on purpose.
    pub injected: u64,
}

/// Sizes of one container. Every pair is a number of calls and a size.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Series {
    pub born: u64,
    pub died: Option<u64>,
    pub is_known_alive: bool,
    /// The attribute of the object that has it; none for what there is one of.
    pub attribute: Option<String>,
    /// Of each stretch of calls the lowest.
    pub points: Vec<(u64, u64)>,
    pub last: (u64, u64),
    pub most: u64,
    /// At the end of each round.
    pub marks: Vec<(u64, u64)>,
    /// What it cannot pass, as it says itself.
    pub bound: Option<u64>,
    /// How often something old had gone while it did not shrink.
    pub turnover: u64,
}

/// All processes that have written something, in the order of their files' names.
pub fn read(folder: &Path) -> Result<Vec<Process>, String> {
    paths(folder, "process-")?.iter().map(|path| read_one(path)).collect()
}

/// The whole files of a folder whose names begin so, in order.
pub fn paths(folder: &Path, beginning: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let is_record = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(beginning) && name.ends_with(".json")
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_record).collect();
    paths.sort();
    Ok(paths)
}

fn read_one(path: &Path) -> Result<Process, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
