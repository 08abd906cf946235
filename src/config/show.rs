//! Settings as a configuration would say them.

use std::fmt::Write;

use serde::Serialize;

use super::Settings;

/// TOML that gives the same settings but for models, of which only the number is told.
pub fn shown(settings: &Settings) -> String {
    let mut text = String::new();
    for origin in &settings.origins {
        text += &format!("# from {}\n", origin.display());
    }
    if settings.origins.is_empty() {
        text += "# no configuration file\n";
    }
    text += &format!("select = {}\n", list(settings.rules.iter().copied()));
    text += &format!("min-confidence = {}\n", quoted(settings.min_confidence));
    text += &format!("exclude = {}\n", list(settings.excluded.texts()));
    text += &format!("force-exclude = {}\n", settings.force_exclude);
    if let Some(baseline) = &settings.baseline {
        text += &format!("baseline = {}\n", quoted(baseline.to_string_lossy()));
    }
    if !settings.severities.is_empty() {
        text += "\n[severity]\n";
        for (code, severity) in &settings.severities {
            text += &format!("{code} = {}\n", quoted(severity));
        }
    }
    if !settings.per_file_ignores.is_empty() {
        text += "\n[per-file-ignores]\n";
        for (patterns, codes) in &settings.per_file_ignores {
            for pattern in patterns.texts() {
                text += &format!("{} = {}\n", quoted(pattern), list(codes.iter().copied()));
            }
        }
    }
    text
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(quoted).collect();
    if words.len() < 4 {
        return format!("[{}]", words.join(", "));
    }
    words.into_iter().fold("[\n".to_owned(), |mut text, word| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {word},");
        text
    }) + "]"
}

/// A word of JSON is one of TOML.
fn quoted(word: impl Serialize) -> String {
    serde_json::to_string(&word).unwrap_or_default()
}
