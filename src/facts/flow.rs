//! The control flow of one function, rebuilt from its contexts and events.
//!
//! Facts keep control as written; what happens on *every way out* of a function is a question about paths, so a graph
//! is made for the few functions that are asked about. What the source says (`return`, `raise`, a branch) is kept apart
//! from what may happen (a call that raises), because a finding about the former is certain and one about the latter is
//! not. The body of a `finally` is copied for each kind of way through it, so that no path enters it by `return` and
//! leaves it by falling through.
//!
//! One pass over the contexts and events of the function, without recursion but for a `finally` inside of a `finally`;
//! these are not copied again, so that the size stays linear.

use super::{
    CallId, Constant, ContextId, ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, NOTHING, ScopeId, ScopeKind,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What happens at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Entry,
    /// Nothing: paths meet here.
    Join,
    /// What the body of this `try` raises looks for its handler.
    Dispatch(ContextId),
    /// This handler begins.
    Handler(ContextId),
    Event(EventId),
    /// A test came out so.
    Assume {
        test: ExprId,
        holds: bool,
    },
    /// A `for` loop has no more elements.
    Exhausted(ContextId),
    /// The manager of a `with` is entered.
    Enter(ContextId),
    /// The body of a `with` is left, in whatever way.
    Leave(ContextId),
    /// The function returns, or its end is reached.
    Returned,
    /// An exception leaves the function.
    Raised,
    /// The process ends.
    Halted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// The source says so.
    Plain,
    /// What happens at the node may raise, a manager may swallow, a handler may not be for this exception.
    Possible,
    /// What is no `Exception`, such as a cancellation, passes by a handler for all that is.
    Beyond,
}

pub struct Flow {
    pub steps: Vec<Step>,
    edges: Vec<(NodeId, NodeId, Edge)>,
    /// Where each node's edges begin; one more for the end.
    starts: Vec<u32>,
}

impl Flow {
    /// The graph of a function's scope. `ends` tells of calls that end the process.
    pub fn of(facts: &FileFacts, scope: ScopeId, ends: &dyn Fn(CallId) -> bool) -> Flow {
        let mut builder = Builder::new(facts, scope, ends);
        builder.function();
        let Builder { steps, mut edges, .. } = builder;
        edges.sort_unstable();
        edges.dedup();
        let mut starts = vec![0_u32; steps.len() + 1];
        for (from, ..) in &edges {
            starts[from.index() + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        Flow { steps, edges, starts }
    }

    pub fn step(&self, node: NodeId) -> Step {
        self.steps[node.index()]
    }

    pub fn next(&self, node: NodeId) -> &[(NodeId, NodeId, Edge)] {
        &self.edges[self.starts[node.index()] as usize..self.starts[node.index() + 1] as usize]
    }

    /// The nodes at which an event happens: several in a `finally`.
    pub fn nodes_of(&self, event: EventId) -> impl Iterator<Item = NodeId> {
        let here = self.steps.iter().enumerate().filter(move |(_, step)| **step == Step::Event(event));
        here.map(|(index, _)| NodeId(index as u32))
    }
}

/// A way to leave a block before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jump {
    /// It is none: the end is reached.
    Normal,
    Return,
    Break,
    Continue,
    Raise,
}

const JUMPS: [Jump; 5] = [Jump::Normal, Jump::Return, Jump::Break, Jump::Continue, Jump::Raise];

/// For each kind of jump, where it goes through a `finally` or out of a `with`.
type Copies = [Option<NodeId>; JUMPS.len()];

/// A context whose inside is being walked.
struct Frame {
    context: ContextId,
    /// The nearest frame, from this one outwards, that a jump may be stopped by.
    guard: Option<usize>,
    kind: FrameKind,
    /// A test inside of the header, after whose events the body begins.
    header: Option<Header>,
    /// The statement with several arms whose next arm may follow.
    group: Option<Group>,
}

enum FrameKind {
    Plain,
    Loop {
        head: NodeId,
        after: NodeId,
    },
    /// An arm of a `try`, whose group is the parent frame's.
    Protected {
        is_body: bool,
    },
    With {
        left: Copies,
    },
}

#[derive(Clone, Copy)]
enum Header {
    While(ExprId),
    Guard(ExprId),
}

/// The arms of one statement.
struct Group {
    id: ContextId,
    last: ContextId,
    after: NodeId,
    kind: GroupKind,
}

enum GroupKind {
    /// An arm whose counterpart has not been seen: where the test is, and how it came out for the arm.
    Branch {
        base: NodeId,
        seen: Option<(ExprId, bool)>,
    },
    /// Where the loop is done.
    Loop {
        exhausted: NodeId,
    },
    /// Where the next case is tried, if no case before it takes all.
    Match {
        next: Option<NodeId>,
    },
    Try {
        dispatch: NodeId,
        body_end: Option<NodeId>,
        through: Copies,
    },
}

/// What is known of a statement's arms before they are walked.
#[derive(Clone, Copy, Default)]
struct Arms {
    last: u32,
    has_handlers: bool,
    caught: Caught,
    has_else: bool,
    has_finally: bool,
}

struct Builder<'a> {
    facts: &'a FileFacts,
    ends: &'a dyn Fn(CallId) -> bool,
    steps: Vec<Step>,
    edges: Vec<(NodeId, NodeId, Edge)>,
    current: NodeId,
    frames: Vec<Frame>,
    /// The scope's body; the contexts inside of it follow.
    root: u32,
    /// For each context from the root on: the first context after those inside of it.
    inside: Vec<u32>,
    arms: Vec<Arms>,
    next_context: u32,
    next_event: u32,
    finally_depth: u32,
}

const RETURNED: NodeId = NodeId(1);
const RAISED: NodeId = NodeId(2);
const HALTED: NodeId = NodeId(3);

impl<'a> Builder<'a> {
    fn new(facts: &'a FileFacts, scope: ScopeId, ends: &'a dyn Fn(CallId) -> bool) -> Self {
        let root = facts.scope(scope).body.0;
        let is_other_root = |id: &u32| {
            let context = &facts.contexts[*id as usize];
            matches!(context.kind, ContextKind::Body) && context.parent == ContextId(*id)
        };
        let end = (root + 1..facts.contexts.len() as u32).find(is_other_root).unwrap_or(facts.contexts.len() as u32);
        let count = (end - root) as usize;
        let mut inside: Vec<u32> = (root + 1..=end).collect();
        let mut arms = vec![Arms::default(); count];
        for id in (root + 1..end).rev() {
            let context = &facts.contexts[id as usize];
            let own_end = inside[(id - root) as usize];
            if let Some(around) = context.parent.0.checked_sub(root).and_then(|at| inside.get_mut(at as usize)) {
                *around = (*around).max(own_end);
            }
            let Some(group) = context.group.0.checked_sub(root).and_then(|at| arms.get_mut(at as usize)) else {
                continue;
            };
            group.last = group.last.max(id);
            match context.kind {
                ContextKind::Except(types) => {
                    group.has_handlers = true;
                    group.caught = group.caught.max(caught(facts, types));
                }
                ContextKind::TryElse => group.has_else = true,
                ContextKind::Finally => group.has_finally = true,
                _ => {}
            }
        }
        Builder {
            facts,
            ends,
            steps: vec![Step::Entry, Step::Returned, Step::Raised, Step::Halted],
            edges: Vec::new(),
            current: NodeId(0),
            frames: Vec::new(),
            root,
            inside,
            arms,
            next_context: root + 1,
            next_event: facts.scope(scope).events.start,
            finally_depth: 0,
        }
    }

    fn function(&mut self) {
        let root = ContextId(self.root);
        let events = self.facts.scope(self.facts.context(root).scope).events;
        self.push(root, FrameKind::Plain);
        self.walk(self.inside_end(root), events.start + events.len);
        self.settle_top();
        self.frames.clear();
        self.link(self.current, RETURNED, Edge::Plain);
    }

    fn inside_end(&self, context: ContextId) -> u32 {
        self.inside.get((context.0.wrapping_sub(self.root)) as usize).copied().unwrap_or(context.0 + 1)
    }

    fn arms_of(&self, group: ContextId) -> Arms {
        self.arms.get((group.0.wrapping_sub(self.root)) as usize).copied().unwrap_or_default()
    }

    fn node(&mut self, step: Step) -> NodeId {
        self.steps.push(step);
        NodeId(self.steps.len() as u32 - 1)
    }

    fn link(&mut self, from: NodeId, to: NodeId, edge: Edge) {
        self.edges.push((from, to, edge));
    }

    /// A node after the current one, which becomes the current one.
    fn advance(&mut self, step: Step) -> NodeId {
        let node = self.node(step);
        self.link(self.current, node, Edge::Plain);
        self.current = node;
        node
    }

    /// What follows is not reached from here.
    fn stop(&mut self) {
        self.current = self.node(Step::Join);
    }

    fn push(&mut self, context: ContextId, kind: FrameKind) {
        let around = self.frames.last().and_then(|frame| frame.guard);
        let guard = if matches!(kind, FrameKind::Plain) { around } else { Some(self.frames.len()) };
        self.frames.push(Frame { context, guard, kind, header: None, group: None });
    }

    /// Walks contexts and events up to these, and closes what was opened meanwhile.
    fn walk(&mut self, end_context: u32, end_event: u32) {
        let floor = self.frames.len();
        loop {
            let opens = self.next_context < end_context
                && (self.next_event >= end_event
                    || self.facts.context(ContextId(self.next_context)).opened.0 <= self.next_event);
            if opens {
                let id = ContextId(self.next_context);
                self.next_context += 1;
                let context = self.facts.context(id);
                self.close_until(context.parent, floor);
                self.open(id);
            } else if self.next_event < end_event {
                let id = EventId(self.next_event);
                self.next_event += 1;
                self.close_until(self.facts.event(id).context, floor);
                if self.before(None, self.facts.event(id).span) {
                    self.event(id);
                }
            } else {
                break;
            }
        }
        while self.frames.len() > floor {
            self.close();
        }
    }

    fn close_until(&mut self, context: ContextId, floor: usize) {
        while self.frames.len() > floor && self.frames.last().is_some_and(|frame| frame.context != context) {
            self.close();
        }
    }

    /// Settles what waits in the top frame before an event or a context of another statement; says whether that is
    /// to be walked: the types of handlers stand between the arms of a `try` and are not.
    fn before(&mut self, arm: Option<ContextId>, span: crate::source::Span) -> bool {
        let Some(frame) = self.frames.last() else { return true };
        if let Some(group) = &frame.group {
            if arm == Some(group.id) {
                return true;
            }
            let next = arm.map_or(self.next_context, |_| self.next_context - 1);
            if matches!(group.kind, GroupKind::Try { .. }) && next <= group.last.0 {
                return false;
            }
        }
        self.settle_group();
        let Some(frame) = self.frames.last() else { return true };
        if frame.header.is_some() && !self.facts.context(frame.context).span.contains(span) {
            self.settle_header();
        }
        true
    }

    fn settle_top(&mut self) {
        self.settle_group();
        self.settle_header();
    }

    /// The statement whose arms were walked is complete.
    fn settle_group(&mut self) {
        let Some(group) = self.frames.last_mut().and_then(|frame| frame.group.take()) else { return };
        match group.kind {
            GroupKind::Branch { base, seen: Some((test, holds)) } => {
                let otherwise = self.node(Step::Assume { test, holds: !holds });
                self.link(base, otherwise, Edge::Plain);
                self.link(otherwise, group.after, Edge::Plain);
            }
            GroupKind::Branch { seen: None, .. } | GroupKind::Try { .. } | GroupKind::Match { next: None } => {}
            GroupKind::Loop { exhausted } => self.link(exhausted, group.after, Edge::Plain),
            GroupKind::Match { next: Some(next) } => self.link(next, group.after, Edge::Plain),
        }
        self.current = group.after;
    }

    /// The test in the header has been evaluated.
    fn settle_header(&mut self) {
        let Some(header) = self.frames.last_mut().and_then(|frame| frame.header.take()) else { return };
        let (Header::While(test) | Header::Guard(test)) = header;
        let base = self.current;
        let is_endless = matches!(header, Header::While(_)) && is_always_true(self.facts, test);
        if !is_endless {
            let fails = self.node(Step::Assume { test, holds: false });
            self.link(base, fails, Edge::Plain);
            let parent = self.frames.len().checked_sub(2).map(|at| &self.frames[at]);
            match parent.and_then(|parent| parent.group.as_ref()).map(|group| &group.kind) {
                Some(GroupKind::Loop { exhausted }) => self.link(fails, *exhausted, Edge::Plain),
                Some(GroupKind::Match { next: Some(next) }) => self.link(fails, *next, Edge::Plain),
                _ => {}
            }
        }
        self.advance(Step::Assume { test, holds: true });
    }

    fn open(&mut self, id: ContextId) {
        let context = self.facts.context(id);
        if !self.before(Some(context.group), context.span) {
            // Types of handlers.
            self.next_context = self.inside_end(id);
            return;
        }
        match context.kind {
            ContextKind::Body => self.push(id, FrameKind::Plain),
            ContextKind::If(test) => self.open_branch(id, test, true),
            ContextKind::Else(test) => self.open_branch(id, test, false),
            ContextKind::For { .. } => {
                let head = self.advance(Step::Join);
                let exhausted = self.node(Step::Exhausted(id));
                self.link(head, exhausted, Edge::Plain);
                self.begin_group(id, |_| GroupKind::Loop { exhausted });
                self.open_loop(id, head);
            }
            ContextKind::While(test) => {
                let head = self.advance(Step::Join);
                let exhausted = self.node(Step::Join);
                self.begin_group(id, |_| GroupKind::Loop { exhausted });
                self.open_loop(id, head);
                if let Some(frame) = self.frames.last_mut() {
                    frame.header = Some(Header::While(test));
                }
            }
            ContextKind::LoopElse => {
                if let Some(Group { kind: GroupKind::Loop { exhausted }, .. }) = self.group_mut() {
                    let exhausted = *exhausted;
                    let entry = self.node(Step::Join);
                    // What reaches the end by exhaustion goes through here only.
                    self.link(exhausted, entry, Edge::Plain);
                    if let Some(group) = self.group_mut() {
                        group.kind = GroupKind::Branch { base: entry, seen: None };
                    }
                    self.current = entry;
                }
                self.push(id, FrameKind::Plain);
            }
            ContextKind::Case { guard, irrefutable, .. } => self.open_case(id, guard, irrefutable),
            ContextKind::With { .. } => {
                let enter = self.advance(Step::Enter(id));
                self.may_raise(enter);
                self.push(id, FrameKind::With { left: Copies::default() });
            }
            ContextKind::Try => {
                let dispatch = self.node(Step::Dispatch(id));
                self.begin_group(id, |_| GroupKind::Try { dispatch, body_end: None, through: Copies::default() });
                self.push(id, FrameKind::Protected { is_body: true });
            }
            ContextKind::Except(_) => {
                if let Some(Group { kind: GroupKind::Try { dispatch, .. }, .. }) = self.group_mut() {
                    let dispatch = *dispatch;
                    self.current = dispatch;
                    self.advance(Step::Handler(id));
                }
                self.push_protected(id);
            }
            ContextKind::TryElse => {
                if let Some(Group { kind: GroupKind::Try { body_end: Some(end), .. }, .. }) = self.group_mut() {
                    self.current = *end;
                }
                self.push_protected(id);
            }
            ContextKind::Finally => self.walk_finally(id),
        }
    }

    fn group_mut(&mut self) -> Option<&mut Group> {
        self.frames.last_mut()?.group.as_mut()
    }

    fn begin_group(&mut self, id: ContextId, kind: impl FnOnce(NodeId) -> GroupKind) {
        let base = self.current;
        let after = self.node(Step::Join);
        let last = ContextId(self.arms_of(id).last.max(id.0));
        if let Some(frame) = self.frames.last_mut() {
            frame.group = Some(Group { id, last, after, kind: kind(base) });
        }
    }

    fn open_branch(&mut self, id: ContextId, test: ExprId, holds: bool) {
        let is_first = self.facts.context(id).group == id;
        if is_first {
            self.begin_group(id, |base| GroupKind::Branch { base, seen: Some((test, holds)) });
        }
        if let Some(Group { kind: GroupKind::Branch { base, seen }, .. }) = self.group_mut() {
            if !is_first {
                *seen = None;
            }
            self.current = *base;
        }
        self.advance(Step::Assume { test, holds });
        self.push(id, FrameKind::Plain);
    }

    fn open_loop(&mut self, id: ContextId, head: NodeId) {
        let after = self.group_mut().map_or(head, |group| group.after);
        self.push(id, FrameKind::Loop { head, after });
    }

    fn open_case(&mut self, id: ContextId, guard: ExprId, irrefutable: bool) {
        if self.facts.context(id).group == id {
            self.begin_group(id, |base| GroupKind::Match { next: Some(base) });
        }
        let Some(Group { kind: GroupKind::Match { next }, .. }) = self.group_mut() else { return };
        let tried = next.take();
        let entry = self.node(Step::Join);
        if let Some(tried) = tried {
            self.link(tried, entry, Edge::Plain);
        }
        let following = if irrefutable && guard == NOTHING { None } else { Some(self.node(Step::Join)) };
        if let (Some(tried), Some(following), false) = (tried, following, irrefutable) {
            self.link(tried, following, Edge::Plain);
        }
        if let Some(Group { kind: GroupKind::Match { next }, .. }) = self.group_mut() {
            *next = following;
        }
        self.current = entry;
        self.push(id, FrameKind::Plain);
        if guard != NOTHING
            && let Some(frame) = self.frames.last_mut()
        {
            frame.header = Some(Header::Guard(guard));
        }
    }

    /// A handler or `else` of a `try`, which only a `finally` protects.
    fn push_protected(&mut self, id: ContextId) {
        let has_finally = self.arms_of(self.facts.context(id).group).has_finally;
        self.push(id, if has_finally { FrameKind::Protected { is_body: false } } else { FrameKind::Plain });
    }

    fn close(&mut self) {
        self.settle_top();
        let Some(frame) = self.frames.pop() else { return };
        let group = self.facts.context(frame.context).group;
        match frame.kind {
            FrameKind::Loop { head, .. } => {
                self.link(self.current, head, Edge::Plain);
                self.stop();
            }
            FrameKind::With { left } => {
                let leave = self.advance(Step::Leave(frame.context));
                let after = self.advance(Step::Join);
                self.may_raise(leave);
                if let Some(raised) = left[Jump::Raise as usize] {
                    self.link(raised, after, Edge::Possible);
                }
            }
            FrameKind::Plain | FrameKind::Protected { .. } => match self.facts.context(frame.context).kind {
                ContextKind::Body => {}
                ContextKind::Try => self.close_try(group),
                ContextKind::Except(_) | ContextKind::TryElse => self.complete(),
                _ => {
                    if let Some(after) = self.group_mut().map(|group| group.after) {
                        self.link(self.current, after, Edge::Plain);
                    }
                }
            },
        }
    }

    fn close_try(&mut self, group: ContextId) {
        let arms = self.arms_of(group);
        let end = self.current;
        if let Some(Group { kind: GroupKind::Try { body_end, dispatch, .. }, .. }) = self.group_mut() {
            *body_end = Some(end);
            let dispatch = *dispatch;
            if arms.has_handlers && arms.caught < Caught::Everything {
                let edge = if arms.caught == Caught::Exceptions { Edge::Beyond } else { Edge::Possible };
                match arms.has_finally {
                    true => {
                        let through = self.through(self.frames.len() - 1, Jump::Raise);
                        self.link(dispatch, through, edge);
                    }
                    false => self.jump(dispatch, edge, Jump::Raise),
                }
            }
        }
        if !arms.has_else {
            self.complete();
        }
    }

    /// The current node is the end of a `try` statement but for its `finally`.
    fn complete(&mut self) {
        let at = self.frames.len() - 1;
        let Some(group) = &self.frames[at].group else { return };
        let (after, id) = (group.after, group.id);
        let to = if self.arms_of(id).has_finally { self.through(at, Jump::Normal) } else { after };
        self.link(self.current, to, Edge::Plain);
    }

    /// Where a jump enters the `finally` of the statement that is walked in a frame.
    fn through(&mut self, frame: usize, jump: Jump) -> NodeId {
        let is_shared = self.finally_depth > 0;
        let Some(Group { kind: GroupKind::Try { through, .. }, .. }) = &self.frames[frame].group else {
            return RAISED;
        };
        let known = through[jump as usize].or_else(|| through.iter().flatten().next().copied().filter(|_| is_shared));
        let node = known.unwrap_or_else(|| self.node(Step::Join));
        if let Some(Group { kind: GroupKind::Try { through, .. }, .. }) = &mut self.frames[frame].group {
            through[jump as usize] = Some(node);
        }
        node
    }

    fn walk_finally(&mut self, id: ContextId) {
        let context = self.facts.context(id);
        let end_context = self.inside_end(id);
        let first_event = context.opened.0;
        let is_inside = |event: &u32| {
            let event = self.facts.events.get(*event as usize);
            event.is_some_and(|event| event.context.0 >= id.0 && event.context.0 < end_context)
        };
        let end_event = (first_event..).find(|event| !is_inside(event)).unwrap_or(first_event);
        let (through, after) = match self.group_mut() {
            Some(Group { kind: GroupKind::Try { through, .. }, after, .. }) => (*through, *after),
            _ => (Copies::default(), self.current),
        };
        self.finally_depth += 1;
        let mut walked: Vec<(NodeId, NodeId)> = Vec::new();
        for jump in JUMPS {
            let Some(entry) = through[jump as usize] else { continue };
            let known = walked.iter().find(|(known, _)| *known == entry).map(|(_, end)| *end);
            let end = known.unwrap_or_else(|| {
                (self.next_context, self.next_event) = (id.0 + 1, first_event);
                self.current = entry;
                self.push(id, FrameKind::Plain);
                self.walk(end_context, end_event);
                self.settle_top();
                self.frames.pop();
                walked.push((entry, self.current));
                self.current
            });
            match jump {
                Jump::Normal => self.link(end, after, Edge::Plain),
                _ => self.jump(end, Edge::Plain, jump),
            }
        }
        self.finally_depth -= 1;
        (self.next_context, self.next_event) = (end_context, end_event);
    }

    fn may_raise(&mut self, node: NodeId) {
        self.jump(node, Edge::Possible, Jump::Raise);
    }

    /// Links a node to where a jump goes from the top frame.
    fn jump(&mut self, mut from: NodeId, mut edge: Edge, jump: Jump) {
        let mut next = self.frames.len().checked_sub(1);
        while let Some(at) = next.and_then(|at| self.frames[at].guard) {
            next = at.checked_sub(1);
            match (&self.frames[at].kind, jump) {
                (FrameKind::Loop { after, .. }, Jump::Break) => return self.edges.push((from, *after, edge)),
                (FrameKind::Loop { head, .. }, Jump::Continue) => return self.edges.push((from, *head, edge)),
                (FrameKind::With { left }, _) => {
                    let context = self.frames[at].context;
                    if let Some(leave) = left[jump as usize] {
                        return self.link(from, leave, edge);
                    }
                    let leave = self.node(Step::Leave(context));
                    if let FrameKind::With { left } = &mut self.frames[at].kind {
                        left[jump as usize] = Some(leave);
                    }
                    self.link(from, leave, edge);
                    (from, edge) = (leave, Edge::Plain);
                }
                (FrameKind::Protected { is_body }, _) => {
                    let arms = self.arms_of(self.facts.context(self.frames[at].context).group);
                    let Some(parent) = next else { return };
                    if *is_body
                        && arms.has_handlers
                        && jump == Jump::Raise
                        && let Some(Group { kind: GroupKind::Try { dispatch, .. }, .. }) = &self.frames[parent].group
                    {
                        let dispatch = *dispatch;
                        return self.link(from, dispatch, edge);
                    }
                    if arms.has_finally {
                        let through = self.through(parent, jump);
                        return self.link(from, through, edge);
                    }
                }
                _ => {}
            }
        }
        match jump {
            Jump::Return => self.link(from, RETURNED, edge),
            Jump::Raise => self.link(from, RAISED, edge),
            Jump::Normal | Jump::Break | Jump::Continue => {}
        }
    }

    fn event(&mut self, id: EventId) {
        let node = self.advance(Step::Event(id));
        let event = self.facts.event(id);
        // An element of a comprehension hands control to nobody.
        let is_element = || self.facts.scope(self.facts.scope_of(event)).kind == ScopeKind::Comprehension;
        match event.kind {
            EventKind::Yield(_) if is_element() => {}
            EventKind::Call(call) if (self.ends)(call) => {
                self.link(node, HALTED, Edge::Plain);
                self.stop();
            }
            EventKind::Return(_) => self.leave(node, Jump::Return),
            EventKind::Raise { .. } => self.leave(node, Jump::Raise),
            EventKind::Break => self.leave(node, Jump::Break),
            EventKind::Continue => self.leave(node, Jump::Continue),
            EventKind::Call(_)
            | EventKind::Yield(_)
            | EventKind::BindElement { .. }
            | EventKind::Import(_)
            | EventKind::Read(_)
            | EventKind::Await(_)
            | EventKind::Assert { .. } => self.may_raise(node),
            _ => {}
        }
    }

    fn leave(&mut self, node: NodeId, jump: Jump) {
        self.jump(node, Edge::Plain, jump);
        self.stop();
    }
}

/// What the handlers of a statement are for together.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caught {
    #[default]
    Some,
    /// `except Exception`
    Exceptions,
    /// `except:` and `except BaseException`
    Everything,
}

/// What a handler with these types is for.
pub fn caught(facts: &FileFacts, types: ExprId) -> Caught {
    match facts.expr(types) {
        Expr::Nothing => Caught::Everything,
        Expr::Name(name) => match name.as_str() {
            "BaseException" => Caught::Everything,
            "Exception" => Caught::Exceptions,
            _ => Caught::Some,
        },
        Expr::Display(_, run) => {
            let parts = facts.list(run).iter().filter(|one| **one != NOTHING);
            parts.map(|one| caught(facts, *one)).max().unwrap_or_default()
        }
        _ => Caught::Some,
    }
}

fn is_always_true(facts: &FileFacts, test: ExprId) -> bool {
    match facts.expr(test) {
        Expr::Constant(Constant::True) => true,
        Expr::Constant(Constant::Int(number)) => number != 0,
        _ => false,
    }
}
