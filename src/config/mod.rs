//! What a user has decided: which rules run, on what, and how sure they must be.
//!
//! A file is checked by the configuration that is nearest above it (`unleak.toml`, or `[tool.unleak]` in
//! `pyproject.toml`), wherever unleak was started: so a hook that passes one file of a large repository decides as a
//! run over all of it does. What the command line says is laid over every file's settings. A mistake in a
//! configuration is never passed over, because what it was meant to switch would silently stay as it is; it ends the
//! run before anything is checked.

mod file;
mod patterns;
pub mod schema;
mod show;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustc_hash::FxHashMap;

use crate::finding::{Confidence, Severity};
use crate::models::Models;
use crate::rules::page::pages;
use crate::rules::selection::{self, UnknownRule};
use crate::source::Position;

pub use patterns::Patterns;
pub use show::shown;

/// Folders that are not entered on the way down unless `exclude` says otherwise.
pub const EXCLUDED: &[&str] = &[
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
];

/// What holds for the files of a folder.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The codes of the rules that run, sorted.
    pub rules: Vec<&'static str>,
    pub min_confidence: Confidence,
    /// Where a rule's findings are worth another severity than they say.
    pub severities: BTreeMap<&'static str, Severity>,
    /// Rules that are left out in some files.
    pub per_file_ignores: Vec<(Patterns, Vec<&'static str>)>,
    /// What is neither reported nor read.
    pub excluded: Patterns,
    /// Excluded files are left out although they were named.
    pub force_exclude: bool,
    /// Models beside those that come with unleak.
    pub models: Models,
    /// Findings that are known already.
    pub baseline: Option<PathBuf>,
    /// The files that the settings come from, what is extended first.
    pub origins: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            rules: pages().iter().map(|page| page.code).collect(),
            min_confidence: Confidence::Medium,
            severities: BTreeMap::new(),
            per_file_ignores: Vec::new(),
            excluded: Patterns::names(EXCLUDED),
            force_exclude: false,
            models: Models::default(),
            baseline: None,
            origins: Vec::new(),
        }
    }
}

impl Settings {
    /// The codes of the rules that run on a file, by its canonical path.
    pub fn rules_for(&self, path: &Path) -> Cow<'_, [&'static str]> {
        let ignored: Vec<&str> = (self.per_file_ignores.iter())
            .filter(|(patterns, _)| patterns.match_below(path))
            .flat_map(|(_, codes)| codes.iter().copied())
            .collect();
        match ignored.is_empty() {
            true => Cow::Borrowed(&self.rules),
            false => self.rules.iter().copied().filter(|code| !ignored.contains(code)).collect(),
        }
    }

    /// `select` begins anew; `ignore` without it takes away from what ran so far.
    fn choose_rules<S: AsRef<str>>(&mut self, select: Option<&[S]>, ignore: &[S]) -> Result<(), UnknownRule> {
        if let Some(select) = select {
            self.rules = if select.is_empty() { Vec::new() } else { selection::enabled(select, ignore)? };
            return Ok(());
        }
        for word in ignore {
            let ignored = selection::matching(word.as_ref())?;
            self.rules.retain(|code| ignored.iter().all(|page| page.code != *code));
        }
        Ok(())
    }
}

/// What the command line says, and so holds for every file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub select: Vec<String>,
    pub ignore: Vec<String>,
    pub min_confidence: Option<Confidence>,
    /// In place of what is excluded otherwise.
    pub exclude: Vec<String>,
    pub extend_exclude: Vec<String>,
    pub force_exclude: bool,
    pub baseline: BaselineChoice,
}

/// Which findings are known already.
#[derive(Clone, Debug, Default)]
pub enum BaselineChoice {
    #[default]
    AsConfigured,
    /// Those of this file.
    File(PathBuf),
    None,
}

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub enum Sought {
    /// Nowhere: the defaults hold.
    #[default]
    Nowhere,
    /// From the nearest file above each file.
    Nearest,
    /// From this file for all; its patterns count from the current folder.
    File(PathBuf),
}

/// A mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    pub path: PathBuf,
    pub position: Option<Position>,
    /// Lower case, without a full stop.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(at) => write!(f, "{}:{}:{}: {}", self.path.display(), at.row, at.column, self.message),
            None => write!(f, "{}: {}", self.path.display(), self.message),
        }
    }
}

/// The settings of all folders, each found when it is first asked for. Clones share what was found.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_nearest: bool,
    /// What holds where no file says anything.
    fallback: Arc<Settings>,
    overrides: Overrides,
    here: PathBuf,
    by_folder: RwLock<FxHashMap<PathBuf, Arc<Settings>>>,
    mistakes: Mutex<Vec<ConfigError>>,
}

impl Configuration {
    /// `here` is the current folder, which patterns of the command line count from.
    ///
    /// # Errors
    /// If the command line names what does not exist, or the one file that is to be used has a mistake.
    pub fn new(sought: Sought, overrides: Overrides, here: &Path) -> Result<Configuration, String> {
        let mut shared = Shared { here: here.to_owned(), ..Shared::default() };
        let mut fallback = Settings::default();
        match sought {
            Sought::Nowhere => {}
            Sought::Nearest => shared.is_nearest = true,
            Sought::File(path) => fallback = file::load(&path, here).map_err(|error| error.to_string())?,
        }
        lay_over(&mut fallback, &overrides, here)?;
        shared.fallback = Arc::new(fallback);
        shared.overrides = overrides;
        Ok(Configuration { shared: Arc::new(shared) })
    }

    /// The same settings for every file.
    pub fn fixed(settings: Settings) -> Configuration {
        Configuration { shared: Arc::new(Shared { fallback: Arc::new(settings), ..Shared::default() }) }
    }

    /// The same choices, with nothing remembered of any folder: its files may have changed.
    pub fn anew(&self) -> Configuration {
        let Shared { is_nearest, fallback, overrides, here, .. } = &*self.shared;
        let (fallback, overrides, here) = (fallback.clone(), overrides.clone(), here.clone());
        let shared = Shared { is_nearest: *is_nearest, fallback, overrides, here, ..Shared::default() };
        Configuration { shared: Arc::new(shared) }
    }

    /// The settings for files of a folder, given by its canonical path. What cannot be read is among the mistakes.
    pub fn at(&self, folder: &Path) -> Arc<Settings> {
        if !self.shared.is_nearest {
            return self.shared.fallback.clone();
        }
        if let Some(known) = self.shared.by_folder.read().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return known.clone();
        }
        let found = self.find(folder);
        let mut by_folder = self.shared.by_folder.write().unwrap_or_else(PoisonError::into_inner);
        // Two threads may have asked at once: all see the same.
        by_folder.entry(folder.to_owned()).or_insert(found).clone()
    }

    fn find(&self, folder: &Path) -> Arc<Settings> {
        let above = || folder.parent().map_or_else(|| self.shared.fallback.clone(), |above| self.at(above));
        let loaded = match file::load_in(folder) {
            Ok(None) => return above(),
            Ok(Some(settings)) => Ok(settings),
            Err(error) => Err(error),
        };
        let laid_over = loaded.and_then(|mut settings| {
            let failed = |message| ConfigError { path: folder.to_owned(), position: None, message };
            lay_over(&mut settings, &self.shared.overrides, &self.shared.here).map_err(failed)?;
            Ok(Arc::new(settings))
        });
        laid_over.unwrap_or_else(|error| {
            self.shared.mistakes.lock().unwrap_or_else(PoisonError::into_inner).push(error);
            above()
        })
    }

    /// All mistakes that were met so far, each once, sorted.
    pub fn mistakes(&self) -> Vec<ConfigError> {
        let mut mistakes = self.shared.mistakes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        mistakes.sort();
        mistakes.dedup();
        mistakes
    }
}

fn lay_over(settings: &mut Settings, overrides: &Overrides, here: &Path) -> Result<(), String> {
    let select = (!overrides.select.is_empty()).then_some(overrides.select.as_slice());
    settings.choose_rules(select, &overrides.ignore).map_err(|unknown| unknown.to_string())?;
    if let Some(confidence) = overrides.min_confidence {
        settings.min_confidence = confidence;
    }
    if !overrides.exclude.is_empty() {
        settings.excluded = Patterns::default();
    }
    for pattern in overrides.exclude.iter().chain(&overrides.extend_exclude) {
        settings.excluded.add(here, pattern)?;
    }
    settings.force_exclude |= overrides.force_exclude;
    match &overrides.baseline {
        BaselineChoice::AsConfigured => {}
        BaselineChoice::File(path) => settings.baseline = Some(path.clone()),
        BaselineChoice::None => settings.baseline = None,
    }
    Ok(())
}
