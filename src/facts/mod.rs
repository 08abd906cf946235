//! One file's facts: everything any rule will ever need of it, in a form that outlives its tree.
//!
//! A file is lowered once to a small intermediate form: scopes, contexts (the structure of control), events (what
//! happens, in order) and expressions. It keeps names unresolved and control structured, because only the whole
//! program knows what a name means, and because each analysis wants its own view of control. The data is owned,
//! has no lifetimes and serialises, so that it can be cached by content. infer's SIL and rust-analyzer's
//! `ItemTree` are the examples.
//!
//! Size matters more than convenience here: a line of Python must cost tens of bytes, so identical expressions
//! share one [`ExprId`] (which also makes "the same path, as written" an integer comparison), and spans are kept on
//! events only.

pub mod dump;
pub mod flow;
pub mod lower;

use serde::{Deserialize, Serialize};

use crate::source::{Name, Span};

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $id(pub u32);

        impl $id {
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    ScopeId
    ContextId
    EventId
    ExprId
    CallId
    FunctionId
    ClassId
    ImportId
}

/// The module's own scope, and the root of its body.
pub const MODULE_SCOPE: ScopeId = ScopeId(0);
/// The expression that says nothing; always at index 0, and what stands where Python has no expression
/// (`return` without a value, a parameter without default).
pub const NOTHING: ExprId = ExprId(0);

/// A run of entries in [`FileFacts::lists`] (or in another table where said).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Run {
    pub start: u32,
    pub len: u32,
}

impl Run {
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileFacts {
    pub scopes: Box<[Scope]>,
    pub functions: Box<[Function]>,
    pub classes: Box<[Class]>,
    pub contexts: Box<[Context]>,
    pub events: Box<[Event]>,
    pub calls: Box<[Call]>,
    pub imports: Box<[Import]>,
    pub parameters: Box<[Parameter]>,
    pub exprs: Box<[Expr]>,
    /// Children of expressions, decorators, bases, positional arguments.
    pub lists: Box<[ExprId]>,
    /// Keyword arguments of calls and class statements; `**mapping` has no name.
    pub keywords: Box<[(Option<Name>, ExprId)]>,
    /// Names that scopes bind, declare global or nonlocal.
    pub names: Box<[Name]>,
    /// `__all__`, where it is a plain list or tuple of strings (also through `+=` and `extend`).
    pub exports: Option<Box<[Name]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScopeKind {
    Module,
    Class(ClassId),
    Function(FunctionId),
    Lambda(FunctionId),
    /// A comprehension or generator expression: its own names, run in place.
    Comprehension,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    pub kind: ScopeKind,
    /// The scope this one stands in; the module is its own parent.
    pub parent: ScopeId,
    /// The root of its body.
    pub body: ContextId,
    /// The scope's events, a run of [`FileFacts::events`]. A class body or comprehension runs where it stands, so
    /// its run lies inside its parent's; the bodies of functions and lambdas follow after their parent's run.
    pub events: Run,
    /// Names bound in this scope (parameters included, each once, sorted by number), a run of [`FileFacts::names`].
    pub bindings: Run,
    /// Names declared `global` here.
    pub globals: Run,
    /// Names declared `nonlocal` here.
    pub nonlocals: Run,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// `<lambda>` for a lambda.
    pub name: Name,
    pub scope: ScopeId,
    /// Where the `def` stands: its context's scope is the enclosing one.
    pub context: ContextId,
    pub name_span: Span,
    /// The whole statement, decorators included.
    pub span: Span,
    /// A run of [`FileFacts::parameters`], in the order Python binds positional arguments.
    pub parameters: Run,
    /// A run of [`FileFacts::lists`], outermost first, and their spans by the events of their calls.
    pub decorators: Run,
    /// The return annotation.
    pub returns: ExprId,
    pub is_async: bool,
    pub is_generator: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ParameterKind {
    PositionalOnly,
    Positional,
    /// `*args`
    Rest,
    KeywordOnly,
    /// `**kwargs`
    Keywords,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: Name,
    pub kind: ParameterKind,
    pub annotation: ExprId,
    pub default: ExprId,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    pub name: Name,
    pub scope: ScopeId,
    pub context: ContextId,
    pub name_span: Span,
    pub span: Span,
    /// Base classes as written, a run of [`FileFacts::lists`].
    pub bases: Run,
    /// `metaclass=…` and other keywords, a run of [`FileFacts::keywords`].
    pub keywords: Run,
    pub decorators: Run,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The dotted module as written, without its leading dots; empty in `from . import x`.
    pub module: Name,
    /// Leading dots.
    pub level: u32,
    /// What is taken from the module: `None` for `import a.b`, `*` for a star import.
    pub name: Option<Name>,
    /// The name bound here: for `import a.b` without `as` it is `a`; `*` for a star import.
    pub bound: Name,
    /// `import a.b as c` binds the module `a.b` itself, `import a.b` binds `a`.
    pub has_alias: bool,
}

/// Control as written. Contexts are in the order in which they open, parents first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Where a class body or a comprehension stands, for it runs there. The body of a function, lambda or module is its
    /// own parent.
    pub parent: ContextId,
    pub scope: ScopeId,
    pub kind: ContextKind,
    /// How many events of the file came before this context opened; with the order of the contexts this is
    /// enough to rebuild the control flow, empty branches included.
    pub opened: EventId,
    /// The arms of one statement share this number (the first arm's own id).
    pub group: ContextId,
    /// The statement's header (`for x in y:` without its body), the item of a `with`; the body's span for a scope.
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum ContextKind {
    /// The root of a scope.
    Body,
    /// What runs if the test holds: the body of `if`, the right side of `and`, the body of a conditional expression
    /// or a comprehension's `if`.
    If(ExprId),
    /// What runs if the test does not hold: `else`, `elif` (which nests an `If`), the right side of `or`. Every
    /// `if` statement has one, even where none is written.
    Else(ExprId),
    /// A loop over an iterable, `async for` and comprehensions included.
    For {
        iterable: ExprId,
    },
    /// A `while` loop: its test, which runs each time too, and its body.
    While(ExprId),
    /// `else` of a loop.
    LoopElse,
    Try,
    /// A handler; the expression is the exception type or tuple, `NOTHING` for a bare `except`.
    Except(ExprId),
    TryElse,
    Finally,
    /// The body under one item of a `with`; several items nest.
    With {
        manager: ExprId,
        is_async: bool,
    },
    /// One `case`; `guard` is `NOTHING` where there is none; `irrefutable` for `case _` and `case name`.
    Case {
        subject: ExprId,
        guard: ExprId,
        irrefutable: bool,
    },
}

impl ContextKind {
    /// Whether what stands in it may run more than once in a row.
    pub fn is_loop(self) -> bool {
        matches!(self, ContextKind::For { .. } | ContextKind::While(_))
    }

    /// What is looked at on the way in; [`NOTHING`] for what there is not. That of an `Else` is its `If`'s.
    pub fn operands(self) -> [ExprId; 2] {
        match self {
            ContextKind::If(test) | ContextKind::While(test) => [test, NOTHING],
            ContextKind::For { iterable } => [iterable, NOTHING],
            ContextKind::With { manager, .. } => [manager, NOTHING],
            ContextKind::Case { subject, guard, .. } => [subject, guard],
            _ => [NOTHING; 2],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub kind: EventKind,
    pub context: ContextId,
    /// A call's, target's or statement's own place, fit to be underlined.
    pub span: Span,
}

/// What happens, in the order in which it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    Call(CallId),
    /// `target = value`; each target of a chain and each element of an unpacked tuple is an event of its own
    /// (an element's value is the matching element of a tuple display, else [`Expr::Element`] of the whole).
    Bind {
        target: ExprId,
        value: ExprId,
    },
    /// `target: annotation` without a value; with one, this event comes first and then the `Bind`.
    Annotate {
        target: ExprId,
        annotation: ExprId,
    },
    /// `target op= value`.
    Augment {
        target: ExprId,
        operator: Operator,
        value: ExprId,
    },
    /// A `for` target; the value is an element of the iterable. Each part of an unpacked target is an event of its
    /// own, whose iterable is the element that is unpacked.
    BindElement {
        target: ExprId,
        iterable: ExprId,
    },
    /// `with manager as target`.
    BindManager {
        target: ExprId,
        manager: ExprId,
    },
    /// `except types as target`.
    BindException {
        target: ExprId,
        types: ExprId,
    },
    /// A name bound by a pattern.
    BindPattern {
        target: ExprId,
        subject: ExprId,
    },
    Import(ImportId),
    Define(FunctionId),
    DefineClass(ClassId),
    Delete {
        target: ExprId,
    },
    /// A read of `base[key]` (never of an annotation).
    Read(ExprId),
    /// Also the value of a lambda.
    Return(ExprId),
    /// `yield from x` yields an element of `x`.
    Yield(ExprId),
    /// What is awaited.
    Await(ExprId),
    Raise {
        exception: ExprId,
        cause: ExprId,
    },
    Assert {
        test: ExprId,
    },
    Break,
    Continue,
}

impl EventKind {
    /// The expressions of the event itself, its target first; [`NOTHING`] for what there is not. A call's are in
    /// [`FileFacts::calls`]. Types and annotations are left out: no object goes through them.
    pub fn operands(self) -> [ExprId; 2] {
        match self {
            EventKind::Bind { target, value }
            | EventKind::Augment { target, value, .. }
            | EventKind::BindElement { target, iterable: value }
            | EventKind::BindManager { target, manager: value }
            | EventKind::BindPattern { target, subject: value } => [target, value],
            EventKind::Delete { target: value }
            | EventKind::Read(value)
            | EventKind::Return(value)
            | EventKind::Yield(value)
            | EventKind::Await(value)
            | EventKind::Assert { test: value } => [value, NOTHING],
            EventKind::Raise { exception, cause } => [exception, cause],
            EventKind::Call(_)
            | EventKind::Annotate { .. }
            | EventKind::BindException { .. }
            | EventKind::Import(_)
            | EventKind::Define(_)
            | EventKind::DefineClass(_)
            | EventKind::Break
            | EventKind::Continue => [NOTHING; 2],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The call itself as an expression.
    pub expr: ExprId,
    pub callee: ExprId,
    /// Positional arguments, a run of [`FileFacts::lists`].
    pub arguments: Run,
    /// A run of [`FileFacts::keywords`].
    pub keywords: Run,
    pub event: EventId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Constant {
    None,
    True,
    False,
    Ellipsis,
    /// An integer that fits; others, floats and complex numbers are `Number`.
    Int(i32),
    Number,
    /// A string that reads like a dotted name of at most 64 bytes, kept for `getattr`, `__all__`, models.
    Word(Name),
    Str,
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    Add,
    Sub,
    Mult,
    Mod,
    BitOr,
    BitAnd,
    BitXor,
    /// Division, powers, shifts, matrix products.
    Other,
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DisplayKind {
    Tuple,
    List,
    Set,
    /// Keys and values alternate; `**mapping` has the key `NOTHING`.
    Dict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ComprehensionKind {
    List,
    Set,
    Dict,
    Generator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expr {
    /// Nothing, or nothing that an analysis asks about.
    Nothing,
    Constant(Constant),
    Name(Name),
    Attribute(ExprId, Name),
    Subscript(ExprId, ExprId),
    /// Lower, upper, step.
    Slice(Run),
    Call(CallId),
    Display(DisplayKind, Run),
    /// The comprehension's scope; its elements are the `Yield` events of that scope (a dict's are key-value tuples).
    Comprehension(ComprehensionKind, ScopeId),
    Lambda(FunctionId),
    /// Also comparisons; a chained comparison is an `And` of its links.
    Binary(Operator, ExprId, ExprId),
    Not(ExprId),
    /// `-x`, `+x`, `~x`.
    Unary(ExprId),
    And(Run),
    Or(Run),
    /// Test, then, else.
    Conditional(Run),
    /// The interpolated expressions of an f-string or template string.
    Format(Run),
    Await(ExprId),
    Starred(ExprId),
    /// One of the things in an iterable or unpacked value, when which one is not known.
    Element(ExprId),
    /// What the innermost `yield` expression gives; the result of a `yield from` is an [`Expr::Await`].
    Sent,
}

impl FileFacts {
    /// What these names may be called where a module imports them: by themselves, or as the import says.
    pub fn imported_as(&self, names: &[Name]) -> Vec<Name> {
        let renamed = self.imports.iter().filter(|import| import.name.is_some_and(|name| names.contains(&name)));
        names.iter().copied().chain(renamed.map(|import| import.bound)).collect()
    }

    pub fn expr(&self, id: ExprId) -> Expr {
        self.exprs[id.index()]
    }

    /// The same expression; displays are written out each time, and compared by what is in them.
    pub fn is_same_written(&self, one: ExprId, other: ExprId) -> bool {
        match (self.expr(one), self.expr(other)) {
            (Expr::Display(kind, left), Expr::Display(other_kind, right)) => {
                kind == other_kind && self.list(left) == self.list(right)
            }
            _ => one == other,
        }
    }

    /// `True`, `1`: as a loop's test, nothing but what is in the loop ends it.
    pub fn always_holds(&self, test: ExprId) -> bool {
        matches!(self.expr(test), Expr::Constant(Constant::True | Constant::Int(1)))
    }

    pub fn list(&self, run: Run) -> &[ExprId] {
        &self.lists[run.range()]
    }

    /// Whether an expression is, or is made of, what a name stands for; the callees and arguments of calls count as well.
    pub fn mentions(&self, id: ExprId, name: Name) -> bool {
        match self.expr(id) {
            Expr::Name(other) => other == name,
            Expr::Call(call) => self.is_mentioned_in_call(call, name),
            expr => self.operands(expr).any(|operand| self.mentions(operand, name)),
        }
    }

    /// The same of what happens in an event.
    pub fn is_mentioned_in(&self, event: &Event, name: Name) -> bool {
        match event.kind {
            EventKind::Call(call) => self.is_mentioned_in_call(call, name),
            kind => kind.operands().into_iter().any(|id| self.mentions(id, name)),
        }
    }

    fn is_mentioned_in_call(&self, call: CallId, name: Name) -> bool {
        let call = self.call(call);
        self.mentions(call.callee, name) || self.all_arguments(call).any(|given| self.mentions(given, name))
    }

    /// The expressions that an expression is made of at once. What is in a call is in [`FileFacts::calls`]; comprehensions
    /// and lambdas have scopes of their own.
    pub fn operands(&self, expr: Expr) -> impl DoubleEndedIterator<Item = ExprId> + '_ {
        let (first, second, run) = match expr {
            Expr::Attribute(inner, _)
            | Expr::Not(inner)
            | Expr::Unary(inner)
            | Expr::Await(inner)
            | Expr::Starred(inner)
            | Expr::Element(inner) => (Some(inner), None, None),
            Expr::Subscript(left, right) | Expr::Binary(_, left, right) => (Some(left), Some(right), None),
            Expr::Slice(run)
            | Expr::Display(_, run)
            | Expr::And(run)
            | Expr::Or(run)
            | Expr::Conditional(run)
            | Expr::Format(run) => (None, None, Some(run)),
            Expr::Nothing
            | Expr::Constant(_)
            | Expr::Name(_)
            | Expr::Call(_)
            | Expr::Comprehension(..)
            | Expr::Lambda(_)
            | Expr::Sent => (None, None, None),
        };
        let list = run.map_or(&[][..], |run| self.list(run));
        first.into_iter().chain(second).chain(list.iter().copied())
    }

    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.index()]
    }

    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    pub fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    pub fn context(&self, id: ContextId) -> &Context {
        &self.contexts[id.index()]
    }

    pub fn event(&self, id: EventId) -> &Event {
        &self.events[id.index()]
    }

    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    pub fn arguments(&self, call: &Call) -> &[ExprId] {
        self.list(call.arguments)
    }

    /// All that a call is given, by position and then by keyword.
    pub fn all_arguments(&self, call: &Call) -> impl Iterator<Item = ExprId> + '_ {
        let keywords = self.keyword_arguments(call).iter().map(|(_, value)| *value);
        self.arguments(call).iter().copied().chain(keywords)
    }

    /// The id of an expression, which identical expressions share; `None` where the file has no such.
    pub fn id_of(&self, expr: Expr) -> Option<ExprId> {
        match expr {
            Expr::Call(call) => self.calls.get(call.index()).map(|call| call.expr),
            _ => self.exprs.iter().position(|other| *other == expr).map(|index| ExprId(index as u32)),
        }
    }

    /// The last name of what is called.
    pub fn called_name(&self, call: &Call) -> Option<Name> {
        match self.expr(call.callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => Some(name),
            _ => None,
        }
    }

    pub fn keyword_arguments(&self, call: &Call) -> &[(Option<Name>, ExprId)] {
        &self.keywords[call.keywords.range()]
    }

    pub fn parameters(&self, function: &Function) -> &[Parameter] {
        &self.parameters[function.parameters.range()]
    }

    /// The scope's own events with their ids; those of comprehensions and class bodies inside it are included.
    pub fn scope_events(&self, scope: ScopeId) -> impl Iterator<Item = (EventId, &Event)> {
        let run = self.scope(scope).events;
        self.events[run.range()].iter().enumerate().map(move |(i, event)| (EventId(run.start + i as u32), event))
    }

    /// The scope an event runs in.
    pub fn scope_of(&self, event: &Event) -> ScopeId {
        self.context(event.context).scope
    }

    /// The context and those around it, innermost first, up to the root of its scope's body.
    pub fn contexts_around(&self, id: ContextId) -> impl Iterator<Item = &Context> {
        self.context_ids_around(id).map(|id| self.context(id))
    }

    /// As [`Self::contexts_around`], by their numbers.
    pub fn context_ids_around(&self, id: ContextId) -> impl Iterator<Item = ContextId> {
        let mut is_inside = true;
        self.context_ids_outwards(id).take_while(move |id| {
            let is_next = is_inside;
            is_inside = !matches!(self.context(*id).kind, ContextKind::Body);
            is_next
        })
    }

    /// The context and those around it, innermost first, out of the bodies that run where they stand (of classes and
    /// comprehensions) as well. It ends at the body of a function or of the module.
    pub fn context_ids_outwards(&self, id: ContextId) -> impl Iterator<Item = ContextId> {
        let parent = |id: ContextId| Some(self.context(id).parent).filter(|parent| *parent != id);
        std::iter::successors(Some(id), move |id| parent(*id))
    }

    pub fn binds(&self, scope: ScopeId, name: Name) -> bool {
        self.names[self.scope(scope).bindings.range()].binary_search(&name).is_ok()
    }
}
