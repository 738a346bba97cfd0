/** The reporter is run for real, by a vitest of its own over test/fixtures/closing-line/. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const fixture = fileURLToPath(new URL("../fixtures/closing-line/", import.meta.url));
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));

interface Run {
  readonly code: number | null;
  /** Of stdout. */
  readonly lines: readonly string[];
}

function runFixture(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Run> {
  const neutral = { CI: "", SLUICE_TEST_ALL: "", VITEST: "", NO_COLOR: "1", FORCE_COLOR: "" };
  const child = spawn(process.execPath, [vitest, "run", "--root", fixture, ...args], {
    env: { ...process.env, ...neutral, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, lines: output.trimEnd().split("\n") }));
  });
}

describe("ClosingLine", () => {
  test.each([
    { name: "all pass", env: {}, code: 0, last: "2 passed, 0 failed" },
    { name: "one fails", env: { FIXTURE_FAILS: "1" }, code: 1, last: "2 passed, 1 failed" },
    { name: "one is skipped", env: { FIXTURE_SKIPS: "1" }, code: 0, last: "2 passed, 0 failed, 1 skipped" },
    {
      name: "one is skipped where nothing may be",
      env: { FIXTURE_SKIPS: "1", SLUICE_TEST_ALL: "1" },
      code: 1,
      last: "2 passed, 1 failed, 1 skipped",
    },
  ])('ends with "$last" and code $code where $name', async ({ env, code, last }) => {
    const run = await runFixture(env);
    expect(run.lines.at(-1)).toBe(last);
    expect(run.code).toBe(code);
    const reasons = run.lines.filter((line) => line.startsWith("skipped: "));
    expect(reasons).toEqual("FIXTURE_SKIPS" in env ? ["skipped: run.fixture.ts > four is skipped: needs a moon"] : []);
  });

  test("does not count what -t leaves out", async () => {
    const run = await runFixture({ FIXTURE_SKIPS: "1" }, "-t", "one passes");
    expect(run.lines.at(-1)).toBe("1 passed, 0 failed");
  });
});
