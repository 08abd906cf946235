// A session in Visual Studio Code, served by code-server to Chromium: node vscode.mjs URL [PICTURES]. The folder that is
// open has `files.py`, `state.py` and `views.py`, which `.ci/vscode` writes.

import { chromium } from "playwright-core";

const PATIENCE = 60_000;
const [address, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
page.setDefaultTimeout(PATIENCE);

async function picture(name) {
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png` });
}

const command = async (name) => {
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget input").fill(`>${name}`);
    await page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
};

const open = async (name) => {
    await page.keyboard.press("Control+P");
    await page.locator(".quick-input-widget input").fill(name);
    await page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".tab.active", { hasText: name }).waitFor();
};

const goTo = async (place) => {
    await page.keyboard.press("Control+G");
    await page.locator(".quick-input-widget input").fill(`:${place}`);
    await page.keyboard.press("Enter");
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
};

const problems = page.locator(".markers-panel .monaco-list-row");
const problem = (text) => problems.filter({ hasText: text }).first();
const gone = (text) => problem(text).waitFor({ state: "detached" });

await page.goto(address);
await page.locator(".monaco-workbench .explorer-folders-view").waitFor();
await open("state.py");
await command("Problems: Focus on Problems View");

// What is found in all files, with the steps of the argument in another file, and the place behind wide characters.
await problem("`SEEN` only grows").waitFor();
await problem("[Ln 1, Col 28]").waitFor();
await problem("`handle` is public").waitFor();
await problem("nor hands it on").waitFor();
await page.locator(".markers-panel a", { hasText: "LK101" }).first().waitFor();
await picture("found");

// Another file is edited and not saved: what was found here goes, and comes back.
await open("views.py");
await goTo("7:40");
await page.keyboard.press("End");
await page.keyboard.press("Enter");
await page.keyboard.type("state.SEEN.discard(request.id)");
await gone("`SEEN` only grows");
await picture("edited");
for (let left = 40; left > 0 && !(await problem("`SEEN` only grows").isVisible()); left -= 1) {
    await page.keyboard.press("Control+Z");
    await page.waitForTimeout(500);
}
await problem("`SEEN` only grows").waitFor();

// A fix is applied and mends.
await open("files.py");
await goTo("2:14");
await page.keyboard.press("Control+.");
const offered = page.locator(".action-widget .monaco-list-row");
await offered.filter({ hasText: "close `日本` with a `with` block" }).waitFor();
await offered.filter({ hasText: "LK201: suppress on this line" }).waitFor();
await offered.filter({ hasText: "open the rule's page" }).waitFor();
await picture("offered");
await offered.filter({ hasText: "close `日本` with a `with` block" }).click();
await gone("nor hands it on");
await page.locator(".view-line", { hasText: /with\s+open\(path\)\s+as/ }).first().waitFor();
await picture("mended");
await browser.close();
console.log("vscode: shows, follows and mends what it should");
