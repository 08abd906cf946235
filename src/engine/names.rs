//! What an import would call a file, and whether the file is a test.
//!
//! The rule: imports begin at the first folder above a file that is no package (it has no `__init__.py`). Where that
//! folder is the project's own, or `src`, `lib` or `python` in it, there is nothing more to say. Where it is
//! another, `backend/app/__init__.py` may be `app` with `backend` on the path, or `backend.app` as a namespace
//! package: the way that the project's own imports write it decides, and if they don't say, a package is called
//! after itself and a loose file by its whole path. `import json` says nothing of `backend/json`: it means the standard
//! library's, and what a namespace holds must not hide that for the whole project.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::standard_library::is_standard_module;
use crate::facts::{FileFacts, Import};
use crate::program::Role;
use crate::source::{Name, NameSet};

/// A file's dotted name, as far as its path tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModulePath {
    /// `package.module`; a package's `__init__.py` has the package's name.
    pub name: String,
    pub is_package: bool,
    /// Other ways to call it: its first folders may be a namespace.
    pub choice: Option<Choice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// From the shortest to the whole path below the project.
    pub names: Vec<String>,
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
    let Ok(below) = start.strip_prefix(project) else { return ModulePath { name, is_package, choice: None } };
    let first = below.components().next();
    let source_folder = first.filter(|first| SOURCE_FOLDERS.iter().any(|known| first.as_os_str() == *known));
    let import_root = source_folder.map_or_else(|| project.to_owned(), |folder| project.join(folder));
    if start == import_root {
        return ModulePath { name, is_package, choice: None };
    }
    let roots = start.ancestors().take_while(|folder| folder.starts_with(&import_root));
    let names: Vec<String> = roots.map(|root| dotted(path, root, is_package)).collect();
    let is_loose = start == folder;
    let name = if is_loose { names.last().cloned().unwrap_or(name) } else { name };
    ModulePath { name, is_package, choice: Some(Choice { names, folder: start.to_owned() }) }
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
    "example",
    "examples",
    "samples",
    "tutorial",
    "tutorials",
    "demo",
    "demos",
];

/// Folders that hold other projects' code, whatever underscores stand around their names.
const VENDOR_FOLDERS: &[&str] =
    &["vendor", "vendored", "vendors", "third_party", "thirdparty", "3rdparty", "thirdparty_files", "extern"];

/// Packages that are one command with subcommands: beside the `commands` stands the `cli` that chooses among them.
pub fn command_tools(packages: &FxHashSet<&Path>) -> Vec<PathBuf> {
    let commands = packages.iter().filter(|folder| folder.file_name().is_some_and(|name| name == "commands"));
    let chosen_beside = |tool: &&Path| ["cli", "_cli"].iter().any(|cli| packages.contains(tool.join(cli).as_path()));
    commands.filter_map(|folder| folder.parent()).filter(chosen_beside).map(Path::to_owned).collect()
}

/// How a file's code runs, by where it lies: only under tests or as a demonstration, by the names that test runners look
/// for, or as a part of a command. `path` is relative to the project, `key` the same file's canonical path.
pub fn role(path: &Path, key: &Path, tools: &[PathBuf]) -> Role {
    if is_test(path) {
        Role::Test
    } else if path.parent().into_iter().flat_map(Path::components).any(is_vendor_folder) {
        Role::Vendored
    } else if path.parent().into_iter().flat_map(Path::components).any(is_command_folder)
        || is_setup_script(path)
        || tools.iter().any(|tool| key.starts_with(tool))
    {
        Role::Command
    } else {
        Role::Library
    }
}

/// What test runners look for, and what stands in for the real thing in tests.
fn is_test(path: &Path) -> bool {
    let mut folders = path.parent().into_iter().flat_map(Path::components);
    let in_tests = folders.any(|folder| TEST_FOLDERS.iter().any(|name| folder.as_os_str() == *name));
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_helper = matches!(
        stem,
        "conftest" | "testing" | "_testing" | "testing_utils" | "test" | "tests" | "testutils" | "testutil"
    );
    let is_double = ["fake", "mock", "dummy"]
        .iter()
        .any(|double| stem.strip_prefix(double).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')));
    in_tests || is_helper || is_double || stem.starts_with("test_") || stem.ends_with("_test")
}

fn is_vendor_folder(folder: std::path::Component) -> bool {
    folder.as_os_str().to_str().is_some_and(|name| VENDOR_FOLDERS.contains(&name.trim_matches('_')))
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
    is_by_stem && !is_tool && !is_test(&path.with_file_name("module.py"))
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
    if called.is_empty() {
        return FxHashSet::default();
    }
    let last = |name: Name| Name::new(name.as_str().rsplit('.').next().unwrap_or_default());
    let last_names: NameSet = called.keys().map(|name| last(*name)).collect();
    // The same few modules are imported everywhere.
    let sources = (modules.par_iter())
        .fold(NameSet::default, |mut names, module| {
            names.extend(module.facts.imports.iter().map(|import| import.module));
            names
        })
        .reduce(NameSet::default, NameSet::union);
    let sources: NameSet = sources.iter().filter(|source| last_names.contains(last(*source))).collect();
    let may_name =
        |import: &&Import| import.name.is_some_and(|name| last_names.contains(name)) || sources.contains(import.module);
    let meant_by = |module: &Imported, import: &Import| {
        let source = import_source(module, import);
        let member = import.name.map(|name| format!("{source}.{name}"));
        let meant = [Some(source), member].into_iter().flatten().map(|name| Name::new(name.trim_start_matches('.')));
        meant.filter_map(|name| called.get(&name).copied()).collect::<Vec<_>>()
    };
    (modules.par_iter().filter(|module| module.role != Role::Test))
        .flat_map_iter(|module| {
            module.facts.imports.iter().filter(may_name).flat_map(|import| meant_by(module, import))
        })
        .collect()
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

/// So many modules with names of the standard library are the standard library.
const STANDARD_LIBRARY: usize = 40;

/// The name of each module, where its path leaves a choice by the imports of all of them.
pub fn decide(modules: &[(&ModulePath, &FileFacts)]) -> Vec<Name> {
    let choices: Vec<&Choice> = modules.iter().filter_map(|(module, _)| module.choice.as_ref()).collect();
    let shadowing = shadowing_folders(&choices);
    let votes = votes(modules, &choices, &shadowing);
    let name = |module: &ModulePath| {
        let Some(choice) = &module.choice else { return Name::new(&module.name) };
        let is_hidden = |name: &str| shadowing.contains(choice.folder.as_os_str()) && is_standard_module(top(name));
        let counted = votes.get(choice.folder.as_os_str()).map_or(&[][..], Vec::as_slice);
        let of = |name: &str| choice.names.iter().position(|other| other == name).and_then(|at| counted.get(at));
        // The shortest of those that most imports speak for; what the path says by itself if none says more.
        let most = counted.iter().max().filter(|most| **most > *of(&module.name).unwrap_or(&0));
        let chosen = most.and_then(|most| counted.iter().position(|votes| votes == most));
        let name = chosen.and_then(|at| choice.names.get(at)).unwrap_or(&module.name);
        match is_hidden(name) {
            true => Name::new(choice.names.last().unwrap_or(name)),
            false => Name::new(name),
        }
    };
    modules.par_iter().map(|(module, _)| name(module)).collect()
}

/// For each folder with a choice, how many of its modules are imported under each of their names.
fn votes<'m>(
    modules: &[(&ModulePath, &FileFacts)],
    choices: &[&'m Choice],
    shadowing: &FxHashSet<&'m OsStr>,
) -> FxHashMap<&'m OsStr, Vec<u32>> {
    let mut votes: FxHashMap<&OsStr, Vec<u32>> = FxHashMap::default();
    if choices.is_empty() {
        return votes;
    }
    let candidates: Vec<Vec<Candidate>> =
        choices.par_iter().map(|choice| choice.names.iter().map(|name| candidate(name)).collect()).collect();
    let imported = imported_names(modules, &candidates.iter().flatten().copied().collect());
    for (choice, candidates) in choices.iter().zip(&candidates) {
        let counted = votes.entry(choice.folder.as_os_str()).or_default();
        counted.resize(counted.len().max(choice.names.len()), 0);
        for ((votes, name), candidate) in counted.iter_mut().zip(&choice.names).zip(candidates) {
            let is_hidden = shadowing.contains(choice.folder.as_os_str()) && is_standard_module(top(name));
            *votes += u32::from(!is_hidden && imported.contains(candidate));
        }
    }
    votes
}

/// The folders that hold something with a name of the standard library and are not the standard library.
fn shadowing_folders<'m>(choices: &[&'m Choice]) -> FxHashSet<&'m OsStr> {
    // As texts: to compare paths takes them apart each time.
    let mut standard: FxHashMap<&OsStr, FxHashSet<&str>> = FxHashMap::default();
    for choice in choices {
        let top = choice.names.first().map_or("", |name| top(name));
        if is_standard_module(top) {
            standard.entry(choice.folder.as_os_str()).or_default().insert(top);
        }
    }
    standard.into_iter().filter(|(_, names)| names.len() < STANDARD_LIBRARY).map(|(folder, _)| folder).collect()
}

fn top(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
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
    let new = || (NameSet::default(), FxHashSet::<Candidate>::default());
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
            one.1.extend(other.1);
            (one.0.union(other.0), one.1)
        });
    for source in sources.iter() {
        let text = source.as_str();
        let packages = text.match_indices('.').map(|(end, _)| &text[..end]);
        imported.extend(packages.chain([text]).map(candidate));
    }
    imported
}
