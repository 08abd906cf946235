//! Which lines of a program hold more and more memory, and which finding says why.
//!
//! Lines are ranked by what they hold at the end and did not hold when the program was warm, because what is large and
//! stays as it is leaks nothing. A finding explains a line that is a place of its argument, a line that is run from one,
//! or else a line of the same function: what is kept is seldom made in the line that keeps it.

use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::memory::Memory;
use super::trend::{Envelope, every_round_adds};
use crate::engine::Outcome;
use crate::facts::lower::{Bodies, lower};
use crate::facts::{FileFacts, Function, ScopeKind};
use crate::source::{LineIndex, Location, SourceFile, SourceKind};
use crate::syntax;

/// The memory of a run, or of files of one.
#[derive(Debug)]
pub struct Profile {
    /// What grew, the most first.
    pub lines: Vec<Line>,
    /// The same by file.
    pub modules: Vec<Module>,
    /// All memory when the program was warm, and at the end.
    pub before: u64,
    pub after: u64,
    /// How often one looked, and whether that was at the ends of rounds.
    pub looks: usize,
    pub in_rounds: bool,
}

#[derive(Debug)]
pub struct Line {
    pub path: PathBuf,
    pub row: u32,
    /// The function around it, with that of classes and functions around.
    pub function: Option<String>,
    pub sizes: Sizes,
    pub blocks: u64,
    /// The finding that explains it, by its place among the findings.
    pub finding: Option<usize>,
}

#[derive(Debug)]
pub struct Module {
    pub path: PathBuf,
    pub growth: u64,
    pub size: u64,
}

/// What something held at each look.
#[derive(Clone, Debug)]
pub struct Sizes {
    pub series: Vec<(u64, u64)>,
    pub growth: u64,
    pub last: u64,
    pub course: Course,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// To the end.
    Grows,
    /// It had grown, and did so no more.
    Stays,
    /// There were too few looks to tell.
    Unknown,
}

/// With fewer looks, and no rounds, nothing is said of the course.
const FEW_LOOKS: usize = 12;
/// Of a place of many rows so many count.
const MOST_ROWS: u32 = 20;

impl Profile {
    pub fn new(outcome: &Outcome, memories: &[Memory], roots: &[PathBuf]) -> Profile {
        let mut reader = Reader::new(outcome, roots);
        let mut profile = Profile {
            lines: Vec::new(),
            modules: Vec::new(),
            before: 0,
            after: 0,
            looks: memories.iter().map(|memory| chosen(memory).0.len()).max().unwrap_or(0),
            in_rounds: memories.iter().any(|memory| chosen(memory).1),
        };
        for memory in memories {
            profile.add(memory, &mut reader);
        }
        profile.lines.retain(|line| line.sizes.growth > 0);
        profile.lines.sort_by(|a, b| (b.sizes.growth, &a.path, a.row).cmp(&(a.sizes.growth, &b.path, b.row)));
        profile.modules.retain(|module| module.growth > 0);
        profile.modules.sort_by(|a, b| (b.growth, &a.path).cmp(&(a.growth, &b.path)));
        for line in &mut profile.lines {
            line.function = reader.function_at(&line.path, line.row).map(|function| function.name.clone());
        }
        profile
    }

    fn add(&mut self, memory: &Memory, reader: &mut Reader) {
        let (looks, in_rounds) = chosen(memory);
        if looks.is_empty() {
            return;
        }
        let mut lines: FxHashMap<(PathBuf, u32), Held> = FxHashMap::default();
        let mut modules: FxHashMap<PathBuf, Vec<u64>> = FxHashMap::default();
        let mut all = vec![0; looks.len()];
        let places: Vec<Stack> = memory.stacks.iter().map(|stack| reader.stack(stack)).collect();
        for (at, look) in looks.iter().enumerate() {
            for (stack, size, blocks) in &memory.snapshots[*look].sizes {
                let Stack { line: Some(line), finding } = &places[*stack] else { continue };
                let held = lines.entry(line.clone()).or_insert_with(|| Held::new(looks.len()));
                held.sizes[at] += size;
                *held.explained.entry(*finding).or_default() += if at + 1 == looks.len() { *size } else { 0 };
                held.blocks = if at + 1 == looks.len() { held.blocks + blocks } else { 0 };
                modules.entry(line.0.clone()).or_insert_with(|| vec![0; looks.len()])[at] += size;
                all[at] += size;
            }
        }
        let all = Sizes::new(&all, in_rounds);
        self.before += all.last - all.growth;
        self.after += all.last;
        for ((path, row), held) in lines {
            let sizes = Sizes::new(&held.sizes, in_rounds);
            let finding =
                held.explained.iter().max_by_key(|(finding, size)| (**size, **finding)).and_then(|most| *most.0);
            self.add_line(Line { path, row, function: None, sizes, blocks: held.blocks, finding });
        }
        for (path, sizes) in modules {
            let Sizes { growth, last: size, .. } = Sizes::new(&sizes, in_rounds);
            match self.modules.iter_mut().find(|module| module.path == path) {
                Some(module) => {
                    module.growth += growth;
                    module.size += size;
                }
                None => self.modules.push(Module { path, growth, size }),
            }
        }
    }

    /// What several processes hold by one line is added; the course is that of the one in which it grew most.
    fn add_line(&mut self, line: Line) {
        let Some(known) = self.lines.iter_mut().find(|known| known.row == line.row && known.path == line.path) else {
            self.lines.push(line);
            return;
        };
        let (growth, last) = (known.sizes.growth + line.sizes.growth, known.sizes.last + line.sizes.last);
        if line.sizes.growth > known.sizes.growth {
            known.sizes = line.sizes;
        }
        known.finding = known.finding.or(line.finding);
        known.blocks += line.blocks;
        (known.sizes.growth, known.sizes.last) = (growth, last);
    }

    /// What the lines that a finding explains have grown by.
    pub fn growth_of(&self, finding: usize) -> u64 {
        self.lines.iter().filter(|line| line.finding == Some(finding)).map(|line| line.sizes.growth).sum()
    }
}

/// The looks that count: those at the ends of rounds where there are any.
fn chosen(memory: &Memory) -> (Vec<usize>, bool) {
    let all = 0..memory.snapshots.len();
    let marked: Vec<usize> = all.clone().filter(|at| memory.snapshots[*at].round.is_some()).collect();
    if marked.len() > 1 { (marked, true) } else { (all.collect(), false) }
}

/// What one line held, and by which findings that is explained.
struct Held {
    sizes: Vec<u64>,
    explained: FxHashMap<Option<usize>, u64>,
    blocks: u64,
}

impl Held {
    fn new(looks: usize) -> Held {
        Held { sizes: vec![0; looks], explained: FxHashMap::default(), blocks: 0 }
    }
}

impl Sizes {
    /// What was held at least from each look on; the first looks, or the first round, are the warm-up.
    fn new(sizes: &[u64], in_rounds: bool) -> Sizes {
        let series: Vec<(u64, u64)> = sizes.iter().enumerate().map(|(at, size)| (at as u64, *size)).collect();
        let mut lowest = sizes.to_vec();
        for at in (1..lowest.len()).rev() {
            lowest[at - 1] = lowest[at - 1].min(lowest[at]);
        }
        let last = lowest.last().copied().unwrap_or(0);
        let warm_up = if in_rounds { 0 } else { lowest.len() / 8 };
        let growth = if lowest.len() > 1 { last - lowest[warm_up] } else { last };
        let grows = match in_rounds {
            true if lowest.len() > 2 => Some(every_round_adds(&lowest)),
            false if lowest.len() >= FEW_LOOKS => Some(Envelope::new(&series).goes_on_growing()),
            _ => None,
        };
        let course = match grows {
            Some(true) => Course::Grows,
            Some(false) => Course::Stays,
            None => Course::Unknown,
        };
        Sizes { series, growth, last, course }
    }
}

/// What a stack counts for.
struct Stack {
    line: Option<(PathBuf, u32)>,
    finding: Option<usize>,
}

/// A function of a file, by its rows.
#[derive(Clone, Debug)]
struct Rows {
    name: String,
    first: u32,
    last: u32,
}

/// Answers what the program says of a line.
struct Reader<'a> {
    roots: &'a [PathBuf],
    /// Where findings hold or acquire, and everything else in their arguments.
    main_places: FxHashMap<(PathBuf, u32), usize>,
    other_places: FxHashMap<(PathBuf, u32), usize>,
    /// By the paths as they are given: the real ones, and whether they are of the program.
    real: FxHashMap<PathBuf, (PathBuf, bool)>,
    functions: FxHashMap<PathBuf, Vec<Rows>>,
    /// By the file and the first row of functions that have a main place.
    explained: FxHashMap<(PathBuf, u32), usize>,
}

impl<'a> Reader<'a> {
    fn new(outcome: &Outcome, roots: &'a [PathBuf]) -> Reader<'a> {
        let (main_places, other_places) = places(outcome);
        let mut reader = Reader {
            roots,
            main_places,
            other_places,
            real: FxHashMap::default(),
            functions: FxHashMap::default(),
            explained: FxHashMap::default(),
        };
        let mut main: Vec<_> = reader.main_places.iter().map(|(at, finding)| (at.clone(), *finding)).collect();
        main.sort_by_key(|(_, finding)| std::cmp::Reverse(*finding));
        for ((path, row), finding) in main {
            if let Some(first) = reader.function_at(&path, row).map(|function| function.first) {
                reader.explained.insert((path, first), finding);
            }
        }
        reader
    }

    fn stack(&mut self, frames: &[(PathBuf, u32)]) -> Stack {
        // What a module needs to be there is asked for once.
        if frames.iter().any(|frame| frame.0.to_string_lossy().starts_with("<frozen importlib")) {
            return Stack { line: None, finding: None };
        }
        let frames: Vec<(PathBuf, u32, bool)> = (frames.iter())
            .map(|(path, row)| {
                let (path, is_own) = self.real(path);
                (path, *row, is_own)
            })
            .collect();
        let own: Vec<(PathBuf, u32)> =
            frames.iter().filter(|frame| frame.2).map(|frame| (frame.0.clone(), frame.1)).collect();
        let line = own.first().cloned().or_else(|| frames.first().map(|frame| (frame.0.clone(), frame.1)));
        let main = own.iter().find_map(|place| self.main_places.get(place).copied());
        let other = || line.as_ref().and_then(|place| self.other_places.get(place).copied());
        let mut finding = main.or_else(other);
        if let (None, Some((path, row))) = (finding, own.first()) {
            let first = self.function_at(path, *row).map(|function| function.first);
            finding = first.and_then(|first| self.explained.get(&(path.clone(), first)).copied());
        }
        Stack { line, finding }
    }

    fn real(&mut self, path: &Path) -> (PathBuf, bool) {
        if let Some(known) = self.real.get(path) {
            return known.clone();
        }
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_below = |root: &PathBuf| real.strip_prefix(root).is_ok_and(|rest| !is_of_packages(rest));
        let is_own = self.roots.iter().any(is_below);
        self.real.insert(path.to_owned(), (real.clone(), is_own));
        (real, is_own)
    }

    /// The innermost function around a row.
    fn function_at(&mut self, path: &Path, row: u32) -> Option<&Rows> {
        if !self.functions.contains_key(path) {
            self.functions.insert(path.to_owned(), functions_of(path));
        }
        let around = self.functions[path].iter().filter(|function| function.first <= row && row <= function.last);
        around.max_by_key(|function| function.first)
    }
}

fn is_of_packages(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "site-packages")
}

type Places = FxHashMap<(PathBuf, u32), usize>;

/// Rows of the findings' own places and of the first steps of their arguments, which say where it grows; then of the
/// others. Of several findings in a row the first counts.
fn places(outcome: &Outcome) -> (Places, Places) {
    let (mut main, mut other) = (Places::default(), Places::default());
    for (number, finding) in outcome.findings.iter().enumerate() {
        let related = finding.related.iter().enumerate();
        let related = related.map(|(index, label)| (label.location, index == 0 || label.message.contains("grows")));
        for (location, is_main) in std::iter::once((finding.location, true)).chain(related) {
            for place in rows(location, outcome) {
                let places = if is_main { &mut main } else { &mut other };
                places.entry(place).or_insert(number);
            }
        }
    }
    (main, other)
}

fn rows(location: Location, outcome: &Outcome) -> Vec<(PathBuf, u32)> {
    let Some(file) = outcome.file(location.file) else { return Vec::new() };
    let (first, last) = (file.lines.row(location.span.start), file.lines.row(location.span.end));
    let path = fs::canonicalize(&file.source.path).unwrap_or_else(|_| file.path.clone());
    (first..=last.min(first + MOST_ROWS)).map(|row| (path.clone(), row)).collect()
}

fn functions_of(path: &Path) -> Vec<Rows> {
    let is_python = path.extension().is_some_and(|extension| extension == "py");
    let Some(text) = fs::read_to_string(path).ok().filter(|_| is_python) else { return Vec::new() };
    let source = SourceFile::new(path, text, SourceKind::Python);
    let tree = syntax::parse(&source);
    let facts = lower(&tree.module, &source.text, Bodies::All);
    let lines = LineIndex::new(&source.text);
    let rows = |function: &Function| Rows {
        name: qualified(&facts, function),
        first: lines.row(function.span.start),
        last: lines.row(function.span.end),
    };
    facts.functions.iter().map(rows).collect()
}

/// The name of a function with those of the classes and functions around it.
fn qualified(facts: &FileFacts, function: &Function) -> String {
    let mut names = vec![function.name.as_str()];
    let mut scope = facts.scope(facts.context(function.context).scope);
    loop {
        match scope.kind {
            ScopeKind::Class(class) => names.push(facts.class(class).name.as_str()),
            ScopeKind::Function(around) => names.push(facts.function(around).name.as_str()),
            ScopeKind::Lambda(_) | ScopeKind::Comprehension => {}
            ScopeKind::Module => break,
        }
        scope = facts.scope(scope.parent);
    }
    names.reverse();
    names.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_no_growth() {
        let sizes = Sizes::new(&[100, 200, 300, 400], true);
        assert_eq!((sizes.growth, sizes.last, sizes.course), (300, 400, Course::Grows));
        assert_eq!(Sizes::new(&[100, 400, 400, 400], true).course, Course::Stays);
        assert_eq!(Sizes::new(&[100, 900, 100], true).growth, 0);
        let many: Vec<u64> = (0..40).map(|look| look * 1000).collect();
        assert_eq!(Sizes::new(&many, false).course, Course::Grows);
        assert_eq!(Sizes::new(&[5, 10], false).course, Course::Unknown);
        assert_eq!(Sizes::new(&[10], false).growth, 10);
    }
}
