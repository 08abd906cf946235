//! The rules' pages: every one complete, and what is made of them up to date.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::path::Path;

use unleak::config::{Configuration, Settings};
use unleak::engine::{self, Options, Request};
use unleak::finding::Confidence;
use unleak::output::{Format, Report};
use unleak::rules::page::{self, Page, PageId, Section, pages};
use unleak::rules::selection::{enabled, matching};

use crate::output::{check_file, without_styles};

#[test]
fn every_page_is_complete() {
    let problems: Vec<String> =
        page::problems().iter().map(|(code, problem)| format!("rules/{code}.md:{problem}")).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(pages().is_sorted_by_key(|page| page.code));
}

#[test]
fn names_and_titles_are_not_used_twice() {
    let texts = |of: fn(&Page) -> &'static str| pages().iter().map(of).collect::<Vec<_>>();
    for texts in [texts(|page| page.name), texts(|page| page.title)] {
        let mut distinct = texts.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), texts.len());
    }
}

#[test]
fn advice_fits_on_a_line_and_reads_like_a_message() {
    for page in pages() {
        let advice = page.advice();
        assert!(advice.chars().count() <= 110, "{}: {advice}", page.code);
        assert!(advice.starts_with(|first: char| first.is_lowercase()) && !advice.ends_with('.'), "{}", page.code);
    }
}

#[test]
fn a_page_is_known_to_the_compiler() {
    static PAGE: PageId = PageId::of("LK101");
    assert_eq!((PAGE.code(), PAGE.page().name), ("LK101", "unbounded-container"));
    assert_eq!(page::page("LK101").unwrap().url().rsplit('/').next(), Some("LK101.md"));
    assert!(page::page("LK100").is_none());
}

const GOOD: &str = include_str!("../../rules/LK101.md");

/// What the parser says of the page with something replaced.
fn complaint(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let (_, problems) = Page::parse("LK101", GOOD.replacen(from, to, 1).leak());
    problems.first().map_or_else(|| "nothing".into(), ToString::to_string)
}

#[test]
fn the_parser_says_what_is_wrong_and_where() {
    assert_eq!(complaint("---\n", "---\n"), "nothing");
    assert_eq!(complaint("---\n", "--\n"), "1: a page starts with `---`");
    assert_eq!(complaint("title: ", "Title: "), "4: `title: …` must stand here");
    assert_eq!(complaint("code: LK101", "code: LK102"), "2: `code` must be `LK101`, as the file is called");
    assert_eq!(complaint("unbounded-container", "Unbounded"), "3: `name` must be lower case words with hyphens");
    assert_eq!(complaint("family: growth", "family: cycles"), "5: `family` must be `growth`");
    assert_eq!(complaint("severity: warning", "severity: bad"), "6: `severity` must be one of info, warning, error");
    assert_eq!(complaint("since: 0.1.0", "since: 1"), "9: `since` must be a version, `1.2.3`");
    assert_eq!(complaint("CWE-401", "401"), "11: `cwe` must be `CWE-401` or a list `CWE-401, CWE-770`");
    assert_eq!(complaint("## Why it leaks", "text\n## Why it leaks"), "nothing");
    let renamed = complaint("## Why it leaks", "## Why");
    assert!(renamed.ends_with(": the section here must be `Why it leaks`, not `Why`"), "{renamed}");
    let unclosed = complaint("\n## References", "\n```\n## References");
    assert!(unclosed.contains("a block of code is not closed"), "{unclosed}");
}

#[test]
fn examples_are_the_fenced_blocks() {
    let page = page::page("LK101").unwrap();
    assert!(page.examples(Section::Leaks)[0].starts_with("SEEN = set()\n"));
    for page in pages() {
        for section in [Section::Leaks, Section::Clean] {
            assert!(page.examples(section).iter().all(|example| example.ends_with('\n')), "{}", page.code);
        }
    }
}

#[test]
fn the_more_specific_word_decides_which_rules_run() {
    let all: Vec<&str> = pages().iter().map(|page| page.code).collect();
    assert_eq!(enabled::<&str>(&[], &[]).unwrap(), all);
    assert_eq!(enabled(&["ALL"], &[]).unwrap(), all);
    assert_eq!(enabled(&["lk301"], &[]).unwrap(), ["LK301"]);
    assert_eq!(enabled(&["LK101", "finalizer-cycle"], &["LK1"]).unwrap(), ["LK101", "LK301"]);
    assert!(!enabled(&["LK1"], &["unbounded-cache"]).unwrap().contains(&"LK104"));
    assert!(enabled(&["LK101"], &["LK101"]).unwrap().is_empty());
    assert_eq!(enabled(&["LK1"], &["LK9"]).unwrap_err().word, "LK9");
    assert_eq!(matching("finaliser-cycle").unwrap_err().nearest, Some("finalizer-cycle"));
    assert_eq!(matching("").unwrap_err().nearest, None);
}

/// The *Report* of a page is what unleak says of its first example.
#[test]
fn reports_on_pages_are_what_unleak_says() {
    for page in pages() {
        let example = page.examples(Section::Leaks)[0];
        let rules = vec![page.code];
        let settings = Settings { rules, min_confidence: Confidence::Low, ..Settings::default() };
        let options = Options { configuration: Configuration::fixed(settings), ..Options::default() };
        let stdin = Some(("example.py".into(), example.as_bytes().to_vec()));
        let outcome = engine::check(&Request { stdin, options, ..Request::default() }, &Default::default());
        let directory = Path::new("");
        let report = Report { findings: &outcome.findings, sources: &outcome.files, files: 1, directory };
        let mut styled = Vec::new();
        report.write(Format::Full, &mut styled).unwrap();
        let shown = without_styles(&styled);
        let shown: String = shown.trim_end().lines().map(|line| format!("{}\n", line.trim_end())).collect();
        let section = if shown.is_empty() { String::new() } else { format!("```text\n{shown}```\n\n") };

        let path = format!("rules/{}.md", page.code);
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
        let text = text.replace("\r\n", "\n");
        check_file(&path, &replaced(&text, "## Report\n\n", "## References\n", &section));
    }
}

#[test]
fn the_readme_lists_every_rule() {
    let mut table = String::from("\n| code | name | what leaks |\n|---|---|---|\n");
    for page in pages() {
        writeln!(table, "| [{0}](rules/{0}.md) | `{1}` | {2} |", page.code, page.name, page.title).unwrap();
    }
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let text = text.replace("\r\n", "\n");
    check_file("README.md", &replaced(&text, "<!-- rules -->\n", "<!-- end of rules -->\n", &(table + "\n")));
}

/// The text with what stands between two marks replaced.
fn replaced(text: &str, from: &str, to: &str, between: &str) -> String {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from:?}")) + from.len();
    let end = start + text[start..].find(to).unwrap_or_else(|| panic!("no {to:?} behind {from:?}"));
    format!("{}{between}{}", &text[..start], &text[end..])
}
