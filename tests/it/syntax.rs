//! Any text makes a tree or a clear error, and never ends the process.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use unleak::source::{LineIndex, SourceFile, SourceKind};
use unleak::syntax::{self, DecodeError, Tree, decode};

fn tree(text: impl Into<String>) -> Tree {
    let file = SourceFile::new("a.py", text, SourceKind::Python);
    syntax::parse(&file)
}

#[test]
fn absurd_texts_never_end_the_process() {
    let n = 100_000;
    let blocks = |head: &str, depth: usize| {
        let mut text = String::new();
        for level in 0..depth {
            text.push_str(&"\t".repeat(level));
            text.push_str(head);
            text.push('\n');
        }
        text + &"\t".repeat(depth) + "pass\n"
    };
    let format_strings = |depth: usize| "f'{".repeat(depth) + "1" + &"}'".repeat(depth);
    let cases: Vec<(&str, String, bool)> = vec![
        ("open round", "(".repeat(n), true),
        ("open square", "[".repeat(n), true),
        ("open curly", "{".repeat(n), true),
        ("closed round", "(".repeat(n) + "1" + &")".repeat(n), true),
        ("closed square target", "[".repeat(n) + "a" + &"]".repeat(n) + " = 1", true),
        ("dictionaries", "{1: ".repeat(n) + "1" + &"}".repeat(n), true),
        ("ten million round", "(".repeat(10_000_000), true),
        ("closing only", ")".repeat(n), false),
        ("calls", "f(".repeat(n) + &")".repeat(n), true),
        ("calls of calls", "f".to_owned() + &"()".repeat(n), true),
        ("subscripts", "a[".repeat(n) + "1" + &"]".repeat(n), true),
        ("subscripts in a row", "a".to_owned() + &"[0]".repeat(n), true),
        ("blocks", blocks("if x:", 6_000), true),
        ("functions", blocks("def f():", 6_000), true),
        ("blocks on one line", "if x: ".repeat(n) + "pass", true),
        ("not", "not ".repeat(n) + "x", true),
        ("minus", "x = ".to_owned() + &"-".repeat(n) + "1", true),
        ("tilde", "~".repeat(n) + "1", true),
        ("star", "*".repeat(n) + "a, = b", true),
        ("await", "await ".repeat(n) + "x", true),
        ("yield", "yield ".repeat(n) + "x", true),
        ("async", "async ".repeat(n) + "x", true),
        ("lambda", "lambda: ".repeat(n) + "1", true),
        ("lambda with parameters", "lambda a, b: ".repeat(n) + "1", true),
        ("lambda in defaults", "lambda a=".repeat(n) + "1" + &": 1".repeat(n), true),
        ("sum", "1".to_owned() + &"+1".repeat(1_000_000), true),
        ("powers", "1".to_owned() + &"**1".repeat(n), true),
        ("comparisons", "1".to_owned() + &"<1".repeat(n), true),
        ("or", "a".to_owned() + &" or a".repeat(n), true),
        ("attributes", "a".to_owned() + &".b".repeat(n), true),
        ("methods", "a".to_owned() + &".b()".repeat(n), true),
        ("conditional", "x if y else ".repeat(n) + "z", true),
        ("walrus", "(a := ".repeat(n) + "1" + &")".repeat(n), true),
        ("elif", "if x: pass\n".to_owned() + &"elif x: pass\n".repeat(n), true),
        ("elif with blocks", "if x:\n pass\n".to_owned() + &"elif x:\n pass\n".repeat(n), true),
        ("format strings", format_strings(n), true),
        ("format specs", "f'{a:".to_owned() + &"{a:".repeat(n) + &"}".repeat(n) + "}'", true),
        ("patterns", "match x:\n case ".to_owned() + &"[".repeat(n) + &"]".repeat(n) + ": pass\n", true),
        ("class patterns", "match x:\n case ".to_owned() + &"A(".repeat(n) + &")".repeat(n) + ": pass\n", true),
        ("with", "with ".to_owned() + &"(".repeat(n) + &")".repeat(n) + ": pass\n", true),
        ("match subject", "match ".to_owned() + &"(".repeat(n) + &")".repeat(n) + ":\n case _: pass\n", true),
        ("type parameters", "def f".to_owned() + &"[T: f".repeat(n) + &"]".repeat(n) + "(): pass\n", true),
        ("comprehensions", "[a for a in ".repeat(n) + "b" + &"]".repeat(n), true),
        ("decorators", "@a\n".repeat(n) + "def f(): pass\n", false),
        ("assignments", "a = ".repeat(n) + "1\n", false),
        ("strings in a row", "x = (\n".to_owned() + &"'abc'\n".repeat(n) + ")\n", false),
        ("one long line", "x = [".to_owned() + &"1, 'two', [3, {4: 5}], f(6), -7, ".repeat(300_000) + "]\n", false),
        ("many lambdas", "x = {".to_owned() + &"'a': lambda a, b: a + b, ".repeat(n) + "}\n", false),
        ("many statements", "if x: pass\nelif y: pass\nelse: pass\n".repeat(n), false),
        ("statements on a line", "x = a + b; ".repeat(n) + "\n", false),
        ("open quote", "'''".to_owned() + &"a\n".repeat(n), false),
        ("backslashes", "\\\n".repeat(n), false),
        ("nothing", String::new(), false),
    ];
    std::thread::Builder::new()
        .stack_size(syntax::depth::STACK_SIZE)
        .spawn(move || {
            for (name, text, is_too_deep) in cases {
                let tree = tree(text);
                assert_eq!(tree.too_deep, is_too_deep, "{name}: {:?}", tree.errors.first());
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn depth_is_bounded_from_above_and_not_by_much() {
    let brackets = |depth: usize| "(".repeat(depth) + "1" + &")".repeat(depth);
    std::thread::Builder::new()
        .stack_size(syntax::depth::STACK_SIZE)
        .spawn(move || {
            let limit = syntax::depth::LIMIT as usize;
            assert!(!tree(brackets(limit)).too_deep);
            assert!(tree(brackets(limit + 1)).too_deep);
            // What was deep in one operand is not added to what is deep in the next.
            let calls = "f".to_owned() + &format!("({})", brackets(1_000)).repeat(100);
            assert!(!tree(calls).too_deep);
            // But it does stand below the operators that follow.
            assert!(tree(brackets(limit / 2) + &"+1".repeat(limit / 2 + 2)).too_deep);
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn too_deep_is_an_error_with_its_place() {
    let tree = tree("x = 1\n".to_owned() + &"[".repeat(10_000));
    assert!(tree.too_deep && tree.module.body.is_empty());
    assert_eq!(tree.errors[0].message, "nested too deeply to be checked (more than 5000 levels)");
    assert_eq!(tree.errors[0].span.start, 6 + syntax::depth::LIMIT);
    // Found by the lexer, before the parser.
    let file = SourceFile::new("a.py", "x = 1\n".to_owned() + &"[".repeat(1_000_000), SourceKind::Python);
    let tree = syntax::parse(&file);
    assert!(tree.too_deep && tree.errors[0].span.start >= 200_000);
}

#[test]
fn broken_text_keeps_what_could_be_understood() {
    let tree = tree("import a\ndef f(:\n    pass\nx = \ny = 2  # unleak: ignore\n");
    assert!(tree.module.body.len() >= 3);
    assert!(!tree.errors.is_empty() && !tree.too_deep);
    assert!(tree.errors.is_sorted_by_key(|error| error.span));
    assert!(tree.errors.iter().all(|error| !error.message.starts_with(char::is_uppercase)));
    assert_eq!(tree.directives.len(), 1);
}

#[test]
fn newest_syntax_is_no_error() {
    for text in ["type A[T = int] = list[T]\n", "try: pass\nexcept A, B: pass\n", "t'{x}'\n", "f'{f'{x}'}'\n"] {
        assert!(tree(text).errors.is_empty(), "{text}");
    }
}

#[test]
fn nul_bytes_are_an_error_and_no_end() {
    let tree = tree("a = 1\nb = \0 2\nc = 3\n\0");
    assert!(!tree.errors.is_empty());
    assert!(tree.module.body.len() >= 2);
}

fn text_of(bytes: &[u8]) -> Result<String, String> {
    decode(bytes.to_vec()).map_err(|DecodeError { message, place }| match place {
        Some((row, byte)) => format!("{row}:{byte}: {message}"),
        None => message,
    })
}

#[test]
fn bytes_are_decoded_as_python_decodes_them() {
    let cases: &[(&[u8], Result<&str, &str>)] = &[
        (b"", Ok("")),
        (b"x = '\xc3\xa9'", Ok("x = '\u{e9}'")),
        (b"\xef\xbb\xbfx = 1", Ok("x = 1")),
        (b"\xef\xbb\xbf# coding: utf-8\n", Ok("# coding: utf-8\n")),
        (b"\xef\xbb\xbf# coding: latin-1\n", Err("the byte order mark says UTF-8, the encoding line says `latin-1`")),
        (b"a\nb = '\xe9'", Err("2:6: byte 0xe9 is not valid UTF-8")),
        (b"a\r\n\rb = '\xe9'", Err("3:6: byte 0xe9 is not valid UTF-8")),
        (b"# -*- coding: latin-1 -*-\n'\xe9\x80'", Ok("# -*- coding: latin-1 -*-\n'\u{e9}\u{80}'")),
        (b"#coding=ISO_8859_1\n\xff", Ok("#coding=ISO_8859_1\n\u{ff}")),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n\x80", {
            Ok("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n\u{20ac}")
        }),
        (b"# coding: cp1252\n\x81", Err("2:1: byte 0x81 is not valid `cp1252`")),
        (b"# coding: koi8-r\n\xc1", Ok("# coding: koi8-r\n\u{430}")),
        (b"# coding: euc_jp\n\xa4\xa2", Ok("# coding: euc_jp\n\u{3042}")),
        (b"# coding: shift_jis\nab\x82", Err("2:3: byte 0x82 is not valid `shift_jis`")),
        (b"# coding: ascii\n\xe9", Err("2:1: byte 0xe9 is not valid ASCII")),
        (b"# coding: iso8859-15\n\xa4", Ok("# coding: iso8859-15\n\u{20ac}")),
        (b"# coding: uft-8\n", Err("unknown encoding `uft-8`")),
        (b"# coding: utf-16\n", Err("unknown encoding `utf-16`")),
        // Only in a comment, only in the first two lines, the second only after a blank or a comment.
        (b"x = 'coding: nonsense'\n", Ok("x = 'coding: nonsense'\n")),
        (b"x = 1\n# coding: nonsense\n", Ok("x = 1\n# coding: nonsense\n")),
        (b"\n\n# coding: nonsense\n", Ok("\n\n# coding: nonsense\n")),
        (b"\x0c\r# coding: nonsense\r", Err("unknown encoding `nonsense`")),
        (b"# encoding without a value, coding: ascii", Ok("# encoding without a value, coding: ascii")),
        (b"\xff\xfea\x00", Err("UTF-16, which Python does not read; save it as UTF-8")),
    ];
    for (bytes, expected) in cases {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(text_of(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn places_are_counted_as_python_and_people_do() {
    let text = "a\r\nb\rc\u{c}\u{2028}d\n\tx\u{1f600}e\u{301}y";
    let lines = LineIndex::new(text);
    assert_eq!(lines.rows(), 4);
    let place = |word: &str| {
        let offset = text.find(word).unwrap() as u32;
        (lines.row_and_column(text, offset), lines.utf16_position(text, offset))
    };
    assert_eq!(place("b"), ((2, 1), (1, 0)));
    assert_eq!(place("d"), ((3, 4), (2, 3)));
    assert_eq!(place("y"), ((4, 6), (3, 6)));
    assert_eq!(lines.line(text, 1), Some("a"));
    assert_eq!(lines.line(text, 4), Some("\tx\u{1f600}e\u{301}y"));
    assert_eq!(lines.line(text, 5), None);
    assert_eq!(lines.row_and_column(text, 9_999), (4, 7));
    assert_eq!(lines.offset_of_utf16(text, 3, 6), text.find('y').unwrap() as u32);
    assert_eq!(lines.offset_of_utf16(text, 0, 50), 1);
}

const NOTEBOOK: &str = r##"{"cells": [
 {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
 {"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": ["%time\n", "x = (1\n"]},
 {"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": []},
 {"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": ["import a\n", "y = a"]}
], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}"##;

#[test]
fn notebooks_are_places_in_cells() {
    let file = syntax::read(Path::new("a.ipynb"), NOTEBOOK.into(), SourceKind::Notebook).unwrap();
    let tree = syntax::parse(&file);
    assert!(!tree.errors.is_empty());
    let lines = LineIndex::new(&file.text);
    let place = |word: &str| {
        let position = file.position(&lines, file.text.find(word).unwrap() as u32);
        (position.cell, position.row, position.column)
    };
    assert_eq!(place("(1"), (Some(2), 2, 5));
    assert_eq!(place("y = a"), (Some(4), 2, 1));
    // The open bracket of one cell does not swallow the next.
    let error = file.position(&lines, tree.errors[0].span.start);
    assert_eq!(error.cell, Some(2));
    assert!(tree.module.body.len() >= 4);
}

#[test]
fn what_is_no_notebook_is_said_so() {
    let message =
        |json: &str| syntax::read(Path::new("a.ipynb"), json.into(), SourceKind::Notebook).unwrap_err().message;
    assert!(message("{").starts_with("not a notebook, because it is not valid JSON"));
    assert!(message("[]").starts_with("not a notebook: "));
    let old = NOTEBOOK.replace("\"nbformat\": 4", "\"nbformat\": 3");
    assert_eq!(message(&old), "a notebook of format 3; only format 4 can be read");
    let other = NOTEBOOK
        .replace("\"metadata\": {}, \"nbformat\"", r#""metadata": {"language_info": {"name": "R"}}, "nbformat""#);
    let file = syntax::read(Path::new("a.ipynb"), other.into(), SourceKind::Notebook).unwrap();
    assert_eq!(file.text, "");
}
