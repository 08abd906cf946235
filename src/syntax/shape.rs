//! What a change of the text must know of the tree: the statements around a place, and how names are used in them.
//!
//! The tree ends below here, and edits are made far above. So this gives spans and plain answers, and only to the few
//! questions that edits ask; each is a walk along one path of the tree or over a few statements.

use ruff_python_ast::visitor::source_order::{self, SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, Expr, ExprContext, Stmt};
use ruff_text_size::Ranged;

use super::parse::{Tree, span_of};
use crate::source::Span;

/// Statements that stand below each other.
pub struct Block {
    pub statements: Vec<Statement>,
    /// The one that was asked for.
    pub at: usize,
    /// The statement that has them below it.
    pub around: Option<Span>,
}

#[derive(Clone, Copy)]
pub struct Statement {
    pub span: Span,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `name = value`
    Assignment {
        name: Span,
        value: Span,
    },
    Expression,
    Other,
}

/// The innermost block that has a statement around a place.
pub fn block_around(tree: &Tree, place: Span) -> Option<Block> {
    let mut finder = BlockFinder { place, found: None, around: None };
    finder.visit_body(&tree.module.body);
    let (statements, at) = finder.found?;
    let statements =
        statements.iter().map(|statement| Statement { span: span_of(statement.range()), form: form(statement) });
    Some(Block { statements: statements.collect(), at, around: finder.around })
}

/// The innermost function around a place: a name that is bound in it means something there only.
pub fn function_around(tree: &Tree, place: Span) -> Option<Span> {
    let mut innermost = None;
    walk(tree, place, |_, above| {
        let function = above.iter().rfind(|node| matches!(node, AnyNodeRef::StmtFunctionDef(_)));
        innermost = innermost.or(function.map(|node| span_of(node.range())));
    });
    innermost
}

fn form(statement: &Stmt) -> Form {
    match statement {
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [Expr::Name(name)] => {
                Form::Assignment { name: span_of(name.range()), value: span_of(assign.value.range()) }
            }
            _ => Form::Other,
        },
        Stmt::Expr(_) => Form::Expression,
        _ => Form::Other,
    }
}

struct BlockFinder<'a> {
    place: Span,
    found: Option<(&'a [Stmt], usize)>,
    around: Option<Span>,
}

impl<'a> SourceOrderVisitor<'a> for BlockFinder<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        signal(span_of(node.range()).contains(self.place))
    }

    fn visit_body(&mut self, body: &'a [Stmt]) {
        if let Some(at) = body.iter().position(|statement| span_of(statement.range()).contains(self.place)) {
            self.around = self.found.map(|(outer, at)| span_of(outer[at].range()));
            self.found = Some((body, at));
            source_order::walk_stmt(self, &body[at]);
        }
    }
}

fn signal(goes_on: bool) -> TraversalSignal {
    if goes_on { TraversalSignal::Traverse } else { TraversalSignal::Skip }
}

/// How some statements use a name.
#[derive(Debug, Default)]
pub struct Usage {
    /// Bound again, deleted, or declared to belong elsewhere.
    pub is_rebound: bool,
    /// It stands where it may be kept: neither before a full stop, nor as an argument, nor as what a loop reads.
    pub is_kept: bool,
    /// What is returned or yielded has it as more than what stands before a full stop.
    pub is_returned: bool,
    /// A function, lambda or comprehension uses it.
    pub is_captured: bool,
    /// It is an argument of a call.
    pub is_passed: bool,
    /// A statement leaves before the end: `return`, `break`, `continue`.
    pub leaves: bool,
    /// Attributes that are asked of it.
    pub attributes: Vec<String>,
    /// What is called with it.
    pub passed_to: Vec<Span>,
}

pub fn usage(tree: &Tree, name: &str, within: Span) -> Usage {
    let mut usage = Usage::default();
    walk(tree, within, |node, above| match node {
        AnyNodeRef::StmtReturn(_) | AnyNodeRef::StmtBreak(_) | AnyNodeRef::StmtContinue(_) => usage.leaves = true,
        AnyNodeRef::ExprName(found) if found.id.as_str() == name => match found.ctx {
            ExprContext::Load => usage.add(node, above, within),
            _ => usage.is_rebound = true,
        },
        // Every other way to bind has the name as an identifier of its own; attributes and keywords have so too.
        AnyNodeRef::Identifier(found) if found.as_str() == name => {
            let is_bound = !matches!(above.last(), Some(AnyNodeRef::ExprAttribute(_) | AnyNodeRef::Keyword(_)));
            usage.is_rebound |= is_bound;
        }
        _ => {}
    });
    usage
}

impl Usage {
    fn add(&mut self, node: AnyNodeRef, above: &[AnyNodeRef], within: Span) {
        let inner = above.iter().skip_while(|node| !within.contains(span_of(node.range())));
        let mut is_returned = false;
        for node in inner {
            match node {
                AnyNodeRef::StmtFunctionDef(_)
                | AnyNodeRef::StmtClassDef(_)
                | AnyNodeRef::ExprLambda(_)
                | AnyNodeRef::ExprGenerator(_) => self.is_captured = true,
                AnyNodeRef::StmtReturn(_) | AnyNodeRef::ExprYield(_) | AnyNodeRef::ExprYieldFrom(_) => {
                    is_returned = true;
                }
                _ => {}
            }
        }
        let mut above = above.iter().rev();
        match above.next() {
            Some(AnyNodeRef::ExprAttribute(attribute)) => {
                self.attributes.push(attribute.attr.to_string());
                return;
            }
            Some(AnyNodeRef::StmtFor(statement)) if statement.iter.range() == node.range() => {}
            Some(AnyNodeRef::Comprehension(part)) if part.iter.range() == node.range() => {}
            Some(AnyNodeRef::Arguments(_)) => self.pass(above.next()),
            Some(AnyNodeRef::Keyword(_)) => self.pass(above.nth(1)),
            _ => self.is_kept = true,
        }
        self.is_returned |= is_returned;
    }

    fn pass(&mut self, call: Option<&AnyNodeRef>) {
        match call {
            Some(AnyNodeRef::ExprCall(call)) => {
                self.is_passed = true;
                self.passed_to.push(span_of(call.func.range()));
            }
            _ => self.is_kept = true,
        }
    }
}

/// The last statement of a block that uses what a name holds: the name itself, or what was bound where it was used.
pub fn last_use(tree: &Tree, name: &str, block: &Block) -> usize {
    let mut held = vec![name.to_owned()];
    let mut last = block.at;
    for (number, statement) in block.statements.iter().enumerate().skip(block.at + 1) {
        let (mut is_used, mut bound) = (false, Vec::new());
        walk(tree, statement.span, |node, _| {
            if let AnyNodeRef::ExprName(found) = node {
                match found.ctx {
                    ExprContext::Load => is_used |= held.iter().any(|held| *held == found.id.as_str()),
                    _ => bound.push(found.id.to_string()),
                }
            }
        });
        if is_used {
            last = number;
            held.extend(bound);
        }
    }
    last
}

/// A call whose result gets no name, and what uses it.
pub struct Temporary {
    pub statement: Span,
    /// The called function that it is passed to, or its method that is called.
    pub user: Span,
    pub is_method: bool,
    /// What is made of the user's result is more than attributes, items and calls of methods.
    pub is_passed_on: bool,
}

/// `None` where something else of the statement runs before the call, or where it may not run at all.
pub fn temporary(tree: &Tree, place: Span) -> Option<Temporary> {
    let mut path = Vec::new();
    walk(tree, place, |node, above| {
        if span_of(node.range()) == place && path.is_empty() && matches!(node, AnyNodeRef::ExprCall(_)) {
            path = above.iter().rev().copied().collect();
        }
    });
    let mut user = None;
    let mut is_passed_on = false;
    let mut below = place;
    for node in path {
        match node {
            AnyNodeRef::Arguments(_) => continue,
            AnyNodeRef::ExprAttribute(attribute) => {
                if user.is_none() {
                    user = Some((span_of(attribute.attr.range()), true));
                }
            }
            AnyNodeRef::ExprCall(call) if span_of(call.func.range()) == below => {}
            AnyNodeRef::ExprCall(call) => {
                let is_first = call.arguments.args.iter().take_while(|argument| span_of(argument.range()) != below);
                if !is_dotted_name(&call.func) || !is_first.into_iter().all(is_harmless) {
                    return None;
                }
                if user.is_some() {
                    is_passed_on = true;
                }
                user = user.or(Some((span_of(call.func.range()), false)));
            }
            // Before something uses it, an item of it is not it.
            AnyNodeRef::ExprSubscript(subscript) if user.is_some() && span_of(subscript.value.range()) == below => {}
            AnyNodeRef::StmtAssign(_) | AnyNodeRef::StmtExpr(_) | AnyNodeRef::StmtReturn(_) => {
                let (user, is_method) = user?;
                return Some(Temporary { statement: span_of(node.range()), user, is_method, is_passed_on });
            }
            _ => return None,
        }
        below = span_of(node.range());
    }
    None
}

fn is_dotted_name(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::Attribute(attribute) => is_dotted_name(&attribute.value),
        _ => false,
    }
}

/// Whether it matters to nobody when it is evaluated.
fn is_harmless(expr: &Expr) -> bool {
    expr.is_literal_expr() || is_dotted_name(expr)
}

/// A call, or what would be called, as in a plain decorator.
pub struct Callee {
    pub span: Span,
    /// Its last name.
    pub name: Span,
    pub has_qualifier: bool,
    pub call: Option<CallShape>,
}

pub struct CallShape {
    pub span: Span,
    /// The parentheses and what is between them.
    pub arguments: Span,
    pub given: Vec<Given>,
}

/// An argument.
pub struct Given {
    pub keyword: Option<String>,
    pub value: Span,
    pub is_none: bool,
    /// `*rest` or `**options`
    pub is_unpacked: bool,
}

/// The outermost callee within a place whose last name is this one.
pub fn callee(tree: &Tree, place: Span, name: &str) -> Option<Callee> {
    let mut found = None;
    walk(tree, place, |node, above| {
        let (last, has_qualifier) = match node {
            AnyNodeRef::ExprName(found) if found.id.as_str() == name => (span_of(found.range()), false),
            AnyNodeRef::ExprAttribute(found) if found.attr.as_str() == name && is_dotted_name(&found.value) => {
                (span_of(found.attr.range()), true)
            }
            _ => return,
        };
        if found.is_some() {
            return;
        }
        let span = span_of(node.range());
        let call = match above.last() {
            Some(AnyNodeRef::ExprCall(call)) if span_of(call.func.range()) == span => Some(call_shape(call)),
            _ => None,
        };
        found = Some(Callee { span, name: last, has_qualifier, call });
    });
    found
}

fn call_shape(call: &ruff_python_ast::ExprCall) -> CallShape {
    let by_place = call.arguments.args.iter().map(|argument| Given {
        keyword: None,
        value: span_of(argument.range()),
        is_none: argument.is_none_literal_expr(),
        is_unpacked: argument.is_starred_expr(),
    });
    let by_keyword = call.arguments.keywords.iter().map(|keyword| Given {
        keyword: keyword.arg.as_ref().map(|name| name.to_string()),
        value: span_of(keyword.value.range()),
        is_none: keyword.value.is_none_literal_expr(),
        is_unpacked: keyword.arg.is_none(),
    });
    CallShape {
        span: span_of(call.range()),
        arguments: span_of(call.arguments.range()),
        given: by_place.chain(by_keyword).collect(),
    }
}

/// A name that a module imports from another at its top level.
pub struct ImportedName {
    /// `name` or `name as bound`, in its statement.
    pub span: Span,
    pub name: String,
    pub bound: String,
}

/// What the top level imports from a module.
pub fn imported_from(tree: &Tree, module: &str) -> Vec<ImportedName> {
    let mut found = Vec::new();
    for statement in &tree.module.body {
        let Stmt::ImportFrom(import) = statement else { continue };
        if import.level != 0 || import.module.as_ref().is_none_or(|from| from.as_str() != module) {
            continue;
        }
        found.extend(import.names.iter().map(|alias| ImportedName {
            span: span_of(alias.range()),
            name: alias.name.to_string(),
            bound: alias.asname.as_ref().unwrap_or(&alias.name).to_string(),
        }));
    }
    found
}

/// The parts of strings that go over several lines: what stands in them is no indentation.
pub fn strings(tree: &Tree, within: Span) -> Vec<Span> {
    let mut found = Vec::new();
    walk(tree, within, |node, _| {
        let is_string = matches!(
            node,
            AnyNodeRef::StringLiteral(_)
                | AnyNodeRef::BytesLiteral(_)
                | AnyNodeRef::FString(_)
                | AnyNodeRef::TString(_)
        );
        if is_string {
            found.push(span_of(node.range()));
        }
    });
    found
}

/// Calls `visit` for each node within a span, with the nodes around it from the outermost to its parent.
fn walk<'a>(tree: &'a Tree, within: Span, visit: impl FnMut(AnyNodeRef<'a>, &[AnyNodeRef<'a>])) {
    Walk { within, above: Vec::new(), visit }.visit_body(&tree.module.body);
}

struct Walk<'a, F> {
    within: Span,
    above: Vec<AnyNodeRef<'a>>,
    visit: F,
}

impl<'a, F: FnMut(AnyNodeRef<'a>, &[AnyNodeRef<'a>])> SourceOrderVisitor<'a> for Walk<'a, F> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        let span = span_of(node.range());
        let is_within = self.within.contains(span);
        if is_within {
            (self.visit)(node, &self.above);
        }
        self.above.push(node);
        signal(is_within || span.contains(self.within) || overlap(span, self.within))
    }

    fn leave_node(&mut self, _: AnyNodeRef<'a>) {
        self.above.pop();
    }
}

/// A span may begin in the middle of a block.
fn overlap(one: Span, other: Span) -> bool {
    one.start < other.end && other.start < one.end
}
