"""A session with pytest-lsp, a client of its own: what is asked for is answered as the protocol's types say.

`UNLEAK` is the program.
"""

import os
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

LEAK = "# 😀\nSEEN = set()\n\n\ndef handle(request):\n    SEEN.add(request.id)\n"


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[os.environ["UNLEAK"], "server"]))
async def client(lsp_client: LanguageClient, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project").resolve()
    (folder / "pyproject.toml").write_text("")
    (folder / "state.py").write_text("")
    lsp_client.folder = folder
    lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    capabilities = client_capabilities("visual-studio-code")
    capabilities.text_document.diagnostic = types.DiagnosticClientCapabilities()
    parameters = types.InitializeParams(
        capabilities=capabilities,
        workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name="project")],
    )
    answer = await lsp_client.initialize_session(parameters)
    assert answer.server_info.name == "unleak"
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
async def test_a_leak_is_shown_explained_and_silenced(client: LanguageClient):
    uri = (Path(client.folder) / "state.py").as_uri()
    item = types.TextDocumentItem(uri=uri, language_id="python", version=1, text=LEAK)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    document = types.TextDocumentIdentifier(uri=uri)

    report = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(text_document=document))
    assert [shown.code for shown in report.items] == ["LK101"]
    shown = report.items[0]
    assert shown.range.start == types.Position(line=1, character=0)
    assert shown.related_information and shown.code_description.href

    again = types.DocumentDiagnosticParams(text_document=document, previous_result_id=report.result_id)
    assert (await client.text_document_diagnostic_async(again)).kind == "unchanged"

    everything = await client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(previous_result_ids=[]))
    assert [found.uri for found in everything.items] == [uri]

    at = types.HoverParams(text_document=document, position=shown.range.start)
    assert "unbounded-container" in (await client.text_document_hover_async(at)).contents.value

    context = types.CodeActionContext(diagnostics=[shown])
    asked = types.CodeActionParams(text_document=document, range=shown.range, context=context)
    actions = await client.text_document_code_action_async(asked)
    silence = next(action for action in actions if "on this line" in action.title)
    edit = (silence.edit.document_changes[0].edits if silence.edit.document_changes else silence.edit.changes[uri])[0]
    assert edit.new_text == "  # unleak: ignore[LK101]"

    change = types.TextDocumentContentChangePartial(range=edit.range, text=edit.new_text)
    version = types.VersionedTextDocumentIdentifier(uri=uri, version=2)
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(text_document=version, content_changes=[change])
    )
    report = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(text_document=document))
    assert not report.items
