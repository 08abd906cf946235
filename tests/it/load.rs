//! What is found, what it is called, and what cannot be read.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use unleak::engine::load::{self, Found, FoundFile};
use unleak::engine::{self, Options, ProblemKind, Progress, Request};
use unleak::program::Role;

/// A folder with files; what ends in `/` is an empty folder.
fn folder(paths: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for path in paths {
        let path = folder.path().join(path);
        if path.to_str().unwrap().ends_with('/') {
            fs::create_dir_all(path).unwrap();
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x = 1\n").unwrap();
    }
    folder
}

fn request(folder: &TempDir, named: &[&str]) -> Request {
    Request { paths: named.iter().map(|path| folder.path().join(path)).collect(), ..Request::default() }
}

fn find(folder: &TempDir, named: &[&str]) -> Found {
    load::find(&request(folder, named), NonZeroUsize::MIN)
}

/// The files as `name` or, where they are only analysed, `(name)`.
fn names(found: &Found) -> Vec<String> {
    let name = |file: &FoundFile| {
        if file.reported { file.module.name.clone() } else { format!("({})", file.module.name) }
    };
    let mut names: Vec<String> = found.files.iter().map(name).collect();
    names.sort();
    names
}

fn messages(found: &Found) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    found.problems.iter().map(|problem| format!("{}: {}", name(&problem.path), problem.message)).collect()
}

#[test]
fn what_is_named_is_reported_and_what_is_around_is_analysed() {
    let folder = folder(&["pyproject.toml", "src/app/__init__.py", "src/app/a.py", "src/app/b.py", "tools/run.py"]);
    let around = ["(app)", "(app.b)", "(tools.run)", "app.a"];
    assert_eq!(names(&find(&folder, &["src/app/a.py"])), around);
    assert_eq!(names(&find(&folder, &["src/app"])), ["(tools.run)", "app", "app.a", "app.b"]);
    assert_eq!(names(&find(&folder, &["."])), ["app", "app.a", "app.b", "tools.run"]);
    // Named twice, it counts once.
    assert_eq!(names(&find(&folder, &["src/app/a.py", "src/app/../app/a.py"])), around);
    assert_eq!(names(&find(&folder, &["src", "src/app", "."])), ["app", "app.a", "app.b", "tools.run"]);
}

#[test]
fn without_a_project_the_package_around_is_analysed() {
    let folder = folder(&["p/__init__.py", "p/q/__init__.py", "p/q/a.py", "p/b.py", "other.py"]);
    assert_eq!(names(&find(&folder, &["p/q/a.py"])), ["(p)", "(p.b)", "(p.q)", "p.q.a"]);
    assert_eq!(names(&find(&folder, &["p/q"])), ["(p)", "(p.b)", "p.q", "p.q.a"]);
    assert_eq!(names(&find(&folder, &["other.py"])), ["other"]);
}

#[test]
fn excluded_folders_are_not_entered_unless_named() {
    let inside = "venv/lib/python3.11/site-packages/lib/__init__.py";
    let folder = folder(&["pyproject.toml", "a.py", inside, "build/b.py", "node_modules/c/c.py", ".hidden/d.py"]);
    assert_eq!(names(&find(&folder, &["."])), [".hidden.d", "a"]);
    assert_eq!(names(&find(&folder, &["venv/lib/python3.11/site-packages/lib"])), ["lib"]);
    assert_eq!(names(&find(&folder, &["build"])), ["b"]);
}

#[test]
fn gitignore_counts_outside_of_git_but_not_for_what_is_named() {
    let folder = folder(&["pyproject.toml", "a.py", "out/b.py", "out/deep/c.py", "d.gen.py"]);
    fs::write(folder.path().join(".gitignore"), "out/**\n*.gen.py\n").unwrap();
    assert_eq!(names(&find(&folder, &["."])), ["a"]);
    assert_eq!(names(&find(&folder, &["out/deep"])), ["(a)", "out.deep.c"]);
    assert_eq!(names(&find(&folder, &["d.gen.py"])), ["(a)", "d.gen"]);
}

#[test]
fn names_are_what_imports_write() {
    let folder = folder(&[
        "setup.cfg",
        "lib/one/__init__.py",
        "python/two.py",
        "src/space/three/__init__.py",
        "src/space/three/deep/four.py",
        "packages/five/pyproject.toml",
        "packages/five/src/five/__init__.py",
        "old/__init__.py",
        "old/setup.py",
    ]);
    let expected = ["five", "old", "old.setup", "one", "space.three.deep.four", "three", "two"];
    assert_eq!(names(&find(&folder, &["."])), expected);
}

#[test]
fn stubs_give_names_only() {
    let folder = folder(&["setup.cfg", "a.py", "a.pyi", "b.pyi", "c.ipynb"]);
    assert_eq!(names(&find(&folder, &["."])), ["(b)", "a", "c"]);
}

#[test]
fn tests_are_known_by_name() {
    let paths = ["tests/a.py", "a/test/b.py", "test_c.py", "d_test.py", "conftest.py", "testimony.py", "latest.py"];
    let folder = folder(&paths);
    let found = find(&folder, &["."]);
    let tests: Vec<&str> =
        found.files.iter().filter(|file| file.role == Role::Test).map(|file| file.module.name.as_str()).collect();
    assert_eq!(tests.len(), 5, "{tests:?}");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_checked() {
    let folder = folder(&["a.py", "x.py/b.py", "README.md", "script", "other"]);
    fs::write(folder.path().join("script"), "#!/usr/bin/env python3\nx = 1\n").unwrap();
    let found = find(&folder, &["a.py", "x.py", "README.md", "script", "other", "missing.py"]);
    assert_eq!(names(&found), ["a", "b", "script"]);
    let no_python = "not a Python file: neither its extension nor a `#!` line says so";
    let expected = [format!("README.md: {no_python}"), "missing.py: no such file or directory".into(), {
        format!("other: {no_python}")
    }];
    assert_eq!(messages(&found), expected);
    let large = fs::File::create(folder.path().join("large.py")).unwrap();
    large.set_len(load::MAX_FILE_SIZE + 1).unwrap();
    assert_eq!(messages(&find(&folder, &["."])), ["large.py: larger than 50 MB"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_files_and_never_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["setup.cfg", "p/__init__.py", "p/a.py"]);
    let root = folder.path();
    symlink(root, root.join("p/circle")).unwrap();
    symlink(root.join("p/a.py"), root.join("same.py")).unwrap();
    symlink(root.join("nowhere"), root.join(".#a.py")).unwrap();
    symlink("self.py", root.join("self.py")).unwrap();
    symlink(root.join("p"), root.join("linked")).unwrap();
    let found = find(&folder, &["."]);
    assert_eq!(names(&found), ["p", "p.a"]);
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    // A link that is named is taken, and is the folder it leads to.
    assert_eq!(names(&find(&folder, &["linked", "p"])), ["p", "p.a"]);
}

#[cfg(unix)]
#[test]
fn pipes_are_not_waited_for() {
    let folder = folder(&["a.py"]);
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.py")).status().unwrap();
    assert!(made.success());
    let found = find(&folder, &["."]);
    assert_eq!(names(&found), ["a"]);
    assert_eq!(messages(&found), ["pipe.py: not a regular file"]);
    assert_eq!(messages(&find(&folder, &["pipe.py"])), ["pipe.py: not a regular file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_read_all_the_same() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(&["a.py"]);
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"b\xff.py")), "x = 1\n").unwrap();
    assert_eq!(names(&find(&folder, &["."])), ["a", "b\u{fffd}"]);
}

#[test]
fn standard_input_stands_for_its_file() {
    let folder = folder(&["setup.cfg", "a.py", "b.py"]);
    let stdin =
        |name: &str| Request { stdin: Some((folder.path().join(name), b"y = 2\n".to_vec())), ..Request::default() };
    assert_eq!(names(&load::find(&stdin("a.py"), NonZeroUsize::MIN)), ["(b)", "a"]);
    assert_eq!(names(&load::find(&stdin("new.py"), NonZeroUsize::MIN)), ["(a)", "(b)", "new"]);
}

#[test]
fn problems_of_a_file_are_told_and_the_outcome_is_the_same_on_any_number_of_threads() {
    let folder = folder(&["setup.cfg", "a.py"]);
    let root = folder.path();
    fs::write(root.join("bytes.py"), b"x = '\xe9'\n").unwrap();
    fs::write(root.join("deep.py"), "(".repeat(20_000)).unwrap();
    fs::write(root.join("broken.py"), "def f(:\n").unwrap();
    let run = |threads: usize| {
        let mut request = request(&folder, &["."]);
        request.options.threads = NonZeroUsize::new(threads);
        engine::check(&request, &Progress::default())
    };
    let outcome = run(1);
    let mut kinds: Vec<ProblemKind> = outcome.problems.iter().map(|problem| problem.kind).collect();
    kinds.dedup();
    assert_eq!(kinds, [ProblemKind::Syntax, ProblemKind::Unreadable, ProblemKind::TooDeep]);
    assert!(outcome.is_incomplete());
    assert_eq!((outcome.statistics.files, outcome.statistics.lines), (4, 3));
    for threads in [2, 5] {
        assert_eq!(run(threads).problems, outcome.problems);
    }
}

#[test]
fn texts_in_memory_go_the_same_way() {
    let sources = vec![(PathBuf::from("p/__init__.py"), String::new()), (PathBuf::from("p/a.py"), "def f(:\n".into())];
    let outcome = engine::check_sources(sources, &Options::default());
    assert_eq!(outcome.statistics.files, 2);
    assert_eq!(outcome.problems[0].path, Path::new("p/a.py"));
    assert!(!outcome.is_incomplete());
}

const GROWS: &str = "SEEN = []\ndef handle(request):\n    SEEN.append(request.id)\n";

#[test]
fn imports_decide_what_a_namespace_is_called() {
    let symbol = |import: &str| {
        let sources = [("backend/app/__init__.py", ""), ("backend/app/state.py", GROWS), ("main.py", import)];
        let sources = sources.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
        let outcome = engine::check_sources(sources.into(), &Options::default());
        assert_eq!(outcome.files.len(), 1);
        outcome.findings[0].symbol.clone()
    };
    assert_eq!(symbol("from backend.app import state\n"), "backend.app.state.SEEN");
    assert_eq!(symbol("from app.state import SEEN\n"), "app.state.SEEN");
    assert_eq!(symbol(""), "app.state.SEEN");
}

#[test]
fn findings_are_only_in_what_was_named() {
    let folder = folder(&["setup.cfg"]);
    for name in ["a.py", "b.py", "c.py"] {
        fs::write(folder.path().join(name), GROWS).unwrap();
    }
    let run = |named: &[&str], threads: usize| {
        let mut request = request(&folder, named);
        request.options.threads = NonZeroUsize::new(threads);
        engine::check(&request, &Progress::default())
    };
    let outcome = run(&["b.py"], 1);
    assert_eq!(outcome.findings.len(), 1);
    let file = outcome.file(outcome.findings[0].location.file).unwrap();
    assert_eq!(file.source.path.file_name().unwrap(), "b.py");
    assert_eq!((outcome.statistics.files, outcome.statistics.analysed_files), (1, 3));
    let all = run(&["."], 1).findings;
    assert_eq!(all.len(), 3);
    assert_eq!(run(&["."], 4).findings, all);
}
