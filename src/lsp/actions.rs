//! What can be done about a finding: mend it, silence it here or where it is held, read about it.

use std::sync::Arc;

use gen_lsp_types::{Range, TextDocumentIdentifier, Uri};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use super::documents::Documents;
use super::{commands, diagnostics, places};
use crate::engine::{Outcome, ShownFile};
use crate::finding::{Applicability, Edit, Finding};
use crate::fix;
use crate::rules::page;

/// More places of one argument are hardly chosen from.
const MOST_PLACES: usize = 4;

/// What of a request's parameters counts; the diagnostics that editors send along need not be whole.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    text_document: TextDocumentIdentifier,
    range: Range,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    only: Option<Vec<String>>,
}

pub fn actions(params: &Parameters, outcomes: &[Arc<Outcome>], documents: &Documents, client: &Client) -> Vec<Value> {
    let uri = &params.text_document.uri;
    let only = params.context.only.as_ref();
    let is_wanted = |kind: &str| {
        let asks_for =
            |only: &String| kind == only || kind.strip_prefix(only).is_some_and(|rest| rest.starts_with('.'));
        only.is_none_or(|only| only.iter().any(|only| only.is_empty() || asks_for(only)))
    };
    let all = super::findings_in(uri, outcomes, documents);
    let mut actions = Vec::new();
    if is_wanted("quickfix") {
        let here: Vec<&(&Finding, &Outcome, Range)> =
            all.iter().filter(|(_, _, range)| meet(*range, params.range)).collect();
        for (finding, outcome, _) in here {
            actions.extend(of_finding(finding, outcome, documents, client));
        }
    }
    if is_wanted("source.fixAll.unleak") && all.iter().any(|(finding, ..)| finding.remedy.is_some()) {
        actions.push(fix_all(uri, client));
    }
    if !client.has_action_literals {
        actions = actions.into_iter().filter_map(|action| Some(action.get("command")?.clone())).collect();
    }
    actions
}

fn meet(one: Range, other: Range) -> bool {
    one.start <= other.end && other.start <= one.end
}

fn of_finding(finding: &Finding, outcome: &Outcome, documents: &Documents, client: &Client) -> Vec<Value> {
    let Some(file) = outcome.file(finding.location.file) else { return Vec::new() };
    let shown = diagnostics::diagnostic(finding, outcome, documents, client).map(|(_, diagnostic)| diagnostic);
    let mut actions = Vec::new();
    let mut add = |title: String, is_preferred: bool, edit: Option<Value>, command: Option<Value>| {
        let mut action = json!({"title": title, "kind": "quickfix", "diagnostics": [shown]});
        if is_preferred {
            action["isPreferred"] = true.into();
        }
        if let Some(edit) = edit {
            action["edit"] = edit;
        }
        if let Some(command) = command {
            action["command"] = command;
        }
        actions.push(action);
    };
    if let Some(fix) = fix::offered(file, &[finding]).into_iter().flatten().next() {
        let is_safe = fix.applicability == Applicability::Safe;
        let doubt = if is_safe { "" } else { " (unsafe: may change what the program does)" };
        let title = format!("{}: {}{doubt}", finding.code, fix.title);
        add(title, is_safe, edit_of(documents, client, file, &fix.edits), None);
    }
    for (title, file, finding) in silenced_places(finding, outcome) {
        let edits = fix::silencing(file, &[&finding]);
        if let Some(edit) = edit_of(documents, client, file, &edits) {
            add(title, false, Some(edit), None);
        }
    }
    if let Some(page) = page::page(finding.code) {
        let title = format!("{}: open the rule's page", page.code);
        add(title.clone(), false, None, Some(command(&title, commands::OPEN_RULE, page.code)));
    }
    actions
}

/// Where a comment silences a finding: on its own line, and on those of its argument. The same finding, as if it were
/// reported there.
fn silenced_places<'o>(finding: &Finding, outcome: &'o Outcome) -> Vec<(String, &'o ShownFile, Finding)> {
    let mut places = Vec::new();
    let mut rows = Vec::new();
    let code = finding.code;
    let here = (format!("{code}: suppress on this line"), finding.location);
    let holders =
        finding.related.iter().map(|label| (format!("{code}: suppress where {}", label.message), label.location));
    for (title, location) in [here].into_iter().chain(holders) {
        let Some(file) = outcome.file(location.file) else { continue };
        let row = (location.file, file.lines.row(location.span.start));
        if rows.contains(&row) || rows.len() > MOST_PLACES {
            continue;
        }
        rows.push(row);
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let title = if rows.len() == 1 { title } else { format!("{title} ({name}:{})", row.1) };
        places.push((title, file, Finding { location, ..finding.clone() }));
    }
    places
}

fn fix_all(uri: &Uri, client: &Client) -> Value {
    let title = "Mend all that unleak can mend safely";
    let mut action = json!({"title": title, "kind": "source.fixAll.unleak"});
    match client.resolves_edits {
        // It takes several checks of the whole program, so it is worked out when it is chosen.
        true => action["data"] = json!({"fixAll": uri.0}),
        false => action["command"] = command(title, commands::FIX_ALL, &uri.0),
    }
    action
}

fn command(title: &str, name: &str, argument: &str) -> Value {
    json!({"title": title, "command": name, "arguments": [argument]})
}

/// Edits of a file's text as the editor makes them; `None` where there is nothing to change.
pub fn edit_of(documents: &Documents, client: &Client, file: &ShownFile, edits: &[Edit]) -> Option<Value> {
    let mut by_document: FxHashMap<Uri, Vec<Value>> = FxHashMap::default();
    for edit in edits {
        // The text of a notebook that is not open by its cells is not what its file holds.
        if !places::lost_place(documents, file, edit.span).is_empty() {
            return None;
        }
        let place = places::location(documents, file, edit.span);
        by_document.entry(place.uri).or_default().push(json!({"range": place.range, "newText": edit.content}));
    }
    if by_document.is_empty() {
        return None;
    }
    if client.has_document_changes {
        let changes = by_document.into_iter().map(|(uri, edits)| {
            let version = documents.get(&uri).map(|document| document.version);
            json!({"textDocument": {"uri": uri, "version": version}, "edits": edits})
        });
        return Some(json!({"documentChanges": changes.collect::<Vec<_>>()}));
    }
    let changes: serde_json::Map<String, Value> =
        by_document.into_iter().map(|(uri, edits)| (uri.0, edits.into())).collect();
    Some(json!({"changes": changes}))
}
