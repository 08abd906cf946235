//! What the command line says of configurations, and what of them is printed.

use std::path::Path;
use std::sync::Arc;

use super::streams::print_plain;
use super::{ChoiceArguments, Exit};
use crate::config::{BaselineChoice, Configuration, Overrides, Settings, Sought, schema, shown};
use crate::engine::load::Found;
use crate::output::{plural, shown_path};

/// Where the settings of a run come from.
pub fn configuration(arguments: &ChoiceArguments, baseline: BaselineChoice) -> Result<Configuration, String> {
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    let here = here.map_err(|error| format!("the current folder cannot be told: {error}"))?;
    let sought = match &arguments.config {
        Some(path) => Sought::File(path.clone()),
        None if arguments.isolated => Sought::Nowhere,
        None => Sought::Nearest,
    };
    let overrides = Overrides {
        select: arguments.select.clone(),
        ignore: arguments.ignore.clone(),
        min_confidence: arguments.min_confidence.map(Into::into),
        exclude: arguments.exclude.clone(),
        extend_exclude: arguments.extend_exclude.clone(),
        force_exclude: arguments.force_exclude,
        baseline,
    };
    Configuration::new(sought, overrides, &here)
}

pub fn print_schema() -> Exit {
    Exit::of_printing(print_plain(|out| {
        serde_json::to_writer_pretty(&mut *out, &schema::schema())?;
        writeln!(out)
    }))
}

/// One path a line.
pub fn print_files(found: &Found, directory: &Path) -> Exit {
    Exit::of_printing(print_plain(|out| {
        found.files.iter().try_for_each(|file| writeln!(out, "{}", shown_path(&file.shown, directory)))
    }))
}

/// Each different settings once, with the files that they hold for.
pub fn print_settings(found: &Found, directory: &Path) -> Exit {
    let mut all: Vec<(&Arc<Settings>, Vec<String>)> = Vec::new();
    for file in &found.files {
        let path = shown_path(&file.shown, directory);
        match all.iter_mut().find(|(settings, _)| Arc::ptr_eq(settings, &file.settings)) {
            Some((_, paths)) => paths.push(path),
            None => all.push((&file.settings, vec![path])),
        }
    }
    Exit::of_printing(print_plain(|out| {
        for (number, (settings, paths)) in all.iter().enumerate() {
            let blank = if number > 0 { "\n" } else { "" };
            let first = paths.first().map_or("", String::as_str);
            writeln!(out, "{blank}# for {}, of which the first is {first}", plural(paths.len(), "file"))?;
            write!(out, "{}", shown(settings))?;
        }
        Ok(())
    }))
}
