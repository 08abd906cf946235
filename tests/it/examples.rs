//! A rule's page is its documentation and its promise: the examples in it are programs, and they are run.

use unleak::finding::Confidence;

use crate::fixtures::programs;
use crate::marks::{Claim, marks};
use crate::{Source, check, files, report, root};

const SECTIONS: [&str; 8] = [
    "What it finds",
    "Why it leaks",
    "Leaks",
    "Does not leak",
    "What to do",
    "What it cannot see",
    "Report",
    "References",
];

struct Page {
    code: String,
    text: String,
}

fn pages() -> Vec<Page> {
    files(&root().join("rules"), "md")
        .into_iter()
        .map(|(path, text)| Page { code: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), text })
        .collect()
}

impl Page {
    fn section(&self, heading: &str) -> &str {
        let Some((_, rest)) = self.text.split_once(&format!("\n## {heading}\n")) else { return "" };
        rest.split("\n## ").next().unwrap_or_default()
    }

    /// The fenced programs of a section. A line `# path/to/file.py` at a block's start or after an empty line begins
    /// a module of that name, for programs of several.
    fn examples(&self, heading: &str) -> Vec<Vec<Source>> {
        let mut examples = Vec::new();
        for block in self.section(heading).split("```python\n").skip(1) {
            examples.push(modules(block.split("```").next().unwrap_or_default()));
        }
        examples
    }
}

fn modules(block: &str) -> Vec<Source> {
    let mut modules: Vec<Source> = Vec::new();
    for line in block.lines() {
        let path = line.strip_prefix("# ").filter(|path| path.ends_with(".py") && !path.contains(' '));
        match (path, modules.last_mut()) {
            (Some(path), _) => modules.push((path.into(), String::new())),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => modules.push(("program.py".into(), format!("{line}\n"))),
        }
    }
    modules
}

#[test]
fn leaks_are_found() {
    let mut failures = Vec::new();
    for page in pages() {
        for (number, example) in page.examples("Leaks").iter().enumerate() {
            let found = check(example, Confidence::Medium);
            if !found.iter().any(|found| found.code == page.code) {
                let codes: Vec<String> = found.into_iter().map(|found| found.code).collect();
                failures.push(format!("rules/{}.md: leak {} is not found; reported: {codes:?}", page.code, number + 1));
            }
        }
    }
    report(failures);
}

#[test]
fn what_does_not_leak_is_left_alone() {
    let mut failures = Vec::new();
    for page in pages() {
        for (number, example) in page.examples("Does not leak").iter().enumerate() {
            for found in check(example, Confidence::Medium) {
                let said = format!("{} at {}: {}", found.code, found.place, found.message);
                failures.push(format!("rules/{}.md: example {} of `Does not leak`: {said}", page.code, number + 1));
            }
        }
    }
    report(failures);
}

#[test]
fn every_rule_has_its_sections_examples_and_fixtures() {
    let programs = programs();
    assert!(!programs.is_empty() && !pages().is_empty(), "the tests of fixtures and pages have nothing to run on");
    let mut failures = Vec::new();
    for page in pages() {
        let mut rest = page.text.as_str();
        for heading in SECTIONS {
            match rest.split_once(&format!("\n## {heading}\n")) {
                Some((_, after)) => rest = after,
                None => failures.push(format!("rules/{}.md: no section `{heading}` in its place", page.code)),
            }
        }
        if !page.text.starts_with(&format!("---\ncode: {}\n", page.code)) {
            failures.push(format!("rules/{}.md: its first key is not `code: {}`", page.code, page.code));
        }
        for heading in ["Leaks", "Does not leak"] {
            if page.examples(heading).is_empty() {
                failures.push(format!("rules/{}.md: `{heading}` has no example", page.code));
            }
        }
        let of_rule = programs.iter().filter(|program| program.rule == page.code);
        let claims: Vec<Claim> = of_rule
            .flat_map(|program| program.sources.iter().map(|(_, text)| marks(text, &program.rule)))
            .flat_map(|marks| marks.unwrap_or_default())
            .map(|mark| mark.claim)
            .collect();
        if !claims.iter().any(|claim| matches!(claim, Claim::Leak { .. })) {
            failures.push(format!("fixtures/{}: no `# leak`", page.code));
        }
        if !claims.contains(&Claim::Ok) {
            failures.push(format!("fixtures/{}: no `# ok`", page.code));
        }
    }
    report(failures);
}

#[test]
fn every_fixture_folder_has_a_page() {
    let pages = pages();
    let mut failures: Vec<String> = programs()
        .into_iter()
        .filter(|program| pages.iter().all(|page| page.code != program.rule))
        .map(|program| format!("{}: no rules/{}.md", program.path.display(), program.rule))
        .collect();
    failures.dedup();
    report(failures);
}

/// The first line of advice is printed under each finding, so it must be one that can stand alone.
#[test]
fn advice_begins_with_a_line_fit_for_a_report() {
    let mut failures = Vec::new();
    for page in pages() {
        let advice = page.section("What to do").trim_start().lines().next().unwrap_or_default();
        if advice.is_empty() || advice.starts_with(char::is_uppercase) || advice.ends_with('.') {
            failures.push(format!("rules/{}.md: `{advice}` is not lower case without a full stop", page.code));
        }
    }
    report(failures);
}

#[test]
fn a_block_may_hold_several_modules() {
    let expected = vec![("app/a.py".into(), "A = 1\n\n".to_owned()), ("app/b.py".into(), "B = 2\n".to_owned())];
    assert_eq!(modules("# app/a.py\nA = 1\n\n# app/b.py\nB = 2\n"), expected);
    assert_eq!(modules("A = 1\n"), vec![("program.py".into(), "A = 1\n".to_owned())]);
}
