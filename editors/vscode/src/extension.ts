/** Starts the server and hands it to the editor; everything else is the server's. */

import * as os from "node:os";
import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";

import { serverProgram, serverSettings } from "./program";

let client: LanguageClient | undefined;
let log: vscode.LogOutputChannel | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
    log = vscode.window.createOutputChannel("unleak", { log: true });
    context.subscriptions.push(
        log,
        vscode.commands.registerCommand("unleak.restart", restart),
        vscode.commands.registerCommand("unleak.showLog", () => log?.show()),
        vscode.commands.registerCommand("unleak.fixFile", fixFile),
        vscode.workspace.onDidChangeConfiguration(async (event) => {
            if (event.affectsConfiguration("unleak.path")) {
                await restart();
            }
        }),
        vscode.workspace.onDidGrantWorkspaceTrust(restart),
    );
    await start();
}

export async function deactivate(): Promise<void> {
    await stop();
}

async function start(): Promise<void> {
    const settings = vscode.workspace.getConfiguration("unleak");
    const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
    const command = serverProgram(
        settings.get("path", ""),
        folders,
        vscode.workspace.isTrusted,
        os.homedir(),
    );
    const server: ServerOptions = { command, args: ["server"] };
    const options: LanguageClientOptions = {
        documentSelector: [
            { scheme: "file", language: "python" },
            { scheme: "file", pattern: "**/{pyproject,unleak}.toml" },
        ],
        initializationOptions: serverSettings({ ...settings }),
        outputChannel: log,
        // Leaks are looked for in the whole program, so they are shown of files that are not open as well.
        diagnosticPullOptions: { onChange: true, onSave: true, onTabs: true },
    };
    client = new LanguageClient("unleak", "unleak", server, options);
    try {
        await client.start();
    } catch (error) {
        client = undefined;
        const choice = await vscode.window.showErrorMessage(
            `unleak: \`${command}\` cannot be started. Install it (https://github.com/unleak/unleak) or set \`unleak.path\`.`,
            "Open the settings",
        );
        log?.error(String(error));
        if (choice !== undefined) {
            await vscode.commands.executeCommand("workbench.action.openSettings", "unleak.path");
        }
    }
}

async function stop(): Promise<void> {
    const running = client;
    client = undefined;
    await running?.stop();
}

async function restart(): Promise<void> {
    await stop();
    await start();
}

async function fixFile(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (document !== undefined) {
        await vscode.commands.executeCommand("unleak.fixAll", document.uri.toString());
    }
}
