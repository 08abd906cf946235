//! Where a file binds its names, and which of its scopes hold a name.
//!
//! Every question of what a name means comes through here, about a module that the processor has long forgotten. So the
//! tables are laid out for few steps through memory: what the module itself binds is found by one hash, and most names
//! are told by a few bits from those that a function or class may have of its own.

use crate::facts::{EventId, EventKind, FileFacts, MODULE_SCOPE, ScopeId, ScopeKind};
use crate::source::{Name, NameFilter};

/// A binding of a plain name: the scope that holds the name, the name, and what binds it.
pub(super) type Binding = (ScopeId, Name, EventId);

type Sorted = Box<[(Name, EventId)]>;

pub(super) struct Bindings {
    /// By the scope that holds the name, those of the module first, sorted within each.
    sorted: Sorted,
    /// Where those of each scope begin; one more for the end.
    starts: Box<[u32]>,
    /// Where in `sorted` those of each name of the module's scope begin: a table by hash, at most four fifths full, that is
    /// searched onwards from a name's own place.
    of_module: Box<[(Name, u32)]>,
    /// Names that other scopes hold, or declare to be the module's.
    inner: NameFilter,
    /// Names under which other scopes hold a function, a class or something imported.
    inner_definitions: NameFilter,
}

/// What stands in `of_module` where there is no name.
const EMPTY: u32 = u32::MAX;

/// So many bits for each name in a filter let few others through.
const BITS_FOR_EACH: usize = 8;

impl Bindings {
    pub fn of(facts: &FileFacts, bindings: &[Binding]) -> Bindings {
        let (sorted, starts) = by_scope(facts, bindings);
        let of_module =
            by_name(&sorted[..starts[1] as usize], &facts.names[facts.scope(MODULE_SCOPE).bindings.range()]);
        let inner_scopes = &facts.scopes[1..];
        let inner_names: usize = inner_scopes.iter().map(|scope| scope.bindings.len as usize).sum();
        let mut inner = NameFilter::with_bits(inner_names * BITS_FOR_EACH);
        for scope in inner_scopes {
            facts.names[scope.bindings.range()].iter().for_each(|name| inner.insert(*name));
        }
        for scope in facts.scopes.iter().filter(|scope| scope.globals.len > 0) {
            facts.names[scope.globals.range()].iter().for_each(|name| inner.insert(*name));
        }
        let is_definition = |binding: &&Binding| {
            let (scope, _, event) = **binding;
            let kind = facts.event(event).kind;
            let defines = matches!(kind, EventKind::Import(_) | EventKind::Define(_) | EventKind::DefineClass(_));
            scope != MODULE_SCOPE && defines
        };
        let definitions = bindings.iter().filter(is_definition);
        let mut inner_definitions = NameFilter::with_bits(definitions.clone().count() * BITS_FOR_EACH);
        definitions.for_each(|(_, name, _)| inner_definitions.insert(*name));
        Bindings { sorted, starts, of_module, inner, inner_definitions }
    }

    /// The events that bind a name in the scope that holds it, in source order.
    pub fn of_name(&self, scope: ScopeId, name: Name) -> impl Iterator<Item = EventId> + Clone {
        let end = self.starts[scope.index() + 1] as usize;
        let start = match scope {
            MODULE_SCOPE => self.place_in_module(name).map_or(end, |start| start as usize),
            _ => {
                let start = self.starts[scope.index()] as usize;
                start + self.sorted[start..end].partition_point(|(other, _)| *other < name)
            }
        };
        self.sorted[start..end].iter().take_while(move |(other, _)| *other == name).map(|(_, event)| *event)
    }

    /// Whether the module's scope holds a name: a function may have bound it there, by `global`.
    pub fn module_holds(&self, name: Name) -> bool {
        self.place_in_module(name).is_some()
    }

    /// Whether a scope other than the module's may hold a name or say whose it is; `false` is certain.
    pub fn may_be_inner(&self, name: Name) -> bool {
        self.inner.may_contain(name)
    }

    /// Whether a scope other than the module's may hold a function, a class or something imported under a name; `false`
    /// is certain.
    pub fn may_be_defined_inside(&self, name: Name) -> bool {
        self.inner_definitions.may_contain(name)
    }

    fn place_in_module(&self, name: Name) -> Option<u32> {
        if self.of_module.is_empty() {
            return None;
        }
        let mut slot = slot_of(name, self.of_module.len());
        loop {
            match self.of_module[slot] {
                (_, EMPTY) => return None,
                (known, place) if known == name => return Some(place),
                _ => slot = (slot + 1) & (self.of_module.len() - 1),
            }
        }
    }
}

/// The bindings sorted within their scopes, and where those of each scope begin.
fn by_scope(facts: &FileFacts, bindings: &[Binding]) -> (Sorted, Box<[u32]>) {
    let mut starts = vec![0; facts.scopes.len() + 1].into_boxed_slice();
    for (scope, ..) in bindings {
        starts[scope.index() + 1] += 1;
    }
    for scope in 1..starts.len() {
        starts[scope] += starts[scope - 1];
    }
    let mut next = starts.clone();
    let mut sorted: Box<[_]> = bindings.iter().map(|(_, name, event)| (*name, *event)).collect();
    for (scope, name, event) in bindings {
        let place = &mut next[scope.index()];
        sorted[*place as usize] = (*name, *event);
        *place += 1;
    }
    for scope in starts.windows(2) {
        sorted[scope[0] as usize..scope[1] as usize].sort_unstable();
    }
    (sorted, starts)
}

/// The table of the names that are bound, and of those besides that have no binding event.
fn by_name(sorted: &[(Name, EventId)], names: &[Name]) -> Box<[(Name, u32)]> {
    let Some(any) = sorted.first().map(|(name, _)| name).or(names.first()) else { return Box::default() };
    let groups = sorted.chunk_by(|one, other| one.0 == other.0);
    // Both are sorted, and nearly all names are in both.
    let mut others = names.iter().peekable();
    let mut count = names.len();
    for group in groups.clone() {
        while others.next_if(|name| **name < group[0].0).is_some() {}
        count += usize::from(others.next_if_eq(&&group[0].0).is_none());
    }
    // What is free ends a search, and keeps most of them short.
    let size = (count + count / 4 + 1).next_power_of_two();
    let mut table = vec![(*any, EMPTY); size].into_boxed_slice();
    let mut insert = |name: Name, place: usize| {
        let mut slot = slot_of(name, size);
        while table[slot].1 != EMPTY {
            if table[slot].0 == name {
                return;
            }
            slot = (slot + 1) & (size - 1);
        }
        table[slot] = (name, place as u32);
    };
    let mut place = 0;
    for group in groups {
        insert(group[0].0, place);
        place += group.len();
    }
    names.iter().for_each(|name| insert(*name, sorted.len()));
    table
}

/// Where a name's search begins in a table of a power of two of places: Fibonacci hashing spreads neighbouring numbers.
fn slot_of(name: Name, size: usize) -> usize {
    let hash = (name.index() as u32).wrapping_mul(0x9e37_79b9);
    ((u64::from(hash) * size as u64) >> 32) as usize
}

/// The scope that holds a name bound in `scope`: `global` and `nonlocal` declarations move it outwards, and a
/// walrus in a comprehension binds outside of it.
pub(super) fn holder_of(facts: &FileFacts, mut scope: ScopeId, name: Name) -> ScopeId {
    loop {
        let here = facts.scope(scope);
        // Most scopes hold all that is bound in them.
        if here.globals.len == 0 && here.nonlocals.len == 0 && here.kind != ScopeKind::Comprehension {
            return scope;
        }
        if facts.names[here.globals.range()].contains(&name) {
            return MODULE_SCOPE;
        }
        let moves_out = facts.names[here.nonlocals.range()].contains(&name) || !facts.binds(scope, name);
        if !moves_out || here.parent == scope {
            return scope;
        }
        scope = here.parent;
    }
}
