/**
 * Goal: what README and guides tell people to type works, from the first command to the last.
 * Method: every marked block runs as a real process against the real host that the page itself starts, on free ports.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Block, blocksOf, root } from "./docs-blocks.ts";

/** The first `npm start` may build; everything else is a matter of seconds. */
const PATIENCE_MS = 60_000;

const pages = [
  "README.md",
  ...["docs", "docs/filters", "docs/guides"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .sort()
      .map((name) => `${folder}/${name}`),
  ),
];
/** Those that make files. */
const making = /^docs\/(conditions|filters\/|embedding|contracts)/;
const runnable = pages.map((page) => ({ page, blocks: blocksOf(page) })).filter(({ blocks }) => blocks.length > 0);

/** A block under way, in a process group of its own, so that `npm` and what it starts end together. */
interface Process {
  readonly child: ChildProcess;
  readonly printed: () => string;
  until(pattern: RegExp): Promise<void>;
  readonly ended: Promise<number | null>;
}

/** `inFolder`: what the page makes is to lie in its folder and not in the repository, of which npm finds its commands there, too. */
function run(block: Block, code: string, env: NodeJS.ProcessEnv, folder: string, inFolder: boolean): Process {
  const script = join(folder, block.language === "js" ? `line-${block.line}.mjs` : `line-${block.line}.sh`);
  writeFileSync(script, block.language === "js" ? code : `set -euo pipefail\n${code}`);
  const child = spawn(block.language === "js" ? process.execPath : "bash", [script], {
    cwd: inFolder ? folder : root,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = (): void => signal(child, "SIGKILL");
  process.once("exit", end);
  child.once("close", () => process.off("exit", end));
  let printed = "";
  let look: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      look();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (status) => {
      resolve(status);
      look();
    });
  });
  return {
    child,
    printed: () => printed,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no ${pattern} within ${PATIENCE_MS} ms in:\n${printed}`)),
          PATIENCE_MS,
        );
        look = () => {
          const found = pattern.test(printed);
          if (!found && child.exitCode === null && child.signalCode === null) return;
          clearTimeout(timer);
          if (found) resolve();
          else reject(new Error(`ended with ${child.exitCode} without ${pattern}:\n${printed}`));
        };
        look();
      }),
  };
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  const { pid, exitCode, signalCode } = child;
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  // The whole group that this block started, as Ctrl-C in a terminal does.
  process.kill(-pid, name);
}

describe.each(runnable)("$page", ({ page, blocks }) => {
  // Beside dist/, so that `import "sluice"` finds this package as an installed one would be.
  let folder: string;
  const running: Process[] = [];
  const env: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    SLUICE_LISTEN: "127.0.0.1:0",
    SLUICE_TCP: "127.0.0.1:0",
    // Of the example page.
    PORT: "0",
  };
  let url = "http://127.0.0.1:7480";
  let tcp = "127.0.0.1:7481";

  beforeAll(() => {
    folder = mkdtempSync(join(root, "dist", "docs-"));
    env["DOCS_TMP"] = mkdtempSync(join(tmpdir(), "sluice-docs-"));
  });
  afterAll(async () => {
    for (const process_ of [...running].reverse()) signal(process_.child, "SIGTERM");
    await Promise.all(running.map((process_) => process_.ended));
    rmSync(folder, { recursive: true });
    rmSync(String(env["DOCS_TMP"]), { recursive: true });
  });

  test.each(blocks.map((block) => ({ ...block, name: `line ${block.line}: ${block.code.trim().split("\n")[0]}` })))(
    "$name",
    async (block) => {
      const code = block.code
        .replaceAll("http://127.0.0.1:7480", url)
        .replaceAll("127.0.0.1:7480", new URL(url).host)
        .replaceAll("127.0.0.1:7481", tcp);
      const process_ = run(block, code, env, folder, making.test(page));
      running.push(process_);
      if (block.until !== undefined) await process_.until(block.until);
      const ready = /(http:\/\/127\.0\.0\.1:\d+) and tcp:\/\/(127\.0\.0\.1:\d+)/.exec(process_.printed());
      if (block.background && ready !== null) {
        [, url = url, tcp = tcp] = ready;
        env["SLUICE_URL"] = url;
      }
      if (block.background) return;
      if (block.until !== undefined) {
        // That `sluice` itself ends with 0 is tested in test/host/cli; npx and the shell around it die of the signal.
        signal(process_.child, "SIGINT");
        await process_.ended;
        return;
      }
      const status = await process_.ended;
      if (block.expect !== undefined) expect(process_.printed()).toMatch(block.expect);
      expect({ page, line: block.line, status, printed: process_.printed() }).toMatchObject({ status: 0 });
    },
    PATIENCE_MS * 2,
  );
});

test("README and quickstart have runnable blocks at all", () => {
  expect(runnable.map(({ page }) => page)).toEqual(expect.arrayContaining(["README.md", "docs/quickstart.md"]));
});
