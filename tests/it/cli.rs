//! Runs of the real binary: what scripts rely on and what only a process has (exit codes, pipes, the environment).

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use tempfile::TempDir;

pub const LEAK: &str = "\
SEEN = set()


def handle(request):
    if request.id in SEEN:
        return None
    SEEN.add(request.id)
    return request.body
";

const CLEAN: &str = "\
def handle(request):
    return request.body
";

/// A run in a directory of its own, in an environment that says nothing about colours.
pub fn unleak(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unleak"));
    command.current_dir(directory);
    for name in ["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    command
}

pub fn project(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// Exit code, standard output, standard error.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_tests_do_is_looked_at_where_it_may_be_shown() {
    const SILENCED: &str = "def test_it():\n    open('a').read()  # unleak: ignore[LK204]\n";
    let helper = LEAK.replace("SEEN", "KNOWN");
    let files = [("app/tests/a.py", LEAK), ("app/test_state.py", &helper), ("app/tests/b.py", SILENCED)];
    let tests = project(&files);
    let lines = |arguments: &[&str]| {
        let command = [&["check", "--output-format", "concise", "."], arguments].concat();
        let (_, out, _) = run(unleak(tests.path()).args(command));
        let codes = out.lines().filter_map(|line| Some(line.split_once(": ")?.1.split(' ').next()?.to_owned()));
        codes.collect::<Vec<_>>().join(" ")
    };
    // The comment is needed, though what it silences would not be shown.
    assert_eq!(lines(&[]), "");
    assert_eq!(lines(&["--min-confidence", "low"]), "LK101 LK101");
    // What code imports is no test, whatever it is called.
    fs::write(tests.path().join("app/main.py"), "from app.test_state import handle\n").unwrap();
    assert_eq!(lines(&[]), "LK101");
}

#[test]
fn findings_exit_with_1_and_are_closed_by_a_summary() {
    let project = project(&[("app/state.py", LEAK), ("app/clean.py", CLEAN)]);
    let (code, out, err) = run(unleak(project.path()).args(["check", "app"]));
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.starts_with("warning[LK101]: "), "{out}");
    assert!(out.contains("app/state.py:1:1"), "{out}");
    assert!(out.contains("= help: "), "{out}");
    assert!(out.ends_with(" in 2 files.\n"), "{out}");
    assert!(!out.contains('\x1b'), "{out}");
}

#[test]
fn without_a_command_paths_are_checked_and_without_paths_the_directory() {
    let project = project(&[("state.py", LEAK)]);
    let concise = |arguments: &[&str]| run(unleak(project.path()).args(arguments).args(["--output-format=concise"]));
    let expected = concise(&["check", "."]);
    assert_eq!(expected.0, 1);
    assert!(expected.1.starts_with("state.py:1:1: LK101 "), "{}", expected.1);
    assert_eq!(concise(&["."]), expected);
    assert_eq!(concise(&[]), expected);
}

#[test]
fn nothing_found_exits_with_0() {
    let project = project(&[("clean.py", CLEAN)]);
    let expected = (0, "No leaks found in 1 file.\n".into(), String::new());
    assert_eq!(run(unleak(project.path()).arg("check")), expected);
    assert_eq!(run(unleak(project.path()).args(["check", "--quiet"])).1, "");
    assert_eq!(run(unleak(project.path()).args(["check", "--output-format=json"])).1, "[]\n");
}

#[test]
fn findings_can_be_left_out_and_forgiven() {
    let project = project(&[("state.py", LEAK)]);
    let code = |arguments: &[&str]| run(unleak(project.path()).arg("check").args(arguments)).0;
    assert_eq!(code(&["--exit-zero"]), 0);
    assert_eq!(code(&["--ignore", "unbounded-container"]), 0);
    assert_eq!(code(&["--select", "LK3"]), 0);
    assert_eq!(code(&["--select", "lk101,LK301", "--ignore", "LK1"]), 1);
    assert_eq!(code(&["--isolated", "--no-cache", "--threads", "1", "--min-confidence", "low"]), 1);
}

#[test]
fn what_cannot_be_done_exits_with_2() {
    let project = project(&[("state.py", LEAK)]);
    let (code, _, err) = run(unleak(project.path()).args(["check", "--select", "unbouded-cache"]));
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `unbounded-cache`?"), "{err}");

    let (code, out, err) = run(unleak(project.path()).args(["check", "state.py", "absent.py"]));
    assert_eq!(code, 2);
    assert!(err.starts_with("error: absent.py: "), "{err}");
    assert!(out.contains("LK101"), "the rest is checked: {out}");

    for arguments in [&["check", "--threads", "0"][..], &["check", "--no-such-flag"], &["rule", "LK999"]] {
        let (code, out, err) = run(unleak(project.path()).args(arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.starts_with("error: "), "{err}");
    }
    assert_eq!(run(unleak(project.path()).args(["check", "--models", "absent.toml"])).0, 2);
    let (code, _, err) = run(unleak(project.path()).args(["--select", "LK1", "check", "state.py"]));
    assert_eq!((code, err.contains("unleak check [OPTIONS]")), (2, true), "{err}");
}

#[test]
fn standard_input_stands_for_a_file() {
    let project = project(&[]);
    let concise = ["check", "--output-format", "concise", "--quiet"];
    let (code, out, _) = run(unleak(project.path()).args(concise).arg("-").write_stdin(LEAK));
    assert_eq!(code, 1);
    assert!(out.starts_with("-:1:1: LK101 "), "{out}");
    let named = ["--stdin-filename", "app/state.py", "-"];
    let (code, out, _) = run(unleak(project.path()).args(concise).args(named).write_stdin(LEAK));
    assert_eq!(code, 1);
    assert!(out.starts_with("app/state.py:1:1: LK101 "), "{out}");
}

#[test]
fn colours_follow_flag_then_environment() {
    let project = project(&[("state.py", LEAK)]);
    let colours = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = unleak(project.path());
        let (_, out, _) = run(command.arg("check").args(arguments).envs(environment.iter().copied()));
        out.contains('\x1b')
    };
    assert!(!colours(&[], &[]));
    assert!(colours(&["--color=always"], &[]));
    assert!(colours(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(colours(&[], &[("FORCE_COLOR", "1")]));
    assert!(colours(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colours(&[], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!colours(&[], &[("FORCE_COLOR", "0")]));
    assert!(!colours(&["--color=never"], &[("FORCE_COLOR", "1")]));
    assert!(!colours(&["--output-format=json", "--color=always"], &[]));
}

/// The report is larger than what a pipe holds, so that it cannot have been written when its reader leaves.
#[test]
fn a_reader_that_leaves_early_is_an_error() {
    let many: Vec<(String, &str)> = (0..400).map(|number| (format!("state{number}.py"), LEAK)).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let project = project(&many);
    let mut child = Process::new(env!("CARGO_BIN_EXE_unleak"))
        .args(["check", "--color=never"])
        .current_dir(project.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    drop(out);
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(line.starts_with("warning[LK101]"), "{line}");
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(2), LEFT));
}

const LEFT: &str = "error: cannot write to standard output: its reader left before the end\n";

/// Nobody has ever read from the pipe, so that not a byte can be written.
fn run_without_reader(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = Process::new(env!("CARGO_BIN_EXE_unleak"))
        .args(arguments)
        .current_dir(directory)
        .stdout(writer)
        .output()
        .unwrap();
    (run.status.code(), String::from_utf8(run.stderr).unwrap())
}

#[test]
fn whatever_has_no_reader_is_an_error() {
    let project = project(&[("state.py", LEAK), ("noise.py", "import gc\ngc.disable()  # unleak: ignore[LK999]\n")]);
    let formats = ["full", "concise", "grouped", "json", "json-lines", "sarif", "github", "gitlab", "junit", "rdjson"];
    for format in formats.into_iter().chain(["azure", "pylint", "markdown", "html"]) {
        let arguments = ["check", "--exit-zero", "--output-format", format];
        assert_eq!(run_without_reader(project.path(), &arguments), (Some(2), LEFT.to_owned()), "{format}");
    }
    let commands: [&[&str]; 17] = [
        &["check", "--quiet"],
        &["check", "--statistics"],
        &["check", "--select", "LK2"],
        &["check", "--output-format", "sarif=state.sarif"],
        &["check", "--diff"],
        &["check", "--show-settings"],
        &["check", "--show-files"],
        &["rule"],
        &["rule", "LK101"],
        &["rule", "--output-format", "json"],
        &["config", "schema"],
        &["completions", "bash"],
        &["man"],
        &["baseline"],
        &["--help"],
        &["check", "--help"],
        &["--version"],
    ];
    for arguments in commands {
        assert_eq!(run_without_reader(project.path(), arguments), (Some(2), LEFT.to_owned()), "{arguments:?}");
    }
    // What goes to files is whole all the same.
    for file in ["state.sarif", ".unleak-baseline.json"] {
        let text = fs::read(project.path().join(file)).unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok(), "{file}");
    }
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 4, "nothing half-written is left in the folder");
}

#[test]
fn nobody_listens_on_any_stream() {
    let project = project(&[("state.py", LEAK), ("broken.py", "def\n")]);
    for arguments in [&["check"][..], &["check", "--fix"], &["rule", "LK999"], &["--no-such"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut run = Process::new(env!("CARGO_BIN_EXE_unleak"));
        run.args(arguments).current_dir(project.path()).stdout(writer.try_clone().unwrap()).stderr(writer);
        assert_eq!(run.status().unwrap().code(), Some(2), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_an_error() {
    let project = project(&[("clean.py", CLEAN)]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = Process::new(env!("CARGO_BIN_EXE_unleak")).current_dir(project.path()).stdout(full).output().unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).starts_with("error: cannot write to standard output: "));
}

#[test]
fn statistics_stand_for_the_findings() {
    let project = project(&[("one.py", LEAK), ("two.py", LEAK)]);
    let (code, out, _) = run(unleak(project.path()).args(["check", "--statistics"]));
    assert_eq!(code, 1);
    assert!(out.starts_with("2  LK101  unbounded-container\nFound 2 leaks ("), "{out}");
    let (_, out, _) = run(unleak(project.path()).args(["check", "--statistics", "--output-format=json"]));
    let counts: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(counts, serde_json::json!([{"code": "LK101", "name": "unbounded-container", "count": 2}]));
}

#[test]
fn rules_are_listed_and_explained() {
    let here = project(&[]);
    let (code, out, _) = run(unleak(here.path()).arg("rule"));
    assert_eq!(code, 0);
    assert!(out.contains("\nLK101  unbounded-container  "), "{out}");
    let (code, out, _) = run(unleak(here.path()).args(["rule", "cached-method"]));
    assert_eq!(code, 0);
    assert!(out.starts_with("LK105 cached-method: "), "{out}");
    assert!(out.contains("    class Report:\n"), "{out}");
    let (_, out, _) = run(unleak(here.path()).args(["rule", "LK301", "--output-format", "json"]));
    let rule: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((rule["name"].as_str(), rule["cwe"][0].as_str()), (Some("finalizer-cycle"), Some("CWE-772")));
    let (_, out, _) = run(unleak(here.path()).args(["rule", "--output-format", "json"]));
    let rules: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(rules[0]["code"], "LK001");
}

#[test]
fn help_and_version_exit_with_0() {
    let here = project(&[]);
    for arguments in [&["--help"][..], &["check", "--help"], &["rule", "-h"]] {
        let (code, out, err) = run(unleak(here.path()).args(arguments));
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains("Usage: unleak"), "{out}");
    }
    let (code, out, _) = run(unleak(here.path()).arg("--version"));
    assert_eq!((code, out), (0, format!("unleak {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_readme_explains_every_flag() {
    let here = project(&[]);
    let (_, help, _) = run(unleak(here.path()).args(["check", "--help"]));
    let readme = include_str!("../../README.md");
    let flags = help.lines().filter_map(|line| line.trim_start().trim_start_matches("-q, ").strip_prefix("--"));
    for flag in flags.filter_map(|rest| rest.split([' ', '[']).next()) {
        assert!(readme.contains(&format!("--{flag}")), "--{flag}");
    }
}

const UNCLOSED: &str = "\
def text(path):
    return open(path).read()


def rows(path, parse):
    file = open(path)
    return parse(file.readline())
";

const CLOSED: &str = "\
def text(path):
    with open(path) as file:
        return file.read()


def rows(path, parse):
    with open(path) as file:
        return parse(file.readline())
";

#[test]
fn fixes_are_shown_written_and_counted() {
    let project = project(&[("app.py", UNCLOSED), ("state.py", LEAK)]);
    let text = |name: &str| fs::read_to_string(project.path().join(name)).unwrap();
    let app = project.path().join("app.py");
    let arguments = ["check", "app.py", "--min-confidence", "low"];

    let (code, out, err) = run(unleak(project.path()).args(arguments).arg("--diff"));
    assert_eq!((code, err.as_str()), (1, "Would mend 2 leaks in 1 file.\n"), "{out}");
    assert!(out.starts_with("--- app.py\n+++ app.py\n@@ "), "{out}");
    assert!(out.contains("\n+    with open(path) as file:\n+        return file.read()\n"), "{out}");
    assert_eq!(text("app.py"), UNCLOSED);

    let (code, out, _) = run(unleak(project.path()).args(arguments));
    assert_eq!(code, 1);
    assert!(out.contains("= fix: open it in a `with` block"), "{out}");
    assert!(out.ends_with("2 can be mended with `--fix`.\n"), "{out}");

    // A mark, a link and permissions stay.
    fs::write(&app, format!("\u{feff}{UNCLOSED}")).unwrap();
    let (code, out, err) = run(unleak(project.path()).args(arguments).arg("--fix"));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(out, "No leaks found in 1 file.\nMended 2 leaks in 1 file.\n");
    assert_eq!(text("app.py"), format!("\u{feff}{CLOSED}"));
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 2, "nothing else is left in the folder");

    let (code, out, err) = run(unleak(project.path()).args(arguments).arg("--diff"));
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "Nothing can be mended.\n"));
    assert_eq!(run(unleak(project.path()).args(["check", "--fix"])).0, 1, "what cannot be mended is reported");
}

#[test]
fn unsafe_fixes_are_made_on_request() {
    let cached = "from functools import cache\n\n@cache\ndef page(user_id):\n    return render(user_id)\n";
    let project = project(&[("pages.py", cached)]);
    let text = || fs::read_to_string(project.path().join("pages.py")).unwrap();
    let (code, out, _) = run(unleak(project.path()).args(["check", "--fix"]));
    assert_eq!((code, text().as_str()), (1, cached));
    assert!(out.ends_with("1 can be mended with `--fix --unsafe-fixes`.\n"), "{out}");
    assert_eq!(run(unleak(project.path()).args(["check", "--fix", "--unsafe-fixes", "-q"])), (0, "".into(), "".into()));
    assert!(text().starts_with("from functools import lru_cache\n\n@lru_cache(maxsize=1024)\n"), "{}", text());
}

#[test]
fn mended_standard_input_is_standard_output() {
    let project = project(&[]);
    let arguments = ["check", "-", "--min-confidence", "low", "--fix", "--stdin-filename", "app.py"];
    let (code, out, err) = run(unleak(project.path()).args(arguments).write_stdin(UNCLOSED));
    assert_eq!((code, out.as_str(), err.as_str()), (0, CLOSED, ""));
}

#[test]
fn what_is_not_utf_8_is_left_alone() {
    let project = project(&[]);
    let latin = b"# coding: latin-1\n# \xe4\ndef text(path):\n    return open(path).read()\n";
    let path = project.path().join("app.py");
    fs::write(&path, latin).unwrap();
    let (code, _, err) = run(unleak(project.path()).args(["check", "--min-confidence", "low", "--fix"]));
    assert_eq!(code, 2);
    assert!(err.starts_with("error: app.py: not mended: "), "{err}");
    assert_eq!(fs::read(&path).unwrap(), latin);
}

#[test]
fn a_run_ranks_findings_and_is_remembered() {
    let idle = "LOG = []\n\n\ndef log(request):\n    LOG.append(request.body)\n";
    let project = project(&[("idle.py", idle), ("state.py", LEAK)]);
    let calls = "import state, types\nfor number in range(100):\n    \
                 state.handle(types.SimpleNamespace(id=number, body=1))\n";
    let arguments = ["confirm", "--output-format=concise", "--evidence", "seen", "--", "python3", "-c", calls];
    let (code, out, err) = run(unleak(project.path()).args(arguments));
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    let first = out.lines().next().unwrap();
    assert!(first.starts_with("state.py:1:1: LK101 ") && first.contains("[confirmed: from 0 to 100 in "), "{out}");
    assert!(out.contains("[not reached: its module was not imported]"), "{out}");
    assert!(out.ends_with("The run says: 1 confirmed, 1 not reached.\n"), "{out}");
    let again = ["check", "--output-format=concise", "--evidence", "seen"];
    assert_eq!(run(unleak(project.path()).args(again)).1, out);

    let (code, _, err) = run(unleak(project.path()).args(["confirm", "--", "no-such-command"]));
    assert_eq!((code, err.starts_with("error: no-such-command: ")), (2, true), "{err}");
    let (code, _, err) = run(unleak(project.path()).args(["confirm", "--exit-zero", "--", "sh", "-c", "exit 3"]));
    assert_eq!(code, 0);
    assert!(err.starts_with("warning: nothing was watched: ") && err.contains("the command ended with 3"), "{err}");
}

#[test]
fn what_no_run_can_show_keeps_nothing_else_from_being_watched() {
    let project = project(&[("state.py", LEAK), ("comment.py", "LIMIT = 1  # unleak: ignore[LK101] not any more\n")]);
    let calls = "import state, types\nfor number in range(100):\n    \
                 state.handle(types.SimpleNamespace(id=number, body=1))\n";
    let (code, out, err) = run(unleak(project.path()).args(["confirm", "--", "python3", "-c", calls]));
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("Found 1 leak and 1 mistaken comment ("), "{out}");
    assert!(out.contains("\nThe run says: 1 confirmed, 1 not instrumentable.\n"), "{out}");
}

#[test]
fn reports_go_to_files_and_one_to_standard_output() {
    let project = project(&[("state.py", LEAK)]);
    let text = |name: &str| fs::read_to_string(project.path().join(name)).unwrap();
    let several = ["--output-format=sarif=out.sarif", "--output-format=concise", "--output-format=json=a=b.json"];
    let (code, out, err) = run(unleak(project.path()).arg("check").args(several));
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.starts_with("state.py:1:1: LK101 ") && out.contains("\nFound 1 leak ("), "{out}");
    let sarif: serde_json::Value = serde_json::from_str(&text("out.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "LK101");
    assert!(text("a=b.json").starts_with("[\n"));

    // Without a format for it, standard output has the closing line only.
    let (code, out, _) = run(unleak(project.path()).args(["check", "--output-format=junit=junit.xml"]));
    assert_eq!((code, out.starts_with("Found 1 leak (")), (1, true), "{out}");
    assert!(text("junit.xml").starts_with("<?xml "));

    // A file has no colours, and another's content is replaced.
    let (code, out, _) = run(unleak(project.path()).args(["check", "--color=always", "-o", "junit.xml"]));
    assert_eq!((code, out.contains("LK101")), (1, false), "{out}");
    assert!(text("junit.xml").starts_with("warning[LK101]: "), "{}", text("junit.xml"));
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 4, "nothing else is left in the folder");
}

#[test]
fn outputs_that_make_no_sense_are_errors() {
    let project = project(&[("state.py", LEAK), ("folder/x.txt", "")]);
    for (arguments, expected) in [
        (&["--output-format=json", "--output-format=full"][..], "only one format can go to standard output"),
        (&["--output-format=json=x", "--output-format=full=x"], "two reports cannot go to the same file: x"),
        (&["--output-format=json=absent/x"], "cannot write absent/x: No such file or directory"),
        (&["--output-format=json=state.py/x"], "cannot write state.py/x: not a directory"),
        (&["-o", "folder"], "cannot write folder: "),
        (&["--output-format=json="], "invalid value 'json='"),
        (&["--output-format=jsn"], "invalid value 'jsn'"),
        (&["--diff", "-o", "x"], "`--diff` prints a diff"),
        (&["--statistics", "--output-format=sarif"], "`--statistics` can be "),
    ] {
        let (code, out, err) = run(unleak(project.path()).arg("check").args(arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.starts_with("error: ") && err.contains(expected), "{arguments:?}: {err}");
    }
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 2, "nothing was written");
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_does_not_fit_leaves_the_old_one() {
    let many: Vec<(String, &str)> = (0..40).map(|number| (format!("state{number}.py"), LEAK)).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let project = project(&many);
    fs::write(project.path().join("old.json"), "old").unwrap();
    // A file of more than a few blocks cannot be written, as on a disk that is full.
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$0\" check -q --output-format=json=old.json";
    let run = Process::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_unleak")])
        .current_dir(project.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{err}");
    assert!(err.starts_with("error: cannot write old.json: "), "{err}");
    assert_eq!(fs::read_to_string(project.path().join("old.json")).unwrap(), "old");
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 41, "nothing else is left in the folder");
}

#[test]
#[cfg(target_os = "linux")]
fn devices_are_written_to_and_links_and_permissions_stay() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    let project = project(&[("state.py", LEAK), ("real.txt", "old")]);
    let at = |name: &str| project.path().join(name);
    assert_eq!(run(unleak(project.path()).args(["check", "-o", "/dev/null"])).0, 1);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let (code, _, err) = run(unleak(project.path()).args(["check", "-o", "/dev/full"]));
    assert_eq!((code, err.starts_with("error: cannot write /dev/full: ")), (2, true), "{err}");

    // A stream that is a file goes on where it was.
    let log = fs::File::create(at("log.txt")).unwrap();
    let mut run_to_log = Process::new(env!("CARGO_BIN_EXE_unleak"));
    run_to_log.args(["check", "--output-format", "concise=/dev/stdout"]).current_dir(project.path()).stdout(log);
    assert_eq!(run_to_log.status().unwrap().code(), Some(1));
    let log = fs::read_to_string(at("log.txt")).unwrap();
    assert!(log.starts_with("state.py:1:1: LK101 ") && log.contains("\nFound 1 leak"), "{log}");

    symlink("real.txt", at("link.txt")).unwrap();
    fs::set_permissions(at("real.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run(unleak(project.path()).args(["check", "-o", "link.txt"])).0, 1);
    assert!(fs::symlink_metadata(at("link.txt")).unwrap().is_symlink());
    assert_eq!(fs::metadata(at("real.txt")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(at("real.txt")).unwrap().contains("LK101"));
}

#[test]
fn completions_and_the_manual_know_every_flag() {
    let here = project(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, err) = run(unleak(here.path()).args(["completions", shell]));
        assert_eq!((code, err.as_str()), (0, ""), "{shell}");
        assert!(out.contains("min-confidence") && out.contains("baseline"), "{shell}");
    }
    let (code, out, _) = run(unleak(here.path()).arg("man"));
    assert_eq!(code, 0);
    assert!(out.contains(".TH unleak 1") && out.contains("Exit codes") && out.contains("unleak\\-baseline"), "{out}");
}
