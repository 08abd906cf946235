//! The language server at work, in-process: what an editor asks for and what it gets.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

use crate::cli::{LEAK, project};

/// An editor with a server of its own.
pub struct Editor {
    connection: Connection,
    server: Option<JoinHandle<bool>>,
    next: i32,
    /// Notifications that nobody has looked at.
    told: Vec<Notification>,
    /// What the server asked for.
    asked: Vec<Request>,
    pub settings: Value,
    pub answer: Value,
}

pub fn uri(path: &Path) -> String {
    unleak::lsp::uri::uri_of(path).0
}

/// What an up-to-date editor can do.
pub fn modern() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-16"]},
        "textDocument": {
            "diagnostic": {"relatedDocumentSupport": true},
            "publishDiagnostics": {"relatedInformation": true},
            "codeAction": {
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source"]}},
                "resolveSupport": {"properties": ["edit"]},
            },
            "hover": {"contentFormat": ["markdown"]},
        },
        "workspace": {
            "configuration": true,
            "didChangeWatchedFiles": {"dynamicRegistration": true},
            "diagnostics": {"refreshSupport": true},
            "workspaceEdit": {"documentChanges": true},
        },
        "window": {"workDoneProgress": true, "showDocument": {"support": true}},
    })
}

/// One that is told diagnostics and can do little else.
pub fn plain() -> Value {
    json!({"textDocument": {"publishDiagnostics": {"relatedInformation": true}}})
}

impl Editor {
    pub fn start(roots: &[&Path], capabilities: Value) -> Editor {
        let (connection, other) = Connection::memory();
        let server = std::thread::spawn(move || unleak::lsp::serve(&other));
        let (told, asked, settings) = (Vec::new(), Vec::new(), Value::Null);
        let mut editor =
            Editor { connection, server: Some(server), next: 0, told, asked, settings, answer: Value::Null };
        let folders: Vec<Value> = roots.iter().map(|root| json!({"uri": uri(root), "name": "project"})).collect();
        editor.answer = editor.request(
            "initialize",
            json!({"processId": null, "rootUri": null, "capabilities": capabilities, "workspaceFolders": folders}),
        );
        editor.notify("initialized", json!({}));
        editor
    }

    pub fn notify(&self, method: &str, params: Value) {
        let message = Message::Notification(Notification { method: method.to_owned(), params });
        self.connection.sender.send(message).expect("the server reads");
    }

    pub fn send(&mut self, method: &str, params: Value) -> RequestId {
        self.next += 1;
        let id = RequestId::from(self.next);
        let request = Request { id: id.clone(), method: method.to_owned(), params };
        self.connection.sender.send(Message::Request(request)).expect("the server reads");
        id
    }

    pub fn response(&mut self, id: &RequestId) -> Response {
        loop {
            if let Some(response) = self.receive().filter(|response| response.id == *id) {
                return response;
            }
        }
    }

    /// Takes one message; answers it if the server asks.
    fn receive(&mut self) -> Option<Response> {
        let message = self.connection.receiver.recv_timeout(Duration::from_secs(60)).expect("the server answers");
        match message {
            Message::Response(response) => return Some(response),
            Message::Notification(notification) => self.told.push(notification),
            Message::Request(request) => {
                let result = match request.method.as_str() {
                    "workspace/configuration" => json!([self.settings]),
                    "workspace/applyEdit" => json!({"applied": true}),
                    _ => Value::Null,
                };
                let response = Response::new_ok(request.id.clone(), result);
                self.connection.sender.send(Message::Response(response)).expect("the server reads");
                self.asked.push(request);
            }
        }
        None
    }

    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.response(&id).response_result.unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    /// Reads until the server has told this.
    pub fn told(&mut self, is_meant: impl Fn(&Notification) -> bool) -> Value {
        loop {
            if let Some(at) = self.told.iter().position(&is_meant) {
                return self.told.remove(at).params;
            }
            assert!(self.receive().is_none(), "no answer was asked for");
        }
    }

    pub fn asked(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.asked.iter().position(|request| request.method == method) {
                return self.asked.remove(at).params;
            }
            assert!(self.receive().is_none(), "no answer was asked for");
        }
    }

    pub fn open(&self, path: &Path, text: &str) {
        let document = json!({"uri": uri(path), "languageId": "python", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    pub fn change(&self, path: &Path, version: i32, changes: Value) {
        let document = json!({"uri": uri(path), "version": version});
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// Nobody will look at what was told and asked for.
    pub fn forget(&mut self) {
        self.told.clear();
        self.asked.clear();
    }

    pub fn close(&self, path: &Path) {
        self.notify("textDocument/didClose", json!({"textDocument": {"uri": uri(path)}}));
    }

    pub fn wrote(&self, path: &Path, kind: u32) {
        self.notify("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri(path), "type": kind}]}));
    }

    /// What is shown in a document.
    pub fn pull(&mut self, uri: &str) -> Vec<Value> {
        let report = self.request("textDocument/diagnostic", json!({"textDocument": {"uri": uri}}));
        report["items"].as_array().cloned().unwrap_or_default()
    }

    /// What is told next of a document.
    fn published(&mut self, path: &Path) -> Vec<Value> {
        let uri = uri(path);
        let is_meant =
            |told: &Notification| told.method == "textDocument/publishDiagnostics" && told.params["uri"] == json!(uri);
        self.told(is_meant)["diagnostics"].as_array().cloned().unwrap_or_default()
    }

    fn actions(&mut self, uri: &str, range: &Value) -> Vec<Value> {
        let params = json!({"textDocument": {"uri": uri}, "range": range, "context": {"diagnostics": []}});
        self.request("textDocument/codeAction", params).as_array().cloned().unwrap_or_default()
    }

    /// Whether the server said goodbye.
    pub fn quit(mut self) -> bool {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.server.take().expect("it was started").join().expect("it does not panic")
    }
}

fn codes(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().filter_map(|diagnostic| diagnostic["code"].as_str()).collect()
}

/// The text with an edit made as an editor makes it; rows and UTF-16 units.
fn edited(text: &str, edit: &Value) -> String {
    let at = |position: &Value| {
        let (line, character) = (position["line"].as_u64().unwrap(), position["character"].as_u64().unwrap());
        let start: usize = text.split_inclusive('\n').take(line as usize).map(str::len).sum();
        let mut units = 0;
        for (index, c) in text[start..].char_indices() {
            if units >= character {
                return start + index;
            }
            units += c.len_utf16() as u64;
        }
        text.len()
    };
    let (start, end) = (at(&edit["range"]["start"]), at(&edit["range"]["end"]));
    format!("{}{}{}", &text[..start], edit["newText"].as_str().unwrap(), &text[end..])
}

/// All edits of a file in a workspace edit, from the last to the first.
fn all_edited(text: &str, edit: &Value, path: &Path) -> String {
    let changes = edit["documentChanges"].as_array().unwrap();
    let of_file = changes.iter().find(|change| change["textDocument"]["uri"] == json!(uri(path))).unwrap();
    let mut edits = of_file["edits"].as_array().cloned().unwrap();
    edits.sort_by_key(|edit| {
        let start = &edit["range"]["start"];
        std::cmp::Reverse((start["line"].as_u64(), start["character"].as_u64()))
    });
    edits.iter().fold(text.to_owned(), |text, edit| edited(&text, edit))
}

fn action<'a>(actions: &'a [Value], part: &str) -> &'a Value {
    let titles: Vec<&str> = actions.iter().filter_map(|action| action["title"].as_str()).collect();
    let found = actions.iter().find(|action| action["title"].as_str().is_some_and(|title| title.contains(part)));
    found.unwrap_or_else(|| panic!("no `{part}` among {titles:?}"))
}

const GROWS_ELSEWHERE: [(&str, &str); 3] = [
    ("pyproject.toml", ""),
    ("app/state.py", "SEEN = set()\n"),
    (
        "app/views.py",
        "from app import state\n\n\ndef handle(request):\n    if request.id in state.SEEN:\n        return None\n    state.SEEN.add(request.id)\n    return request.body\n",
    ),
];

const CLEANED_ELSEWHERE: &str = "from app import state\n\n\ndef handle(request):\n    if request.id in state.SEEN:\n        return None\n    state.SEEN.add(request.id)\n    try:\n        return request.body\n    finally:\n        state.SEEN.discard(request.id)\n";

/// The folder as the system knows it, and a file in it.
fn at(folder: &Path, name: &str) -> PathBuf {
    fs::canonicalize(folder).unwrap().join(name)
}

#[test]
fn a_finding_has_its_argument_across_files_and_a_page() {
    let project = project(&GROWS_ELSEWHERE);
    let state = at(project.path(), "app/state.py");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&state, "SEEN = set()\n");
    let shown = editor.pull(&uri(&state));
    assert_eq!(codes(&shown), ["LK101"], "{shown:?}");
    let related = shown[0]["relatedInformation"].as_array().unwrap();
    let views = json!(uri(&at(project.path(), "app/views.py")));
    assert!(related.iter().any(|label| label["location"]["uri"] == views), "{related:?}");
    assert!(shown[0]["codeDescription"]["href"].as_str().unwrap().contains("LK101"));
    assert!(editor.quit());
}

#[test]
fn unsaved_texts_of_several_files_are_seen_together() {
    let project = project(&GROWS_ELSEWHERE);
    let (state, views) = (at(project.path(), "app/state.py"), at(project.path(), "app/views.py"));
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&state, "SEEN = set()\n");
    assert_eq!(editor.pull(&uri(&state)).len(), 1);
    editor.open(&views, GROWS_ELSEWHERE[2].1);
    editor.change(&views, 2, json!([{"text": CLEANED_ELSEWHERE}]));
    assert_eq!(editor.pull(&uri(&views)), Vec::<Value>::new());
    // An editor that shows the other file is told to ask again.
    editor.asked("workspace/diagnostic/refresh");
    assert_eq!(editor.pull(&uri(&state)), Vec::<Value>::new());
    editor.close(&views);
    assert_eq!(editor.pull(&uri(&state)).len(), 1);
    assert!(editor.quit());
}

#[test]
fn an_editor_that_does_not_ask_is_told() {
    let project = project(&GROWS_ELSEWHERE);
    let (state, views) = (at(project.path(), "app/state.py"), at(project.path(), "app/views.py"));
    let mut editor = Editor::start(&[&at(project.path(), "")], plain());
    assert_eq!(codes(&editor.published(&state)), ["LK101"]);
    editor.open(&views, CLEANED_ELSEWHERE);
    assert_eq!(editor.published(&state), Vec::<Value>::new());
    assert!(editor.quit());
}

#[test]
fn positions_are_counted_as_agreed() {
    let text = "NAMES = ['é', '日本', '😀']; SEEN = set()\n\n\ndef handle(request):\n    SEEN.add(request.id)\n";
    let project = project(&[("state.py", text)]);
    let path = at(project.path(), "state.py");
    let before = &text[..text.find("SEEN").unwrap()];
    let expected =
        [("utf-8", before.len()), ("utf-16", before.encode_utf16().count()), ("utf-32", before.chars().count())];
    for (encoding, column) in expected {
        let mut capabilities = modern();
        capabilities["general"]["positionEncodings"] = json!([encoding, "utf-16"]);
        let mut editor = Editor::start(&[&at(project.path(), "")], capabilities);
        assert_eq!(editor.answer["capabilities"]["positionEncoding"], json!(encoding));
        editor.open(&path, text);
        let shown = editor.pull(&uri(&path));
        assert_eq!(shown[0]["range"]["start"], json!({"line": 0, "character": column}), "{encoding}");
        // A character goes, and everything behind it moves.
        editor.change(
            &path,
            2,
            json!([{"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 5}}, "text": "N"}]),
        );
        let shown = editor.pull(&uri(&path));
        assert_eq!(shown[0]["range"]["start"]["character"], json!(column - 4), "{encoding}");
        assert!(editor.quit());
    }
}

const UNCLOSED: &str = "def read(path):\n    file = open(path)\n    text = file.read()\n    if not text:\n        raise ValueError(path)\n    return text\n";

#[test]
fn a_fix_is_offered_and_mends() {
    let text = format!("# 😀\n{UNCLOSED}");
    let project = project(&[("files.py", &text)]);
    let path = at(project.path(), "files.py");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&path, &text);
    let shown = editor.pull(&uri(&path));
    assert_eq!(shown.len(), 1, "{shown:?}");
    let actions = editor.actions(&uri(&path), &shown[0]["range"]);
    let fix = action(&actions, "`with` block");
    assert_eq!(fix["kind"], json!("quickfix"));
    let mended = all_edited(&text, &fix["edit"], &path);
    assert!(mended.contains("with open(path) as file:"), "{mended}");
    editor.change(&path, 2, json!([{"text": mended}]));
    assert_eq!(editor.pull(&uri(&path)), Vec::<Value>::new());
    assert!(editor.quit());
}

#[test]
fn all_is_mended_at_once_where_that_is_chosen() {
    let text = format!("{UNCLOSED}\n\n{}", UNCLOSED.replace("read(path)", "again(path)"));
    let project = project(&[("files.py", &text)]);
    let path = at(project.path(), "files.py");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&path, &text);
    let start = json!({"line": 0, "character": 0});
    let params = json!({
        "textDocument": {"uri": uri(&path)}, "range": {"start": start, "end": start},
        "context": {"diagnostics": [], "only": ["source.fixAll"]},
    });
    let actions = editor.request("textDocument/codeAction", params);
    assert_eq!(actions.as_array().unwrap().len(), 1, "{actions}");
    let resolved = editor.request("codeAction/resolve", actions[0].clone());
    let mended = all_edited(&text, &resolved["edit"], &path);
    assert_eq!(mended.matches("with open(path) as file:").count(), 2, "{mended}");
    // The text in the editor is as it was.
    assert_eq!(editor.pull(&uri(&path)).len(), 2);
    editor.request("workspace/executeCommand", json!({"command": "unleak.fixAll", "arguments": [uri(&path)]}));
    let applied = editor.asked("workspace/applyEdit");
    assert_eq!(all_edited(&text, &applied["edit"], &path), mended);
    assert!(editor.quit());
}

#[test]
fn a_comment_silences_here_or_where_it_is_held() {
    let project = project(&GROWS_ELSEWHERE);
    let (state, views) = (at(project.path(), "app/state.py"), at(project.path(), "app/views.py"));
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&state, "SEEN = set()\n");
    editor.open(&views, GROWS_ELSEWHERE[2].1);
    let shown = editor.pull(&uri(&state));
    let actions = editor.actions(&uri(&state), &shown[0]["range"]);
    let here = all_edited("SEEN = set()\n", &action(&actions, "suppress on this line")["edit"], &state);
    assert_eq!(here, "SEEN = set()  # unleak: ignore[LK101]\n");
    let there = all_edited(GROWS_ELSEWHERE[2].1, &action(&actions, "suppress where")["edit"], &views);
    for (path, old, silent) in [(&state, "SEEN = set()\n", &here), (&views, GROWS_ELSEWHERE[2].1, &there)] {
        editor.change(path, 2, json!([{"text": silent}]));
        assert_eq!(editor.pull(&uri(&state)), Vec::<Value>::new(), "{silent}");
        editor.change(path, 3, json!([{"text": old}]));
    }
    let page = action(&actions, "page");
    editor.request("workspace/executeCommand", page["command"].clone());
    assert!(editor.asked("window/showDocument")["uri"].as_str().unwrap().contains("LK101"));
    assert!(editor.quit());
}

#[test]
fn a_comment_for_nothing_is_shown_as_unnecessary() {
    let text = "SEEN = ()  # unleak: ignore[LK101]\n";
    let project = project(&[("state.py", text)]);
    let path = at(project.path(), "state.py");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&path, text);
    let shown = editor.pull(&uri(&path));
    assert_eq!((codes(&shown), &shown[0]["tags"]), (vec!["LK002"], &json!([1])));
    assert!(editor.quit());
}

#[test]
fn a_hover_tells_the_argument_and_the_rule() {
    let project = project(&[("state.py", LEAK)]);
    let path = at(project.path(), "state.py");
    let text = format!("{LEAK}\n\nx = 1  # unleak: ignore[LK202]\n");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&path, &text);
    let hover = |editor: &mut Editor, line: usize, character: usize| {
        let position = json!({"line": line, "character": character});
        let params = json!({"textDocument": {"uri": uri(&path)}, "position": position});
        editor.request("textDocument/hover", params)["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    let of_finding = hover(&mut editor, 0, 1);
    assert!(of_finding.contains("LK101") && of_finding.contains("\n1. "), "{of_finding}");
    let row = text.lines().count() - 1;
    let of_code = hover(&mut editor, row, "x = 1  # unleak: ignore[LK2".len());
    assert!(of_code.contains("LK202"), "{of_code}");
    assert_eq!(hover(&mut editor, 1, 0), "");
    let explained =
        editor.request("workspace/executeCommand", json!({"command": "unleak.explain", "arguments": ["LK101"]}));
    assert!(explained.as_str().unwrap().contains("## Why it leaks"));
    assert!(editor.quit());
}

#[test]
fn a_request_that_fails_or_is_cancelled_is_answered() {
    let project = project(&[("state.py", LEAK)]);
    let path = at(project.path(), "state.py");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    let error = |response: Response| response.response_result.expect_err("it fails").code;
    let id = editor.send("unleak/panic", Value::Null);
    assert_eq!(error(editor.response(&id)), -32603);
    let id = editor.send("no/such", Value::Null);
    assert_eq!(error(editor.response(&id)), -32601);
    let id = editor.send("textDocument/diagnostic", json!({"textDocument": 3}));
    assert_eq!(error(editor.response(&id)), -32602);
    editor.open(&path, LEAK);
    let id = editor.send("textDocument/diagnostic", json!({"textDocument": {"uri": uri(&path)}}));
    editor.notify("$/cancelRequest", json!({"id": id}));
    // It may have been quicker.
    if let Err(error) = editor.response(&id).response_result {
        assert_eq!(error.code, -32800);
    }
    assert_eq!(editor.pull(&uri(&path)).len(), 1);
    let id = editor.send("shutdown", Value::Null);
    editor.response(&id);
    let id = editor.send("textDocument/hover", Value::Null);
    assert_eq!(error(editor.response(&id)), -32600);
    editor.notify("exit", Value::Null);
    assert!(editor.server.take().unwrap().join().unwrap());
}

#[test]
fn who_leaves_without_a_word_is_noted() {
    let mut editor = Editor::start(&[], plain());
    editor.notify("exit", Value::Null);
    assert!(!editor.server.take().unwrap().join().unwrap());
}

#[test]
fn the_cells_of_a_notebook_are_documents() {
    let project = project(&[("pyproject.toml", "")]);
    let path = at(project.path(), "book.ipynb");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    let cell = |number: u32, kind: u32| json!({"kind": kind, "document": format!("cell:{number}")});
    let text = |number: u32, language: &str, text: &str| json!({"uri": format!("cell:{number}"), "languageId": language, "version": 1, "text": text});
    editor.notify(
        "notebookDocument/didOpen",
        json!({
            "notebookDocument": {
                "uri": uri(&path), "notebookType": "jupyter-notebook", "version": 1,
                "cells": [cell(1, 2), cell(2, 1), cell(3, 2)],
            },
            "cellTextDocuments": [text(1, "python", "x = 1"), text(2, "markdown", "# 😀"), text(3, "python", UNCLOSED)],
        }),
    );
    let shown = editor.pull("cell:3");
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0]["range"]["start"]["line"], json!(1));
    let change = |structure: Value, content: Value| {
        json!({
            "notebookDocument": {"uri": uri(&path), "version": 2},
            "change": {"cells": {"structure": structure, "textContent": content}},
        })
    };
    // A cell comes in front, and the finding stays in its own.
    let structure = json!({
        "array": {"start": 0, "deleteCount": 0, "cells": [cell(4, 2)]}, "didOpen": [text(4, "python", "y = 2\n\n")],
    });
    editor.notify("notebookDocument/didChange", change(structure, Value::Null));
    assert_eq!(editor.pull("cell:3"), shown);
    let edit = json!([{"range": {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 21}}, "text": "str(path)"}]);
    let content = json!([{"document": {"uri": "cell:3", "version": 2}, "changes": edit}]);
    editor.notify("notebookDocument/didChange", change(Value::Null, content));
    assert_eq!(editor.pull("cell:3"), Vec::<Value>::new());
    assert!(editor.quit());
}

#[test]
fn configurations_hold_as_in_check_and_are_read_again() {
    let project = project(&[("state.py", LEAK), ("pyproject.toml", "")]);
    let (path, configuration) = (at(project.path(), "state.py"), at(project.path(), "unleak.toml"));
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.open(&path, LEAK);
    assert_eq!(editor.pull(&uri(&path)).len(), 1);
    fs::write(&configuration, "ignore = [\"LK101\"]\n").unwrap();
    editor.wrote(&configuration, 1);
    assert_eq!(editor.pull(&uri(&path)), Vec::<Value>::new());
    // A mistake is shown where it is.
    fs::write(&configuration, "ignore = [\"LK101\"]\nno-such = 1\n").unwrap();
    editor.wrote(&configuration, 2);
    let shown = editor.pull(&uri(&configuration));
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0]["range"]["start"]["line"], json!(1));
    fs::remove_file(&configuration).unwrap();
    editor.wrote(&configuration, 3);
    assert_eq!(editor.pull(&uri(&path)).len(), 1);
    // The editor's own settings.
    editor.settings = json!({"ignore": ["LK1"]});
    editor.notify("workspace/didChangeConfiguration", json!({"settings": {}}));
    editor.asked("workspace/configuration");
    editor.asked("workspace/configuration");
    assert_eq!(editor.pull(&uri(&path)), Vec::<Value>::new());
    assert!(editor.quit());
}

#[test]
fn files_come_and_go() {
    let project = project(&[("pyproject.toml", ""), ("state.py", "")]);
    let path = at(project.path(), "state.py");
    let new = at(project.path(), "new.py");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    let places = |editor: &mut Editor| {
        let report = editor.request("workspace/diagnostic", json!({"previousResultIds": []}));
        let items = report["items"].as_array().cloned().unwrap();
        items.iter().map(|item| item["uri"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(places(&mut editor), Vec::<String>::new());
    fs::write(&path, LEAK).unwrap();
    editor.wrote(&path, 2);
    assert_eq!(places(&mut editor), [uri(&path)]);
    // Only in the editor.
    editor.open(&new, LEAK);
    assert_eq!(places(&mut editor), [uri(&new), uri(&path)]);
    editor.close(&new);
    assert_eq!(places(&mut editor), [uri(&path)]);
    fs::remove_file(&path).unwrap();
    editor.wrote(&path, 3);
    assert_eq!(places(&mut editor), Vec::<String>::new());
    assert!(editor.quit());
}

#[test]
fn reports_that_are_known_are_not_sent_again() {
    let project = project(&[("pyproject.toml", ""), ("state.py", LEAK)]);
    let path = at(project.path(), "state.py");
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    let first = editor.request("textDocument/diagnostic", json!({"textDocument": {"uri": uri(&path)}}));
    let id = first["resultId"].clone();
    let params = json!({"textDocument": {"uri": uri(&path)}, "previousResultId": id});
    assert_eq!(editor.request("textDocument/diagnostic", params)["kind"], json!("unchanged"));
    // A request that would get nothing new waits until there is something.
    let held = editor.send("workspace/diagnostic", json!({"previousResultIds": [{"uri": uri(&path), "value": id}]}));
    editor.open(&path, "SEEN = set()\n");
    let report = editor.response(&held).response_result.unwrap();
    assert_eq!(report["items"][0]["items"], json!([]), "{report}");
    assert!(editor.quit());
}

#[test]
fn folders_are_programs_of_their_own() {
    let one = project(&[("pyproject.toml", ""), ("state.py", LEAK)]);
    let other = project(&[("pyproject.toml", ""), ("state.py", "SEEN = set()\n"), ("unleak.toml", "select = []\n")]);
    let roots = [at(one.path(), ""), at(other.path(), "")];
    let mut editor = Editor::start(&[&roots[0], &roots[1]], modern());
    let path = at(other.path(), "state.py");
    editor.open(&path, LEAK);
    assert_eq!(editor.pull(&uri(&path)), Vec::<Value>::new());
    assert_eq!(editor.pull(&uri(&at(one.path(), "state.py"))).len(), 1);
    let removed = json!({"added": [], "removed": [{"uri": uri(&roots[0]), "name": "project"}]});
    editor.notify("workspace/didChangeWorkspaceFolders", json!({"event": removed}));
    assert_eq!(editor.pull(&uri(&at(one.path(), "state.py"))), Vec::<Value>::new());
    assert!(editor.quit());
}

#[test]
fn a_file_without_a_folder_is_checked_as_on_the_command_line() {
    let project = project(&[("state.py", "")]);
    let mut editor = Editor::start(&[], modern());
    let (path, new) = (at(project.path(), "state.py"), at(project.path(), "new.py"));
    editor.open(&path, LEAK);
    assert_eq!(editor.pull(&uri(&path)).len(), 1);
    editor.open(&new, UNCLOSED);
    assert_eq!(editor.pull(&uri(&new)).len(), 1);
    editor.close(&path);
    assert_eq!(editor.pull(&uri(&path)), Vec::<Value>::new());
    assert!(editor.quit());
}

#[test]
fn the_first_scan_tells_how_far_it_is() {
    let project = project(&[("pyproject.toml", ""), ("state.py", LEAK)]);
    let mut editor = Editor::start(&[&at(project.path(), "")], modern());
    editor.asked("window/workDoneProgress/create");
    let registered = editor.asked("client/registerCapability");
    assert!(registered.to_string().contains("**/*.{py,pyw,pyi,ipynb}"));
    assert_eq!(editor.pull(&uri(&at(project.path(), "state.py"))).len(), 1);
    assert!(editor.quit());
}
