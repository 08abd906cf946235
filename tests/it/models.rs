//! Library knowledge is data, and tests itself: every entry proves that it matters, every mistake is named.

use std::collections::HashMap;

use unleak::finding::Confidence;
use unleak::models::{Argument, BoundIs, By, Domain, Example, Holds, Models, Shape};
use unleak::source::Name;

use crate::{check, check_text, report};

#[test]
fn files_load_and_cite_their_library() {
    let mut failures = Vec::new();
    for (file, text) in Models::builtin_files() {
        if let Err(error) = Models::load(file, text) {
            failures.push(format!("rules/models/{error}"));
        }
        let table: toml::Table = text.parse().unwrap_or_default();
        let library = table.get("library").and_then(toml::Value::as_str);
        if library.map(|library| format!("{library}.toml")).as_deref() != Some(*file) {
            failures.push(format!("rules/models/{file}: its library is {library:?}"));
        }
        if !table.contains_key("docs") {
            failures.push(format!("rules/models/{file}: cites no documentation"));
        }
        for (kind, entries) in &table {
            for entry in entries.as_array().into_iter().flatten().filter_map(toml::Value::as_table) {
                if !entry.contains_key("leak") || !entry.contains_key("clean") {
                    failures.push(format!("rules/models/{file}: {kind} {} has no proof", entry["name"]));
                }
            }
        }
    }
    report(failures);
}

#[test]
fn no_name_has_two_entries_of_one_kind() {
    let mut seen: HashMap<(String, String), &str> = HashMap::new();
    let mut failures = Vec::new();
    for (file, text) in Models::builtin_files() {
        let table: toml::Table = text.parse().unwrap_or_default();
        for (kind, entries) in table {
            for entry in entries.as_array().into_iter().flatten() {
                let names = entry.get("name").map(|name| name.as_array().cloned().unwrap_or(vec![name.clone()]));
                for name in names.into_iter().flatten() {
                    if let Some(other) = seen.insert((kind.clone(), name.to_string()), file) {
                        failures.push(format!("{kind} {name} stands in {other} and in {file}"));
                    }
                }
            }
        }
    }
    report(failures);
}

pub fn builtin_examples() -> Vec<Example> {
    let files = Models::builtin_files().iter();
    files
        .flat_map(|(file, text)| Models::load(file, text).expect("a test of its own names mistakes").examples)
        .collect()
}

#[test]
fn a_run_knows_all_but_the_proofs() {
    let mut all = Models::default();
    for (file, text) in Models::builtin_files() {
        all.merge(Models::load(file, text).expect("a test of its own names mistakes"));
    }
    assert!(!std::mem::take(&mut all.examples).is_empty());
    assert_eq!(Models::builtin(), &all);
}

#[test]
fn every_entry_is_proved() {
    let mut failures = Vec::new();
    for example in builtin_examples() {
        let names: Vec<&str> = example.names.iter().map(|name| name.as_str()).collect();
        let place = format!("rules/models/{}:{} ({})", example.file, example.row, names.join(", "));
        // What a resource costs that goes with its last reference is for the rule to say, not for its model.
        let least = if example.expect.starts_with("LK2") { Confidence::Low } else { Confidence::Medium };
        let found = check(&[("program.py".into(), example.leak.clone())], least);
        let is_found = found.iter().any(|found| found.code == example.expect);
        match &example.missed {
            None if !is_found => {
                let codes: Vec<String> = found.into_iter().map(|found| found.code).collect();
                failures
                    .push(format!("{place}: {} not found; reported {codes:?} in\n{}", example.expect, example.leak));
            }
            Some(_) if is_found => failures.push(format!("{place}: no longer missed, delete `missed`")),
            _ => {}
        }
        for found in check_text(&example.clean) {
            let said = format!("{} at {}: {}", found.code, found.place, found.message);
            failures.push(format!("{place}: {said} in the look-alike\n{}", example.clean));
        }
    }
    report(failures);
}

#[test]
fn entries_say_what_their_file_says() {
    let models = Models::builtin();
    let name = Name::new;

    let lru_cache = models.cache(name("functools.lru_cache")).expect("there");
    assert_eq!(lru_cache.bound, Some(Argument { keyword: name("maxsize"), position: Some(0) }));
    assert!(lru_cache.bounded_by_default && lru_cache.keeps_self);
    assert!(!models.cache(name("functools.cache")).expect("there").bounded_by_default);
    assert_eq!(models.cache(name("cachetools.cached")).expect("there").bound_is, BoundIs::Container);

    let deque = models.container(name("collections.deque")).expect("there");
    assert_eq!((deque.shape, deque.holds), (Shape::List, Holds::Strong));
    let grows: Vec<&str> = models.grows(deque).map(Name::as_str).collect();
    assert!(grows.contains(&"append") && grows.contains(&"appendleft"), "{grows:?}");
    assert!(models.shrinks(deque).any(|method| method == name("popleft")));
    assert!(models.container(name("collections.defaultdict")).expect("there").reads_insert);
    assert_eq!(models.container(name("weakref.WeakSet")).expect("there").holds, Holds::Weak);

    assert_eq!(models.origin(name("uuid.uuid4")).expect("there").domain, Domain::Open);
    assert_eq!(models.origin(name("type")).expect("there").domain, Domain::Bounded);
    assert_eq!(models.repeats(name("flask.Flask.route")).expect("there").by, By::Decorator);
    assert!(
        matches!(&models.repeats(name("tornado.web.RequestHandler")).expect("there").by, By::Base(methods) if methods.contains(&name("get")))
    );
    assert!(models.borrows(name("sorted")).expect("there").copies);
    assert!(!models.borrows(name("len")).expect("there").copies);
    assert!(models.knows(name("atexit.register")) && !models.knows(name("no.such.name")));
}

#[test]
fn a_users_word_is_the_last() {
    let mut models = Models::builtin().clone();
    let text = "library = 'mine'\n[[container]]\nname = ['mine.LRU', 'dict']\nshape = 'dict'\nalways_bounded = true\n";
    models.merge(Models::load("unleak.toml", text).expect("it is right"));
    assert!(models.container(Name::new("mine.LRU")).expect("there").always_bounded);
    assert!(models.container(Name::new("dict")).expect("there").always_bounded);
    assert!(models.container(Name::new("list")).is_some());
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        (
            "[[cache]]\nname = 'a.b'\nbuond = 'n'\ndefault = 'bounded'",
            "3:1: unknown key `buond`; did you mean `bound`?",
        ),
        ("[[cahce]]\nname = 'a.b'", "1:3: unknown key `cahce`; did you mean `cache`?"),
        ("[[origin]]\nname = 'a'\nwhy = 'x'\ndomain = 'opne'", "4:10: unknown value `opne`; did you mean `open`?"),
        (
            "[[origin]]\nname = 'a'\nwhy = 'x'\ndomain = 'endless'",
            "4:10: unknown value `endless`; expected one of `open`, `bounded`",
        ),
        ("[[cache]]\nname = 'a.b'", "1:1: missing key `default`"),
        (
            "[[container]]\nname = 3\nshape = 'list'",
            "2:8: invalid type: integer `3`, expected a dotted name or a list of them",
        ),
        ("[[weak]]\nname = 'a b'", "2:8: `a b` is not a dotted name"),
        ("[[weak]]\nname = ['a', 'b.']", "2:14: `b.` is not a dotted name"),
        ("[[weak]]\nname = 'a'\n[[weak]]\nname = 'a'", "4:8: `a` has an entry of this kind already"),
        ("[[container]]\nname = 'a'\nshape = 'list'\nposition = 1", "4:12: `position` needs `bound`"),
        ("[[repeats]]\nname = 'a'\nwhy = 'x'\nposition = 1", "4:12: `position` needs `argument`"),
        ("[[repeats]]\nname = 'a'\nwhy = 'x'\nmethods = ['m']", "4:11: `methods` needs `base = true`"),
        (
            "[[once]]\nname = 'a'\nwhy = 'x'\nbase = true\nargument = 'f'",
            "5:12: `argument` and `base` exclude each other",
        ),
        ("docs = 'http://x'", "1:8: `docs` is not an `https://` address"),
        ("[[weak]]\nname = ['ä', 'b.']", "2:14: `b.` is not a dotted name"),
    ];
    for (text, expected) in cases {
        // `library` stands in the last row where it can, so that the rows are those of the case.
        let (text, rows_before) = match text.starts_with('[') {
            true => (format!("library = 'x'\n{text}\n"), 1),
            false => (format!("{text}\nlibrary = 'x'\n"), 0),
        };
        let error = Models::load("m.toml", &text).expect_err(&text);
        assert_eq!(format!("{}:{}: {}", error.row - rows_before, error.column, error.message), expected, "{text}");
        assert_eq!(error.to_string(), format!("m.toml:{}:{}: {}", error.row, error.column, error.message));
    }
    assert_eq!(Models::load("m.toml", "").expect_err("no library").message, "missing key `library`");
}
