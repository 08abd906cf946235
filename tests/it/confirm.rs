//! Programs that are run and watched: each says of itself what the verdict must be, and must not notice the agent.
//!
//! In `fixtures/confirm/` a mark `# confirmed LK101 "SEEN"` stands for a finding of that rule at the quoted part of its
//! line, with what its symbol ends in behind the quote where that is not the quoted name, and `# site "SEEN[key]"` for a
//! place of its argument: the verdicts shall not depend on what the rules find. A first line `# inject` or `# rounds 3`
//! says how it is run. Those in `pytest/` are called by tests, with and without pytest-xdist, and those in `gunicorn/` by
//! requests to its workers.

use std::ffi::OsString;
use std::fs;
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use unleak::confirm::{self, Run};
use unleak::engine::{self, Options, Outcome, ShownFile};
use unleak::finding::{Finding, Label, Verdict};
use unleak::source::{FileId, LineIndex, Location, SourceFile, SourceKind, Span};

use crate::{report, root};

/// A program and the one finding in it.
struct Scenario {
    path: PathBuf,
    text: String,
    verdict: String,
    finding: Finding,
}

impl Scenario {
    fn read(path: PathBuf) -> Scenario {
        let text = fs::read_to_string(&path).expect("a fixture is readable");
        let mut found = None;
        let mut related = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if let Some((code, mark)) = line.trim_end().rsplit_once("  # ") {
                let (words, quoted) = mark.split_once(" \"").unwrap_or_else(|| panic!("{line}: nothing is quoted"));
                let (quoted, symbol) = quoted.rsplit_once('"').expect("a quote is closed");
                let at = start + code.find(quoted).unwrap_or_else(|| panic!("{line}: not in the line"));
                let span = Span::new(at as u32, (at + quoted.len()) as u32);
                match words.split_once(' ') {
                    None => related.push(span),
                    Some((verdict, code)) => {
                        let symbol = if symbol.is_empty() { symbol_of(code, quoted) } else { symbol.trim().to_owned() };
                        found = Some((verdict.to_owned(), code.to_owned(), symbol, span));
                    }
                }
            }
            start += line.len();
        }
        let (verdict, code, symbol, span) = found.unwrap_or_else(|| panic!("{}: no mark", path.display()));
        let location = |span| Location { file: FileId(0), span };
        let finding = Finding {
            code: code.clone().leak(),
            location: location(span),
            related: related.into_iter().map(|at| Label { location: location(at), message: String::new() }).collect(),
            symbol: format!("program.{symbol}"),
            ..any_finding()
        };
        Scenario { path, text, verdict, finding }
    }

    fn outcome(&self) -> Outcome {
        let source = SourceFile::new(&self.path, self.text.as_str(), SourceKind::Python);
        let (path, lines) = (PathBuf::from(&self.path), LineIndex::new(&source.text));
        let file = ShownFile { id: FileId(0), path, lines: lines.into(), source: source.into() };
        Outcome { findings: vec![self.finding.clone()], files: vec![file], ..Outcome::default() }
    }

    /// What its first line says: `# inject`, `# rounds 3`.
    fn is_run_with(&self, word: &str) -> Option<&str> {
        self.text.lines().next()?.strip_prefix("# ")?.strip_prefix(word).map(str::trim)
    }
}

/// A finding whose place and symbol are to be replaced: the others do not matter to a run.
fn any_finding() -> Finding {
    let text = "SEEN = []\n\n\ndef handle(request):\n    SEEN.append(request.id)\n".to_owned();
    let mut outcome = engine::check_sources(vec![("program.py".into(), text)], &Options::default());
    outcome.findings.pop().expect("this is a leak")
}

/// What a rule calls the thing that is quoted.
fn symbol_of(code: &str, quoted: &str) -> String {
    let name = quoted.split('(').next().unwrap_or_default();
    let name = if code == "LK107" { name.rsplit_once('.').map_or(name, |(object, _)| object) } else { name };
    name.trim_start_matches("self.").to_owned()
}

fn scenarios(folder: &str) -> Vec<Scenario> {
    let entries = fs::read_dir(root().join(folder)).expect("there are scenarios");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.retain(|path| path.file_stem().is_some_and(|name| name != "test_program" && name != "serve"));
    paths.sort();
    paths.into_iter().map(Scenario::read).collect()
}

/// The default Python; with `UNLEAK_PYTHONS=all` one of each version that is found, as in CI.
fn pythons() -> Vec<PathBuf> {
    let mut found: Vec<((u32, u32), PathBuf)> = Vec::new();
    let folders = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv/versions")).into_iter();
    let installed = folders.flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.path().join("bin/python3"));
    let named = (8..20).map(|minor| PathBuf::from(format!("python3.{minor}")));
    for python in std::iter::once("python3".into()).chain(installed).chain(named) {
        let Some(version) = version(&python).filter(|version| *version >= (3, 8)) else { continue };
        if found.iter().all(|(known, _)| *known != version) {
            found.push((version, python));
        }
    }
    assert!(!found.is_empty(), "these tests need a `python3` of at least 3.8");
    if std::env::var("UNLEAK_PYTHONS").is_ok_and(|which| which == "all") {
        found.sort();
    } else {
        found.truncate(1);
    }
    found.into_iter().map(|(_, python)| python).collect()
}

fn version(python: &Path) -> Option<(u32, u32)> {
    let output = Command::new(python).args(["-c", "import sys; print(*sys.version_info[:2])"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// What a program lets others see of it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: Option<i32>,
    out: String,
    err: String,
}

/// The command with its streams in files of a folder, which is also where it makes its temporary files.
fn command(how: &How, program: &Path, folder: &Path) -> Vec<OsString> {
    let (script, python, options) = match how {
        How::Script(python) => (r#"TMPDIR="$1" exec "$2" "$3""#, python, ""),
        How::Pytest(python, workers) => (
            r#"cd "$(dirname "$3")" && UNLEAK_PROGRAM="$(basename "$3" .py)" PYTHONDONTWRITEBYTECODE=1 TMPDIR="$1" exec "$2" \
                -m pytest -q -c /dev/null --rootdir . -p no:cacheprovider $4 test_program.py"#,
            python,
            *workers,
        ),
        How::Gunicorn(python, options) => (
            r#"cd "$(dirname "$3")" && PYTHONDONTWRITEBYTECODE=1 TMPDIR="$1" exec "$2" serve.py "$(basename "$3" .py)" $4"#,
            python,
            *options,
        ),
    };
    let script = OsString::from(format!(r#"exec 1>"$1/out" 2>"$1/err"; {script}"#));
    let words = ["sh".as_ref(), "-c".as_ref(), script.as_os_str(), "sh".as_ref(), folder.as_os_str()];
    let words = words.into_iter().chain([python.as_os_str(), program.as_os_str(), options.as_ref()]);
    words.map(OsString::from).collect()
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug)]
enum How<'a> {
    Script(&'a Path),
    /// By tests, with these options of pytest-xdist.
    Pytest(&'a Path, &'static str),
    /// By requests to workers that are forked, with these options of gunicorn.
    Gunicorn(&'a Path, &'static str),
}

fn seen(status: Option<i32>, folder: &Path) -> Seen {
    let text = |name| fs::read_to_string(folder.join(name)).expect("a stream is text");
    Seen { status, out: without_seconds(&text("out")), err: text("err") }
}

/// What pytest prints without the time that it took, and without the order in which workers were done.
fn without_seconds(text: &str) -> String {
    let line = |line: &str| match line.rsplit_once(" in ") {
        Some((before, after)) if after.ends_with('s') && line.contains(" passed") => before.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// What is wrong with a scenario on a Python, if anything.
fn failure(scenario: &Scenario, how: &How) -> Option<String> {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("there is room for a folder"));
    let [plain, watched, evidence] = folders.each_ref().map(|folder| folder.path());
    let words = command(how, &scenario.path, plain);
    let status = Command::new(&words[0]).args(&words[1..]).status().expect("there is a shell");
    let expected = seen(status.code(), plain);

    let run = Run {
        command: command(how, &scenario.path, watched),
        rounds: scenario.is_run_with("rounds").map_or(1, |count| count.parse().expect("a number")),
        inject: scenario.is_run_with("inject").is_some(),
        folder: Some(evidence.to_owned()),
        ..Run::default()
    };
    let mut outcome = scenario.outcome();
    let what = format!("{} by {how:?}", scenario.path.display());
    let ended = match confirm::confirm(&mut outcome, &run) {
        Ok(ended) => ended,
        Err(message) => return Some(format!("{what}: {message}")),
    };
    let found = outcome.findings[0].evidence.clone().expect("each finding has evidence");
    if found.verdict.words().replace(' ', "-") != scenario.verdict {
        return Some(format!("{what}: {found:?}"));
    }
    let actual = seen(ended.status, watched);
    (actual != expected).then(|| format!("{what}: not as without the agent:\n{expected:#?}\n{actual:#?}"))
}

#[test]
fn verdicts_are_right_and_programs_notice_nothing() {
    let (scenarios, pythons) = (scenarios("fixtures/confirm"), pythons());
    assert!(scenarios.len() >= 24);
    let hows: Vec<How> = pythons.iter().map(|python| How::Script(python)).collect();
    report(failures(&scenarios, &hows));
}

#[test]
fn verdicts_are_right_under_pytest_with_and_without_workers() {
    let pythons = pythons_with("pytest, xdist");
    let of = |python| ["", "-n2"].map(|workers| How::Pytest(python, workers));
    let hows: Vec<How> = pythons.iter().flat_map(|python| of(python)).collect();
    report(failures(&scenarios("fixtures/confirm/pytest"), &hows));
}

#[test]
fn verdicts_are_right_in_workers_of_gunicorn() {
    let pythons = pythons_with("gunicorn");
    let of = |python| ["", "--preload"].map(|options| How::Gunicorn(python, options));
    let hows: Vec<How> = pythons.iter().flat_map(|python| of(python)).collect();
    report(failures(&scenarios("fixtures/confirm/gunicorn"), &hows));
}

/// Those that are named in the environment, else the default Python, if they have these modules.
fn pythons_with(modules: &str) -> Vec<PathBuf> {
    let named = std::env::var_os("UNLEAK_PYTEST_PYTHONS");
    let named = named.map_or_else(|| vec!["python3".into()], |paths| std::env::split_paths(&paths).collect());
    let has_them = |python: &PathBuf| {
        let output = Command::new(python).args(["-c", &format!("import {modules}")]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let pythons: Vec<PathBuf> = named.into_iter().filter(has_them).collect();
    if pythons.is_empty() {
        eprintln!("SKIPPED: no Python has {modules}; name some in UNLEAK_PYTEST_PYTHONS, as .ci/run does");
    }
    pythons
}

/// What is wrong with any of the scenarios in any of the ways to run them.
fn failures(scenarios: &[Scenario], hows: &[How]) -> Vec<String> {
    let jobs: Vec<(&Scenario, &How)> =
        hows.iter().flat_map(|how| scenarios.iter().map(move |scenario| (scenario, how))).collect();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((scenario, how)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    failures.lock().expect("no thread failed").extend(failure(scenario, how));
                }
            });
        }
    });
    failures.into_inner().expect("no thread failed")
}

#[test]
fn every_verdict_has_a_scenario() {
    let verdicts: Vec<String> = scenarios("fixtures/confirm").into_iter().map(|scenario| scenario.verdict).collect();
    for verdict in [
        Verdict::Confirmed,
        Verdict::KeyedGrowth,
        Verdict::Inconclusive,
        Verdict::NotReproduced,
        Verdict::NotInstrumentable,
        Verdict::NotReached,
    ] {
        let word = verdict.words().replace(' ', "-");
        assert!(verdicts.contains(&word), "{word}");
    }
}

/// The scenario of that name, run with what `run` adds.
fn note(name: &str, run: impl FnOnce(&mut Run)) -> String {
    let scenario = Scenario::read(root().join("fixtures/confirm").join(name));
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("there is room for a folder"));
    let [folder, evidence] = folders.each_ref().map(|folder| folder.path());
    let command = command(&How::Script("python3".as_ref()), &scenario.path, folder);
    let (roots, folder) = (vec![scenario.path.clone()], Some(evidence.to_owned()));
    let mut to_run = Run { command, rounds: 1, roots, folder, ..Run::default() };
    run(&mut to_run);
    let mut outcome = scenario.outcome();
    confirm::confirm(&mut outcome, &to_run).expect("it can be run");
    outcome.findings[0].evidence.take().expect("each finding has evidence").note
}

/// The program says that it runs, and waits for ever.
#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("app.py"), "import time\nopen('runs', 'w').close()\ntime.sleep(600)\n")
        .expect("a file can be written");
    let scratch = folder.path().join("scratch");
    fs::create_dir(&scratch).expect("a folder can be made");
    let mut child = Command::new(env!("CARGO_BIN_EXE_unleak"))
        .args(["confirm", "app.py", "--", "python3", "app.py"])
        .current_dir(folder.path())
        .env("TMPDIR", &scratch)
        .stderr(std::process::Stdio::null())
        .process_group(0)
        .spawn()
        .expect("unleak can be run");
    while !folder.path().join("runs").exists() && child.try_wait().expect("it can be asked").is_none() {}
    // As a terminal does it: to the whole group.
    let group = format!("-{}", child.id());
    let status = Command::new("kill").args(["-INT", "--", &group]).status();
    assert!(status.expect("there is `kill`").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(2));
    assert_eq!(fs::read_dir(&scratch).expect("it is a folder").count(), 0);
}

#[test]
fn the_references_of_a_cycle_are_told_on_request() {
    let told = note("finalizer_cycle.py", |run| run.cycles = true);
    assert!(told.ends_with(": Connection.reader.connection → Connection"), "{told}");
    let told = note("finalizer_cycle.py", |_| ());
    assert!(!told.contains('→'), "{told}");
}

#[test]
fn bytes_are_told_on_request() {
    let told = note("module_dict_leak.py", |run| run.memory = true);
    assert!(told.contains("; its lines grew by "), "{told}");
}
