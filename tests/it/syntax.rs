//! Any text makes a tree or a clear error, and never ends the process.

use std::path::Path;

use unleak::source::{LineIndex, SourceFile, SourceKind};
use unleak::syntax::{self, Tree, decode};

fn tree(text: impl Into<String>) -> Tree {
    let file = SourceFile::new("a.py", text, SourceKind::Python);
    // As the engine does: a deep tree is dropped where there is room.
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
        ("format specs", "f'{a:".repeat(1) + &"{a:".repeat(n) + &"}".repeat(n) + "}'", true),
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
