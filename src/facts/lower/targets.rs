//! What assignments, loops and `with` bind.

use ruff_python_ast as ast;

use super::Lowering;
use crate::facts::{DisplayKind, EventKind, Expr, ExprId, Run};

/// What a target is given, as seen from the value.
#[derive(Clone, Copy)]
enum Given {
    Value,
    Element,
    Manager,
}

impl<'a> Lowering<'a> {
    pub(super) fn bind(&mut self, target: &'a ast::Expr, value: ExprId) {
        self.bind_each(target, value, Given::Value);
    }

    pub(super) fn bind_element(&mut self, target: &'a ast::Expr, iterable: ExprId) {
        self.bind_each(target, iterable, Given::Element);
    }

    pub(super) fn bind_manager(&mut self, target: &'a ast::Expr, manager: ExprId) {
        self.bind_each(target, manager, Given::Manager);
    }

    fn bind_each(&mut self, node: &'a ast::Expr, value: ExprId, given: Given) {
        let elements = match node {
            ast::Expr::Tuple(node) => &node.elts,
            ast::Expr::List(node) => &node.elts,
            ast::Expr::Starred(node) => return self.bind_rest(&node.value, value, given),
            _ => {
                let target = self.target(node);
                let kind = match given {
                    Given::Value => EventKind::Bind { target, value },
                    Given::Element => EventKind::BindElement { target, iterable: value },
                    Given::Manager => EventKind::BindManager { target, manager: value },
                };
                return self.emit(kind, node);
            }
        };
        if let (Given::Value, Some(run)) = (given, self.matching_elements(elements, value)) {
            for (element, index) in elements.iter().zip(run.range()) {
                self.bind_each(element, self.tables.lists[index], Given::Value);
            }
            return;
        }
        let element = self.shared(Expr::Element(value));
        // What a manager gives is unpacked once it is entered.
        let given = if matches!(given, Given::Element) { Given::Element } else { Given::Value };
        for target in elements {
            match target {
                // The rest is a list of elements, and stands for one of them.
                ast::Expr::Starred(rest) => self.bind_each(&rest.value, element, given),
                _ => self.bind_each(target, element, given),
            }
        }
    }

    /// A starred target outside a tuple is an error of syntax.
    fn bind_rest(&mut self, node: &'a ast::Expr, value: ExprId, given: Given) {
        let element = self.shared(Expr::Element(value));
        self.bind_each(node, element, given);
    }

    /// The elements of the value, if the targets take them one by one.
    fn matching_elements(&self, targets: &[ast::Expr], value: ExprId) -> Option<Run> {
        let Expr::Display(DisplayKind::Tuple | DisplayKind::List, run) = self.tables.exprs[value.index()] else {
            return None;
        };
        let is_plain = |id: &ExprId| !matches!(self.tables.exprs[id.index()], Expr::Starred(_));
        (targets.len() == run.len as usize
            && !targets.iter().any(ast::Expr::is_starred_expr)
            && self.tables.lists[run.range()].iter().all(is_plain))
        .then_some(run)
    }

    /// The place that is bound or deleted: its base and key are evaluated, the place itself isn't read.
    pub(super) fn target(&mut self, node: &'a ast::Expr) -> ExprId {
        if let ast::Expr::Name(node) = node {
            let (name, target) = self.name_and_expr(&node.id);
            self.bind_name(name);
            return target;
        }
        self.expr(node)
    }

    pub(super) fn delete(&mut self, node: &'a ast::Expr) {
        match node {
            ast::Expr::Tuple(node) => node.elts.iter().for_each(|target| self.delete(target)),
            ast::Expr::List(node) => node.elts.iter().for_each(|target| self.delete(target)),
            _ => {
                let target = self.target(node);
                self.emit(EventKind::Delete { target }, node);
            }
        }
    }
}
