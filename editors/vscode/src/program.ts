/** Which program is the server: knows nothing of the editor, so that it can be tested without one. */

import * as fs from "node:fs";
import * as path from "node:path";

const NAME = process.platform === "win32" ? "unleak.exe" : "unleak";
const SCRIPTS = process.platform === "win32" ? "Scripts" : "bin";
/** What virtual environments are called. */
const ENVIRONMENTS = [".venv", "venv", ".env", "env"];

/**
 * What the user has set, else the one that is installed with the project, else whatever the PATH has. `~` and
 * `${workspaceFolder}` may be in what is set.
 */
export function serverProgram(set: string, folders: string[], isTrusted: boolean, home: string): string {
    if (set.trim() !== "") {
        const folder = folders[0] ?? "";
        return set.trim().replace("${workspaceFolder}", folder).replace(/^~(?=\/|\\|$)/, home);
    }
    // What lies in a folder that is not trusted is not run.
    const candidates = isTrusted
        ? folders.flatMap((folder) => ENVIRONMENTS.map((name) => path.join(folder, name, SCRIPTS, NAME)))
        : [];
    return candidates.find((candidate) => fs.existsSync(candidate)) ?? NAME;
}

/** The settings as the server reads them: what is null was not set. */
export function serverSettings(all: Record<string, unknown>): Record<string, unknown> {
    const own = ["path", "trace"];
    return Object.fromEntries(Object.entries(all).filter(([key, value]) => value != null && typeof value !== "function" && !own.includes(key)));
}
