//! What the server says of itself, and what it asks the editor to tell it.

use serde_json::{Value, json};

use super::client::Client;
use super::commands;

/// The answer to `initialize`.
pub fn answer(client: &Client) -> Value {
    let mut capabilities = json!({
        "positionEncoding": client.encoding.word(),
        "textDocumentSync": {"openClose": true, "change": 2, "save": {"includeText": false}},
        "notebookDocumentSync": {
            "notebookSelector": [{"notebook": "jupyter-notebook", "cells": [{"language": "python"}, {"language": "markdown"}]}],
            "save": true,
        },
        "codeActionProvider": {
            "codeActionKinds": ["quickfix", "source.fixAll", "source.fixAll.unleak"],
            "resolveProvider": client.resolves_edits,
        },
        "hoverProvider": true,
        "executeCommandProvider": {"commands": commands::NAMES},
        "workspace": {"workspaceFolders": {"supported": true, "changeNotifications": true}},
    });
    if client.pulls {
        // An edit of one file changes what is found in others: that is what unleak is for.
        capabilities["diagnosticProvider"] =
            json!({"identifier": "unleak", "interFileDependencies": true, "workspaceDiagnostics": true});
    }
    json!({
        "capabilities": capabilities,
        "serverInfo": {"name": "unleak", "version": env!("CARGO_PKG_VERSION")},
    })
}

/// The files whose changes on the disk matter: what is read, and what says how.
const WATCHED: [&str; 4] =
    ["**/*.{py,pyw,pyi,ipynb}", "**/{setup.cfg,.gitignore,.ignore}", "**/*baseline*.json", "**/*.toml"];

/// What is registered once the editor is ready; nothing where it cannot.
pub fn registrations(client: &Client) -> Vec<Value> {
    let mut registrations = Vec::new();
    if client.watches_files {
        let watchers: Vec<Value> = WATCHED.iter().map(|pattern| json!({"globPattern": pattern})).collect();
        registrations.push(json!({
            "id": "unleak-files", "method": "workspace/didChangeWatchedFiles",
            "registerOptions": {"watchers": watchers},
        }));
    }
    if client.registers_configuration {
        registrations.push(json!({
            "id": "unleak-settings", "method": "workspace/didChangeConfiguration",
            "registerOptions": {"section": "unleak"},
        }));
    }
    registrations
}
