//! Patterns of paths, as configurations write them.
//!
//! A pattern without a slash is the name of a file, or of a folder with all that is in it, at any depth; one with a
//! slash is a path from the folder that its configuration counts from. `*` stays in one part of a path, `**` does not.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Any of some patterns.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    groups: Vec<Group>,
}

/// The patterns that count from one folder.
#[derive(Clone, Debug)]
struct Group {
    folder: PathBuf,
    texts: Vec<String>,
    names: GlobSet,
    paths: GlobSet,
}

impl Patterns {
    /// Plain names, at any depth of the disk.
    pub fn names(names: &[&str]) -> Patterns {
        let texts = names.iter().map(|name| (*name).to_owned()).collect();
        Patterns { groups: Group::new(PathBuf::new(), texts).into_iter().collect() }
    }

    /// Adds a pattern that counts from a folder, given by its canonical path.
    pub fn add(&mut self, folder: &Path, pattern: &str) -> Result<(), String> {
        let same = self.groups.iter_mut().find(|group| group.folder == folder);
        let mut texts = same.as_ref().map_or_else(Vec::new, |group| group.texts.clone());
        texts.push(pattern.to_owned());
        let group = Group::new(folder.to_owned(), texts)?;
        match same {
            Some(same) => *same = group,
            None => self.groups.push(group),
        }
        Ok(())
    }

    /// Whether a path itself is meant; what is below a folder that is meant is not.
    pub fn match_path(&self, path: &Path) -> bool {
        self.groups.iter().any(|group| group.matches(path))
    }

    /// Whether a path or a folder around it is meant.
    pub fn match_below(&self, path: &Path) -> bool {
        self.groups.iter().any(|group| {
            let inside = path.ancestors().take_while(|above| *above != group.folder);
            path.starts_with(&group.folder) && inside.into_iter().any(|above| group.matches(above))
        })
    }

    /// The patterns as they were written, in their order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| group.texts.iter().map(String::as_str))
    }
}

impl Group {
    fn new(folder: PathBuf, texts: Vec<String>) -> Result<Group, String> {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for text in &texts {
            let pattern = text.strip_prefix("./").unwrap_or(text);
            let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
            let (set, pattern) = match pattern.contains('/') {
                true => (&mut paths, pattern.strip_prefix('/').unwrap_or(pattern)),
                false => (&mut names, pattern),
            };
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            set.add(glob.map_err(|error| format!("`{text}` is no pattern: {}", error.kind()))?);
        }
        let build = |set: GlobSetBuilder| set.build().map_err(|error| error.kind().to_string());
        Ok(Group { names: build(names)?, paths: build(paths)?, folder, texts })
    }

    fn matches(&self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(&self.folder) else { return false };
        path.file_name().is_some_and(|name| self.names.is_match(name)) || self.paths.is_match(below)
    }
}
