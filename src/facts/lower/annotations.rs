//! Annotations: expressions without events, for nothing that they say happens when the code runs.
//!
//! Only what types are written with is kept; calls and whatever else needs an event are `NOTHING`. A string is read
//! as the type it quotes. Its tree is gone when it has been read, so names are taken from the text, not the tree.

use ruff_python_ast::{self as ast, StringFlags};
use ruff_text_size::TextRange;

use super::Lowering;
use super::expressions::{is_dotted_name, operator};
use crate::facts::{Constant, DisplayKind, Expr, ExprId, NOTHING};

/// Quoted types are short; longer strings, or deeper ones, aren't worth the parser's stack.
const LONGEST_QUOTED: usize = 1000;
const DEEPEST_QUOTED: usize = 30;

impl<'a> Lowering<'a> {
    pub(super) fn annotation(&mut self, node: &'a ast::Expr) -> ExprId {
        self.annotation_in(node, self.text)
    }

    /// `text` is what the node's ranges refer to.
    fn annotation_in(&mut self, node: &ast::Expr, text: &'a str) -> ExprId {
        match node {
            ast::Expr::Name(node) => self.name_expr(slice(text, node.range)),
            ast::Expr::Attribute(node) => {
                let base = self.annotation_in(&node.value, text);
                let name = self.name(slice(text, node.attr.range));
                self.shared(Expr::Attribute(base, name))
            }
            ast::Expr::Subscript(node) => {
                let base = self.annotation_in(&node.value, text);
                // The strings in `Literal["a"]` are values.
                let key = if is_literal(&node.value) {
                    self.values_in(&node.slice, text)
                } else {
                    self.annotation_in(&node.slice, text)
                };
                self.shared(Expr::Subscript(base, key))
            }
            ast::Expr::BinOp(node) => {
                let mut chain = Vec::new();
                let mut leftmost = &*node.left;
                while let ast::Expr::BinOp(inner) = leftmost {
                    chain.push(inner);
                    leftmost = &inner.left;
                }
                let mut left = self.annotation_in(leftmost, text);
                for node in chain.into_iter().rev().chain([node]) {
                    let right = self.annotation_in(&node.right, text);
                    left = self.shared(Expr::Binary(operator(node.op), left, right));
                }
                left
            }
            ast::Expr::Tuple(node) => self.annotations_in(DisplayKind::Tuple, &node.elts, text),
            ast::Expr::List(node) => self.annotations_in(DisplayKind::List, &node.elts, text),
            ast::Expr::Starred(node) => {
                let inner = self.annotation_in(&node.value, text);
                self.shared(Expr::Starred(inner))
            }
            ast::Expr::StringLiteral(node) => match node.value.as_slice() {
                [part] => {
                    let (start, end) = (part.range.start() + part.flags.opener_len(), part.range.end());
                    let content =
                        text.get(start.to_usize()..end.to_usize().saturating_sub(part.flags.closer_len().to_usize()));
                    self.quoted(content.unwrap_or_default())
                }
                _ => self.constant(Constant::Str),
            },
            ast::Expr::NoneLiteral(_) => self.constant(Constant::None),
            ast::Expr::EllipsisLiteral(_) => self.constant(Constant::Ellipsis),
            _ => NOTHING,
        }
    }

    fn annotations_in(&mut self, kind: DisplayKind, elements: &[ast::Expr], text: &'a str) -> ExprId {
        let mark = self.gathered.len();
        for element in elements {
            let element = self.annotation_in(element, text);
            self.gathered.push(element);
        }
        let elements = self.gathered_list(mark);
        self.own(Expr::Display(kind, elements))
    }

    fn quoted(&mut self, text: &'a str) -> ExprId {
        let text = text.trim();
        if is_dotted_name(text) {
            return self.dotted(text);
        }
        let opening = text.bytes().filter(|byte| matches!(byte, b'[' | b'(' | b'{')).count();
        if text.len() > LONGEST_QUOTED || opening > DEEPEST_QUOTED {
            return self.constant(Constant::Str);
        }
        match ruff_python_parser::parse_expression(text) {
            Ok(parsed) => self.annotation_in(parsed.expr(), text),
            Err(_) => self.constant(Constant::Str),
        }
    }

    fn dotted(&mut self, text: &'a str) -> ExprId {
        let mut parts = text.split('.');
        let mut whole = self.name_expr(parts.next().unwrap_or_default());
        for part in parts {
            let name = self.name(part);
            whole = self.shared(Expr::Attribute(whole, name));
        }
        whole
    }

    fn values_in(&mut self, node: &ast::Expr, text: &'a str) -> ExprId {
        match node {
            ast::Expr::Tuple(node) => {
                let mark = self.gathered.len();
                for element in &node.elts {
                    let element = self.values_in(element, text);
                    self.gathered.push(element);
                }
                let elements = self.gathered_list(mark);
                self.own(Expr::Display(DisplayKind::Tuple, elements))
            }
            ast::Expr::StringLiteral(_) => self.constant(Constant::Str),
            _ => self.annotation_in(node, text),
        }
    }
}

fn is_literal(node: &ast::Expr) -> bool {
    match node {
        ast::Expr::Name(node) => node.id == "Literal",
        ast::Expr::Attribute(node) => &node.attr == "Literal",
        _ => false,
    }
}

fn slice(text: &str, range: TextRange) -> &str {
    text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default()
}
