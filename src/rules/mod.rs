//! The rules: each a page in `rules/` and a function here, registered once in [`RULES`].
//!
//! A rule looks at one module at a time, with the whole program at hand, and reports what that module holds. What
//! it needs to know is asked of `program`; what it says in words stays on its page.

mod cycles;
mod growth;
mod lk101;
mod lk102;
mod lk103;
mod lk104;
mod lk105;
mod lk106;
mod lk107;
mod lk108;
mod lk109;
mod lk201;
mod lk202;
mod lk203;
mod lk204;
mod lk205;
mod lk206;
mod lk207;
mod lk301;
mod lk302;
mod lk303;
mod lk304;
mod lk305;
mod lk306;
mod lk307;
mod lk308;
mod lk309;
mod lk401;
mod lk402;
mod lk403;
mod lk405;
mod lk406;
mod lk407;
mod lk408;
mod lk409;
pub mod page;
mod resources;
pub mod selection;

use crate::finding::{Confidence, Effect, Finding, Label, Remedy, Severity};
use crate::program::{EventRef, ModuleId, Program, Role};
use crate::source::{Location, Span};

pub struct Rule {
    pub code: &'static str,
    /// Reports every finding whose primary place lies in the module.
    pub check: fn(ModuleId, &Program, &mut Report),
}

pub static RULES: &[Rule] = &[
    Rule { code: "LK101", check: lk101::check },
    Rule { code: "LK102", check: lk102::check },
    Rule { code: "LK103", check: lk103::check },
    Rule { code: "LK104", check: lk104::check },
    Rule { code: "LK105", check: lk105::check },
    Rule { code: "LK106", check: lk106::check },
    Rule { code: "LK107", check: lk107::check },
    Rule { code: "LK108", check: lk108::check },
    Rule { code: "LK109", check: lk109::check },
    Rule { code: "LK201", check: lk201::check },
    Rule { code: "LK202", check: lk202::check },
    Rule { code: "LK203", check: lk203::check },
    Rule { code: "LK204", check: lk204::check },
    Rule { code: "LK205", check: lk205::check },
    Rule { code: "LK206", check: lk206::check },
    Rule { code: "LK207", check: lk207::check },
    Rule { code: "LK301", check: lk301::check },
    Rule { code: "LK302", check: lk302::check },
    Rule { code: "LK303", check: lk303::check },
    Rule { code: "LK304", check: lk304::check },
    Rule { code: "LK305", check: lk305::check },
    Rule { code: "LK306", check: lk306::check },
    Rule { code: "LK307", check: lk307::check },
    Rule { code: "LK308", check: lk308::check },
    Rule { code: "LK309", check: lk309::check },
    Rule { code: "LK401", check: lk401::check },
    Rule { code: "LK402", check: lk402::check },
    Rule { code: "LK403", check: lk403::check },
    Rule { code: "LK405", check: lk405::check },
    Rule { code: "LK406", check: lk406::check },
    Rule { code: "LK407", check: lk407::check },
    Rule { code: "LK408", check: lk408::check },
    Rule { code: "LK409", check: lk409::check },
];

/// Collects the findings of one rule in one module.
pub struct Report<'p> {
    program: &'p Program<'p>,
    module: ModuleId,
    code: &'static str,
    /// What is believed less is not asked for.
    least: Confidence,
    pub findings: Vec<Finding>,
}

/// What a rule says of one place.
pub struct Claim {
    pub span: Span,
    pub confidence: Confidence,
    pub message: String,
    pub label: String,
    pub related: Vec<Label>,
    pub symbol: String,
}

impl<'p> Report<'p> {
    /// Whether a claim of this confidence would be asked for: what would not need not be worked out.
    pub fn is_asked_for(&self, confidence: Confidence) -> bool {
        self.as_believed(confidence) >= self.least
    }

    /// What the rule's page says.
    pub fn severity(&self) -> Severity {
        page::page(self.code).map_or(Severity::Warning, |page| page.severity)
    }

    /// Adds a finding. Code that runs only under tests is hardly believed, and a command's
    /// one step less: their processes are short.
    pub fn add(&mut self, claim: Claim) {
        self.add_as(self.severity(), claim);
    }

    /// Adds a finding that is worth more or less than the rule's others.
    pub fn add_as(&mut self, severity: Severity, claim: Claim) {
        self.add_mendable(severity, None, claim);
    }

    /// The same of what a change of the text may mend.
    pub fn add_mendable(&mut self, severity: Severity, remedy: Option<Remedy>, claim: Claim) {
        self.push(severity, remedy, None, claim);
    }

    /// Adds a finding that tells what becomes of the objects; it is believed no more than that allows.
    pub fn add_with_effect(&mut self, effect: Effect, claim: Claim) {
        let confidence = claim.confidence.min(effect.most_confidence());
        self.push(self.severity(), None, Some(effect), Claim { confidence, ..claim });
    }

    fn push(&mut self, severity: Severity, remedy: Option<Remedy>, effect: Option<Effect>, claim: Claim) {
        let file = self.program.module(self.module).input.file;
        self.findings.push(Finding {
            code: self.code,
            severity,
            confidence: self.as_believed(claim.confidence),
            location: Location { file, span: claim.span },
            message: claim.message,
            label: claim.label,
            related: claim.related,
            symbol: claim.symbol,
            effect,
            remedy,
            fix: None,
            evidence: None,
        });
    }

    /// How far a claim is believed of this module.
    fn as_believed(&self, confidence: Confidence) -> Confidence {
        match self.program.module(self.module).input.role {
            Role::Command | Role::Vendored => confidence.lowered(),
            role => confidence.min(most_confidence(role)),
        }
    }
}

/// The most that a finding in code of a role is believed.
pub fn most_confidence(role: Role) -> Confidence {
    match role {
        Role::Test => Confidence::Low,
        Role::Command | Role::Vendored => Confidence::High.lowered(),
        Role::Library => Confidence::High,
    }
}

/// The place of an event as a label.
pub fn label(program: &Program, event: EventRef, message: impl Into<String>) -> Label {
    Label { location: program.event_location(event), message: message.into() }
}

/// One label for each place: the first that was given.
fn once_each(labels: &mut Vec<Label>) {
    let mut seen = Vec::new();
    labels.retain(|label| {
        let is_new = !seen.contains(&label.location);
        seen.push(label.location);
        is_new
    });
}

/// Runs one rule on one module. Some of what is believed less than `least` may be left out.
pub fn check<'p>(rule: &Rule, module: ModuleId, program: &'p Program<'p>, least: Confidence) -> Vec<Finding> {
    let mut report = Report { program, module, code: rule.code, least, findings: Vec::new() };
    (rule.check)(module, program, &mut report);
    report.findings
}
