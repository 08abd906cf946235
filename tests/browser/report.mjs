// The page of `--output-format html` in real Chromium: it is opened from the disk, used with mouse and keyboard, and
// must neither load nor complain of anything. Arguments: the pages of few and of many findings, a folder for pictures.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [few, many, pictures] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const profile = mkdtempSync(join(tmpdir(), "unleak-browser-"));
const browser = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags, viewport: { width: 1280, height: 860 } });

const complaints = [];
const opened = async (file, { width = 1280, height = 860, dark = false, hash = "" } = {}) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(15000);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => /^(file|data):/.test(request.url()) || complaints.push(`loads ${request.url()}`));
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  await page.setViewportSize({ width, height });
  await page.goto(pathToFileURL(resolve(file)).href + hash);
  return page;
};
const picture = (page, name) => pictures && page.screenshot({ path: join(pictures, `${name}.png`) });
const text = (page, selector) => page.locator(selector).first().innerText();
const steps = [];
const step = async (name, check) => { await check(); steps.push(name); };

const page = await opened(few);
await step("the first finding is open, with its argument and marked source", async () => {
  assert.match(await text(page, ".sum"), /^\d+ leaks in \d+ files?$/);
  assert.ok((await page.locator(".row").count()) >= 3);
  assert.ok(await page.locator("ol.path li").count() >= 2);
  assert.equal(await page.locator("ol.path li").first().locator("mark").count(), 1);
  assert.ok(await page.locator(".source .k").count() > 0, "keywords have a colour");
  await picture(page, "few-light");
});
await step("a cycle is drawn", async () => {
  await page.fill(".search", "LK301");
  await page.locator(".row").first().click();
  assert.ok(await page.locator(".cycle svg .node").count() >= 2);
  assert.ok(await page.locator(".cycle svg .edge").count() >= 2);
  await picture(page, "cycle-light");
});
await step("what a run has shown is said and drawn", async () => {
  await page.fill(".search", "confirmed");
  await page.locator(".row").first().click();
  assert.match(await text(page, ".observed .say"), /^confirmed: from 0 to 100 in \d+ calls/);
  assert.match(await page.locator(".chart .line").getAttribute("points"), /^8\.0,126\.0 /);
  await page.locator(".chart").scrollIntoViewIfNeeded();
  await picture(page, "observed-light");
});
await step("search and Escape", async () => {
  await page.fill(".search", "no such words");
  assert.equal(await page.locator(".row").count(), 0);
  assert.match(await text(page, ".sum"), /^0 of /);
  await page.press(".search", "Escape");
  assert.ok(await page.locator(".row").count() >= 3);
});
await step("the keyboard goes from finding to finding", async () => {
  await page.locator(".list").focus();
  await page.keyboard.press("Home");
  const first = await text(page, ".detail h2");
  await page.keyboard.press("j");
  const second = await text(page, ".detail h2");
  assert.notEqual(first, second);
  await page.keyboard.press("ArrowUp");
  assert.equal(await text(page, ".detail h2"), first);
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.className), "search");
});
await step("filters and groups", async () => {
  const chip = page.locator("[data-off=cycles]");
  const all = await page.locator(".row").count();
  await chip.click();
  assert.equal(await chip.getAttribute("aria-pressed"), "false");
  assert.ok(await page.locator(".row").count() < all);
  await chip.click();
  for (const by of ["severity", "module", "rule", "family"]) {
    await page.selectOption("#group", by);
    assert.ok(await page.locator(".group").count() >= 1, by);
    assert.equal(await page.locator(".row").count(), all, by);
  }
});
await step("the theme can be chosen", async () => {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.click("#theme");
  assert.notEqual(await paper(), light);
  await page.click("#theme");
  assert.equal(await paper(), light);
  await page.reload();
  assert.equal(await page.locator("#theme").getAttribute("aria-label"), "theme: light", "it is remembered");
  await page.click("#theme");
});
await step("a link opens a finding", async () => {
  await page.locator(".row").last().click();
  const hash = await page.evaluate(() => location.hash);
  assert.match(hash, /^#[0-9a-f]{16}/);
  const other = await opened(few, { hash, dark: true });
  assert.notEqual(await other.evaluate(() => getComputedStyle(document.body).backgroundColor), await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
  assert.equal(await text(other, ".detail h2"), await text(page, ".detail h2"));
  await picture(other, "few-dark");
  await other.fill(".search", "LK301");
  await other.locator(".row").first().click();
  await picture(other, "cycle-dark");
  await other.close();
});
await step("a narrow window shows one thing at a time", async () => {
  const narrow = await opened(few, { width: 390, height: 780 });
  await picture(narrow, "narrow-list");
  assert.equal(await narrow.locator(".detail").isVisible(), false);
  await narrow.locator(".row").first().click();
  assert.equal(await narrow.locator(".list").isVisible(), false);
  assert.equal(await narrow.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await picture(narrow, "narrow-detail");
  await narrow.locator(".back").click();
  assert.equal(await narrow.locator(".list").isVisible(), true);
  await narrow.close();
});
await step("two thousand findings", async () => {
  const start = performance.now();
  const large = await opened(many);
  await large.locator(".row").first().waitFor();
  const ready = performance.now() - start;
  const leaks = Number.parseInt(await text(large, ".sum"), 10);
  assert.ok(leaks >= 2000, `${leaks} leaks`);
  assert.ok(await large.locator(".row").count() < 60, "only what is in sight is in the page");
  const times = await large.evaluate(() => {
    const search = document.querySelector(".search");
    const timed = (word) => { const start = performance.now(); search.value = word; search.dispatchEvent(new Event("input")); document.body.offsetHeight; return performance.now() - start; };
    return [..."handle"].map((_, index) => timed("handle".slice(0, index + 1))).concat(timed(""));
  });
  await picture(large, "many-light");
  await large.locator(".list").focus();
  await large.keyboard.press("End");
  assert.equal(await large.locator(".row[aria-selected=true]").isVisible(), true);
  await picture(large, "many-end");
  const slowest = Math.max(...times);
  console.log(`${leaks} findings: open after ${ready.toFixed(0)} ms, a letter of a search at most ${slowest.toFixed(0)} ms`);
  assert.ok(ready < 10000 && slowest < 1000, "slow");
  await large.close();
  const dark = await opened(many, { dark: true, width: 1600, height: 1000 });
  await picture(dark, "many-dark");
  await dark.close();
});

await browser.close();
assert.deepEqual(complaints, []);
console.log(`browser: ${steps.length} checks passed`);
