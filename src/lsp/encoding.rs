//! Places as the protocol counts them: from line 0, in units that client and server agree on at the start.

use gen_lsp_types::{Position, Range};

use crate::source::{LineIndex, Span};

/// What a character of a position is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// What every client knows.
    #[default]
    Utf16,
    Utf32,
}

impl Encoding {
    /// The first of a client's encodings, which it names in the order of its liking, that is known.
    pub fn negotiated<'a>(offered: impl Iterator<Item = &'a str>) -> Encoding {
        let known = |word: &str| match word {
            "utf-8" => Some(Encoding::Utf8),
            "utf-16" => Some(Encoding::Utf16),
            "utf-32" => Some(Encoding::Utf32),
            _ => None,
        };
        offered.into_iter().find_map(known).unwrap_or_default()
    }

    pub fn word(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
            Encoding::Utf32 => "utf-32",
        }
    }

    /// The position of a byte offset; one inside a character counts as that character's start.
    pub fn position(self, text: &str, lines: &LineIndex, offset: u32) -> Position {
        let end = text.floor_char_boundary(offset as usize);
        let row = lines.row(end as u32);
        let start = lines.line_span(text, row).map_or(0, |line| line.start as usize);
        let before = text.get(start..end).unwrap_or_default();
        Position { line: row.saturating_sub(1), character: self.units(before) }
    }

    pub fn range(self, text: &str, lines: &LineIndex, span: Span) -> Range {
        Range { start: self.position(text, lines, span.start), end: self.position(text, lines, span.end) }
    }

    /// The byte offset of a position; one past a line's end is its end, one past the last line the end of the text.
    pub fn offset(self, text: &str, lines: &LineIndex, position: Position) -> u32 {
        let row = position.line.saturating_add(1);
        let (Some(span), Some(line)) = (lines.line_span(text, row), lines.line(text, row)) else {
            return text.len() as u32;
        };
        let mut units = 0;
        for (index, character) in line.char_indices() {
            if units >= position.character {
                return span.start + index as u32;
            }
            units += self.units_of(character);
        }
        span.start + line.len() as u32
    }

    pub fn span(self, text: &str, lines: &LineIndex, range: Range) -> Span {
        let (start, end) = (self.offset(text, lines, range.start), self.offset(text, lines, range.end));
        Span::new(start.min(end), end.max(start))
    }

    fn units(self, text: &str) -> u32 {
        text.chars().map(|character| self.units_of(character)).sum()
    }

    fn units_of(self, character: char) -> u32 {
        match self {
            Encoding::Utf8 => character.len_utf8() as u32,
            Encoding::Utf16 => character.len_utf16() as u32,
            Encoding::Utf32 => 1,
        }
    }
}
