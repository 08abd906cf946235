//! `unleak rule`: a rule's page on the terminal, or all rules as a table.

use std::io::{self, Write};

use serde::Serialize;

use super::streams::{print_plain, print_styled, say_error};
use super::{Exit, RuleArguments, RuleFormat};
use crate::finding::{Confidence, Severity};
use crate::output::{confidence_word, style};
use crate::rules::page::{Page, pages};
use crate::rules::selection;

/// A page for programs.
#[derive(Serialize)]
struct Entry {
    code: &'static str,
    name: &'static str,
    title: &'static str,
    family: &'static str,
    severity: Severity,
    confidence: Confidence,
    status: &'static str,
    since: &'static str,
    fix: &'static str,
    cwe: Vec<&'static str>,
    help: &'static str,
    url: String,
    /// Markdown.
    explanation: &'static str,
}

pub fn run(arguments: &RuleArguments) -> Exit {
    let printed = match &arguments.rule {
        None => print_all(arguments.output_format),
        Some(word) => match selection::matching(word) {
            Ok(found) => match found[..] {
                [page] => print_one(page, arguments.output_format),
                _ => print_table(&found),
            },
            Err(unknown) => {
                say_error(unknown);
                return Exit::Failure;
            }
        },
    };
    Exit::of_printing(printed)
}

fn print_all(format: RuleFormat) -> bool {
    match format {
        RuleFormat::Text => print_table(&pages().iter().collect::<Vec<_>>()),
        RuleFormat::Json => print_json(&pages().iter().map(entry).collect::<Vec<_>>()),
    }
}

fn print_one(page: &'static Page, format: RuleFormat) -> bool {
    match format {
        RuleFormat::Text => print_styled(|out| write_page(page, out)),
        RuleFormat::Json => print_json(&entry(page)),
    }
}

fn entry(page: &Page) -> Entry {
    Entry {
        code: page.code,
        name: page.name,
        title: page.title,
        family: page.family,
        severity: page.severity,
        confidence: page.confidence,
        status: page.status,
        since: page.since,
        fix: page.fix,
        cwe: page.cwe.clone(),
        help: page.advice(),
        url: page.url(),
        explanation: page.body,
    }
}

fn print_json(value: &impl Serialize) -> bool {
    print_plain(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

fn print_table(pages: &[&Page]) -> bool {
    let width = pages.iter().map(|page| page.name.len()).max().unwrap_or(0);
    print_styled(|out| {
        for page in pages {
            let strong = style::STRONG;
            writeln!(out, "{strong}{}{strong:#}  {:width$}  {}", page.code, page.name, page.title)?;
        }
        Ok(())
    })
}

fn write_page(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let (strong, frame) = (style::STRONG, style::FRAME);
    writeln!(out, "{strong}{} {}{strong:#}: {}", page.code, page.name, page.title)?;
    write!(out, "{frame}{}, {}, since {}", page.family, page.status, page.since)?;
    writeln!(out, ", up to {} confidence, {}{frame:#}", confidence_word(page.confidence), page.cwe.join(", "))?;
    writeln!(out)?;
    write_markdown(page.body, out)
}

/// The little markdown that pages use: headings, fenced code, inline code. Lines stay as they are written, because
/// pages are written to fit.
fn write_markdown(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let (strong, frame) = (style::STRONG, style::FRAME);
    let mut in_block = false;
    let mut empty_section = None;
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block && line.is_empty() {
            writeln!(out)?;
        } else if in_block {
            writeln!(out, "    {frame}{line}{frame:#}")?;
        } else if let Some(heading) = line.strip_prefix("## ") {
            // Held back until the section turns out to have text.
            empty_section = Some(heading);
        } else if !line.is_empty() || empty_section.is_none() {
            if let Some(heading) = empty_section.take() {
                writeln!(out, "{strong}{heading}{strong:#}\n")?;
            }
            write_inline(line, out)?;
        }
    }
    Ok(())
}

fn write_inline(line: &str, out: &mut dyn Write) -> io::Result<()> {
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 1 {
            write!(out, "{}{part}{:#}", style::FRAME, style::FRAME)?;
        } else {
            write!(out, "{part}")?;
        }
    }
    writeln!(out)
}
