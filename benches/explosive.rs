//! What the analysis costs on functions and programs that no person writes, at one size and at twice that size.
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

/// A generator of programs: its name, the size, and the text of that size. A line that begins with [`NEXT_FILE`] begins
/// another file and names it.
type Shape = (&'static str, usize, fn(usize) -> String);

const NEXT_FILE: &str = "# file ";

const SHAPES: [Shape; 10] = [
    ("branches one after another", 10_000, branches),
    ("arms of one statement", 10_000, arms),
    ("tries one after another", 1_000, tries),
    ("tries in one another", 1_000, nested_tries),
    ("lines of one function", 5_000, lines),
    ("resources of one function", 1_000, resources),
    ("classes that refer to each other", 1_000, classes),
    ("classes in files of their own", 1_000, classes_in_files),
    ("classes that derive from one", 1_000, subclasses),
    ("functions that call each other", 1_000, functions),
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
        let files = text.split(NEXT_FILE).filter(|file| !file.is_empty());
        let sources = files.map(|file| match file.split_once(".py\n") {
            Some((name, text)) => (PathBuf::from(format!("{name}.py")), text.to_owned()),
            None => (PathBuf::from("program.py"), file.to_owned()),
        });
        let sources = sources.collect();
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

/// The same with each class in a module of its own, which all import each other's.
fn classes_in_files(size: usize) -> String {
    let mut text = String::new();
    for number in 0..size {
        let (before, after) = ((number + size - 1) % size, (number + 1) % size);
        let _ = write!(
            text,
            "{NEXT_FILE}m{number}.py\nfrom m{before} import C{before}\nfrom m{after} import C{after}\n\n\nclass C{number}:\n    \
             known = {{}}\n\n    def __init__(self, other: C{after}):\n        self.other = other\n        self.items = []\n        \
             self.next = C{before}(self)\n        other.items.append(self)\n        C{after}.known[id(self)] = self\n\n    \
             def step(self, value):\n        self.other.step(value)\n        self.next.step(self)\n        \
             self.items.append(value)\n"
        );
    }
    text
}

/// A base that registers its instances, and what derives from it does so again.
fn subclasses(size: usize) -> String {
    let mut text =
        "class Base:\n    known = []\n\n    def __init__(self, parent):\n        self.parent = parent\n        \
                    self.children = []\n        self.known.append(self)\n\n    def add(self, child):\n        \
                    self.children.append(child)\n        child.parent = self\n\n\n"
            .to_owned();
    for number in 0..size {
        let _ = write!(
            text,
            "class C{number}(Base):\n    def __init__(self, parent):\n        super().__init__(parent)\n        \
             self.handler = lambda: self.parent\n        parent.add(self)\n\n    def add(self, child):\n        \
             super().add(child)\n        self.last = child\n\n\n"
        );
    }
    text
}

/// Each hands on what it was given to two others, and puts it into a list of all.
fn functions(size: usize) -> String {
    let mut text = "import os\n\nSEEN = []\n\n\n".to_owned();
    for number in 0..size {
        let (next, far) = ((number + 1) % size, (number * 7 + 3) % size);
        let _ = write!(
            text,
            "def f{number}(a, d):\n    d = d or os.open(a, os.O_RDONLY)\n    SEEN.append(a)\n    f{next}(a, d)\n    \
             return f{far}(d, a)\n\n\n"
        );
    }
    text
}
