//! `unleak profile` on a program with a leak that a rule knows and one that none does, and on files of other tools.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// Fills a container that is found, and one that is not.
const PROGRAM: &str = r#"import json


class Client:
    def __init__(self):
        self._pending = {}

    def send(self, request_id, text):
        message = json.loads(text)
        self._pending[request_id] = message
        return message


CLIENT = Client()
TAIL = None


def handle(request_id):
    CLIENT.send(request_id, '{"id": "%s", "tags": [1, 2, 3]}' % request_id)


def hidden():
    global TAIL
    TAIL = (bytes(200), TAIL)
"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("app.py"), PROGRAM).expect("a file can be written");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    folder
}

/// The exit code and what is printed on both streams.
fn unleak(folder: &TempDir, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("unleak"));
    let output = command.arg("profile").args(words).current_dir(folder.path()).output().expect("unleak can be run");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is text");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

fn python(folder: &TempDir, script: &str) {
    let status = Command::new("python3").args(["-c", script]).current_dir(folder.path()).status();
    assert!(status.expect("there is a `python3`").success());
}

fn line(profile: &Value, row: u64) -> &Value {
    let lines = profile["lines"].as_array().expect("lines are an array");
    let line = lines.iter().find(|line| line["filename"] == "app.py" && line["row"] == row);
    line.unwrap_or_else(|| panic!("row {row} is not there: {profile:#}"))
}

/// What holds is where the items are made, and the finding is where they are kept.
fn says_what_holds(profile: &Value) {
    let made = line(profile, 9);
    assert_eq!(made["function"], "Client.send");
    assert_eq!(made["finding"]["code"], "LK102");
    assert!(made["finding"]["symbol"].as_str().is_some_and(|symbol| symbol.ends_with("Client._pending")));
    assert_eq!(line(profile, 24)["finding"], Value::Null);
    assert!(made["growth"].as_u64() > Some(100_000), "{profile:#}");
}

#[test]
fn lines_that_grow_are_joined_with_what_is_found() {
    let run = "import app\nfor number in range(4000):\n    app.handle(f'request-{number}')\n    app.hidden()\n";
    let folder = folder(&[("run.py", run)]);
    let (_, out, err) = unleak(&folder, &["app.py", "--output-format", "json", "--", "python3", "run.py"]);
    let profile: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    says_what_holds(&profile);
    let evidence = &line(&profile, 9)["finding"]["evidence"];
    assert_eq!(evidence["verdict"], "confirmed", "{profile:#}");

    let (_, out, _) = unleak(&folder, &["app.py", "--", "python3", "run.py"]);
    assert!(out.contains("LK102, held by `Client._pending` (at app.py:6) over 4000 calls, confirmed"), "{out}");
    assert!(out.contains("app.py:24 in `hidden`"), "{out}");
    assert!(out.contains("blocks that no rule explains"), "{out}");
}

#[test]
fn snapshots_of_tracemalloc_are_read_and_other_pickles_are_not() {
    let folder = folder(&[]);
    python(
        &folder,
        "import tracemalloc, app\n\
         tracemalloc.start(5)\n\
         for look in range(3):\n    \
             for number in range(1000):\n        \
                 app.handle(f'request-{look}-{number}'), app.hidden()\n    \
             tracemalloc.take_snapshot().dump(f'{look}.pickle')\n",
    );
    let files = ["--read", "0.pickle", "--read", "1.pickle", "--read", "2.pickle"];
    let (exit, out, err) = unleak(&folder, &[&["app.py", "--output-format", "json"], &files[..]].concat());
    assert_eq!((exit, err.as_str()), (0, ""), "so few looks tell no course");
    says_what_holds(&serde_json::from_str(&out).expect("it is JSON"));

    python(
        &folder,
        "import os, pickle\n\
         class Evil:\n    \
             def __reduce__(self): return os.mkdir, ('made',)\n\
         pickle.dump(Evil(), open('evil.pickle', 'wb'))\n",
    );
    let (exit, out, err) = unleak(&folder, &["app.py", "--read", "evil.pickle"]);
    assert_eq!((exit, out.as_str()), (2, ""));
    assert!(err.contains("evil.pickle: UnpicklingError: no snapshot of tracemalloc"), "{err}");
    assert!(!folder.path().join("made").exists());
}

#[test]
fn tables_of_memray_are_read() {
    let table = "allocator,num_allocations,size,tid,thread_name,stack_trace\r\n\
                 MALLOC,4000,900000,1,0x1,loads;/usr/lib/python3/json.py;20|send;app.py;9|handle;app.py;19\r\n\
                 MALLOC,4000,800000,1,0x1,hidden;app.py;24\r\n";
    let folder = folder(&[("leaks.csv", table), ("other.csv", "a,b\n1,2\n")]);
    let (exit, out, _) = unleak(&folder, &["app.py", "--read", "leaks.csv", "--output-format", "json"]);
    assert_eq!(exit, 0);
    says_what_holds(&serde_json::from_str(&out).expect("it is JSON"));
    let (exit, _, err) = unleak(&folder, &["app.py", "--read", "other.csv"]);
    assert_eq!(exit, 2);
    assert!(
        err.contains("other.csv: neither a snapshot of tracemalloc nor a table of `memray transform csv`"),
        "{err}"
    );
}
