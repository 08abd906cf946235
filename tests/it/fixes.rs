//! Fixes: each that is offered on any fixture, page or model does what it says and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use unleak::config::{Configuration, Settings};
use unleak::engine::{self, Options, Outcome};
use unleak::finding::{Applicability, Confidence, Edit, Fix};
use unleak::fix;
use unleak::rules::page::pages;

use crate::fixtures::programs;
use crate::models::builtin_examples;
use crate::{Source, report};

fn checked(sources: &[Source]) -> Outcome {
    let settings = Settings { min_confidence: Confidence::Low, ..Settings::default() };
    let options = Options { configuration: Configuration::fixed(settings), ..Options::default() };
    let mut outcome = engine::check_sources(sources.to_vec(), &options);
    fix::offer(&mut outcome);
    outcome
}

/// How often each rule speaks of each symbol.
fn counts(outcome: &Outcome) -> BTreeMap<(&'static str, String), usize> {
    let mut counts = BTreeMap::new();
    for finding in &outcome.findings {
        *counts.entry((finding.code, finding.symbol.clone())).or_insert(0) += 1;
    }
    counts
}

fn edited(sources: &[Source], path: &PathBuf, fix: &Fix) -> Vec<Source> {
    let edits: Vec<&Edit> = fix.edits.iter().collect();
    let edit = |(of, text): &Source| match of == path {
        true => (of.clone(), fix::applied(text, &edits).expect("edits are in order and in the text")),
        false => (of.clone(), text.clone()),
    };
    sources.iter().map(edit).collect()
}

/// What is wrong with the fixes of a program; adds to `offered` what each rule offers.
fn wrong_fixes(place: &str, sources: &[Source], offered: &mut Vec<(&'static str, Applicability)>) -> Vec<String> {
    let before = checked(sources);
    let mut failures = Vec::new();
    for finding in &before.findings {
        let Some(fix) = &finding.fix else { continue };
        offered.push((finding.code, fix.applicability));
        let file = before.file(finding.location.file).expect("the outcome has the files of its findings");
        let changed = edited(sources, &file.source.path, fix);
        let after = checked(&changed);
        let (old, new) = (counts(&before), counts(&after));
        let key = (finding.code, finding.symbol.clone());
        let left = new.get(&key).copied().unwrap_or(0);
        let is_gone = left + 1 == old[&key];
        let is_new = new.iter().any(|(key, count)| count > old.get(key).unwrap_or(&0));
        let is_broken = after.problems.len() > before.problems.len();
        if !is_gone || is_new || is_broken {
            let text = changed.iter().find(|(path, _)| *path == file.source.path).map(|(_, text)| text.as_str());
            failures.push(format!(
                "{place}: {} of {}: `{}` (gone: {is_gone}, something new: {is_new}, broken: {is_broken})\n{}",
                finding.code,
                finding.symbol,
                fix.title,
                text.unwrap_or_default(),
            ));
        }
    }
    failures
}

#[test]
fn every_fix_mends_its_finding_and_nothing_new_appears() {
    let mut failures = Vec::new();
    let mut offered = Vec::new();
    for program in programs() {
        failures.extend(wrong_fixes(&program.path.display().to_string(), &program.sources, &mut offered));
    }
    for example in builtin_examples() {
        let source = (PathBuf::from("program.py"), example.leak.clone());
        let place = format!("rules/models/{}:{}", example.file, example.row);
        failures.extend(wrong_fixes(&place, &[source], &mut offered));
    }
    // A page says what its rule offers: the safest of it.
    for page in pages() {
        let safest =
            offered.iter().filter(|(code, _)| *code == page.code).map(|(_, applicability)| applicability).min();
        let expected = match safest {
            None => "none",
            Some(Applicability::Safe) => "safe",
            Some(Applicability::Unsafe) => "unsafe",
        };
        if page.fix != expected {
            failures
                .push(format!("rules/{}.md: `fix` is `{}`, and the fixtures say `{expected}`", page.code, page.fix));
        }
    }
    report(failures);
}

/// The program after its only fix.
fn mended(text: &str) -> Option<(Applicability, String)> {
    let sources = [(PathBuf::from("program.py"), text.to_owned())];
    let outcome = checked(&sources);
    let mut fixes = outcome.findings.iter().filter_map(|finding| finding.fix.as_ref());
    let fix = fixes.next()?;
    let changed = edited(&sources, &sources[0].0, fix);
    Some((fix.applicability, changed.into_iter().next()?.1))
}

#[test]
fn a_release_at_the_end_is_moved_to_every_way_out() {
    let text = "\
import os

def size(path):
    fd = os.open(path, os.O_RDONLY)  # opened
    # is it empty?
    if os.read(fd, 1) == b'':
        return 0

    text = '''
  not indented'''
    os.close(fd)  # closed
    return text
";
    let expected = "\
import os

def size(path):
    fd = os.open(path, os.O_RDONLY)  # opened
    try:
        # is it empty?
        if os.read(fd, 1) == b'':
            return 0

        text = '''
  not indented'''
    finally:
        os.close(fd)  # closed
    return text
";
    assert_eq!(mended(text), Some((Applicability::Safe, expected.to_owned())));
}

#[test]
fn a_file_that_is_closed_on_one_way_gets_a_block() {
    let text = "\
def head(path):\r
\tfile = open(\r
\t\tpath)\r
\tif not file.readable():\r
\t\treturn None\r
\tline = file.readline()\r
\tfile.close()  # done\r
\treturn line\r
";
    let expected = "\
def head(path):\r
\twith open(\r
\t\tpath) as file:\r
\t\tif not file.readable():\r
\t\t\treturn None\r
\t\tline = file.readline()\r
\t\t# done\r
\treturn line\r
";
    assert_eq!(mended(text), Some((Applicability::Safe, expected.to_owned())));
}

#[test]
fn what_is_never_closed_is_closed_behind_its_last_use() {
    let text = "\
import csv

def rows(path):
    file = open(path)
    reader = csv.reader(file)
    first = list(reader)
    print(path)
    return first
";
    let expected = "\
import csv

def rows(path):
    with open(path) as file:
        reader = csv.reader(file)
        first = list(reader)
        print(path)
        return first
";
    assert_eq!(mended(text), Some((Applicability::Unsafe, expected.to_owned())));
}

#[test]
fn a_temporary_gets_a_name_that_is_free() {
    let text = "\
def text(file):
    return open(
        file, encoding='utf-8'
    ).read().strip()
";
    let expected = "\
def text(file):
    with open(
        file, encoding='utf-8'
    ) as opened:
        return opened.read().strip()
";
    assert_eq!(mended(text), Some((Applicability::Safe, expected.to_owned())));
}

#[test]
fn a_cache_gets_a_size_and_its_import() {
    let of = |import: &str, decorator: &str| {
        let text = format!("{import}\n\n@{decorator}\ndef page(user_id):\n    return render(user_id)\n");
        mended(&text).map(|(applicability, text)| {
            assert_eq!(applicability, Applicability::Unsafe);
            text.lines().filter(|line| line.contains("import") || line.starts_with('@')).collect::<Vec<_>>().join("; ")
        })
    };
    let expect = |import, decorator, expected: &str| assert_eq!(of(import, decorator).as_deref(), Some(expected));
    let bounded = "from functools import lru_cache; @lru_cache(maxsize=1024)";
    expect("from functools import cache", "cache", bounded);
    expect("from functools import lru_cache", "lru_cache(maxsize=None)", bounded);
    expect("from functools import lru_cache", "lru_cache(None)", "from functools import lru_cache; @lru_cache(1024)");
    expect("import functools as ft", "ft.cache", "import functools as ft; @ft.lru_cache(maxsize=1024)");
    expect(
        "from functools import cache, lru_cache as sized",
        "cache",
        "from functools import cache, lru_cache as sized; @sized(maxsize=1024)",
    );
    expect(
        "from functools import cache as memo",
        "memo",
        "from functools import cache as memo, lru_cache; @lru_cache(maxsize=1024)",
    );
}

#[test]
fn what_cannot_be_changed_with_certainty_is_left_alone() {
    let cases = [
        // Another way out hands it on, or has released it.
        "import os\ndef f(p):\n    d = os.open(p, 0)\n    if os.read(d, 1):\n        return 1\n    if p:\n        return d\n    os.close(d)\n",
        "import os\ndef f(p):\n    d = os.open(p, 0)\n    if os.read(d, 1):\n        return 1\n    if p:\n        os.close(d)\n        return 2\n    os.close(d)\n",
        // Not on lines of their own.
        "import os\ndef f(p):\n    d = os.open(p, 0); x = os.read(d, 1).decode()\n    os.close(d)\n",
        // Something runs before it opens.
        "def f(p, g):\n    return g(p)(open(p).read())\n",
        "def f(p, a):\n    return a and open(p).read()\n",
        // Read later.
        "import csv\ndef f(p):\n    return csv.reader(open(p))\n",
        "def f(p):\n    file = open(p)\n    text = file.read\n    file = text()\n    return file\n",
    ];
    let failures = cases.iter().filter_map(|text| Some(format!("{text}\nbecomes\n{}", mended(text)?.1))).collect();
    report(failures);
}
