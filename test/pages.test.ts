/**
 * Goal: the pages that people open in a browser work there: `/docs` of a host, and the example of the quickstart.
 * Method: a real browser against a real host; the example is served by its own server from another origin.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, startBrowser } from "./clients/chromium.ts";
import { root } from "./docs-blocks.ts";
import { type Running, type RunningHost, startHost, startProgram, stopHost } from "./host/cli/sluice.ts";
import { findProgram, needsProgram } from "./setup/needs.ts";

let host: RunningHost;
let example: Running;
let browser: Browser | undefined;
let exampleUrl = "";

beforeAll(async () => {
  const program = findProgram("chromium");
  if (program === undefined) return;
  example = startProgram(process.execPath, [join(root, "examples/browser/serve.mjs"), "0"]);
  // One after the other: where the host does not start, no browser is left running.
  host = await startHost(["--host-load"]);
  browser = await startBrowser(program);
  [, exampleUrl = ""] = await example.until("stdout", /open (http:\S+)/);
});
afterAll(async () => {
  await Promise.all([stopHost(host), browser?.close(), example?.stop()]);
});

/** Runs in the page: waits until an element has text that matches, and gives it. */
const TEXT = `(selector, pattern) => new Promise((resolve, reject) => {
  const bound = setTimeout(() => reject(new Error(document.body.innerText)), 15000);
  const look = () => {
    const text = document.querySelector(selector)?.textContent ?? "";
    if (!new RegExp(pattern).test(text)) return setTimeout(look, 20);
    clearTimeout(bound);
    return resolve(text);
  };
  look();
})`;

/** Runs in the page: where all it loaded came from. */
const ORIGINS = `() => [...new Set(performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin))]`;

describe("/docs", () => {
  test("shows every route, and asks nobody but its host", async (context) => {
    needsProgram(context, "chromium");
    const page = await browser?.open(`${host.url}/docs`);
    await page?.run(TEXT, ".opblock-summary-path", ".");
    const { paths } = (await (await fetch(`${host.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = await page?.run<string[]>(`() => [...document.querySelectorAll(".opblock")].map((one) =>
      one.querySelector(".opblock-summary-method").textContent + " " +
      one.querySelector(".opblock-summary-path").dataset.path)`);
    expect(shown?.sort()).toEqual(routes.sort());
    expect(await page?.run(ORIGINS)).toEqual([host.url]);
  });
});

describe("examples/browser", () => {
  test("shows the load of the host's machine as it arrives by EventSource", async (context) => {
    needsProgram(context, "chromium");
    const page = await browser?.open(`${exampleUrl}?host=${host.url}`);
    expect(await page?.run(TEXT, "#load-text", "% CPU")).toMatch(/^\/host\/\w+: \d+ % CPU at 20/);
  });

  test("shows what it publishes itself and what others publish", async (context) => {
    needsProgram(context, "chromium");
    const page = await browser?.open(`${exampleUrl}?host=${host.url}`);
    await page?.run(TEXT, "#chat-state", "^connected$");
    await page?.run(`async () => document.querySelector("#chat-form button").click()`);
    await page?.run(TEXT, "#chat-list", "hello");
    await host.run(["pub", "greetings", "from the command line"]);
    expect(await page?.run(TEXT, "#chat-list", "command line")).toContain("from the command line");
  });

  test("shows what is published as text, never as markup", async (context) => {
    needsProgram(context, "chromium");
    const page = await browser?.open(`${exampleUrl}?host=${host.url}`);
    await page?.run(TEXT, "#chat-state", "^connected$");
    await host.run(["pub", "greetings", "<b id=injected>bold</b>"]);
    await page?.run(TEXT, "#chat-list", "injected");
    expect(await page?.run(`() => document.querySelector("#injected") === null`)).toBe(true);
  });
});
