//! No text makes unleak panic, and the same program gets the same answer however it is read.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};

use unleak::finding::Confidence;

use crate::fixtures::{Program, programs};
use crate::{Source, check_on, check_text, report};

/// A program of which one file ends early.
struct Cut<'a> {
    program: &'a Program,
    index: usize,
    /// In bytes.
    at: usize,
}

fn panics(cut: &Cut) -> Option<String> {
    let mut sources = cut.program.sources.clone();
    sources[cut.index].1.truncate(cut.at);
    let outcome = catch_unwind(AssertUnwindSafe(|| check_on(&sources, Confidence::Low, NonZeroUsize::new(1))));
    let place = || format!("{}: {} cut at byte {}", cut.program.path.display(), sources[cut.index].0.display(), cut.at);
    outcome.is_err().then(|| format!("{} panics", place()))
}

/// What an editor sends while a file is being typed, and worse: each fixture ends at each of its characters.
#[test]
fn a_file_may_end_anywhere() {
    let programs = programs();
    let mut cuts = Vec::new();
    for program in &programs {
        for (index, (_, text)) in program.sources.iter().enumerate() {
            cuts.extend(text.char_indices().map(|(at, _)| Cut { program, index, at }));
        }
    }
    // Plain threads: a thread of a rayon pool that waits for another pool takes up more work and nests without end.
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let failures = std::thread::scope(|scope| {
        let workers: Vec<_> = (cuts.chunks(cuts.len().div_ceil(threads).max(1)))
            .map(|cuts| scope.spawn(|| cuts.iter().filter_map(panics).collect::<Vec<String>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("panics are caught in the thread")).collect()
    });
    report(failures);
}

#[test]
fn strange_texts_are_only_texts() {
    let deep = 100_000;
    let texts = [
        String::new(),
        "\0".to_owned(),
        "\u{feff}X = []\n".to_owned(),
        "X = []\r\ndef f(a):\r\n\tX.append(a)\r\n".to_owned(),
        "X = []\rdef f(a): X.append(a)\r".to_owned(),
        "\x0cclass A:\n\x0c    x = []\n".to_owned(),
        "(".repeat(deep),
        "[".repeat(deep) + &"]".repeat(deep),
        "x = ".to_owned() + &"-".repeat(deep) + "1\n",
        "x = ".to_owned() + &"not ".repeat(deep) + "1\n",
        "x = ".to_owned() + &"a.".repeat(deep) + "b\n",
        "x = a".to_owned() + &"()".repeat(deep) + "\n",
        "x = a".to_owned() + &" + a".repeat(deep) + "\n",
        "x = ".to_owned() + &"a if b else ".repeat(deep) + "c\n",
        "x = ".to_owned() + &"lambda: ".repeat(deep) + "1\n",
        (0..2_000).map(|level| " ".repeat(level) + "if x:\n").collect(),
        (0..2_000).map(|level| " ".repeat(level) + "def f():\n").collect(),
        "if a: pass\n".to_owned() + &"elif a: pass\n".repeat(20_000),
        "x = '".to_owned() + &"a".repeat(10_000_000) + "'\n",
    ];
    for (number, text) in texts.iter().enumerate() {
        let outcome = catch_unwind(AssertUnwindSafe(|| check_text(text)));
        assert!(outcome.is_ok(), "text {number} panics: {:.40}", text);
    }
}

#[test]
fn threads_and_the_order_of_files_change_nothing() {
    // One large program of all fixtures, so that there is something to get wrong.
    let mut sources: Vec<Source> = Vec::new();
    for program in programs() {
        let folder = program.path.with_extension("");
        let folder = folder.strip_prefix("fixtures").unwrap_or(&folder);
        for (path, text) in program.sources {
            sources.push((folder.join(path), text));
        }
    }
    let on = |threads: usize, sources: &[Source]| check_on(sources, Confidence::Low, NonZeroUsize::new(threads));
    let expected = on(1, &sources);
    for threads in [2, 7] {
        assert_eq!(on(threads, &sources), expected, "on {threads} threads");
    }
    sources.reverse();
    assert_eq!(on(3, &sources), expected, "in reverse order");
    let half = sources.len() / 2;
    sources.rotate_left(half);
    assert_eq!(on(3, &sources), expected, "in another order");
}

/// A thousand classes whose instances hold each other: each has its finding, and the work for each is bounded.
#[test]
fn classes_may_all_refer_to_each_other() {
    let mut text = String::new();
    for number in 0..1000 {
        let (before, after) = ((number + 999) % 1000, (number + 1) % 1000);
        text += &format!(
            "class C{number}:\n    def __init__(self, other):\n        self.other = other\n        other.items.add(self)\n        \
             self.before, self.after = C{before}(self), C{after}(self)\n\n    def __del__(self):\n        self.other.done(self)\n\n\n"
        );
    }
    let found = check_text(&text);
    let cycles = found.iter().filter(|finding| finding.code == "LK301").count();
    assert!((1..=1000).contains(&cycles), "{cycles}");
}
