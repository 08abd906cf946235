//! Findings that are known already, so that an old code base can begin with what is new.
//!
//! An entry must mean the same finding while code moves and is formatted anew. So it holds no row but the rule, what
//! leaks (by its name in its module) and the words of the place, of which only letters and digits count. A finding is
//! looked for in the file that the entry names; if that file is gone, in whichever has taken it over. The text is an
//! array with an entry a row, each behind its comma and in order, so that two branches that add entries can be merged
//! row by row.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::load::FoundFile;
use super::{Outcome, Problem, ProblemKind, ShownFile};
use crate::config::Settings;
use crate::finding::{Confidence, Finding};
use crate::models::mistakes::{plainer, row_and_column};
use crate::source::Position;

const VERSION: u32 = 1;
/// Longer texts are cut: they only have to differ from each other.
const MOST_CHARACTERS: usize = 120;

/// A finding that is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From the folder of the baseline, with `/`.
    pub path: String,
    pub code: String,
    /// What leaks, by its name in its module.
    pub symbol: String,
    /// The words at the place.
    pub text: String,
    pub confidence: Confidence,
}

/// The first element: it says what the file is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Head {
    unleak_baseline: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// Its own path.
    pub path: PathBuf,
    /// The canonical folder that the entries' paths count from.
    pub folder: PathBuf,
    pub entries: Vec<Entry>,
}

/// What a run knew already.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// How many findings are not shown.
    pub findings: usize,
    /// Entries of a baseline's path that no longer occur, though the run would have found them.
    pub outdated: Vec<(PathBuf, Entry)>,
}

impl Baseline {
    /// # Errors
    /// What is wrong and where, if the text is no baseline.
    pub fn parse(path: &Path, text: &str) -> Result<Vec<Entry>, Problem> {
        let problem = |row: usize, column: usize, message: String| Problem {
            path: path.to_owned(),
            position: Some(Position { cell: None, row: row as u32, column: column as u32 }),
            message,
            kind: ProblemKind::Configuration,
            named: true,
        };
        let parsed: Vec<&serde_json::value::RawValue> = serde_json::from_str(text).map_err(|error| {
            problem(error.line(), error.column(), "not a baseline, which is an array of JSON".to_owned())
        })?;
        let place = |raw: &str| row_and_column(text, raw.as_ptr() as usize - text.as_ptr() as usize);
        let wrong = |raw: &str, error: &serde_json::Error| {
            let (row, column) = place(raw);
            let message = plainer(&error.to_string());
            problem(row, column, message.split(" at line ").next().unwrap_or_default().to_owned())
        };
        let Some((head, rest)) = parsed.split_first() else {
            return Err(problem(1, 1, "not a baseline: its first element is missing".to_owned()));
        };
        let version = serde_json::from_str::<Head>(head.get()).map_err(|error| wrong(head.get(), &error))?;
        if version.unleak_baseline != VERSION {
            let (row, column) = place(head.get());
            return Err(problem(row, column, format!("a baseline of version {}", version.unleak_baseline)));
        }
        rest.iter().map(|raw| serde_json::from_str(raw.get()).map_err(|error| wrong(raw.get(), &error))).collect()
    }

    /// The file's text; the entries are sorted and each stands once for each finding.
    pub fn text(entries: &[Entry]) -> String {
        let mut sorted = entries.to_vec();
        sorted.sort();
        let head = serde_json::to_string(&Head { unleak_baseline: VERSION }).unwrap_or_default();
        let rows = sorted.iter().map(|entry| format!(",{}\n", serde_json::to_string(entry).unwrap_or_default()));
        format!("[{head}\n{}]\n", rows.collect::<String>())
    }

    /// Whether the file that an entry speaks of is there.
    fn has_file(&self, entry: &Entry) -> bool {
        self.folder.join(&entry.path).exists()
    }
}

/// An entry for each finding of an outcome.
pub fn entries(outcome: &Outcome, folder: &Path) -> Vec<Entry> {
    let of = |finding: &Finding| Some(entry(finding, outcome.file(finding.location.file)?, folder));
    outcome.findings.iter().filter_map(of).collect()
}

/// What remains of a baseline's entries when a run has written its own: those of files that the run did not look at.
pub fn of_other_files(baseline: &Baseline, looked_at: &[PathBuf]) -> Vec<Entry> {
    let is_other = |entry: &&Entry| baseline.has_file(entry) && !looked_at.contains(&baseline.folder.join(&entry.path));
    baseline.entries.iter().filter(is_other).cloned().collect()
}

fn entry(finding: &Finding, file: &ShownFile, folder: &Path) -> Entry {
    let path = file.path.strip_prefix(folder).unwrap_or(&file.path);
    let path: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let place = finding.location.span.of(&file.source.text);
    let words: Vec<&str> =
        place.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    Entry {
        path: path.join("/"),
        code: finding.code.to_owned(),
        symbol: name_in_module(&finding.symbol, &file.path).to_owned(),
        text: words.join(" ").chars().take(MOST_CHARACTERS).collect(),
        confidence: finding.confidence,
    }
}

/// A dotted name without its module's, as far as that is in the path of the module's file.
fn name_in_module<'s>(symbol: &'s str, path: &Path) -> &'s str {
    let path = path.with_extension("");
    let mut parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    if parts.last().is_some_and(|last| last == "__init__") {
        parts.pop();
    }
    for start in 0..parts.len() {
        let module = parts[start..].join(".");
        match symbol.strip_prefix(&module) {
            Some("") => return "",
            Some(rest) if rest.starts_with('.') => return &rest[1..],
            _ => {}
        }
    }
    symbol
}

/// Takes out of an outcome what the baselines of its files know.
pub fn take_known(outcome: &mut Outcome, files: &[FoundFile], baselines: &[Baseline]) {
    for baseline in baselines {
        let settings_of = |finding: &Finding| files.get(finding.location.file.0 as usize).map(|file| &file.settings);
        let is_own = |finding: &Finding| {
            settings_of(finding).is_some_and(|settings| settings.baseline.as_ref() == Some(&baseline.path))
        };
        let own: Vec<(usize, Entry)> = (outcome.findings.iter().enumerate())
            .filter(|(_, finding)| is_own(finding))
            .filter_map(|(at, found)| Some((at, entry(found, outcome.file(found.location.file)?, &baseline.folder))))
            .collect();
        let (known, unmatched) = matched(baseline, own);
        outcome.known.findings += known.len();
        let mut at = 0;
        outcome.findings.retain(|_| {
            at += 1;
            known.binary_search(&(at - 1)).is_err()
        });
        let outdated = unmatched.into_iter().filter(|entry| is_looked_for(entry, baseline, files));
        outcome.known.outdated.extend(outdated.map(|entry| (baseline.path.clone(), entry)));
    }
}

/// The places of the findings that have an entry, sorted, and the entries that have no finding.
fn matched(baseline: &Baseline, found: Vec<(usize, Entry)>) -> (Vec<usize>, Vec<Entry>) {
    type Key = (Option<String>, String, String, String);
    let key = |path: Option<&str>, entry: &Entry| -> Key {
        (path.map(str::to_owned), entry.code.clone(), entry.symbol.clone(), entry.text.clone())
    };
    let mut open: FxHashMap<Key, Vec<&Entry>> = FxHashMap::default();
    for entry in &baseline.entries {
        let path = baseline.has_file(entry).then_some(entry.path.as_str());
        open.entry(key(path, entry)).or_default().push(entry);
    }
    let mut known = Vec::new();
    for (at, entry) in found {
        let same = [Some(entry.path.as_str()), None];
        let taken = same.into_iter().find_map(|path| open.get_mut(&key(path, &entry))?.pop());
        if taken.is_some() {
            known.push(at);
        }
    }
    known.sort_unstable();
    let mut unmatched: Vec<Entry> = open.into_values().flatten().cloned().collect();
    unmatched.sort();
    (known, unmatched)
}

/// Whether a run that did not find an entry has looked for it.
fn is_looked_for(entry: &Entry, baseline: &Baseline, files: &[FoundFile]) -> bool {
    let would_find = |settings: &Settings, path: &Path| {
        entry.confidence >= settings.min_confidence && settings.rules_for(path).iter().any(|code| *code == entry.code)
    };
    let path = baseline.folder.join(&entry.path);
    if baseline.has_file(entry) {
        return files.iter().any(|file| file.reported && file.path == path && would_find(&file.settings, &path));
    }
    let uses = |file: &&FoundFile| file.reported && file.settings.baseline.as_ref() == Some(&baseline.path);
    files.iter().find(uses).is_some_and(|file| would_find(&file.settings, &path))
}
