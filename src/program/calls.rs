//! Who calls whom, asked from the callee's side.
//!
//! Calls are indexed by the last name of what they call; a question about one function looks at the calls under its
//! name and keeps those that resolve to it. A call on an object of unknown type that only has the right name is
//! kept apart as possible: it can excuse but not accuse.

use std::hash::Hash;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::names::Definition;
use super::types::{Type, last_part};
use super::{ClassRef, EventRef, ExprRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{CallId, EventId, EventKind, Expr, ExprId, FunctionId, Parameter, ParameterKind, ScopeId};
use crate::source::{Name, NameFilter, NameSet};

#[derive(Default)]
pub struct CallIndex {
    /// By the called name.
    calls: ByName<IndexedCall>,
    /// Functions named as values (arguments, decorators, returned, stored).
    mentions: ByName<(EventRef, ExprId)>,
    /// What each of `calls` runs, as far as it was asked: functions of one name share its calls.
    called: Vec<AtomicU64>,
    /// Answers of [`Program::callers`]: the same function is asked about from many places.
    callers: Answers<FunctionRef, Arc<[CallSite]>>,
    /// Likewise of [`Program::instantiations`].
    instantiations: Answers<ClassRef, Arc<[CallSite]>>,
    /// Likewise of [`Program::mentions`].
    mentioned: Answers<Definition, Arc<[Mention]>>,
}

/// What was asked for before.
pub(super) struct Answers<K, T>(Mutex<FxHashMap<K, T>>);

impl<K, T> Default for Answers<K, T> {
    fn default() -> Self {
        Answers(Mutex::default())
    }
}

impl<K: Eq + Hash, T: Clone> Answers<K, T> {
    pub(super) fn known(&self, key: &K) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn get(&self, key: K, find: impl FnOnce(&K) -> T) -> T {
        if let Some(answer) = self.known(&key) {
            return answer;
        }
        // Found without the lock: one answer asks for others.
        let answer = find(&key);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer.clone());
        answer
    }
}

/// What a call runs, as one number in [`CallIndex::called`].
mod called {
    use super::{FunctionId, FunctionRef, ModuleId};

    pub const NOT_ASKED: u64 = 0;
    /// No function that is known.
    pub const NOT_KNOWN: u64 = 1;
    /// Not known, and it may be any method of the name.
    pub const ANY_OF_THE_NAME: u64 = 2;
    /// Not known, and no method of the name.
    pub const NONE_OF_THE_NAME: u64 = 3;
    /// The first function of the first module.
    pub const FIRST: u64 = 1 << 32;

    pub fn number_of(function: FunctionRef) -> u64 {
        FIRST + (u64::from(function.module.0) << 32) + u64::from(function.id.0)
    }

    pub fn function_of(number: u64) -> FunctionRef {
        FunctionRef::new(ModuleId(((number - FIRST) >> 32) as u32), FunctionId(number as u32))
    }
}

/// Entries grouped by name, within a name in the order of modules and lines: a counting sort, since names are small
/// numbers and there are as many entries as calls in the program.
struct ByName<T> {
    /// Where each name's entries begin; one more for the end.
    starts: Vec<u32>,
    entries: Vec<T>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        ByName { starts: Vec::new(), entries: Vec::new() }
    }
}

impl<T: Copy> ByName<T> {
    fn group(parts: &[Vec<(Name, T)>]) -> ByName<T> {
        let all = || parts.iter().flatten();
        let Some((_, first)) = all().next() else { return ByName::default() };
        let largest = all().map(|(name, _)| name.index()).max().unwrap_or(0);
        let mut starts = vec![0_u32; largest + 2];
        for (name, _) in all() {
            starts[name.index() + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut entries = vec![*first; starts[largest + 1] as usize];
        let mut next = starts.clone();
        for (name, entry) in all() {
            let place = &mut next[name.index()];
            entries[*place as usize] = *entry;
            *place += 1;
        }
        ByName { starts, entries }
    }

    fn of(&self, name: Name) -> &[T] {
        &self.entries[self.range(name)]
    }

    /// Where the entries of a name lie.
    fn range(&self, name: Name) -> Range<usize> {
        match self.starts.get(name.index()..name.index() + 2) {
            Some([start, end]) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }
}

/// A call with what is asked of it first: its module's facts are far away by then.
#[derive(Clone, Copy)]
struct IndexedCall {
    module: ModuleId,
    call: CallId,
    event: EventId,
    scope: ScopeId,
    callee: ExprId,
}

impl IndexedCall {
    fn callee(self) -> ExprRef {
        ScopeRef::new(self.module, self.scope).expr(self.callee)
    }

    fn site(self, is_certain: bool) -> CallSite {
        let event = EventRef::new(self.module, self.event);
        CallSite { module: self.module, call: self.call, event, is_certain }
    }
}

/// What one module adds to the index.
#[derive(Default)]
pub(super) struct Part {
    calls: Vec<(Name, IndexedCall)>,
    mentions: Vec<(Name, (EventRef, ExprId))>,
}

/// A call of a project function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    pub module: ModuleId,
    pub call: CallId,
    pub event: EventRef,
    /// The callee resolves to the function; otherwise it only has its name.
    pub is_certain: bool,
}

/// A function used as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    pub event: EventRef,
    pub expr: ExprRef,
}

/// The names under which calls and mentions are kept: those of the program's functions and classes, which are `declared`,
/// and of what models call registries and thread-locals.
pub(super) fn names_to_index(program: &Program, declared: NameSet) -> NameSet {
    let mut names = declared;
    names.insert(Name::new(CACHE_CLEAR));
    let library = program.models.registry_names().chain(program.models.thread_local_names());
    names.extend(library.map(|path| Name::new(last_part(path.as_str()))));
    names
}

impl CallIndex {
    /// Of the parts of all modules, in their order.
    pub(super) fn of(parts: Vec<Part>) -> CallIndex {
        let (calls, mentions): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.calls, part.mentions)).unzip();
        let (calls, mentions) = rayon::join(|| ByName::group(&calls), || ByName::group(&mentions));
        let called = calls.entries.iter().map(|_| AtomicU64::new(called::NOT_ASKED)).collect();
        CallIndex { calls, mentions, called, ..CallIndex::default() }
    }

    fn calls_named(&self, name: Name) -> &[IndexedCall] {
        self.calls.of(name)
    }

    fn mentions_of(&self, name: Name) -> &[(EventRef, ExprId)] {
        self.mentions.of(name)
    }
}

pub(super) fn index_module(program: &Program, module: ModuleId, names: &NameSet) -> Part {
    let facts = program.facts(module);
    let renamed: FxHashMap<Name, Name> = facts
        .imports
        .iter()
        .filter_map(|import| Some((import.bound, import.name.filter(|name| *name != import.bound)?)))
        .collect();
    // `try: from fast import run`, `except ImportError: from slow import walk as run`: one name for either.
    let kept: FxHashSet<Name> = (facts.imports.iter())
        .filter(|import| renamed.contains_key(&import.bound) && import.name.is_none_or(|name| name == import.bound))
        .map(|import| import.bound)
        .collect();
    // Most names go by themselves.
    let mut other_names = NameFilter::with_bits(renamed.len() * 16);
    renamed.keys().for_each(|name| other_names.insert(*name));
    // The names under which what an expression names is kept.
    let names_of = |expr: ExprId| {
        let (name, renamed) = match facts.expr(expr) {
            Expr::Name(name) if other_names.may_contain(name) => match renamed.get(&name) {
                Some(meant) => (Some(*meant), kept.get(&name).copied()),
                None => (Some(name), None),
            },
            Expr::Name(name) | Expr::Attribute(_, name) => (Some(name), None),
            _ => (None, None),
        };
        [name, renamed].into_iter().flatten().filter(|name| names.contains(*name))
    };
    let mut index = Part::default();
    let mut mention = |event: u32, expr: ExprId| {
        for name in names_of(expr) {
            index.mentions.push((name, (EventRef::new(module, EventId(event)), expr)));
        }
    };
    for (number, event) in facts.events.iter().enumerate() {
        let number = number as u32;
        let mut values = |value: ExprId| match facts.expr(value) {
            Expr::Display(_, run) => facts.list(run).iter().for_each(|item| mention(number, *item)),
            _ => mention(number, value),
        };
        match event.kind {
            EventKind::Call(id) => {
                let call = facts.call(id);
                facts.arguments(call).iter().for_each(|argument| values(*argument));
                facts.keyword_arguments(call).iter().for_each(|(_, argument)| values(*argument));
            }
            EventKind::Bind { value, .. } | EventKind::Return(value) | EventKind::Yield(value) => values(value),
            EventKind::Define(function) => {
                facts.list(facts.function(function).decorators).iter().for_each(|decorator| values(*decorator));
            }
            EventKind::DefineClass(class) => {
                facts.list(facts.class(class).decorators).iter().for_each(|decorator| values(*decorator));
            }
            _ => {}
        }
    }
    for (number, call) in facts.calls.iter().enumerate() {
        for name in names_of(call.callee) {
            let scope = facts.scope_of(facts.event(call.event));
            let (call, event, callee) = (CallId(number as u32), call.event, call.callee);
            index.calls.push((name, IndexedCall { module, call, event, scope, callee }));
        }
    }
    index
}

/// A library's method that is asked about like a project's own.
const CACHE_CLEAR: &str = "cache_clear";

/// How many calls of one name are looked at; a name with more is too common to say anything.
const MOST_CALLS: usize = 200;

impl Program<'_> {
    /// The project function that a call runs, where that is known; a class's `__init__` for a class.
    pub fn callee(&self, scope: ScopeRef, call: CallId) -> Option<FunctionRef> {
        self.function_called(scope.expr(self.facts(scope.module).call(call).callee))
    }

    /// The same, by what is called.
    fn function_called(&self, callee: ExprRef) -> Option<FunctionRef> {
        match self.resolve(callee) {
            Definition::Function(function) => return Some(function),
            Definition::Class(class) => return self.method(class, self.words.init),
            Definition::External(_) => return None,
            _ => {}
        }
        let Expr::Attribute(base, method) = self.expr(callee) else { return None };
        let base = callee.scope.expr(base);
        if self.is_super_call(base) {
            let function = self.enclosing_function(callee.scope)?;
            let class = self.class_of_method(function)?;
            return self.mro(class).get(1..)?.iter().find_map(|ancestor| self.method(*ancestor, method));
        }
        match self.type_of(base) {
            Type::Instance(class) | Type::Class(class) => self.method(class, method),
            _ => None,
        }
    }

    /// Every call that may run a function.
    pub fn callers(&self, function: FunctionRef) -> Arc<[CallSite]> {
        self.calls.callers.get(function, |function| self.find_callers(*function).into())
    }

    fn find_callers(&self, function: FunctionRef) -> Vec<CallSite> {
        let name = self.function(function).name;
        if name == self.words.init
            && let Some(class) = self.class_of_method(function)
        {
            let mut sites = self.instantiations(class).to_vec();
            for subclass in self.subclasses(class) {
                if self.method(*subclass, name) == Some(function) {
                    sites.extend(self.instantiations(*subclass).iter().copied());
                }
            }
            sites.extend(self.named_calls(function, name).filter(|site| site.is_certain));
            return sites;
        }
        self.named_calls(function, name).collect()
    }

    /// The calls under a function's name that may run it; the constructor's are under the name of its class.
    pub fn named_calls(&self, function: FunctionRef, name: Name) -> impl Iterator<Item = CallSite> {
        let is_own_method = self.class_of_method(function).is_some();
        let is_method = is_own_method && !is_builtin_method(name.as_str());
        let own = called::number_of(function);
        let range = self.calls.calls.range(name);
        range.take(MOST_CALLS).filter_map(move |index| {
            let call = self.calls.calls.entries[index];
            let number = self.called(index);
            if number == called::NONE_OF_THE_NAME || number < called::FIRST && !is_method {
                return None;
            }
            // Functions of one name may be many, and most of its calls are of others.
            let is_certain = number == own
                || number >= called::FIRST && {
                    // `Base.method(self)` names the one it means.
                    let overrides = is_own_method && self.overrides(function, called::function_of(number));
                    overrides && !self.names_class(call.callee()) && !self.is_exact(call.callee())
                };
            // A method called on something of unknown type.
            let is_meant = is_certain || number < called::FIRST && self.may_be_any(index, name);
            is_meant.then(|| call.site(is_certain))
        })
    }

    /// What an indexed call runs.
    fn called(&self, index: usize) -> u64 {
        let known = &self.calls.called[index];
        let number = known.load(Ordering::Relaxed);
        if number != called::NOT_ASKED {
            return number;
        }
        let callee = self.function_called(self.calls.calls.entries[index].callee());
        let number = callee.map_or(called::NOT_KNOWN, called::number_of);
        known.store(number, Ordering::Relaxed);
        number
    }

    /// Whether an indexed call of no known function may run any method of the name that it is indexed by.
    fn may_be_any(&self, index: usize, name: Name) -> bool {
        let known = &self.calls.called[index];
        match known.load(Ordering::Relaxed) {
            called::ANY_OF_THE_NAME => return true,
            called::NONE_OF_THE_NAME => return false,
            _ => {}
        }
        let callee = self.calls.calls.entries[index].callee();
        let may_be = match self.expr(callee) {
            Expr::Attribute(base, _) => match self.type_of(callee.scope.expr(base)) {
                Type::Unknown => !matches!(self.resolve(callee), Definition::External(_)),
                // A mixin calls what it expects of the class that it is mixed into.
                Type::Instance(class) => self.method(class, name).is_none(),
                _ => false,
            },
            _ => false,
        };
        let number = if may_be { called::ANY_OF_THE_NAME } else { called::NONE_OF_THE_NAME };
        known.store(number, Ordering::Relaxed);
        may_be
    }

    fn names_class(&self, callee: ExprRef) -> bool {
        match self.expr(callee) {
            Expr::Attribute(base, _) => {
                let base = callee.scope.expr(base);
                self.is_super_call(base) || matches!(self.resolve(base), Definition::Class(_))
            }
            _ => false,
        }
    }

    /// The object was made before your eyes, so no class derived from its own can be meant.
    fn is_exact(&self, callee: ExprRef) -> bool {
        let scope = callee.scope;
        let Expr::Attribute(base, _) = self.expr(callee) else { return false };
        let Expr::Name(name) = self.expr(scope.expr(base)) else { return false };
        let Some(holder) = self.holding_scope(scope, name).filter(|holder| !self.is_parameter(*holder, name)) else {
            return false;
        };
        let (values, complete) = self.bound_values(holder, name);
        complete && !values.is_empty() && values.iter().all(|(_, value)| self.instantiated_class(*value).is_some())
    }

    /// A call of the inherited method may run the one that overrides it.
    fn overrides(&self, function: FunctionRef, callee: FunctionRef) -> bool {
        let (Some(class), Some(base)) = (self.class_of_method(function), self.class_of_method(callee)) else {
            return false;
        };
        self.function(function).name == self.function(callee).name && self.mro(class).contains(&base)
    }

    /// All calls under these names, imports under another name undone, in the order of files and lines: of functions
    /// and classes of the project, and of what models call registries and thread-locals.
    pub(super) fn calls_under(&self, names: &NameSet) -> Vec<(ModuleId, CallId)> {
        let indexed = names.iter().flat_map(|name| self.calls.calls_named(name));
        let mut calls: Vec<(ModuleId, CallId)> = indexed.map(|indexed| (indexed.module, indexed.call)).collect();
        calls.sort_unstable();
        calls
    }

    /// Where something of this name is used as a value.
    pub(super) fn mentions_under(&self, name: Name) -> &[(EventRef, ExprId)] {
        self.calls.mentions_of(name)
    }

    /// Every `function.cache_clear`, called or handed on.
    pub fn cache_clears(&self) -> Vec<(EventRef, ExprRef)> {
        let name = Name::new(CACHE_CLEAR);
        let called = self.calls.calls_named(name).iter().map(|call| (call.site(true).event, call.callee()));
        let handed = self.calls.mentions_of(name).iter();
        called.chain(handed.map(|(event, expr)| (*event, self.event_scope(*event).expr(*expr)))).collect()
    }

    /// Every call that makes an instance of exactly this class.
    pub fn instantiations(&self, class: ClassRef) -> Arc<[CallSite]> {
        self.calls.instantiations.get(class, |class| self.find_instantiations(*class).into())
    }

    fn find_instantiations(&self, class: ClassRef) -> Vec<CallSite> {
        let mut sites = Vec::new();
        let calls = self.calls.calls_named(self.class(class).name).iter().take(MOST_CALLS);
        sites.extend(
            calls.filter(|call| self.resolve(call.callee()) == Definition::Class(class)).map(|call| call.site(true)),
        );
        // `cls(…)` in a class method.
        for method in self.own_methods(class).filter(|method| self.is_class_method(*method)) {
            let Some(receiver) = self.receiver(method) else { continue };
            let facts = self.facts(method.module);
            for (id, event) in facts.scope_events(self.function(method).scope) {
                if let EventKind::Call(call) = event.kind
                    && matches!(facts.expr(facts.call(call).callee), Expr::Name(name) if name == receiver.name)
                {
                    let event = EventRef::new(method.module, id);
                    sites.push(CallSite { module: method.module, call, event, is_certain: true });
                }
            }
        }
        sites
    }

    /// Where a function or class is used as a value.
    pub fn mentions(&self, definition: Definition) -> Arc<[Mention]> {
        self.calls.mentioned.get(definition, |definition| self.find_mentions(*definition).into())
    }

    fn find_mentions(&self, definition: Definition) -> Vec<Mention> {
        let name = match definition {
            Definition::Function(function) => self.function(function).name,
            Definition::Class(class) => self.class(class).name,
            _ => return Vec::new(),
        };
        let mut found = Vec::new();
        for (event, expr) in self.calls.mentions_of(name).iter().take(MOST_CALLS) {
            let expr = self.event_scope(*event).expr(*expr);
            let same = match self.resolve(expr) {
                Definition::Unknown => self.bound_method(expr).map(Definition::Function) == Some(definition),
                resolved => resolved == definition,
            };
            if same {
                found.push(Mention { event: *event, expr });
            }
        }
        found
    }

    /// The method that `self.method` or `obj.method` is, as a value.
    pub fn bound_method(&self, expr: ExprRef) -> Option<FunctionRef> {
        let Expr::Attribute(base, name) = self.expr(expr) else { return None };
        let base = expr.scope.expr(base);
        match self.type_of(base) {
            Type::Instance(class) | Type::Class(class) => self.method(class, name),
            _ => self.class_expression(base).and_then(|class| self.method(class, name)),
        }
    }

    /// What a call gives for a parameter; `None` where it is left to the default or lost in `*args`.
    pub fn argument_for(&self, site: CallSite, function: FunctionRef, parameter: Name) -> Option<ExprRef> {
        let facts = self.facts(site.module);
        let call = facts.call(site.call);
        let scope = self.event_scope(site.event);
        if let Some((_, value)) = facts.keyword_arguments(call).iter().find(|(name, _)| *name == Some(parameter)) {
            return Some(scope.expr(*value));
        }
        let declared = self.facts(function.module).parameters(self.function(function));
        let position = self.positional(declared).position(|declared| declared.name == parameter)?;
        let skipped = usize::from(self.binds_receiver(site, function));
        let position = position.checked_sub(skipped)?;
        let arguments = facts.arguments(call);
        if arguments.iter().take(position + 1).any(|argument| matches!(facts.expr(*argument), Expr::Starred(_))) {
            return None;
        }
        arguments.get(position).map(|id| scope.expr(*id))
    }

    /// The parameter that a call's argument goes to.
    pub fn parameter_for(&self, site: CallSite, function: FunctionRef, argument: ExprRef) -> Option<Name> {
        let declared = self.facts(function.module).parameters(self.function(function));
        declared
            .iter()
            .map(|parameter| parameter.name)
            .find(|parameter| self.argument_for(site, function, *parameter) == Some(argument))
    }

    fn positional<'a>(&self, declared: &'a [Parameter]) -> impl Iterator<Item = &'a Parameter> {
        declared.iter().filter(|p| matches!(p.kind, ParameterKind::PositionalOnly | ParameterKind::Positional))
    }

    /// Whether the call itself supplies `self` or `cls`.
    fn binds_receiver(&self, site: CallSite, function: FunctionRef) -> bool {
        let Some(receiver) = self.receiver(function) else { return false };
        let scope = self.event_scope(site.event);
        let callee = scope.expr(self.facts(site.module).call(site.call).callee);
        match self.resolve(callee) {
            // `Class.method(obj, …)` hands the receiver over itself, `Class(…)` and class methods do not.
            Definition::Function(_) => receiver.is_class,
            _ => true,
        }
    }

    /// The call of a call event.
    pub fn call_site(&self, event: EventRef) -> Option<CallSite> {
        match self.facts(event.module).event(event.id).kind {
            EventKind::Call(call) => Some(CallSite { module: event.module, call, event, is_certain: true }),
            _ => None,
        }
    }

    pub fn is_module_level(&self, event: EventRef) -> bool {
        self.event_function(event).is_none()
    }

    /// The class whose instances a constructor call makes.
    pub fn instantiated_class(&self, expr: ExprRef) -> Option<ClassRef> {
        match self.type_of(expr) {
            Type::Instance(class) if matches!(self.expr(expr), Expr::Call(_)) => Some(class),
            _ => None,
        }
    }
}

/// Methods of built-in types: a call of one on an object of unknown type says nothing.
fn is_builtin_method(name: &str) -> bool {
    matches!(
        name,
        "append"
            | "add"
            | "update"
            | "get"
            | "pop"
            | "items"
            | "keys"
            | "values"
            | "setdefault"
            | "remove"
            | "discard"
            | "clear"
            | "extend"
            | "insert"
            | "copy"
            | "index"
            | "count"
            | "sort"
            | "reverse"
            | "join"
            | "split"
            | "format"
            | "replace"
            | "read"
            | "write"
            | "close"
            | "readline"
            | "seek"
            | "flush"
            | "strip"
            | "encode"
            | "decode"
            | "startswith"
            | "endswith"
            | "lower"
            | "upper"
            | "register"
            | "put"
            | "__new__"
            | "__init__"
    )
}
