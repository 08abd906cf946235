//! Tree to facts.
//!
//! One walk in evaluation order. The bodies of functions and lambdas wait in a queue until the scope around them is
//! done, so that the events of every function lie in one run, whatever is nested in it; class bodies and
//! comprehensions run where they stand and are walked there.
//!
//! Nothing here fails: the tree may be what the parser made of broken text, and what is missing in it becomes
//! [`NOTHING`]. This is the hot path of a run over many files, so names are looked up in a table of the thread before
//! the one all threads share, and whatever grows with the file is kept in a few flat vectors.

mod annotations;
mod definitions;
mod exports;
mod expressions;
mod names;
mod patterns;
mod statements;
mod targets;

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use ruff_python_ast as ast;
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxBuildHasher;

use crate::facts::{
    Call, Class, Constant, Context, ContextId, ContextKind, Event, EventId, EventKind, Expr, ExprId, FileFacts,
    Function, FunctionId, Import, MODULE_SCOPE, NOTHING, Parameter, Run, Scope, ScopeId, ScopeKind,
};
use crate::source::{Name, Span, mixed};

use self::names::RecentNames;

/// What is lowered of the functions of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    All,
    /// None: what a module defines and imports, and what its import runs, for who asks no function what it does.
    LeftOut,
}

/// The facts of a module, from its tree and the text that the tree was parsed from.
pub fn lower(module: &ast::ModModule, text: &str, bodies: Bodies) -> FileFacts {
    let mut lowering = Lowering::new(text);
    let scope = lowering.declare_scope(ScopeKind::Module);
    lowering.enter_scope(scope, None, module.range);
    lowering.statements(&module.body);
    lowering.leave_scope();
    while let Some(waiting) = lowering.waiting.pop_front() {
        lowering.function_body(waiting, bodies);
    }
    lowering.finish()
}

/// Gives back what this thread keeps for the next file, when there is none.
pub fn forget_tables() {
    drop(TABLES.take());
}

/// A function or lambda whose body is walked later.
struct Waiting<'a> {
    function: FunctionId,
    body: Body<'a>,
}

enum Body<'a> {
    Statements { type_parameters: Option<&'a ast::TypeParams>, body: &'a [ast::Stmt] },
    Expression(&'a ast::Expr),
}

/// A scope whose body is being walked.
#[derive(Default)]
struct Frame {
    scope: ScopeId,
    is_comprehension: bool,
    function: Option<FunctionId>,
    /// The context to return to.
    around: ContextId,
    first_event: usize,
    bindings: Vec<Name>,
    globals: Vec<Name>,
    nonlocals: Vec<Name>,
}

/// The facts as they grow. A thread keeps its tables from file to file, so that only the finished facts,
/// of their own size, are allocated for each.
#[derive(Default)]
struct Tables {
    scopes: Vec<Scope>,
    functions: Vec<Function>,
    classes: Vec<Class>,
    contexts: Vec<Context>,
    events: Vec<Event>,
    calls: Vec<Call>,
    imports: Vec<Import>,
    parameters: Vec<Parameter>,
    exprs: Vec<Expr>,
    lists: Vec<ExprId>,
    keywords: Vec<(Option<Name>, ExprId)>,
    names: Vec<Name>,
    /// The expressions that are the same wherever they are written.
    known_exprs: HashTable<ExprId>,
    /// Constants that are told by their kind alone, by [`plain`]; `NOTHING` until they are met.
    known_constants: [ExprId; PLAIN_CONSTANTS],
    recent_names: RecentNames,
    room: Room,
}

/// Memory for what a lowering holds only meanwhile.
#[derive(Default)]
struct Room {
    frames: Vec<Frame>,
    spare_frames: Vec<Frame>,
    gathered: Vec<ExprId>,
    gathered_keywords: Vec<(Option<Name>, ExprId)>,
}

/// Tables that a giant file has stretched beyond this many expressions aren't kept.
const LARGEST_KEPT: usize = 1 << 15;

const SMALLEST_KEPT: usize = 1 << 8;

thread_local! {
    static TABLES: Cell<Tables> = Cell::default();
}

struct Lowering<'a> {
    text: &'a str,

    tables: Tables,
    exports: exports::Exports,

    frames: Vec<Frame>,
    spare_frames: Vec<Frame>,
    context: ContextId,
    waiting: VecDeque<Waiting<'a>>,
    /// Lists that are being gathered: each takes its entries from its own mark on, because the lists of what is
    /// nested in it are gathered meanwhile.
    gathered: Vec<ExprId>,
    gathered_keywords: Vec<(Option<Name>, ExprId)>,
}

impl<'a> Lowering<'a> {
    fn new(text: &'a str) -> Self {
        let mut tables = TABLES.take();
        tables.exprs.push(Expr::Nothing);
        tables.recent_names.begin_file();
        let Room { frames, spare_frames, gathered, gathered_keywords } = std::mem::take(&mut tables.room);
        Lowering {
            text,
            tables,
            exports: exports::Exports::default(),
            frames,
            spare_frames,
            context: ContextId(0),
            waiting: VecDeque::new(),
            gathered,
            gathered_keywords,
        }
    }

    fn finish(mut self) -> FileFacts {
        let Lowering { frames, spare_frames, gathered, gathered_keywords, .. } = self;
        self.tables.room = Room { frames, spare_frames, gathered, gathered_keywords };
        let tables = &mut self.tables;
        let facts = FileFacts {
            scopes: taken(&mut tables.scopes),
            functions: taken(&mut tables.functions),
            classes: taken(&mut tables.classes),
            contexts: taken(&mut tables.contexts),
            events: taken(&mut tables.events),
            calls: taken(&mut tables.calls),
            imports: taken(&mut tables.imports),
            parameters: taken(&mut tables.parameters),
            exprs: taken(&mut tables.exprs),
            lists: taken(&mut tables.lists),
            keywords: taken(&mut tables.keywords),
            names: taken(&mut tables.names),
            exports: self.exports.finish(),
        };
        if tables.known_exprs.capacity() <= LARGEST_KEPT {
            // The largest files come first, and a sparse table costs a miss of the cache for each expression.
            let used = tables.known_exprs.len();
            tables.known_exprs.clear();
            tables.known_constants = Default::default();
            if tables.known_exprs.capacity() > 3 * used.max(SMALLEST_KEPT) {
                tables.known_exprs.shrink_to(used.max(SMALLEST_KEPT), |_| 0);
            }
            TABLES.set(self.tables);
        } else {
            TABLES.set(Tables { recent_names: self.tables.recent_names, ..Tables::default() });
        }
        facts
    }

    // Scopes

    fn declare_scope(&mut self, kind: ScopeKind) -> ScopeId {
        let parent = self.frames.last().map_or(MODULE_SCOPE, |frame| frame.scope);
        let id = ScopeId(self.tables.scopes.len() as u32);
        self.tables.scopes.push(Scope {
            kind,
            parent,
            body: ContextId(0),
            events: Run::default(),
            bindings: Run::default(),
            globals: Run::default(),
            nonlocals: Run::default(),
        });
        id
    }

    /// Opens the scope's body; `around` is the context that it runs in, for what runs where it stands.
    fn enter_scope(&mut self, scope: ScopeId, around: Option<ContextId>, body: TextRange) {
        let mut frame = self.spare_frames.pop().unwrap_or_default();
        let kind = self.tables.scopes[scope.index()].kind;
        frame.scope = scope;
        frame.is_comprehension = kind == ScopeKind::Comprehension;
        frame.function = match kind {
            ScopeKind::Function(function) | ScopeKind::Lambda(function) => Some(function),
            _ => None,
        };
        frame.around = self.context;
        frame.first_event = self.tables.events.len();
        self.frames.push(frame);
        let body = self.open(ContextKind::Body, span(body));
        self.tables.contexts[body.index()].parent = around.unwrap_or(body);
        self.tables.scopes[scope.index()].body = body;
    }

    fn leave_scope(&mut self) {
        let Some(mut frame) = self.frames.pop() else { return };
        self.context = frame.around;
        sort_names(&mut frame.globals);
        sort_names(&mut frame.nonlocals);
        sort_names(&mut frame.bindings);
        if frame.scope != MODULE_SCOPE && !(frame.globals.is_empty() && frame.nonlocals.is_empty()) {
            let Frame { bindings, globals, nonlocals, .. } = &mut frame;
            bindings.retain(|name| globals.binary_search(name).is_err() && nonlocals.binary_search(name).is_err());
        }
        let scope = &mut self.tables.scopes[frame.scope.index()];
        scope.events = run(frame.first_event, self.tables.events.len());
        scope.bindings = append(&mut self.tables.names, &frame.bindings);
        scope.globals = append(&mut self.tables.names, &frame.globals);
        scope.nonlocals = append(&mut self.tables.names, &frame.nonlocals);
        frame.bindings.clear();
        frame.globals.clear();
        frame.nonlocals.clear();
        self.spare_frames.push(frame);
    }

    fn scope(&self) -> ScopeId {
        self.frames.last().map_or(MODULE_SCOPE, |frame| frame.scope)
    }

    fn bind_name(&mut self, name: Name) {
        if let Some(frame) = self.frames.last_mut() {
            frame.bindings.push(name);
        }
    }

    /// The function whose body is being walked, from within its comprehensions too.
    fn function(&self) -> Option<FunctionId> {
        self.frames.iter().rev().find(|frame| !frame.is_comprehension)?.function
    }

    // Contexts and events

    fn open(&mut self, kind: ContextKind, span: Span) -> ContextId {
        let group = ContextId(self.tables.contexts.len() as u32);
        self.open_arm(kind, span, group)
    }

    /// Opens another arm of the statement whose first arm is `group`.
    fn open_arm(&mut self, kind: ContextKind, span: Span, group: ContextId) -> ContextId {
        let id = ContextId(self.tables.contexts.len() as u32);
        let opened = EventId(self.tables.events.len() as u32);
        self.tables.contexts.push(Context { parent: self.context, scope: self.scope(), kind, opened, group, span });
        self.context = id;
        id
    }

    /// Forgets the contexts from `first` on, if nothing happened in them and nothing refers to them.
    fn forget_if_empty(&mut self, first: ContextId, count: usize) {
        let opened = self.tables.contexts[first.index()].opened;
        if self.tables.contexts.len() == first.index() + count
            && self.tables.events.len() == opened.index()
            && self.tables.functions.last().is_none_or(|function| function.context < first)
        {
            self.tables.contexts.truncate(first.index());
        }
    }

    fn emit(&mut self, kind: EventKind, place: impl Ranged) {
        self.tables.events.push(Event { kind, context: self.context, span: span(place) });
    }

    // Expressions and names

    /// An expression that is the same wherever it is written.
    fn shared(&mut self, expr: Expr) -> ExprId {
        shared(&mut self.tables.known_exprs, &mut self.tables.exprs, expr)
    }

    /// An expression of its own, for its children or what it makes are its own.
    fn own(&mut self, expr: Expr) -> ExprId {
        let id = ExprId(self.tables.exprs.len() as u32);
        self.tables.exprs.push(expr);
        id
    }

    fn constant(&mut self, constant: Constant) -> ExprId {
        let Some(place) = plain(constant) else { return self.shared(Expr::Constant(constant)) };
        if self.tables.known_constants[place] == NOTHING {
            self.tables.known_constants[place] = self.own(Expr::Constant(constant));
        }
        self.tables.known_constants[place]
    }

    /// A string that is a word.
    fn word(&mut self, text: &str) -> ExprId {
        let tables = &mut self.tables;
        let recent = tables.recent_names.find(text);
        if recent.word == NOTHING {
            let word = Expr::Constant(Constant::Word(recent.name));
            recent.word = shared(&mut tables.known_exprs, &mut tables.exprs, word);
        }
        recent.word
    }

    fn name(&mut self, text: &str) -> Name {
        self.tables.recent_names.find(text).name
    }

    /// The name as an expression. The parser writes an empty name where an expression is missing.
    fn name_expr(&mut self, text: &str) -> ExprId {
        self.name_and_expr(text).1
    }

    fn name_and_expr(&mut self, text: &str) -> (Name, ExprId) {
        let tables = &mut self.tables;
        let recent = tables.recent_names.find(text);
        if recent.expr == NOTHING && !text.is_empty() {
            recent.expr = shared(&mut tables.known_exprs, &mut tables.exprs, Expr::Name(recent.name));
        }
        (recent.name, recent.expr)
    }

    fn gathered_list(&mut self, mark: usize) -> Run {
        let list = append(&mut self.tables.lists, &self.gathered[mark..]);
        self.gathered.truncate(mark);
        list
    }

    fn gathered_keyword_list(&mut self, mark: usize) -> Run {
        let list = append(&mut self.tables.keywords, &self.gathered_keywords[mark..]);
        self.gathered_keywords.truncate(mark);
        list
    }

    fn pair(&mut self, first: ExprId, second: ExprId) -> Run {
        append(&mut self.tables.lists, &[first, second])
    }
}

const PLAIN_CONSTANTS: usize = 7;

/// The place of a constant that has nothing but its kind.
fn plain(constant: Constant) -> Option<usize> {
    match constant {
        Constant::None => Some(0),
        Constant::True => Some(1),
        Constant::False => Some(2),
        Constant::Ellipsis => Some(3),
        Constant::Number => Some(4),
        Constant::Str => Some(5),
        Constant::Bytes => Some(6),
        Constant::Int(_) | Constant::Word(_) => None,
    }
}

fn shared(known: &mut HashTable<ExprId>, exprs: &mut Vec<Expr>, expr: Expr) -> ExprId {
    let is_same = |id: &ExprId| exprs[id.index()] == expr;
    match known.entry(hash(&expr), is_same, |id| hash(&exprs[id.index()])) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(place) => {
            let id = ExprId(exprs.len() as u32);
            place.insert(id);
            exprs.push(expr);
            id
        }
    }
}

/// By three numbers at most; what is hardly ever shared goes the usual way.
fn hash(expr: &Expr) -> u64 {
    let (kind, left, right) = match *expr {
        Expr::Name(name) => (1, name.index() as u32, 0),
        Expr::Attribute(base, name) => (2, base.0, name.index() as u32),
        Expr::Subscript(base, key) => (3, base.0, key.0),
        Expr::Binary(operator, left, right) => (16 + operator as u32, left.0, right.0),
        Expr::Constant(Constant::Word(name)) => (4, name.index() as u32, 0),
        Expr::Constant(Constant::Int(number)) => (5, number.cast_unsigned(), 0),
        _ => return FxBuildHasher.hash_one(expr),
    };
    mixed(u64::from(left) | u64::from(right) << 32, u64::from(kind))
}

/// The entries, in memory of their own size; the table is empty again.
fn taken<T: Clone>(table: &mut Vec<T>) -> Box<[T]> {
    let entries = table.as_slice().into();
    table.clear();
    entries
}

fn sort_names(names: &mut Vec<Name>) {
    names.sort_unstable();
    names.dedup();
}

fn append<T: Copy>(table: &mut Vec<T>, entries: &[T]) -> Run {
    if entries.is_empty() {
        return Run::default();
    }
    let start = table.len();
    table.extend_from_slice(entries);
    run(start, table.len())
}

fn run(start: usize, end: usize) -> Run {
    Run { start: start as u32, len: (end - start) as u32 }
}

fn span(place: impl Ranged) -> Span {
    Span::new(place.start().to_u32(), place.end().to_u32())
}
