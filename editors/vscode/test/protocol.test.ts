/** The server behind the library that the editor speaks with. The program is named by the variable UNLEAK. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
    type CodeAction,
    CodeActionRequest,
    ConfigurationRequest,
    DidOpenTextDocumentNotification,
    DocumentDiagnosticReportKind,
    DocumentDiagnosticRequest,
    ExitNotification,
    HoverRequest,
    InitializeRequest,
    InitializedNotification,
    RegistrationRequest,
    ShutdownRequest,
    StreamMessageReader,
    StreamMessageWriter,
    WorkspaceDiagnosticRequest,
    createProtocolConnection,
} from "vscode-languageserver-protocol/node";

const program = process.env["UNLEAK"];
const LEAK = "# 😀\nSEEN = set()\n\n\ndef handle(request):\n    SEEN.add(request.id)\n";

test("what the editor's library asks for is answered", { skip: program === undefined }, async () => {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "unleak-")));
    const file = path.join(folder, "state.py");
    fs.writeFileSync(path.join(folder, "pyproject.toml"), "");
    fs.writeFileSync(file, "");
    const server = spawn(program as string, ["server"], { cwd: folder });
    const exit = new Promise<number | null>((resolve) => server.on("exit", resolve));
    const connection = createProtocolConnection(
        new StreamMessageReader(server.stdout),
        new StreamMessageWriter(server.stdin),
    );
    connection.onRequest(ConfigurationRequest.type, () => [{ minConfidence: "medium" }]);
    connection.onRequest(RegistrationRequest.type, () => undefined);
    connection.listen();
    const uri = pathToFileURL(file).toString();
    const initialized = await connection.sendRequest(InitializeRequest.type, {
        processId: process.pid,
        rootUri: null,
        workspaceFolders: [{ uri: pathToFileURL(folder).toString(), name: "project" }],
        capabilities: {
            general: { positionEncodings: ["utf-16"] },
            textDocument: {
                diagnostic: { dynamicRegistration: false },
                publishDiagnostics: { relatedInformation: true },
                codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix"] } } },
                hover: { contentFormat: ["markdown"] },
            },
            workspace: { configuration: true, didChangeWatchedFiles: { dynamicRegistration: true } },
        },
    });
    assert.equal(initialized.capabilities.positionEncoding, "utf-16");
    await connection.sendNotification(InitializedNotification.type, {});
    await connection.sendNotification(DidOpenTextDocumentNotification.type, {
        textDocument: { uri, languageId: "python", version: 1, text: LEAK },
    });
    const report = await connection.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
    assert.equal(report.kind, DocumentDiagnosticReportKind.Full);
    const [shown] = report.kind === DocumentDiagnosticReportKind.Full ? report.items : [];
    assert.ok(shown !== undefined);
    assert.equal(shown.code, "LK101");
    assert.deepEqual(shown.range.start, { line: 1, character: 0 });
    assert.ok((shown.relatedInformation ?? []).length > 0);
    const everything = await connection.sendRequest(WorkspaceDiagnosticRequest.type, { previousResultIds: [] });
    assert.deepEqual(everything.items.map((item) => item.uri), [uri]);
    const hover = await connection.sendRequest(HoverRequest.type, { textDocument: { uri }, position: shown.range.start });
    assert.match(JSON.stringify(hover), /unbounded-container/);
    const actions = await connection.sendRequest(CodeActionRequest.type, {
        textDocument: { uri },
        range: shown.range,
        context: { diagnostics: [shown] },
    });
    const titles = ((actions ?? []) as CodeAction[]).map((action) => action.title);
    assert.ok(titles.some((title) => title.includes("suppress on this line")), titles.join("; "));
    await connection.sendRequest(ShutdownRequest.type);
    await connection.sendNotification(ExitNotification.type);
    assert.equal(await exit, 0);
    connection.dispose();
    fs.rmSync(folder, { recursive: true });
});
