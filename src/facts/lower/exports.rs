//! `__all__`, where it can be read off the text.
//!
//! Branches and additions are united: which of them run isn't known here, and a name too many does no harm. As soon
//! as anything but plain strings is put in, the whole is unknown.

use ruff_python_ast as ast;

use super::Lowering;
use crate::facts::MODULE_SCOPE;
use crate::source::Name;

#[derive(Default)]
pub(super) struct Exports {
    names: Option<Vec<Name>>,
    is_unknown: bool,
}

impl Exports {
    pub(super) fn finish(self) -> Option<Box<[Name]>> {
        self.names.filter(|_| !self.is_unknown).map(Into::into)
    }
}

impl<'a> Lowering<'a> {
    /// `__all__ = value` or `__all__ += value`.
    pub(super) fn export_assigned(&mut self, target: &ast::Expr, value: Option<&'a ast::Expr>) {
        if is_all(target)
            && self.scope() == MODULE_SCOPE
            && let Some(value) = value
        {
            self.export_all(value);
        }
    }

    /// `__all__.extend(value)` or `__all__.append(value)`.
    pub(super) fn export_called(&mut self, statement: &'a ast::Expr) {
        if let ast::Expr::Call(call) = statement
            && let ast::Expr::Attribute(method) = &*call.func
            && is_all(&method.value)
            && self.scope() == MODULE_SCOPE
        {
            match (method.attr.as_str(), &*call.arguments.args) {
                ("extend", [value]) => self.export_all(value),
                ("append", [value]) => self.export(value),
                ("sort", _) => {}
                _ => self.exports.is_unknown = true,
            }
        }
    }

    fn export_all(&mut self, value: &'a ast::Expr) {
        match value {
            ast::Expr::List(value) => self.export_each(&value.elts),
            ast::Expr::Tuple(value) => self.export_each(&value.elts),
            ast::Expr::BinOp(value) if value.op == ast::Operator::Add => {
                self.export_all(&value.left);
                self.export_all(&value.right);
            }
            _ => self.exports.is_unknown = true,
        }
    }

    fn export_each(&mut self, elements: &'a [ast::Expr]) {
        self.exports.names.get_or_insert_default();
        elements.iter().for_each(|element| self.export(element));
    }

    fn export(&mut self, element: &'a ast::Expr) {
        let ast::Expr::StringLiteral(element) = element else {
            self.exports.is_unknown = true;
            return;
        };
        match element.value.as_slice() {
            [part] => {
                let name = self.name(&part.value);
                let names = self.exports.names.get_or_insert_default();
                names.push(name);
            }
            _ => self.exports.is_unknown = true,
        }
    }
}

fn is_all(node: &ast::Expr) -> bool {
    matches!(node, ast::Expr::Name(node) if node.id == "__all__")
}
