//! Where the engine meets the floors below it.

use crate::facts::FileFacts;
use crate::finding::Finding;
use crate::models::Models;
use crate::program::{ModuleInput, Program};
use crate::syntax::Tree;

use super::{Problem, Request};
use crate::source::FileId;

pub fn lower(_tree: &Tree, _text: &str) -> FileFacts {
    FileFacts::default()
}

/// The models that come with unleak and the user's own.
pub fn models(_request: &Request, _problems: &mut Vec<Problem>) -> Models {
    Models::default()
}

pub fn link(modules: Vec<ModuleInput>, models: &Models) -> Program {
    Program::link(modules, models)
}

/// Every rule by its code, in the order of the codes.
pub fn rule_codes() -> Vec<&'static str> {
    Vec::new()
}

pub fn run_rule(_code: &'static str, _module: usize, _program: &Program) -> Vec<Finding> {
    Vec::new()
}

/// The modules that findings are asked for, as their number and file.
pub fn reported_modules(program: &Program) -> Vec<(usize, FileId)> {
    let modules = program.modules.iter().enumerate();
    modules.filter(|(_, module)| module.reported).map(|(number, module)| (number, module.file)).collect()
}
