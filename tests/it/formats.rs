//! The formats for other programs, each read back as its reader reads it: by the official schema, by a parser of
//! somebody else, or by the inverse of the escapes that the reader's documentation names.

use std::path::Path;

use clap::ValueEnum;
use serde_json::Value;
use unleak::finding::{Applicability, Confidence, Edit, Evidence, Finding, Fix, Severity, Verdict};
use unleak::output::line_hash::line_hashes;
use unleak::output::{Format, escape};
use unleak::source::{SourceFile, SourceKind};

use crate::output::{Program, check_file, label, program, without_styles};

/// What a file name, a message and a line may hold to break out of a format.
const NASTY: &str = "50%]]>;,:&<b>\"'`|\\ \u{1b}[31m\n::error::\r🙂日本\u{202e}\u{0}\u{ffff}{{x}}\t#";

/// A finding all of whose texts are nasty, with a fix.
fn nasty() -> Program {
    let text = format!("# 日本🙂 {NASTY}\nnames = open('日本🙂').read(); keep(names)\n");
    let path = format!("/home/user/project/a b/{NASTY}.py");
    let mut program = Program { files: vec![SourceFile::new(path, text, SourceKind::Python)], findings: Vec::new() };
    let place = program.at(0, "open('日本🙂')", 0);
    let fix = Fix {
        title: NASTY.into(),
        applicability: Applicability::Unsafe,
        edits: vec![Edit { span: program.at(0, ".read()", 0).span, content: NASTY.into() }],
    };
    program.findings.push(Finding {
        code: "LK204",
        severity: Severity::Error,
        confidence: Confidence::Low,
        location: place,
        message: NASTY.into(),
        label: NASTY.into(),
        related: vec![label(program.at(0, "keep(names)", 0), NASTY)],
        symbol: NASTY.into(),
        effect: None,
        remedy: None,
        fix: Some(fix),
        evidence: Some(Evidence { verdict: Verdict::Confirmed, note: NASTY.into(), series: vec![(1, 1), (20, 9)] }),
    });
    program
}

fn written(program: &Program, format: Format) -> String {
    String::from_utf8(program.styled(format)).unwrap()
}

fn read(program: &Program, format: Format) -> Value {
    serde_json::from_str(&written(program, format)).unwrap()
}

/// All that the formats are tried on.
fn programs() -> [Program; 3] {
    [program(), nasty(), Program { files: Vec::new(), findings: Vec::new() }]
}

#[track_caller]
fn assert_valid(schema: &str, report: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schemas").join(schema);
    // SARIF's schema has a bracket that is not escaped, which JavaScript allows and the validator does not.
    let text = std::fs::read_to_string(path).unwrap().replace("{2}]?$", "{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn every_format_has_its_bytes() {
    let files = [
        (Format::Grouped, "grouped.txt"),
        (Format::JsonLines, "report.jsonl"),
        (Format::Sarif, "report.sarif"),
        (Format::Github, "github.txt"),
        (Format::Gitlab, "gitlab.json"),
        (Format::Junit, "junit.xml"),
        (Format::Rdjson, "rdjson.json"),
        (Format::Azure, "azure.txt"),
        (Format::Pylint, "pylint.txt"),
        (Format::Markdown, "report.md"),
    ];
    for (format, file) in files {
        check_file(&format!("fixtures/output/{file}"), &without_styles(&program().styled(format)));
    }
}

#[test]
fn only_formats_for_terminals_have_styles() {
    let mut program = program();
    program.findings.retain(|finding| !program.files[finding.location.file.0 as usize].text.contains('\x1b'));
    for format in Format::value_variants() {
        let styled = program.styled(*format);
        assert_eq!(styled.contains(&b'\x1b'), format.is_for_terminals(), "{format:?}");
    }
}

#[test]
fn json_lines_are_the_entries_of_json() {
    for program in programs() {
        let lines = written(&program, Format::JsonLines);
        let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(Value::Array(entries), read(&program, Format::Json));
    }
    assert_eq!(read(&nasty(), Format::Json)[0]["message"], NASTY);
}

#[test]
fn sarif_is_valid() {
    for program in programs() {
        assert_valid("sarif-2.1.0.json", &read(&program, Format::Sarif));
    }
}

#[test]
fn sarif_tells_the_whole_argument() {
    let log = read(&program(), Format::Sarif);
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], result["ruleId"]);
    assert!(rule["help"]["markdown"].as_str().unwrap().contains("## What to do"));
    assert!(rule["properties"]["tags"].as_array().unwrap().iter().any(|tag| tag == "external/cwe/cwe-401"));

    let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    let rows: Vec<&Value> =
        steps.iter().map(|step| &step["location"]["physicalLocation"]["region"]["startLine"]).collect();
    assert_eq!(rows, [3, 7, 12]);
    assert_eq!(result["relatedLocations"].as_array().unwrap().len(), 2);
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "each call of `handle` adds an item here");
    let artifact = &result["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(*artifact, serde_json::json!({"uri": "app/state.py", "uriBaseId": "%SRCROOT%"}));
    assert!(run["originalUriBaseIds"].get("%SRCROOT%").is_some());
    // The second line of two; the numbers are those of GitHub's action.
    assert_eq!(result["partialFingerprints"]["primaryLocationLineHash"], line_hashes(STATE)[2]);
}

const STATE: &str = "from collections import defaultdict\n\nSEEN = set()\nBY_USER = defaultdict(list)\n";

#[test]
fn what_a_run_has_shown_is_the_last_step_in_sarif_and_a_chart_in_the_page() {
    let mut program = nasty();
    program.findings[0].evidence.as_mut().unwrap().note = "from 1 to 9 in 19 calls".into();
    let result = &read(&program, Format::Sarif)["runs"][0]["results"][0];
    let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    let last = steps.last().unwrap();
    assert_eq!(last["kinds"][0], "observed");
    let said = last["location"]["message"]["text"].as_str().unwrap();
    assert!(said.starts_with("observed: confirmed: from 1 to 9 in 19 calls  ▁"), "{said}");
    assert_eq!(result["properties"]["observed"]["series"], serde_json::json!([[1, 1], [20, 9]]));

    let shown = &page_data(&written(&program, Format::Html))["findings"][0]["observed"];
    assert_eq!((&shown["verdict"], &shown["series"][1]), (&"confirmed".into(), &serde_json::json!([20, 9])));
}

#[test]
fn sarif_names_files_as_uris() {
    let uri = |path: &str| {
        let mut program = program();
        program.files[0].path = path.into();
        let log = read(&program, Format::Sarif);
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"].clone()
    };
    let below = |uri: &str| serde_json::json!({"uri": uri, "uriBaseId": "%SRCROOT%"});
    let outside = |uri: &str| serde_json::json!({ "uri": uri });
    assert_eq!(uri("a b/50%.py"), below("a%20b/50%25.py"));
    assert_eq!(uri("a:b.py"), below("a%3Ab.py"));
    assert_eq!(uri("Ü🙂.py"), below("%C3%9C%F0%9F%99%82.py"));
    assert_eq!(uri("-"), below("-"));
    if cfg!(unix) {
        assert_eq!(uri("/home/user/project/app.py"), below("app.py"));
        assert_eq!(uri("/srv/x y.py"), outside("file:///srv/x%20y.py"));
        assert_eq!(uri("../other/./x.py"), outside("file:///home/user/other/x.py"));
        assert_eq!(uri("back\\slash?#.py"), below("back%5Cslash%3F%23.py"));
    }
}

/// The expected values were computed by GitHub's own action.
#[test]
fn lines_have_the_hashes_that_github_computes() {
    assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
    let code = "SEEN = set()\n\n\ndef handle(request):\n\tSEEN.add(request.id)\n\treturn request.body\n";
    let expected = [
        "d93542c582e0bdf7:1",
        "3a2c2e396387fd70:1",
        "7042884563870ec6:1",
        "417d8c0163649034:1",
        "10cd44bd835c8e33:1",
        "a78c18122a5159de:1",
        "c129715d7a2bc9a3:1",
    ];
    assert_eq!(line_hashes(code), expected);
    assert_eq!(line_hashes(&code.replace('\n', "\r\n")), expected);
    assert_eq!(line_hashes(&code.replace(['\t', ' '], "  \t")), expected);
    let unended = [
        "37f2979431cf61f1:1",
        "28b3efa9cb51b82a:1",
        "72f9d4e2522517a6:1",
        "731679e1ef52fe6d:1",
        "aa1f77a197de3357:1",
        "2bafa474670c5ca1:1",
        "58429ecce5a8d0db:1",
    ];
    assert_eq!(line_hashes("a\r\n \tb\rc\r \nd\n\r\nlast"), unended);
    let wide = ["4599bcbedc008416:1", "bbce2aaeb7aa4858:1", "c129715d7a2bc9a3:1"];
    assert_eq!(line_hashes("名前 = '🙂'\nx = '🙂é'\n"), wide);
    let long = format!("x = {}\ny = 1\n", "0123456789".repeat(30));
    assert_eq!(line_hashes(&long), ["c6f64e7fd11b9e1e:1", "17ab1ef2caecdd1c:1", "c129715d7a2bc9a3:1"]);

    let same = line_hashes(&"pass\n".repeat(120));
    assert_eq!(same.len(), 121);
    assert_eq!((same[0].as_str(), same[99].as_str()), ("ce93db9bf14334ac:1", "ce93db9bf14334ac:100"));
    assert_eq!((same[101].as_str(), same[119].as_str()), ("ce93dbb87d4741ea:1", "d9ebd24fce30bc54:1"));
}

#[test]
fn gitlab_is_valid_and_tells_findings_apart() {
    for program in programs() {
        let report = read(&program, Format::Gitlab);
        assert_valid("gitlab.json", &report);
        let issues = report.as_array().unwrap();
        let mut fingerprints: Vec<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), program.findings.len());
    }
}

#[test]
fn rdjson_is_valid_and_counts_bytes() {
    for program in programs() {
        assert_valid("rdjson.json", &read(&program, Format::Rdjson));
    }
    let program = nasty();
    let diagnostic = &read(&program, Format::Rdjson)["diagnostics"][0];
    let text = &program.files[0].text;
    for (range, expected) in
        [(&diagnostic["location"]["range"], "open('日本🙂')"), (&diagnostic["suggestions"][0]["range"], ".read()")]
    {
        let at = |position: &Value| {
            let line = position["line"].as_u64().unwrap() as usize;
            let starts: Vec<usize> = std::iter::once(0).chain(line_ends(text)).collect();
            starts[line - 1] + position["column"].as_u64().unwrap() as usize - 1
        };
        assert_eq!(&text[at(&range["start"])..at(&range["end"])], expected);
    }
    assert_eq!(diagnostic["suggestions"][0]["text"], NASTY);
}

/// Where the next lines begin, as Python sees them.
fn line_ends(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    (0..bytes.len()).filter(ends).map(|at| at + 1).collect()
}

#[test]
fn junit_is_read_by_a_parser_of_junit() {
    use quick_junit::{Report, TestCaseStatus};
    for program in programs() {
        let report = Report::deserialize_from_str(&written(&program, Format::Junit)).unwrap();
        assert_eq!(report.name.as_ref().unwrap().as_str(), "unleak");
        let cases: Vec<_> = report.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
        assert_eq!(report.tests, cases.len());
        assert_eq!(report.failures, program.findings.len());
        assert_eq!(cases.len(), program.findings.len().max(1));
        for suite in &report.test_suites {
            assert_eq!(suite.tests, suite.test_cases.len());
            // What the parser can write again, it has understood.
            assert!(Report::deserialize_from_str(&report.to_string().unwrap()).is_ok());
        }
        for (case, finding) in cases.iter().zip(&program.findings) {
            let TestCaseStatus::NonSuccess { message, ty, .. } = &case.status else { panic!("{case:?}") };
            assert_eq!(ty.as_ref().unwrap().as_str(), finding.code);
            let shown = unleak::output::printable_line(&finding.message).replace('\u{ffff}', "\u{fffd}");
            assert!(message.as_ref().unwrap().as_str().ends_with(&shown), "{message:?}");
        }
    }
}

/// What a runner makes of a line: its properties and its message.
fn decoded(line: &str, table: &[(&str, &str)]) -> String {
    // The sign of the escape is put back last, or what was never escaped would be.
    table.iter().rev().fold(line.to_owned(), |text, (escaped, character)| text.replace(escaped, character))
}

#[test]
fn github_reads_one_command_a_line() {
    let data = [("%25", "%"), ("%0D", "\r"), ("%0A", "\n")];
    let property = [("%25", "%"), ("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")];
    for program in programs() {
        let out = written(&program, Format::Github);
        assert_eq!(out.split_terminator(['\n', '\r']).count(), program.findings.len(), "{out}");
    }
    let out = written(&nasty(), Format::Github);
    let (properties, message) = out.trim_end().strip_prefix("::error ").unwrap().split_once("::").unwrap();
    let value = |name: &str| {
        let found = properties.split(',').find_map(|entry| entry.strip_prefix(name)?.strip_prefix('=')).unwrap();
        decoded(found, &property)
    };
    assert_eq!(value("file"), format!("a b/{NASTY}.py"));
    assert_eq!((value("line"), value("col")), ("4".into(), "9".into()));
    let shown = unleak::output::printable_line(NASTY);
    assert!(decoded(message, &data).starts_with(&format!("{shown}\n{shown}\n(1) ")), "{message}");

    // With several lines there is no column.
    let several = written(&program(), Format::Github).lines().nth(2).unwrap().to_owned();
    assert!(several.contains(",line=4,endLine=") && !several.contains("col="), "{several}");
}

#[test]
fn azure_reads_one_command_a_line() {
    let data = [("%AZP25", "%"), ("%0D", "\r"), ("%0A", "\n")];
    let property = [("%AZP25", "%"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%3B", ";")];
    for program in programs() {
        let out = written(&program, Format::Azure);
        assert_eq!(out.split_terminator(['\n', '\r']).count(), program.findings.len(), "{out}");
    }
    let out = written(&nasty(), Format::Azure);
    let (properties, message) = out.trim_end().strip_prefix("##vso[task.logissue ").unwrap().split_once(']').unwrap();
    let value = |name: &str| {
        let found = properties.split(';').find_map(|entry| entry.strip_prefix(name)?.strip_prefix('=')).unwrap();
        decoded(found, &property)
    };
    assert_eq!((value("type"), value("code")), ("error".into(), "LK204".into()));
    assert_eq!(value("sourcepath"), format!("a b/{NASTY}.py"));
    let shown = unleak::output::printable_line(NASTY);
    assert!(decoded(message, &data).starts_with(&format!("{shown}\n{shown}\n(1) ")), "{message}");
}

/// `path:row: [code(name), symbol] message`, which is how readers of Pylint's lines take them apart.
#[test]
fn pylint_lines_can_be_taken_apart() {
    for program in programs() {
        let out = written(&program, Format::Pylint);
        assert_eq!(out.lines().count(), program.findings.len(), "{out}");
        for line in out.lines() {
            let (place, rest) = line.split_once(": [LK").unwrap();
            let (_, row) = place.rsplit_once(':').unwrap();
            assert!(row.parse::<u32>().unwrap() > 0);
            let (code, rest) = rest.split_once('(').unwrap();
            assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{line}");
            assert!(rest.contains("), ") && rest.contains("] "), "{line}");
        }
    }
}

#[test]
fn markdown_keeps_its_table_whatever_the_message_says() {
    let out = written(&nasty(), Format::Markdown);
    let (_, table) = out.split_once("|---|---|---|---|\n").unwrap();
    let row = table.lines().next().unwrap();
    assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{row}");
    assert!(!out.contains("<b>") || out.contains("`"), "{out}");
    assert_eq!(escape::markdown("`a|b` grows <i> & @you *x*"), "`a\\|b` grows &lt;i> &amp; &#64;you \\*x\\*");
    assert_eq!(escape::markdown("one ` alone"), "one \\` alone");
    assert_eq!(escape::markdown("`code` and ` alone"), "`code` and \\` alone");
}

#[test]
fn markdown_stays_short_enough_for_a_comment() {
    let mut many = program();
    let first = many.findings[0].clone();
    many.findings = std::iter::repeat_n(first, 2000).collect();
    let out = written(&many, Format::Markdown);
    assert!(out.len() < 60_000, "{}", out.len());
    assert!(out.contains("\n… and 1900 findings more.\n"));
}

#[test]
fn fixes_are_told_to_those_who_can_make_them() {
    let log = read(&nasty(), Format::Sarif);
    let replacement = &log["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], NASTY);
    let region = &replacement["deletedRegion"];
    assert_eq!(region["endColumn"].as_u64().unwrap() - region["startColumn"].as_u64().unwrap(), 7);
}

/// The data of a page.
fn page_data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_page_is_one_file_that_loads_nothing() {
    for program in programs() {
        // A reference to an arrow of the page itself is none.
        let page = written(&program, Format::Html).replace("url(#tip)", "");
        assert!(page.contains("default-src 'none'"), "a browser is told to load nothing");
        for loads in ["src=\"", "@import", "url(", "fetch(", "XMLHttpRequest", "<link rel=\"stylesheet\""] {
            assert!(!page.contains(loads), "{loads}");
        }
        // Whatever a message says, the page has the elements of its own and no others.
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
        assert_eq!(page_data(&page)["findings"].as_array().unwrap().len(), program.findings.len());
    }
}

#[test]
fn the_page_marks_the_places_in_their_lines() {
    for program in [program(), nasty()] {
        let data = page_data(&written(&program, Format::Html));
        for (shown, finding) in data["findings"].as_array().unwrap().iter().zip(&program.findings) {
            let places = std::iter::once(finding.location).chain(finding.related.iter().map(|label| label.location));
            for (step, place) in shown["steps"].as_array().unwrap().iter().zip(places) {
                let number = |key: &str| step[key].as_u64().unwrap() as usize;
                let line = step["lines"][number("row") - number("first")].as_str().unwrap_or_default();
                let marked: String = line.chars().skip(number("from")).take(number("to") - number("from")).collect();
                let text = &program.files[place.file.0 as usize].text;
                let expected = text.get(place.span.start as usize..place.span.end as usize).unwrap_or_default();
                assert_eq!(marked, expected.lines().next().unwrap_or_default(), "{step}");
            }
        }
    }
}

#[test]
fn the_page_draws_what_the_argument_says_of_a_cycle() {
    let cycle = |label: &str, steps: &[&str]| {
        let mut program = program();
        program.findings.truncate(1);
        let finding = &mut program.findings[0];
        finding.label = label.into();
        let place = finding.location;
        finding.related = steps.iter().map(|step| crate::output::label(place, step)).collect();
        page_data(&written(&program, Format::Html))["findings"][0]["cycle"].clone()
    };
    let there_and_back =
        cycle("only the collector", &["stored here: `A` → `B`", "stored here: `B` → bound method → `A`"]);
    let expected = serde_json::json!([["A", "B", 1], ["B", "bound method", 2], ["bound method", "A", null]]);
    assert_eq!(there_and_back, expected);
    let frame = cycle("`failure` → exception → frame of `fetch` → `failure`", &["caught here"]);
    assert_eq!(frame.as_array().unwrap().len(), 3);
    assert_eq!(cycle("`self` → `self`", &[]), serde_json::json!([["self", "self", 0]]));
    assert_eq!(cycle("`kept` → exception → frames", &[]), serde_json::json!([]));
    assert_eq!(cycle("held", &["`A` → `B`", "`B` → `A`", "`A` → `C`"]).as_array().unwrap().len(), 2);
}
