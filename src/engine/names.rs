//! What an import would call a file, and whether the file is a test.
//!
//! The rule: imports begin at the first folder above a file that is no package (it has no `__init__.py`). Where that
//! folder is the project's own, or `src`, `lib` or `python` in it, there is nothing more to say. Where it is
//! another, `backend/app/__init__.py` may be `app` with `backend` on the path, or `backend.app` as a namespace
//! package: the way that the project's own imports write it decides, and if they don't say, a package is called
//! after itself and a loose file by its whole path.

use std::path::Path;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{FileFacts, Import};
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
    "testutil",
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
    let is_helper = matches!(
        stem,
        "conftest" | "testing" | "_testing" | "testing_utils" | "test" | "tests" | "testutils" | "testutil"
    );
    let is_double = stem == "fake" || stem.starts_with("fake_") || stem == "mock" || stem.starts_with("mock_");
    if in_tests || is_helper || is_double || stem.starts_with("test_") || stem.ends_with("_test") {
        Role::Test
    } else if path.parent().into_iter().flat_map(Path::components).any(is_command_folder) || is_setup_script(path) {
        Role::Command
    } else {
        Role::Library
    }
}

const TEST_TOOLS: &[&str] = &[
    "base", "case", "cases", "client", "common", "data", "fixtures", "helper", "helpers", "mixin", "mixins", "runner",
    "server", "suite", "support", "tools", "util", "utils",
];

/// A file that only its own name calls a test: the folders around it say nothing.
fn is_called_test(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_by_stem = stem.starts_with("test_") || stem.ends_with("_test");
    // What tests are made with is imported by the plugins of test runners as well.
    let is_tool = stem.split('_').any(|word| TEST_TOOLS.contains(&word));
    is_by_stem && !is_tool && role(&path.with_file_name("module.py")) != Role::Test
}

/// A module as far as its role depends on who imports it.
pub struct Imported<'m> {
    pub path: &'m Path,
    pub name: Name,
    pub is_package: bool,
    pub role: Role,
    pub facts: &'m FileFacts,
}

/// The modules, by their places in the list, that are called like tests (`test_state.py`, for the state of a test) and
/// that code imports which is no test: they are part of it.
pub fn parts_called_tests(modules: &[Imported]) -> FxHashSet<usize> {
    let called: FxHashMap<Name, usize> = (modules.iter().enumerate())
        .filter(|(_, module)| module.role == Role::Test && is_called_test(module.path))
        .map(|(number, module)| (module.name, number))
        .collect();
    let mut parts = FxHashSet::default();
    if called.is_empty() {
        return parts;
    }
    for module in modules.iter().filter(|module| module.role != Role::Test) {
        for import in &module.facts.imports {
            let source = import_source(module, import);
            let member = import.name.map(|name| format!("{source}.{name}"));
            let found =
                [Some(source), member].into_iter().flatten().map(|name| Name::new(name.trim_start_matches('.')));
            parts.extend(found.filter_map(|name| called.get(&name)));
        }
    }
    parts
}

/// The dotted name of the module that an import takes something from.
fn import_source(module: &Imported, import: &Import) -> String {
    if import.level == 0 {
        return import.module.as_str().to_owned();
    }
    let mut package = module.name.as_str();
    for _ in usize::from(module.is_package)..import.level as usize {
        package = package.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
    if import.module.as_str().is_empty() { package.to_owned() } else { format!("{package}.{}", import.module) }
}

/// `setup.py` where a project keeps it: at its root, or a folder below.
fn is_setup_script(path: &Path) -> bool {
    path.components().count() <= 2 && path.file_name().is_some_and(|name| name == "setup.py")
}

/// Folders whose modules are commands by the custom of packages: what they do is done once for each call from a shell.
fn is_command_folder(folder: std::path::Component) -> bool {
    const COMMAND_FOLDERS: &[&str] = &[
        "cli",
        "_cli",
        "commands",
        "subcommands",
        "scripts",
        "bin",
        "distutils",
        "_distutils",
        "migrations",
        "alembic",
        "alembic_migrations",
    ];
    COMMAND_FOLDERS.iter().any(|name| folder.as_os_str() == *name)
}

/// The name of each module, where its path leaves a choice by the imports of all of them.
pub fn decide(modules: &[(&ModulePath, &FileFacts)]) -> Vec<Name> {
    let mut votes: FxHashMap<&Path, i64> = FxHashMap::default();
    let choices = modules.iter().filter_map(|(module, _)| Some((module.name.as_str(), module.other.as_ref()?)));
    if choices.clone().next().is_some() {
        let candidates: FxHashSet<Candidate> =
            choices.clone().flat_map(|(name, other)| [candidate(name), candidate(&other.name)]).collect();
        let imported = imported_names(modules, &candidates);
        let is_imported = |name: &str| imported.contains(&candidate(name));
        for (name, other) in choices {
            let vote = i64::from(is_imported(&other.name)) - i64::from(is_imported(name));
            *votes.entry(&other.folder).or_default() += vote;
        }
    }
    modules
        .iter()
        .map(|(module, _)| match &module.other {
            Some(other) if votes.get(other.folder.as_path()).is_some_and(|votes| *votes > 0) => Name::new(&other.name),
            _ => Name::new(&module.name),
        })
        .collect()
}

/// A dotted name, as the part before its last dot and the rest: `from a.b import c` may mean `a.b.c`, and need not
/// be put together to be compared.
type Candidate = (Option<Name>, Name);

fn candidate(dotted: &str) -> Candidate {
    match dotted.rsplit_once('.') {
        Some((package, last)) => (Some(Name::new(package)), Name::new(last)),
        None => (None, Name::new(dotted)),
    }
}

/// The candidates that an absolute import may mean as a module.
fn imported_names(modules: &[(&ModulePath, &FileFacts)], candidates: &FxHashSet<Candidate>) -> FxHashSet<Candidate> {
    let new = || (FxHashSet::<Name>::default(), FxHashSet::<Candidate>::default());
    let (sources, mut imported) = modules
        .par_iter()
        .fold(new, |(mut sources, mut imported), (_, facts)| {
            for import in facts.imports.iter().filter(|import| import.level == 0) {
                sources.insert(import.module);
                let member = import.name.map(|name| (Some(import.module), name));
                imported.extend(member.filter(|member| candidates.contains(member)));
            }
            (sources, imported)
        })
        .reduce(new, |mut one, other| {
            one.0.extend(other.0);
            one.1.extend(other.1);
            one
        });
    for source in sources {
        let text = source.as_str();
        let packages = text.match_indices('.').map(|(end, _)| &text[..end]);
        imported.extend(packages.chain([text]).map(candidate));
    }
    imported
}
