//! `--since`: only what lines that have changed since a revision have to do with.
//!
//! git says which rows are new; a file that it does not know is new as a whole. Where rows were only taken out, the
//! rows around count as changed: what was taken out may be what emptied a container.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustc_hash::FxHashMap;

use crate::engine::Outcome;
use crate::source::{Location, SourceKind};

/// Changed rows by the canonical path of their file.
#[derive(Debug, Default)]
pub struct Changes {
    rows: FxHashMap<PathBuf, Vec<(u32, u32)>>,
}

impl Changes {
    /// # Errors
    /// If git cannot be asked, or does not know the revision.
    pub fn since(revision: &str) -> Result<Changes, String> {
        let top = git(Path::new("."), &["rev-parse".as_ref(), "--show-toplevel".as_ref()])?;
        let top = PathBuf::from(top.trim_end_matches(['\n', '\r']));
        let top = std::fs::canonicalize(&top).unwrap_or(top);
        let name = format!("{revision}^{{commit}}");
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &name];
        let commit = git(&top, &words.map(OsStr::new))
            .map_err(|_| format!("`--since {revision}`: git knows no such revision"))?;
        let diff = ["-c", "core.quotePath=false", "diff", "--no-color", "--no-ext-diff", "--unified=0"];
        let rest = ["--find-renames", "--src-prefix=a/", "--dst-prefix=b/", commit.trim(), "--"];
        let diff = git(&top, &diff.into_iter().chain(rest).map(OsStr::new).collect::<Vec<_>>())?;
        let mut changes = Changes::default();
        changes.read(&diff, &top);
        let untracked = git(&top, &["ls-files", "--others", "--exclude-standard", "-z"].map(OsStr::new))?;
        for path in untracked.split('\0').filter(|path| !path.is_empty()) {
            changes.rows.insert(top.join(path), vec![(1, u32::MAX)]);
        }
        Ok(changes)
    }

    /// Reads the heads of a diff without context.
    fn read(&mut self, diff: &str, top: &Path) {
        let mut file: Option<PathBuf> = None;
        for line in diff.lines() {
            if let Some(path) = line.strip_prefix("+++ ") {
                file = path.trim_end_matches('\t').strip_prefix("b/").map(|path| top.join(path));
            } else if let (Some(path), Some(rows)) = (&file, line.strip_prefix("@@ ").and_then(new_rows)) {
                self.rows.entry(path.clone()).or_default().push(rows);
            }
        }
    }

    /// Takes out what has nothing to do with a changed row.
    pub fn restrict(&self, outcome: &mut Outcome) {
        let mut findings = std::mem::take(&mut outcome.findings);
        findings.retain(|finding| {
            let places = finding.related.iter().map(|label| label.location).chain([finding.location]);
            places.into_iter().any(|place| self.touch(outcome, place))
        });
        outcome.findings = findings;
    }

    fn touch(&self, outcome: &Outcome, place: Location) -> bool {
        let Some(file) = outcome.file(place.file) else { return false };
        let Some(changed) = self.rows.get(&file.path) else { return false };
        // The rows of a notebook's text are not those of its file.
        if file.source.kind == SourceKind::Notebook {
            return true;
        }
        let (first, last) = (file.lines.row(place.span.start), file.lines.row(place.span.end));
        changed.iter().any(|(from, to)| *from <= last && first <= *to)
    }
}

/// The first and last new row of `-12,3 +15,2 @@ …`.
fn new_rows(hunk: &str) -> Option<(u32, u32)> {
    let new = hunk.split(' ').find_map(|word| word.strip_prefix('+'))?;
    let (start, count) = new.split_once(',').unwrap_or((new, "1"));
    let (start, count): (u32, u32) = (start.parse().ok()?, count.parse().ok()?);
    Some(if count == 0 { (start, start + 1) } else { (start, start + count - 1) })
}

fn git(folder: &Path, words: &[&OsStr]) -> Result<String, String> {
    let output = Command::new("git").current_dir(folder).args(words).output();
    let output = output.map_err(|error| format!("`--since` needs git, which cannot be run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`--since`: git says: {}", said.lines().next().unwrap_or("nothing")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
