//! The language server: what `check` says, in an editor, while one writes.
//!
//! One thread talks with the editor and never waits for the engine; another checks. Texts that are open stand for their
//! files, saved or not, in all files at once, and what is shown is what `unleak check` would say if all of them were
//! saved. An answer to a request is of the texts as they were when it was asked, or later.

mod actions;
mod capabilities;
mod client;
mod commands;
mod diagnostics;
pub mod documents;
pub mod encoding;
mod hover;
mod places;
mod session;
pub mod settings;
pub mod uri;
mod worker;

use std::sync::Arc;

use gen_lsp_types::{Range, Uri};

use self::documents::Documents;
use crate::engine::Outcome;
use crate::finding::Finding;

pub use session::serve;

/// Serves an editor on standard input and output. Whether it said goodbye as the protocol wants it.
pub fn run() -> bool {
    let (connection, threads) = lsp_server::Connection::stdio();
    let goodbye = serve(&connection);
    drop(connection);
    // The last answer is to be written.
    goodbye && threads.join().is_ok()
}

/// The findings that a document shows, each with its place in it.
fn findings_in<'o>(
    uri: &Uri,
    outcomes: &'o [Arc<Outcome>],
    documents: &Documents,
) -> Vec<(&'o Finding, &'o Outcome, Range)> {
    let Some(path) = documents.path_of(uri) else { return Vec::new() };
    let mut found = Vec::new();
    for outcome in outcomes {
        for finding in &outcome.findings {
            let Some(file) = outcome.file(finding.location.file).filter(|file| file.path == path) else { continue };
            let place = places::location(documents, file, finding.location.span);
            if place.uri == *uri || documents.uri_at(&path).is_none() {
                found.push((finding, &**outcome, place.range));
            }
        }
    }
    found
}
