//! How long an edit takes until the editor has its diagnostics, beside a cold `check` of the same files.
//!
//! `cargo bench --bench server -- PATH…`. The server runs in this process, behind the protocol's messages. Edits go to
//! files all over the program, each a line more or less; what is asked for at once is the edited file, as editors do,
//! and then all files. Absolute times say more about a machine and its load than about unleak; the processor's time is
//! printed beside them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use unleak::config::Configuration;
use unleak::engine::{self, Options, Progress};
use unleak::lsp::uri::uri_of;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const THREADS: usize = 2;
const EDITS: usize = 50;
const RUNS: usize = 3;

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match paths.as_slice() {
        [] => measure(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))),
        paths => paths.iter().for_each(|path| measure(Path::new(path))),
    }
}

/// Wall clock and processor time.
type Time = (Duration, Duration);

fn measure(path: &Path) {
    let path = std::fs::canonicalize(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let start = clock();
    let mut client = Client::start(&path);
    client.request("workspace/diagnostic", json!({"previousResultIds": []}));
    let first = since(start);
    let memory_before = memory();

    let options = Options { configuration: Configuration::default(), threads: NonZeroUsize::new(THREADS) };
    let request = engine::Request { paths: vec![path.clone()], options, ..engine::Request::default() };
    let mut files = Vec::new();
    let (mut cold, mut lines, mut count) = (Vec::new(), 0, 0);
    for _ in 0..RUNS {
        let start = clock();
        let outcome = engine::check(&request, &Progress::default());
        cold.push(since(start));
        (files, lines, count) = (outcome.checked, outcome.statistics.lines, outcome.statistics.analysed_files);
    }
    let cold = median(cold);

    let (mut own, mut all) = (Vec::new(), Vec::new());
    for edit in 0..EDITS {
        let file = &files[(edit / 2 * 997 + 13) % files.len()];
        let (of_file, of_all) = client.edit(file, edit);
        own.push(of_file);
        all.push(of_all);
    }
    println!("{}: {count} files, {lines} lines, {THREADS} threads, median of {EDITS} edits", path.display());
    println!("  cold check                {}", shown(cold));
    println!("  first scan of the server  {}", shown(first));
    println!("  slowest edit              {}", shown(own.iter().copied().max().unwrap_or_default()));
    let (own, all) = (median(own), median(all));
    println!("  edit, its file            {}  ratio {:.2}", shown(own), ratio(own, cold));
    println!("  edit, all files           {}  ratio {:.2}", shown(all), ratio(all, cold));
    println!("  memory                    {:.1} MB after the scan, {:.1} MB now", memory_before, memory());
}

fn ratio(one: Time, other: Time) -> f64 {
    one.0.as_secs_f64() / other.0.as_secs_f64()
}

fn shown((wall, processor): Time) -> String {
    format!("{:>8.1} ms  {:>8.1} ms of processors", wall.as_secs_f64() * 1e3, processor.as_secs_f64() * 1e3)
}

fn median(mut times: Vec<Time>) -> Time {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn clock() -> (Instant, Duration) {
    (Instant::now(), processor_time())
}

fn since((start, processor): (Instant, Duration)) -> Time {
    (start.elapsed(), processor_time().saturating_sub(processor))
}

/// Of this process, as Linux counts it, in ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// Resident megabytes.
fn memory() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = pages.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1e6
}

struct Client {
    connection: Connection,
    next: i32,
    opened: Vec<(PathBuf, i32)>,
}

impl Client {
    fn start(folder: &Path) -> Client {
        let (connection, other) = Connection::memory();
        std::thread::spawn(move || unleak::lsp::serve(&other));
        let mut client = Client { connection, next: 0, opened: Vec::new() };
        let capabilities = json!({"textDocument": {"diagnostic": {}}});
        let settings = json!({"isolated": true, "threads": THREADS});
        let folder = json!([{"uri": uri_of(folder), "name": "bench"}]);
        let params = json!({
            "capabilities": capabilities, "initializationOptions": settings, "workspaceFolders": folder,
        });
        client.request("initialize", params);
        client.notify("initialized", json!({}));
        client
    }

    /// A line comes or goes. The time until the file's own diagnostics are there, and until all are.
    fn edit(&mut self, file: &Path, number: usize) -> (Time, Time) {
        let uri = uri_of(file);
        let version = match self.opened.iter_mut().find(|(open, _)| open == file) {
            Some((_, version)) => {
                *version += 1;
                *version
            }
            None => {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                let document = json!({"uri": uri, "languageId": "python", "version": 1, "text": text});
                self.notify("textDocument/didOpen", json!({"textDocument": document}));
                self.request("textDocument/diagnostic", json!({"textDocument": {"uri": uri}}));
                self.request("workspace/diagnostic", json!({"previousResultIds": []}));
                self.opened.push((file.to_owned(), 1));
                1
            }
        };
        let at = |line: usize| json!({"line": line, "character": 0});
        let text = if version == 1 { format!("added_{number} = []\n") } else { String::new() };
        let range = json!({"start": at(0), "end": at(usize::from(version > 1))});
        let document = json!({"uri": uri, "version": version + 1});
        let changes = json!([{"range": range, "text": text}]);
        let start = clock();
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
        self.request("textDocument/diagnostic", json!({"textDocument": {"uri": uri}}));
        let own = since(start);
        self.request("workspace/diagnostic", json!({"previousResultIds": []}));
        (own, since(start))
    }

    fn notify(&self, method: &str, params: Value) {
        let message = Message::Notification(Notification { method: method.to_owned(), params });
        self.connection.sender.send(message).unwrap_or_else(|error| panic!("{method}: {error}"));
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = RequestId::from(self.next);
        let request = Request { id: id.clone(), method: method.to_owned(), params };
        self.connection.sender.send(Message::Request(request)).unwrap_or_else(|error| panic!("{method}: {error}"));
        loop {
            match self.connection.receiver.recv() {
                Ok(Message::Response(response)) if response.id == id => {
                    return response.response_result.unwrap_or_else(|error| panic!("{method}: {error:?}"));
                }
                Ok(Message::Request(request)) => {
                    let response = Response::new_ok(request.id, Value::Null);
                    self.connection.sender.send(response.into()).unwrap_or_else(|error| panic!("{error}"));
                }
                Ok(_) => {}
                Err(error) => panic!("{method}: {error}"),
            }
        }
    }
}
