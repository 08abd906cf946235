//! What comments silence, and which comments silence nothing.
//!
//! A comment counts where the report points: at what leaks or at any step of its argument. Whether it is needed is a
//! property of the code alone. So a comment that hides nothing in a run of some rules or of some files is not called
//! unused before the rules that it names have looked at the whole program; that second look is seldom needed.

use rustc_hash::FxHashSet;

use super::load::FoundFile;
use crate::finding::{Confidence, Finding, Remedy};
use crate::rules::page::{PageId, pages};
use crate::rules::selection;
use crate::source::{FileId, Location, SourceFile, Span};
use crate::syntax::suppression::{Directive, Verb};

static UNKNOWN: PageId = PageId::of("LK001");
static UNUSED: PageId = PageId::of("LK002");

/// What the comments of one file say.
#[derive(Clone, Debug, Default)]
pub struct FileSuppressions {
    suppressions: Vec<Suppression>,
    /// Nothing is called unused in a file that could not be understood as a whole.
    pub is_broken: bool,
}

#[derive(Clone, Debug)]
struct Suppression {
    span: Span,
    verb: Verb,
    verb_word: (Span, String),
    words: Vec<Word>,
    covers: Span,
    /// Without words: it has hidden something.
    is_used: bool,
}

#[derive(Clone, Debug)]
struct Word {
    span: Span,
    text: String,
    /// The rules that it names; none if it is no word for rules.
    codes: Vec<&'static str>,
    is_used: bool,
}

impl FileSuppressions {
    pub fn new(source: &SourceFile, directives: &[Directive], is_broken: bool) -> FileSuppressions {
        let text = |span: Span| span.of(&source.text).to_owned();
        let word = |span: &Span| {
            let text = text(*span);
            let codes = selection::matching(&text).unwrap_or_default().into_iter().map(|page| page.code).collect();
            Word { span: *span, text, codes, is_used: false }
        };
        let suppression = |directive: &Directive| Suppression {
            span: directive.span,
            verb: directive.verb,
            verb_word: (directive.verb_span, text(directive.verb_span)),
            words: directive.words.iter().map(word).collect(),
            covers: directive.covers,
            is_used: false,
        };
        FileSuppressions { suppressions: directives.iter().map(suppression).collect(), is_broken }
    }

    pub fn is_empty(&self) -> bool {
        self.suppressions.is_empty()
    }
}

impl Suppression {
    fn reaches(&self, file: FileId, finding: &Finding) -> bool {
        let is_here = |location: Location| {
            location.file == file && self.covers.start <= location.span.start && location.span.start <= self.covers.end
        };
        match self.verb {
            Verb::Unknown => false,
            Verb::IgnoreFile => finding.location.file == file,
            Verb::Ignore | Verb::Noqa => {
                is_here(finding.location) || finding.related.iter().any(|label| is_here(label.location))
            }
        }
    }

    /// Notes that it is used if it hides the finding.
    fn hides(&mut self, file: FileId, finding: &Finding) -> bool {
        if !self.reaches(file, finding) {
            return false;
        }
        if self.words.is_empty() {
            // Else it would hide what is said of itself.
            self.is_used |= !is_own(finding.code);
            return !is_own(finding.code);
        }
        let mut hides = false;
        for word in self.words.iter_mut().filter(|word| word.codes.contains(&finding.code)) {
            word.is_used = true;
            hides = true;
        }
        hides
    }

    /// The rules that must have looked everywhere before it can be called unused.
    fn open_codes(&self) -> Vec<&'static str> {
        match self.verb {
            Verb::Unknown => Vec::new(),
            _ if self.words.is_empty() && !self.is_used => pages().iter().map(|page| page.code).collect(),
            _ => self.words.iter().filter(|word| word.is_open()).flat_map(|word| word.codes.clone()).collect(),
        }
    }
}

impl Word {
    /// A word for unleak's own remarks is not asked after.
    fn is_open(&self) -> bool {
        !self.is_used && !self.codes.is_empty() && !self.codes.iter().all(|code| is_own(code))
    }
}

fn is_own(code: &str) -> bool {
    [UNKNOWN.code(), UNUSED.code()].contains(&code)
}

/// The comments of all files, by the files' numbers.
pub struct Suppressions<'f> {
    pub files: &'f [FoundFile],
    pub by_file: Vec<FileSuppressions>,
}

impl Suppressions<'_> {
    /// Whether a comment hides a finding; all that do are noted as used.
    pub fn hide(&mut self, finding: &Finding) -> bool {
        let mut hides = false;
        let files: FxHashSet<FileId> =
            (finding.related.iter().map(|label| label.location.file)).chain([finding.location.file]).collect();
        for file in files {
            let Some(of_file) = self.by_file.get_mut(file.0 as usize) else { continue };
            for suppression in &mut of_file.suppressions {
                hides |= suppression.hides(file, finding);
            }
        }
        hides
    }

    /// The rules whose findings anywhere decide whether a comment in a reported file is used.
    pub fn open_codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<&str> = (self.reported(UNUSED.code()))
            .filter(|(_, of_file)| !of_file.is_broken)
            .flat_map(|(_, of_file)| of_file.suppressions.iter().flat_map(Suppression::open_codes))
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// What is to be said of the comments in reported files. `name` is what a file's module is called.
    pub fn remarks(&self, name: impl Fn(FileId) -> String) -> Vec<Finding> {
        let mut remarks = Vec::new();
        for (file, of_file) in self.reported(UNKNOWN.code()) {
            for suppression in &of_file.suppressions {
                unknown(suppression, &mut |span, message, remedy| {
                    remarks.push(remark(UNKNOWN, Location { file, span }, message, name(file), remedy));
                });
            }
        }
        for (file, of_file) in self.reported(UNUSED.code()).filter(|(_, of_file)| !of_file.is_broken) {
            for suppression in &of_file.suppressions {
                unused(suppression, &mut |span, message, remedy| {
                    remarks.push(remark(UNUSED, Location { file, span }, message, name(file), remedy));
                });
            }
        }
        remarks
    }

    /// The reported files in which a rule runs, and that have comments.
    fn reported(&self, code: &'static str) -> impl Iterator<Item = (FileId, &FileSuppressions)> {
        let numbered = self.files.iter().zip(&self.by_file).enumerate();
        numbered.filter_map(move |(number, (file, of_file))| {
            let is_meant = !of_file.suppressions.is_empty()
                && file.reported
                && file.settings.rules_for(&file.path).contains(&code);
            is_meant.then_some((FileId(number as u32), of_file))
        })
    }
}

fn remark(page: PageId, location: Location, message: String, symbol: String, remedy: Remedy) -> Finding {
    Finding {
        code: page.code(),
        severity: page.page().severity,
        confidence: Confidence::High,
        location,
        message,
        label: String::new(),
        related: Vec::new(),
        symbol,
        effect: None,
        remedy: Some(remedy),
        fix: None,
        evidence: None,
    }
}

fn unknown(suppression: &Suppression, add: &mut impl FnMut(Span, String, Remedy)) {
    if suppression.verb == Verb::Unknown {
        let (span, word) = &suppression.verb_word;
        let message = format!("`{word}` is nothing that a comment can ask of unleak: `ignore` and `ignore-file` are");
        return add(*span, message, Remedy::ReplaceWord { by: "ignore" });
    }
    for word in suppression.words.iter().filter(|word| word.codes.is_empty()) {
        let Err(unknown) = selection::matching(&word.text) else { continue };
        // What looks like a code in every way may have been any of them.
        let is_code = word.text.strip_prefix("LK").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        let remedy = match unknown.nearest {
            Some(by) if !is_code => Remedy::ReplaceWord { by },
            _ => Remedy::DropSuppression,
        };
        add(word.span, unknown.to_string(), remedy);
    }
}

fn unused(suppression: &Suppression, add: &mut impl FnMut(Span, String, Remedy)) {
    let open: Vec<&Word> = suppression.words.iter().filter(|word| word.is_open()).collect();
    if suppression.verb == Verb::Unknown {
        return;
    }
    if suppression.words.is_empty() {
        if !suppression.is_used {
            add(suppression.span, "this comment hides nothing".to_owned(), Remedy::DropSuppression);
        }
    } else if open.len() == suppression.words.len() {
        let words: Vec<String> = open.iter().map(|word| format!("`{}`", word.text)).collect();
        let message = format!("this comment hides nothing: there is no {} here", words.join(" and no "));
        add(suppression.span, message, Remedy::DropSuppression);
    } else {
        for word in open {
            let message = format!("this word hides nothing: there is no `{}` here", word.text);
            add(word.span, message, Remedy::DropSuppression);
        }
    }
}
