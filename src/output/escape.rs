//! What a text must be turned into so that another format takes it for text.
//!
//! Messages, names and paths are other people's: whatever is not escaped is a hole through which a file name writes
//! commands into a build's log.

use super::printable;

/// For text and attributes of XML 1.0, which cannot hold most control characters, and for HTML.
pub fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            '\n' => escaped.push('\n'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(printable(character)),
        }
    }
    escaped
}

/// A path with `/` as the path of a URI (RFC 3986).
pub fn uri(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => escaped.push(byte as char),
            _ => escaped += &format!("%{byte:02X}"),
        }
    }
    escaped
}

/// The message of a command to GitHub's runner.
pub fn github_message(text: &str) -> String {
    replaced(text, &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A")])
}

/// A property of such a command.
pub fn github_property(text: &str) -> String {
    replaced(text, &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")])
}

/// The message of a command to the agent of Azure Pipelines.
pub fn azure_message(text: &str) -> String {
    replaced(text, &[('%', "%AZP25"), ('\r', "%0D"), ('\n', "%0A")])
}

/// A property of such a command.
pub fn azure_property(text: &str) -> String {
    replaced(text, &[('%', "%AZP25"), ('\r', "%0D"), ('\n', "%0A"), (']', "%5D"), (';', "%3B")])
}

fn replaced(text: &str, table: &[(char, &str)]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match table.iter().find(|(special, _)| *special == character) {
            Some((_, replacement)) => escaped += replacement,
            None => escaped.push(character),
        }
    }
    escaped
}

/// A message with names in backticks as Markdown that can stand in a table: names stay code, and nothing else means
/// anything.
pub fn markdown(message: &str) -> String {
    let mut parts: Vec<&str> = message.split('`').collect();
    // A backtick that is not closed is a character.
    if parts.len().is_multiple_of(2)
        && let (Some(last), Some(before)) = (parts.pop(), parts.last_mut())
    {
        let start = message.len() - last.len() - 1 - before.len();
        *before = &message[start..];
    }
    let mut escaped = String::with_capacity(message.len());
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 1 {
            escaped += &format!("`{}`", part.replace('|', "\\|"));
        } else {
            escaped += &markdown_text(part);
        }
    }
    escaped
}

fn markdown_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            // A name behind it would be told of the leak.
            '@' => escaped += "&#64;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
    }
    escaped
}
