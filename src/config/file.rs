//! Text to settings, with every mistake named by file, row, column and the nearest right word.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Patterns, Settings};
use crate::finding::{Confidence, Severity};
use crate::models::mistakes::{plainer, row_and_column};
use crate::models::{Mistake, Models, Tables};
use crate::rules::selection;
use crate::source::Position;

/// The names that a configuration may have; the first that a folder has counts.
const FILES: [&str; 2] = ["unleak.toml", "pyproject.toml"];

/// The key's own documentation is its entry in the schema.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Keys {
    extend: Option<Spanned<String>>,
    select: Option<Vec<Spanned<String>>>,
    ignore: Vec<Spanned<String>>,
    per_file_ignores: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    severity: BTreeMap<Spanned<String>, Severity>,
    min_confidence: Option<Confidence>,
    exclude: Option<Vec<Spanned<String>>>,
    extend_exclude: Vec<Spanned<String>>,
    force_exclude: Option<bool>,
    baseline: Option<Spanned<String>>,
    model_files: Vec<Spanned<String>>,
    models: Option<Tables>,
}

/// What unleak reads of a `pyproject.toml`; the rest is other tools' business.
#[derive(Deserialize)]
struct PyProject {
    tool: Option<Tools>,
}

#[derive(Deserialize)]
struct Tools {
    unleak: Option<Keys>,
}

/// The settings of the configuration in a folder, if it has one.
pub fn load_in(folder: &Path) -> Result<Option<Settings>, ConfigError> {
    for name in FILES {
        let path = folder.join(name);
        // A folder or a device of that name is none.
        if fs::metadata(&path).is_ok_and(|metadata| metadata.is_file())
            && let Some(file) = read(&path)?
        {
            return settings(file, folder, &mut Vec::new()).map(Some);
        }
    }
    Ok(None)
}

/// The settings of a file that was named. Its patterns count from `here`.
pub fn load(path: &Path, here: &Path) -> Result<Settings, ConfigError> {
    match read(path)? {
        Some(file) => settings(file, here, &mut Vec::new()),
        None => Err(failed(path, "it has no table `[tool.unleak]`")),
    }
}

/// A file as it was read.
struct File {
    path: PathBuf,
    text: String,
    keys: Keys,
}

impl File {
    fn error(&self, (start, message): Mistake) -> ConfigError {
        let (row, column) = row_and_column(&self.text, start);
        let position = Position { cell: None, row: row as u32, column: column as u32 };
        ConfigError { path: self.path.clone(), position: Some(position), message }
    }

    fn error_at<T>(&self, place: &Spanned<T>, message: impl ToString) -> ConfigError {
        self.error((place.span().start, message.to_string()))
    }

    /// Paths in a configuration count from its own folder.
    fn beside(&self, path: &str) -> PathBuf {
        self.path.parent().map_or_else(|| path.into(), |folder| folder.join(path))
    }
}

fn failed(path: &Path, message: impl ToString) -> ConfigError {
    ConfigError { path: path.to_owned(), position: None, message: message.to_string() }
}

/// `None` for a `pyproject.toml` that says nothing to unleak. Such a file need not even be right: test data often is not.
fn read(path: &Path) -> Result<Option<File>, ConfigError> {
    let bytes = fs::read(path).map_err(|error| failed(path, error))?;
    let is_pyproject = path.file_name().is_some_and(|name| name == "pyproject.toml");
    if is_pyproject && !bytes.windows(6).any(|window| window == b"unleak") {
        return Ok(None);
    }
    let text = String::from_utf8(bytes).map_err(|_| failed(path, "it is not in UTF-8"))?;
    let keys = match is_pyproject {
        true => toml::from_str::<PyProject>(&text).map(|file| file.tool.and_then(|tools| tools.unleak)),
        false => toml::from_str(&text).map(Some),
    };
    let mut file = File { path: path.to_owned(), text, keys: Keys::default() };
    match keys {
        Ok(None) => Ok(None),
        Ok(Some(keys)) => {
            file.keys = keys;
            Ok(Some(file))
        }
        Err(error) => Err(file.error((error.span().map_or(0, |span| span.start), plainer(error.message())))),
    }
}

/// What a file says, laid over what it extends. `inside` are the files that extend it.
fn settings(mut file: File, folder: &Path, inside: &mut Vec<PathBuf>) -> Result<Settings, ConfigError> {
    let keys = std::mem::take(&mut file.keys);
    inside.push(file.path.clone());
    let mut settings = match &keys.extend {
        None => Settings::default(),
        Some(extended) => extended_settings(&file, extended, inside)?,
    };
    settings.origins.push(file.path.clone());
    choose_rules(&file, &keys, &mut settings)?;
    add_patterns(&file, &keys, folder, &mut settings)?;
    let mut severities = Vec::new();
    for (word, severity) in &keys.severity {
        severities.push((codes(&file, word)?, *severity));
    }
    // The more specific word wins, as in a selection.
    severities.sort_by_key(|(codes, _)| Reverse(codes.len()));
    settings.severities.extend(
        severities.into_iter().flat_map(|(codes, severity)| codes.into_iter().map(move |code| (code, severity))),
    );
    settings.min_confidence = keys.min_confidence.unwrap_or(settings.min_confidence);
    settings.force_exclude = keys.force_exclude.unwrap_or(settings.force_exclude);
    if let Some(baseline) = &keys.baseline {
        settings.baseline = Some(file.beside(baseline.get_ref()));
    }
    for path in &keys.model_files {
        settings.models.merge(read_models(&file, path)?);
    }
    if let Some(tables) = keys.models {
        let models = tables.into_models(&file.path.to_string_lossy(), &file.text);
        settings.models.merge(models.map_err(|mistake| file.error(mistake))?);
    }
    Ok(settings)
}

fn extended_settings(
    file: &File,
    extended: &Spanned<String>,
    inside: &mut Vec<PathBuf>,
) -> Result<Settings, ConfigError> {
    let path = file.beside(extended.get_ref());
    let path = fs::canonicalize(&path)
        .map_err(|error| file.error_at(extended, format!("`{}`: {error}", extended.get_ref())))?;
    if inside.iter().any(|other| fs::canonicalize(other).is_ok_and(|other| other == path)) {
        return Err(file.error_at(extended, format!("`{}` extends itself", extended.get_ref())));
    }
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    match read(&path)? {
        Some(base) => settings(base, &folder, inside),
        None => Err(file.error_at(extended, format!("`{}` has no table `[tool.unleak]`", extended.get_ref()))),
    }
}

fn choose_rules(file: &File, keys: &Keys, settings: &mut Settings) -> Result<(), ConfigError> {
    for word in keys.select.iter().flatten().chain(&keys.ignore) {
        codes(file, word)?;
    }
    let texts = |words: &[Spanned<String>]| words.iter().map(|word| word.get_ref().clone()).collect::<Vec<_>>();
    let select = keys.select.as_deref().map(texts);
    settings.choose_rules(select.as_deref(), &texts(&keys.ignore)).map_err(|unknown| failed(&file.path, unknown))
}

/// The codes that a word means.
fn codes(file: &File, word: &Spanned<String>) -> Result<Vec<&'static str>, ConfigError> {
    match selection::matching(word.get_ref()) {
        Ok(pages) => Ok(pages.into_iter().map(|page| page.code).collect()),
        Err(unknown) => Err(file.error_at(word, unknown)),
    }
}

fn add_patterns(file: &File, keys: &Keys, folder: &Path, settings: &mut Settings) -> Result<(), ConfigError> {
    if keys.exclude.is_some() {
        settings.excluded = Patterns::default();
    }
    for pattern in keys.exclude.iter().flatten().chain(&keys.extend_exclude) {
        let added = settings.excluded.add(folder, pattern.get_ref());
        added.map_err(|message| file.error_at(pattern, message))?;
    }
    for (pattern, words) in &keys.per_file_ignores {
        let mut patterns = Patterns::default();
        patterns.add(folder, pattern.get_ref()).map_err(|message| file.error_at(pattern, message))?;
        let mut ignored = Vec::new();
        for word in words {
            ignored.extend(codes(file, word)?);
        }
        settings.per_file_ignores.push((patterns, ignored));
    }
    Ok(())
}

fn read_models(file: &File, path: &Spanned<String>) -> Result<Models, ConfigError> {
    let from = file.beside(path.get_ref());
    let text =
        fs::read_to_string(&from).map_err(|error| file.error_at(path, format!("`{}`: {error}", path.get_ref())))?;
    Models::load(&from.to_string_lossy(), &text).map_err(|error| ConfigError {
        path: from,
        position: Some(Position { cell: None, row: error.row as u32, column: error.column as u32 }),
        message: error.message,
    })
}
