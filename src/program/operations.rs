//! What is done to places: everything that adds to, takes from or hands out what they hold.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::containers::field_factory;
use super::names::Definition;
use super::places::Reach;
use super::{EventRef, ExprRef, FunctionRef, ModuleId, Place, Program, ScopeRef};
use crate::facts::{
    CallId, ComprehensionKind, Constant, DisplayKind, EventId, EventKind, Expr, ExprId, FileFacts, MODULE_SCOPE,
    NOTHING, Operator,
};
use crate::source::{Name, NameSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// `append`, `insert`, `put`: one more item, whatever it is.
    Append,
    /// `extend`, `+=`: more items.
    Extend,
    /// `add`: one more item unless an equal one is there.
    Add,
    /// `x[k] = v`: a new key unless it is there.
    Store,
    /// `setdefault`.
    SetDefault,
    /// `update`, `|=`.
    Update,
    /// A read that inserts, of a `defaultdict`.
    Read,
    /// `pop`, `popleft`, `popitem`, `get` of a queue: one item less.
    Pop,
    /// `get`: of a queue it takes, of a mapping it reads.
    Get,
    /// `remove`, `discard`.
    Remove,
    /// `del x[k]`.
    Delete,
    /// `clear`, `del x[:]`, `x[:] = …`, `difference_update`, …: many items less.
    Clear,
    /// The place is bound to something else.
    Rebind,
    /// Handed to a call as an argument.
    Passed(CallId),
    /// Returned, yielded or stored elsewhere: what others do with it is not seen.
    Escaped,
}

impl OperationKind {
    pub fn is_growth(self) -> bool {
        matches!(
            self,
            Self::Append | Self::Extend | Self::Add | Self::Store | Self::SetDefault | Self::Update | Self::Read
        )
    }

    pub fn is_shrink(self) -> bool {
        matches!(self, Self::Pop | Self::Remove | Self::Delete | Self::Clear | Self::Rebind)
    }

    /// The operation that calling a method of this name on a container is.
    pub fn of_method(name: Name) -> Option<OperationKind> {
        METHODS.get(&name).copied()
    }
}

/// Asked for every call of a program, so names are compared as numbers.
static METHODS: LazyLock<FxHashMap<Name, OperationKind>> = LazyLock::new(|| {
    use OperationKind::*;
    const TABLE: &[(OperationKind, &[&str])] = &[
        (Append, &["append", "appendleft", "insert", "put", "put_nowait", "push"]),
        (Extend, &["extend", "extendleft"]),
        (Add, &["add"]),
        (SetDefault, &["setdefault"]),
        (Update, &["update"]),
        (Pop, &["pop", "popleft", "popitem", "get_nowait"]),
        (Get, &["get"]),
        (Remove, &["remove", "discard"]),
        (Clear, &["clear", "difference_update", "intersection_update", "symmetric_difference_update"]),
    ];
    TABLE.iter().flat_map(|(kind, names)| names.iter().map(|name| (Name::new(name), *kind))).collect()
});

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    pub kind: OperationKind,
    pub place: Place,
    /// 0: on what the place holds; 1: on a value in it; and so on.
    pub level: u8,
    pub event: EventRef,
    /// The key or the item that decides whether the container gets larger; `NOTHING` where there is none.
    pub key: ExprId,
    /// What is stored.
    pub value: ExprId,
    /// The place was reached through another name.
    pub through_alias: bool,
}

/// All operations of the program by the place they touch.
#[derive(Default)]
pub struct Operations {
    by_module: Vec<Box<[Operation]>>,
    /// Where the operations on a place stand in `by_module`, in several tables by the places' hashes.
    by_place: Vec<FxHashMap<Place, Vec<(ModuleId, u32)>>>,
    /// Last names of the places that something is done to.
    names: NameSet,
}

const TABLES: u8 = 8;

fn table_of(place: &Place) -> u8 {
    // The tables themselves use the lowest and the highest bits.
    (FxBuildHasher.hash_one(place) >> 32) as u8 % TABLES
}

/// What the collectors of all modules look for.
pub(super) struct Watched {
    /// Names of what holds a container somewhere.
    names: NameSet,
}

impl Watched {
    pub(super) fn of(program: &Program) -> Watched {
        let makers = container_makers(program);
        let modules: Vec<ModuleId> = program.module_ids().collect();
        let names: NameSet = (modules.par_iter())
            .fold(NameSet::default, |mut names, module| {
                add_held_names(program, *module, &makers, &mut names);
                names
            })
            .reduce(NameSet::default, NameSet::union);
        Watched { names }
    }
}

/// The operations in one module, in the order of lines.
pub(super) fn collect(program: &Program, module: ModuleId, watched: &Watched) -> Part {
    let operations =
        Collector { program, module, tracked: &watched.names, aliases: FxHashSet::default(), found: Vec::new() }.run();
    let tables = operations.iter().map(|operation| table_of(&operation.place)).collect();
    Part { operations, tables }
}

/// What one module adds to [`Operations`].
pub(super) struct Part {
    operations: Box<[Operation]>,
    /// The table that each belongs to.
    tables: Box<[u8]>,
}

impl Operations {
    /// Of the operations of all modules, in their order.
    pub(super) fn of(parts: Vec<Part>) -> Operations {
        let (by_place, names): (Vec<_>, Vec<NameSet>) = (0..TABLES)
            .into_par_iter()
            .map(|table| {
                let all: usize = parts.iter().map(|part| part.operations.len()).sum();
                // Places have two operations and more on an average.
                let expected = all / usize::from(TABLES) / 2;
                let mut by_place: FxHashMap<Place, Vec<(ModuleId, u32)>> =
                    FxHashMap::with_capacity_and_hasher(expected, FxBuildHasher);
                for (module, part) in parts.iter().enumerate() {
                    let module = ModuleId(module as u32);
                    let here = part.tables.iter().enumerate().filter(|(_, its_table)| **its_table == table);
                    for (number, _) in here {
                        let place = part.operations[number].place;
                        by_place.entry(place).or_default().push((module, number as u32));
                    }
                }
                let names = by_place.keys().map(|place| place.name()).collect();
                (by_place, names)
            })
            .unzip();
        let by_module = parts.into_iter().map(|part| part.operations).collect();
        let names = names.into_iter().fold(NameSet::default(), NameSet::union);
        Operations { by_module, by_place, names }
    }

    /// Whether anything may be done to a place of this name; `false` is certain.
    pub fn may_touch(&self, name: Name) -> bool {
        self.names.contains(name)
    }

    /// The operations on a place, in the order of files and lines.
    pub fn on(&self, place: Place) -> impl Iterator<Item = &Operation> {
        let found = self.by_place.get(table_of(&place) as usize).and_then(|table| table.get(&place));
        found.into_iter().flatten().map(|(module, number)| &self.by_module[module.0 as usize][*number as usize])
    }

    /// The operations in a module after an event, in the order of lines.
    pub fn after(&self, event: EventRef) -> &[Operation] {
        let here = self.by_module.get(event.module.0 as usize).map_or(&[][..], |operations| operations);
        &here[here.partition_point(|operation| operation.event.id <= event.id)..]
    }

    /// All operations of the program, in the order of files and lines.
    pub fn all(&self) -> impl Iterator<Item = &Operation> {
        self.by_module.iter().flatten()
    }

    /// The operations in one module, in the order of lines.
    pub fn in_module(&self, module: ModuleId) -> impl Iterator<Item = &Operation> {
        self.by_module.get(module.0 as usize).into_iter().flatten()
    }
}

/// The last names of what makes containers: library constructors and the project's own classes.
fn container_makers(program: &Program) -> NameSet {
    let modules: Vec<ModuleId> = program.module_ids().collect();
    let mut makers: NameSet = (modules.par_iter())
        .fold(NameSet::default, |mut names, module| {
            let own = program.classes_of(*module).filter(|class| program.container_class(*class).is_some());
            names.extend(own.map(|class| program.class(class).name));
            names
        })
        .reduce(NameSet::default, NameSet::union);
    let library = program.models.container_names().map(|path| Name::new(super::types::last_part(path.as_str())));
    makers.extend(library);
    makers
}

/// Names of variables and attributes that hold a container somewhere; only those can escape in a way that matters.
fn add_held_names(program: &Program, module: ModuleId, makers: &NameSet, names: &mut NameSet) {
    let facts = program.facts(module);
    let bound = &program.module(module).index.bound_to_containers;
    names.extend(bound.displays.iter().copied());
    names.extend(bound.calls.iter().filter(|(_, maker)| makers.contains(*maker)).map(|(name, _)| *name));
    for (name, event) in &bound.choices {
        let EventKind::Bind { value, .. } = facts.event(*event).kind else { continue };
        let scope = ScopeRef::new(module, facts.scope_of(facts.event(*event)));
        if program.container_made_by(scope.expr(value)).is_some() {
            names.insert(*name);
        }
    }
    // `def f(found=[])`: one for all calls that give none.
    for function in program.functions_of(module) {
        for parameter in facts.parameters(program.function(function)) {
            let may_be_made = matches!(facts.expr(parameter.default), Expr::Display(..) | Expr::Call(_));
            let default = program.defining_scope(function).expr(parameter.default);
            if may_be_made && program.container_made_by(default).is_some() {
                names.insert(parameter.name);
            }
        }
    }
}

/// What a file's variables and attributes are bound to, where that may be a container.
#[derive(Default)]
pub(super) struct BoundToContainers {
    /// Names bound to a display or comprehension.
    displays: Vec<Name>,
    /// Names bound to the result of a call, with the last name of what is called; an imported name also as its own
    /// module has it.
    calls: Vec<(Name, Name)>,
    /// `name = given or {}`, `name: dict = field(default_factory=dict)`.
    choices: Vec<(Name, EventId)>,
    /// `import name as bound`, as `(bound, name)`.
    renamed: Vec<(Name, Name)>,
}

impl BoundToContainers {
    pub(super) fn begin(facts: &FileFacts) -> BoundToContainers {
        let named = facts.imports.iter().filter_map(|import| Some((import.bound, import.name?)));
        let renamed = named.filter(|(bound, name)| bound != name).collect();
        BoundToContainers { renamed, ..BoundToContainers::default() }
    }

    pub(super) fn add(&mut self, facts: &FileFacts, event: EventId, name: Name, value: ExprId) {
        match facts.expr(value) {
            Expr::Display(kind, _) if kind != DisplayKind::Tuple => self.displays.push(name),
            Expr::Comprehension(kind, _) if kind != ComprehensionKind::Generator => self.displays.push(name),
            Expr::Call(call) if field_factory(facts, facts.call(call)).is_some() => self.choices.push((name, event)),
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Name(maker) => {
                    self.calls.push((name, maker));
                    let meant = self.renamed.iter().filter(|(bound, _)| *bound == maker);
                    self.calls.extend(meant.map(|(_, meant)| (name, *meant)));
                }
                Expr::Attribute(_, maker) => self.calls.push((name, maker)),
                _ => {}
            },
            Expr::Or(_) | Expr::Conditional(_) => self.choices.push((name, event)),
            _ => {}
        }
    }

    pub(super) fn finish(mut self) -> BoundToContainers {
        self.displays.sort_unstable();
        self.displays.dedup();
        self.displays.shrink_to_fit();
        self.calls.sort_unstable();
        self.calls.dedup();
        self.calls.shrink_to_fit();
        self
    }
}

struct Collector<'p> {
    program: &'p Program<'p>,
    module: ModuleId,
    tracked: &'p NameSet,
    /// Local names that a function of the module gives to what is in a tracked attribute: `queue = self.queue`.
    aliases: FxHashSet<Name>,
    found: Vec<Operation>,
}

impl Collector<'_> {
    fn run(mut self) -> Box<[Operation]> {
        let facts = self.program.facts(self.module);
        for (number, event) in facts.events.iter().enumerate() {
            let id = EventId(number as u32);
            let scope = ScopeRef::new(self.module, facts.scope_of(event));
            match event.kind {
                EventKind::Call(call) => self.call(id, scope, call),
                EventKind::Bind { target, value } => {
                    if let (Expr::Name(alias), Expr::Attribute(_, name)) = (facts.expr(target), facts.expr(value))
                        && self.tracked.contains(name)
                    {
                        self.aliases.insert(alias);
                    }
                    self.store(id, scope, target, value);
                    self.escape(id, scope, value);
                }
                EventKind::Augment { target, operator, value } => self.augment(id, scope, target, operator, value),
                EventKind::Delete { target } => {
                    if let Expr::Subscript(base, key) = facts.expr(target) {
                        let kind = match facts.expr(key) {
                            Expr::Slice(_) => OperationKind::Clear,
                            _ => OperationKind::Delete,
                        };
                        self.add(id, kind, scope.expr(base), key, NOTHING);
                    } else {
                        self.add(id, OperationKind::Rebind, scope.expr(target), NOTHING, NOTHING);
                    }
                }
                EventKind::Read(read) => {
                    if let Expr::Subscript(base, key) = facts.expr(read)
                        && self.names_tracked(base)
                    {
                        self.add(id, OperationKind::Read, scope.expr(base), key, NOTHING);
                    }
                }
                EventKind::Return(value) | EventKind::Yield(value) => self.escape(id, scope, value),
                _ => {}
            }
        }
        self.found.into_boxed_slice()
    }

    fn add(&mut self, event: EventId, kind: OperationKind, receiver: ExprRef, key: ExprId, value: ExprId) {
        let may_matter =
            self.may_be_held(receiver.id) || (kind == OperationKind::Rebind && self.may_release(event, value));
        if !may_matter {
            return;
        }
        let Some(reach) = self.lasting_reach(receiver) else { return };
        self.push(event, kind, reach, key, value);
    }

    /// What happens to a function's own locals ends with it; parameters speak of the caller's things, and nested functions
    /// may keep the locals of those around.
    fn lasting_reach(&self, receiver: ExprRef) -> Option<Reach> {
        let reach = self.program.reach(receiver)?;
        match reach.place {
            Place::Local(scope, name)
                if !self.program.is_parameter(scope, name)
                    && self.program.enclosing_function(receiver.scope) == self.program.enclosing_function(scope) =>
            {
                None
            }
            _ => Some(reach),
        }
    }

    fn push(&mut self, event: EventId, kind: OperationKind, reach: Reach, key: ExprId, value: ExprId) {
        let event = EventRef::new(self.module, event);
        self.found.push(Operation {
            kind,
            place: reach.place,
            level: reach.level,
            event,
            key,
            value,
            through_alias: reach.through_alias,
        });
    }

    /// `self.x = None`, `self.x = before` or `del self.x`, where that is no beginning: attributes that hold no container
    /// matter as well where they are given up.
    fn may_release(&self, event: EventId, value: ExprId) -> bool {
        let gives_up = || {
            matches!(
                self.program.facts(self.module).expr(value),
                Expr::Nothing | Expr::Constant(Constant::None) | Expr::Name(_) | Expr::Element(_)
            )
        };
        gives_up()
            && self
                .program
                .event_function(EventRef::new(self.module, event))
                .is_some_and(|function| self.program.function(function).name != self.program.words.init)
    }

    /// An attribute that nothing in the program binds to a container is not worth a question.
    fn may_be_held(&self, receiver: ExprId) -> bool {
        let facts = self.program.facts(self.module);
        match facts.expr(receiver) {
            Expr::Attribute(_, name) => self.tracked.contains(name),
            Expr::Subscript(base, _) | Expr::Element(base) => self.may_be_held(base),
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(base, _) => self.may_be_held(base),
                _ => false,
            },
            _ => true,
        }
    }

    fn call(&mut self, event: EventId, scope: ScopeRef, id: CallId) {
        let facts = self.program.facts(self.module);
        let call = facts.call(id);
        let arguments = facts.arguments(call);
        let first = arguments.first().copied().unwrap_or(NOTHING);
        if let Expr::Attribute(base, method) = facts.expr(call.callee)
            && let Some(kind) = OperationKind::of_method(method)
            && (kind != OperationKind::Get || self.names_tracked(base))
        {
            let (key, value) = match kind {
                OperationKind::SetDefault => (first, arguments.get(1).copied().unwrap_or(NOTHING)),
                OperationKind::Append => (NOTHING, arguments.last().copied().unwrap_or(NOTHING)),
                OperationKind::Add => (first, first),
                OperationKind::Update | OperationKind::Extend => (first, first),
                _ => (first, NOTHING),
            };
            self.add(event, kind, scope.expr(base), key, value);
        }
        for argument in facts.all_arguments(call) {
            // `gather(*self.tasks)` hands over the items, and not what holds them.
            match facts.expr(argument) {
                // `Thread(target=drain, args=(self.queue,))`
                Expr::Display(_, run) => self.escape_in_display(event, scope, facts.list(run)),
                Expr::Name(name) if self.aliases.contains(&name) => self.pass(event, scope, id, argument),
                _ if self.names_tracked(argument) || takes_from_name(facts, argument) => {
                    self.pass(event, scope, id, argument);
                }
                _ => {}
            }
        }
    }

    /// A place as an argument: `heappush(x, item)` adds, `callback=x.discard` removes, else it is handed over.
    fn pass(&mut self, event: EventId, scope: ScopeRef, id: CallId, argument: ExprId) {
        let facts = self.program.facts(self.module);
        if let Expr::Attribute(base, method) = facts.expr(argument)
            && let Some(kind) = OperationKind::of_method(method).filter(|kind| kind.is_shrink())
        {
            // `task.add_done_callback(tasks.discard)`
            self.add(event, kind, scope.expr(base), NOTHING, NOTHING);
            return;
        }
        // Most of what is handed over are a function's own locals, whoever gets them.
        if !self.may_be_held(argument) {
            return;
        }
        let Some(reach) = self.lasting_reach(scope.expr(argument)) else { return };
        let call = facts.call(id);
        let kind = match self.program.resolve(scope.expr(call.callee)) {
            Definition::External(path) => match path.as_str() {
                "heapq.heappush" | "bisect.insort" | "bisect.insort_left" | "bisect.insort_right" => {
                    OperationKind::Append
                }
                "heapq.heappop" => OperationKind::Pop,
                "heapq.heapreplace" | "heapq.heappushpop" => return,
                // A call that neither keeps nor changes its argument says nothing of the place.
                _ if self.program.models.borrows(path).is_some() => return,
                _ => OperationKind::Passed(id),
            },
            _ => OperationKind::Passed(id),
        };
        let value = facts.arguments(call).get(1).copied().unwrap_or(NOTHING);
        self.push(event, kind, reach, NOTHING, value);
    }

    fn store(&mut self, event: EventId, scope: ScopeRef, target: ExprId, value: ExprId) {
        let facts = self.program.facts(self.module);
        match facts.expr(target) {
            Expr::Subscript(base, key) => {
                let kind = match facts.expr(key) {
                    Expr::Slice(_) => OperationKind::Clear,
                    _ => OperationKind::Store,
                };
                self.add(event, kind, scope.expr(base), key, value);
            }
            // A function binds its own local, unless it says otherwise.
            Expr::Name(name) if facts.names[facts.scope(scope.id).globals.range()].contains(&name) => {
                self.rebind(event, scope, target, value);
            }
            Expr::Attribute(..) => self.rebind(event, scope, target, value),
            _ => {}
        }
    }

    /// `X = X + [item]` and `X = {**X, key: value}` add; anything else starts afresh.
    fn rebind(&mut self, event: EventId, scope: ScopeRef, target: ExprId, value: ExprId) {
        let facts = self.program.facts(self.module);
        match facts.expr(value) {
            Expr::Binary(Operator::Add | Operator::BitOr, left, right) if left == target || right == target => {
                let added = if left == target { right } else { left };
                self.add(event, OperationKind::Extend, scope.expr(target), NOTHING, added);
            }
            Expr::Display(_, run) if facts.list(run).iter().any(|item| self.unpacks(*item, target)) => {
                self.add(event, OperationKind::Extend, scope.expr(target), NOTHING, value);
            }
            _ => self.add(event, OperationKind::Rebind, scope.expr(target), NOTHING, value),
        }
    }

    fn unpacks(&self, item: ExprId, target: ExprId) -> bool {
        item == target || matches!(self.program.facts(self.module).expr(item), Expr::Starred(inner) if inner == target)
    }

    fn augment(&mut self, event: EventId, scope: ScopeRef, target: ExprId, operator: Operator, value: ExprId) {
        let facts = self.program.facts(self.module);
        let kind = match operator {
            Operator::Add => OperationKind::Extend,
            Operator::BitOr => OperationKind::Update,
            Operator::Sub | Operator::BitAnd => OperationKind::Clear,
            _ => return,
        };
        // `count[k] += 1` stores under a key; on a local or a place it works on what is there.
        if let Expr::Subscript(base, key) = facts.expr(target) {
            self.add(event, OperationKind::Store, scope.expr(base), key, value);
            // `lists[k] += [item]` adds to the value as well.
            if matches!(facts.expr(value), Expr::Display(..) | Expr::Comprehension(..)) {
                self.add(event, kind, scope.expr(target), value, value);
            }
        } else if !self.is_immutable(value) && !self.counts_from_default(scope, target) {
            self.add(event, kind, scope.expr(target), value, value);
        }
    }

    /// `+=` of a number or a string makes a new value.
    fn is_immutable(&self, value: ExprId) -> bool {
        let facts = self.program.facts(self.module);
        match facts.expr(value) {
            Expr::Constant(_) | Expr::Format(_) => true,
            Expr::Binary(Operator::Add | Operator::Mod, left, right) => {
                self.is_immutable(left) || self.is_immutable(right)
            }
            Expr::Call(call) => match facts.expr(facts.call(call).callee) {
                Expr::Attribute(_, method) => {
                    matches!(method.as_str(), "format" | "join" | "encode" | "decode" | "hexdigest")
                }
                Expr::Name(name) => matches!(name.as_str(), "str" | "repr" | "len" | "int" | "float" | "bytes"),
                _ => false,
            },
            _ => false,
        }
    }

    /// `count = counts.get(key, 0)`, then `count += n`: the default says that the values are numbers or strings.
    fn counts_from_default(&self, scope: ScopeRef, target: ExprId) -> bool {
        let facts = self.program.facts(self.module);
        let Expr::Name(name) = facts.expr(target) else { return false };
        let Some(holder) = self.program.holding_scope(scope, name) else { return false };
        let (values, _) = self.program.bound_values(holder, name);
        values.iter().any(|(_, value)| match self.program.expr(*value) {
            Expr::Call(call) if value.scope.module == self.module => {
                facts.arguments(facts.call(call)).get(1).is_some_and(|default| self.is_immutable(*default))
            }
            _ => false,
        })
    }

    /// A tracked name as a value that goes elsewhere.
    fn escape(&mut self, event: EventId, scope: ScopeRef, value: ExprId) {
        let facts = self.program.facts(self.module);
        match facts.expr(value) {
            // `artist._remove_method = self.artists.remove`: whoever has it removes.
            Expr::Attribute(base, method)
                if OperationKind::of_method(method).is_some_and(OperationKind::is_shrink)
                    && self.names_tracked(base) =>
            {
                let kind = OperationKind::of_method(method).unwrap_or(OperationKind::Remove);
                self.add(event, kind, scope.expr(base), NOTHING, NOTHING);
            }
            Expr::Name(_) | Expr::Attribute(..) if self.names_tracked(value) => {
                // `items = self.items` only gives it another name, which `reach` sees through.
                if let EventKind::Bind { target, .. } = facts.event(event).kind
                    && matches!(facts.expr(target), Expr::Name(name) if self.program.holding_scope(scope, name).is_some_and(|holder| holder.id != MODULE_SCOPE))
                {
                    return;
                }
                self.add(event, OperationKind::Escaped, scope.expr(value), NOTHING, NOTHING);
            }
            Expr::Display(_, run) => self.escape_in_display(event, scope, facts.list(run)),
            _ => {}
        }
    }

    fn escape_in_display(&mut self, event: EventId, scope: ScopeRef, items: &[ExprId]) {
        for item in items {
            if self.names_tracked(*item) {
                self.add(event, OperationKind::Escaped, scope.expr(*item), NOTHING, NOTHING);
            }
        }
    }

    fn names_tracked(&self, expr: ExprId) -> bool {
        let facts = self.program.facts(self.module);
        match facts.expr(expr) {
            Expr::Name(name) => self.tracked.contains(name),
            Expr::Attribute(base, name) => {
                self.tracked.contains(name)
                    || (OperationKind::of_method(name).is_some_and(OperationKind::is_shrink)
                        && self.names_tracked(base))
            }
            _ => false,
        }
    }
}

/// `parameter.discard`: what a parameter holds has a name of its own where it is passed.
fn takes_from_name(facts: &FileFacts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), Expr::Attribute(base, method)
        if matches!(facts.expr(base), Expr::Name(_)) && OperationKind::of_method(method).is_some_and(OperationKind::is_shrink))
}

impl Program<'_> {
    /// The operations on a parameter inside a function: what passing a place to it does to the place.
    pub fn operations_on_parameter(&self, function: FunctionRef, parameter: Name) -> impl Iterator<Item = &Operation> {
        self.operations.on(Place::Local(self.function_scope(function), parameter))
    }
}
