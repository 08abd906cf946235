//! What is known of libraries: one table from a dotted name to what calling, decorating with or deriving from it means.
//!
//! A rule that needs a library's behaviour spelled out in code would need a release for every missing function, so
//! the knowledge is data in `rules/models/*.toml`, and users' own entries come through the same loader. Every
//! built-in entry carries a snippet that must give a finding and a look-alike that must not; a test runs them.

mod load;
pub mod mistakes;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::source::Name;

pub use load::{Mistake, ModelError, Tables};

/// All that is known, by the dotted name that an import would give (`functools.lru_cache`, `flask.Flask.route`).
/// Built-in functions and types have plain names (`dict`, `len`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Models {
    caches: FxHashMap<Name, Cache>,
    containers: FxHashMap<Name, Container>,
    origins: FxHashMap<Name, Origin>,
    weak: FxHashMap<Name, Weak>,
    keeps: FxHashMap<Name, Keeps>,
    repeats: FxHashMap<Name, Registration>,
    once: FxHashMap<Name, Registration>,
    calls: FxHashMap<Name, Calls>,
    borrows: FxHashMap<Name, Borrows>,
    waits: FxHashMap<Name, Waits>,
    registries: FxHashMap<Name, Registry>,
    thread_locals: FxHashMap<Name, ThreadLocal>,
    resources: FxHashMap<Name, Resource>,
    pub examples: Vec<Example>,
}

/// A parameter of a library function: where an argument for it is to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    pub keyword: Name,
    /// Where it may also be given by position, counted without `self`.
    pub position: Option<u32>,
}

/// A decorator, or a callable that wraps a function, that remembers results by arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// What bounds it; `None` there always means no bound.
    pub bound: Option<Argument>,
    pub bound_is: BoundIs,
    /// Keywords each of which, given and not `None`, bounds it as well: a time to live.
    pub also_bounded_by: Box<[Name]>,
    /// What it is when the argument for `bound` is not given.
    pub bounded_by_default: bool,
    /// On a method, the cache keeps the instance itself as long as the entry.
    pub keeps_self: bool,
    /// What does the same and takes a `maxsize`, where this one takes no bound.
    pub bounded_form: Option<Name>,
}

/// What the argument for a bound is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoundIs {
    /// A number of entries.
    Size,
    /// The container that holds the entries: the cache is as bounded as that is.
    Container,
}

/// A constructor of something that holds items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub shape: Shape,
    pub holds: Holds,
    pub bound: Option<Argument>,
    /// A bound of zero or less means none, as for queues.
    pub zero_is_unbounded: bool,
    /// Whatever its arguments, it drops items by itself.
    pub always_bounded: bool,
    /// Reading a missing key inserts it, as in a `defaultdict`.
    pub reads_insert: bool,
    /// Adding to a missing key inserts it, as in a `Counter`.
    pub counts_missing: bool,
    /// Methods by which it gets items; for a library's own class, those beside its shape's.
    pub grows: Box<[Name]>,
    /// Methods by which it loses items; for a library's own class, those beside its shape's.
    pub shrinks: Box<[Name]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    List,
    Dict,
    Set,
    Queue,
}

impl Shape {
    /// The built-in type whose methods a container of this shape has; a queue's own entry lists its methods.
    pub fn builtin(self) -> Option<&'static str> {
        match self {
            Shape::List => Some("list"),
            Shape::Dict => Some("dict"),
            Shape::Set => Some("set"),
            Shape::Queue => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    Strong,
    /// Items go when nothing else holds them (`WeakSet`).
    Weak,
    /// Entries go with their key (`WeakKeyDictionary`).
    WeakKey,
    /// Entries go with their value (`WeakValueDictionary`).
    WeakValue,
}

/// A callable whose results come from a domain of known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub domain: Domain,
    /// Why, as a label says it: "a fresh value on each call".
    pub why: Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// New values as long as the process runs.
    Open,
    /// As many values as the source has of something: types, modules, names of levels.
    Bounded,
}

/// A callable whose result refers to one argument without keeping it alive. It keeps its other arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weak {
    /// The position of that argument.
    pub position: u32,
}

/// A callable whose result keeps all that it is given, for as long as it lives itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeps {
    /// With this keyword it refers to its first argument weakly.
    pub weak_if: Option<Name>,
}

/// What makes a project's function run at another's will: a decorator, an argument, or a base class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub by: By,
    /// By whom and when, as a label says it: "called for each request".
    pub why: Name,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The decorated function (or class, for its methods).
    Decorator,
    /// The function given for this argument; for the first position, also the decorated function.
    Argument(Argument),
    /// These methods of derived classes; none named means all that are not private or special.
    Base(Box<[Name]>),
}

/// A callable that calls one of its arguments: a call of it is a call of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    pub argument: Argument,
    /// Once for each of many items, as `map` does.
    pub many: bool,
}

/// A callable that neither keeps nor changes the containers it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borrows {
    /// Its result is a new container with the same items.
    pub copies: bool,
}

/// A callable that gives something to be awaited, which ends only when somebody else does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// What ends it, as a label says it: "the event is set".
    pub until: Name,
    /// One end of it ends all that wait: an event, unlike a queue.
    pub ends_all: bool,
}

/// A callable that puts an entry into a table inside of a library, where it stays; or such a table itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    pub entry: EntryBy,
    pub held: Held,
    /// What holds it, as a label says it: "the logging manager keeps a logger for each name".
    pub why: Name,
    /// What takes an entry out: the end of a dotted name (`atexit.unregister`), or a method of the same object
    /// (`.remove`).
    pub removed_by: Box<[Name]>,
    /// Attributes and methods that tell whether an entry is there: `if not logger.handlers`.
    pub tested_by: Box<[Name]>,
    /// Keywords with which the entry goes elsewhere.
    pub unless_keyword: Box<[Name]>,
    /// There is an entry only where this keyword is given as `False`: without it, what is entered is held weakly.
    pub if_false: Option<Name>,
    /// There is an entry only where the argument in this place is a class: what is entered for an object goes with it.
    pub if_class: Option<u32>,
    /// Methods are held without their object; other callables are kept.
    pub methods_weak: bool,
    /// Arguments with which there is no entry.
    pub unless_value: Box<[Name]>,
    /// The other arguments are kept with the entry.
    pub keeps_arguments: bool,
    /// A few entries are what it is for: only where more are shown to be made is it a leak.
    pub only_if_shown: bool,
    /// What is entered is called back, and keeps what it belongs to.
    pub is_hook: bool,
}

/// What makes another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryBy {
    /// Another value for this argument; for `None`, of any argument.
    Key(Option<Argument>),
    /// Another text, which is as open as what is put into it.
    Text(Argument),
    /// Every call, whatever its arguments.
    Call,
    /// Every call with a callable that belongs to an instance or to the call, or with arguments for it.
    Callable(Argument),
    /// The name is a table, and storing under another key makes an entry.
    Item,
}

/// How long an entry stays that nothing takes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Held {
    /// As long as the process.
    Process,
    /// As long as the object that the method is called on.
    Receiver,
    /// The same, where that object calls back what is entered and often lives longer than it.
    Emitter,
}

/// A constructor of objects whose attributes each thread has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadLocal {
    /// It is a variable with one value, not a namespace; what its default holds is shared by all.
    pub is_variable: bool,
}

/// A callable whose result must be released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is, as a message says it: "file descriptor".
    pub what: Name,
    pub lost: Lost,
    /// What releases it: functions that it is passed to, by dotted name, and methods of its own (`.close`).
    pub released_by: Box<[Name]>,
    /// What uses it and neither keeps nor releases it: functions by dotted name, a module's name with a full stop for
    /// all in it, and methods of whatever object (`.add_reader`).
    pub lent_to: Box<[Name]>,
    /// The elements of the result that must be released; none: the result itself.
    pub elements: Box<[u32]>,
    /// What another element of the result is, by the name of its entry.
    pub also: Option<Name>,
    /// It is text, and what is made of it (`path + name`) may stand for it.
    pub is_path: bool,
    /// It holds so much (a connection, a process, threads, a big buffer) that its late release costs something, even
    /// where the last reference releases it.
    pub is_costly: bool,
    /// Its methods without which it is not costly: a socket that is only bound is a descriptor and no more.
    pub costly_by: Box<[Name]>,
    /// Names in the call that makes it with which it is not costly: a datagram socket has no connection.
    pub cheap_with: Box<[Name]>,
    /// It ends in order with its last reference: to lose it costs time and nothing else.
    pub ends_itself: bool,
    /// The end of its last reference does what its release does, as for a socket: it costs something to lose it again and
    /// again, or where something keeps that reference.
    pub closes_itself: bool,
    /// It opens something only when it is used: without a call there is nothing to release.
    pub is_lazy: bool,
    /// There is nothing before the call is awaited, or entered by `async with`.
    pub is_awaited: bool,
    /// Its methods that open nothing although it is lazy, such as `.prepare_request` of a session.
    pub idle: Box<[Name]>,
    /// Its `with` ends something else, such as a transaction, and does not release it.
    pub with_keeps: bool,
    /// The call gives nothing, and what must be released is the object that the method is called on: a lock.
    pub of_receiver: bool,
    /// Whoever it is passed to only uses it, so that what acquires it has to release it.
    pub is_lent: bool,
    /// Its methods that often raise, such as `.connect`.
    pub may_fail: Box<[Name]>,
    /// Its other methods raise nothing but `OSError`, where they are called as they should be.
    pub fails_with_os_error: bool,
    /// Its methods that release it where they raise, such as `.raise_for_status` of a response.
    pub failing_releases: Box<[Name]>,
    /// Its methods that are named like an end and that it outlives, such as `.shutdown` of a server.
    pub outlives: Box<[Name]>,
    /// Its attributes by which others may come to it and release it.
    pub known_by: Box<[Name]>,
    /// Its methods that wait for its end, and that raise where they are given a limit of time and it is reached before.
    pub limited: Box<[Name]>,
    /// Its methods whose results keep it: who has the member has the archive.
    pub views: Box<[Name]>,
    /// Its methods that give the object itself.
    pub gives_itself: Box<[Name]>,
    /// The other elements of the result keep it, too: who has the axes has the figure.
    pub elements_keep: bool,
    /// Methods and functions after which it is of no more use. Without them somebody else may come to use it, as with a
    /// figure that is shown at the end of a notebook's cell.
    pub done_by: Box<[Name]>,
    /// The keyword, and the place, in which it takes an open file instead of an address: that one stays its owner's, and
    /// what is made around it has nothing of its own.
    pub file_keyword: Option<Name>,
    pub file_argument: Option<u32>,
    /// There is something to be released only where this keyword is given as something else than `False` or `None` …
    pub if_keyword: Option<Name>,
    /// … or where this one is given as `False` …
    pub if_false: Option<Name>,
    /// … or where there is an argument in this place.
    pub if_argument: Option<u32>,
    /// There is nothing to be released where this keyword is given.
    pub unless_keyword: Option<Name>,
    /// Its methods after which only a release makes it whole: an archive without its end is of no use.
    pub unfinished_by: Box<[Name]>,
    /// Its methods that read it to its end, which releases it as well. Who looks for nothing else does not read what is
    /// small and of no interest, and the last reference releases that.
    pub read_by: Box<[Name]>,
    /// Its attributes that are all that it holds, so that who reads them reads it to its end, as well.
    pub read_as: Box<[Name]>,
}

impl Resource {
    /// What has such a resource inside: it is lost like that, and costs as much.
    pub fn like(inner: &Resource) -> Resource {
        Resource {
            is_costly: inner.is_costly,
            ends_itself: inner.ends_itself,
            closes_itself: inner.closes_itself,
            views: inner.views.clone(),
            ..Resource::plain(inner.what, inner.lost)
        }
    }

    /// Something of which nothing else is known.
    pub fn plain(what: Name, lost: Lost) -> Resource {
        Resource {
            what,
            lost,
            released_by: Box::default(),
            lent_to: Box::default(),
            elements: Box::default(),
            also: None,
            is_path: false,
            is_costly: false,
            costly_by: Box::default(),
            cheap_with: Box::default(),
            ends_itself: false,
            closes_itself: false,
            is_lazy: false,
            is_awaited: false,
            idle: Box::default(),
            with_keeps: false,
            of_receiver: false,
            is_lent: false,
            may_fail: Box::default(),
            fails_with_os_error: false,
            failing_releases: Box::default(),
            outlives: Box::default(),
            known_by: Box::default(),
            limited: Box::default(),
            views: Box::default(),
            gives_itself: Box::default(),
            elements_keep: false,
            done_by: Box::default(),
            file_keyword: None,
            file_argument: None,
            if_keyword: None,
            if_false: None,
            if_argument: None,
            unless_keyword: None,
            unfinished_by: Box::default(),
            read_by: Box::default(),
            read_as: Box::default(),
        }
    }

    /// Whether one of its keys names a method.
    pub fn names(methods: &[Name], method: Name) -> bool {
        methods.iter().any(|named| named.as_str().strip_prefix('.') == Some(method.as_str()))
    }

    /// Whether a `with` statement gives it a name and releases it. That of a temporary directory names its path.
    pub fn has_with_block(&self) -> bool {
        let has = |method: &str| self.released_by.iter().any(|release| release.as_str() == method);
        has(".__exit__") && !has(".cleanup") && !self.with_keeps
    }

    /// The method that the end of a `with` block calls: there is one that releases and no other.
    pub fn closing_method(&self) -> Option<Name> {
        let methods = self.released_by.iter().filter_map(|release| release.as_str().strip_prefix('.'));
        let mut closing = methods.filter(|method| !matches!(*method, "__exit__" | "__aexit__" | "detach"));
        let first = closing.next()?;
        (self.has_with_block() && closing.next().is_none()).then(|| Name::new(first))
    }
}

/// What becomes of a resource when nothing refers to it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lost {
    /// It stays: only a call releases it.
    Stays,
    /// It is part of a cycle, so that only the collector releases it, some time later.
    Late,
    /// CPython releases it with the last reference; other interpreters do later.
    Goes,
}

/// The proof of an entry: Python that must give a finding, and its look-alike that must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub file: String,
    /// Counted from 1.
    pub row: usize,
    pub names: Vec<Name>,
    /// The rule that finds the leak.
    pub expect: String,
    pub leak: String,
    pub clean: String,
    /// Why the leak is not found yet: a test fails on the day it is.
    pub missed: Option<String>,
}

/// Made by the build script of all files in `rules/models/`.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/models.rs"));
}

static BUILTIN: LazyLock<Models> = LazyLock::new(|| {
    let mut all = Models::default();
    for (file, text) in embedded::WITHOUT_PROOFS {
        // A test loads each file for its errors; a user's run goes on without the broken one.
        if let Ok(models) = Models::load(file, text) {
            all.merge(models);
        }
    }
    all
});

impl Models {
    /// What `rules/models/` says, read once, without the examples.
    pub fn builtin() -> &'static Models {
        &BUILTIN
    }

    /// The names and texts of the files in `rules/models/`.
    pub fn builtin_files() -> &'static [(&'static str, &'static str)] {
        embedded::MODELS
    }

    /// Reads one file of models. `file` is only for messages.
    pub fn load(file: &str, text: &str) -> Result<Models, ModelError> {
        load::load(file, text)
    }

    /// Adds another's entries. They win over those of the same kind and name, so that a user's word is the last.
    pub fn merge(&mut self, other: Models) {
        self.caches.extend(other.caches);
        self.containers.extend(other.containers);
        self.origins.extend(other.origins);
        self.weak.extend(other.weak);
        self.keeps.extend(other.keeps);
        self.repeats.extend(other.repeats);
        self.once.extend(other.once);
        self.calls.extend(other.calls);
        self.borrows.extend(other.borrows);
        self.waits.extend(other.waits);
        self.registries.extend(other.registries);
        self.thread_locals.extend(other.thread_locals);
        self.resources.extend(other.resources);
        self.examples.extend(other.examples);
    }

    pub fn cache(&self, name: Name) -> Option<&Cache> {
        self.caches.get(&name)
    }

    pub fn container(&self, name: Name) -> Option<&Container> {
        self.containers.get(&name)
    }

    pub fn container_names(&self) -> impl Iterator<Item = Name> {
        self.containers.keys().copied()
    }

    pub fn origin(&self, name: Name) -> Option<&Origin> {
        self.origins.get(&name)
    }

    pub fn weak(&self, name: Name) -> Option<&Weak> {
        self.weak.get(&name)
    }

    pub fn keeps(&self, name: Name) -> Option<&Keeps> {
        self.keeps.get(&name)
    }

    /// What makes a function run again and again.
    pub fn repeats(&self, name: Name) -> Option<&Registration> {
        self.repeats.get(&name)
    }

    /// What makes a function run once per process, or a bounded number of times.
    pub fn once(&self, name: Name) -> Option<&Registration> {
        self.once.get(&name)
    }

    pub fn calls(&self, name: Name) -> Option<&Calls> {
        self.calls.get(&name)
    }

    pub fn borrows(&self, name: Name) -> Option<&Borrows> {
        self.borrows.get(&name)
    }

    pub fn waits(&self, name: Name) -> Option<&Waits> {
        self.waits.get(&name)
    }

    pub fn registry(&self, name: Name) -> Option<&Registry> {
        self.registries.get(&name)
    }

    pub fn registry_names(&self) -> impl Iterator<Item = Name> {
        self.registries.keys().copied()
    }

    pub fn thread_local(&self, name: Name) -> Option<ThreadLocal> {
        self.thread_locals.get(&name).copied()
    }

    pub fn thread_local_names(&self) -> impl Iterator<Item = Name> {
        self.thread_locals.keys().copied()
    }

    pub fn resource(&self, name: Name) -> Option<&Resource> {
        self.resources.get(&name)
    }

    /// The resources by the names of the callables that give them.
    pub fn resources(&self) -> impl Iterator<Item = (Name, &Resource)> {
        self.resources.iter().map(|(name, resource)| (*name, resource))
    }

    /// The methods by which a container gets items, its shape's and its own.
    pub fn grows<'a>(&'a self, container: &'a Container) -> impl Iterator<Item = Name> + 'a {
        self.shape_of(container).into_iter().flat_map(|shape| shape.grows.iter()).chain(&container.grows).copied()
    }

    /// The methods by which a container loses items, its shape's and its own.
    pub fn shrinks<'a>(&'a self, container: &'a Container) -> impl Iterator<Item = Name> + 'a {
        self.shape_of(container).into_iter().flat_map(|shape| shape.shrinks.iter()).chain(&container.shrinks).copied()
    }

    fn shape_of(&self, container: &Container) -> Option<&Container> {
        self.container(Name::new(container.shape.builtin()?))
    }

    /// Whether anything at all is known of the name.
    pub fn knows(&self, name: Name) -> bool {
        self.caches.contains_key(&name)
            || self.containers.contains_key(&name)
            || self.origins.contains_key(&name)
            || self.weak.contains_key(&name)
            || self.keeps.contains_key(&name)
            || self.repeats.contains_key(&name)
            || self.once.contains_key(&name)
            || self.calls.contains_key(&name)
            || self.borrows.contains_key(&name)
            || self.waits.contains_key(&name)
            || self.registries.contains_key(&name)
            || self.thread_locals.contains_key(&name)
            || self.resources.contains_key(&name)
    }
}
