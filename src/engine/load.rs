//! Which files are read, which of them are reported, and what an import would call them.
//!
//! What is *reported* is what the user named. What is *analysed* is the whole project around it, so that a hook
//! that passes three files says the same as a run over everything. A project is the nearest folder above with a
//! `pyproject.toml`, `setup.py`, `setup.cfg` or `.git`, but never a home folder, the folder for temporary files or
//! the root of the disk; without one it is the outermost package around the file, or just what was named.
//!
//! A path that was named is always taken; what is found below one is subject to what is excluded and to
//! `.gitignore` files, also outside of git. With `force-exclude` what was named is taken only if it would be found.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::gitignore::Gitignore;
use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::names::{self, ModulePath};
use super::{Problem, ProblemKind, Request};
use crate::config::{Configuration, EXCLUDED, Settings};
use crate::program::Role;
use crate::source::SourceKind;

/// A file to be read.
#[derive(Debug)]
pub struct FoundFile {
    /// Where to read it.
    pub path: PathBuf,
    /// How it is shown: below the path that named it, else relative to the current folder where that is shorter.
    pub shown: PathBuf,
    /// Relative to its project.
    pub relative: PathBuf,
    pub kind: SourceKind,
    pub size: u64,
    /// Named by the user, and no stub.
    pub reported: bool,
    pub module: ModulePath,
    pub role: Role,
    /// What the configuration nearest above it says.
    pub settings: Arc<Settings>,
    /// What stands for the file's content, where it is not to be read from disk.
    pub content: Option<Content>,
}

#[derive(Clone, Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    Text(Arc<str>),
}

#[derive(Debug, Default)]
pub struct Found {
    /// Sorted by how they are shown.
    pub files: Vec<FoundFile>,
    pub problems: Vec<Problem>,
}

/// Larger files are refused: they are data, and a tree takes twenty times the size of its text.
pub const MAX_FILE_SIZE: u64 = 50 << 20;

/// A folder with one of these is a project.
const MARKERS: &[&str] = &["pyproject.toml", "setup.py", "setup.cfg", ".git"];

pub fn find(request: &Request, threads: NonZeroUsize) -> Found {
    let mut search = Search::new(threads, &request.options.configuration);
    for path in &request.paths {
        match request.unsaved.get(path).filter(|_| !path.exists()) {
            Some(text) => search.name_text(path, text.len(), Content::Text(text.clone())),
            None => search.name(path),
        }
    }
    if let Some((path, bytes)) = &request.stdin {
        search.name_text(path, bytes.len(), Content::Bytes(bytes.clone()));
    }
    search.add_projects();
    for (path, text) in &request.unsaved {
        search.take_unsaved(path, text);
    }
    let mut found = search.finish();
    for file in &mut found.files {
        if let Some(text) = request.texts.get(&file.shown) {
            file.content = Some(Content::Text(text.as_str().into()));
        }
    }
    found
}

/// Files that exist only in memory, all of them reported; paths are relative to one project.
pub fn given(sources: Vec<(PathBuf, String)>, configuration: &Configuration) -> Found {
    let mut search = Search::new(NonZeroUsize::MIN, configuration);
    search.project_folders.insert(PathBuf::new());
    for (path, text) in sources {
        let kind = source_kind(&path).unwrap_or(SourceKind::Python);
        let size = text.len() as u64;
        let content = Some(Content::Text(text.into()));
        search.add(File {
            key: path.clone(),
            root: PathBuf::new(),
            shown: path,
            kind,
            size,
            named: true,
            walked: true,
            content,
        });
    }
    search.finish()
}

/// What has been found so far. Folders and keys are canonical paths, so that a file reached twice counts once.
struct Search {
    threads: NonZeroUsize,
    configuration: Configuration,
    here: PathBuf,
    files: Vec<File>,
    by_key: FxHashMap<PathBuf, usize>,
    walked: FxHashSet<PathBuf>,
    /// Folders that were named: as the user wrote it, where it is, and its project.
    named: Vec<(PathBuf, PathBuf, PathBuf)>,
    /// Projects around what was named, still to be walked.
    projects: Vec<PathBuf>,
    /// Folders with a marker.
    project_folders: FxHashSet<PathBuf>,
    problems: Vec<Problem>,
}

struct File {
    key: PathBuf,
    root: PathBuf,
    shown: PathBuf,
    kind: SourceKind,
    size: u64,
    named: bool,
    /// Found on the way down from a folder, or in no project that could be walked.
    walked: bool,
    content: Option<Content>,
}

impl Search {
    fn new(threads: NonZeroUsize, configuration: &Configuration) -> Search {
        let here = std::env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
        Search {
            threads,
            configuration: configuration.clone(),
            here,
            files: Vec::new(),
            by_key: FxHashMap::default(),
            walked: FxHashSet::default(),
            named: Vec::new(),
            projects: Vec::new(),
            project_folders: FxHashSet::default(),
            problems: Vec::new(),
        }
    }

    fn name(&mut self, path: &Path) {
        let (key, metadata) = match fs::canonicalize(path).and_then(|key| Ok((key.clone(), fs::metadata(key)?))) {
            Ok(found) => found,
            Err(error) => return self.unreadable(path, error_message(&error), true),
        };
        let settings = self.configuration.at(if metadata.is_dir() { &key } else { key.parent().unwrap_or(&key) });
        if settings.force_exclude && settings.excluded.match_below(&key) {
            return;
        }
        if metadata.is_dir() {
            let root = project_of(&key, true).unwrap_or_else(|| key.clone());
            self.projects.push(root.clone());
            self.named.push((path.to_owned(), key.clone(), root.clone()));
            return self.walk(&key, &root, Some(path));
        }
        if !metadata.is_file() {
            return self.unreadable(path, "not a regular file".into(), true);
        }
        let Some(kind) = source_kind(path).or_else(|| has_python_shebang(&key).then_some(SourceKind::Python)) else {
            let message = "not a Python file: neither its extension nor a `#!` line says so";
            return self.unreadable(path, message.into(), true);
        };
        let shown = without_dots(path);
        let (root, size) = (self.project_of_file(&key), metadata.len());
        let walked = self.projects.last() != Some(&root);
        self.add(File { key, root, shown, kind, size, named: true, walked, content: None });
    }

    /// Text that stands for a file, which need not exist.
    fn name_text(&mut self, path: &Path, size: usize, content: Content) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| self.here.join(folder));
        let key = folder.join(path.file_name().unwrap_or(OsStr::new("stdin")));
        let content = Some(content);
        let kind = source_kind(path).unwrap_or(SourceKind::Python);
        let (root, size) = (self.project_of_file(&key), size as u64);
        self.add(File { key, root, shown: without_dots(path), kind, size, named: true, walked: true, content });
    }

    /// Text that is only in an editor. What is not on the disk belongs to the program if it would once it is saved.
    fn take_unsaved(&mut self, path: &Path, text: &Arc<str>) {
        let content = Content::Text(text.clone());
        if let Some(known) = self.by_key.get(path).map(|index| &mut self.files[*index]) {
            known.size = text.len() as u64;
            known.content = Some(content);
            return;
        }
        let Some(kind) = source_kind(path).filter(|_| !path.exists()) else { return };
        let above = self.walked.iter().filter(|folder| path.starts_with(folder));
        let Some(folder) = above.max_by_key(|folder| folder.as_os_str().len()).cloned() else { return };
        let folders = path.ancestors().skip(1).take_while(|above| *above != folder);
        let is_excluded = |path: &Path| {
            let settings = self.configuration.at(path.parent().unwrap_or(path));
            settings.excluded.match_path(path) || is_ignored(path, path.is_dir())
        };
        if is_excluded(path) || folders.into_iter().any(is_excluded) {
            return;
        }
        let (root, shown, named) = match self.named.iter().find(|(_, folder, _)| path.starts_with(folder)) {
            Some((named, folder, root)) => (root.clone(), self.shown(path, folder, Some(named)), true),
            None => (folder.clone(), self.shown(path, &folder, None), false),
        };
        let size = text.len() as u64;
        let content = Some(content);
        self.add(File { key: path.to_owned(), root, shown, kind, size, named, walked: true, content });
    }

    /// The project around a file, which is noted to be walked; the file's own folder if it is alone.
    fn project_of_file(&mut self, file: &Path) -> PathBuf {
        let folder = file.parent().unwrap_or(file);
        match project_of(folder, false) {
            Some(project) => {
                self.projects.push(project.clone());
                project
            }
            None => folder.to_owned(),
        }
    }

    /// Everything around what was named.
    fn add_projects(&mut self) {
        let mut projects = std::mem::take(&mut self.projects);
        projects.sort();
        projects.dedup();
        for project in projects {
            self.project_folders.insert(project.clone());
            self.walk(&project, &project, None);
        }
    }

    /// Takes the files below a folder, but for folders that were walked before. `named` is how the user wrote it.
    fn walk(&mut self, folder: &Path, root: &Path, named: Option<&Path>) {
        if !self.walked.insert(folder.to_owned()) {
            return;
        }
        let (items, errors) = walk_folder(folder, &self.walked, &self.configuration, self.threads);
        for (path, message) in errors {
            let shown = self.shown(&path, folder, named);
            self.unreadable(&shown, message, named.is_some());
        }
        for item in items {
            match item.content {
                Item::Marker => {
                    self.project_folders.extend(item.path.parent().map(Path::to_owned));
                }
                Item::Source(kind, size) => {
                    let shown = self.shown(&item.path, folder, named);
                    let is_named = named.is_some();
                    let root = root.to_owned();
                    let walked = true;
                    self.add(File { key: item.key, root, shown, kind, size, named: is_named, walked, content: None });
                }
            }
        }
    }

    fn shown(&self, path: &Path, folder: &Path, named: Option<&Path>) -> PathBuf {
        match (named, path.strip_prefix(folder)) {
            (Some(named), Ok(below)) => without_dots(&named.join(below)),
            _ => relative_to(&self.here, path),
        }
    }

    fn add(&mut self, file: File) {
        match self.by_key.get(&file.key).map(|index| &mut self.files[*index]) {
            None => {
                self.by_key.insert(file.key.clone(), self.files.len());
                self.files.push(file);
            }
            // Reached twice: it keeps what it is called first, and what stands for its content counts.
            Some(known) => {
                if !known.named && file.named {
                    known.shown = file.shown;
                }
                known.named |= file.named;
                known.walked |= file.walked;
                known.kind = file.kind;
                known.content = known.content.take().or(file.content);
            }
        }
    }

    fn unreadable(&mut self, path: &Path, message: String, named: bool) {
        let path = without_dots(path);
        self.problems.push(Problem { path, position: None, message, kind: ProblemKind::Unreadable, named });
    }

    fn finish(mut self) -> Found {
        // What a run over the whole project would not report is left out where that is wanted.
        let settings_of = |file: &File| self.configuration.at(file.key.parent().unwrap_or(Path::new("")));
        self.files.retain(|file| file.walked || !settings_of(file).force_exclude);
        let stubs: Vec<PathBuf> = (self.files.iter().filter(|file| file.kind == SourceKind::Stub))
            .map(|file| file.key.with_extension("py"))
            .collect();
        let mut twins: FxHashSet<PathBuf> = stubs.into_iter().collect();
        if !twins.is_empty() {
            let keys: FxHashSet<&Path> = self.files.iter().map(|file| file.key.as_path()).collect();
            twins.retain(|twin| keys.contains(twin.as_path()));
        }
        let too_large: Vec<(PathBuf, bool)> = (self.files.iter().filter(|file| file.size > MAX_FILE_SIZE))
            .map(|file| (file.shown.clone(), file.named))
            .collect();
        for (shown, named) in too_large {
            self.unreadable(&shown, format!("larger than {} MB", MAX_FILE_SIZE >> 20), named);
        }
        self.files.retain(|file| {
            let has_twin = file.kind == SourceKind::Stub && twins.contains(&file.key.with_extension("py"));
            file.size <= MAX_FILE_SIZE && !has_twin
        });
        let packages: FxHashSet<&Path> = self
            .files
            .iter()
            .filter(|file| names::is_package(&file.key))
            .filter_map(|file| file.key.parent())
            .collect();
        let set_up = self.files.iter().filter(|file| file.key.file_name().is_some_and(|name| name == "setup.py"));
        let set_up = set_up.filter_map(|file| file.key.parent()).filter(|folder| !packages.contains(folder));
        self.project_folders.extend(set_up.map(Path::to_owned));
        let tools = names::command_tools(&packages);
        let called: Vec<(PathBuf, ModulePath, Role)> = (self.files.par_iter())
            .map(|file| {
                let relative = file.key.strip_prefix(&file.root).unwrap_or(&file.key);
                let module = names::module_path(&file.key, &file.root, &packages, &self.project_folders);
                (relative.to_owned(), module, names::role(relative, &file.key, &tools))
            })
            .collect();
        let mut files: Vec<FoundFile> = (self.files.into_par_iter().zip(called))
            .map(|(file, (relative, module, role))| FoundFile {
                settings: self.configuration.at(file.key.parent().unwrap_or(Path::new(""))),
                role,
                relative,
                path: file.key,
                shown: file.shown,
                kind: file.kind,
                size: file.size,
                reported: file.named && file.kind != SourceKind::Stub,
                module,
                content: file.content,
            })
            .collect();
        for error in self.configuration.mistakes() {
            let (path, position, message) = (relative_to(&self.here, &error.path), error.position, error.message);
            self.problems.push(Problem { path, position, message, kind: ProblemKind::Configuration, named: true });
        }
        files.par_sort_by(|a, b| a.shown.cmp(&b.shown).then_with(|| a.path.cmp(&b.path)));
        self.problems.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.message.cmp(&b.message)));
        Found { files, problems: self.problems }
    }
}

/// Relative to a folder, with `..` where the path is around it.
fn relative_to(here: &Path, path: &Path) -> PathBuf {
    for (up, folder) in here.ancestors().enumerate() {
        // Nothing but the root of the disk in common: an absolute path says more.
        if folder.parent().is_none() {
            break;
        }
        if let Ok(below) = path.strip_prefix(folder) {
            return std::iter::repeat_n(Component::ParentDir, up).collect::<PathBuf>().join(below);
        }
    }
    path.to_owned()
}

struct WalkedItem {
    /// Below the walked folder.
    path: PathBuf,
    /// Canonical.
    key: PathBuf,
    content: Item,
}

enum Item {
    Source(SourceKind, u64),
    /// Its folder is a project.
    Marker,
}

type WalkError = (PathBuf, String);

/// All source files below a canonical folder, in no order. Links to folders are not followed, so there are no
/// loops, and a path below the folder is canonical unless it is a link itself.
fn walk_folder(
    folder: &Path,
    skipped: &FxHashSet<PathBuf>,
    configuration: &Configuration,
    threads: NonZeroUsize,
) -> (Vec<WalkedItem>, Vec<WalkError>) {
    let skipped: FxHashSet<PathBuf> =
        skipped.iter().filter(|other| *other != folder && other.starts_with(folder)).cloned().collect();
    let configuration = configuration.clone();
    let walker = WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        // What was named is taken although a folder above says that it is ignored.
        .parents(!is_ignored_from_above(folder))
        .threads(threads.get())
        .filter_entry(move |entry| {
            let (path, parent) = (entry.path(), entry.path().parent().unwrap_or(Path::new("")));
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            // Most files of a large tree may be data, and what is not read need not be asked about.
            if !is_folder && source_kind(path).is_none() && !is_marker(entry.file_name()) {
                return entry.depth() == 0;
            }
            let is_excluded = || configuration.at(parent).excluded.match_path(path);
            entry.depth() == 0 || !(is_folder && skipped.contains(path) || is_excluded())
        })
        .build_parallel();
    let found = Mutex::new((Vec::new(), Vec::new()));
    walker.run(|| {
        let mut batch = Batch { items: Vec::new(), errors: Vec::new(), found: &found };
        Box::new(move |entry| {
            match entry {
                Ok(entry) => match look_at(entry) {
                    Ok(item) => batch.items.extend(item),
                    Err(error) => batch.errors.push(error),
                },
                Err(error) => batch.errors.push(walk_error(&error, folder)),
            }
            WalkState::Continue
        })
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What one thread found, handed over at its end.
struct Batch<'a> {
    items: Vec<WalkedItem>,
    errors: Vec<WalkError>,
    found: &'a Mutex<(Vec<WalkedItem>, Vec<WalkError>)>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut found = self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.0.append(&mut self.items);
        found.1.append(&mut self.errors);
    }
}

fn is_marker(name: &OsStr) -> bool {
    MARKERS.iter().any(|marker| name == *marker)
}

fn look_at(entry: DirEntry) -> Result<Option<WalkedItem>, WalkError> {
    if is_marker(entry.file_name()) && source_kind(entry.path()).is_none() {
        let path = entry.into_path();
        return Ok(Some(WalkedItem { key: path.clone(), path, content: Item::Marker }));
    }
    let Some(kind) = source_kind(entry.path()) else { return Ok(None) };
    let Some(file_type) = entry.file_type() else { return Ok(None) };
    // Emacs marks an open file with a link that leads nowhere.
    if file_type.is_dir() || entry.file_name().as_encoded_bytes().starts_with(b".#") {
        return Ok(None);
    }
    let is_link = file_type.is_symlink();
    let (key, metadata) = if is_link {
        let target = fs::canonicalize(entry.path()).and_then(|key| Ok((key.clone(), fs::metadata(key)?)));
        target.map_err(|error| (entry.path().to_owned(), error_message(&error)))?
    } else {
        let metadata = entry.metadata().map_err(|error| walk_error(&error, entry.path()))?;
        (entry.path().to_owned(), metadata)
    };
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Err((entry.into_path(), "not a regular file".into()));
    }
    Ok(Some(WalkedItem { path: entry.into_path(), key, content: Item::Source(kind, metadata.len()) }))
}

fn walk_error(error: &ignore::Error, folder: &Path) -> WalkError {
    match error {
        ignore::Error::WithPath { path, err } => (path.clone(), walk_error(err, path).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => walk_error(err, folder),
        ignore::Error::Io(error) => (folder.to_owned(), error_message(error)),
        other => (folder.to_owned(), other.to_string()),
    }
}

/// The operating system's words without its error number.
pub(crate) fn error_message(error: &std::io::Error) -> String {
    let message = error.to_string();
    let message = message.split(" (os error").next().unwrap_or_default();
    let mut characters = message.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

fn is_excluded(name: &OsStr) -> bool {
    EXCLUDED.iter().any(|excluded| name == *excluded)
}

fn source_kind(path: &Path) -> Option<SourceKind> {
    match path.extension()?.to_str()? {
        "py" | "pyw" => Some(SourceKind::Python),
        "pyi" => Some(SourceKind::Stub),
        "ipynb" => Some(SourceKind::Notebook),
        _ => None,
    }
}

fn has_python_shebang(path: &Path) -> bool {
    let mut start = Vec::new();
    let is_read = fs::File::open(path).and_then(|file| file.take(256).read_to_end(&mut start)).is_ok();
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    is_read && line.starts_with(b"#!") && line.windows(6).any(|window| window == b"python")
}

/// `./a/b` as `a/b`.
fn without_dots(path: &Path) -> PathBuf {
    let path: PathBuf = path.components().filter(|component| *component != Component::CurDir).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// The project around a canonical folder, see the head of this file. `folder` itself was named, or a file in it.
fn project_of(folder: &Path, is_named: bool) -> Option<PathBuf> {
    let too_wide: Vec<PathBuf> = [std::env::home_dir(), Some(std::env::temp_dir())]
        .into_iter()
        .flatten()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    let mut project = None;
    for candidate in folder.ancestors() {
        if candidate.parent().is_none() || too_wide.iter().any(|wide| wide == candidate) {
            break;
        }
        if is_project(candidate) {
            project = Some(candidate.to_owned());
            break;
        }
        // What lies in an environment or in build output is no part of the project around.
        let is_enclosed = candidate.file_name().is_some_and(is_excluded) && !candidate.join("__init__.py").is_file();
        if is_enclosed {
            break;
        }
    }
    project.or_else(|| {
        let package = folder.ancestors().take_while(|folder| folder.join("__init__.py").is_file()).last()?;
        // The folder of a package is where its imports begin.
        (package != folder || !is_named).then(|| package.to_owned())
    })
}

/// A package's own `setup.py`, as old build tools wanted it, makes no project.
fn is_project(folder: &Path) -> bool {
    let has = |marker: &&&str| folder.join(marker).exists();
    match MARKERS.iter().find(has) {
        None => false,
        Some(&"setup.py" | &"setup.cfg") => !folder.join("__init__.py").is_file() || folder.join(".git").exists(),
        Some(_) => true,
    }
}

/// Whether a `.gitignore` above says that a canonical folder is ignored.
fn is_ignored_from_above(folder: &Path) -> bool {
    is_ignored(folder, true)
}

/// The same of anything.
fn is_ignored(path: &Path, is_folder: bool) -> bool {
    for above in path.ancestors().skip(1) {
        let file = above.join(".gitignore");
        if file.is_file() && Gitignore::new(file).0.matched_path_or_any_parents(path, is_folder).is_ignore() {
            return true;
        }
        if above.join(".git").exists() {
            return false;
        }
    }
    false
}
