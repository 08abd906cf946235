//! Where the engine meets the floors below it.

use crate::facts::{self, FileFacts};
use crate::finding::Finding;
use crate::models::Models;
use crate::program::{ModuleId, ModuleInput, Program};
use crate::rules::{RULES, Report};
use crate::source::{FileId, Position};
use crate::syntax::Tree;

use super::{Problem, ProblemKind, Request};

pub fn lower(tree: &Tree, text: &str) -> FileFacts {
    facts::lower::lower(&tree.module, text)
}

/// The models that come with unleak and the user's own.
pub fn models(request: &Request, problems: &mut Vec<Problem>) -> Models {
    let mut models = Models::builtin().clone();
    for (path, text) in &request.models {
        match Models::load(&path.to_string_lossy(), text) {
            Ok(users) => models.merge(users),
            Err(error) => problems.push(Problem {
                path: path.clone(),
                position: Some(Position { cell: None, row: error.row as u32, column: error.column as u32 }),
                message: error.message,
                kind: ProblemKind::Models,
                named: true,
            }),
        }
    }
    models
}

pub fn link(modules: Vec<ModuleInput>, models: &Models) -> Program<'_> {
    Program::link(modules, models)
}

/// Every rule by its code, in the order of the codes.
pub fn rule_codes() -> Vec<&'static str> {
    RULES.iter().map(|rule| rule.code).collect()
}

pub fn run_rule(code: &'static str, module: usize, program: &Program) -> Vec<Finding> {
    let module = ModuleId(module as u32);
    let mut report = Report::new(program, module, code);
    if let Some(rule) = RULES.iter().find(|rule| rule.code == code) {
        (rule.check)(module, program, &mut report);
    }
    report.findings
}

/// The modules that findings are asked for, as their number and file.
pub fn reported_modules(program: &Program) -> Vec<(usize, FileId)> {
    let modules = program.modules.iter().map(|module| &module.input).enumerate();
    modules.filter(|(_, input)| input.reported).map(|(number, input)| (number, input.file)).collect()
}
