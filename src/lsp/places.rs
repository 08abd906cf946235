//! Where a place of a checked file is in the editor.

use gen_lsp_types::{Location, Position, Range, Uri};

use super::documents::Documents;
use super::uri::uri_of;
use crate::engine::ShownFile;
use crate::source::{SourceKind, Span};

/// The name of a file: as the editor calls it where it is open.
pub fn uri(documents: &Documents, file: &ShownFile) -> Uri {
    if let Some(open) = documents.uri_at(&file.path) {
        return open.clone();
    }
    // Below a folder of the workspace as the editor writes it, which may be a link.
    let shown = &file.source.path;
    uri_of(if shown.is_absolute() { shown } else { &file.path })
}

/// A place in a file, or in the cell of a notebook. That of a notebook that is open as a text, or not at all, is its
/// beginning: what was checked is not what its file holds.
pub fn location(documents: &Documents, file: &ShownFile, span: Span) -> Location {
    let (text, lines) = (&file.source.text, &*file.lines);
    if file.source.kind != SourceKind::Notebook {
        return Location { uri: uri(documents, file), range: documents.encoding.range(text, lines, span) };
    }
    let number = file.source.position(lines, span.start).cell;
    let start = number.and_then(|number| file.source.cells.iter().find(|cell| cell.number == number));
    match (number.and_then(|number| documents.cell(&file.path, number)), start) {
        (Some(cell), Some(start)) => {
            let first = lines.row(start.start) - 1;
            let in_cell = |offset: u32| {
                let position = documents.encoding.position(text, lines, offset);
                Position { line: position.line.saturating_sub(first), ..position }
            };
            let range = Range { start: in_cell(span.start), end: in_cell(span.end) };
            Location { uri: cell.uri.clone(), range }
        }
        _ => {
            let start = Position { line: 0, character: 0 };
            Location { uri: uri(documents, file), range: Range { start, end: start } }
        }
    }
}

/// `cell 3, row 7: ` where the editor cannot show the place.
pub fn lost_place(documents: &Documents, file: &ShownFile, span: Span) -> String {
    let position = file.source.position(&file.lines, span.start);
    match position.cell {
        Some(cell) if documents.cell(&file.path, cell).is_none() => format!("cell {cell}, row {}: ", position.row),
        _ => String::new(),
    }
}
