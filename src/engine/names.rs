//! What an import would call a file, and whether the file is a test.
//!
//! The rule: imports begin at the first folder above a file that is no package (it has no `__init__.py`). Where that
//! folder is the project's own, or `src`, `lib` or `python` in it, there is nothing more to say. Where it is
//! another, `backend/app/__init__.py` may be `app` with `backend` on the path, or `backend.app` as a namespace
//! package: the way that the project's own imports write it decides, and if they don't say, a package is called
//! after itself and a loose file by its whole path.

use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::FileFacts;
use crate::program::Role;
use crate::source::Name;

/// A file's dotted name, as far as its path tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModulePath {
    /// `package.module`; a package's `__init__.py` has the package's name.
    pub name: String,
    pub is_package: bool,
    /// The other way to call it: its first folders may be a namespace.
    pub other: Option<OtherName>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherName {
    pub name: String,
    /// Files of one folder are called the same way.
    pub folder: std::path::PathBuf,
}

/// Folders of a project that hold code and are no part of its name.
const SOURCE_FOLDERS: &[&str] = &["src", "lib", "python"];

pub fn is_package(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "__init__")
}

/// `packages` are the folders with an `__init__.py`, `project_folders` those with a project's marker.
pub fn module_path(
    path: &Path,
    root: &Path,
    packages: &FxHashSet<&Path>,
    project_folders: &FxHashSet<std::path::PathBuf>,
) -> ModulePath {
    let is_package = is_package(path);
    let folder = path.parent().unwrap_or(path);
    let start = folder.ancestors().find(|folder| !packages.contains(folder)).unwrap_or(folder);
    let project = start.ancestors().find(|folder| project_folders.contains(*folder)).unwrap_or(root);
    let name = dotted(path, start, is_package);
    let Ok(below) = start.strip_prefix(project) else { return ModulePath { name, is_package, other: None } };
    let first = below.components().next();
    let source_folder = first.filter(|first| SOURCE_FOLDERS.iter().any(|known| first.as_os_str() == *known));
    let import_root = source_folder.map_or_else(|| project.to_owned(), |folder| project.join(folder));
    if start == import_root {
        return ModulePath { name, is_package, other: None };
    }
    let whole = dotted(path, &import_root, is_package);
    let is_loose = start == folder;
    let (name, other) = if is_loose { (whole, name) } else { (name, whole) };
    ModulePath { name, is_package, other: Some(OtherName { name: other, folder: start.to_owned() }) }
}

fn dotted(path: &Path, start: &Path, is_package: bool) -> String {
    let below = path.strip_prefix(start).unwrap_or(path).with_extension("");
    let below = if is_package { below.parent().unwrap_or(&below) } else { &below };
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    if parts.is_empty() { "__init__".to_owned() } else { parts.join(".") }
}

const TEST_FOLDERS: &[&str] = &[
    "tests",
    "test",
    "testing",
    "_testing",
    "testutils",
    "test_utils",
    "testsuite",
    "idle_test",
    "benchmarks",
    "examples",
    "demo",
    "demos",
];

/// Files that run only under tests or as a demonstration, by the names that test runners look for. `path` is relative to the project.
pub fn role(path: &Path) -> Role {
    let mut folders = path.parent().into_iter().flat_map(Path::components);
    let in_tests = folders.any(|folder| TEST_FOLDERS.iter().any(|name| folder.as_os_str() == *name));
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_helper =
        matches!(stem, "conftest" | "testing" | "_testing" | "testing_utils" | "test" | "tests" | "testutils");
    let is_double = stem == "fake" || stem.starts_with("fake_") || stem == "mock" || stem.starts_with("mock_");
    if in_tests || is_helper || is_double || stem.starts_with("test_") || stem.ends_with("_test") {
        Role::Test
    } else {
        Role::Library
    }
}

/// The name of each module, where its path leaves a choice by the imports of all of them.
pub fn decide<'a>(modules: impl Iterator<Item = (&'a ModulePath, &'a FileFacts)> + Clone) -> Vec<Name> {
    let mut votes: FxHashMap<&Path, i64> = FxHashMap::default();
    if modules.clone().any(|(module, _)| module.other.is_some()) {
        let imported = imported_names(modules.clone().map(|(_, facts)| facts));
        let is_imported = |name: &str| imported.contains(&Name::new(name));
        for (module, _) in modules.clone() {
            let Some(other) = &module.other else { continue };
            let vote = i64::from(is_imported(&other.name)) - i64::from(is_imported(&module.name));
            *votes.entry(&other.folder).or_default() += vote;
        }
    }
    modules
        .map(|(module, _)| match &module.other {
            Some(other) if votes.get(other.folder.as_path()).is_some_and(|votes| *votes > 0) => Name::new(&other.name),
            _ => Name::new(&module.name),
        })
        .collect()
}

/// Every dotted name that an absolute import may mean as a module.
fn imported_names<'a>(facts: impl Iterator<Item = &'a FileFacts>) -> FxHashSet<Name> {
    let mut seen: FxHashSet<(Name, Option<Name>)> = FxHashSet::default();
    let mut imported = FxHashSet::default();
    for import in facts.flat_map(|facts| facts.imports.iter()).filter(|import| import.level == 0) {
        if !seen.insert((import.module, import.name)) {
            continue;
        }
        let module = import.module.as_str();
        imported.insert(import.module);
        imported.extend(module.match_indices('.').map(|(end, _)| Name::new(&module[..end])));
        if let Some(name) = import.name {
            imported.insert(Name::new(&format!("{module}.{name}")));
        }
    }
    imported
}
