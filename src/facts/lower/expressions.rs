//! Expressions: each becomes an [`ExprId`], and what happens while it is evaluated becomes events.
//!
//! A context is opened for what runs only sometimes (the right side of `and`, an arm of a conditional expression) and
//! forgotten again when nothing happened in it: most of these are plain names, and a context each would double the
//! number of contexts.

use ruff_python_ast as ast;
use ruff_text_size::Ranged;

use super::{Lowering, span};
use crate::facts::{
    Call, CallId, ComprehensionKind, Constant, ContextKind, DisplayKind, EventId, EventKind, Expr, ExprId, NOTHING,
    Operator, Run, ScopeKind,
};

/// Longer strings aren't names of anything.
const LONGEST_WORD: usize = 64;

impl<'a> Lowering<'a> {
    pub(super) fn expr(&mut self, node: &'a ast::Expr) -> ExprId {
        match node {
            ast::Expr::Name(node) => self.name_expr(&node.id),
            ast::Expr::Attribute(node) => {
                let base = self.expr(&node.value);
                let name = self.name(&node.attr);
                self.shared(Expr::Attribute(base, name))
            }
            ast::Expr::Call(node) => self.call(node),
            ast::Expr::Subscript(node) => {
                let base = self.expr(&node.value);
                let key = self.expr(&node.slice);
                let whole = self.shared(Expr::Subscript(base, key));
                if node.ctx == ast::ExprContext::Load {
                    self.emit(EventKind::Read(whole), node);
                }
                whole
            }
            ast::Expr::StringLiteral(node) => self.string(&node.value),
            ast::Expr::NumberLiteral(node) => self.constant(number(&node.value)),
            ast::Expr::NoneLiteral(_) => self.constant(Constant::None),
            ast::Expr::BooleanLiteral(node) => self.constant(if node.value { Constant::True } else { Constant::False }),
            ast::Expr::EllipsisLiteral(_) => self.constant(Constant::Ellipsis),
            ast::Expr::BytesLiteral(_) => self.constant(Constant::Bytes),
            ast::Expr::Tuple(node) => self.display(DisplayKind::Tuple, &node.elts),
            ast::Expr::List(node) => self.display(DisplayKind::List, &node.elts),
            ast::Expr::Set(node) => self.display(DisplayKind::Set, &node.elts),
            ast::Expr::Dict(node) => self.dict(node),
            ast::Expr::BinOp(node) => self.binary(node),
            ast::Expr::BoolOp(node) => self.bool_op(node),
            ast::Expr::UnaryOp(node) => self.unary(node),
            ast::Expr::Compare(node) => self.compare(node),
            ast::Expr::If(node) => self.conditional(node),
            ast::Expr::FString(node) => self.f_string(node),
            ast::Expr::TString(node) => self.t_string(node),
            ast::Expr::Lambda(node) => self.lambda(node),
            ast::Expr::ListComp(node) => {
                self.comprehension(ComprehensionKind::List, None, &node.elt, &node.generators, node)
            }
            ast::Expr::SetComp(node) => {
                self.comprehension(ComprehensionKind::Set, None, &node.elt, &node.generators, node)
            }
            ast::Expr::DictComp(node) => {
                let key = node.key.as_deref();
                self.comprehension(ComprehensionKind::Dict, key, &node.value, &node.generators, node)
            }
            ast::Expr::Generator(node) => {
                self.comprehension(ComprehensionKind::Generator, None, &node.elt, &node.generators, node)
            }
            ast::Expr::Slice(node) => {
                let mark = self.gathered.len();
                for part in [&node.lower, &node.upper, &node.step] {
                    let part = part.as_deref().map_or(NOTHING, |part| self.expr(part));
                    self.gathered.push(part);
                }
                let parts = self.gathered_list(mark);
                self.own(Expr::Slice(parts))
            }
            ast::Expr::Starred(node) => {
                let inner = self.expr(&node.value);
                self.shared(Expr::Starred(inner))
            }
            ast::Expr::Named(node) => self.walrus(node),
            ast::Expr::Await(node) => {
                let inner = self.expr(&node.value);
                self.emit(EventKind::Await(inner), node);
                self.shared(Expr::Await(inner))
            }
            ast::Expr::Yield(node) => {
                let value = node.value.as_deref().map_or(NOTHING, |value| self.expr(value));
                self.yields(value, node)
            }
            ast::Expr::YieldFrom(node) => {
                let iterable = self.expr(&node.value);
                let element = self.shared(Expr::Element(iterable));
                self.yields(element, node);
                // What a generator returns is its result, as with `await`.
                self.shared(Expr::Await(iterable))
            }
            ast::Expr::IpyEscapeCommand(_) => NOTHING,
        }
    }

    fn call(&mut self, node: &'a ast::ExprCall) -> ExprId {
        let callee = self.expr(&node.func);
        let mark = self.gathered.len();
        for argument in &node.arguments.args {
            let argument = self.expr(argument);
            self.gathered.push(argument);
        }
        let arguments = self.gathered_list(mark);
        let keywords = self.keyword_arguments(&node.arguments.keywords);
        let id = CallId(self.tables.calls.len() as u32);
        let expr = self.own(Expr::Call(id));
        let event = EventId(self.tables.events.len() as u32);
        self.tables.calls.push(Call { expr, callee, arguments, keywords, event });
        self.emit(EventKind::Call(id), node);
        expr
    }

    pub(super) fn keyword_arguments(&mut self, keywords: &'a [ast::Keyword]) -> Run {
        let mark = self.gathered_keywords.len();
        for keyword in keywords {
            let name = keyword.arg.as_ref().map(|name| self.name(name));
            let value = self.expr(&keyword.value);
            self.gathered_keywords.push((name, value));
        }
        self.gathered_keyword_list(mark)
    }

    pub(super) fn string(&mut self, value: &'a ast::StringLiteralValue) -> ExprId {
        match value.as_slice() {
            [part] if is_dotted_name(&part.value) => self.word(&part.value),
            _ => self.constant(Constant::Str),
        }
    }

    fn display(&mut self, kind: DisplayKind, elements: &'a [ast::Expr]) -> ExprId {
        let mark = self.gathered.len();
        for element in elements {
            let element = self.expr(element);
            self.gathered.push(element);
        }
        let elements = self.gathered_list(mark);
        self.own(Expr::Display(kind, elements))
    }

    fn dict(&mut self, node: &'a ast::ExprDict) -> ExprId {
        let mark = self.gathered.len();
        for item in &node.items {
            let key = item.key.as_ref().map_or(NOTHING, |key| self.expr(key));
            self.gathered.push(key);
            let value = self.expr(&item.value);
            self.gathered.push(value);
        }
        let items = self.gathered_list(mark);
        self.own(Expr::Display(DisplayKind::Dict, items))
    }

    /// Long sums lean to the left and may be deeper than the stack, so the left side is walked by a loop.
    fn binary(&mut self, node: &'a ast::ExprBinOp) -> ExprId {
        let mut chain = Vec::new();
        let mut leftmost = &*node.left;
        while let ast::Expr::BinOp(inner) = leftmost {
            chain.push(inner);
            leftmost = &inner.left;
        }
        let mut left = self.expr(leftmost);
        for node in chain.into_iter().rev().chain([node]) {
            let right = self.expr(&node.right);
            left = self.shared(Expr::Binary(operator(node.op), left, right));
        }
        left
    }

    fn bool_op(&mut self, node: &'a ast::ExprBoolOp) -> ExprId {
        let around = self.context;
        let mark = self.gathered.len();
        let mut previous = None;
        for value in &node.values {
            if let Some(previous) = previous {
                let kind = match node.op {
                    ast::BoolOp::And => ContextKind::If(previous),
                    ast::BoolOp::Or => ContextKind::Else(previous),
                };
                self.open(kind, span(value));
            }
            let value = self.expr(value);
            self.gathered.push(value);
            previous = Some(value);
        }
        while self.context != around {
            let inner = self.context;
            self.context = self.tables.contexts[inner.index()].parent;
            self.forget_if_empty(inner, 1);
        }
        let values = self.gathered_list(mark);
        self.own(match node.op {
            ast::BoolOp::And => Expr::And(values),
            ast::BoolOp::Or => Expr::Or(values),
        })
    }

    fn unary(&mut self, node: &'a ast::ExprUnaryOp) -> ExprId {
        let operand = self.expr(&node.operand);
        match (node.op, self.tables.exprs[operand.index()]) {
            (ast::UnaryOp::Not, _) => self.shared(Expr::Not(operand)),
            // `x[-1]` and `x[+1]` are different places.
            (ast::UnaryOp::USub, Expr::Constant(Constant::Int(number))) => {
                self.constant(number.checked_neg().map_or(Constant::Number, Constant::Int))
            }
            _ => self.shared(Expr::Unary(operand)),
        }
    }

    fn compare(&mut self, node: &'a ast::ExprCompare) -> ExprId {
        let mut left = self.expr(&node.left);
        let mark = self.gathered.len();
        for (comparison, right) in node.ops.iter().zip(&node.comparators) {
            let right = self.expr(right);
            let link = self.shared(Expr::Binary(comparison_operator(*comparison), left, right));
            self.gathered.push(link);
            left = right;
        }
        if let [link] = self.gathered[mark..] {
            self.gathered.truncate(mark);
            return link;
        }
        let links = self.gathered_list(mark);
        self.own(Expr::And(links))
    }

    fn conditional(&mut self, node: &'a ast::ExprIf) -> ExprId {
        let around = self.context;
        let test = self.expr(&node.test);
        let then_context = self.open(ContextKind::If(test), span(&*node.body));
        let then = self.expr(&node.body);
        self.context = around;
        self.open_arm(ContextKind::Else(test), span(&*node.orelse), then_context);
        let otherwise = self.expr(&node.orelse);
        self.context = around;
        self.forget_if_empty(then_context, 2);
        let mark = self.gathered.len();
        self.gathered.extend([test, then, otherwise]);
        let parts = self.gathered_list(mark);
        self.own(Expr::Conditional(parts))
    }

    fn f_string(&mut self, node: &'a ast::ExprFString) -> ExprId {
        let mark = self.gathered.len();
        for part in &node.value {
            if let ast::FStringPart::FString(part) = part {
                self.interpolations(&part.elements);
            }
        }
        if self.gathered.len() == mark {
            return self.constant(Constant::Str);
        }
        let parts = self.gathered_list(mark);
        self.own(Expr::Format(parts))
    }

    fn t_string(&mut self, node: &'a ast::ExprTString) -> ExprId {
        let mark = self.gathered.len();
        for part in &node.value {
            self.interpolations(&part.elements);
        }
        let parts = self.gathered_list(mark);
        self.own(Expr::Format(parts))
    }

    fn interpolations(&mut self, elements: &'a ast::InterpolatedStringElements) {
        for element in elements.interpolations() {
            let value = self.expr(&element.expression);
            self.gathered.push(value);
            if let Some(format) = &element.format_spec {
                self.interpolations(&format.elements);
            }
        }
    }

    fn comprehension(
        &mut self,
        kind: ComprehensionKind,
        key: Option<&'a ast::Expr>,
        element: &'a ast::Expr,
        generators: &'a [ast::Comprehension],
        whole: impl Ranged,
    ) -> ExprId {
        // Python evaluates the first iterable before it enters the comprehension's scope.
        let first = generators.first().map_or(NOTHING, |first| self.expr(&first.iter));
        let scope = self.declare_scope(ScopeKind::Comprehension);
        self.enter_scope(scope, Some(self.context), whole.range());
        for (index, generator) in generators.iter().enumerate() {
            let iterable = if index == 0 { first } else { self.expr(&generator.iter) };
            self.open(ContextKind::For { iterable }, span(generator));
            self.bind_element(&generator.target, iterable);
            for test in &generator.ifs {
                let place = span(test);
                let test = self.expr(test);
                self.open(ContextKind::If(test), place);
            }
        }
        let key = (kind == ComprehensionKind::Dict).then(|| key.map_or(NOTHING, |key| self.expr(key)));
        let mut value = self.expr(element);
        if let Some(key) = key {
            let pair = self.pair(key, value);
            value = self.own(Expr::Display(DisplayKind::Tuple, pair));
        }
        self.emit(EventKind::Yield(value), element);
        self.leave_scope();
        self.own(Expr::Comprehension(kind, scope))
    }

    fn walrus(&mut self, node: &'a ast::ExprNamed) -> ExprId {
        let value = self.expr(&node.value);
        let target = match &*node.target {
            ast::Expr::Name(target) => {
                let (name, target) = self.name_and_expr(&target.id);
                if let Some(frame) = self.frames.iter_mut().rev().find(|frame| !frame.is_comprehension) {
                    frame.bindings.push(name);
                }
                target
            }
            target => self.expr(target),
        };
        self.emit(EventKind::Bind { target, value }, &*node.target);
        value
    }

    fn yields(&mut self, value: ExprId, place: impl Ranged) -> ExprId {
        if let Some(function) = self.function() {
            self.tables.functions[function.index()].is_generator = true;
        }
        self.emit(EventKind::Yield(value), place);
        self.shared(Expr::Sent)
    }
}

pub(super) fn operator(operator: ast::Operator) -> Operator {
    match operator {
        ast::Operator::Add => Operator::Add,
        ast::Operator::Sub => Operator::Sub,
        ast::Operator::Mult => Operator::Mult,
        ast::Operator::Mod => Operator::Mod,
        ast::Operator::BitOr => Operator::BitOr,
        ast::Operator::BitAnd => Operator::BitAnd,
        ast::Operator::BitXor => Operator::BitXor,
        ast::Operator::Div
        | ast::Operator::FloorDiv
        | ast::Operator::Pow
        | ast::Operator::LShift
        | ast::Operator::RShift
        | ast::Operator::MatMult => Operator::Other,
    }
}

fn comparison_operator(operator: ast::CmpOp) -> Operator {
    match operator {
        ast::CmpOp::Eq => Operator::Eq,
        ast::CmpOp::NotEq => Operator::NotEq,
        ast::CmpOp::Lt => Operator::Lt,
        ast::CmpOp::LtE => Operator::LtE,
        ast::CmpOp::Gt => Operator::Gt,
        ast::CmpOp::GtE => Operator::GtE,
        ast::CmpOp::Is => Operator::Is,
        ast::CmpOp::IsNot => Operator::IsNot,
        ast::CmpOp::In => Operator::In,
        ast::CmpOp::NotIn => Operator::NotIn,
    }
}

fn number(number: &ast::Number) -> Constant {
    match number {
        ast::Number::Int(number) => number.as_i32().map_or(Constant::Number, Constant::Int),
        ast::Number::Float(_) | ast::Number::Complex { .. } => Constant::Number,
    }
}

pub(super) fn is_dotted_name(text: &str) -> bool {
    if text.is_empty() || text.len() > LONGEST_WORD {
        return false;
    }
    let mut at_start = true;
    for byte in text.bytes() {
        at_start = match byte {
            b'.' if !at_start => true,
            b'0'..=b'9' if at_start => return false,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => false,
            _ => return false,
        };
    }
    !at_start
}
