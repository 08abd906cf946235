import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";

import { serverProgram, serverSettings } from "../src/program";

const posix = process.platform !== "win32";

test("what is set is run", () => {
    assert.equal(serverProgram("/opt/unleak", ["/work"], true, "/home/me"), "/opt/unleak");
    assert.equal(serverProgram("~/bin/unleak", [], true, "/home/me"), "/home/me/bin/unleak");
    assert.equal(serverProgram("${workspaceFolder}/x/unleak", ["/work"], true, "/home/me"), "/work/x/unleak");
});

test("the program of the project's environment goes before the one on the PATH", { skip: !posix }, () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "unleak-"));
    assert.equal(serverProgram("", [folder], true, "/home/me"), "unleak");
    const program = path.join(folder, ".venv", "bin", "unleak");
    fs.mkdirSync(path.dirname(program), { recursive: true });
    fs.writeFileSync(program, "");
    assert.equal(serverProgram("", ["/nowhere", folder], true, "/home/me"), program);
    assert.equal(serverProgram("", [folder], false, "/home/me"), "unleak");
    fs.rmSync(folder, { recursive: true });
});

test("only what is set is sent", () => {
    const all = { path: "/opt/unleak", trace: { server: "off" }, ignore: ["LK1"], select: null, threads: 2 };
    assert.deepEqual(serverSettings(all), { ignore: ["LK1"], threads: 2 });
});
