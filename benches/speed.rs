//! How much a whole `check` costs beside bare parsing of the same files by the same parser, in the same run.
//!
//! Bare parsing is what nobody who looks at all files can do without: on as many threads, largest first, each file is
//! read from the disk, decoded, parsed to a tree, and its lines are counted. Which files there are has to be found for
//! both, and is timed apart: the first ratio counts it on both sides, the second only against the check. What a check
//! holds at its end is left to the end of the process, as the command leaves it.
//!
//! `cargo bench -- PATH…` measures each tree (this package's fixtures without a path). Absolute times say more about a
//! machine than about unleak, so the ratio is what counts, and the best of several runs is taken on both sides. Each
//! measurement is a process of its own, because peak memory never falls within one. ruff, which is asked for its leak-like rules, is
//! timed where it is on the PATH.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use unleak::engine::{self, Options, Progress, Request, Statistics};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 5;
const THREADS: usize = 2;

/// One run of one kind.
#[derive(Clone)]
struct Measure {
    time: Duration,
    /// The most memory the process held, in bytes; 0 where the system does not say.
    peak: u64,
    files: usize,
    lines: usize,
    findings: usize,
    /// How long the last phase took.
    last: Duration,
    /// The phases and how long each took, as they are printed.
    phases: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [kind, path] if kind == "--measure-check" => measured(path, check),
        [kind, path] if kind == "--measure-parse" => measured(path, parse),
        [] => compare(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")),
        paths => paths.iter().for_each(|path| compare(path)),
    }
}

fn compare(path: &str) {
    let check = best(path, "--measure-check");
    let parse = best(path, "--measure-parse");
    println!("{path}: {} files, {} lines, {THREADS} threads, best of {RUNS}", check.files, check.lines);
    println!("  bare parse  {}", shown(&parse));
    println!("              {}", parse.phases);
    println!("  check       {}  {} findings", shown(&check), check.findings);
    println!("  phases      {}", check.phases);
    let (check, parse) = (check.time.as_secs_f64(), [parse.time, parse.last].map(|time| time.as_secs_f64()));
    println!("  ratio       {:.2}, {:.2} if the files were known to the parser", check / parse[0], check / parse[1]);
    if let Some(time) = ruff(path) {
        println!("  ruff        {:>8.1} ms  (B019, SIM115, RUF006)", time.as_secs_f64() * 1e3);
    }
}

fn shown(measure: &Measure) -> String {
    let time = measure.time.as_secs_f64() * 1e3;
    let per_line = measure.peak as f64 / measure.lines.max(1) as f64;
    format!("{time:>8.1} ms  {:>7.1} MB  {per_line:>6.1} bytes a line", measure.peak as f64 / 1e6)
}

/// The fastest of several processes, with the smallest peak among them.
fn best(path: &str, kind: &str) -> Measure {
    let measures: Vec<Measure> = (0..RUNS).map(|_| in_own_process(path, kind)).collect();
    let peak = measures.iter().map(|measure| measure.peak).min().unwrap_or_default();
    let fastest = measures.into_iter().min_by_key(|measure| measure.time);
    fastest.map(|fastest| Measure { peak, ..fastest }).unwrap_or_else(|| panic!("{path}: nothing measured"))
}

fn in_own_process(path: &str, kind: &str) -> Measure {
    let program = std::env::current_exe().unwrap_or_else(|error| panic!("this program has no path: {error}"));
    let output = Command::new(program).args([kind, path]).output().unwrap_or_else(|error| panic!("{kind}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let (line, phases) = text.split_once('\n').unwrap_or((&text, ""));
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [nanoseconds, peak, files, lines, findings, last] = numbers[..] else {
        panic!("{kind} {path}: {text}{}", String::from_utf8_lossy(&output.stderr))
    };
    Measure {
        time: Duration::from_nanos(nanoseconds),
        peak,
        files: files as usize,
        lines: lines as usize,
        findings: findings as usize,
        last: Duration::from_nanos(last),
        phases: phases.trim().to_owned(),
    }
}

/// Measures in this process and prints the numbers for the one that started it.
fn measured(path: &str, work: fn(&Request) -> (Statistics, usize)) {
    let threads = std::num::NonZeroUsize::new(THREADS);
    let options = Options { threads, ..Options::default() };
    let request = Request { paths: vec![PathBuf::from(path)], options, ..Request::default() };
    let start = Instant::now();
    let (Statistics { analysed_files, lines, phases, .. }, findings) = work(&request);
    let time = start.elapsed().as_nanos();
    let last = phases.last().map_or(0, |(_, time)| time.as_nanos());
    println!("{time} {} {analysed_files} {lines} {findings} {last}", peak_memory());
    let phases = phases.iter().map(|(phase, time)| format!("{phase} {:.1} ms", time.as_secs_f64() * 1e3));
    println!("{}", phases.collect::<Vec<_>>().join(", "));
}

fn check(request: &Request) -> (Statistics, usize) {
    let mut outcome = engine::check(request, &Progress::default());
    // As the command does, for the process ends.
    std::mem::forget(outcome.remains.take());
    (outcome.statistics, outcome.findings.len())
}

fn parse(request: &Request) -> (Statistics, usize) {
    (engine::bare_parse(request), 0)
}

/// The high-water mark of resident memory, as Linux keeps it.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.unwrap_or(0u64) * 1024
}

fn ruff(path: &str) -> Option<Duration> {
    let arguments = ["check", "--no-cache", "--isolated", "--quiet", "--select", "B019,SIM115,RUF006", path];
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let threads = THREADS.to_string();
        Command::new("ruff").args(arguments).env("RAYON_NUM_THREADS", threads).output().ok()?;
        times.push(start.elapsed());
    }
    times.into_iter().min()
}
