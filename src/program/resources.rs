//! What must be released: where it is acquired, and what becomes of it.
//!
//! A close somewhere proves little; what counts is every way out of the function that acquires. Ownership is followed
//! through names, and whatever might have taken it over (an unknown callee, an attribute, a closure) is presumed to
//! have: a finding is made only where the last name that holds the resource is lost before our eyes.

mod owners;
mod paths;
mod uses;

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::types::last_part;
use super::{EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{Call, CallId, Constant, EventId, EventKind, Expr, ExprId, FileFacts};
use crate::models::Resource;
use crate::source::{Name, NameSet, Span};

pub use owners::UnreleasedAttribute;

#[derive(Default)]
pub struct Resources {
    /// Last names of the models' callables that the program may reach: the library is imported somewhere.
    callables: NameSet,
    /// For each module, what its functions lose: several rules ask for it.
    lost: Vec<OnceLock<Vec<LostResource>>>,
    /// Attributes on which something outside of their own class calls a releasing method.
    released_from_outside: OnceLock<FxHashSet<Name>>,
}

impl Resources {
    pub fn of(program: &Program) -> Resources {
        let mut roots: FxHashSet<&str> = FxHashSet::default();
        for module in program.module_ids() {
            roots.extend(program.facts(module).imports.iter().map(|import| first_part(import.module.as_str())));
        }
        let is_reached = |path: &Name| !path.as_str().contains('.') || roots.contains(first_part(path.as_str()));
        let reached = program.models.resource_names().filter(is_reached);
        Resources {
            callables: reached.map(|path| Name::new(last_part(path.as_str()))).collect(),
            lost: program.modules.iter().map(|_| OnceLock::new()).collect(),
            released_from_outside: OnceLock::new(),
        }
    }
}

/// A call that gives what must be released.
#[derive(Clone, Copy, Debug)]
pub struct Acquisition {
    pub call: CallId,
    pub event: EventRef,
    pub function: FunctionRef,
    /// The called thing, by its dotted name.
    pub path: Name,
}

/// A resource that a function acquires and does not let go.
#[derive(Clone, Debug)]
pub struct LostResource {
    pub acquisition: Acquisition,
    pub how: Loss,
}

#[derive(Clone, Debug)]
pub enum Loss {
    /// It never gets a name that would last: `None`, or a name that nothing releases.
    Never { name: Option<Name> },
    /// One way releases it and another loses it.
    OnPath(PathLoss),
}

#[derive(Clone, Debug)]
pub struct PathLoss {
    pub name: Name,
    /// Where another way releases it or hands it on.
    pub released: EventRef,
    pub is_handed_on: bool,
    pub lost: LostAt,
}

/// Where the last name that holds the resource is lost.
#[derive(Clone, Copy, Debug)]
pub enum LostAt {
    /// The function is left by this statement.
    Exit(EventRef),
    /// The function's end is reached; the last test on the way there came out so.
    End(Option<(Span, bool)>),
    /// The name is bound again or deleted.
    Overwritten(EventRef),
    /// The next turn of the loop acquires another.
    Reacquired,
    /// An exception of this call leaves the function.
    Exception(EventRef),
}

impl Program<'_> {
    pub fn resource_of(&self, acquisition: &Acquisition) -> Option<&Resource> {
        self.models.resource(acquisition.path)
    }

    /// The calls of a module, inside of functions, that give something to be released.
    fn acquisitions(&self, module: ModuleId) -> Vec<Acquisition> {
        let facts = self.facts(module);
        let renamed: FxHashMap<Name, Name> = facts
            .imports
            .iter()
            .filter_map(|import| Some((import.bound, import.name.filter(|name| *name != import.bound)?)))
            .collect();
        let mut found = Vec::new();
        for (number, call) in facts.calls.iter().enumerate() {
            let name = match facts.expr(call.callee) {
                Expr::Name(name) => renamed.get(&name).copied().unwrap_or(name),
                Expr::Attribute(_, name) => name,
                _ => continue,
            };
            if !self.resources.callables.contains(name) {
                continue;
            }
            let event = EventRef::new(module, call.event);
            let scope = self.event_scope(event);
            let Some(function) = self.event_function(event).filter(|f| self.function_scope(*f) == scope) else {
                continue;
            };
            let callee = scope.expr(call.callee);
            let Some(path) = self.external_path(callee).or_else(|| self.method_path(callee)) else { continue };
            if self.models.resource(path).is_some_and(|resource| is_made_by(facts, call, resource)) {
                found.push(Acquisition { call: CallId(number as u32), event, function, path });
            }
        }
        found
    }

    /// What the functions of a module acquire and lose.
    pub fn lost_resources(&self, module: ModuleId) -> &[LostResource] {
        let Some(known) = self.resources.lost.get(module.0 as usize) else { return &[] };
        known.get_or_init(|| self.find_lost_resources(module))
    }

    fn find_lost_resources(&self, module: ModuleId) -> Vec<LostResource> {
        let mut flows = paths::Flows::default();
        let mut found = Vec::new();
        let mut asked: FxHashMap<FunctionRef, usize> = FxHashMap::default();
        for acquisition in self.acquisitions(module) {
            let Some(resource) = self.resource_of(&acquisition) else { continue };
            let asked = asked.entry(acquisition.function).or_default();
            *asked += 1;
            if *asked > MOST_ACQUISITIONS {
                continue;
            }
            match self.bindings_of_result(&acquisition, resource) {
                Result::Temporary => {
                    found.push(LostResource { acquisition, how: Loss::Never { name: None } });
                }
                Result::Named(bindings) => {
                    // Both ends of a pipe are mostly lost in the same way: one finding tells it.
                    let mut losses =
                        bindings.into_iter().map(|it| self.loss_of(&acquisition, resource, it, &mut flows));
                    if let Some(how) = losses.find_map(|loss| loss) {
                        found.push(LostResource { acquisition, how });
                    }
                }
                Result::Elsewhere => {}
            }
        }
        found
    }

    /// What the result of an acquisition is bound to.
    fn bindings_of_result(&self, acquisition: &Acquisition, resource: &Resource) -> Result {
        let facts = self.facts(acquisition.event.module);
        let scope = self.function_scope(acquisition.function);
        let mut names = Vec::new();
        let mut element = 0;
        for (id, event) in facts.scope_events(scope.id).skip_while(|(id, _)| *id <= acquisition.event.id) {
            match event.kind {
                EventKind::Bind { target, value } => {
                    let is_element = match facts.expr(value) {
                        Expr::Element(whole) => self.is_result(scope.expr(whole), acquisition.call),
                        _ => false,
                    };
                    if is_element {
                        element += 1;
                        if !resource.elements.contains(&(element - 1)) {
                            continue;
                        }
                    } else if resource.elements.is_empty() {
                        if !self.is_result(scope.expr(value), acquisition.call) {
                            continue;
                        }
                    } else if self.is_result(scope.expr(value), acquisition.call) {
                        return Result::Elsewhere;
                    } else {
                        continue;
                    }
                    match facts.expr(target) {
                        Expr::Name(name) if self.is_own_local(scope, name) => names.push(Binding { event: id, name }),
                        // With one name stored elsewhere, others are aliases of it.
                        _ if !is_element => return Result::Elsewhere,
                        _ => {}
                    }
                }
                EventKind::Call(call) if self.drops_temporary(scope, call, acquisition.call, resource) => {
                    return Result::Temporary;
                }
                EventKind::Read(read) => {
                    if let Expr::Subscript(base, index) = facts.expr(read)
                        && self.is_result(scope.expr(base), acquisition.call)
                        && let Expr::Constant(Constant::Int(index)) = facts.expr(index)
                        && let [only] = *resource.elements
                        && i64::from(index) != i64::from(only)
                        && index >= 0
                    {
                        return Result::Temporary;
                    }
                }
                _ => {}
            }
        }
        // `a = b = acquire()`: one of them is as good as the other, but both would have to be followed.
        match names.len() {
            0 => Result::Elsewhere,
            1 => Result::Named(names),
            _ if resource.elements.len() > 1 => Result::Named(names),
            _ => Result::Elsewhere,
        }
    }

    fn is_result(&self, expr: ExprRef, call: CallId) -> bool {
        match self.expr(expr) {
            Expr::Call(other) => other == call,
            Expr::Await(inner) => self.is_result(expr.scope.expr(inner), call),
            _ => false,
        }
    }

    /// A method that does not release is called on the result itself, which has no name: `ThreadPool().map(…)`.
    fn drops_temporary(&self, scope: ScopeRef, call: CallId, acquired: CallId, resource: &Resource) -> bool {
        if !resource.elements.is_empty() || resource.is_path {
            return false;
        }
        match self.expr(scope.expr(self.facts(scope.module).call(call).callee)) {
            Expr::Attribute(base, method) => {
                self.facts(scope.module).expr(base) == Expr::Call(acquired)
                    && !uses::is_releasing_method(resource, method)
            }
            _ => false,
        }
    }

    fn is_own_local(&self, scope: ScopeRef, name: Name) -> bool {
        self.holding_scope(scope, name) == Some(scope)
    }
}

/// Whether a call's keywords say that there will be something to release.
fn is_made_by(facts: &FileFacts, call: &Call, resource: &Resource) -> bool {
    let given = |keyword: Name| {
        let value = facts.keyword_arguments(call).iter().find(|(name, _)| *name == Some(keyword))?.1;
        Some(facts.expr(value))
    };
    let is_wanted = |keyword| {
        given(keyword).is_some_and(|value| !matches!(value, Expr::Constant(Constant::False | Constant::None)))
    };
    resource.if_keyword.is_none_or(is_wanted)
        && resource.if_false.is_none_or(|keyword| given(keyword) == Some(Expr::Constant(Constant::False)))
}

fn first_part(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// How many acquisitions of one function are followed: each may walk all of it.
const MOST_ACQUISITIONS: usize = 50;

/// Where the result of an acquisition goes first.
enum Result {
    Named(Vec<Binding>),
    /// Used at once, and lost.
    Temporary,
    /// Managed, passed, returned or stored.
    Elsewhere,
}

#[derive(Clone, Copy, Debug)]
struct Binding {
    event: EventId,
    name: Name,
}

/// An expression and those that are it under another form: the arms of a conditional, the items of a display.
fn parts_of(program: &Program, expr: ExprRef, with_text: bool, visit: &mut dyn FnMut(ExprId)) {
    let facts = program.facts(expr.scope.module);
    let mut waiting = vec![expr.id];
    // Displays may be tables of thousands.
    for _ in 0..64 {
        let Some(id) = waiting.pop() else { return };
        visit(id);
        match facts.expr(id) {
            Expr::Display(_, run) | Expr::And(run) | Expr::Or(run) | Expr::Conditional(run) => {
                waiting.extend(facts.list(run).iter().take(64));
            }
            Expr::Starred(inner) | Expr::Await(inner) => waiting.push(inner),
            Expr::Format(run) if with_text => waiting.extend(facts.list(run)),
            Expr::Binary(_, left, right) if with_text => waiting.extend([left, right]),
            Expr::Call(call) if with_text && makes_text(facts, facts.call(call).callee) => {
                let call = facts.call(call);
                waiting.extend(facts.arguments(call));
                waiting.push(call.callee);
            }
            Expr::Attribute(base, _) | Expr::Subscript(base, _) if with_text => waiting.push(base),
            _ => {}
        }
    }
}

/// Functions and methods that make a path or text of their arguments.
fn makes_text(facts: &FileFacts, callee: ExprId) -> bool {
    match facts.expr(callee) {
        Expr::Name(name) | Expr::Attribute(_, name) => matches!(
            name.as_str(),
            "join"
                | "joinpath"
                | "abspath"
                | "realpath"
                | "normpath"
                | "resolve"
                | "absolute"
                | "Path"
                | "PurePath"
                | "str"
                | "fspath"
                | "format"
                | "encode"
                | "decode"
                | "replace"
                | "strip"
                | "rstrip"
                | "local"
                | "as_uri"
                | "as_posix"
        ),
        _ => false,
    }
}
