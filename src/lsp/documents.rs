//! What is open in the editor: texts, and notebooks as the cells that the editor shows.
//!
//! A notebook's cells are put together to the file that they would be saved as, so that it is read as from the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::{
    DidChangeNotebookDocumentParams, DidChangeTextDocumentParams, DidOpenNotebookDocumentParams, NotebookCell,
    NotebookCellKind, TextDocumentContentChangeEvent, TextDocumentItem, Uri,
};
use rustc_hash::FxHashMap;
use serde_json::json;

use super::encoding::Encoding;
use super::uri::{canonical, path_of};
use crate::source::LineIndex;

/// A text: a file, or a cell of a notebook.
#[derive(Debug)]
pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: String,
    pub lines: LineIndex,
    /// Where the file is; none of a cell, or where there is no file.
    pub path: Option<PathBuf>,
}

#[derive(Debug)]
pub struct Notebook {
    pub path: PathBuf,
    /// In their order; the texts are documents of their own.
    pub cells: Vec<NotebookCell>,
}

#[derive(Debug, Default)]
pub struct Documents {
    pub encoding: Encoding,
    texts: FxHashMap<Uri, Document>,
    notebooks: FxHashMap<Uri, Notebook>,
    by_path: FxHashMap<PathBuf, Uri>,
}

/// The text that stands for a file from now on, if any.
pub type FileText = (PathBuf, Option<Arc<str>>);

impl Documents {
    pub fn new(encoding: Encoding) -> Documents {
        Documents { encoding, ..Documents::default() }
    }

    pub fn open(&mut self, item: TextDocumentItem) -> Option<FileText> {
        let is_python = |path: &PathBuf| is_source(path) || item.language_id == gen_lsp_types::LanguageKind::Python;
        let path = path_of(&item.uri).map(|path| canonical(&path)).filter(is_python);
        let text = path.clone().map(|path| (path, Some(item.text.as_str().into())));
        if let Some(path) = &path {
            self.by_path.insert(path.clone(), item.uri.clone());
        }
        self.insert(item, path);
        text
    }

    fn insert(&mut self, item: TextDocumentItem, path: Option<PathBuf>) {
        let TextDocumentItem { uri, version, text, .. } = item;
        let lines = LineIndex::new(&text);
        self.texts.insert(uri.clone(), Document { uri, version, text, lines, path });
    }

    pub fn change(&mut self, params: DidChangeTextDocumentParams) -> Option<FileText> {
        let encoding = self.encoding;
        let document = self.texts.get_mut(&params.text_document.text_document_identifier.uri)?;
        document.version = params.text_document.version;
        document.apply(encoding, params.content_changes);
        Some((document.path.clone()?, Some(document.text.as_str().into())))
    }

    /// The file as it is on the disk counts again.
    pub fn close(&mut self, uri: &Uri) -> Option<FileText> {
        let path = self.texts.remove(uri)?.path?;
        if self.by_path.get(&path) == Some(uri) {
            self.by_path.remove(&path);
        }
        Some((path, None))
    }

    pub fn open_notebook(&mut self, params: DidOpenNotebookDocumentParams) -> Option<FileText> {
        let notebook = params.notebook_document;
        for item in params.cell_text_documents {
            self.insert(item, None);
        }
        let path = canonical(&path_of(&notebook.uri)?);
        self.by_path.insert(path.clone(), notebook.uri.clone());
        self.notebooks.insert(notebook.uri.clone(), Notebook { path, cells: notebook.cells });
        self.notebook_text(&notebook.uri)
    }

    pub fn change_notebook(&mut self, params: DidChangeNotebookDocumentParams) -> Option<FileText> {
        let uri = params.notebook_document.uri;
        let changes = params.change.cells?;
        if let Some(structure) = changes.structure {
            for item in structure.did_open.unwrap_or_default() {
                self.insert(item, None);
            }
            for closed in structure.did_close.unwrap_or_default() {
                self.texts.remove(&closed.uri);
            }
            let cells = &mut self.notebooks.get_mut(&uri)?.cells;
            let start = (structure.array.start as usize).min(cells.len());
            let end = (start + structure.array.delete_count as usize).min(cells.len());
            cells.splice(start..end, structure.array.cells.unwrap_or_default());
        }
        for changed in changes.data.unwrap_or_default() {
            let cells = &mut self.notebooks.get_mut(&uri)?.cells;
            if let Some(cell) = cells.iter_mut().find(|cell| cell.document == changed.document) {
                *cell = changed;
            }
        }
        for content in changes.text_content.unwrap_or_default() {
            let encoding = self.encoding;
            let cell = self.texts.get_mut(&content.document.text_document_identifier.uri);
            if let Some(document) = cell {
                document.version = content.document.version;
                document.apply(encoding, content.changes);
            }
        }
        self.notebook_text(&uri)
    }

    pub fn close_notebook(&mut self, uri: &Uri) -> Option<FileText> {
        let notebook = self.notebooks.remove(uri)?;
        for cell in &notebook.cells {
            self.texts.remove(&cell.document);
        }
        self.by_path.remove(&notebook.path);
        Some((notebook.path, None))
    }

    /// The file that a notebook would be saved as.
    fn notebook_text(&self, uri: &Uri) -> Option<FileText> {
        let notebook = self.notebooks.get(uri)?;
        let cells: Vec<_> = (notebook.cells.iter())
            .map(|cell| {
                let text = self.texts.get(&cell.document).map_or("", |document| document.text.as_str());
                match cell.kind {
                    NotebookCellKind::Code => json!({
                        "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": text,
                    }),
                    _ => json!({"cell_type": "markdown", "metadata": {}, "source": text}),
                }
            })
            .collect();
        let language = json!({"language_info": {"name": "python"}});
        let file = json!({"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 4});
        Some((notebook.path.clone(), Some(file.to_string().into())))
    }

    pub fn get(&self, uri: &Uri) -> Option<&Document> {
        self.texts.get(uri)
    }

    /// What is open of a file, by its canonical path.
    pub fn uri_at(&self, path: &Path) -> Option<&Uri> {
        self.by_path.get(path)
    }

    /// The document of a notebook's cell, counted from 1 over all cells.
    pub fn cell(&self, notebook: &Path, number: u32) -> Option<&Document> {
        let notebook = self.notebooks.get(self.by_path.get(notebook)?)?;
        self.texts.get(&notebook.cells.get((number as usize).checked_sub(1)?)?.document)
    }

    /// The notebook around a cell's document, and the cell's number.
    pub fn notebook_of(&self, cell: &Uri) -> Option<(&Path, u32)> {
        self.notebooks.values().find_map(|notebook| {
            let at = notebook.cells.iter().position(|other| other.document == *cell)?;
            Some((notebook.path.as_path(), at as u32 + 1))
        })
    }

    /// The canonical paths of the files that are open.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.by_path.keys()
    }

    /// The file that a document is or is part of.
    pub fn path_of(&self, uri: &Uri) -> Option<PathBuf> {
        let open = self.texts.get(uri).and_then(|document| document.path.clone());
        open.or_else(|| self.notebook_of(uri).map(|(path, _)| path.to_owned()))
            .or_else(|| path_of(uri).map(|path| canonical(&path)))
    }
}

impl Document {
    fn apply(&mut self, encoding: Encoding, changes: Vec<TextDocumentContentChangeEvent>) {
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(change) => {
                    let span = encoding.span(&self.text, &self.lines, change.range);
                    self.text.replace_range(span.start as usize..span.end as usize, &change.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(change) => {
                    self.text = change.text;
                }
            }
            self.lines = LineIndex::new(&self.text);
        }
    }
}

/// What is read without being named.
pub fn is_source(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("py" | "pyw" | "pyi" | "ipynb"))
}
