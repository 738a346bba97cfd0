/**
 * Goal: what people type wrong is told in one line and costs exit code 2; what they ask for is answered with 0.
 * Method: real processes of the built command line; no host is running.
 */
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import packageFile from "../../../package.json" with { type: "json" };
import { run } from "./sluice.ts";

/** Nobody listens there any more, so a command that gets past its arguments fails with 1, not 2. */
const nobody = { SLUICE_URL: `http://127.0.0.1:${await freePort()}` };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

describe("sluice", () => {
  test("--version prints the version of the package", async () => {
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: `${packageFile.version}\n`, stderr: "" });
  });

  test.each([
    {
      args: ["--help"],
      words: ["serve", "pub", "sub", "channel", "bench", "SLUICE_URL", "SLUICE_TOKEN", "Exit codes"],
    },
    {
      args: ["help", "pub"],
      words: ["--type", "--attr", "--priority", "--ttl", "--key", "--data", "--file", "Examples:"],
    },
    { args: ["pub", "--help"], words: ["tail -f app.log | sluice pub logs -"] },
    { args: ["sub", "--help"], words: ["--where", "--count", "--json", "sluice sub host.load"] },
    {
      args: ["serve", "-h"],
      words: [
        "--listen",
        "--tcp",
        "--data",
        "--memory",
        "--insecure",
        "--origin",
        "--implicit",
        "--host-load",
        "SLUICE_LISTEN",
      ],
    },
    { args: ["channel", "--help"], words: ["ls", "create", "show", "update", "rm", "Examples:"] },
    { args: ["channel", "create", "--help"], words: ["--type", "--source", "--late", "--no-echo"] },
    { args: ["bench", "--help"], words: ["--events", "--bytes", "--sinks", "1000000"] },
  ])("$args teaches on standard output", async ({ args, words }) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const word of words) expect(stdout).toContain(word);
    // The help of a pipe fits the narrowest terminal in use.
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test("without a command prints its help on standard error", async () => {
    const { code, stdout, stderr } = await run([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: sluice");
  });
});

describe("exit code 2 and one line", () => {
  test.each([
    { args: ["--bogus"], line: "unknown option '--bogus'" },
    { args: ["pub", "c", "--bogus"], line: "unknown option '--bogus'" },
    { args: ["pub", "c", "--prioritty", "3"], line: "Did you mean --priority?" },
    { args: ["sbu", "c"], line: "unknown command 'sbu' (Did you mean" },
    { args: ["pub"], line: "missing required argument 'channel'" },
    { args: ["channel", "shwo", "c"], line: "unknown command 'shwo'" },
    { args: ["sub", "c", "d"], line: "too many arguments" },
    { args: ["pub", "c", "--priority", "10"], line: "10 is above the limit, 9" },
    { args: ["pub", "c", "--ttl", "soon"], line: '"soon" is not a whole number' },
    { args: ["pub", "c", "--attr", "load"], line: '"load" is not NAME=VALUE' },
    { args: ["pub", "c", "x", "--data", "y"], line: "give the data once" },
    { args: ["sub", "c", "--count", "0"], line: "0 is below the least, 1" },
    { args: ["serve", "--listen", "nowhere"], line: '"nowhere" is not HOST:PORT' },
    { args: ["serve", "--memory", "much"], line: '"much" is not a size' },
    { args: ["serve", "--log-level", "loud"], line: "Allowed choices are debug, info, warn, error" },
    { args: ["serve", "--join", "http://h"], line: "--join is not in this version yet: hosts do not form groups yet" },
    { args: ["serve", "--engine", "nats://h"], line: "--engine is not in this version yet" },
    { args: ["serve", "--shards", "4"], line: "--shards is not in this version yet" },
    { args: ["serve", "--config", "f"], line: "--config is not in this version yet" },
    { args: ["generate", "ls", "--y"], line: '"sluice generate" is not in this version yet' },
    { args: ["channel", "update", "c"], line: "nothing to change; give at least one of" },
    { args: ["channel", "create", "c", "--late", "never"], line: "Allowed choices are deliver, drop" },
    { args: ["channel", "ls", "--url", "ftp://h"], line: '--url "ftp://h" is not http or https' },
    { args: ["channel", "ls", "--url", "http://"], line: '--url "http://" is not a URL' },
  ])("for $args", async ({ args, line }) => {
    const { code, stdout, stderr } = await run(args, { env: nobody });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(line);
    expect(stderr).toMatch(/^sluice: [^\n]+\n$/);
  });

  test.each([
    { env: { SLUICE_JOIN: "http://h" }, line: "SLUICE_JOIN is not in this version yet" },
    { env: { SLUICE_LISTEN: "x" }, line: 'SLUICE_LISTEN: "x" is not HOST:PORT' },
    { env: { SLUICE_MEMORY: "x" }, line: 'SLUICE_MEMORY: "x" is not a size' },
    { env: { SLUICE_INSECURE: "maybe" }, line: 'SLUICE_INSECURE: "maybe" is neither true nor false' },
    { env: { SLUICE_LOG_LEVEL: "loud" }, line: 'SLUICE_LOG_LEVEL: "loud" is none of' },
  ])("for serve under $env", async ({ env, line }) => {
    const { code, stderr } = await run(["serve"], { env });
    expect(code).toBe(2);
    expect(stderr).toContain(line);
  });
});

describe("exit code 1 and what to do next", () => {
  test.each([
    ["pub", "c", "hello"],
    ["sub", "c"],
    ["channel", "ls"],
    ["bench", "--events", "1"],
  ])("for %s without a host", async (...args) => {
    const { code, stdout, stderr } = await run(args, { env: nobody });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `sluice: nothing answers at ${nobody.SLUICE_URL}; is a host running? try: npm start (or sluice serve)\n`,
    );
  });

  test("for a file that is not there, before anybody is called", async () => {
    const { code, stderr } = await run(["pub", "c", "--file", "/nonexistent/x"], { env: nobody });
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot read --file \/nonexistent\/x: ENOENT/);
  });
});
