/**
 * Goal: on a real terminal, output is coloured, fits, and shows progress; NO_COLOR and pipes get plain text.
 * Method: `script` (util-linux) gives the process a pseudo-terminal of a chosen width.
 */
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { needsProgram } from "../../setup/needs.ts";
import { entry, type Finished, type RunningHost, startHost, startProgram, stopHost } from "./sluice.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost(["--host-load"]);
});
afterAll(() => stopHost(host));

/** Runs `sluice` on a terminal; what it shows on both streams comes together, as on a screen. */
async function onTerminal(
  context: TestContext,
  args: readonly string[],
  columns: number,
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Finished> {
  const script = needsProgram(context, "script", "apt-get install bsdutils");
  const quoted = [process.execPath, entry, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const command = `stty cols ${columns} rows 40 && ${quoted}`;
  return await startProgram(script, ["-qec", command, "/dev/null"], {
    env: { TERM: "xterm-256color", SLUICE_URL: host.url, ...env },
    input,
  }).finished;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const escapes = /\u001b\[[0-9;]*[A-Za-z]/g;
const visible = (text: string): string[] => text.replace(escapes, "").replaceAll("\r", "").trimEnd().split("\n");

describe("on a terminal", () => {
  for (const columns of [80, 200]) {
    test(`sub fits ${columns} columns, coloured`, async (context) => {
      const { stdout } = await onTerminal(context, ["sub", "host.load", "--count", "1", "-q"], columns);
      const lines = visible(stdout);
      expect(lines.at(-1)).toMatch(/host\.load/);
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
      expect(stdout).toMatch(escapes);
    });
  }

  test("NO_COLOR takes all colours away", async (context) => {
    const { stdout } = await onTerminal(context, ["channel", "ls"], 80, { NO_COLOR: "1" });
    expect(stdout).toContain("host.load");
    expect(stdout).not.toMatch(escapes);
  });

  test("help is coloured there, and nowhere else", async (context) => {
    expect((await onTerminal(context, ["--help"], 80)).stdout).toMatch(escapes);
    expect((await host.run(["--help"])).stdout).not.toMatch(escapes);
  });

  test("help fits 80 columns", async (context) => {
    for (const command of ["", "serve", "pub", "sub", "bench", "channel"]) {
      const { stdout } = await onTerminal(
        context,
        ["help", command].filter((word) => word !== ""),
        80,
      );
      for (const line of visible(stdout)) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  test("bench shows progress and takes it away again", async (context) => {
    const { code, stdout } = await onTerminal(
      context,
      ["bench", "--events", "5000", "--rate", "200", "--seconds", "1"],
      100,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/latency: \d+ of 200 events/);
    expect(visible(stdout.slice(stdout.lastIndexOf("\u001b[K")))[0]).not.toContain("latency: ");
  });

  test("pub tells how to end standard input", async (context) => {
    const { code, stdout } = await onTerminal(context, ["pub", "typed", "-"], 80, {}, "hello\n\u0004");
    expect(code).toBe(0);
    expect(stdout).toContain("one event per line; end with Ctrl-D");
    expect(stdout).toContain("1 accepted");
  });
});
