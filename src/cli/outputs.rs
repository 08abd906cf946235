//! Where reports go: at most one to standard output, any number to files.
//!
//! A file is written at once or not at all, so that what reads it never sees half of it.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use super::replace;
use super::streams::{cannot_write, print_plain, print_styled, say_error};
use crate::output::{Format, Report};

/// `FORMAT` or `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    format: Format,
    file: Option<PathBuf>,
}

#[derive(Clone)]
pub struct TargetParser;

impl TypedValueParser for TargetParser {
    type Value = Target;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Target, Error> {
        let text = value.to_string_lossy();
        let (format, file) = match text.split_once('=') {
            Some((format, file)) => (format, Some(file)),
            None => (&*text, None),
        };
        let format = EnumValueParser::<Format>::new().parse_ref(command, argument, OsStr::new(format))?;
        if file.is_some_and(str::is_empty) {
            let mut error = Error::new(ErrorKind::ValueValidation).with_cmd(command);
            error.insert(ContextKind::InvalidArg, ContextValue::String("--output-format".into()));
            error.insert(ContextKind::InvalidValue, ContextValue::String(text.clone().into_owned()));
            return Err(error);
        }
        Ok(Target { format, file: file.map(PathBuf::from) })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values: Vec<PossibleValue> = EnumValueParser::<Format>::new().possible_values()?.collect();
        Some(Box::new(values.into_iter()))
    }
}

/// What is written where.
#[derive(Debug, Default)]
pub struct Outputs {
    /// `None` if every report goes to a file.
    pub printed: Option<Format>,
    files: Vec<(Format, PathBuf)>,
}

impl Outputs {
    /// The target without a file goes to `output_file` if there is one, else to standard output. What can be known to
    /// fail is an error at once, not after a long run.
    pub fn new(targets: Vec<Target>, output_file: Option<PathBuf>) -> Result<Outputs, String> {
        let (with_file, without): (Vec<Target>, Vec<Target>) =
            targets.into_iter().partition(|target| target.file.is_some());
        if without.len() > 1 {
            return Err("only one format can go to standard output; give the others a file: FORMAT=FILE".into());
        }
        let mut files: Vec<(Format, PathBuf)> =
            with_file.into_iter().filter_map(|target| Some((target.format, target.file?))).collect();
        let mut printed = without.first().map(|target| target.format);
        if printed.is_none() && (files.is_empty() || output_file.is_some()) {
            printed = Some(Format::default());
        }
        if let Some(file) = output_file {
            files.extend(printed.take().map(|format| (format, file)));
        }
        for (index, (_, file)) in files.iter().enumerate() {
            if files[..index].iter().any(|(_, other)| other == file) {
                return Err(format!("two reports cannot go to the same file: {}", file.display()));
            }
            check(file).map_err(|error| cannot_write(file.display(), &error))?;
        }
        Ok(Outputs { printed, files })
    }

    /// All formats, wherever they go.
    pub fn formats(&self) -> impl Iterator<Item = Format> {
        self.printed.into_iter().chain(self.files.iter().map(|(format, _)| *format))
    }

    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// False if something could not be written, which has then been said.
    pub fn write_files(&self, report: &Report, statistics: bool) -> bool {
        let mut written = true;
        for (format, file) in &self.files {
            let result = replace::replace(file, |out| write_plain(report, *format, statistics, out));
            if let Err(error) = result {
                say_error(cannot_write(file.display(), &error));
                written = false;
            }
        }
        written
    }

    /// Prints what goes to standard output, with the closing line where that is for people.
    pub fn print(&self, report: &Report, statistics: bool, quiet: bool) -> bool {
        let write =
            |out: &mut dyn Write| self.printed.map_or(Ok(()), |format| write_styled(report, format, statistics, out));
        if !self.is_for_people() {
            return print_plain(write);
        }
        print_styled(|out| {
            write(out)?;
            if quiet { Ok(()) } else { report.write_summary(out) }
        })
    }

    /// Whether standard output is for people.
    pub fn is_for_people(&self) -> bool {
        self.printed.is_none_or(Format::is_for_terminals)
    }
}

fn write_styled(report: &Report, format: Format, statistics: bool, out: &mut dyn Write) -> io::Result<()> {
    if statistics { report.write_statistics(format, out) } else { report.write(format, out) }
}

/// Without the styles of a terminal.
fn write_plain(report: &Report, format: Format, statistics: bool, out: &mut dyn Write) -> io::Result<()> {
    if !format.is_for_terminals() {
        return write_styled(report, format, statistics, out);
    }
    let mut stripped = anstream::StripStream::new(Vec::new());
    write_styled(report, format, statistics, &mut stripped)?;
    out.write_all(&stripped.into_inner())
}

/// Whether there is a folder for the file.
fn check(file: &Path) -> io::Result<()> {
    if file.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::metadata(folder)
        .and_then(|found| if found.is_dir() { Ok(()) } else { Err(io::Error::from(io::ErrorKind::NotADirectory)) })
}
