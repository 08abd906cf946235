//! Text to models, with every mistake named by row, column and the nearest right word.
//!
//! Users write these files too, so a misspelt key must be an error: ignored, it would silently switch an entry off.

use std::fmt;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use super::mistakes::{plainer, row_and_column};
use super::{
    Argument, Borrows, BoundIs, By, Cache, Calls, Container, Domain, EntryBy, Example, Held, Holds, Keeps, Lost,
    Models, Name, Origin, Registration, Registry, Resource, Shape, ThreadLocal, Waits, Weak,
};

/// A mistake in a file of models. Row and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    pub file: String,
    pub row: usize,
    pub column: usize,
    /// Lower case, without a full stop.
    pub message: String,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.row, self.column, self.message)
    }
}

impl std::error::Error for ModelError {}

pub fn load(file: &str, text: &str) -> Result<Models, ModelError> {
    let error = |(start, message): (usize, String)| {
        let (row, column) = row_and_column(text, start);
        ModelError { file: file.to_owned(), row, column, message }
    };
    let table = toml::from_str::<Tables>(text)
        .map_err(|err| error((err.span().map_or(0, |span| span.start), plainer(err.message()))))?;
    if table.library.is_none() {
        return Err(error((0, "missing key `library`".to_owned())));
    }
    table.into_models(file, text).map_err(error)
}

/// Where a mistake starts, in bytes, and what it is.
pub type Mistake = (usize, String);

/// The tables of a file of models; in a configuration they stand without the name of their library.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    library: Option<Spanned<String>>,
    docs: Option<Spanned<String>>,
    #[serde(default)]
    cache: Vec<CacheEntry>,
    #[serde(default)]
    container: Vec<ContainerEntry>,
    #[serde(default)]
    origin: Vec<OriginEntry>,
    #[serde(default)]
    weak: Vec<WeakEntry>,
    #[serde(default)]
    keeps: Vec<KeepsEntry>,
    #[serde(default)]
    repeats: Vec<RegistrationEntry>,
    #[serde(default)]
    once: Vec<RegistrationEntry>,
    #[serde(default)]
    calls: Vec<CallsEntry>,
    #[serde(default)]
    borrows: Vec<BorrowsEntry>,
    #[serde(default)]
    waits: Vec<WaitsEntry>,
    #[serde(default)]
    registry: Vec<RegistryEntry>,
    #[serde(default)]
    thread_local: Vec<ThreadLocalEntry>,
    #[serde(default)]
    resource: Vec<ResourceEntry>,
}

/// What a cache is when nothing is given for its bound.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WithoutArgument {
    Bounded,
    Unbounded,
}

/// An entry of some kind: its own keys, and those that every kind has. (serde can't flatten a struct into one that
/// denies unknown keys.)
macro_rules! entry {
    (struct $entry:ident { $($(#[$meta:meta])* $key:ident: $type:ty,)* }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $entry {
            name: Names,
            $($(#[$meta])* $key: $type,)*
            expect: Option<String>,
            leak: Option<String>,
            clean: Option<String>,
            missed: Option<String>,
        }

        impl $entry {
            fn add_example(self, file: &str, text: &str, models: &mut Models) {
                if self.leak.is_none() && self.clean.is_none() {
                    return;
                }
                models.examples.push(Example {
                    file: file.to_owned(),
                    row: row_and_column(text, self.name.0.first().map_or(0, |name| name.span().start)).0,
                    names: self.name.0.iter().map(|name| Name::new(name.get_ref())).collect(),
                    expect: self.expect.unwrap_or_else(|| "LK101".to_owned()),
                    leak: self.leak.unwrap_or_default(),
                    clean: self.clean.unwrap_or_default(),
                    missed: self.missed,
                });
            }
        }
    };
}

entry! {
    struct CacheEntry {
        bound: Option<String>,
        position: Option<Spanned<u32>>,
        #[serde(default = "size")]
        bound_is: BoundIs,
        #[serde(default)]
        also_bounded_by: Vec<Name>,
        default: WithoutArgument,
        #[serde(default)]
        keeps_self: bool,
        bounded_form: Option<String>,
    }
}

fn size() -> BoundIs {
    BoundIs::Size
}

entry! {
    struct ContainerEntry {
        shape: Shape,
        #[serde(default = "strong")]
        holds: Holds,
        bound: Option<String>,
        position: Option<Spanned<u32>>,
        #[serde(default)]
        zero_is_unbounded: bool,
        #[serde(default)]
        always_bounded: bool,
        #[serde(default)]
        reads_insert: bool,
        #[serde(default)]
        counts_missing: bool,
        #[serde(default)]
        grows: Vec<Name>,
        #[serde(default)]
        shrinks: Vec<Name>,
    }
}

fn strong() -> Holds {
    Holds::Strong
}

entry! {
    struct OriginEntry {
        domain: Domain,
        why: Name,
    }
}

entry! {
    struct WeakEntry {
        #[serde(default)]
        position: u32,
    }
}

entry! {
    struct KeepsEntry {
        weak_if: Option<Name>,
    }
}

entry! {
    struct RegistrationEntry {
        why: Name,
        argument: Option<Spanned<Name>>,
        position: Option<Spanned<u32>>,
        base: Option<Spanned<bool>>,
        methods: Option<Spanned<Vec<Name>>>,
    }
}

entry! {
    struct CallsEntry {
        argument: Name,
        position: Option<u32>,
        #[serde(default)]
        many: bool,
    }
}

entry! {
    struct BorrowsEntry {
        #[serde(default)]
        copies: bool,
    }
}

entry! {
    struct WaitsEntry {
        until: Name,
        #[serde(default)]
        ends_all: bool,
    }
}

entry! {
    struct RegistryEntry {
        entry: Spanned<EntryKind>,
        argument: Option<Name>,
        position: Option<Spanned<u32>>,
        #[serde(default = "process")]
        held: Held,
        why: Name,
        #[serde(default)]
        removed_by: Vec<Name>,
        #[serde(default)]
        tested_by: Vec<Name>,
        #[serde(default)]
        unless_keyword: Vec<Name>,
        #[serde(default)]
        unless_value: Vec<Name>,
        #[serde(default)]
        keeps_arguments: bool,
        #[serde(default)]
        only_if_shown: bool,
        #[serde(default)]
        is_hook: bool,
        if_false: Option<Name>,
        if_class: Option<u32>,
        #[serde(default)]
        methods_weak: bool,
    }
}

/// What of a call makes another entry.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryKind {
    Key,
    Text,
    Call,
    Callable,
    Item,
}

fn process() -> Held {
    Held::Process
}

entry! {
    struct ThreadLocalEntry {
        #[serde(default)]
        is_variable: bool,
    }
}

entry! {
    struct ResourceEntry {
        what: Name,
        lost: Lost,
        released_by: Vec<Name>,
        #[serde(default)]
        lent_to: Vec<Name>,
        #[serde(default)]
        elements: Vec<u32>,
        also: Option<Name>,
        #[serde(default)]
        is_path: bool,
        #[serde(default)]
        is_costly: bool,
        #[serde(default)]
        costly_by: Vec<Name>,
        #[serde(default)]
        cheap_with: Vec<Name>,
        #[serde(default)]
        ends_itself: bool,
        #[serde(default)]
        closes_itself: bool,
        #[serde(default)]
        is_lazy: bool,
        #[serde(default)]
        is_awaited: bool,
        #[serde(default)]
        idle: Vec<Name>,
        #[serde(default)]
        with_keeps: bool,
        #[serde(default)]
        of_receiver: bool,
        #[serde(default)]
        is_lent: bool,
        #[serde(default)]
        may_fail: Vec<Name>,
        #[serde(default)]
        fails_with_os_error: bool,
        #[serde(default)]
        failing_releases: Vec<Name>,
        #[serde(default)]
        outlives: Vec<Name>,
        #[serde(default)]
        known_by: Vec<Name>,
        #[serde(default)]
        limited: Vec<Name>,
        #[serde(default)]
        views: Vec<Name>,
        #[serde(default)]
        elements_keep: bool,
        #[serde(default)]
        gives_itself: Vec<Name>,
        #[serde(default)]
        done_by: Vec<Name>,
        file_keyword: Option<Name>,
        file_argument: Option<u32>,
        if_keyword: Option<Name>,
        if_false: Option<Name>,
        if_argument: Option<u32>,
        unless_keyword: Option<Name>,
        #[serde(default)]
        unfinished_by: Vec<Name>,
        #[serde(default)]
        read_by: Vec<Name>,
        #[serde(default)]
        read_as: Vec<Name>,
    }
}

/// One dotted name, or several of which the same is to be said.
struct Names(Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Spanned::<OneOrMany>::deserialize(deserializer)?;
        let span = names.span();
        Ok(Names(match names.into_inner() {
            OneOrMany::One(name) => vec![Spanned::new(span, name)],
            OneOrMany::Many(names) => names,
        }))
    }
}

enum OneOrMany {
    One(String),
    Many(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a dotted name or a list of them")
            }

            fn visit_str<E>(self, name: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(name.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<OneOrMany, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(OneOrMany::Many(all))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Tables {
    /// The models that the tables say; `file` and `text` are what they were read from.
    pub fn into_models(self, file: &str, text: &str) -> Result<Models, Mistake> {
        if let Some(library) = self.library
            && library.get_ref().is_empty()
        {
            return Err((library.span().start, "`library` is empty".to_owned()));
        }
        if let Some(docs) = self.docs
            && !docs.get_ref().starts_with("https://")
        {
            return Err((docs.span().start, "`docs` is not an `https://` address".to_owned()));
        }
        let mut models = Models::default();
        for entry in self.cache {
            let cache = Cache {
                bound: bound(entry.bound.as_deref(), entry.position.as_ref())?,
                bound_is: entry.bound_is,
                also_bounded_by: entry.also_bounded_by.as_slice().into(),
                bounded_by_default: matches!(entry.default, WithoutArgument::Bounded),
                keeps_self: entry.keeps_self,
                bounded_form: entry.bounded_form.as_deref().map(Name::new),
            };
            add(&mut models.caches, &entry.name, &cache)?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.container {
            let container = Container {
                shape: entry.shape,
                holds: entry.holds,
                bound: bound(entry.bound.as_deref(), entry.position.as_ref())?,
                zero_is_unbounded: entry.zero_is_unbounded,
                always_bounded: entry.always_bounded,
                reads_insert: entry.reads_insert,
                counts_missing: entry.counts_missing,
                grows: entry.grows.as_slice().into(),
                shrinks: entry.shrinks.as_slice().into(),
            };
            add(&mut models.containers, &entry.name, &container)?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.origin {
            add(&mut models.origins, &entry.name, &Origin { domain: entry.domain, why: entry.why })?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.weak {
            add(&mut models.weak, &entry.name, &Weak { position: entry.position })?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.keeps {
            add(&mut models.keeps, &entry.name, &Keeps { weak_if: entry.weak_if })?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.repeats {
            add(&mut models.repeats, &entry.name, &entry.registration()?)?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.once {
            add(&mut models.once, &entry.name, &entry.registration()?)?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.calls {
            let argument = Argument { keyword: entry.argument, position: entry.position };
            add(&mut models.calls, &entry.name, &Calls { argument, many: entry.many })?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.borrows {
            add(&mut models.borrows, &entry.name, &Borrows { copies: entry.copies })?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.waits {
            add(&mut models.waits, &entry.name, &Waits { until: entry.until, ends_all: entry.ends_all })?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.registry {
            add(&mut models.registries, &entry.name, &entry.registry()?)?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.thread_local {
            add(&mut models.thread_locals, &entry.name, &ThreadLocal { is_variable: entry.is_variable })?;
            entry.add_example(file, text, &mut models);
        }
        for entry in self.resource {
            let resource = Resource {
                what: entry.what,
                lost: entry.lost,
                released_by: entry.released_by.as_slice().into(),
                lent_to: entry.lent_to.as_slice().into(),
                elements: entry.elements.as_slice().into(),
                also: entry.also,
                is_path: entry.is_path,
                is_costly: entry.is_costly,
                costly_by: entry.costly_by.as_slice().into(),
                cheap_with: entry.cheap_with.as_slice().into(),
                ends_itself: entry.ends_itself,
                closes_itself: entry.closes_itself,
                is_lazy: entry.is_lazy,
                is_awaited: entry.is_awaited,
                idle: entry.idle.as_slice().into(),
                with_keeps: entry.with_keeps,
                of_receiver: entry.of_receiver,
                is_lent: entry.is_lent,
                may_fail: entry.may_fail.as_slice().into(),
                fails_with_os_error: entry.fails_with_os_error,
                failing_releases: entry.failing_releases.as_slice().into(),
                outlives: entry.outlives.as_slice().into(),
                known_by: entry.known_by.as_slice().into(),
                limited: entry.limited.as_slice().into(),
                views: entry.views.as_slice().into(),
                elements_keep: entry.elements_keep,
                gives_itself: entry.gives_itself.as_slice().into(),
                done_by: entry.done_by.as_slice().into(),
                file_keyword: entry.file_keyword,
                file_argument: entry.file_argument,
                if_keyword: entry.if_keyword,
                if_false: entry.if_false,
                if_argument: entry.if_argument,
                unless_keyword: entry.unless_keyword,
                unfinished_by: entry.unfinished_by.as_slice().into(),
                read_by: entry.read_by.as_slice().into(),
                read_as: entry.read_as.as_slice().into(),
            };
            add(&mut models.resources, &entry.name, &resource)?;
            entry.add_example(file, text, &mut models);
        }
        Ok(models)
    }
}

impl RegistryEntry {
    fn registry(&self) -> Result<Registry, Mistake> {
        let argument = match (self.argument, &self.position) {
            (Some(keyword), position) => {
                Some(Argument { keyword, position: position.as_ref().map(|position| *position.get_ref()) })
            }
            (None, Some(position)) => return Err((position.span().start, "`position` needs `argument`".to_owned())),
            (None, None) => None,
        };
        let start = self.entry.span().start;
        let needed = || argument.ok_or_else(|| (start, "this kind of `entry` needs `argument`".to_owned()));
        let entry = match self.entry.get_ref() {
            EntryKind::Key => EntryBy::Key(argument),
            EntryKind::Text => EntryBy::Text(needed()?),
            EntryKind::Callable => EntryBy::Callable(needed()?),
            EntryKind::Call => EntryBy::Call,
            EntryKind::Item => EntryBy::Item,
        };
        Ok(Registry {
            entry,
            held: self.held,
            why: self.why,
            removed_by: self.removed_by.as_slice().into(),
            tested_by: self.tested_by.as_slice().into(),
            unless_keyword: self.unless_keyword.as_slice().into(),
            unless_value: self.unless_value.as_slice().into(),
            keeps_arguments: self.keeps_arguments,
            only_if_shown: self.only_if_shown,
            is_hook: self.is_hook,
            if_false: self.if_false,
            if_class: self.if_class,
            methods_weak: self.methods_weak,
        })
    }
}

impl RegistrationEntry {
    fn registration(&self) -> Result<Registration, Mistake> {
        let is_base = self.base.as_ref().is_some_and(|base| *base.get_ref());
        if let Some(methods) = &self.methods
            && !is_base
        {
            return Err((methods.span().start, "`methods` needs `base = true`".to_owned()));
        }
        let by = match &self.argument {
            Some(argument) if is_base => {
                return Err((argument.span().start, "`argument` and `base` exclude each other".to_owned()));
            }
            Some(argument) => By::Argument(Argument {
                keyword: *argument.get_ref(),
                position: self.position.as_ref().map(|position| *position.get_ref()),
            }),
            None => {
                if let Some(position) = &self.position {
                    return Err((position.span().start, "`position` needs `argument`".to_owned()));
                }
                match is_base {
                    true => By::Base(
                        self.methods.as_ref().map(|methods| methods.get_ref().as_slice().into()).unwrap_or_default(),
                    ),
                    false => By::Decorator,
                }
            }
        };
        Ok(Registration { by, why: self.why })
    }
}

fn bound(keyword: Option<&str>, position: Option<&Spanned<u32>>) -> Result<Option<Argument>, Mistake> {
    match (keyword, position) {
        (Some(keyword), position) => {
            Ok(Some(Argument { keyword: Name::new(keyword), position: position.map(|position| *position.get_ref()) }))
        }
        (None, Some(position)) => Err((position.span().start, "`position` needs `bound`".to_owned())),
        (None, None) => Ok(None),
    }
}

fn add<T: Clone>(table: &mut FxHashMap<Name, T>, names: &Names, entry: &T) -> Result<(), Mistake> {
    for name in &names.0 {
        let start = name.span().start;
        let text = name.get_ref();
        if !is_dotted_name(text) {
            return Err((start, format!("`{text}` is not a dotted name")));
        }
        if table.insert(Name::new(text), entry.clone()).is_some() {
            return Err((start, format!("`{text}` has an entry of this kind already")));
        }
    }
    Ok(())
}

fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
