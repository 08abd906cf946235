//! What the editor at the other end can do.

use serde_json::Value;

use super::encoding::Encoding;

/// What the server asks for is only used where the editor says that it is there.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub encoding: Encoding,
    /// It asks for diagnostics; others are told.
    pub pulls: bool,
    pub refreshes: bool,
    pub shows_related: bool,
    pub has_versions_in_diagnostics: bool,
    pub has_configuration: bool,
    pub registers_configuration: bool,
    pub watches_files: bool,
    pub shows_progress: bool,
    pub shows_documents: bool,
    pub has_document_changes: bool,
    pub has_action_literals: bool,
    pub resolves_edits: bool,
    pub has_markdown: bool,
}

impl Client {
    /// Of the `capabilities` that a client sends.
    pub fn of(capabilities: &Value) -> Client {
        let has = |pointer: &str| match capabilities.pointer(pointer) {
            Some(Value::Bool(is)) => *is,
            Some(Value::Null) | None => false,
            Some(_) => true,
        };
        let words = |pointer: &str| {
            let words = capabilities.pointer(pointer).and_then(Value::as_array);
            words.into_iter().flatten().filter_map(Value::as_str)
        };
        Client {
            encoding: Encoding::negotiated(words("/general/positionEncodings")),
            pulls: has("/textDocument/diagnostic"),
            refreshes: has("/workspace/diagnostics/refreshSupport"),
            shows_related: has("/textDocument/publishDiagnostics/relatedInformation")
                || has("/textDocument/diagnostic/relatedInformation"),
            has_versions_in_diagnostics: has("/textDocument/publishDiagnostics/versionSupport"),
            has_configuration: has("/workspace/configuration"),
            registers_configuration: has("/workspace/didChangeConfiguration/dynamicRegistration"),
            watches_files: has("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            shows_progress: has("/window/workDoneProgress"),
            shows_documents: has("/window/showDocument/support"),
            has_document_changes: has("/workspace/workspaceEdit/documentChanges"),
            has_action_literals: has("/textDocument/codeAction/codeActionLiteralSupport"),
            resolves_edits: words("/textDocument/codeAction/resolveSupport/properties").any(|word| word == "edit"),
            has_markdown: words("/textDocument/hover/contentFormat").any(|word| word == "markdown"),
        }
    }
}
