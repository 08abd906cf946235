//! The control flow of small functions, as the ways through them; `?` marks a step that only an exception makes possible,
//! and `!` one that only what is no `Exception` does.

use std::fmt::Write;

use ruff_python_ast::PySourceType;
use unleak::facts::FileFacts;
use unleak::facts::flow::{Edge, Flow, Step};
use unleak::facts::lower::{Bodies, lower};

fn facts(source: &str) -> FileFacts {
    let parsed = ruff_python_parser::parse_unchecked_source(source, PySourceType::Python);
    lower(parsed.syntax(), source, Bodies::All)
}

fn flow(facts: &FileFacts) -> Flow {
    let ends = |call| {
        let callee = facts.call(call).callee;
        unleak::facts::dump::expression(facts, callee) == "sys.exit"
    };
    Flow::of(facts, facts.functions[0].scope, &ends)
}

/// The ways through the first function: what happens on each, until it ends or a node comes again. Joins are left out.
fn ways(source: &str) -> Vec<String> {
    let facts = facts(source);
    let flow = flow(&facts);
    let mut found = Vec::new();
    let mut waiting = vec![(unleak::facts::flow::NodeId(0), Vec::new(), String::new())];
    while let Some((node, mut before, mut text)) = waiting.pop() {
        let word = match flow.step(node) {
            Step::Entry | Step::Join | Step::Dispatch(_) | Step::Handler(_) | Step::Exhausted(_) => String::new(),
            Step::Event(event) => unleak::facts::dump::event(&facts, event),
            Step::Assume { test, holds } => {
                format!("{}{}", if holds { "" } else { "not " }, unleak::facts::dump::expression(&facts, test))
            }
            Step::Enter(_) => "enter".to_owned(),
            Step::Leave(_) => "leave".to_owned(),
            Step::Returned => "RETURNED".to_owned(),
            Step::Raised => "RAISED".to_owned(),
            Step::Halted => "HALTED".to_owned(),
        };
        if before.contains(&node) {
            found.push(format!("{text} AGAIN"));
            continue;
        }
        before.push(node);
        if !word.is_empty() {
            let _ = write!(text, "{}{word}", if text.is_empty() { "" } else { " | " });
        }
        if flow.next(node).is_empty() {
            found.push(text);
            continue;
        }
        for (_, to, edge) in flow.next(node) {
            let mark = match edge {
                Edge::Plain => "",
                Edge::Possible => " ?",
                Edge::Beyond => " !",
            };
            waiting.push((*to, before.clone(), format!("{text}{mark}")));
        }
    }
    found.sort();
    found
}

#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let found = ways(source);
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert!(found == expected, "found:\n{}\nexpected:\n{}", found.join("\n"), expected.join("\n"));
}

#[test]
fn branches() {
    check(
        "def f(a, b):\n    if a:\n        x = 1\n    elif b:\n        x = 2\n    y = 3\n",
        &[
            "a | bind x = 1 | bind y = 3 | RETURNED",
            "not a | b | bind x = 2 | bind y = 3 | RETURNED",
            "not a | not b | bind y = 3 | RETURNED",
        ],
    );
}

#[test]
fn short_circuits_and_conditional_expressions() {
    check(
        "def f(a):\n    x = a and g()\n",
        &[
            "a | call g() | bind x = a and g() | RETURNED",
            "a | call g() ? | RAISED",
            "not a | bind x = a and g() | RETURNED",
        ],
    );
    check(
        "def f(a):\n    return g() if a else 1\n",
        &[
            "a | call g() | return g() if a else 1 | RETURNED",
            "a | call g() ? | RAISED",
            "not a | return g() if a else 1 | RETURNED",
        ],
    );
}

#[test]
fn loops() {
    check(
        "def f(a, b):\n    while a:\n        if b:\n            break\n        x = 1\n    else:\n        y = 2\n    z = 3\n",
        &[
            "a | b | break | bind z = 3 | RETURNED",
            "a | not b | bind x = 1 AGAIN",
            "not a | bind y = 2 | bind z = 3 | RETURNED",
        ],
    );
    check(
        "def f(a):\n    while True:\n        if a:\n            return 1\n",
        &["True | a | return 1 | RETURNED", "True | not a AGAIN"],
    );
    check(
        "def f(a, b):\n    for a.x in b:\n        if a:\n            continue\n        y = 1\n",
        &[
            "RETURNED",
            "bind a.x = element of b ? | RAISED",
            "bind a.x = element of b | a | continue AGAIN",
            "bind a.x = element of b | not a | bind y = 1 AGAIN",
        ],
    );
}

#[test]
fn handlers() {
    check(
        "def f():\n    try:\n        g()\n    except OSError:\n        x = 1\n    else:\n        y = 2\n    z = 3\n",
        &[
            "call g() | bind y = 2 | bind z = 3 | RETURNED",
            "call g() ? ? | RAISED",
            "call g() ? | bind x = 1 | bind z = 3 | RETURNED",
        ],
    );
    check(
        "def f():\n    try:\n        raise E\n    except Exception:\n        x = 1\n",
        &["raise E | bind x = 1 | RETURNED", "raise E ! | RAISED"],
    );
    check(
        "def f():\n    try:\n        raise E\n    except BaseException:\n        x = 1\n",
        &["raise E | bind x = 1 | RETURNED"],
    );
}

#[test]
fn what_enters_finally_by_one_way_leaves_it_by_the_same() {
    check(
        "def f(a):\n    try:\n        if a:\n            return 1\n        g()\n    finally:\n        x = 2\n    y = 3\n",
        &[
            "a | return 1 | bind x = 2 | RETURNED",
            "not a | call g() | bind x = 2 | bind y = 3 | RETURNED",
            "not a | call g() ? | bind x = 2 | RAISED",
        ],
    );
    check(
        "def f(a):\n    for b in a:\n        try:\n            break\n        finally:\n            x = 2\n",
        &["RETURNED", "bind b = element of a ? | RAISED", "bind b = element of a | break | bind x = 2 | RETURNED"],
    );
    check(
        "def f():\n    try:\n        try:\n            return 1\n        finally:\n            x = 2\n    finally:\n        y = 3\n",
        &["return 1 | bind x = 2 | bind y = 3 | RETURNED"],
    );
}

#[test]
fn managers_are_left_on_every_way() {
    check(
        "def f(a):\n    with a:\n        if a.x:\n            return 1\n        y = 2\n",
        &[
            "enter ? | RAISED",
            "enter | a.x | return 1 | leave | RETURNED",
            "enter | not a.x | bind y = 2 | leave ? | RAISED",
            "enter | not a.x | bind y = 2 | leave | RETURNED",
        ],
    );
    check(
        "def f(a):\n    with a:\n        raise E\n",
        &["enter ? | RAISED", "enter | raise E | leave ? | RETURNED", "enter | raise E | leave | RAISED"],
    );
}

#[test]
fn cases() {
    check(
        "def f(a, b):\n    match a:\n        case 1 if b:\n            x = 1\n        case _:\n            x = 2\n",
        &["b | bind x = 1 | RETURNED", "bind x = 2 | RETURNED", "not b | bind x = 2 | RETURNED"],
    );
    check("def f(a):\n    match a:\n        case 1:\n            x = 1\n", &["RETURNED", "bind x = 1 | RETURNED"]);
}

#[test]
fn the_process_ends() {
    check(
        "def f(a):\n    if a:\n        sys.exit(1)\n    x = 2\n",
        &["a | call sys.exit(1) | HALTED", "not a | bind x = 2 | RETURNED"],
    );
}

#[test]
fn comprehensions_run_in_place() {
    check(
        "def f(a):\n    return [b for b in a if b]\n",
        &[
            "bind b = element of a ? | RAISED",
            "bind b = element of a | b | yield b AGAIN",
            "bind b = element of a | not b AGAIN",
            "return <list of scope 2> | RETURNED",
        ],
    );
}

/// Whatever is nested in what.
#[test]
fn the_size_is_linear() {
    let mut branches = "def f(a):\n    if a == 0:\n        x = 0\n".to_owned();
    let mut tries = "def f(a):\n".to_owned();
    let mut finals = "def f(a):\n".to_owned();
    for number in 1..10_000 {
        let _ = writeln!(branches, "    elif a == {number}:\n        return {number}");
    }
    for number in 0..1_000 {
        let _ = writeln!(
            tries,
            "    try:\n        g({number})\n        if a:\n            return 1\n    finally:\n        h()"
        );
    }
    for depth in 1..60 {
        let indent = "    ".repeat(depth);
        let _ = writeln!(finals, "{indent}try:\n{indent}    g()\n{indent}    return 1\n{indent}finally:");
    }
    let _ = writeln!(finals, "{}h()", "    ".repeat(60));
    let mut nested = "def f(a):\n".to_owned();
    for depth in 1..90 {
        let _ = writeln!(nested, "{}try:", " ".repeat(depth));
    }
    let _ = writeln!(nested, "{}return g()", " ".repeat(90));
    for depth in (1..90).rev() {
        let indent = " ".repeat(depth);
        let _ = writeln!(nested, "{indent}finally:\n{indent} h()");
    }
    for source in [branches, tries, finals, nested] {
        let facts = facts(&source);
        let flow = flow(&facts);
        let things = facts.events.len() + facts.contexts.len();
        assert!(flow.steps.len() < 12 * things, "{} nodes for {things}", flow.steps.len());
    }
}
