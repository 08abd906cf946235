//! What patterns bind, each from the part of the subject that it is matched against.

use ruff_python_ast as ast;

use super::Lowering;
use crate::facts::{EventKind, Expr, ExprId};

impl<'a> Lowering<'a> {
    pub(super) fn pattern(&mut self, node: &'a ast::Pattern, subject: ExprId) {
        match node {
            ast::Pattern::MatchAs(node) => {
                if let Some(pattern) = &node.pattern {
                    self.pattern(pattern, subject);
                }
                self.capture(node.name.as_ref(), subject);
            }
            ast::Pattern::MatchStar(node) => self.capture(node.name.as_ref(), subject),
            ast::Pattern::MatchOr(node) => {
                node.patterns.iter().for_each(|pattern| self.pattern(pattern, subject));
            }
            ast::Pattern::MatchSequence(node) => {
                let element = self.shared(Expr::Element(subject));
                node.patterns.iter().for_each(|pattern| self.pattern(pattern, element));
            }
            ast::Pattern::MatchMapping(node) => {
                for (key, pattern) in node.keys.iter().zip(&node.patterns) {
                    let key = self.expr(key);
                    let value = self.shared(Expr::Subscript(subject, key));
                    self.pattern(pattern, value);
                }
                let element = self.shared(Expr::Element(subject));
                self.capture(node.rest.as_ref(), element);
            }
            ast::Pattern::MatchClass(node) => {
                let element = self.shared(Expr::Element(subject));
                node.arguments.patterns.iter().for_each(|pattern| self.pattern(pattern, element));
                for keyword in &node.arguments.keywords {
                    let name = self.name(&keyword.attr);
                    let value = self.shared(Expr::Attribute(subject, name));
                    self.pattern(&keyword.pattern, value);
                }
            }
            ast::Pattern::MatchValue(_) | ast::Pattern::MatchSingleton(_) => {}
        }
    }

    fn capture(&mut self, name: Option<&'a ast::Identifier>, subject: ExprId) {
        let Some(name) = name else { return };
        let target = self.bind_identifier(name);
        self.emit(EventKind::BindPattern { target, subject }, name);
    }

    /// Binds a name that stands outside an expression, and gives it as one.
    pub(super) fn bind_identifier(&mut self, name: &'a ast::Identifier) -> ExprId {
        let bound = self.name(name);
        self.bind_name(bound);
        self.name_expr(name)
    }
}
