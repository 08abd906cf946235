//! What a function defines anew at each of its calls: functions that refer to themselves, and classes.
//!
//! A nested function is found under its name in a cell of the function around it. One that uses that name keeps the
//! cell, and the cell keeps the function: a cycle at every call, with everything else that the function captures. A
//! class is a cycle by itself (its `__mro__` begins with it), and its bases list it until the collector has found it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::captures::{Capture, captured, captured_of};
use crate::facts::{Class, Constant, ContextKind, EventId, EventKind, Expr, ExprId, NOTHING, ScopeKind};
use crate::program::names::Definition;
use crate::program::{ClassRef, EventRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::source::Name;

/// The longest chain of nested functions that a reader could still follow.
const LONGEST: usize = 4;

/// A nested function that keeps itself, perhaps by way of others beside it.
#[derive(Clone, Debug)]
pub struct SelfReferring {
    /// The function around it.
    pub maker: FunctionRef,
    /// Where each of the functions uses the next one; the last uses the first.
    pub steps: Vec<(FunctionRef, Capture)>,
    /// What else is kept: variables of the functions around it.
    pub keeps: Vec<(ScopeRef, Name)>,
}

/// A class statement that runs at each call of a function.
#[derive(Clone, Debug)]
pub struct LocalClass {
    pub class: ClassRef,
    pub maker: FunctionRef,
    /// The class itself is returned, stored or handed on, not only used.
    pub is_given_away: bool,
    /// To make a class is what the function is for, or what it is derived from is only known in the function.
    pub belongs_here: bool,
    /// Its methods use variables of the function around it.
    pub captures: bool,
}

impl Program<'_> {
    /// Nested functions of a module that refer to themselves and are not let go by the function around them.
    pub fn self_referring_functions(&self, module: ModuleId) -> Vec<SelfReferring> {
        let mut found = Vec::new();
        let mut shown: FxHashSet<FunctionRef> = FxHashSet::default();
        let bound: Vec<(FunctionRef, ScopeRef, Name)> = (self.functions_of(module))
            .filter_map(|function| self.own_variable(function).map(|(holder, name)| (function, holder, name)))
            .collect();
        let mut names: FxHashMap<ScopeRef, Vec<Name>> = FxHashMap::default();
        bound.iter().for_each(|(_, holder, name)| names.entry(*holder).or_default().push(*name));
        for (function, holder, _) in bound {
            if shown.contains(&function) {
                continue;
            }
            let Some(steps) = self.cycle_of_captures(function, holder, &names[&holder]) else { continue };
            shown.extend(steps.iter().map(|(function, _)| *function));
            let is_let_go = steps.iter().any(|(_, capture)| self.is_unbound(capture.holder, capture.name));
            let Some(maker) = self.enclosing_function(holder).filter(|_| !is_let_go) else { continue };
            let keeps = self.kept_beside(&steps);
            found.push(SelfReferring { maker, steps, keeps });
        }
        found
    }

    /// The variable of an enclosing function that a nested function is bound to.
    fn own_variable(&self, function: FunctionRef) -> Option<(ScopeRef, Name)> {
        let facts = self.facts(function.module);
        let scope = self.defining_scope(function);
        if !matches!(facts.scope(scope.id).kind, ScopeKind::Function(_)) {
            return None;
        }
        let declared = self.function(function);
        match facts.scope(declared.scope).kind {
            // What a decorator makes of a function need not be the function.
            ScopeKind::Function(_) if declared.decorators.len == 0 => self
                .holding_scope(scope, declared.name)
                .filter(|holder| *holder == scope)
                .map(|_| (scope, declared.name)),
            ScopeKind::Lambda(_) => facts.scope_events(scope.id).find_map(|(_, event)| match event.kind {
                EventKind::Bind { target, value } if facts.expr(value) == Expr::Lambda(function.id) => {
                    match facts.expr(target) {
                        Expr::Name(name) if facts.scope_of(event) == scope.id => Some((scope, name)),
                        _ => None,
                    }
                }
                _ => None,
            }),
            _ => None,
        }
    }

    /// The shortest way from a nested function over variables of the function around it back to itself; `names` are those
    /// that nested functions are bound to.
    fn cycle_of_captures(
        &self,
        function: FunctionRef,
        holder: ScopeRef,
        names: &[Name],
    ) -> Option<Vec<(FunctionRef, Capture)>> {
        let mut front: Vec<Vec<(FunctionRef, Capture)>> = vec![Vec::new()];
        let mut reached: FxHashSet<FunctionRef> = FxHashSet::default();
        for _ in 0..LONGEST {
            let mut next = Vec::new();
            for path in front {
                let from = path.last().map_or(Some(function), |(_, capture)| self.bound_function(capture));
                let Some(from) = from.filter(|from| reached.insert(*from)) else { continue };
                let captured = captured_of(self, from, Some(names)).into_iter();
                for capture in captured.filter(|capture| capture.holder == holder) {
                    let Some(to) = self.bound_function(&capture) else { continue };
                    let mut path = path.clone();
                    path.push((from, capture));
                    if to == function {
                        return Some(path);
                    }
                    next.push(path);
                }
            }
            front = next;
        }
        None
    }

    /// The nested function that a variable is bound to.
    fn bound_function(&self, capture: &Capture) -> Option<FunctionRef> {
        let module = self.module(capture.holder.module);
        let facts = module.facts();
        let mut bound = module.bindings_of(capture.holder.id, capture.name);
        let function = bound.find_map(|event| match facts.event(event).kind {
            EventKind::Define(function) => Some(function),
            EventKind::Bind { value, .. } => match facts.expr(value) {
                Expr::Lambda(function) => Some(function),
                _ => None,
            },
            _ => None,
        })?;
        let function = FunctionRef::new(capture.holder.module, function);
        (self.own_variable(function) == Some((capture.holder, capture.name))).then_some(function)
    }

    /// `del name` or `name = None`, in the function that holds the variable or in one nested in it.
    fn is_unbound(&self, holder: ScopeRef, name: Name) -> bool {
        let facts = self.facts(holder.module);
        let body = self.enclosing_function(holder).map(|function| self.function(function).span);
        facts.events.iter().enumerate().any(|(number, event)| {
            let target = match event.kind {
                EventKind::Delete { target } => target,
                EventKind::Bind { target, value } if is_nothing(facts.expr(value)) => target,
                _ => return false,
            };
            facts.expr(target) == Expr::Name(name)
                && body.is_some_and(|body| body.contains(event.span))
                && self.holding_scope(self.event_scope(EventRef::new(holder.module, EventId(number as u32))), name)
                    == Some(holder)
        })
    }

    /// The variables that a cycle of functions keeps beside the functions themselves.
    fn kept_beside(&self, steps: &[(FunctionRef, Capture)]) -> Vec<(ScopeRef, Name)> {
        let mut keeps = Vec::new();
        for (function, _) in steps {
            for capture in captured(self, *function) {
                let variable = (capture.holder, capture.name);
                if self.bound_function(&capture).is_none() && !keeps.contains(&variable) {
                    keeps.push(variable);
                }
            }
        }
        keeps
    }

    /// Class statements in functions of a module.
    pub fn local_classes(&self, module: ModuleId) -> Vec<LocalClass> {
        let facts = self.facts(module);
        let mut found = Vec::new();
        let is_local =
            |class: &Class| matches!(facts.scope(facts.context(class.context).scope).kind, ScopeKind::Function(_));
        if !facts.classes.iter().any(is_local) {
            return found;
        }
        for (number, event) in facts.events.iter().enumerate() {
            let EventKind::DefineClass(class) = event.kind else { continue };
            let here = EventRef::new(module, EventId(number as u32));
            let scope = self.event_scope(here);
            let mut around = facts.contexts_around(event.context).take_while(|context| context.scope == scope.id);
            // What runs when something has failed does not run often.
            if !matches!(facts.scope(scope.id).kind, ScopeKind::Function(_))
                || around.any(|context| matches!(context.kind, ContextKind::Except(_)))
            {
                continue;
            }
            let Some(maker) = self.enclosing_function(scope) else { continue };
            let class = ClassRef::new(module, class);
            let (is_given_away, is_stored) = self.uses_of_class(class, scope);
            // What is stored is there the next time.
            if !is_stored && !self.is_remembered(maker) {
                let belongs_here = self.is_product(class, scope) || self.has_own_base(class, scope);
                let captures = self.captures_something(class);
                found.push(LocalClass { class, maker, is_given_away, belongs_here, captures });
            }
        }
        found
    }

    /// Whether a local class is given away as a class, and whether it is stored where it outlives the call.
    fn uses_of_class(&self, class: ClassRef, scope: ScopeRef) -> (bool, bool) {
        let facts = self.facts(class.module);
        let name = self.class(class).name;
        let is_class = |id: ExprId| mentions(facts, id, name);
        let (mut is_given_away, mut is_stored) = (self.class(class).decorators.len > 0, false);
        for (_, event) in facts.scope_events(scope.id) {
            match event.kind {
                EventKind::Return(value) | EventKind::Yield(value) => is_given_away |= is_class(value),
                EventKind::Bind { target, value } if is_class(value) => match facts.expr(target) {
                    Expr::Name(other) => {
                        is_given_away = true;
                        is_stored |= self.holding_scope(scope, other).is_none_or(|holder| holder != scope);
                    }
                    _ => is_stored = true,
                },
                EventKind::Call(call) => {
                    let call = facts.call(call);
                    let only_looks = matches!(facts.expr(call.callee), Expr::Name(callee)
                        if matches!(callee.as_str(), "isinstance" | "issubclass" | "super" | "cast"));
                    is_given_away |= !only_looks && facts.all_arguments(call).any(is_class);
                }
                EventKind::DefineClass(derived) => {
                    is_given_away |= facts.list(facts.class(derived).bases).iter().any(|base| is_class(*base));
                }
                _ => {}
            }
        }
        let is_declared_elsewhere = self.holding_scope(scope, name).is_none_or(|holder| holder != scope);
        (is_given_away, is_stored || is_declared_elsewhere)
    }

    /// `return Class`, alone or in a display, and `return locals()`.
    fn is_product(&self, class: ClassRef, scope: ScopeRef) -> bool {
        let facts = self.facts(class.module);
        let name = self.class(class).name;
        let is_locals = |id: ExprId| match facts.expr(id) {
            Expr::Call(call) => {
                matches!(facts.expr(facts.call(call).callee), Expr::Name(callee) if callee.as_str() == "locals")
            }
            _ => false,
        };
        facts.scope_events(scope.id).any(|(_, event)| match event.kind {
            EventKind::Return(value) => mentions(facts, value, name) || is_locals(value),
            _ => false,
        })
    }

    /// A base that the function is given, works out or imports when it runs.
    fn has_own_base(&self, class: ClassRef, scope: ScopeRef) -> bool {
        let facts = self.facts(class.module);
        facts.list(self.class(class).bases).iter().any(|base| {
            let mut id = *base;
            while let Expr::Attribute(inner, _) | Expr::Subscript(inner, _) = facts.expr(id) {
                id = inner;
            }
            match facts.expr(id) {
                Expr::Name(name) => {
                    let holder = self.holding_scope(scope, name);
                    holder.is_some_and(|holder| matches!(facts.scope(holder.id).kind, ScopeKind::Function(_)))
                        && !matches!(self.resolve_name(scope, name), Definition::Class(class)
                            if self.facts(class.module).context(self.class(class).context).scope == scope.id)
                }
                Expr::Call(_) => true,
                _ => false,
            }
        })
    }

    /// A cache gives the same result again.
    pub(in crate::program) fn is_remembered(&self, maker: FunctionRef) -> bool {
        let mut function = Some(maker);
        while let Some(here) = function {
            let is_cached = self.cached_functions(here.module).iter().any(|cached| cached.function == here);
            let is_called_cached = self.decorators(here).any(|(expr, definition)| {
                let word = match (definition, self.expr(self.callee_or_self(expr))) {
                    (Definition::External(path), _) => path,
                    (_, Expr::Name(name) | Expr::Attribute(_, name)) => name,
                    _ => return false,
                };
                let word = word.as_str().to_ascii_lowercase();
                ["cache", "memo", "once", "lazy", "singleton"].iter().any(|part| word.contains(part))
            });
            if is_cached || is_called_cached {
                return true;
            }
            function = self.enclosing_function(self.defining_scope(here));
        }
        false
    }

    fn captures_something(&self, class: ClassRef) -> bool {
        self.own_methods(class)
            .any(|method| captured(self, method).iter().any(|capture| !self.is_named_by(capture, class)))
    }

    fn is_named_by(&self, capture: &Capture, class: ClassRef) -> bool {
        self.resolve_name(capture.holder, capture.name) == Definition::Class(class)
    }
}

fn is_nothing(value: Expr) -> bool {
    value == Expr::Nothing || value == Expr::Constant(Constant::None)
}

/// Whether the value of an expression is a variable's, alone or in a display.
fn mentions(facts: &crate::facts::FileFacts, id: ExprId, name: Name) -> bool {
    match facts.expr(id) {
        Expr::Name(other) => other == name,
        Expr::Display(_, run) | Expr::Conditional(run) | Expr::Or(run) | Expr::And(run) => {
            facts.list(run).iter().any(|part| *part != NOTHING && mentions(facts, *part, name))
        }
        Expr::Await(inner) | Expr::Starred(inner) => mentions(facts, inner, name),
        _ => false,
    }
}
