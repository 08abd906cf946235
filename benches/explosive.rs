//! What the analysis of paths costs on functions that no person writes, at one size and at twice that size.
//!
//! `cargo bench --bench explosive`. Work is bounded for each function: beyond a number of states nothing is claimed about
//! it, so that twice the size costs about twice the time, and a machine's report never takes a second.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use unleak::engine::{self, Options};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 3;

/// A generator of programs: its name, the size, and the text of that size.
type Shape = (&'static str, usize, fn(usize) -> String);

const SHAPES: [Shape; 7] = [
    ("branches one after another", 10_000, branches),
    ("arms of one statement", 10_000, arms),
    ("tries one after another", 1_000, tries),
    ("tries in one another", 1_000, nested_tries),
    ("lines of one function", 5_000, lines),
    ("resources of one function", 1_000, resources),
    ("classes that refer to each other", 1_000, classes),
];

fn main() {
    // `cargo bench -- PATH` is for the other bench.
    if std::env::args().skip(1).any(|argument| argument != "--bench") {
        return;
    }
    for (name, size, make) in SHAPES {
        let (once, twice) = (best(&make(size)), best(&make(2 * size)));
        let ratio = twice.as_secs_f64() / once.as_secs_f64();
        let (once, twice) = (once.as_secs_f64() * 1e3, twice.as_secs_f64() * 1e3);
        println!("{size:>6} {name:<28} {once:>8.1} ms   twice as many {twice:>8.1} ms   ratio {ratio:.2}");
    }
}

fn best(text: &str) -> Duration {
    let runs = (0..RUNS).map(|_| {
        let sources = vec![(PathBuf::from("program.py"), text.to_owned())];
        let start = Instant::now();
        engine::check_sources(sources, &Options::default());
        start.elapsed()
    });
    runs.min().unwrap_or_default()
}

const HEAD: &str = "import os\n\n\ndef f(a, g):\n    descriptor = os.open(a, os.O_RDONLY)\n";

fn branches(size: usize) -> String {
    let mut text = HEAD.to_owned();
    for number in 0..size {
        let _ = writeln!(text, "    if a == {number}:\n        g({number})");
    }
    text + "    os.close(descriptor)\n"
}

fn arms(size: usize) -> String {
    let mut text = HEAD.to_owned() + "    if a == 0:\n        return None\n";
    for number in 1..size {
        let _ = writeln!(text, "    elif a == {number}:\n        g(descriptor)");
    }
    text + "    os.close(descriptor)\n"
}

fn tries(size: usize) -> String {
    let mut text = HEAD.to_owned();
    for number in 0..size {
        let _ = writeln!(
            text,
            "    try:\n        g({number})\n    except OSError:\n        pass\n    finally:\n        g()"
        );
    }
    text + "    os.close(descriptor)\n"
}

fn nested_tries(size: usize) -> String {
    let mut text = HEAD.to_owned();
    for depth in 4..size + 4 {
        let _ = writeln!(text, "{}try:", " ".repeat(depth));
    }
    let _ = writeln!(text, "{}g(descriptor)", " ".repeat(size + 4));
    for depth in (4..size + 4).rev() {
        let indent = " ".repeat(depth);
        let _ = writeln!(text, "{indent}finally:\n{indent} g()");
    }
    text + "    os.close(descriptor)\n"
}

fn lines(size: usize) -> String {
    let mut text = HEAD.to_owned();
    for number in 0..size {
        let _ = writeln!(text, "    x{number} = g(x{})", number.saturating_sub(1));
    }
    text + "    os.close(descriptor)\n"
}

fn resources(size: usize) -> String {
    let mut text = HEAD.to_owned();
    for number in 0..size {
        let _ = writeln!(text, "    d{number} = os.open(a, os.O_RDONLY)\n    g()\n    os.close(d{number})");
    }
    text + "    os.close(descriptor)\n"
}

/// Each instance holds one of the class before, and is held by it.
fn classes(size: usize) -> String {
    let mut text = String::new();
    for number in 0..size {
        let before = number.saturating_sub(1);
        let _ = write!(
            text,
            "class C{number}:\n    def __init__(self, other):\n        self.other = other\n        self.next = C{before}(self)\n        \
             other.items.append(self)\n\n    def __del__(self):\n        self.other.done(self)\n\n\n"
        );
    }
    text
}
