//! `--fix` and `--diff`: what may be written, and the writing.
//!
//! A file is replaced at once or not at all, and only if it still holds the very bytes that were checked: its text in
//! UTF-8, behind a byte order mark or not. Everything else is left alone and named.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::outputs::Outputs;
use super::streams::{print_plain, print_styled, say_error};
use super::{CheckArguments, replace};
use crate::engine::{self, Progress, Request};
use crate::fix::{self, ChangedFile, Mended};
use crate::output::{Format, Report, plural, shown_path};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is to be done with fixes beside offering them.
#[derive(Clone)]
pub struct Mending {
    pub writes: bool,
    pub only_shows: bool,
    with_unsafe: bool,
    /// Silence instead, for this reason.
    silence: Option<String>,
}

impl Mending {
    pub fn of(arguments: &CheckArguments) -> Mending {
        Mending {
            writes: (arguments.fix || arguments.add_ignore.is_some()) && !arguments.diff,
            only_shows: arguments.diff,
            with_unsafe: arguments.unsafe_fixes,
            silence: arguments.add_ignore.clone(),
        }
    }

    /// What was done to so many findings, or would be.
    pub fn done(&self, count: usize, would: bool) -> String {
        match (&self.silence, would) {
            (None, false) => format!("Mended {}", plural(count, "leak")),
            (None, true) => format!("Would mend {}", plural(count, "leak")),
            (Some(_), false) => format!("Silenced {}", plural(count, "finding")),
            (Some(_), true) => format!("Would silence {}", plural(count, "finding")),
        }
    }
}

pub fn check(request: &Request, mending: &Mending, progress: &Progress) -> Mended {
    if let Some(reason) = &mending.silence {
        return fix::silence(request, reason, progress);
    }
    if mending.writes || mending.only_shows {
        return fix::mend(request, mending.with_unsafe, progress);
    }
    let mut outcome = engine::check(request, progress);
    fix::offer(&mut outcome);
    Mended { outcome, files: Vec::new(), mended: 0 }
}

/// Writes what has changed. False if something could not be written, which has then been said.
pub fn write(changed: &[ChangedFile], request: &Request) -> bool {
    let is_stdin = |path: &Path| request.stdin.as_ref().is_some_and(|(stdin, _)| stdin == path);
    let mut written = true;
    for file in changed.iter().filter(|file| !is_stdin(&file.path)) {
        if let Err(error) = mend(file) {
            say_error(format_args!("{}: not mended: {error}", file.path.display()));
            written = false;
        }
    }
    written
}

fn mend(file: &ChangedFile) -> io::Result<()> {
    let bytes = fs::read(&file.path)?;
    let (mark, text) = match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => (BYTE_ORDER_MARK, text),
        None => (&[][..], bytes.as_slice()),
    };
    if text != file.old.as_bytes() {
        return Err(io::Error::other("it has changed, or is not in UTF-8"));
    }
    replace::replace(&file.path, |out| {
        out.write_all(mark)?;
        out.write_all(file.new.as_bytes())
    })
}

/// A diff of each file on standard output, how many there are on standard error.
pub fn print_diff(changed: &[ChangedFile], directory: &Path, would_do: &str, quiet: bool) -> bool {
    let printed = print_plain(|out| {
        for file in changed {
            write!(out, "{}", fix::unified_diff(&shown_path(&file.path, directory), &file.old, &file.new))?;
        }
        Ok(())
    });
    if printed && !quiet {
        let line = match changed.len() {
            0 => "Nothing can be mended.".to_owned(),
            files => format!("{would_do} in {}.", plural(files, "file")),
        };
        // There is no third stream to complain on.
        let _ = writeln!(anstream::stderr(), "{line}");
    }
    printed
}

/// The mended text of standard input on standard output; what is left to find on standard error.
pub fn print_text(stdin: &(PathBuf, Vec<u8>), changed: &[ChangedFile], report: &Report) -> bool {
    let (path, bytes) = stdin;
    let new = changed.iter().find(|file| file.path == *path).map(|file| file.new.as_bytes());
    let printed = print_plain(|out| out.write_all(new.unwrap_or(bytes)));
    printed && report.write(Format::Concise, &mut anstream::stderr()).is_ok()
}

/// The line after the report.
pub fn print_summary(changed: &[ChangedFile], done: &str, outputs: &Outputs) -> bool {
    if changed.is_empty() || !outputs.is_for_people() {
        return true;
    }
    print_styled(|out| writeln!(out, "{done} in {}.", plural(changed.len(), "file")))
}
