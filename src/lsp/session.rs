//! The talk with one editor: its messages in, answers and diagnostics out.
//!
//! Every change of what is checked has a number, and every outcome says up to which it goes. A request that asks for
//! findings waits until there is an outcome of its time; meanwhile others are answered. Only one check runs at once,
//! and what has changed meanwhile is in the next, so that fast typing is never behind by more than two checks.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use gen_lsp_types::{
    DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DocumentDiagnosticParams, FileChangeType,
    HoverParams, Uri, WorkspaceDiagnosticParams, WorkspaceFolder,
};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::Client;
use super::diagnostics::{self, Report, Reports};
use super::documents::{Documents, FileText, is_source};
use super::settings::Settings;
use super::uri::{canonical, path_of};
use super::worker::{self, Answer, Change, Job};
use super::{actions, capabilities, commands, hover};
use crate::engine::{Outcome, ProblemKind, Progress, ShownFile, panics};
use crate::fix::{self, ChangedFile};
use crate::rules::{page, selection};
use crate::source::{FileId, LineIndex, SourceFile, SourceKind};

/// How long a change waits for the next one where nobody asks what comes of it.
const PAUSE: Duration = Duration::from_millis(60);
/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);
/// How long an editor may take to send its settings.
const PATIENCE: Duration = Duration::from_secs(3);
const PROGRESS: &str = "unleak/scan";

/// Serves an editor. Whether it said goodbye as the protocol wants it.
pub fn serve(connection: &Connection) -> bool {
    let Ok((id, params)) = connection.initialize_start() else { return false };
    // The editor may be slow to read, and must not be waited for.
    let (out, queue) = unbounded::<Message>();
    let (jobs, work) = unbounded();
    let (answer, answers) = unbounded();
    let progress = Arc::new(Progress::default());
    let seen = progress.clone();
    let mut session = Session::new(out, jobs, progress, &params);
    session.respond(id, Ok(capabilities::answer(&session.client)));
    let sender = connection.sender.clone();
    let writer = thread::spawn(move || queue.into_iter().all(|message| sender.send(message).is_ok()));
    // It may be in the middle of a check when the editor leaves, and is not waited for.
    thread::spawn(move || worker::run(&work, &answer, &seen));
    let goodbye = session.run(&connection.receiver, &answers);
    drop(session);
    goodbye && writer.join().is_ok()
}

/// Why an answer is no result.
type Refusal = (ErrorCode, String);

struct Session {
    out: Sender<Message>,
    jobs: Sender<Job>,
    progress: Arc<Progress>,
    client: Client,
    documents: Documents,
    roots: Vec<PathBuf>,
    settings: Settings,
    /// Until when the editor's settings are waited for.
    settings_due: Option<Instant>,
    /// The number of the last change, and up to which one the outcomes go.
    generation: u64,
    done: u64,
    changes: Vec<Change>,
    is_checking: bool,
    /// When a change is checked of which nobody has asked what comes of it.
    check_due: Option<Instant>,
    /// Files that were changed since the last check.
    touched: Vec<PathBuf>,
    outcomes: Vec<Arc<Outcome>>,
    reports: Reports,
    /// What the editor was told last of each document, if it has to be told.
    published: FxHashMap<String, String>,
    waiting: Vec<Waiting>,
    mends: FxHashMap<u64, Mend>,
    /// Numbers of requests to the editor, and of mends.
    next: i32,
    asked: FxHashMap<RequestId, Asked>,
    scan: Scan,
    said: Vec<String>,
    is_shut_down: bool,
}

/// A request that waits for an outcome of its time.
struct Waiting {
    request: Request,
    generation: u64,
    /// There was nothing new to tell.
    is_held: bool,
}

/// What a mended file is for.
enum Mend {
    Action { id: RequestId, action: Value },
    Command { id: RequestId },
}

enum Asked {
    Settings,
    Progress,
    Nothing,
}

/// The first look at everything, which takes a while.
#[derive(Clone, Copy, PartialEq)]
enum Scan {
    NotTold,
    Told(u32),
    Done,
}

impl Session {
    fn new(out: Sender<Message>, jobs: Sender<Job>, progress: Arc<Progress>, params: &Value) -> Session {
        let client = Client::of(params.get("capabilities").unwrap_or(&Value::Null));
        let mut session = Session {
            out,
            jobs,
            progress,
            documents: Documents::new(client.encoding),
            client,
            roots: roots(params),
            settings: Settings::default(),
            settings_due: None,
            generation: 0,
            done: 0,
            changes: Vec::new(),
            is_checking: false,
            check_due: None,
            touched: Vec::new(),
            outcomes: Vec::new(),
            reports: Reports::new(),
            published: FxHashMap::default(),
            waiting: Vec::new(),
            mends: FxHashMap::default(),
            next: 0,
            asked: FxHashMap::default(),
            scan: Scan::NotTold,
            said: Vec::new(),
            is_shut_down: false,
        };
        if let Some(options) = params.get("initializationOptions") {
            session.take_settings(options);
        }
        session
    }

    fn run(&mut self, messages: &Receiver<Message>, answers: &Receiver<Answer>) -> bool {
        loop {
            self.start_work();
            select! {
                recv(messages) -> message => match message {
                    Err(_) => return false,
                    Ok(Message::Notification(notification)) if notification.method == "exit" => {
                        return self.is_shut_down;
                    }
                    Ok(message) => self.take(message),
                },
                recv(answers) -> answer => match answer {
                    Err(_) => return false,
                    Ok(answer) => self.take_answer(answer),
                },
                default(self.patience()) => self.tell_progress(),
            }
        }
    }

    /// How long nothing has to be done if nobody says anything.
    fn patience(&self) -> Duration {
        let due = [self.check_due.filter(|_| !self.is_checking), self.settings_due].into_iter().flatten().min();
        let until = due.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(Instant::now()));
        if matches!(self.scan, Scan::Told(_)) { until.min(TICK) } else { until }
    }

    /// Whatever goes wrong with one message is told, and the next is read.
    fn take(&mut self, message: Message) {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                if let Err(message) = panics::catch(|| self.take_request(request)) {
                    self.respond(id, Err((ErrorCode::InternalError, format!("unleak failed: {message}"))));
                }
            }
            Message::Notification(notification) => {
                let method = notification.method.clone();
                if let Err(message) = panics::catch(|| self.take_notification(notification)) {
                    self.log(&format!("unleak failed at {method}: {message}"));
                }
            }
            Message::Response(response) => self.take_response(response),
        }
    }

    fn take_request(&mut self, request: Request) {
        if self.is_shut_down {
            return self.respond(request.id, Err((ErrorCode::InvalidRequest, "unleak was shut down".to_owned())));
        }
        match request.method.as_str() {
            "shutdown" => {
                self.is_shut_down = true;
                for waiting in std::mem::take(&mut self.waiting) {
                    self.respond(waiting.request.id, Err((ErrorCode::RequestCanceled, "shut down".to_owned())));
                }
                self.respond(request.id, Ok(Value::Null));
            }
            "textDocument/diagnostic" | "workspace/diagnostic" | "textDocument/codeAction" | "textDocument/hover" => {
                self.waiting.push(Waiting { request, generation: self.generation, is_held: false });
                self.answer_waiting();
            }
            "codeAction/resolve" => self.resolve(request),
            "workspace/executeCommand" => self.execute(request),
            // To see that a request that fails is survived.
            "unleak/panic" if cfg!(debug_assertions) => panic!("asked to"),
            method => {
                let message = format!("unleak does not know `{method}`");
                self.respond(request.id, Err((ErrorCode::MethodNotFound, message)));
            }
        }
    }

    fn take_notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            "initialized" => self.begin(),
            "$/cancelRequest" => self.cancel(params.get("id").unwrap_or(&Value::Null)),
            "textDocument/didOpen" => {
                let text = read(params, |params: gen_lsp_types::DidOpenTextDocumentParams| params.text_document);
                let text = text.and_then(|item| self.documents.open(item));
                self.take_text(text);
            }
            "textDocument/didChange" => {
                let text = read(params, |params| params).and_then(|params| self.documents.change(params));
                self.take_text(text);
            }
            "textDocument/didClose" => {
                let uri = read(params, |params: gen_lsp_types::DidCloseTextDocumentParams| params.text_document.uri);
                let text = uri.and_then(|uri| self.documents.close(&uri));
                self.take_text(text);
            }
            "textDocument/didSave" => {
                let uri = read(params, |params: gen_lsp_types::DidSaveTextDocumentParams| params.text_document.uri);
                self.take_saved(uri);
            }
            "notebookDocument/didOpen" => {
                let text = read(params, |params| params).and_then(|params| self.documents.open_notebook(params));
                self.take_text(text);
            }
            "notebookDocument/didChange" => {
                let text = read(params, |params| params).and_then(|params| self.documents.change_notebook(params));
                self.take_text(text);
            }
            "notebookDocument/didClose" => {
                let uri =
                    read(params, |params: gen_lsp_types::DidCloseNotebookDocumentParams| params.notebook_document.uri);
                let text = uri.and_then(|uri| self.documents.close_notebook(&uri));
                self.take_text(text);
            }
            "workspace/didChangeWatchedFiles" => self.take_written(read(params, |params| params)),
            "workspace/didChangeConfiguration" => match self.client.has_configuration {
                true => self.ask_for_settings(),
                false => {
                    self.take_settings(params.get("settings").unwrap_or(&Value::Null));
                    self.set_workspace();
                }
            },
            "workspace/didChangeWorkspaceFolders" => {
                let event = read(params, |params: DidChangeWorkspaceFoldersParams| params.event);
                let Some(event) = event else { return };
                let path = |folder: &WorkspaceFolder| path_of(&folder.uri);
                let removed: Vec<PathBuf> = event.removed.iter().filter_map(path).collect();
                self.roots.retain(|root| !removed.contains(root));
                self.roots.extend(event.added.iter().filter_map(path));
                self.set_workspace();
            }
            _ => {}
        }
    }

    fn take_response(&mut self, response: Response) {
        match self.asked.remove(&response.id) {
            Some(Asked::Settings) => {
                self.settings_due = None;
                let sections = response.response_result.unwrap_or_default();
                let section = sections.get(0).unwrap_or(&Value::Null);
                // An editor without such settings keeps those that it began with.
                if !section.is_null() {
                    self.take_settings(section);
                }
                self.set_workspace();
            }
            Some(Asked::Progress) if response.response_result.is_ok() && self.scan == Scan::NotTold => {
                self.scan = Scan::Told(0);
                let value = json!({"kind": "begin", "title": "unleak", "message": "reading files", "percentage": 0});
                self.notify("$/progress", json!({"token": PROGRESS, "value": value}));
            }
            _ => {}
        }
    }

    /// The editor is ready.
    fn begin(&mut self) {
        let registrations = capabilities::registrations(&self.client);
        if !registrations.is_empty() {
            self.ask("client/registerCapability", json!({"registrations": registrations}), Asked::Nothing);
        }
        if self.client.shows_progress {
            self.ask("window/workDoneProgress/create", json!({"token": PROGRESS}), Asked::Progress);
        }
        if self.client.has_configuration {
            self.settings_due = Some(Instant::now() + PATIENCE);
            self.ask_for_settings();
        }
        self.set_workspace();
    }

    fn ask_for_settings(&mut self) {
        self.ask("workspace/configuration", json!({"items": [{"section": "unleak"}]}), Asked::Settings);
    }

    fn take_settings(&mut self, value: &Value) {
        match Settings::read(value) {
            Ok(settings) => self.settings = settings,
            Err(mistake) => self.say(&format!("the settings of unleak: {mistake}")),
        }
    }

    fn set_workspace(&mut self) {
        self.change(Change::Workspace(self.roots.clone(), self.settings.clone()));
    }

    fn change(&mut self, change: Change) {
        self.generation += 1;
        self.changes.push(change);
        self.check_due.get_or_insert_with(|| Instant::now() + PAUSE);
        for waiting in &mut self.waiting {
            // What was held back may now have something to tell.
            waiting.is_held = false;
        }
    }

    fn take_text(&mut self, text: Option<FileText>) {
        let Some((path, text)) = text else { return };
        if !self.touched.contains(&path) {
            self.touched.push(path.clone());
        }
        // Only the last text counts.
        self.changes.retain(|change| !matches!(change, Change::Text(other, _) if *other == path));
        self.change(Change::Text(path, text));
    }

    fn take_saved(&mut self, uri: Option<Uri>) {
        let Some(path) = uri.as_ref().and_then(path_of) else { return };
        if self.client.watches_files {
            return;
        }
        // Nobody tells of other files either.
        match is_source(&path) {
            true => self.change(Change::Anything),
            false => self.set_workspace(),
        }
    }

    fn take_written(&mut self, params: Option<DidChangeWatchedFilesParams>) {
        let (mut is_anything, mut is_settings) = (false, false);
        for event in params.into_iter().flat_map(|params| params.changes) {
            let Some(path) = path_of(&event.uri) else { continue };
            if !is_source(&path) {
                is_settings = true;
            } else if event.kind == FileChangeType::Changed {
                self.change(Change::Written(canonical(&path)));
            } else {
                is_anything = true;
            }
        }
        if is_settings {
            self.set_workspace();
        }
        if is_anything {
            self.change(Change::Anything);
        }
    }

    fn cancel(&mut self, id: &Value) {
        let Ok(id) = serde_json::from_value::<RequestId>(id.clone()) else { return };
        let is_meant = |waiting: &Waiting| waiting.request.id == id;
        if let Some(at) = self.waiting.iter().position(is_meant) {
            self.waiting.remove(at);
            self.respond(id, Err((ErrorCode::RequestCanceled, "cancelled".to_owned())));
        }
    }

    /// Lets the worker work if there is something to do that cannot wait.
    fn start_work(&mut self) {
        let now = Instant::now();
        if self.settings_due.is_some_and(|due| now < due) {
            return;
        }
        self.settings_due = None;
        let is_new = self.generation > self.done;
        let is_asked_for = self.waiting.iter().any(|waiting| !waiting.is_held && waiting.generation > self.done);
        let is_due = self.check_due.is_some_and(|due| due <= now);
        if !self.is_checking && is_new && (is_asked_for || is_due) {
            self.send_check();
        }
    }

    fn send_check(&mut self) {
        let mut urgent = std::mem::take(&mut self.touched);
        if self.client.pulls {
            let asked = self.waiting.iter().filter(|waiting| waiting.request.method == "textDocument/diagnostic");
            urgent = asked.filter_map(|waiting| self.documents.path_of(&document_of(&waiting.request)?)).collect();
        }
        let changes = std::mem::take(&mut self.changes);
        self.check_due = None;
        self.is_checking = true;
        let _ = self.jobs.send(Job::Check { generation: self.generation, changes, urgent });
    }

    fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Early { generation, outcome } => self.take_early(generation, &outcome),
            Answer::Checked { generation, outcomes, mistakes } => {
                self.is_checking = false;
                self.done = generation;
                self.outcomes = outcomes;
                self.say_mistakes(mistakes);
                self.end_progress();
                let outcomes = self.outcomes.iter().map(|outcome| &**outcome);
                let reports = diagnostics::reports(outcomes, &self.documents, &self.client);
                self.show(reports);
                self.answer_waiting();
            }
            Answer::Mended { ticket, file } => self.take_mended(ticket, file),
        }
    }

    /// What is known of the files that somebody waits for, while the others are still looked at.
    fn take_early(&mut self, generation: u64, outcome: &Outcome) {
        let mut reports = diagnostics::reports(std::iter::once(outcome), &self.documents, &self.client);
        for path in &outcome.checked {
            let Some(uri) = self.documents.uri_at(path).cloned() else { continue };
            let report = reports.remove(&uri.0).unwrap_or_else(no_report);
            self.reports.insert(uri.0.clone(), report.clone());
            if !self.client.pulls {
                self.publish(&uri.0, &report);
                continue;
            }
            let is_answered = |waiting: &Waiting| {
                waiting.request.method == "textDocument/diagnostic"
                    && waiting.generation <= generation
                    && document_of(&waiting.request).is_some_and(|asked| asked == uri)
            };
            let (answered, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(is_answered);
            self.waiting = waiting;
            for waiting in answered {
                let answer = self.document_report(waiting.request.params);
                self.respond(waiting.request.id, answer);
            }
        }
    }

    /// Tells the editor what is new, or that there is something to ask for.
    fn show(&mut self, reports: Reports) {
        let before = std::mem::replace(&mut self.reports, reports);
        let ids = |reports: &Reports| -> Vec<(String, String)> {
            let shown = reports.iter().filter(|(_, report)| !report.items.is_empty());
            shown.map(|(uri, report)| (uri.clone(), report.id.clone())).collect()
        };
        if self.client.pulls {
            if self.client.refreshes && ids(&before) != ids(&self.reports) {
                self.ask("workspace/diagnostic/refresh", Value::Null, Asked::Nothing);
            }
            return;
        }
        let reports = std::mem::take(&mut self.reports);
        for (uri, report) in &reports {
            self.publish(uri, report);
        }
        let gone: Vec<String> = self.published.keys().filter(|uri| !reports.contains_key(*uri)).cloned().collect();
        for uri in gone {
            self.publish(&uri, &no_report());
        }
        // An editor that shows nothing yet of an open document is told that there is nothing.
        let silent: Vec<String> = (self.documents.paths().filter_map(|path| self.documents.uri_at(path)))
            .map(|uri| uri.0.clone())
            .filter(|uri| !self.published.contains_key(uri))
            .collect();
        for uri in silent {
            self.publish(&uri, &no_report());
        }
        self.reports = reports;
    }

    fn publish(&mut self, uri: &str, report: &Report) {
        if self.published.get(uri) == Some(&report.id) {
            return;
        }
        self.published.insert(uri.to_owned(), report.id.clone());
        let mut params = json!({"uri": uri, "diagnostics": report.items});
        if let Some(document) = self.documents.get(&Uri(uri.to_owned()))
            && self.client.has_versions_in_diagnostics
        {
            params["version"] = document.version.into();
        }
        self.notify("textDocument/publishDiagnostics", params);
    }

    /// Answers the requests of whose time there is an outcome.
    fn answer_waiting(&mut self) {
        let mut still_waiting = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            if waiting.generation > self.done || waiting.is_held {
                still_waiting.push(waiting);
                continue;
            }
            let id = waiting.request.id.clone();
            let answer = panics::catch(|| self.answer(&waiting.request));
            match answer {
                Ok(Some(answer)) => self.respond(id, answer),
                Ok(None) => {
                    waiting.is_held = true;
                    still_waiting.push(waiting);
                }
                Err(message) => {
                    self.respond(id, Err((ErrorCode::InternalError, format!("unleak failed: {message}"))));
                }
            }
        }
        self.waiting = still_waiting;
    }

    /// `None` where there is nothing to tell that the editor does not know.
    fn answer(&self, request: &Request) -> Option<Result<Value, Refusal>> {
        let params = request.params.clone();
        match request.method.as_str() {
            "textDocument/diagnostic" => Some(self.document_report(params)),
            "workspace/diagnostic" => self.workspace_report(params),
            "textDocument/hover" => Some(parsed(params).map(|params: HoverParams| {
                let at = params.text_document_position_params;
                hover::hover(&at.text_document.uri, at.position, &self.outcomes, &self.documents, &self.client)
            })),
            _ => Some(parsed(params).map(|params: actions::Parameters| {
                actions::actions(&params, &self.outcomes, &self.documents, &self.client).into()
            })),
        }
    }

    fn document_report(&self, params: Value) -> Result<Value, Refusal> {
        let params: DocumentDiagnosticParams = parsed(params)?;
        let uri = &params.text_document.uri;
        // An editor may write a name in other ways than it is written here.
        let known = self.reports.get(&uri.0).or_else(|| {
            let path = self.documents.path_of(uri).filter(|_| self.documents.get(uri).is_none())?;
            self.reports.get(&self.documents.uri_at(&path).cloned().unwrap_or_else(|| super::uri::uri_of(&path)).0)
        });
        let report = known.cloned().unwrap_or_else(no_report);
        if params.previous_result_id.as_ref() == Some(&report.id) {
            return Ok(json!({"kind": "unchanged", "resultId": report.id}));
        }
        Ok(json!({"kind": "full", "resultId": report.id, "items": report.items}))
    }

    fn workspace_report(&self, params: Value) -> Option<Result<Value, Refusal>> {
        let params: WorkspaceDiagnosticParams = match parsed(params) {
            Ok(params) => params,
            Err(refusal) => return Some(Err(refusal)),
        };
        let mut known: FxHashMap<String, String> =
            params.previous_result_ids.into_iter().map(|previous| (previous.uri.0, previous.value)).collect();
        let has_asked_before = !known.is_empty();
        let mut is_new = false;
        let mut items = Vec::new();
        for (uri, report) in &self.reports {
            let version = self.documents.get(&Uri(uri.clone())).map(|document| document.version);
            let is_known = known.remove(uri).is_some_and(|id| id == report.id);
            is_new |= !is_known;
            items.push(match is_known {
                true => json!({"kind": "unchanged", "uri": uri, "version": version, "resultId": report.id}),
                false => json!({
                    "kind": "full", "uri": uri, "version": version, "resultId": report.id, "items": report.items,
                }),
            });
        }
        for (uri, _) in known.into_iter().filter(|(_, id)| *id != diagnostics::empty_id()) {
            is_new = true;
            let empty = no_report();
            items.push(json!({"kind": "full", "uri": uri, "version": null, "resultId": empty.id, "items": []}));
        }
        (is_new || !has_asked_before).then_some(Ok(json!({"items": items})))
    }

    fn resolve(&mut self, request: Request) {
        let uri = request.params.pointer("/data/fixAll").and_then(Value::as_str).map(Uri::from);
        match uri.and_then(|uri| self.documents.path_of(&uri)) {
            Some(path) => self.mend(path, Mend::Action { id: request.id, action: request.params }),
            None => self.respond(request.id, Ok(request.params)),
        }
    }

    fn execute(&mut self, request: Request) {
        let argument = request.params.pointer("/arguments/0").and_then(Value::as_str).unwrap_or_default().to_owned();
        let command = request.params.get("command").and_then(Value::as_str).unwrap_or_default();
        if command == commands::FIX_ALL {
            return match self.documents.path_of(&Uri(argument)) {
                Some(path) => self.mend(path, Mend::Command { id: request.id }),
                None => self.respond(request.id, Ok(Value::Null)),
            };
        }
        let rule = selection::matching(&argument).map(|pages| pages.first().copied());
        let answer = match (command, rule) {
            (commands::EXPLAIN, Ok(Some(page))) => Ok(page.body.into()),
            (commands::OPEN_RULE, Ok(Some(page))) => {
                self.open_page(page);
                Ok(Value::Null)
            }
            (commands::EXPLAIN | commands::OPEN_RULE, Err(unknown)) => {
                Err((ErrorCode::InvalidParams, unknown.to_string()))
            }
            _ => Err((ErrorCode::InvalidParams, format!("unleak has no command `{command}`"))),
        };
        self.respond(request.id, answer);
    }

    fn open_page(&mut self, page: &page::Page) {
        match self.client.shows_documents {
            true => self.ask("window/showDocument", json!({"uri": page.url(), "external": true}), Asked::Nothing),
            false => {
                let message = format!("{}: {}", page.code, page.url());
                self.notify("window/showMessage", json!({"type": 3, "message": message}));
            }
        }
    }

    fn mend(&mut self, path: PathBuf, mend: Mend) {
        if !self.changes.is_empty() {
            self.send_check();
        }
        self.next += 1;
        let ticket = self.next as u64;
        self.mends.insert(ticket, mend);
        let _ = self.jobs.send(Job::Mend { ticket, path });
    }

    fn take_mended(&mut self, ticket: u64, file: Option<ChangedFile>) {
        let Some(mend) = self.mends.remove(&ticket) else { return };
        let edit = file.and_then(|file| self.edit_of(file));
        match mend {
            Mend::Action { id, mut action } => {
                let nothing = json!({"changes": {}});
                action["edit"] = edit.unwrap_or(nothing);
                self.respond(id, Ok(action));
            }
            Mend::Command { id } => {
                if let Some(edit) = edit {
                    self.ask("workspace/applyEdit", json!({"label": "unleak", "edit": edit}), Asked::Nothing);
                }
                self.respond(id, Ok(Value::Null));
            }
        }
    }

    /// `None` where the text is another by now.
    fn edit_of(&self, file: ChangedFile) -> Option<Value> {
        let ChangedFile { path, old, new } = file;
        let key = canonical(&path);
        let open = self.documents.uri_at(&key).and_then(|uri| self.documents.get(uri));
        if open.is_some_and(|document| document.text != old) {
            return None;
        }
        let edits = fix::changes(&old, &new);
        let lines = Arc::new(LineIndex::new(&old));
        let source = Arc::new(SourceFile::new(path, old, SourceKind::Python));
        let shown = ShownFile { id: FileId(0), path: key, source, lines };
        actions::edit_of(&self.documents, &self.client, &shown, &edits)
    }

    fn tell_progress(&mut self) {
        let Scan::Told(before) = self.scan else { return };
        let (files, done) = (&self.progress.files, &self.progress.done);
        let (files, done) = (files.load(Ordering::Relaxed), done.load(Ordering::Relaxed));
        let percentage = (done.min(files) * 100).checked_div(files).unwrap_or(0) as u32;
        if percentage > before {
            self.scan = Scan::Told(percentage);
            let value =
                json!({"kind": "report", "message": format!("{done} of {files} files"), "percentage": percentage});
            self.notify("$/progress", json!({"token": PROGRESS, "value": value}));
        }
    }

    fn end_progress(&mut self) {
        if matches!(self.scan, Scan::Told(_)) {
            self.notify("$/progress", json!({"token": PROGRESS, "value": {"kind": "end"}}));
        }
        self.scan = Scan::Done;
    }

    /// What the user has to know, each thing once as long as it lasts.
    fn say_mistakes(&mut self, mut mistakes: Vec<String>) {
        let problems = self.outcomes.iter().flat_map(|outcome| &outcome.problems);
        let serious = problems.filter(|problem| {
            !matches!(problem.kind, ProblemKind::Syntax | ProblemKind::Unreadable | ProblemKind::TooDeep)
        });
        mistakes.extend(serious.map(|problem| match problem.position {
            Some(at) => format!("{}:{}:{}: {}", problem.path.display(), at.row, at.column, problem.message),
            None => format!("{}: {}", problem.path.display(), problem.message),
        }));
        for mistake in &mistakes {
            if !self.said.contains(mistake) {
                self.say(mistake);
            }
        }
        self.said = mistakes;
    }

    fn say(&self, message: &str) {
        self.notify("window/showMessage", json!({"type": 1, "message": format!("unleak: {message}")}));
    }

    fn log(&self, message: &str) {
        self.notify("window/logMessage", json!({"type": 1, "message": message}));
    }

    fn notify(&self, method: &str, params: Value) {
        let _ = self.out.send(Message::Notification(Notification { method: method.to_owned(), params }));
    }

    fn ask(&mut self, method: &str, params: Value, asked: Asked) {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.asked.insert(id.clone(), asked);
        let _ = self.out.send(Message::Request(Request { id, method: method.to_owned(), params }));
    }

    fn respond(&self, id: RequestId, answer: Result<Value, Refusal>) {
        let response = match answer {
            Ok(result) => Response::new_ok(id, result),
            Err((code, message)) => Response::new_err(id, code as i32, message),
        };
        let _ = self.out.send(Message::Response(response));
    }
}

fn no_report() -> Report {
    Report { items: Vec::new(), id: diagnostics::empty_id() }
}

/// The document that a request is about.
fn document_of(request: &Request) -> Option<Uri> {
    request.params.pointer("/textDocument/uri")?.as_str().map(Uri::from)
}

fn parsed<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))
}

/// A notification that cannot be read has nobody to be told.
fn read<T: DeserializeOwned, U>(params: Value, part: impl FnOnce(T) -> U) -> Option<U> {
    serde_json::from_value(params).ok().map(part)
}

/// The folders that the editor has open.
fn roots(params: &Value) -> Vec<PathBuf> {
    let folders = params.get("workspaceFolders").and_then(Value::as_array);
    let uris: Vec<&str> = match folders {
        Some(folders) => folders.iter().filter_map(|folder| folder.get("uri")?.as_str()).collect(),
        None => params.get("rootUri").and_then(Value::as_str).into_iter().collect(),
    };
    uris.into_iter().filter_map(|uri| path_of(&Uri::from(uri))).collect()
}
