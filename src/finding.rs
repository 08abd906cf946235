//! What unleak says: a finding is a claim and the whole argument for it.

use crate::source::{Location, Name, Span};
use serde::{Deserialize, Serialize};

/// How far the argument is complete in the source. The order is from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Possible; shown only on request.
    Low,
    /// One step is a well-founded presumption.
    Medium,
    /// Every step is in the source.
    High,
}

impl Confidence {
    /// One step weaker; `Low` stays.
    pub fn lowered(self) -> Confidence {
        match self {
            Confidence::High => Confidence::Medium,
            Confidence::Medium | Confidence::Low => Confidence::Low,
        }
    }
}

/// What becomes of the objects that a finding speaks of when their last use is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something that lives as long as the process holds them.
    Rooted,
    /// The cyclic garbage collector cannot free them, or does not run.
    Uncollectable,
    /// Their memory goes, and what they stand for does not: a thread, a child process, a descriptor.
    NotReleased,
    /// The cyclic garbage collector frees them later. What that costs meanwhile, where the source tells: a noun phrase.
    Delayed(Option<String>),
}

impl Effect {
    /// What is late and costs nothing that one could show is hardly a leak.
    pub fn most_confidence(&self) -> Confidence {
        match self {
            Effect::Delayed(None) => Confidence::Low,
            _ => Confidence::High,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// One step of the argument, at the place that proves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    pub location: Location,
    /// Lower case, without a full stop, names in backticks.
    pub message: String,
}

/// Whether a change keeps what the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// It does the same, but for the leak.
    Safe,
    /// It may do something else as well: somebody has to look at it.
    Unsafe,
}

/// A replacement of text; nothing is replaced where the span is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub span: Span,
    pub content: String,
}

/// A change of the finding's own file that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does: lower case, without a full stop, names in backticks.
    pub title: String,
    pub applicability: Applicability,
    /// In the order of the text; no two overlap.
    pub edits: Vec<Edit>,
}

/// How a rule says that its finding is mended. `fix` makes edits of it where the text has a form that it can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Give the cache a number of entries: by this parameter, or by what takes the place of the function without one.
    BoundCache { made_by: Name, parameter: Option<(Name, Option<u32>)>, bounded_form: Option<Name> },
    /// Run the release on every way out. The method is the one that leaving a `with` block calls, if it does.
    ReleaseOnEveryWay { name: Name, release: Span, method: Option<Name> },
    /// Leave a `with` block when the name is not used any more. The same of the method.
    CloseAfterUse { name: Name, method: Option<Name> },
    /// Give it a name, in a `with` block.
    NameAndClose,
    /// Take away a comment that silences nothing, or one word of it.
    DropSuppression,
    /// Write another word in its place.
    ReplaceWord { by: &'static str },
}

/// A rule's claim about one place. What is the same for every finding of a rule (its title, advice) stays
/// on the rule's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: &'static str,
    /// The rule's own, unless the finding says how much its leak costs.
    pub severity: Severity,
    pub confidence: Confidence,
    /// What the finding is about, and where it is reported.
    pub location: Location,
    /// Lower case, without a full stop, names in backticks.
    pub message: String,
    /// What is printed at the primary location itself; empty where the message says it all.
    pub label: String,
    /// The argument in reading order: where it is held, where it grows or is acquired, who calls that again and
    /// again, where it should have been let go.
    pub related: Vec<Label>,
    /// The dotted name of what leaks, `package.module.Class.attribute`; the fingerprint is made of it.
    pub symbol: String,
    /// Where the rule tells.
    pub effect: Option<Effect>,
    pub remedy: Option<Remedy>,
    pub fix: Option<Fix>,
}
