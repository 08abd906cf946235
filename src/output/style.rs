//! The few styles unleak uses: the sixteen colours of every terminal, so that they follow the user's theme.

use anstyle::{AnsiColor, Style};

pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const NOTE: Style = AnsiColor::Green.on_default().bold();
/// Headers and what the eye should find first.
pub const STRONG: Style = Style::new().bold();
/// Line numbers, borders, labels that are not the main one.
pub const FRAME: Style = AnsiColor::Cyan.on_default();
