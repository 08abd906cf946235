//! The JSON Schema of a configuration, by which editors complete and check it.

use serde_json::{Value, json};

use crate::rules::page::pages;

/// Of `unleak.toml`, and of the table `tool.unleak` in `pyproject.toml`. JSON Schema, draft 7, which editors know best.
pub fn schema() -> Value {
    let rules = json!({"type": "array", "items": {"$ref": "#/definitions/rule"}});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let with = |base: &Value, description: &str| {
        let mut value = base.clone();
        value["description"] = json!(description);
        value
    };
    let text = json!({"type": "string"});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "unleak",
        "description": "`unleak.toml`, or the table `tool.unleak` in `pyproject.toml`",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "extend": with(&text, "Another configuration whose settings hold where this one says nothing."),
            "select": with(&rules, "The rules that run; all of them if not said."),
            "ignore": with(&rules, "Rules that do not run."),
            "per-file-ignores": {
                "description": "Rules that are left out in files of a pattern.",
                "type": "object",
                "additionalProperties": rules,
            },
            "severity": {
                "description": "What the findings of a rule are worth, in place of what the rule says.",
                "type": "object",
                "propertyNames": {"$ref": "#/definitions/rule"},
                "additionalProperties": {"enum": ["info", "warning", "error"]},
            },
            "min-confidence": {
                "description": "Findings that are less certain are left out.",
                "default": "medium",
                "enum": ["high", "medium", "low"],
            },
            "exclude": with(&texts, "Files and folders that are neither reported nor read, in place of the usual ones."),
            "extend-exclude": with(&texts, "More files and folders that are neither reported nor read."),
            "force-exclude": {
                "description": "Leave out excluded files also where they are named on the command line.",
                "default": false,
                "type": "boolean",
            },
            "baseline": with(&text, "A file of known findings, written by `unleak baseline`, which are not reported."),
            "model-files": with(&texts, "Files of models of libraries, beside those that unleak has."),
            "models": {
                "description": "Models of libraries, in the same tables as in a file of them.",
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "object", "required": ["name"]},
                },
            },
        },
        "definitions": {"rule": rule()},
    })
}

/// A word that names rules. A pattern stands beside the list for the starts of codes and for other cases.
fn rule() -> Value {
    let mut words: Vec<&str> = pages().iter().flat_map(|page| [page.code, page.name, page.family]).collect();
    words.push("ALL");
    words.sort_unstable();
    words.dedup();
    json!({
        "description": "A code, a name, a family, the start of a code, or `ALL`.",
        "anyOf": [{"enum": words}, {"type": "string", "pattern": "^[Ll][Kk]?[0-9]{0,3}$"}],
    })
}
