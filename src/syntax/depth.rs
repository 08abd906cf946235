//! How deep a tree may be.
//!
//! The parser grows its own stack, but dropping or walking a tree recurses once per level, and 100,000 brackets
//! would end the process. So depth is measured on tokens, where it costs a counter: [`Meter`] gives an upper bound
//! of the depth of the tree that the tokens make. What is deeper than [`LIMIT`] is taken apart without recursion
//! and counts as a file that could not be checked. CPython compiles hardly any of it either.

use std::cell::RefCell;
use std::mem;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::transformer::{Transformer, walk_expr, walk_pattern, walk_stmt};
use ruff_python_ast::{
    AtomicNodeIndex, Expr, ExprEllipsisLiteral, InterpolatedStringElement, InterpolatedStringFormatSpec, ModModule,
    Pattern, PatternMatchSingleton, PySourceType, Singleton, Stmt, StmtPass,
};
use ruff_python_parser::{AsMode, lexer};
use ruff_text_size::TextRange;

use crate::source::{SourceFile, SourceKind, Span};

/// More levels than this are refused. Whatever walks trees, or what was made of them, runs on stacks of
/// [`STACK_SIZE`], which leaves 25 kB for each level.
pub const LIMIT: u32 = 5_000;

/// For every thread that parses, lowers or runs rules. Only touched pages take memory.
pub const STACK_SIZE: usize = 128 << 20;

/// The parser's own recursion takes about a kilobyte of stack per level, which it gets from the heap; this many
/// levels it can be given. Beyond, a text is not even parsed.
const PARSER_LIMIT: u32 = 200_000;

/// Measures a text whose very parse might be too much: it is lexed once more.
pub(super) fn before_parsing(file: &SourceFile) -> Option<Span> {
    if most_levels(file.text.as_bytes()) <= PARSER_LIMIT as usize {
        return None;
    }
    let source_type = if file.kind == SourceKind::Notebook { PySourceType::Ipynb } else { PySourceType::Python };
    let is_too_deep = |text: &str| {
        let mut lexer = lexer::lex(text, source_type.as_mode());
        let mut meter = Meter::new(PARSER_LIMIT);
        loop {
            match lexer.next_token() {
                TokenKind::EndOfFile => return false,
                kind if meter.is_too_deep_after(kind) => return true,
                _ => {}
            }
        }
    };
    if !is_too_deep(&file.text) {
        return None;
    }
    // The lexer keeps its place to itself, so the place is the shortest beginning that is too deep.
    let (mut shallow, mut deep) = (0, file.text.len());
    while shallow + 1 < deep {
        let middle = shallow.midpoint(deep);
        match is_too_deep(&file.text[..file.text.floor_char_boundary(middle)]) {
            true => deep = middle,
            false => shallow = middle,
        }
    }
    Some(Span::new(shallow as u32, deep as u32))
}

/// No text of these bytes has more levels, and this is quick to see: every level takes a token that is a sign, a keyword
/// or the letters before a string's quotes, or an indent that is wider than the one around it.
fn most_levels(text: &[u8]) -> usize {
    if text.len() <= PARSER_LIMIT as usize {
        return text.len();
    }
    // A tab is as wide as eight spaces.
    let indents = text.len().isqrt() * 4;
    // Signs, and the first of some letters. A byte can count this many at once, and many bytes are counted at once.
    let begins = |(before, byte): (&u8, &u8)| u8::from(is_sign(*byte) | (is_letter(*byte) & !is_letter(*before)));
    let following = text[..text.len() - 1].chunks(u8::MAX as usize).zip(text[1..].chunks(u8::MAX as usize));
    let begun = following.map(|(before, bytes)| usize::from(before.iter().zip(bytes).map(begins).sum::<u8>()));
    indents + 1 + begun.sum::<usize>()
}

const fn is_letter(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26
}

/// A string's quotes, a comment and what joins names or lines begin no level.
const fn is_sign(byte: u8) -> bool {
    let is_graphic = byte.wrapping_sub(b'!') < 94;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    let begins_none =
        (byte == b',') | (byte == b'"') | (byte == b'\'') | (byte == b'#') | (byte == b'_') | (byte == b'\\');
    is_graphic & !is_digit & !is_letter(byte) & !begins_none
}

/// An upper bound of the depth of the tree made of the tokens so far.
///
/// Between two commas every operator may add a level: `1+1+1` leans to the left, `not not x` to the right. A comma
/// begins a sibling, except between a lambda's parameters. `elif`, `and` and `or` count as levels as well, because
/// what is made of the tree nests them.
pub(super) struct Meter {
    limit: u32,
    /// The blocks around, innermost last; the module itself is the first.
    blocks: Vec<Block>,
    /// The brackets around, outermost first, without the innermost.
    outer: Vec<Brackets>,
    /// The innermost brackets, or the logical line.
    inner: Brackets,
    /// The line so far holds an `elif` or `else`, so that the arms before it still count.
    continues_arms: bool,
}

#[derive(Clone, Copy, Default)]
struct Block {
    depth: u32,
    /// How many `elif` the statement before had.
    arms: u32,
}

/// What stands in one pair of brackets. Depths are relative to where it opened but for `depth` itself.
#[derive(Clone, Copy, Default)]
struct Brackets {
    /// The levels around it.
    depth: u32,
    /// Since the last comma: operators, and the deepest brackets among their operands.
    operators: u32,
    operand: u32,
    /// The deepest sibling before the last comma.
    sibling: u32,
    /// Lambdas whose colon has not come yet.
    open_lambdas: u32,
}

impl Meter {
    pub(super) fn new(limit: u32) -> Meter {
        Meter {
            limit,
            blocks: vec![Block::default()],
            outer: Vec::new(),
            inner: Brackets::default(),
            continues_arms: false,
        }
    }

    /// Counts a token, and says whether the tree may have become too deep with it.
    pub(super) fn is_too_deep_after(&mut self, kind: TokenKind) -> bool {
        use TokenKind as T;
        match kind {
            // What is no operator; the most frequent first.
            T::Name | T::NonLogicalNewline | T::String | T::Int | T::Comment | T::Equal | T::FStringMiddle => {}
            T::TStringMiddle | T::Float | T::Complex | T::None | T::True | T::False | T::Ellipsis => {}
            T::Comma if self.inner.open_lambdas > 0 => {}
            T::Comma => self.inner.begin_sibling(),
            T::Colon => self.inner.open_lambdas = self.inner.open_lambdas.saturating_sub(1),
            T::Lpar | T::Lsqb | T::Lbrace | T::FStringStart | T::TStringStart => return self.open(),
            T::Rpar | T::Rsqb | T::Rbrace | T::FStringEnd | T::TStringEnd => self.close(),
            T::Newline => self.end_line(),
            T::Semi if self.outer.is_empty() => self.inner.begin_sibling(),
            T::Indent => self.indent(),
            T::Dedent => self.dedent(),
            T::Elif | T::Else => {
                self.continues_arms = true;
                if kind == T::Elif && self.outer.is_empty() {
                    self.block().arms += 1;
                }
                self.inner.operators += 1;
            }
            T::Lambda => {
                self.inner.open_lambdas += 1;
                self.inner.operators += 1;
                // For a lambda in a lambda's default the parser does not grow its stack.
                return self.inner.open_lambdas > LIMIT || self.is_too_deep();
            }
            _ => self.inner.operators += 1,
        }
        self.is_too_deep()
    }

    fn is_too_deep(&self) -> bool {
        self.inner.depth + self.inner.operators + self.inner.operand > self.limit
    }

    fn open(&mut self) -> bool {
        self.inner.operators += 1;
        let depth = self.inner.depth + self.inner.operators;
        self.outer.push(self.inner);
        self.inner = Brackets { depth, ..Brackets::default() };
        depth > self.limit
    }

    fn close(&mut self) {
        // An unmatched bracket closes nothing.
        let Some(outer) = self.outer.pop() else { return };
        let closed = mem::replace(&mut self.inner, outer);
        self.inner.operand = self.inner.operand.max(closed.deepest());
    }

    fn end_line(&mut self) {
        if !mem::take(&mut self.continues_arms) {
            self.block().arms = 0;
        }
        // The parser gives up brackets that are still open here.
        self.begin_line();
    }

    fn begin_line(&mut self) {
        let block = *self.block();
        self.outer.clear();
        self.inner = Brackets { depth: block.depth + block.arms, ..Brackets::default() };
    }

    fn indent(&mut self) {
        let block = *self.block();
        self.blocks.push(Block { depth: block.depth + block.arms + 1, arms: 0 });
        self.begin_line();
    }

    fn dedent(&mut self) {
        self.blocks.pop();
        self.begin_line();
    }

    fn block(&mut self) -> &mut Block {
        if self.blocks.is_empty() {
            self.blocks.push(Block::default());
        }
        let innermost = self.blocks.len() - 1;
        &mut self.blocks[innermost]
    }
}

impl Brackets {
    fn deepest(self) -> u32 {
        self.sibling.max(self.operators + self.operand)
    }

    fn begin_sibling(&mut self) {
        *self = Brackets { depth: self.depth, sibling: self.deepest(), ..Brackets::default() };
    }
}

/// Drops a tree of any depth: every node gives its children to a list before it goes.
pub(super) fn dismantle(mut module: ModModule) {
    let work = Dismantler::default();
    for statement in &mut module.body {
        work.visit_stmt(statement);
    }
    loop {
        let Some(mut node) = work.0.borrow_mut().pop() else { return };
        match &mut node {
            Node::Statement(statement) => walk_stmt(&work, statement),
            Node::Expression(expression) => walk_expr(&work, expression),
            Node::Pattern(pattern) => walk_pattern(&work, pattern),
            Node::Format(format) => {
                for element in &mut format.elements {
                    work.visit_interpolated_string_element(element);
                }
            }
        }
    }
}

#[derive(Default)]
struct Dismantler(RefCell<Vec<Node>>);

enum Node {
    Statement(Stmt),
    Expression(Expr),
    Pattern(Pattern),
    Format(Box<InterpolatedStringFormatSpec>),
}

impl Dismantler {
    fn take(&self, node: Node) {
        self.0.borrow_mut().push(node);
    }
}

impl Transformer for Dismantler {
    fn visit_stmt(&self, statement: &mut Stmt) {
        let pass = StmtPass { node_index: AtomicNodeIndex::NONE, range: TextRange::default() };
        self.take(Node::Statement(mem::replace(statement, Stmt::Pass(pass))));
    }

    fn visit_expr(&self, expression: &mut Expr) {
        let dots = ExprEllipsisLiteral { node_index: AtomicNodeIndex::NONE, range: TextRange::default() };
        self.take(Node::Expression(mem::replace(expression, Expr::EllipsisLiteral(dots))));
    }

    fn visit_pattern(&self, pattern: &mut Pattern) {
        let none = PatternMatchSingleton {
            node_index: AtomicNodeIndex::NONE,
            range: TextRange::default(),
            value: Singleton::None,
        };
        self.take(Node::Pattern(mem::replace(pattern, Pattern::MatchSingleton(none))));
    }

    fn visit_interpolated_string_element(&self, element: &mut InterpolatedStringElement) {
        let InterpolatedStringElement::Interpolation(element) = element else { return };
        self.visit_expr(&mut element.expression);
        if let Some(format) = element.format_spec.take() {
            self.take(Node::Format(format));
        }
    }
}
