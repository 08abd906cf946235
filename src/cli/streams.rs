//! Standard output and standard error: colours where they are wanted, and what happens when nobody listens.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Write};

use anstream::AutoStream;

use crate::output::style;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// Decides for both streams. anstream knows terminals, NO_COLOR, CLICOLOR and CLICOLOR_FORCE, but not FORCE_COLOR,
/// which is what CI services and test runners of other languages set.
pub fn choose_color(choice: ColorChoice) {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let forced = is_set("FORCE_COLOR") && std::env::var_os("FORCE_COLOR").is_some_and(|value| value != "0");
    let choice = match choice {
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
        ColorChoice::Auto if forced && !is_set("NO_COLOR") => anstream::ColorChoice::Always,
        ColorChoice::Auto => anstream::ColorChoice::Auto,
    };
    choice.write_global();
}

/// Lets `write` print to standard output, with styles where they are wanted. False if not all of it arrived there, which
/// has then been said on standard error. A reader that leaves early is no exception: what it got may look whole.
pub fn print_styled(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> bool {
    // The lock is needed to know the terminal, the buffer because a report has many small pieces.
    let mut out = BufWriter::new(AutoStream::auto(io::stdout().lock()));
    was_printed(write(&mut out).and_then(|()| out.flush()))
}

/// The same for bytes that are not text for people: nothing is taken out of them.
pub fn print_plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> bool {
    let mut out = BufWriter::new(io::stdout().lock());
    was_printed(write(&mut out).and_then(|()| out.flush()))
}

/// Of what was tried on standard output.
pub fn was_printed(result: io::Result<()>) -> bool {
    if let Err(error) = &result {
        say_error(cannot_write("to standard output", error));
    }
    result.is_ok()
}

/// What is said of a file or stream that could not be written whole.
pub fn cannot_write(target: impl Display, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::BrokenPipe => format!("cannot write {target}: its reader left before the end"),
        _ => format!("cannot write {target}: {error}"),
    }
}

pub fn say_error(message: impl Display) {
    say(style::ERROR, "error", message);
}

pub fn say_warning(message: impl Display) {
    say(style::WARNING, "warning", message);
}

fn say(style: anstyle::Style, word: &str, message: impl Display) {
    // There is no third stream to complain on.
    let _ = writeln!(anstream::stderr(), "{style}{word}{style:#}: {message}");
}
