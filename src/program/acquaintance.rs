//! Whether who calls a method can plausibly hold the object.
//!
//! `x.step()` on an object of unknown type runs some `step`: of the project's own classes, or of a library's. Taken for
//! evidence of who runs what, a mere name leads anywhere in a large program, so the caller must know the class: name
//! its module or that of a base, or be known to it, as a plug-in knows what it plugs into.

use std::sync::Arc;

use super::calls::{Answers, CallSite};
use super::names::Definition;
use super::recent::{self, Recent};
use super::repetition::is_special;
use super::{ClassRef, FunctionRef, ModuleId, Program, vocabulary};
use crate::facts::ImportId;

thread_local! {
    static STAND_INS: Recent<bool> = Recent::of(false);
}

/// The modules that each module takes something from.
pub(super) type Acquaintances = Answers<ModuleId, Arc<[ModuleId]>>;

impl Program<'_> {
    /// Whether a call runs a function, or may do so as far as can be told from who knows whom.
    pub(super) fn is_plausible(&self, site: &CallSite, function: FunctionRef) -> bool {
        if site.is_certain {
            return true;
        }
        let Some(class) = self.class_of_method(function) else { return false };
        let name = self.function(function).name.as_str();
        if self.is_ruled_out(site, function) {
            return false;
        }
        site.module == function.module
            || !vocabulary::is_library_method(name) && self.are_acquainted(site.module, class, name)
    }

    /// Whether a call by name alone is of another method for sure: what the language calls, and what stands in for others
    /// under tests.
    pub(super) fn is_ruled_out(&self, site: &CallSite, function: FunctionRef) -> bool {
        let Some(class) = self.class_of_method(function).filter(|_| !site.is_certain) else { return false };
        let is_double = || self.is_test(function.module) || self.stands_in(class);
        is_special(self.function(function).name.as_str()) || !self.is_test(site.module) && is_double()
    }

    /// Whether a class is called like one that stands in for others.
    pub(super) fn stands_in(&self, class: ClassRef) -> bool {
        let scope = self.class_scope(class);
        recent::asked(&STAND_INS, self.edition, scope, 0, || {
            vocabulary::is_stand_in_name(self.class(class).name.as_str())
        })
    }

    /// A name of several words is the project's own, wherever in its package it is called; one word needs a closer
    /// acquaintance.
    fn are_acquainted(&self, caller: ModuleId, class: ClassRef, name: &str) -> bool {
        let says_what_it_does = name.trim_matches('_').contains('_') || name.chars().any(char::is_uppercase);
        if says_what_it_does && self.top_level_package(caller) == self.top_level_package(class.module) {
            return true;
        }
        let known = self.acquaintances(caller);
        self.mro(class).iter().any(|ancestor| known.contains(&ancestor.module))
            || self.acquaintances(class.module).contains(&caller)
    }

    fn top_level_package(&self, module: ModuleId) -> &str {
        let name = self.module(module).input.name.as_str();
        name.split('.').next().unwrap_or(name)
    }

    /// The modules that a module imports, and those that define what it imports from them.
    fn acquaintances(&self, module: ModuleId) -> std::sync::Arc<[ModuleId]> {
        self.acquaintances.get(module, |module| {
            let imports = 0..self.facts(*module).imports.len() as u32;
            imports.flat_map(|import| self.imported_from(*module, ImportId(import))).flatten().collect()
        })
    }

    fn imported_from(&self, module: ModuleId, import: ImportId) -> [Option<ModuleId>; 2] {
        let named = self.imported_module(module, import).and_then(|name| self.module_named(name));
        let defining = match self.imported(module, import) {
            Definition::Module(module) => Some(module),
            Definition::Class(class) => Some(class.module),
            Definition::Function(function) => Some(function.module),
            Definition::Variable(scope, _) => Some(scope.module),
            Definition::External(_) | Definition::Unknown => None,
        };
        [named, defining]
    }
}
