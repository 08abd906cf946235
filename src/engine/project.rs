//! A program that is checked again and again while its texts change.
//!
//! What was lowered of a file is kept until that file changes, so a check reads again only what is new, links all
//! facts and runs the rules. Its outcome is that of [`super::check`] on the same contents: both end in the same code,
//! and which files there are is asked of the disk as soon as one may have come or gone. Texts of an editor stand for
//! files of the disk, whether these are there or not.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::baseline::Baseline;
use super::load::{self, Content, FoundFile};
use super::{Early, Ground, Outcome, Problem, ProblemKind, Progress, Request, ShownFile, Unit};
use super::{baselines, bodies, conclude, for_each_file, lower_file, models, read_unchanged, threads};
use crate::models::Models;
use crate::source::{FileId, LineIndex, SourceFile, SourceKind};
use crate::syntax;

/// How often a check begins anew because a file was written while it was shown.
const MOST_ATTEMPTS: usize = 3;

/// So many files are lowered at once only when a program is read for the first time.
const MANY_FILES: usize = 256;

pub struct Project {
    request: Request,
    threads: rayon::ThreadPool,
    /// Which files there are; `None` when the disk has to be asked.
    found: Option<Found>,
    kept: FxHashMap<PathBuf, Kept>,
    /// Files of the disk that are to be looked at again.
    touched: FxHashSet<PathBuf>,
    /// The outcome of the last check, as long as nothing has changed.
    last: Option<Arc<Outcome>>,
}

/// What follows from which files there are.
struct Found {
    files: Vec<FoundFile>,
    by_path: FxHashMap<PathBuf, usize>,
    models: Cow<'static, Models>,
    baselines: Vec<Baseline>,
    problems: Vec<Problem>,
    is_refused: bool,
}

/// What is kept of a file, and what it was made of.
struct Kept {
    origin: Origin,
    /// Its mistakes are named by it.
    shown: PathBuf,
    is_reported: bool,
    kind: SourceKind,
    unit: Unit,
    /// Its text, once a finding showed it.
    text: OnceLock<(Arc<SourceFile>, Arc<LineIndex>)>,
}

#[derive(Clone, PartialEq)]
enum Origin {
    /// Size and time of the last change; `None` where the system does not tell.
    Disk(u64, Option<SystemTime>),
    Editor(Arc<str>),
}

impl Project {
    /// # Errors
    /// If the machine has no threads to work on.
    pub fn new(request: Request) -> Result<Project, String> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads(&request.options).get())
            .stack_size(syntax::depth::STACK_SIZE)
            .thread_name(|number| format!("unleak-{number}"))
            .build()
            .map_err(|error| error.to_string())?;
        let (kept, touched) = (FxHashMap::default(), FxHashSet::default());
        Ok(Project { request, threads, found: None, kept, touched, last: None })
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Asks for something else from now on; what is known of files stays.
    pub fn set_request(&mut self, request: Request) {
        let unsaved = std::mem::take(&mut self.request.unsaved);
        self.request = Request { unsaved, ..request };
        self.look_again();
    }

    /// A text stands for a file, by its canonical path, or does not any more.
    pub fn set_text(&mut self, path: &Path, text: Option<Arc<str>>) {
        let had_text = match &text {
            Some(text) => self.request.unsaved.insert(path.to_owned(), text.clone()).is_some(),
            None => self.request.unsaved.remove(path).is_some(),
        };
        let on_disk = if text.is_none() { fs::metadata(path).ok().filter(fs::Metadata::is_file) } else { None };
        let Some(found) = &mut self.found else { return };
        match (found.by_path.get(path), text) {
            (Some(index), Some(text)) => {
                found.files[*index].size = text.len() as u64;
                found.files[*index].content = Some(Content::Text(text));
            }
            (Some(index), None) if on_disk.is_some() => {
                found.files[*index].size = on_disk.map_or(0, |metadata| metadata.len());
                found.files[*index].content = None;
                self.touched.insert(path.to_owned());
            }
            // One that is open and does not belong to the program changes nothing.
            (None, Some(_)) if had_text => {}
            // It may belong to the program, or not any more.
            _ => self.found = None,
        }
    }

    /// A file has been written. Where it was not known, all have to be looked for.
    pub fn file_changed(&mut self, path: &Path) {
        match &self.found {
            Some(found) if found.by_path.contains_key(path) => {
                self.touched.insert(path.to_owned());
            }
            _ => self.found = None,
        }
    }

    /// Anything may have changed on the disk.
    pub fn look_again(&mut self) {
        self.found = None;
    }

    /// Whether a file belongs to the program, as far as that is known.
    pub fn has(&self, path: &Path) -> bool {
        self.found.as_ref().is_some_and(|found| found.by_path.contains_key(path))
    }

    /// The canonical path of a file, by how the outcome shows it.
    pub fn path_of(&self, shown: &Path) -> Option<PathBuf> {
        let files = &self.found.as_ref()?.files;
        files.iter().find(|file| file.shown == shown).map(|file| file.path.clone())
    }

    /// What stands for a file at the moment.
    pub fn text(&self, path: &Path) -> Option<Arc<str>> {
        self.request.unsaved.get(path).cloned()
    }

    /// The outcome of [`super::check`] on the contents as they are now.
    pub fn check(&mut self, progress: &Progress, mut early: Option<Early>) -> Arc<Outcome> {
        let mut outcome = Arc::default();
        for _ in 0..MOST_ATTEMPTS {
            outcome = self.check_once(progress, early.take());
            if !outcome.problems.iter().any(|problem| problem.kind == ProblemKind::Changed) {
                break;
            }
            self.look_again();
        }
        self.last = Some(outcome.clone());
        outcome
    }

    fn check_once(&mut self, progress: &Progress, early: Option<Early>) -> Arc<Outcome> {
        let start = Instant::now();
        let Project { request, threads: pool, found, kept, touched, last } = self;
        let found = match found {
            Some(found) => found,
            None => {
                request.options.configuration = request.options.configuration.anew();
                let looked = pool.install(|| Found::new(request));
                kept.retain(|path, _| looked.by_path.contains_key(path));
                // Whatever was written meanwhile is told by its size and time.
                touched.extend(looked.files.iter().map(|file| file.path.clone()));
                *last = None;
                found.insert(looked)
            }
        };
        let mut outcome = Outcome { problems: found.problems.clone(), ..Outcome::default() };
        if found.is_refused {
            return Arc::new(outcome);
        }
        outcome.statistics.phases.push(("find", start.elapsed()));
        pool.install(|| {
            let start = Instant::now();
            let has_changed = read_what_changed(found, kept, touched, progress);
            touched.clear();
            if let Some(last) = last.take().filter(|_| !has_changed) {
                return last;
            }
            let units: Vec<Option<&Kept>> = found.files.iter().map(|file| kept.get(&file.path)).collect();
            let show = |id: FileId| shown(id, &found.files, &units);
            outcome.statistics.phases.push(("read", start.elapsed()));
            let known = units.iter().map(|kept| kept.map_or_else(Unit::nothing, |kept| kept.unit.clone())).collect();
            let ground = Ground { files: &found.files, models: &found.models, baselines: &found.baselines };
            conclude(&ground, known, &show, early, &mut outcome);
            // The outcome is kept until the next.
            Arc::new(outcome.without_remains())
        })
    }
}

impl Found {
    fn new(request: &Request) -> Found {
        let found = load::find(request, threads(&request.options));
        let mut problems = found.problems;
        let is_refused =
            |problems: &[Problem]| problems.iter().any(|problem| problem.kind == ProblemKind::Configuration);
        let mut baselines_read = Vec::new();
        if !is_refused(&problems) {
            baselines_read = baselines(&found.files, &mut problems);
        }
        let (models, in_models) = models(request, &found.files);
        problems.extend(in_models);
        let by_path = found.files.iter().enumerate().map(|(index, file)| (file.path.clone(), index)).collect();
        let is_refused = is_refused(&problems);
        Found { files: found.files, by_path, models, baselines: baselines_read, problems, is_refused }
    }
}

/// Lowers the files that are not what they were, and says whether there are any.
fn read_what_changed(
    found: &Found,
    kept: &mut FxHashMap<PathBuf, Kept>,
    touched: &FxHashSet<PathBuf>,
    progress: &Progress,
) -> bool {
    let files = &found.files;
    // Of what is neither touched nor in an editor nothing can have changed.
    let candidates = files.iter().filter(|file| file.content.is_some() || touched.contains(&file.path));
    let candidates: Vec<&FoundFile> = candidates.collect();
    let known = &*kept;
    let stale: Vec<(&FoundFile, Origin)> = (candidates.into_par_iter())
        .filter_map(|file| {
            let origin = origin(file);
            let is_known = known.get(&file.path).is_some_and(|kept| kept.is_of(file, &origin));
            (!is_known).then_some((file, origin))
        })
        .collect();
    progress.files.store(stale.len(), Ordering::Relaxed);
    progress.done.store(0, Ordering::Relaxed);
    let read = |file: &FoundFile| {
        let unit = lower_file(file, bodies(file));
        progress.done.fetch_add(1, Ordering::Relaxed);
        unit
    };
    let units: Vec<Unit> = for_each_file(&stale, |(file, _)| file.size, |(file, _)| read(file));
    if stale.len() > MANY_FILES {
        rayon::broadcast(|_| super::forget_room());
    }
    let mut has_changed = false;
    for ((file, origin), unit) in stale.into_iter().zip(units) {
        // Opened in an editor, or written as it was.
        if let Some(kept) = kept.get_mut(&file.path).filter(|kept| kept.has_contents(file, &unit)) {
            kept.origin = origin;
            continue;
        }
        has_changed = true;
        let (shown, is_reported, kind) = (file.shown.clone(), file.reported, file.kind);
        let new = Kept { origin, shown, is_reported, kind, unit, text: OnceLock::new() };
        kept.insert(file.path.clone(), new);
    }
    has_changed
}

fn origin(file: &FoundFile) -> Origin {
    match &file.content {
        Some(Content::Text(text)) => Origin::Editor(text.clone()),
        Some(Content::Bytes(bytes)) => Origin::Editor(String::from_utf8_lossy(bytes).as_ref().into()),
        None => {
            let metadata = fs::metadata(&file.path).ok();
            let size = metadata.as_ref().map_or(0, fs::Metadata::len);
            Origin::Disk(size, metadata.and_then(|metadata| metadata.modified().ok()))
        }
    }
}

impl Kept {
    fn is_of(&self, file: &FoundFile, origin: &Origin) -> bool {
        let is_same = match (&self.origin, origin) {
            (Origin::Editor(one), Origin::Editor(other)) => Arc::ptr_eq(one, other) || one == other,
            // What does not say when it was written is read again.
            (Origin::Disk(_, None), Origin::Disk(..)) => false,
            (one, other) => one == other,
        };
        is_same && self.is_read_as(file)
    }

    fn has_contents(&self, file: &FoundFile, unit: &Unit) -> bool {
        self.unit.hash.is_some() && self.unit.hash == unit.hash && self.is_read_as(file)
    }

    fn is_read_as(&self, file: &FoundFile) -> bool {
        let is_named = self.shown == file.shown && self.is_reported == file.reported;
        is_named && self.kind == file.kind && self.unit.bodies == bodies(file)
    }
}

fn shown(id: FileId, files: &[FoundFile], units: &[Option<&Kept>]) -> Option<ShownFile> {
    let file = files.get(id.0 as usize)?;
    let kept = (*units.get(id.0 as usize)?)?;
    if let Some((source, lines)) = kept.text.get() {
        let (source, lines) = (source.clone(), lines.clone());
        return Some(ShownFile { id, path: file.path.clone(), source, lines });
    }
    let shown = read_unchanged(id, file, kept.unit.hash)?;
    let _ = kept.text.set((shown.source.clone(), shown.lines.clone()));
    Some(shown)
}
