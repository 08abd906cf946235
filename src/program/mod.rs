//! All facts linked: what only the whole program can tell.

use std::path::PathBuf;

use crate::facts::FileFacts;
use crate::models::Models;
use crate::source::{FileId, Name};

/// How a file's code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Imported by others, of a process of unknown length.
    Library,
    /// Runs only under tests: its process is short.
    Test,
}

/// A file as the engine hands it over.
pub struct ModuleInput {
    pub file: FileId,
    /// Its path relative to the project's root, for messages that name files.
    pub path: PathBuf,
    /// Dotted, as an import would write it: `package.module`; a package's `__init__.py` has the package's name.
    pub name: Name,
    pub is_package: bool,
    pub role: Role,
    /// Findings are asked for in this file; the others are only analysed.
    pub reported: bool,
    pub facts: FileFacts,
}

pub struct Program {
    pub modules: Vec<ModuleInput>,
}

impl Program {
    pub fn link(modules: Vec<ModuleInput>, _models: &Models) -> Program {
        Program { modules }
    }
}
