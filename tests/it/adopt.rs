//! What a team does with an old code base: baselines, changed lines, hooks; and runs that cannot do their work.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::cli::{LEAK, project, run, unleak};

const NAME: &str = ".unleak-baseline.json";

fn concise(folder: &TempDir, arguments: &[&str]) -> (i32, Vec<String>, String) {
    let (code, out, err) =
        run(unleak(folder.path()).args(["check", "--quiet", "--output-format=concise"]).args(arguments));
    (code, out.lines().map(str::to_owned).collect(), err)
}

fn write(folder: &TempDir, path: &str, text: &str) {
    fs::write(folder.path().join(path), text).unwrap();
}

#[test]
fn a_baseline_lets_only_the_new_be_reported() {
    let folder = project(&[("setup.cfg", ""), ("app/__init__.py", ""), ("app/state.py", LEAK)]);
    let (code, out, err) = run(unleak(folder.path()).arg("baseline"));
    let said = "Wrote 1 finding to .unleak-baseline.json.\n\
                `baseline = '.unleak-baseline.json'` in the configuration, or `--baseline .unleak-baseline.json`, leaves them out.\n";
    assert_eq!((code, out.as_str(), err.as_str()), (0, said, ""));
    let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
    let expected = "[{\"unleak-baseline\":1}\n\
                    ,{\"path\":\"app/state.py\",\"code\":\"LK101\",\"symbol\":\"SEEN\",\"text\":\"SEEN\",\"confidence\":\"medium\"}\n]\n";
    assert_eq!(text, expected);
    let only_new = ["--baseline", NAME];
    assert_eq!(concise(&folder, &only_new), (0, vec![], String::new()));
    let (_, _, err) = run(unleak(folder.path()).args(["check", "--baseline", NAME]));
    assert_eq!(err, "1 known finding of the baseline not shown.\n");

    // Moved rows, another format, another file: it is the same finding.
    let moved = format!("import os\n\n\n{}", LEAK.replace("SEEN = set()", "SEEN   =  (\n    set()\n)"));
    write(&folder, "app/state.py", &moved);
    assert_eq!(concise(&folder, &only_new).0, 0);
    fs::rename(folder.path().join("app/state.py"), folder.path().join("app/store.py")).unwrap();
    assert_eq!(concise(&folder, &only_new), (0, vec![], String::new()));
    // A second of the same name in another file is new, and so is one beside it.
    write(&folder, "app/state.py", LEAK);
    let (code, found, _) = concise(&folder, &only_new);
    assert_eq!((code, found.len()), (1, 1), "{found:?}");
    assert!(found[0].starts_with("app/store.py:"), "{found:?}");
    write(&folder, "unleak.toml", &format!("baseline = '{NAME}'\n"));
    assert_eq!(concise(&folder, &[]).1, found, "the configuration may name it");
    let (_, out, _) = run(unleak(folder.path()).arg("baseline"));
    assert_eq!(out, "Wrote 2 findings to .unleak-baseline.json.\n", "it is used as it is");
}

#[test]
fn entries_that_no_longer_occur_are_told_of_and_taken_out_on_request() {
    let folder = project(&[("a.py", LEAK), ("b.py", LEAK), ("unleak.toml", &format!("baseline = '{NAME}'\n"))]);
    run(unleak(folder.path()).args(["baseline", "--quiet"]));
    write(&folder, "a.py", "");
    let (code, _, err) = run(unleak(folder.path()).args(["check", "a.py", "b.py"]));
    let outdated =
        "warning: .unleak-baseline.json: 1 entry no longer occurs; `unleak baseline --prune` takes out what is old\n";
    assert_eq!((code, err.as_str()), (0, format!("1 known finding of the baseline not shown.\n{outdated}").as_str()));
    // What was not looked at is not missed.
    assert!(!run(unleak(folder.path()).args(["check", "b.py"])).2.contains("no longer"));
    assert!(!run(unleak(folder.path()).args(["check", "--select", "LK2"])).2.contains("no longer"));
    write(&folder, "c.py", LEAK);
    let (code, out, err) = run(unleak(folder.path()).args(["baseline", "--prune"]));
    assert_eq!((code, out.as_str(), err.as_str()), (0, "Took 1 entry out of .unleak-baseline.json.\n", ""));
    let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
    assert!(text.contains("b.py") && !text.contains("a.py") && !text.contains("c.py"), "{text}");
    // A baseline of some files keeps what it knows of others.
    run(unleak(folder.path()).args(["baseline", "c.py"]));
    let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
    assert!(text.contains("b.py") && text.contains("c.py"), "{text}");
}

#[test]
fn a_bad_baseline_is_named_and_left_alone() {
    let cases = [
        ("{}", "1:0: not a baseline, which is an array of JSON"),
        ("[]", "1:1: not a baseline: its first element is missing"),
        ("[1]", "1:2: invalid type"),
        ("[{\"unleak-baseline\":2}]", "1:2: a baseline of version 2"),
        ("[{\"unleak-baseline\":1}\n,{\"pth\":\"\"}]", "2:2: unknown key `pth`; did you mean `path`?"),
        ("[{\"unleak-baseline\":1}", "1:22: not a baseline"),
    ];
    for (text, expected) in cases {
        let folder = project(&[("x.py", LEAK), (NAME, text)]);
        let (code, out, err) = concise(&folder, &["--baseline", NAME]);
        assert_eq!((code, out.len()), (2, 0), "{text}");
        assert!(err.starts_with(&format!("error: {NAME}:{expected}")), "{text}\n{err}");
        let (code, _, err) = run(unleak(folder.path()).arg("baseline"));
        assert_eq!(code, 2, "{err}");
        assert_eq!(fs::read_to_string(folder.path().join(NAME)).unwrap(), text);
    }
    let folder = project(&[("x.py", LEAK)]);
    let (code, _, err) = concise(&folder, &["--baseline", "absent.json"]);
    assert_eq!(
        (code, err.as_str()),
        (2, "error: absent.json: the baseline cannot be read: no such file or directory\n")
    );
}

#[test]
fn what_cannot_be_written_is_an_error_and_nothing_is_left_behind() {
    let folder = project(&[("x.py", LEAK), ("file", "")]);
    let (code, _, err) = run(unleak(folder.path()).args(["baseline", "-o", "file/b.json"]));
    assert_eq!(code, 2);
    assert!(err.starts_with("error: cannot write file/b.json: "), "{err}");
    if Path::new("/dev/full").exists() {
        let (code, _, err) = run(unleak(folder.path()).args(["baseline", "-o", "/dev/full"]));
        assert_eq!((code, err.starts_with("error: cannot write /dev/full: ")), (2, true), "{err}");
    }
    let mut names: Vec<String> =
        (fs::read_dir(folder.path()).unwrap()).map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["file", "x.py"]);
}

/// The run has opened a pipe when the pipe can be opened from here: then it is known to wait.
#[cfg(unix)]
#[test]
fn an_interrupted_run_says_so_and_exits_with_2() {
    let folder = project(&[("x.py", LEAK)]);
    let pipe = folder.path().join("models.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for signal in ["INT", "TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_unleak"))
            .args(["check", "--models", "models.toml"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        let code = child.wait().unwrap().code();
        drop(writer);
        let (mut out, mut err) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((code, out.as_str(), err.as_str()), (Some(2), "", "error: interrupted\n"));
    }
}

/// As soon as the report's new file is seen, the run is stopped: sometimes too late, and then it is all there.
#[cfg(unix)]
#[test]
fn a_run_stopped_while_it_writes_leaves_nothing_half_written() {
    let text: String = (0..2000).map(|number| LEAK.replace("SEEN", &format!("SEEN_{number}"))).collect();
    let folder = project(&[("x.py", &text)]);
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let report = folder.path().join("report.html");
    let mut stopped = 0;
    for _ in 0..50 {
        fs::write(&report, "old").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_unleak"))
            .args(["check", "--isolated", "--quiet", "--output-format", "html=report.html"])
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !names().iter().any(|name| name.ends_with(".unleak")) && child.try_wait().unwrap().is_none() {}
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
        let code = child.wait().unwrap().code();
        let written = fs::read_to_string(&report).unwrap();
        assert!(!names().iter().any(|name| name.ends_with(".unleak")), "{:?}", names());
        match code {
            Some(1) => assert!(written.ends_with("</html>\n")),
            Some(2) => assert!(written == "old" || written.ends_with("</html>\n")),
            other => panic!("{other:?}"),
        }
        stopped += usize::from(code == Some(2) && written == "old");
        if stopped > 2 {
            break;
        }
    }
    assert!(stopped > 0, "no run was stopped while it wrote");
}

fn git(folder: &TempDir, words: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
    let status = Command::new("git").current_dir(folder.path()).args(identity).args(words).output().unwrap();
    assert!(status.status.success(), "{words:?}: {}", String::from_utf8_lossy(&status.stderr));
}

#[test]
fn only_what_changed_lines_have_to_do_with_is_reported_since_a_revision() {
    let grow =
        "from state import SEEN\n\n\ndef handle(request):\n    SEEN.discard(request)\n    SEEN.add(request.id)\n";
    let pruned = grow.replace("request)\n    SEEN.add", "request.id)\n    SEEN.add");
    let folder = project(&[("setup.cfg", ""), ("state.py", "SEEN = set()\n"), ("views.py", &pruned), ("old.py", LEAK)]);
    let (code, _, err) = concise(&folder, &["--since", "HEAD"]);
    assert_eq!((code, err.starts_with("error: `--since`: git says: ")), (2, true), "{err}");
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-qm", "old"]);
    assert_eq!(concise(&folder, &["--since", "HEAD"]), (0, vec![], String::new()));
    // The row that emptied it goes, in another file than where it is held.
    write(&folder, "views.py", &pruned.replace("    SEEN.discard(request.id)\n", ""));
    write(&folder, "new.py", LEAK);
    let (code, found, _) = concise(&folder, &["--since", "HEAD"]);
    let places: Vec<&str> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!((code, places.as_slice()), (1, ["new.py", "state.py"].as_slice()));
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-qm", "new"]);
    assert_eq!(concise(&folder, &["--since", "HEAD"]).1.len(), 0);
    assert_eq!(concise(&folder, &["--since", "HEAD~1"]).1, found);
    let (code, _, err) = concise(&folder, &["--since=--all"]);
    assert_eq!((code, err.as_str()), (2, "error: `--since --all`: git knows no such revision\n"));
    let without_git = run(unleak(folder.path()).args(["check", "--since", "HEAD"]).env("PATH", ""));
    assert_eq!(without_git.0, 2);
    assert!(without_git.2.starts_with("error: `--since` needs git, which cannot be run: "), "{}", without_git.2);
}

/// A hook passes files, CI a folder, and a developer nothing: on one commit all say the same.
#[test]
fn hook_ci_and_check_find_the_same() {
    let files = [
        ("setup.cfg", ""),
        (
            "unleak.toml",
            &*format!("baseline = '{NAME}'\nextend-exclude = ['made']\n[per-file-ignores]\n'quiet.py' = ['ALL']\n"),
        ),
        ("src/state.py", "SEEN = set()\nKNOWN = set()\nSILENT = set()\n"),
        (
            "src/views.py",
            "from state import KNOWN, SEEN, SILENT\n\n\ndef handle(request):\n    SEEN.add(request.id)\n    KNOWN.add(request.id)\n    SILENT.add(request.id)  # unleak: ignore[LK101]\n",
        ),
        ("src/other.py", LEAK),
        ("src/quiet.py", LEAK),
        ("src/made/x.py", LEAK),
        ("src/idle.py", "X = 1  # unleak: ignore\n"),
        (
            NAME,
            "[{\"unleak-baseline\":1}\n,{\"path\":\"src/state.py\",\"code\":\"LK101\",\"symbol\":\"KNOWN\",\"text\":\"KNOWN\",\"confidence\":\"medium\"}\n]\n",
        ),
    ];
    let folder = project(&files);
    let python: Vec<&str> = files.iter().map(|(path, _)| *path).filter(|path| path.ends_with(".py")).collect();
    let check = concise(&folder, &[]).1;
    assert_eq!(check.len(), 3, "{check:?}");
    assert_eq!(concise(&folder, &["."]).1, check);
    assert_eq!(concise(&folder, &["src"]).1, check);
    let hook: Vec<&str> = ["--force-exclude"].into_iter().chain(python.iter().copied()).collect();
    assert_eq!(concise(&folder, &hook).1, check);
    // A hook runs more than once where there are many files.
    let mut one_by_one: Vec<String> =
        python.iter().flat_map(|path| concise(&folder, &["--force-exclude", path]).1).collect();
    one_by_one.sort();
    assert_eq!(one_by_one, check);
}
