//! A second, independent parser as a witness: wherever both accept a text, both see the same definitions.
//!
//! It also stands for the reader's own doubt: our parser recovers from errors, and a recovery that misreads valid
//! code would lose leaks without a word.

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{PythonVersion, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use rustpython_parser::ast as other;

/// `def` or `class`, its name, and the byte at which its statement starts behind the decorators.
type Definition = (usize, &'static str, String);

/// What one parser sees and the other does not, one line each; `None` where one of them rejects the text.
pub fn disagreements(text: &str) -> Option<Vec<String>> {
    let (ours, theirs) = (ours(text)?, theirs(text)?);
    let row = |at: usize| text[..at].matches('\n').count() + 1;
    let show = |(at, kind, name): &Definition, who: &str| format!("{}: only {who} sees `{kind} {name}`", row(*at));
    let only_ours = ours.difference(&theirs).map(|definition| show(definition, "our parser"));
    let only_theirs = theirs.difference(&ours).map(|definition| show(definition, "the other parser"));
    Some(only_ours.chain(only_theirs).collect())
}

fn ours(text: &str) -> Option<BTreeSet<Definition>> {
    struct Definitions<'a>(&'a str, BTreeSet<Definition>);
    impl<'a> Visitor<'a> for Definitions<'_> {
        fn visit_stmt(&mut self, statement: &'a Stmt) {
            match statement {
                Stmt::FunctionDef(function) => {
                    let start = line_start(self.0, function.name.range.start().into());
                    self.1.insert((start, "def", function.name.to_string()));
                }
                Stmt::ClassDef(class) => {
                    let start = line_start(self.0, class.name.range.start().into());
                    self.1.insert((start, "class", class.name.to_string()));
                }
                _ => {}
            }
            walk_stmt(self, statement);
        }
    }
    let options = ParseOptions::from(Mode::Module).with_target_version(PythonVersion::latest_preview());
    let parsed = parse_unchecked(text, options);
    if !parsed.errors().is_empty() {
        return None;
    }
    let module = parsed.try_into_module()?;
    let mut definitions = Definitions(text, BTreeSet::new());
    definitions.visit_body(module.suite());
    Some(definitions.1)
}

fn theirs(text: &str) -> Option<BTreeSet<Definition>> {
    let body = rustpython_parser::parse(text, rustpython_parser::Mode::Module, "<text>").ok()?.module()?.body;
    let mut definitions = BTreeSet::new();
    collect(&body, text, &mut definitions);
    Some(definitions)
}

/// Definitions are statements, so only the bodies of statements are entered.
fn collect(body: &[other::Stmt], text: &str, definitions: &mut BTreeSet<Definition>) {
    use other::Stmt::*;
    for statement in body {
        let bodies: Vec<&[other::Stmt]> = match statement {
            FunctionDef(function) => {
                definitions.insert((line_start(text, function.range.start().into()), "def", function.name.to_string()));
                vec![&function.body]
            }
            AsyncFunctionDef(function) => {
                definitions.insert((line_start(text, function.range.start().into()), "def", function.name.to_string()));
                vec![&function.body]
            }
            ClassDef(class) => {
                definitions.insert((line_start(text, class.range.start().into()), "class", class.name.to_string()));
                vec![&class.body]
            }
            For(block) => vec![&block.body, &block.orelse],
            AsyncFor(block) => vec![&block.body, &block.orelse],
            While(block) => vec![&block.body, &block.orelse],
            If(block) => vec![&block.body, &block.orelse],
            With(block) => vec![&block.body],
            AsyncWith(block) => vec![&block.body],
            Match(block) => block.cases.iter().map(|case| case.body.as_slice()).collect(),
            Try(block) => tried(&block.body, &block.handlers, &block.orelse, &block.finalbody),
            TryStar(block) => tried(&block.body, &block.handlers, &block.orelse, &block.finalbody),
            _ => continue,
        };
        for body in bodies {
            collect(body, text, definitions);
        }
    }
}

fn tried<'a>(
    body: &'a [other::Stmt],
    handlers: &'a [other::ExceptHandler],
    orelse: &'a [other::Stmt],
    finalbody: &'a [other::Stmt],
) -> Vec<&'a [other::Stmt]> {
    let handled = handlers.iter().map(|other::ExceptHandler::ExceptHandler(handler)| handler.body.as_slice());
    [body, orelse, finalbody].into_iter().chain(handled).collect()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

#[test]
fn both_parsers_see_the_same_definitions_in_fixtures() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut failures = Vec::new();
    for entry in walkdir::WalkDir::new(fixtures).into_iter().filter_map(Result::ok) {
        if entry.path().extension().is_some_and(|extension| extension == "py")
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            let lines = disagreements(&text).unwrap_or_default();
            failures.extend(lines.into_iter().map(|line| format!("{}:{line}", entry.path().display())));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_difference_would_be_seen() {
    let text = "@d\nasync def f(): pass\nclass A:\n    def g(self): pass\n";
    assert_eq!(disagreements(text), Some(Vec::new()));
    assert_eq!(disagreements("def f(:\n"), None);
    let seen: Vec<String> =
        ours(text).unwrap_or_default().into_iter().map(|(_, kind, name)| format!("{kind} {name}")).collect();
    assert_eq!(seen, ["def f", "class A", "def g"]);
    assert_eq!(ours(text), theirs(text));
}
