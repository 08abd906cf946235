//! What the editor's user has set: what the command line says otherwise.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::config::{BaselineChoice, Configuration, Overrides, Sought};
use crate::engine::{Options, Request};
use crate::finding::Confidence;

/// The section `unleak` of an editor's settings. Paths count from the workspace's folder.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    pub select: Option<Vec<String>>,
    pub ignore: Option<Vec<String>>,
    pub min_confidence: Option<Confidence>,
    pub exclude: Option<Vec<String>>,
    pub extend_exclude: Option<Vec<String>>,
    /// Use this configuration in place of those above the files.
    pub config: Option<PathBuf>,
    /// Read no configuration files.
    pub isolated: Option<bool>,
    pub baseline: Option<PathBuf>,
    pub models: Option<Vec<PathBuf>>,
    pub threads: Option<NonZeroUsize>,
}

impl Settings {
    /// The settings in what an editor sends, which may be the section or what holds it.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(value: &Value) -> Result<Settings, String> {
        let section = value.get("unleak").or_else(|| value.get("settings")?.get("unleak")).unwrap_or(value);
        match section {
            Value::Object(_) => serde_json::from_value(section.clone()).map_err(|error| error.to_string()),
            _ => Ok(Settings::default()),
        }
    }

    /// What is asked of the engine about some files and folders.
    ///
    /// # Errors
    /// If something is set that does not exist.
    pub fn request(&self, paths: Vec<PathBuf>, here: &Path) -> Result<Request, String> {
        let beside = |path: &PathBuf| here.join(path);
        let sought = match &self.config {
            Some(path) => Sought::File(beside(path)),
            None if self.isolated == Some(true) => Sought::Nowhere,
            None => Sought::Nearest,
        };
        let baseline = match &self.baseline {
            Some(path) => BaselineChoice::File(beside(path)),
            None => BaselineChoice::AsConfigured,
        };
        let overrides = Overrides {
            select: self.select.clone().unwrap_or_default(),
            ignore: self.ignore.clone().unwrap_or_default(),
            min_confidence: self.min_confidence,
            exclude: self.exclude.clone().unwrap_or_default(),
            extend_exclude: self.extend_exclude.clone().unwrap_or_default(),
            force_exclude: false,
            baseline,
        };
        let configuration = Configuration::new(sought, overrides, here)?;
        let mut models = Vec::new();
        for path in self.models.iter().flatten().map(beside) {
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            models.push((path, text));
        }
        let options = Options { configuration, threads: self.threads };
        Ok(Request { paths, models, options, ..Request::default() })
    }
}
