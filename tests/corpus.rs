//! What unleak says of released packages, judged finding by finding.
//!
//! Snippets show that a rule works; only code that nobody wrote for unleak shows that it can be believed. The packages
//! are pinned by version and hash, and each finding stands in `fixtures/corpus/<package>.txt` with a verdict given by
//! a human: `true`, `arguable`, `false` or `unjudged`. A change of the analysis thus comes with the findings that it
//! adds and takes away. `UNLEAK_BLESS=1` writes the files anew and keeps the verdicts.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "it/oracle.rs"]
mod oracle;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use unleak::engine::{self, Options, Progress, Request};

#[derive(Deserialize)]
struct Packages {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    file: String,
    sha256: String,
}

/// A line of `fixtures/corpus/<package>.txt`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Judged {
    path: String,
    row: u32,
    code: String,
    message: String,
    verdict: String,
}

const VERDICTS: [&str; 4] = ["true", "arguable", "false", "unjudged"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn packages() -> Vec<Package> {
    let path = root().join("fixtures/corpus/packages.toml");
    let text = fs::read_to_string(path).expect("the list of packages is there");
    toml::from_str::<Packages>(&text).expect("the list of packages is right").package
}

impl Package {
    /// The folder of the unpacked package; downloads it the first time. One at a time, since the tests of this
    /// binary run side by side and all want the same folders.
    fn fetch(&self) -> PathBuf {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let corpus = root().join("target/corpus");
        let folder = corpus.join(format!("{}-{}", self.name, self.version));
        if folder.join("pyproject.toml").exists() {
            return folder;
        }
        let downloads = corpus.join("downloads");
        let archive = downloads.join(&self.file);
        if !archive.exists() {
            fs::create_dir_all(&downloads).expect("target/ can be written");
            let requirement = downloads.join(format!("{}.requirements", self.name));
            fs::write(&requirement, format!("{}=={} --hash=sha256:{}\n", self.name, self.version, self.sha256))
                .expect("target/ can be written");
            let mut pip = python(&["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest"]);
            run(pip.arg(&downloads).arg("--requirement").arg(requirement));
        }
        let module = if self.file.ends_with(".whl") { "zipfile" } else { "tarfile" };
        run(python(&["-m", module, "-e"]).arg(&archive).arg(&folder));
        // The last step: marks the package as whole, and as a project of its own inside this one.
        fs::write(folder.join("pyproject.toml"), "").expect("target/ can be written");
        folder
    }

    fn verdicts(&self) -> PathBuf {
        root().join(format!("fixtures/corpus/{}.txt", self.name))
    }
}

fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned()));
    command.args(arguments);
    command
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// What unleak says of a package by default, without verdicts.
fn findings(folder: &Path) -> Vec<Judged> {
    let request = Request { paths: vec![folder.to_owned()], options: Options::default(), ..Request::default() };
    let outcome = engine::check(&request, &Progress::default());
    let failures: Vec<_> = outcome.problems.iter().filter(|problem| problem.is_failure()).collect();
    assert!(failures.is_empty(), "{failures:?}");
    let judged = outcome.findings.iter().map(|finding| {
        let file = outcome.file(finding.location.file).expect("the outcome has every file that a finding names");
        let path = file.source.path.strip_prefix(folder).unwrap_or(&file.source.path);
        Judged {
            path: path.display().to_string(),
            row: file.source.position(&file.lines, finding.location.span.start).row,
            code: finding.code.to_owned(),
            message: finding.message.clone(),
            verdict: "unjudged".to_owned(),
        }
    });
    let mut judged: Vec<Judged> = judged.collect();
    judged.sort();
    judged
}

fn read(path: &Path) -> Vec<Judged> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let parse = |(number, line): (usize, &str)| {
        let place = format!("{}:{}", path.display(), number + 1);
        let fields: Vec<&str> = line.split('\t').collect();
        let [verdict, code, at, message] = fields[..] else { panic!("{place}: four fields and three tabs") };
        assert!(VERDICTS.contains(&verdict), "{place}: `{verdict}` is none of {}", VERDICTS.join(", "));
        let (path, row) = at.rsplit_once(':').unwrap_or_else(|| panic!("{place}: no `path:row`"));
        Judged {
            path: path.to_owned(),
            row: row.parse().unwrap_or_else(|_| panic!("{place}: `{row}` is no row")),
            code: code.to_owned(),
            message: message.to_owned(),
            verdict: verdict.to_owned(),
        }
    };
    text.lines().enumerate().map(parse).collect()
}

fn write(path: &Path, findings: &[Judged]) {
    let lines = findings.iter().map(Judged::line).collect::<String>();
    fs::write(path, lines).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

impl Judged {
    fn line(&self) -> String {
        format!("{}\t{}\t{}:{}\t{}\n", self.verdict, self.code, self.path, self.row, self.message)
    }

    /// What a verdict is about. Rows are left out: a finding that moves stays the same.
    fn claim(&self) -> (&str, &str, &str) {
        (&self.code, &self.path, &self.message)
    }
}

/// Gives each finding the verdict of the same claim; what is left of the old ones is gone.
fn judge(mut found: Vec<Judged>, mut old: Vec<Judged>) -> (Vec<Judged>, Vec<Judged>, Vec<Judged>) {
    let mut new = Vec::new();
    for finding in &mut found {
        match old.iter().position(|old| old.claim() == finding.claim()) {
            Some(at) => finding.verdict = old.remove(at).verdict,
            None => new.push(finding.clone()),
        }
    }
    (found, new, old)
}

#[test]
#[ignore = "downloads packages and takes minutes"]
fn findings_in_released_packages_are_judged() {
    let bless = std::env::var_os("UNLEAK_BLESS").is_some();
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut changes = String::new();
    for package in packages() {
        let path = package.verdicts();
        let (found, new, gone) = judge(findings(&package.fetch()), read(&path));
        for finding in &found {
            *tally.entry(finding.verdict.clone()).or_default() += 1;
        }
        println!("{:<14} {:>4} findings, {} new, {} gone", package.name, found.len(), new.len(), gone.len());
        for (sign, findings) in [("+", new), ("-", gone)] {
            for finding in findings {
                changes += &format!("{sign} {}: {}", package.name, finding.line());
            }
        }
        if bless {
            write(&path, &found);
        }
    }
    let count = |verdict: &str| tally.get(verdict).copied().unwrap_or_default();
    let judged = count("true") + count("arguable") + count("false");
    let believed = count("true") + count("arguable");
    println!("{tally:?}: {believed} of {judged} judged findings are true or arguable");
    assert!(bless || changes.is_empty(), "findings changed; judge them and run with UNLEAK_BLESS=1\n{changes}");
}

#[test]
#[ignore = "downloads packages and takes minutes"]
fn both_parsers_see_the_same_definitions_in_released_packages() {
    let mut failures = Vec::new();
    let (mut compared, mut rejected) = (0, 0);
    for package in packages() {
        for entry in walkdir::WalkDir::new(package.fetch()).into_iter().filter_map(Result::ok) {
            if entry.path().extension().is_some_and(|extension| extension == "py")
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                let Some(lines) = oracle::disagreements(&text) else {
                    rejected += 1;
                    continue;
                };
                compared += 1;
                failures.extend(lines.into_iter().map(|line| format!("{}:{line}", entry.path().display())));
            }
        }
    }
    println!("{compared} files compared, {rejected} rejected by one of the parsers");
    assert!(compared > 50 * rejected, "too many files are rejected for the comparison to mean anything");
    assert!(failures.is_empty(), "{} disagreements\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn verdicts_follow_their_claim() {
    let finding = |row, message: &str, verdict: &str| Judged {
        path: "a.py".to_owned(),
        row,
        code: "LK101".to_owned(),
        message: message.to_owned(),
        verdict: verdict.to_owned(),
    };
    let found = vec![finding(7, "moved", "unjudged"), finding(9, "new", "unjudged")];
    let old = vec![finding(3, "moved", "true"), finding(5, "gone", "false")];
    let (found, new, gone) = judge(found, old);
    assert_eq!(found, [finding(7, "moved", "true"), finding(9, "new", "unjudged")]);
    assert_eq!(new, [finding(9, "new", "unjudged")]);
    assert_eq!(gone, [finding(5, "gone", "false")]);
}
