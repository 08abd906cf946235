//! Programs that show on CPython what a finding says: something is still there when its last use is over.
//!
//! What stands above the line `# Run.` is a program with marks as in the other fixtures; what stands below uses it and
//! fails unless the objects stay, and is not part of what is checked.

use std::process::Command;

use unleak::finding::Confidence;

use crate::{Found, check, files, report, root};

#[test]
fn what_is_found_is_kept_by_cpython() {
    let mut failures = Vec::new();
    let programs = files(&root().join("fixtures/run"), "py");
    assert!(programs.len() >= 10, "programs to run are missing");
    for (path, text) in programs {
        let name = path.display();
        let Some((program, _)) = text.split_once("\n# Run.\n") else {
            failures.push(format!("{name}: nothing is run"));
            continue;
        };
        failures.extend(not_found(program).into_iter().map(|failure| format!("{name}:{failure}")));
        let file = root().join("fixtures/run").join(&path);
        match Command::new("python3").arg("-I").arg(file).output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => failures.push(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))),
            Err(error) => failures.push(format!("{name}: python3 does not run: {error}")),
        }
    }
    report(failures);
}

/// The marked findings that are not there, by their rows. That CPython keeps something is shown of low confidence as
/// well: whether it costs anything is another question.
fn not_found(program: &str) -> Vec<String> {
    let found = check(&[("program.py".into(), program.to_owned())], Confidence::Low);
    let marked: Vec<(usize, &str)> = program
        .lines()
        .enumerate()
        .filter_map(|(row, line)| Some((row + 1, line.split_once("# leak ")?.1.split_whitespace().next()?)))
        .collect();
    if marked.is_empty() {
        return vec!["1: nothing is marked".to_owned()];
    }
    let is_there =
        |row: usize, code: &str| found.iter().any(|Found { code: other, place, .. }| other == code && place.row == row);
    marked
        .into_iter()
        .filter(|(row, code)| !is_there(*row, code))
        .map(|(row, code)| format!("{row}: {code} is not found; reported: {found:?}"))
        .collect()
}
