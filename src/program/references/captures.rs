//! What a nested function or lambda keeps of the functions around it.
//!
//! Python keeps the variables that the body reads and that an enclosing function binds, and nothing else: a parameter
//! of the same name shadows, and a default is evaluated once, where the function is defined.

use rustc_hash::FxHashSet;

use super::super::{EventRef, ExprRef, FunctionRef, Program, ScopeRef};
use crate::facts::{ContextKind, EventId, EventKind, Expr, ExprId, FileFacts, FunctionId, NOTHING, ScopeId, ScopeKind};
use crate::source::Name;

/// A variable of an enclosing function that a function keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    pub holder: ScopeRef,
    pub name: Name,
    /// Where it is first used; `None` where that is in a test or another header.
    pub at: Option<EventRef>,
}

/// The variables of enclosing functions that a function keeps, in the order of their first use.
pub(in crate::program) fn captured(program: &Program, function: FunctionRef) -> Vec<Capture> {
    captured_of(program, function, None)
}

/// The same, perhaps only of some names: most of what a function speaks of is its own.
pub(super) fn captured_of(program: &Program, function: FunctionRef, names: Option<&[Name]>) -> Vec<Capture> {
    let mut walk = Walk {
        program,
        facts: program.facts(function.module),
        module_scope: program.function_scope(function),
        seen: FxHashSet::default(),
        own: FxHashSet::default(),
        event: None,
        names,
        rest: Vec::new(),
        found: Vec::new(),
    };
    walk.function(function.id);
    walk.found
}

/// The defaults of a function's parameters.
pub(in crate::program) fn defaults(program: &Program, function: FunctionRef) -> Vec<ExprRef> {
    let facts = program.facts(function.module);
    let scope = program.defining_scope(function);
    let parameters = facts.parameters(facts.function(function.id));
    parameters.iter().filter(|p| p.default != NOTHING).map(|p| scope.expr(p.default)).collect()
}

struct Walk<'p> {
    program: &'p Program<'p>,
    facts: &'p FileFacts,
    module_scope: ScopeRef,
    seen: FxHashSet<(ScopeId, ExprId)>,
    /// Scopes of the function and of those inside it: what these bind is not captured.
    own: FxHashSet<ScopeId>,
    event: Option<EventId>,
    /// The only names that are asked about.
    names: Option<&'p [Name]>,
    /// Expressions that are still to be looked at: one vector for all of them.
    rest: Vec<ExprId>,
    found: Vec<Capture>,
}

impl Walk<'_> {
    fn function(&mut self, function: FunctionId) {
        let scope = self.facts.function(function).scope;
        if !self.own.insert(scope) {
            return;
        }
        for (id, event) in self.facts.scope_events(scope) {
            self.event = Some(id);
            let here = self.facts.scope_of(event);
            self.event(here, &event.kind);
        }
        self.event = None;
        for context in self.facts.contexts.iter().skip(self.facts.scope(scope).body.index()) {
            let is_other_body = matches!(context.kind, ContextKind::Body)
                && context.scope != scope
                && matches!(self.facts.scope(context.scope).kind, ScopeKind::Function(_) | ScopeKind::Lambda(_));
            if is_other_body {
                break;
            }
            context.kind.operands().into_iter().for_each(|operand| self.expr(context.scope, operand));
        }
    }

    fn event(&mut self, scope: ScopeId, event: &EventKind) {
        match *event {
            EventKind::Call(call) => self.call(scope, call),
            EventKind::Define(function) => {
                self.function(function);
                let nested = FunctionRef::new(self.module_scope.module, function);
                for default in defaults(self.program, nested) {
                    self.expr(scope, default.id);
                }
            }
            other => other.operands().into_iter().for_each(|operand| self.expr(scope, operand)),
        }
    }

    fn call(&mut self, scope: ScopeId, call: crate::facts::CallId) {
        let call = self.facts.call(call);
        self.expr(scope, call.callee);
        self.facts.arguments(call).iter().for_each(|argument| self.expr(scope, *argument));
        self.facts.keyword_arguments(call).iter().for_each(|(_, argument)| self.expr(scope, *argument));
    }

    fn expr(&mut self, scope: ScopeId, id: ExprId) {
        let before = self.rest.len();
        self.rest.push(id);
        while self.rest.len() > before {
            let Some(id) = self.rest.pop() else { return };
            let expr = self.facts.expr(id);
            let says_nothing = matches!(expr, Expr::Nothing | Expr::Constant(_) | Expr::Call(_))
                || matches!(expr, Expr::Name(name) if self.names.is_some_and(|names| !names.contains(&name)));
            if says_nothing || !self.seen.insert((scope, id)) {
                continue;
            }
            match expr {
                Expr::Name(name) => self.name(scope, name),
                Expr::Lambda(function) => self.function(function),
                // The events of calls and comprehensions come with those of the function.
                other => self.rest.extend(self.facts.operands(other).rev()),
            }
        }
    }

    fn name(&mut self, scope: ScopeId, name: Name) {
        let Some(holder) = self.program.holding_scope(ScopeRef::new(self.module_scope.module, scope), name) else {
            return;
        };
        let is_function = matches!(self.facts.scope(holder.id).kind, ScopeKind::Function(_) | ScopeKind::Lambda(_));
        if !is_function || self.own.contains(&holder.id) {
            return;
        }
        let at = self.event.map(|event| EventRef::new(holder.module, event));
        match self.found.iter_mut().find(|known| (known.holder, known.name) == (holder, name)) {
            Some(known) => known.at = known.at.or(at),
            None => self.found.push(Capture { holder, name, at }),
        }
    }
}
