//! From what the user named to findings.
//!
//! [`load`] says which files there are; each is read, parsed and lowered to facts on its own, in parallel, and its
//! text and tree are dropped at once: that, not speed, is why text is read a second time for the few files that are
//! shown. All facts are linked to a program, and each rule looks at each reported module. A file or a rule that
//! fails is named among the problems and the rest goes on. The outcome is the same on any number of threads.

pub mod baseline;
pub mod load;
mod names;
pub(crate) mod panics;
pub mod project;
mod standard_library;
mod suppress;

use std::borrow::Cow;
use std::cell::Cell;
use std::fs;
use std::hash::Hasher;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use self::baseline::{Baseline, Known};
use self::load::{Content, Found, FoundFile};
use self::names::{Imported, ModulePath};
use self::suppress::{FileSuppressions, Suppressions};
use crate::config::{Configuration, Settings};
use crate::facts::FileFacts;
use crate::facts::lower::{self, Bodies};
use crate::finding::{Confidence, Finding};
use crate::models::{ModelError, Models};
use crate::program::{Module, ModuleId, ModuleIndex, ModuleInput, Program, Remains, Role};
use crate::rules::{self, RULES};
use crate::source::{FileId, LineIndex, Position, SourceFile, SourceKind};
use crate::syntax::{self, DecodeError};

/// What a run is asked to do.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Files and folders that are reported on.
    pub paths: Vec<PathBuf>,
    /// Text that stands for a file: its path and its bytes as they were read.
    pub stdin: Option<(PathBuf, Vec<u8>)>,
    /// The user's own model files: path and text.
    pub models: Vec<(PathBuf, String)>,
    /// Texts that stand for files on the disk, by the paths as they are shown.
    pub texts: FxHashMap<PathBuf, String>,
    /// The same by canonical paths, of files that need not be there.
    pub unsaved: FxHashMap<PathBuf, Arc<str>>,
    pub options: Options,
}

#[derive(Clone, Debug, Default)]
pub struct Options {
    pub configuration: Configuration,
    /// As many as there are processors if not said.
    pub threads: Option<NonZeroUsize>,
}

/// How far a run is; read by others while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    pub files: AtomicUsize,
    pub done: AtomicUsize,
}

#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Sorted by file path, place and code.
    pub findings: Vec<Finding>,
    /// Every file that a finding names, by id.
    pub files: Vec<ShownFile>,
    pub problems: Vec<Problem>,
    /// What the baselines of the files knew.
    pub known: Known,
    /// The canonical paths of the files that were reported on.
    pub checked: Vec<PathBuf>,
    pub statistics: Statistics,
    /// To give back what the program held takes a fiftieth of a check's time. Who is about to exit need not wait for it.
    pub remains: Option<Remains>,
}

impl Outcome {
    pub fn file(&self, id: FileId) -> Option<&ShownFile> {
        self.files.binary_search_by_key(&id, |file| file.id).ok().map(|index| &self.files[index])
    }

    /// For who goes on working: gives back what the program held.
    pub fn without_remains(self) -> Outcome {
        Outcome { remains: None, ..self }
    }

    /// Nothing was checked, because a configuration does not say how.
    pub fn is_refused(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind == ProblemKind::Configuration)
    }

    /// Something that the user asked for could not be done.
    pub fn is_incomplete(&self) -> bool {
        self.problems.iter().any(Problem::is_failure)
    }
}

/// A file whose text is shown.
#[derive(Clone, Debug)]
pub struct ShownFile {
    pub id: FileId,
    /// Its canonical path.
    pub path: PathBuf,
    pub source: Arc<SourceFile>,
    pub lines: Arc<LineIndex>,
}

/// What went wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: PathBuf,
    pub position: Option<Position>,
    /// Lower case, without a full stop.
    pub message: String,
    pub kind: ProblemKind,
    /// It concerns a file that the user asked about, not one around it.
    pub named: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// What could be parsed was checked; other tools report such errors.
    Syntax,
    /// It could not be read or decoded.
    Unreadable,
    TooDeep,
    /// A fault of unleak itself.
    Panic,
    /// The file changed while it was checked.
    Changed,
    /// The user's own models cannot be read.
    Models,
    /// A configuration has a mistake; nothing was checked.
    Configuration,
    /// The machine has no room for the run.
    Resources,
}

impl Problem {
    /// Whether the run could not do what it was asked for.
    pub fn is_failure(&self) -> bool {
        match self.kind {
            ProblemKind::Syntax => false,
            ProblemKind::Unreadable | ProblemKind::TooDeep => self.named,
            ProblemKind::Panic
            | ProblemKind::Changed
            | ProblemKind::Models
            | ProblemKind::Configuration
            | ProblemKind::Resources => true,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Files that were reported on.
    pub files: usize,
    /// Files that were read, those around included.
    pub analysed_files: usize,
    /// Lines of all files that were read.
    pub lines: usize,
    /// The time each phase took, in the order in which they ran.
    pub phases: Vec<(&'static str, Duration)>,
}

/// The main job.
pub fn check(request: &Request, progress: &Progress) -> Outcome {
    let threads = threads(&request.options);
    on_large_stacks(threads, || {
        let start = Instant::now();
        let found = load::find(request, threads);
        let mut outcome = check_found(found, request, progress);
        outcome.statistics.phases.insert(0, ("find", start.elapsed() - outcome.statistics.total()));
        outcome
    })
    .unwrap_or_else(|message| Outcome { problems: vec![no_threads(message)], ..Outcome::default() })
}

/// The same for texts that are not on disk; all of them are reported.
pub fn check_sources(sources: Vec<(PathBuf, String)>, options: &Options) -> Outcome {
    let request = Request { options: options.clone(), ..Request::default() };
    let work = || check_found(load::given(sources, &options.configuration), &request, &Progress::default());
    on_large_stacks(threads(options), work)
        .unwrap_or_else(|message| Outcome { problems: vec![no_threads(message)], ..Outcome::default() })
}

/// Only reads, decodes and parses what [`check`] would, for comparison: how many lines there are, and as phases what it
/// took to find the files and to do the rest.
#[doc(hidden)]
pub fn bare_parse(request: &Request) -> Statistics {
    let threads = threads(&request.options);
    on_large_stacks(threads, || {
        let start = Instant::now();
        let found = load::find(request, threads);
        let find = start.elapsed();
        let lines = for_each_file(
            &found.files,
            |file| file.size,
            |file| {
                let source = read(file).ok()?.0;
                syntax::parse_only(&source);
                let lines = count_lines(&source.text);
                done_with(source);
                Some(lines)
            },
        );
        Statistics {
            analysed_files: found.files.len(),
            lines: lines.into_iter().flatten().sum(),
            phases: vec![("find", find), ("parse", start.elapsed() - find)],
            ..Statistics::default()
        }
    })
    .unwrap_or_default()
}

/// The files that [`check`] would report on, and what is wrong with others.
pub fn find(request: &Request) -> Found {
    let threads = threads(&request.options);
    on_large_stacks(threads, || load::find(request, threads))
        .map(|mut found| {
            found.files.retain(|file| file.reported);
            found
        })
        .unwrap_or_else(|message| Found { problems: vec![no_threads(message)], ..Found::default() })
}

fn threads(options: &Options) -> NonZeroUsize {
    options.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// Runs `work` on threads whose stacks can hold the deepest tree that is let through.
pub(crate) fn on_large_stacks<T: Send>(threads: NonZeroUsize, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .stack_size(syntax::depth::STACK_SIZE)
        .thread_name(|number| format!("unleak-{number}"))
        .build()
        .map(|pool| pool.install(work))
        .map_err(|error| error.to_string())
}

fn no_threads(message: String) -> Problem {
    let message = format!("no threads to work on: {message}");
    Problem { path: PathBuf::from("."), position: None, message, kind: ProblemKind::Resources, named: true }
}

fn check_found(found: Found, request: &Request, progress: &Progress) -> Outcome {
    let mut outcome = Outcome { problems: found.problems, ..Outcome::default() };
    if outcome.is_refused() {
        return outcome;
    }
    let files = found.files;
    let baselines = baselines(&files, &mut outcome.problems);
    if outcome.is_refused() {
        return outcome;
    }
    progress.files.store(files.len(), Ordering::Relaxed);

    let start = Instant::now();
    let read = || {
        for_each_file(
            &files,
            |file| file.size,
            |file| {
                let unit = lower_file(file, bodies(file));
                progress.done.fetch_add(1, Ordering::Relaxed);
                unit
            },
        )
    };
    let (units, (models, in_models)) = rayon::join(read, || models(request, &files));
    outcome.problems.extend(in_models);
    rayon::broadcast(|_| forget_room());
    outcome.statistics.phases.push(("read", start.elapsed()));
    let hashes: Vec<Option<u64>> = units.iter().map(|unit| unit.hash).collect();
    let show = |id: FileId| {
        let file = files.get(id.0 as usize)?;
        read_unchanged(id, file, *hashes.get(id.0 as usize)?)
    };
    let known = Ground { files: &files, models: &models, baselines: &baselines };
    conclude(&known, units, &show, None, &mut outcome);
    outcome
}

/// What a check stands on beside the texts.
struct Ground<'a> {
    files: &'a [FoundFile],
    models: &'a Models,
    baselines: &'a [Baseline],
}

/// Files that somebody waits for, and where to send what is found in them as soon as it is known. Nothing is sent
/// where it depends on what is found elsewhere.
pub struct Early<'a> {
    /// Canonical.
    pub paths: &'a [PathBuf],
    pub send: &'a mut (dyn FnMut(Outcome) + Send),
}

/// What is the same whether files were just read or are known from before.
fn conclude(
    ground: &Ground,
    mut units: Vec<Unit>,
    show: &(dyn Fn(FileId) -> Option<ShownFile> + Sync),
    early: Option<Early>,
    outcome: &mut Outcome,
) {
    let Ground { files, models, baselines } = *ground;
    let start = Instant::now();
    outcome.statistics.files = files.iter().filter(|file| file.reported).count();
    outcome.statistics.analysed_files = files.len();
    outcome.statistics.lines = units.iter().map(|unit| unit.lines).sum();
    outcome.problems.extend(units.iter_mut().flat_map(|unit| std::mem::take(&mut unit.problems)));
    let by_file: Vec<FileSuppressions> = units.iter_mut().map(|unit| std::mem::take(&mut unit.suppressions)).collect();
    let modules = modules(files, units);
    match panics::catch(|| Program::link(modules, models)) {
        Ok(program) => {
            outcome.statistics.phases.push(("link", start.elapsed()));
            let start = Instant::now();
            if let Some(early) = early.filter(|_| baselines.is_empty()) {
                find_early(&program, files, &by_file, show, early);
                outcome.statistics.phases.push(("early", start.elapsed()));
            }
            let start = Instant::now();
            find_leaks(&program, Suppressions { files, by_file }, outcome);
            outcome.remains = Some(program.into_remains());
            outcome.statistics.phases.push(("rules", start.elapsed()));
        }
        Err(message) => outcome.problems.push(Problem {
            path: PathBuf::from("."),
            position: None,
            message: format!("unleak failed while linking the program: {message}"),
            kind: ProblemKind::Panic,
            named: true,
        }),
    }

    let start = Instant::now();
    show_files(files, show, outcome);
    baseline::take_known(outcome, files, baselines);
    outcome.checked = files.iter().filter(|file| file.reported).map(|file| file.path.clone()).collect();
    outcome.problems.sort_by(|a, b| (&a.path, a.position, &a.message).cmp(&(&b.path, b.position, &b.message)));
    outcome.statistics.phases.push(("report", start.elapsed()));
}

impl Statistics {
    pub fn total(&self) -> Duration {
        self.phases.iter().map(|(_, duration)| *duration).sum()
    }
}

/// What is left of a file.
#[derive(Clone)]
struct Unit {
    /// `None` for a file that could not be read, parsed or lowered.
    facts: Option<Facts>,
    /// What was asked for of its functions.
    bodies: Bodies,
    hash: Option<u64>,
    lines: usize,
    suppressions: FileSuppressions,
    problems: Vec<Problem>,
}

/// Does the work for every file, the largest first so that no thread is left alone with one at the end. The results
/// are in the order of the files.
fn for_each_file<F: Sync, T: Send>(files: &[F], size: impl Fn(&F) -> u64, work: impl Fn(&F) -> T + Sync) -> Vec<T> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(size(&files[*index])));
    let next = AtomicUsize::new(0);
    let batches = rayon::broadcast(|_| {
        let mut batch = Vec::new();
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            batch.push((*index, work(&files[*index])));
        }
        batch
    });
    let mut results: Vec<Option<T>> = files.iter().map(|_| None).collect();
    for (index, result) in batches.into_iter().flatten() {
        results[index] = Some(result);
    }
    results.into_iter().flatten().collect()
}

impl Unit {
    fn nothing() -> Unit {
        let (suppressions, problems) = (FileSuppressions::default(), Vec::new());
        Unit { facts: None, bodies: Bodies::All, hash: None, lines: 0, suppressions, problems }
    }
}

/// What tests do says nothing of how the code that they test is used, so nobody asks for it where nothing that is found
/// in them is shown.
fn bodies(file: &FoundFile) -> Bodies {
    match file.role == Role::Test && !may_be_shown(file.role, file) {
        true => Bodies::LeftOut,
        false => Bodies::All,
    }
}

/// All bodies are lowered of a file with comments for unleak, for they speak of what is found in them.
fn lower_file(file: &FoundFile, bodies: Bodies) -> Unit {
    let mut unit = Unit { bodies, ..Unit::nothing() };
    let mut problem = |kind, position, message| {
        unit.problems.push(Problem { path: file.shown.clone(), position, message, kind, named: file.reported });
    };
    let (source, hash) = match read(file) {
        Ok(read) => read,
        Err(error) => {
            let position = error.place.map(|(row, column)| Position { cell: None, row, column });
            problem(ProblemKind::Unreadable, position, error.message);
            return unit;
        }
    };
    unit.lines = count_lines(&source.text);
    unit.hash = Some(hash);
    let result = panics::catch(|| {
        let tree = syntax::parse(&source);
        let suppressions = FileSuppressions::new(&source, &tree.directives, !tree.errors.is_empty());
        let bodies = if suppressions.is_empty() { bodies } else { Bodies::All };
        let facts = (!tree.too_deep).then(|| {
            let facts = lower::lower(&tree.module, &source.text, bodies);
            let index = ModuleIndex::of(&facts);
            (Arc::new(facts), Arc::new(index))
        });
        (facts, suppressions, tree.errors, tree.too_deep)
    });
    match result {
        Ok((facts, suppressions, errors, too_deep)) => {
            let kind = if too_deep { ProblemKind::TooDeep } else { ProblemKind::Syntax };
            if file.reported && !errors.is_empty() {
                let lines = LineIndex::new(&source.text);
                for error in errors {
                    problem(kind, Some(source.position(&lines, error.span.start)), error.message);
                }
            }
            unit.facts = facts;
            unit.suppressions = suppressions;
        }
        Err(message) => problem(ProblemKind::Panic, None, format!("unleak failed while reading it: {message}")),
    }
    done_with(source);
    unit
}

thread_local! {
    /// The memory of the text that a thread was done with last: it is still in the processor's cache.
    static ROOM_FOR_TEXT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A file with more text than this is not what the next one should take the memory of.
const MOST_ROOM: usize = 1 << 20;

/// Leaves the text's memory to the next file.
fn done_with(source: SourceFile) {
    let mut room = source.text.into_bytes();
    room.clear();
    if room.capacity() <= MOST_ROOM {
        ROOM_FOR_TEXT.set(room);
    }
}

/// Gives back what this thread keeps for the next file, when there is none.
fn forget_room() {
    drop(ROOM_FOR_TEXT.take());
    lower::forget_tables();
}

/// A file's text, and a hash of what it was made of.
fn read(file: &FoundFile) -> Result<(SourceFile, u64), DecodeError> {
    let bytes = match &file.content {
        Some(Content::Text(text)) if file.kind != SourceKind::Notebook => {
            return Ok((SourceFile::new(&file.shown, &**text, file.kind), hash(text.as_bytes())));
        }
        Some(Content::Text(text)) => text.as_bytes().to_vec(),
        Some(Content::Bytes(bytes)) => bytes.clone(),
        None => {
            let mut bytes = ROOM_FOR_TEXT.take();
            let read = fs::File::open(&file.path).and_then(|mut open| open.read_to_end(&mut bytes));
            read.map_err(|error| DecodeError { message: load::error_message(&error), place: None })?;
            bytes
        }
    };
    let hash = hash(&bytes);
    Ok((syntax::read(&file.shown, bytes, file.kind)?, hash))
}

/// Good enough to notice that a file changed.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

fn count_lines(text: &str) -> usize {
    // A byte can count this many at once, and many bytes are counted at once.
    let breaks: usize = (text.as_bytes().chunks(u8::MAX as usize))
        .map(|chunk| usize::from(chunk.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>()))
        .sum();
    breaks + usize::from(!text.is_empty() && !text.ends_with('\n'))
}

/// The baselines that the configurations of reported files name.
fn baselines(files: &[FoundFile], problems: &mut Vec<Problem>) -> Vec<Baseline> {
    let mut paths: Vec<&PathBuf> =
        files.iter().filter(|file| file.reported).filter_map(|file| file.settings.baseline.as_ref()).collect();
    paths.sort();
    paths.dedup();
    let mut baselines = Vec::new();
    for path in paths {
        let mut refuse = |message| {
            let kind = ProblemKind::Configuration;
            problems.push(Problem { path: path.clone(), position: None, message, kind, named: true });
        };
        match fs::read_to_string(path) {
            Err(error) => refuse(format!("the baseline cannot be read: {}", load::error_message(&error))),
            Ok(text) => match Baseline::parse(path, &text) {
                Err(problem) => problems.push(problem),
                Ok(entries) => {
                    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                    let folder = fs::canonicalize(&folder).unwrap_or(folder);
                    baselines.push(Baseline { path: path.clone(), folder, entries });
                }
            },
        }
    }
    baselines
}

/// What was lowered of a file.
type Facts = (Arc<FileFacts>, Arc<ModuleIndex>);

/// The modules of the program: every file that has facts.
fn modules(files: &[FoundFile], units: Vec<Unit>) -> Vec<(ModuleInput, Arc<ModuleIndex>)> {
    let mut lowered: Vec<Lowered> = (files.par_iter().zip(units).enumerate())
        .filter_map(|(number, (file, unit))| {
            let Unit { facts, bodies, hash, .. } = unit;
            Some(Lowered { id: FileId(number as u32), file, facts: facts?, bodies, hash })
        })
        .collect();
    let choices: Vec<(&ModulePath, &FileFacts)> =
        lowered.iter().map(|lowered| (&lowered.file.module, &*lowered.facts.0)).collect();
    let names = names::decide(&choices);
    let imported: Vec<Imported> = (lowered.iter().zip(&names))
        .map(|(lowered, name)| Imported {
            path: &lowered.file.relative,
            name: *name,
            is_package: lowered.file.module.is_package,
            role: lowered.file.role,
            facts: &lowered.facts.0,
        })
        .collect();
    let parts = names::parts_called_tests(&imported);
    (lowered.par_iter_mut().enumerate())
        .filter(|(number, lowered)| parts.contains(number) && lowered.bodies == Bodies::LeftOut)
        .for_each(|(_, lowered)| lowered.add_bodies());
    (lowered.into_par_iter().zip(names).enumerate())
        .map(|(number, (Lowered { id, file, facts: (facts, index), .. }, name))| {
            let input = ModuleInput {
                file: id,
                path: file.relative.clone(),
                name,
                is_package: file.module.is_package,
                role: if parts.contains(&number) { Role::Library } else { file.role },
                reported: file.reported,
                facts,
            };
            (input, index)
        })
        .collect()
}

/// A file that has facts.
struct Lowered<'f> {
    id: FileId,
    file: &'f FoundFile,
    facts: Facts,
    bodies: Bodies,
    hash: Option<u64>,
}

impl Lowered<'_> {
    /// Lowers again with all bodies, unless the file is not what it was.
    fn add_bodies(&mut self) {
        let unit = lower_file(self.file, Bodies::All);
        if let Some(facts) = unit.facts.filter(|_| unit.hash == self.hash) {
            self.facts = facts;
        }
    }
}

/// The models that come with unleak, those of all configurations, and last those that the command line names.
fn models(request: &Request, files: &[FoundFile]) -> (Cow<'static, Models>, Vec<Problem>) {
    let mut models = Cow::Borrowed(Models::builtin());
    let mut problems = Vec::new();
    let mut settings: Vec<&Arc<Settings>> = files.iter().map(|file| &file.settings).collect();
    settings.sort_by(|a, b| a.origins.cmp(&b.origins));
    settings.dedup_by(|a, b| Arc::ptr_eq(a, b));
    for settings in settings.into_iter().filter(|settings| settings.models != Models::default()) {
        models.to_mut().merge(settings.models.clone());
    }
    for (path, text) in &request.models {
        match Models::load(&path.to_string_lossy(), text) {
            Ok(own) => models.to_mut().merge(own),
            Err(ModelError { row, column, message, .. }) => problems.push(Problem {
                path: path.clone(),
                position: Some(Position { cell: None, row: row as u32, column: column as u32 }),
                message,
                kind: ProblemKind::Models,
                named: true,
            }),
        }
    }
    (models, problems)
}

/// Runs the rules, and keeps of what they find what the user wants to see.
fn find_leaks(program: &Program, mut suppressions: Suppressions, outcome: &mut Outcome) {
    let files = suppressions.files;
    let (mut findings, problems) = run_rules(program, files, |module, file| wanted(module, file, file.reported));
    outcome.problems.extend(problems);
    findings.retain(|finding| !suppressions.hide(finding));
    let open = suppressions.open_codes();
    if !open.is_empty() {
        for finding in run_rules(program, files, |_, _| (Cow::Borrowed(&open), Confidence::Low)).0 {
            suppressions.hide(&finding);
        }
    }
    let name = |file| program.modules.iter().find(|module| module.input.file == file).map(|module| &module.input.name);
    let remarks = suppressions.remarks(|file| name(file).map_or_else(String::new, ToString::to_string));
    findings.extend(remarks.into_iter().filter(|remark| !suppressions.hide(remark)));
    outcome.findings = presented(findings, files);
}

/// What is found in some files before the others are looked at. A file with comments waits, because whether these are
/// needed is decided by all findings.
fn find_early(
    program: &Program,
    files: &[FoundFile],
    by_file: &[FileSuppressions],
    show: &(dyn Fn(FileId) -> Option<ShownFile> + Sync),
    early: Early,
) {
    let is_meant = |file: &FoundFile| file.reported && early.paths.contains(&file.path);
    let has_comments = files.iter().zip(by_file).any(|(file, comments)| is_meant(file) && !comments.is_empty());
    if has_comments {
        return;
    }
    let (mut findings, problems) = run_rules(program, files, |module, file| wanted(module, file, is_meant(file)));
    let mut suppressions = Suppressions { files, by_file: by_file.to_vec() };
    findings.retain(|finding| !suppressions.hide(finding));
    let mut outcome = Outcome { findings: presented(findings, files), problems, ..Outcome::default() };
    outcome.checked = files.iter().filter(|file| is_meant(file)).map(|file| file.path.clone()).collect();
    show_files(files, show, &mut outcome);
    (early.send)(outcome);
}

/// The findings that the user wants to see, as their file's settings say, in their order.
fn presented(mut findings: Vec<Finding>, files: &[FoundFile]) -> Vec<Finding> {
    findings.retain_mut(|finding| {
        let Some(file) = files.get(finding.location.file.0 as usize) else { return false };
        finding.severity = file.settings.severities.get(finding.code).copied().unwrap_or(finding.severity);
        finding.confidence >= file.settings.min_confidence && file.reported
    });
    // Files are numbered in the order of their paths.
    findings.sort_by(|a, b| {
        (a.location, a.code, &a.message, &a.symbol, &a.related)
            .cmp(&(b.location, b.code, &b.message, &b.symbol, &b.related))
    });
    findings
}

/// Whether anything that is found in code of a role may be believed enough to be shown: most of what runs only under tests
/// is not, and need not be looked at.
fn may_be_shown(role: Role, file: &FoundFile) -> bool {
    rules::most_confidence(role) >= file.settings.min_confidence
}

/// The rules that run on a file that is asked about, and the least confidence of what it shows.
fn wanted<'a>(module: &Module, file: &'a FoundFile, is_asked: bool) -> (Cow<'a, [&'static str]>, Confidence) {
    let codes = match is_asked && may_be_shown(module.input.role, file) {
        true => file.settings.rules_for(&file.path),
        false => Cow::default(),
    };
    (codes, file.settings.min_confidence)
}

/// What some rules find, and where they fail; `wanted` says which of them run on a file, and from which confidence on
/// all that they find is needed.
fn run_rules<'a>(
    program: &Program,
    files: &'a [FoundFile],
    wanted: impl Fn(&Module, &'a FoundFile) -> (Cow<'a, [&'static str]>, Confidence) + Sync,
) -> (Vec<Finding>, Vec<Problem>) {
    let results: Vec<(Vec<Finding>, Vec<Problem>)> = (program.par_modules())
        .filter_map(|id| {
            let module = program.module(id);
            let file = files.get(module.input.file.0 as usize)?;
            let (codes, least) = wanted(module, file);
            Some(run_rules_on(program, id, file, (&codes, least)))
        })
        .collect();
    let (findings, problems): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    (findings.into_iter().flatten().collect(), problems.into_iter().flatten().collect())
}

/// `codes` are sorted, as settings have them, and the rules are as well.
fn run_rules_on(
    program: &Program,
    module: ModuleId,
    file: &FoundFile,
    (codes, least): (&[&str], Confidence),
) -> (Vec<Finding>, Vec<Problem>) {
    let mut findings = Vec::new();
    let mut problems = Vec::new();
    let mut codes = codes.iter().peekable();
    for rule in RULES {
        while codes.next_if(|code| **code < rule.code).is_some() {}
        if codes.next_if_eq(&&rule.code).is_none() {
            continue;
        }
        match panics::catch(|| rules::check(rule, module, program, least)) {
            Ok(found) => findings.extend(found),
            Err(message) => problems.push(Problem {
                path: file.shown.clone(),
                position: None,
                message: format!("rule {} failed on it: {message}", rule.code),
                kind: ProblemKind::Panic,
                named: true,
            }),
        }
    }
    (findings, problems)
}

/// Reads again what the findings show. A file that is not what it was loses its findings: their places are wrong.
fn show_files(files: &[FoundFile], show: &(dyn Fn(FileId) -> Option<ShownFile> + Sync), outcome: &mut Outcome) {
    let locations = |finding: &Finding| {
        let related: Vec<FileId> = finding.related.iter().map(|label| label.location.file).collect();
        std::iter::once(finding.location.file).chain(related)
    };
    let mut shown: Vec<FileId> =
        outcome.findings.iter().flat_map(locations).collect::<FxHashSet<_>>().into_iter().collect();
    shown.sort();
    let mut lost = FxHashSet::default();
    let read_again: Vec<(FileId, Option<ShownFile>)> = (shown.into_par_iter()).map(|id| (id, show(id))).collect();
    for (id, file) in read_again {
        match file {
            Some(file) => outcome.files.push(file),
            None => {
                lost.insert(id);
                outcome.problems.push(Problem {
                    path: files.get(id.0 as usize).map(|file| file.shown.clone()).unwrap_or_default(),
                    position: None,
                    message: "it changed while it was checked; check it again".into(),
                    kind: ProblemKind::Changed,
                    named: true,
                });
            }
        }
    }
    outcome.findings.retain(|finding| !locations(finding).any(|file| lost.contains(&file)));
}

fn read_unchanged(id: FileId, file: &FoundFile, hash_before: Option<u64>) -> Option<ShownFile> {
    let (source, hash) = read(file).ok()?;
    if hash_before != Some(hash) {
        return None;
    }
    let lines = Arc::new(LineIndex::new(&source.text));
    Some(ShownFile { id, path: file.path.clone(), source: Arc::new(source), lines })
}
