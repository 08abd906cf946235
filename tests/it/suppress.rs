//! Comments that silence: where they count, when they are unused, and how they are written and removed.

use std::fs;

use crate::cli::{LEAK, project, run, unleak};
use crate::{check_text, report};

/// `SEEN` leaks; `@` in the text stands for a comment that is put there.
const PROGRAM: &str = "\
@0SEEN = set()@1


@2@deco
@3def handle(@4
    request,
):@5
    if request.id in SEEN:@6
        return None
    @7SEEN.add(@8
        request.id
    )@9
    return request.body@10
";

/// The codes that are left with a comment at one place.
fn codes(place: usize, comment: &str) -> Vec<String> {
    let mut text = PROGRAM.to_owned();
    for number in (0..=10).rev() {
        let is_above = [0, 2, 3, 7].contains(&number);
        let indentation = if number == 7 { "    " } else { "" };
        let written = match (number == place, is_above) {
            (false, _) => String::new(),
            (true, true) => format!("{comment}\n{indentation}"),
            (true, false) => format!("  {comment}"),
        };
        text = text.replace(&format!("@{number}"), &written);
    }
    let text = text.replace("@deco\n", "@trace\n");
    check_text(&text).into_iter().map(|found| found.code).collect()
}

#[test]
fn a_comment_counts_at_every_step_and_nowhere_else() {
    let silent: [&[usize]; 3] =
        [&[0, 1, 2, 3, 4, 5, 7, 8, 9], &[0, 1, 3, 4, 5, 7, 8, 9], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]];
    let comments = ["# unleak: ignore[LK101] few", "# noqa: LK101", "# unleak: ignore-file[LK101]"];
    let mut failures = Vec::new();
    for (comment, silent) in comments.iter().zip(silent) {
        for place in 0..=10 {
            let codes = codes(place, comment);
            let expected: &[&str] = if silent.contains(&place) { &[] } else { &["LK101", "LK002"] };
            let (mut sorted, mut expected) = (codes.clone(), expected.to_vec());
            sorted.sort();
            expected.sort_unstable();
            if sorted != expected {
                failures.push(format!("{comment} at {place}: {codes:?}"));
            }
        }
    }
    report(failures);
}

#[test]
fn words_are_codes_names_and_families_or_none() {
    let with = |comment: &str| codes(1, comment);
    for comment in [
        "# unleak: ignore",
        "#unleak:ignore [ lk101 ]",
        "# type: ignore  # unleak: ignore[LK1]",
        "# unleak: ignore[growth] x # y",
    ] {
        assert_eq!(with(comment), [""; 0], "{comment}");
    }
    assert_eq!(with("# unleak: ignore[LK104]"), ["LK101", "LK002"]);
    assert_eq!(with("# unleak: ignore[LK1O1]"), ["LK101", "LK001"]);
    assert_eq!(with("# noqa"), ["LK101"]);
    assert_eq!(with("# noqa: E501"), ["LK101"]);
    assert_eq!(with("# NOQA:E501,LK101"), [""; 0]);
    let apart = check_text(&format!("# unleak: ignore[LK101]\n\n{LEAK}"));
    assert_eq!(apart.iter().map(|found| found.code.as_str()).collect::<Vec<_>>(), ["LK002", "LK101"]);
}

/// What is unused is so in the whole program, whatever part of it was asked about.
#[test]
fn a_comment_is_unused_only_if_nothing_needs_it() {
    let files = [
        ("setup.cfg", ""),
        ("state.py", "SEEN = set()\n"),
        (
            "views.py",
            "from state import SEEN\n\n\ndef handle(request):\n    SEEN.add(request.id)  # unleak: ignore[LK101]\n",
        ),
        ("other.py", "X = 1  # unleak: ignore[LK101]\n"),
    ];
    let folder = project(&files);
    let concise = |arguments: &[&str]| {
        run(unleak(folder.path()).args(["check", "--quiet", "--output-format=concise"]).args(arguments)).1
    };
    let unused = "other.py:1:8: LK002 this comment hides nothing: there is no `LK101` here\n";
    assert_eq!(concise(&[]), unused);
    assert_eq!(concise(&["views.py"]), "");
    assert_eq!(concise(&["state.py"]), "");
    assert_eq!(concise(&["other.py", "views.py"]), unused);
    assert_eq!(concise(&["--select", "LK104,LK002"]), unused);
    assert_eq!(concise(&["--ignore", "LK101"]), unused);
    assert_eq!(concise(&["--select", "LK101"]), "");
    assert_eq!(concise(&["--min-confidence", "high"]), unused);
}

const BEFORE: &str = "\
SEEN = set()  # known since 2019
NAMES = dict(
    a=1,
)  # unleak: ignore[LK201]


def handle(request):
    SEEN.add(request.id)
    NAMES[request.name] = request


def head(path): return open(path).read()
";

const AFTER: &str = "\
SEEN = set()  # known since 2019  # unleak: ignore[LK101] legacy
NAMES = dict(
    a=1,
)  # unleak: ignore[LK201, LK101]


def handle(request):
    SEEN.add(request.id)
    NAMES[request.name] = request


def head(path): return open(path).read()
";

#[test]
fn comments_are_written_for_what_is_found() {
    let folder = project(&[("x.py", BEFORE), ("broken.py", &format!("{LEAK}\ndef (\n"))]);
    let text = || fs::read_to_string(folder.path().join("x.py")).unwrap();
    let add = ["check", "--add-ignore=legacy", "--select", "LK1", "--quiet", "--output-format=concise"];
    let (code, out, _) = run(unleak(folder.path()).args(add).arg("--diff"));
    assert_eq!((code, text().as_str()), (1, BEFORE), "{out}");
    assert!(out.contains("+SEEN = set()  # known since 2019  # unleak: ignore[LK101] legacy\n"), "{out}");
    let (code, out, err) = run(unleak(folder.path()).args(add));
    assert_eq!(text(), AFTER, "{out}{err}");
    // A file with syntax errors is left alone.
    assert!(code == 1 && out.starts_with("broken.py:1:1: LK101 ") && out.lines().count() == 1, "{out}");
    run(unleak(folder.path()).args(add));
    assert_eq!(text(), AFTER);
}

#[test]
fn a_written_comment_may_stand_behind_a_text_of_several_rows() {
    let program = "QUERIES = ['''\nselect\n''']\n\n\ndef log(query):\n    QUERIES.append(query)\n";
    let folder = project(&[("x.py", program)]);
    let (code, out, err) = run(unleak(folder.path()).args(["check", "--add-ignore", "x.py"]));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.ends_with("Silenced 1 finding in 1 file.\n"), "{out}");
    let text = fs::read_to_string(folder.path().join("x.py")).unwrap();
    assert_eq!(text, program.replace("''']", "''']  # unleak: ignore[LK101]"));
}

#[test]
fn comments_that_are_not_needed_are_removed() {
    let before = "\
# unleak: ignore-file[LK301] nothing
A = 1  # unleak: ignore
B = 1  # noqa: E501, LK101
C = 1  # noqa: LK101
D = 1  # type: int  # unleak: ignore[LK101] few  # more
E = set()  # unleak: ignore[LK104, LK101, LK201]


def handle(request):
    # unleak: ignore[LK101]
    E.add(request.id)
    E.add(request.name)  # unleak: ignore[LK1O1]
";
    let after = "\
A = 1
B = 1  # noqa: E501
C = 1
D = 1  # type: int  # more
E = set()  # unleak: ignore[LK101]


def handle(request):
    # unleak: ignore[LK101]
    E.add(request.id)
    E.add(request.name)  # unleak: ignore[LK101]
";
    let folder = project(&[("x.py", before)]);
    let (code, out, err) = run(unleak(folder.path()).args(["check", "--fix", "--unsafe-fixes", "--quiet"]));
    assert_eq!(fs::read_to_string(folder.path().join("x.py")).unwrap(), after, "{out}{err}");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
}
