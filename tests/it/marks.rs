//! What a fixture's comments claim about the lines they stand on.
//!
//! Marks are read from the parser's tokens, so that a `#` in a string is none.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Counted from 1.
    pub row: usize,
    pub claim: Claim,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Each of these rules must report here; `part` is a part of the message.
    Leak { codes: Vec<String>, part: Option<String> },
    /// A label of a finding must stand here.
    Why { part: Option<String> },
    /// Nothing may be reported here.
    Ok,
    /// A leak that is not found yet.
    Missed { codes: Vec<String> },
    /// A finding that is no leak.
    Wrong { codes: Vec<String> },
}

/// A file's marks in the order of the text; `rule` is meant where a mark names none.
pub fn marks(text: &str, rule: &str) -> Result<Vec<Mark>, String> {
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let mut marks = Vec::new();
    for token in parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment) {
        let start = usize::from(ruff_text_size::Ranged::start(token));
        let end = usize::from(ruff_text_size::Ranged::end(token));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let row = text[..start].matches('\n').count() + 1;
        let stands_alone = text[line_start..start].trim().is_empty();
        // One comment may hold several marks: `# leak LK101  # why`.
        for part in text[start + 1..end].split("# ") {
            let Some(claim) = claim(part.trim(), rule).map_err(|error| format!("{row}: {error}"))? else { continue };
            if !stands_alone {
                marks.push(Mark { row, claim });
            } else if !matches!(claim, Claim::Ok | Claim::Why { .. }) {
                return Err(format!("{row}: a mark must stand on the line it speaks of"));
            }
        }
    }
    Ok(marks)
}

fn claim(comment: &str, rule: &str) -> Result<Option<Claim>, String> {
    let (word, rest) = comment.split_once(' ').unwrap_or((comment, ""));
    let (named, rest) = codes(rest.trim_start());
    let codes = if named.is_empty() { vec![rule.to_owned()] } else { named.clone() };
    let part = quoted(rest)?;
    Ok(Some(match word {
        "leak" => Claim::Leak { codes, part },
        "why" => Claim::Why { part },
        "ok" => Claim::Ok,
        "missed" | "wrong" if rest.trim().is_empty() => return Err(format!("`{word}` needs a reason")),
        "missed" => Claim::Missed { codes },
        "wrong" => Claim::Wrong { codes },
        _ => return Ok(None),
    }))
}

/// The codes that a mark begins with, and what follows them.
fn codes(text: &str) -> (Vec<String>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let codes: Vec<&str> = word.split(',').collect();
    match codes.iter().all(|code| is_code(code)) {
        true => (codes.into_iter().map(str::to_owned).collect(), rest.trim_start()),
        false => (Vec::new(), text),
    }
}

pub fn is_code(text: &str) -> bool {
    text.len() == 5 && text.starts_with("LK") && text[2..].bytes().all(|byte| byte.is_ascii_digit())
}

fn quoted(text: &str) -> Result<Option<String>, String> {
    let Some(text) = text.strip_prefix('"') else { return Ok(None) };
    match text.split_once('"') {
        Some((part, _)) => Ok(Some(part.to_owned())),
        None => Err("the quoted part of a message has no end".to_owned()),
    }
}

#[test]
fn marks_are_read_from_comments_only() {
    let text = concat!(
        "A = '# leak'  # ok\n",
        "B = f'{A}#leak' # leak LK101,LK104 \"grows\" for ever\n",
        "C = 1  # leak  # why \"held\"\n",
        "# ok alone means nothing\n",
        "D = 2  # missed LK301 not followed yet\n",
    );
    let leak = |codes: &[&str], part: Option<&str>| Claim::Leak {
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        part: part.map(str::to_owned),
    };
    let expected = vec![
        Mark { row: 1, claim: Claim::Ok },
        Mark { row: 2, claim: leak(&["LK101", "LK104"], Some("grows")) },
        Mark { row: 3, claim: leak(&["LK105"], None) },
        Mark { row: 3, claim: Claim::Why { part: Some("held".to_owned()) } },
        Mark { row: 5, claim: Claim::Missed { codes: vec!["LK301".to_owned()] } },
    ];
    assert_eq!(marks(text, "LK105"), Ok(expected));
}

#[test]
fn a_mark_that_cannot_be_kept_is_refused() {
    assert!(marks("# leak\nX = 1\n", "LK101").is_err());
    assert!(marks("X = 1  # missed LK101\n", "LK101").is_err());
    assert!(marks("X = 1  # leak \"part\n", "LK101").is_err());
}
