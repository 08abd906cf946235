//! Configurations: which one holds for a file, what each key does, and what is said of a mistake.

use std::fs;

use tempfile::TempDir;

use crate::cli::{LEAK, project, run, unleak};

/// `path code` of each finding of a run with these arguments.
fn found(folder: &TempDir, arguments: &[&str]) -> Vec<String> {
    let arguments = ["check", "--output-format", "json"].iter().chain(arguments);
    let (code, out, err) = run(unleak(folder.path()).args(arguments));
    assert!(code < 2, "{err}");
    let findings: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings.iter().map(|finding| format!("{} {}", text(finding, "filename"), text(finding, "code"))).collect()
}

/// Two leaks of different rules.
fn two() -> String {
    format!("{LEAK}\n\nfrom functools import cache\n\n\n@cache\ndef page(user_id):\n    return render(user_id)\n")
}

#[test]
fn the_nearest_configuration_above_a_file_holds() {
    let folder = project(&[
        ("pyproject.toml", "[tool.unleak]\nselect = ['LK101']\n"),
        ("a/x.py", &two()),
        ("b/unleak.toml", "select = ['unbounded-cache']\n"),
        // It says nothing to unleak, and is not even right.
        ("b/c/pyproject.toml", "[project\n"),
        ("b/c/x.py", &two()),
        ("d/unleak.toml", "ignore = ['growth']\n"),
        ("d/pyproject.toml", "[tool.unleak]\n"),
        ("d/x.py", &two()),
    ]);
    let expected = ["a/x.py LK101", "b/c/x.py LK104"];
    assert_eq!(found(&folder, &[]), expected);
    let from_inside = run(unleak(&folder.path().join("a")).args(["check", "../b", "--output-format=concise", "-q"]));
    assert!(from_inside.1.starts_with("../b/c/x.py:") && from_inside.1.lines().count() == 1, "{}", from_inside.1);
    assert_eq!(found(&folder, &["--isolated"]).len(), 6);
    fs::write(folder.path().join("own.toml"), "select = []\n").unwrap();
    assert_eq!(found(&folder, &["--config", "own.toml"]), [""; 0]);
}

#[test]
fn the_command_line_is_laid_over_the_file() {
    let folder = project(&[("unleak.toml", "select = ['LK101']\nmin-confidence = 'high'\n"), ("x.py", &two())]);
    assert_eq!(found(&folder, &["--min-confidence", "medium"]), ["x.py LK101"]);
    assert_eq!(found(&folder, &["--select", "LK104", "--min-confidence", "medium"]), ["x.py LK104"]);
    assert_eq!(found(&folder, &["--ignore", "LK1", "--min-confidence", "medium"]), [""; 0]);
}

#[test]
fn one_configuration_extends_another() {
    let folder = project(&[
        ("base.toml", "ignore = ['LK101']\nextend-exclude = ['old']\n[severity]\nLK104 = 'info'\n"),
        ("app/unleak.toml", "extend = '../base.toml'\nmin-confidence = 'low'\n"),
        ("app/x.py", &two()),
        ("app/old/x.py", &two()),
    ]);
    assert_eq!(found(&folder, &["app"]), ["app/x.py LK104", "app/old/x.py LK104"][..1]);
    fs::write(folder.path().join("base.toml"), "extend = 'app/unleak.toml'\n").unwrap();
    let (code, _, err) = run(unleak(folder.path()).args(["check", "app"]));
    assert_eq!(code, 2);
    assert_eq!(err, "error: base.toml:1:10: `app/unleak.toml` extends itself\n");
}

#[test]
fn rules_are_left_out_in_some_files_and_files_in_all_rules() {
    let text = "\
extend-exclude = ['generated', 'app/vendored/*.py']
[per-file-ignores]
'app/*.py' = ['unbounded-container']
'y.py' = ['ALL']
";
    let folder = project(&[
        ("unleak.toml", text),
        ("app/x.py", &two()),
        ("app/y.py", &two()),
        ("app/deep/x.py", &two()),
        ("app/vendored/x.py", &two()),
        ("app/generated/x.py", &two()),
        ("build/x.py", &two()),
    ]);
    let expected = ["app/deep/x.py LK101", "app/deep/x.py LK104", "app/x.py LK104"];
    assert_eq!(found(&folder, &[]), expected);
    let both = ["build/x.py LK101", "build/x.py LK104"];
    assert_eq!(found(&folder, &["build/x.py"]), both);
    assert_eq!(found(&folder, &["build/x.py", "--force-exclude"]), [""; 0]);
    assert_eq!(found(&folder, &["--exclude", "app"]), both);
    assert_eq!(found(&folder, &["--extend-exclude", "deep"]), ["app/x.py LK104"]);
}

#[test]
fn what_git_ignores_is_left_out_where_exclusion_is_forced() {
    let folder = project(&[("setup.cfg", ""), (".gitignore", "made.py\n"), ("made.py", LEAK), ("x.py", LEAK)]);
    assert_eq!(found(&folder, &["made.py", "x.py"]).len(), 2);
    assert_eq!(found(&folder, &["made.py", "x.py", "--force-exclude"]), ["x.py LK101"]);
}

#[test]
fn severities_are_the_users() {
    let folder = project(&[("unleak.toml", "[severity]\ngrowth = 'info'\nLK101 = 'error'\n"), ("x.py", &two())]);
    let (_, out, _) = run(unleak(folder.path()).args(["check", "--output-format", "json"]));
    let findings: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let severities: Vec<&str> = findings.iter().filter_map(|finding| finding["severity"].as_str()).collect();
    // The more specific word wins.
    assert_eq!(severities, ["error", "info"]);
}

#[test]
fn models_stand_in_the_file_or_beside_it() {
    let model = "name = 'memory.remember'\ndefault = 'unbounded'\n";
    let text = "from memory import remember\n\n\n@remember\ndef page(user_id):\n    return render(user_id)\n";
    let folder = project(&[("unleak.toml", &format!("[[models.cache]]\n{model}")), ("x.py", text)]);
    assert_eq!(found(&folder, &[]), ["x.py LK104"]);
    fs::write(folder.path().join("unleak.toml"), "model-files = ['memory.toml']\n").unwrap();
    fs::write(folder.path().join("memory.toml"), format!("library = 'memory'\n[[cache]]\n{model}")).unwrap();
    assert_eq!(found(&folder, &[]), ["x.py LK104"]);
    assert_eq!(found(&folder, &["--isolated"]), [""; 0]);
    fs::write(folder.path().join("memory.toml"), "library = 'memory'\n[[cahce]]\n").unwrap();
    let (code, out, err) = run(unleak(folder.path()).arg("check"));
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(err, "error: memory.toml:2:3: unknown key `cahce`; did you mean `cache`?\n");
}

#[test]
fn a_mistake_is_named_with_its_place_and_the_nearest_word() {
    let cases = [
        ("selct = []", "1:1: unknown key `selct`; did you mean `select`?"),
        ("select = ['LK1O1']", "1:11: no rule is called `LK1O1`; did you mean `LK101`?"),
        ("ignore = [\n  'grwoth']", "2:3: no rule is called `grwoth`; did you mean `growth`?"),
        ("min-confidence = 'hihg'", "1:18: unknown value `hihg`; did you mean `high`?"),
        ("[severity]\nLK101 = 'eror'", "2:9: unknown value `eror`; did you mean `error`?"),
        ("[severity]\nLK1001 = 'error'", "2:1: no rule is called `LK1001`; did you mean `LK001`?"),
        ("select = 'LK101'", "1:10: invalid type: string \"LK101\", expected a sequence"),
        ("exclude = ['a[']", "1:12: `a[` is no pattern: unclosed character class; missing ']'"),
        (
            "[per-file-ignores]\n'a{' = []",
            "2:1: `a{` is no pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        ),
        ("extend = 'absent.toml'", "1:10: `absent.toml`: No such file or directory (os error 2)"),
        ("model-files = ['absent.toml']", "1:16: `absent.toml`: No such file or directory (os error 2)"),
        ("[[models.cache]]\nname = 'a b'\ndefault = 'bounded'", "2:8: `a b` is not a dotted name"),
        ("[[models.cache]]\nname = 'a'\ndefalt = 'bounded'", "3:1: unknown key `defalt`; did you mean `default`?"),
        ("a = = 1", "1:5: "),
    ];
    for (text, expected) in cases {
        let folder = project(&[("unleak.toml", text), ("x.py", LEAK)]);
        let (code, out, err) = run(unleak(folder.path()).arg("check"));
        assert_eq!((code, out.as_str()), (2, ""), "{text}");
        assert!(err.starts_with(&format!("error: unleak.toml:{expected}")), "{text}\n{err}");
        let named = run(unleak(folder.path()).args(["check", "--config", "unleak.toml", "--quiet"]));
        assert_eq!((named.0, named.2.contains(expected)), (2, true), "{}", named.2);
        assert_eq!(run(unleak(folder.path()).args(["check", "--isolated"])).0, 1);
    }
    let folder =
        project(&[("pyproject.toml", "[project]\nname = 'x'\n\n[tool.unleak]\n  selcet = 1\n"), ("x.py", LEAK)]);
    let (_, _, err) = run(unleak(folder.path()).arg("check"));
    assert_eq!(err, "error: pyproject.toml:5:3: unknown key `selcet`; did you mean `select`?\n");
}

#[test]
fn settings_that_are_shown_are_settings() {
    let text = "\
ignore = ['LK104']
min-confidence = 'high'
extend-exclude = ['tests/data']
force-exclude = true
[severity]
LK101 = 'error'
[per-file-ignores]
'tests/*.py' = ['LK2']
";
    let folder = project(&[("unleak.toml", text), ("x.py", ""), ("y.py", ""), ("z/x.py", ""), ("z/unleak.toml", "")]);
    let (code, shown, err) = run(unleak(folder.path()).args(["check", "--show-settings", "x.py", "y.py"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(shown.starts_with("# for 2 files, of which the first is x.py\n# from "), "{shown}");
    fs::write(folder.path().join("unleak.toml"), &shown).unwrap();
    assert_eq!(run(unleak(folder.path()).args(["check", "--show-settings", "x.py", "y.py"])).1, shown);
    let (_, all, _) = run(unleak(folder.path()).args(["check", "--show-settings"]));
    assert_eq!(all.matches("# for ").count(), 2, "{all}");
    let files = run(unleak(folder.path()).args(["check", "--show-files", "--exclude", "y.py"]));
    assert_eq!(files, (0, "x.py\nz/x.py\n".to_owned(), String::new()));
}

#[test]
fn the_schema_knows_every_key_and_accepts_what_unleak_does() {
    let here = project(&[]);
    let (code, out, _) = run(unleak(here.path()).args(["config", "schema"]));
    assert_eq!(code, 0);
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    let mut keys: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let folder = project(&[("unleak.toml", "x-x-x-x-x-x-x-x-x-x = 1\n"), ("x.py", LEAK)]);
    let (_, _, err) = run(unleak(folder.path()).arg("check"));
    let mut known: Vec<String> = err.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    keys.sort();
    known.sort();
    assert_eq!(keys, known);
    for example in readme_examples() {
        let value: serde_json::Value = toml::from_str(&example).unwrap();
        let table = value.get("tool").and_then(|tool| tool.get("unleak")).unwrap_or(&value);
        assert_eq!(mistakes(table, &schema, &schema), [""; 0], "{example}");
    }
    for wrong in
        ["selct = []", "select = ['LK1O1']", "min-confidence = 'hihg'", "force-exclude = 1", "[severity]\nX = 'info'"]
    {
        let value: serde_json::Value = toml::from_str(wrong).unwrap();
        assert_eq!(mistakes(&value, &schema, &schema).len(), 1, "{wrong}");
    }
}

/// The configurations that the README shows: they are run as well.
fn readme_examples() -> Vec<String> {
    let readme = fs::read_to_string(crate::root().join("README.md")).unwrap();
    let blocks: Vec<String> =
        (readme.split("```toml\n").skip(1)).filter_map(|block| Some(block.split_once("```")?.0.to_owned())).collect();
    assert!(!blocks.is_empty());
    for block in &blocks {
        let name = if block.contains("[tool.unleak") { "pyproject.toml" } else { "unleak.toml" };
        let folder =
            project(&[(name, block), ("x.py", LEAK), (".unleak-baseline.json", "[\n{\"unleak-baseline\": 1}\n]\n")]);
        let (code, _, err) = run(unleak(folder.path()).arg("check"));
        assert!(code < 2, "{block}\n{err}");
    }
    blocks
}

/// As much of JSON Schema as the schema uses, by the words of its draft 7.
fn mistakes(value: &serde_json::Value, schema: &serde_json::Value, root: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    for (word, rule) in schema.as_object().unwrap() {
        let is_kept = match word.as_str() {
            "$ref" => {
                let path = rule.as_str().unwrap().trim_start_matches('#');
                found.extend(mistakes(value, root.pointer(path).unwrap(), root));
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                other => panic!("no such type: {other}"),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "pattern" => {
                assert_eq!(rule, "^[Ll][Kk]?[0-9]{0,3}$");
                let word = value.as_str().unwrap_or_default().to_lowercase();
                let digits = word.strip_prefix("lk").or(word.strip_prefix('l')).unwrap_or("x");
                digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
            }
            "anyOf" => rule.as_array().unwrap().iter().any(|one| mistakes(value, one, root).is_empty()),
            "required" => rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
            "items" => {
                found.extend(value.as_array().into_iter().flatten().flat_map(|item| mistakes(item, rule, root)));
                true
            }
            "propertyNames" => {
                let names = value.as_object().into_iter().flat_map(|table| table.keys());
                found.extend(names.flat_map(|name| mistakes(&serde_json::json!(name), rule, root)));
                true
            }
            "properties" => {
                let table = value.as_object().unwrap();
                let known = table.iter().filter_map(|(key, value)| Some((value, rule.get(key)?)));
                found.extend(known.flat_map(|(value, rule)| mistakes(value, rule, root)));
                true
            }
            "additionalProperties" => {
                let table = value.as_object().unwrap();
                let more = table.iter().filter(|(key, _)| schema.pointer(&format!("/properties/{key}")).is_none());
                match rule.as_bool() {
                    Some(allowed) => allowed || more.count() == 0,
                    None => {
                        found.extend(more.flat_map(|(_, value)| mistakes(value, rule, root)));
                        true
                    }
                }
            }
            "$schema" | "title" | "description" | "default" | "definitions" => true,
            other => panic!("the schema uses `{other}`, which this test does not know"),
        };
        if !is_kept {
            found.push(format!("{value}: not as `{word}` says"));
        }
    }
    found
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error() {
    let folder = project(&[("x.py", LEAK)]);
    fs::write(folder.path().join("unleak.toml"), b"select = ['\xff']\n").unwrap();
    let (code, _, err) = run(unleak(folder.path()).arg("check"));
    assert_eq!((code, err.as_str()), (2, "error: unleak.toml: it is not in UTF-8\n"));
    let (code, _, err) = run(unleak(folder.path()).args(["check", "--config", "absent.toml"]));
    assert_eq!((code, err.as_str()), (2, "error: absent.toml: No such file or directory (os error 2)\n"));
    fs::write(folder.path().join("pyproject.toml"), "[project]\n").unwrap();
    let (code, _, err) = run(unleak(folder.path()).args(["check", "--config", "pyproject.toml"]));
    assert_eq!((code, err.as_str()), (2, "error: pyproject.toml: it has no table `[tool.unleak]`\n"));
}
