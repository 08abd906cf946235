//! Packages that are one command: what they do, they do once for each call from a shell.
//!
//! That a function is public says that it may be called again and again where others import the package. A program that
//! chooses among subcommands and offers nothing to import has no others; what repeats in it is shown by a loop or handler.

use rustc_hash::FxHashSet;

use super::repetition::Frequency;
use super::{ModuleId, Program, Role};
use crate::facts::{EventKind, Expr, MODULE_SCOPE};
use crate::models::By;
use crate::source::Name;

impl Program<'_> {
    /// Whether a module belongs to a package that is one command.
    pub fn is_part_of_tool(&self, module: ModuleId) -> bool {
        self.tools.get_or_init(|| self.find_tools()).contains(&self.package_of(module))
    }

    /// It is only presumed to repeat because others may call it, in a package that nobody else calls.
    pub fn is_presumed_in_tool(&self, module: ModuleId, frequency: Frequency) -> bool {
        frequency == Frequency::Presumed && self.is_part_of_tool(module)
    }

    fn package_of(&self, module: ModuleId) -> Name {
        let name = self.module(module).input.name;
        name.as_str().split_once('.').map_or(name, |(package, _)| Name::new(package))
    }

    fn find_tools(&self) -> FxHashSet<Name> {
        let library = || self.module_ids().filter(|module| self.module(*module).input.role != Role::Test);
        let mut tools: FxHashSet<Name> =
            library().filter(|module| self.chooses_subcommand(*module)).map(|module| self.package_of(module)).collect();
        for module in library() {
            let package = self.package_of(module);
            if tools.contains(&package) && (self.offers_something(module) || self.serves(module)) {
                tools.remove(&package);
            }
        }
        // Without a package file there is no telling what is offered.
        let packages: FxHashSet<Name> =
            self.modules.iter().filter(|module| module.input.is_package).map(|module| module.input.name).collect();
        tools.retain(|package| packages.contains(package));
        tools
    }

    /// `parser.add_subparsers()`, `@click.group()` in a module of the package itself: what chooses further down is one
    /// of its many parts.
    fn chooses_subcommand(&self, module: ModuleId) -> bool {
        if self.module(module).input.name.as_str().matches('.').count() != 1 {
            return false;
        }
        let facts = self.facts(module);
        let words = ["add_subparsers", "group"].map(Name::new);
        if !words.iter().any(|word| self.module(module).may_name(*word)) {
            return false;
        }
        facts.calls.iter().any(|call| match facts.expr(call.callee) {
            Expr::Attribute(_, name) if name == words[0] => true,
            Expr::Attribute(base, name) => {
                name == words[1] && matches!(facts.expr(base), Expr::Name(base) if base.as_str() == "click")
            }
            _ => false,
        })
    }

    /// The package itself has functions, classes or imports of its own modules for those who import it.
    fn offers_something(&self, module: ModuleId) -> bool {
        let input = &self.module(module).input;
        if !input.is_package || input.name.as_str().contains('.') {
            return false;
        }
        let facts = self.facts(module);
        facts.exports.is_some()
            || facts.scope_events(MODULE_SCOPE).any(|(_, event)| match event.kind {
                EventKind::Define(_) | EventKind::DefineClass(_) => facts.scope_of(event) == MODULE_SCOPE,
                EventKind::Import(import) => {
                    let import = &facts.imports[import.index()];
                    import.level > 0 || import.module.as_str().split('.').next() == Some(input.name.as_str())
                }
                _ => false,
            })
    }

    /// A handler of requests, connections or messages: it goes on for as long as somebody asks.
    fn serves(&self, module: ModuleId) -> bool {
        let has_handlers = self.classes_of(module).any(|class| {
            let mut bases = self.external_bases(class).iter();
            bases.any(|base| self.models.repeats(*base).is_some_and(|model| matches!(model.by, By::Base(_))))
        });
        has_handlers
            || self.functions_of(module).any(|function| {
                self.registered(function).is_some_and(|registered| registered.frequency == Frequency::Repeated)
            })
    }
}
