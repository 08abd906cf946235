//! A rule's page: the only home of its words.
//!
//! What is printed under a finding, what `unleak rule` shows and what the README lists is read from `rules/*.md`,
//! which the build script compiles in, so that a rule cannot be explained in two ways. The parser is strict (every
//! key, every section, in one order), and what it complains of fails the test suite; a run goes on with what could
//! be read.

use std::fmt;
use std::sync::LazyLock;

use crate::finding::{Confidence, Severity};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/pages.rs"));
}

/// Where unleak is at home; the one place that knows.
pub const HOME_URL: &str = "https://github.com/unleak/unleak";

/// The keys of the front matter, in their order.
const KEYS: [&str; 10] = ["code", "name", "title", "family", "severity", "confidence", "status", "since", "fix", "cwe"];

/// The families by the digit after `LK`.
const FAMILIES: [&str; 6] = ["unleak", "growth", "resources", "cycles", "listeners", "frameworks"];

/// The sections of a page, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Finds,
    Why,
    Leaks,
    Clean,
    Advice,
    Limits,
    Report,
    References,
}

impl Section {
    pub const ALL: [Section; 8] = [
        Section::Finds,
        Section::Why,
        Section::Leaks,
        Section::Clean,
        Section::Advice,
        Section::Limits,
        Section::Report,
        Section::References,
    ];

    pub fn heading(self) -> &'static str {
        match self {
            Section::Finds => "What it finds",
            Section::Why => "Why it leaks",
            Section::Leaks => "Leaks",
            Section::Clean => "Does not leak",
            Section::Advice => "What to do",
            Section::Limits => "What it cannot see",
            Section::Report => "Report",
            Section::References => "References",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Page {
    pub code: &'static str,
    /// What people write in configurations: lower case words with hyphens.
    pub name: &'static str,
    /// One sentence, lower case, without a full stop.
    pub title: &'static str,
    pub family: &'static str,
    pub severity: Severity,
    /// The most that the rule claims; a finding may claim less.
    pub confidence: Confidence,
    /// `stable` or `preview`.
    pub status: &'static str,
    /// The version of unleak that brought it.
    pub since: &'static str,
    /// `none`, `safe` or `unsafe`.
    pub fix: &'static str,
    /// `CWE-401` and the like.
    pub cwe: Vec<&'static str>,
    /// The page without its front matter.
    pub body: &'static str,
    /// The text of each section, in the order of [`Section::ALL`].
    sections: [&'static str; Section::ALL.len()],
}

/// What is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageProblem {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for PageProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

/// A page known to exist when unleak was compiled: `PageId::of` in a `static` or `const` does not compile otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageId(usize);

impl PageId {
    /// The page in `rules/<code>.md`.
    ///
    /// # Panics
    /// If there is none, which in a `static` is an error of the compiler.
    pub const fn of(code: &str) -> PageId {
        let mut index = 0;
        while index < embedded::PAGES.len() {
            if equal(embedded::PAGES[index].0, code) {
                return PageId(index);
            }
            index += 1;
        }
        panic!("no page of this code in rules/")
    }

    pub fn page(self) -> &'static Page {
        &pages()[self.0]
    }

    pub const fn code(self) -> &'static str {
        embedded::PAGES[self.0].0
    }
}

/// `==` of strings is not `const` yet.
const fn equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// All pages, sorted by code.
pub fn pages() -> &'static [Page] {
    static PARSED: LazyLock<Vec<Page>> =
        LazyLock::new(|| embedded::PAGES.iter().map(|(code, text)| Page::parse(code, text).0).collect());
    &PARSED
}

/// The page of a code, as findings carry it.
pub fn page(code: &str) -> Option<&'static Page> {
    pages().binary_search_by(|page| page.code.cmp(code)).ok().map(|index| &pages()[index])
}

/// What is wrong with the pages that are compiled in, by code; a test wants this empty.
pub fn problems() -> Vec<(&'static str, PageProblem)> {
    let of = |(code, text): &(&'static str, &'static str)| {
        let code = *code;
        Page::parse(code, text).1.into_iter().map(move |problem| (code, problem))
    };
    embedded::PAGES.iter().flat_map(of).collect()
}

impl Page {
    /// Reads a page; `code` is what its file is called. What cannot be read is empty and among the problems.
    pub fn parse(code: &'static str, text: &'static str) -> (Page, Vec<PageProblem>) {
        let mut problems = Vec::new();
        let (values, body) = front_matter(text, &mut problems);
        let first_line = 1 + text[..text.len() - body.len()].matches('\n').count();
        let sections = sections(body, first_line, &mut problems);
        let page = Page {
            code,
            name: values[1],
            title: values[2],
            family: values[3],
            severity: match values[4] {
                "info" => Severity::Info,
                "error" => Severity::Error,
                _ => Severity::Warning,
            },
            confidence: match values[5] {
                "low" => Confidence::Low,
                "medium" => Confidence::Medium,
                _ => Confidence::High,
            },
            status: values[6],
            since: values[7],
            fix: values[8],
            cwe: values[9].split(", ").filter(|cwe| !cwe.is_empty()).collect(),
            body: body.trim_start(),
            sections,
        };
        for (index, (key, value)) in KEYS.iter().zip(values).enumerate() {
            if let Some(expected) = unexpected(key, value, code) {
                problems.push(PageProblem { line: index + 2, message: format!("`{key}` must be {expected}") });
            }
        }
        if page.advice().is_empty() {
            problems.push(PageProblem { line: first_line, message: "`What to do` has no first line".into() });
        }
        for section in [Section::Leaks, Section::Clean] {
            if page.examples(section).is_empty() {
                let message = format!("`{}` has no block of python", section.heading());
                problems.push(PageProblem { line: first_line, message });
            }
        }
        (page, problems)
    }

    /// What is printed as `help` under a finding: the first line of *What to do*.
    pub fn advice(&self) -> &'static str {
        self.section(Section::Advice).lines().next().unwrap_or_default()
    }

    /// Where it can be read online.
    pub fn url(&self) -> String {
        format!("{HOME_URL}/blob/main/rules/{}.md", self.code)
    }

    pub fn section(&self, section: Section) -> &'static str {
        self.sections[section as usize]
    }

    /// The fenced blocks of Python in a section; those of *Leaks* and *Does not leak* are programs that tests run.
    pub fn examples(&self, section: Section) -> Vec<&'static str> {
        let text = self.section(section);
        let mut blocks = Vec::new();
        let mut start = None;
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            match (start, line.trim_end()) {
                (None, "```python") => start = Some(offset + line.len()),
                (Some(from), "```") => {
                    blocks.push(&text[from..offset]);
                    start = None;
                }
                _ => {}
            }
            offset += line.len();
        }
        blocks
    }
}

/// The values of [`KEYS`] and what follows the front matter.
fn front_matter(text: &'static str, problems: &mut Vec<PageProblem>) -> ([&'static str; KEYS.len()], &'static str) {
    let mut values = [""; KEYS.len()];
    let mut lines = text.split_inclusive('\n');
    let mut read = 0;
    let mut take = |read: &mut usize| {
        let line = lines.next().unwrap_or_default();
        *read += line.len();
        line.trim_end()
    };
    if take(&mut read) != "---" {
        problems.push(PageProblem { line: 1, message: "a page starts with `---`".into() });
        return (values, text);
    }
    for (index, key) in KEYS.iter().enumerate() {
        match take(&mut read).split_once(": ") {
            Some((actual, value)) if actual == *key => values[index] = value,
            _ => problems.push(PageProblem { line: index + 2, message: format!("`{key}: …` must stand here") }),
        }
    }
    if take(&mut read) != "---" {
        let line = KEYS.len() + 2;
        problems.push(PageProblem { line, message: "`---` must end the front matter here".into() });
    }
    (values, &text[read..])
}

/// What the value should have been, if it is none.
fn unexpected(key: &str, value: &str, code: &str) -> Option<String> {
    let one_of = |allowed: &[&str]| (!allowed.contains(&value)).then(|| format!("one of {}", allowed.join(", ")));
    match key {
        "code" => (value != code).then(|| format!("`{code}`, as the file is called")),
        "name" => {
            let fits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            (!fits).then(|| "lower case words with hyphens".into())
        }
        "title" => {
            let fits = value.starts_with(|first: char| !first.is_uppercase()) && !value.ends_with('.');
            (!fits).then(|| "lower case, without a full stop".into())
        }
        "family" => {
            let digit = code.as_bytes().get(2).map_or(u8::MAX, |digit| digit.wrapping_sub(b'0'));
            let expected = FAMILIES.get(usize::from(digit)).copied().unwrap_or("known by the code's first digit");
            (value != expected).then(|| format!("`{expected}`"))
        }
        "severity" => one_of(&["info", "warning", "error"]),
        "confidence" => one_of(&["low", "medium", "high"]),
        "status" => one_of(&["stable", "preview"]),
        "since" => {
            let fits = value.split('.').count() == 3 && value.bytes().all(|b| b == b'.' || b.is_ascii_digit());
            (!fits).then(|| "a version, `1.2.3`".into())
        }
        "fix" => one_of(&["none", "safe", "unsafe"]),
        "cwe" => {
            let is_cwe = |cwe: &str| cwe.strip_prefix("CWE-").is_some_and(|number| number.parse::<u32>().is_ok());
            let fits = value.split(", ").all(is_cwe);
            (!fits).then(|| "`CWE-401` or a list `CWE-401, CWE-770`".into())
        }
        _ => None,
    }
}

/// A `## ` line of a page.
struct Heading {
    text: &'static str,
    line: usize,
    /// Bytes of the body.
    start: usize,
    end: usize,
}

/// The text under each heading, which must be [`Section::ALL`] in that order.
fn sections(
    body: &'static str,
    first_line: usize,
    problems: &mut Vec<PageProblem>,
) -> [&'static str; Section::ALL.len()] {
    let headings = headings(body, first_line, problems);
    for heading in headings.iter().skip(Section::ALL.len()) {
        let message = format!("`{}` is no section of a page", heading.text);
        problems.push(PageProblem { line: heading.line, message });
    }
    let mut texts = [""; Section::ALL.len()];
    for (index, (section, text)) in Section::ALL.into_iter().zip(&mut texts).enumerate() {
        let expected = section.heading();
        let Some(heading) = headings.get(index) else {
            let message = format!("the section `{expected}` is missing");
            problems.push(PageProblem { line: first_line, message });
            continue;
        };
        if heading.text != expected {
            let message = format!("the section here must be `{expected}`, not `{}`", heading.text);
            problems.push(PageProblem { line: heading.line, message });
            continue;
        }
        let end = headings.get(index + 1).map_or(body.len(), |next| next.start);
        *text = body[heading.end..end].trim();
        // The report is generated, and a page that is new has none yet.
        if text.is_empty() && section != Section::Report {
            problems.push(PageProblem { line: heading.line, message: format!("the section `{expected}` is empty") });
        }
    }
    texts
}

fn headings(body: &'static str, first_line: usize, problems: &mut Vec<PageProblem>) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::new();
    let mut in_block = false;
    let mut start = 0;
    for (number, text) in body.split_inclusive('\n').enumerate() {
        let line = first_line + number;
        let end = start + text.len();
        in_block ^= text.starts_with("```");
        if let Some(text) = text.strip_prefix("## ").filter(|_| !in_block) {
            headings.push(Heading { text: text.trim_end(), line, start, end });
        } else if headings.is_empty() && !text.trim().is_empty() {
            problems.push(PageProblem { line, message: "text before the first section".into() });
        }
        start = end;
    }
    if in_block {
        problems.push(PageProblem { line: first_line, message: "a block of code is not closed".into() });
    }
    headings
}
