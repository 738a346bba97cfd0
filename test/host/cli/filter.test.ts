/**
 * Goal: who gets events, from the command line: bound by flags, JSON or a file, shown with what it did, refused with a caret.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { runProgram } from "../../../host/cli/program.ts";
import { createTerminal } from "../../../host/cli/terminal.ts";
import { createClocks } from "../../../host/clock.ts";
import { connectTo } from "../support/client.ts";
import { type Running, type RunningHost, startHost, stopHost } from "./sluice.ts";

let host: RunningHost;
let subscribers: Running[];
beforeAll(async () => {
  host = await startHost();
  subscribers = [];
  for (const attributes of [["load=0.5", "zone=eu"], ["load=0.2"], ["zone=a long one"]]) {
    const options = attributes.flatMap((one) => ["--attr", one]);
    const subscriber = host.start(["sub", "jobs", ...options, "--where", "type IN ('request', 'message', 'probe')"]);
    await subscriber.until("stderr", /subscribed/);
    subscribers.push(subscriber);
  }
});
afterAll(async () => {
  for (const subscriber of subscribers) await subscriber.stop();
  await stopHost(host);
});

/** Runs a command line without a process, for what no host is asked about. */
async function runHere(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const { real } = createClocks();
  const terminal = createTerminal({
    env: {},
    stdin: new PassThrough(),
    stdout,
    stderr,
    clock: real,
    stop: new AbortController(),
  });
  const code = await runProgram([...args, "--url", "http://127.0.0.1:1"], terminal, () =>
    Promise.reject(new Error("none")),
  );
  return { code, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

const filter = (...args: string[]) => host.run(["channel", "filter", "jobs", ...args]);

describe("sluice channel filter", () => {
  test("binds one route by its flags, shows it with what it did, and unbinds it", async () => {
    expect((await filter()).stdout).toMatch(/^jobs out: no filter.*\njobs in: no filter.*\n$/);
    const route = ["--when", "type = 'request'", "--where", "sink.load < 0.8", "--order-by", "sink.load"];
    const bound = await filter("out", ...route, "--limit", "2", "--unique", "--within", "60000");
    const summary = "request: 2 best by sink.load where sink.load < 0.8, unique by key for 60 s";
    expect(bound).toMatchObject({ code: 0, stderr: "" });
    expect(bound.stdout).toBe(`bound the out filter of jobs\n  1  ${summary}\n`);
    for (const _ of [1, 2]) await host.run(["pub", "jobs", "x", "--type", "request", "--key", "k"]);
    const shown = await filter("out");
    expect(shown.stdout).toBe(
      `jobs out:\n  1  ${summary}\n     2 events to 2 sinks, 1 to nobody, 1 duplicate, 1 key kept\n`,
    );
    expect((await host.run(["channel", "show", "jobs"])).stdout).toContain(`out filter  ${summary}\n`);
    const resource = JSON.parse((await filter("out", "--json")).stdout);
    expect(resource).toMatchObject({ stage: "out", summary, routes: [{ limit: 2, unique: { withinMs: 60_000 } }] });
    const why = await host.run(["explain", "jobs", "--type", "request", "--key", "new"], { env: { COLUMNS: "200" } });
    expect(why.stdout).toMatch(/^SINK +INBOX +VERDICT +RANK +VALUE +AGE +CHOSEN +WHY\n/);
    expect(why.stdout).toMatch(/\nm2 +s\d+ +delivered +1 +0\.2 +[\d.]+ m?s +1\n/);
    expect(why.stdout).toMatch(
      /\nm3 .* rejected .*out route\.where: does not hold: sink\.load < 0\.8 \(sink\.load missing\)\n/,
    );
    expect(why.stdout).toContain(`\nroute 1 of the out filter: ${summary}\n2 of 3 would get it\n`);
    expect((await filter("out", "--none")).stdout).toBe("unbound the out filter of jobs\n");
    expect(await filter("out", "--none")).toMatchObject({ code: 0, stdout: "no out filter of jobs was bound\n" });
  });

  test("takes routes as JSON, as a file and from standard input, in order, and what --json printed", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-routes-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    await writeFile(join(dir, "routes.json"), '[{"when": "urgent"}, {"choose": "tied"}]');
    const args = ["in", "--route", '{"limit": 1}', "--route", `@${dir}/routes.json`, "--route", "-", "--json"];
    const first = await host.run(["channel", "filter", "jobs", ...args], {
      input: '{"routes": [{"limit": "copies"}]}',
    });
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout).routes).toEqual([
      { limit: 1 },
      { when: "urgent" },
      { choose: "tied" },
      { limit: "copies" },
    ]);
    const again = await host.run(["channel", "filter", "jobs", "in", "--route", "-", "--json"], {
      input: first.stdout,
    });
    expect(JSON.parse(again.stdout).routes).toHaveLength(4);
    expect((await filter("in", "--limit", "copies")).stdout).toBe(
      "replaced the in filter of jobs\n  1  (copies) in turn\n",
    );
    await filter("in", "--none");
  });

  test.each([
    [
      ["out", "--where", "sink.load <\n AND x"],
      " AND x\n ^\n",
      /^sluice: cannot read --where at line 2, column 2: .*\[expression\]/m,
    ],
    [
      ["out", "--when", "a = 1 AND sink.load < 1"],
      "a = 1 AND sink.load < 1\n          ^\n",
      /cannot read --when .*a name of the event/,
    ],
    [["out", "--limit", "'two'"], "'two'\n^\n", /--limit .*gives a text, expected a number/],
    [["out", "--route", '{"unique": {"by": "("}}'], "(\n ^\n", /routes\[0\]\.unique\.by at line 1, column 2/],
  ])("shows with a caret where %j is wrong, and asks no host", async (args, caret, line) => {
    const { code, stdout, stderr } = await runHere(["channel", "filter", "jobs", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.startsWith(caret)).toBe(true);
    expect(stderr).toMatch(line);
  });

  test.each([
    [["on"], /no stage "on"/],
    [["--limit", "1"], /in or out/],
    [["out", "--limit", "1", "--route", "{}"], /not both/],
    [["out", "--limit", "1", "--none"], /not both/],
    [["out", "--within", "5"], /--unique/],
    [["out", "--route", "{"], /cannot read --route: .*file begins with @/],
    [["out", "--route", "@/nonexistent"], /cannot read \/nonexistent/],
    [["out", "--route", '{"limt": 1}'], /routes\[0\]\.limt \[unknown_field\]/],
    [["out", "--descending"], /route\.descending with route\.orderBy.*\[contradiction\]/],
    [["out", "--choose", "worst"], /best, random, tied, hash/],
    [["out", "--charge", "much"], /not a number/],
  ])("%j is a usage error of one line", async (args, line) => {
    const { code, stderr } = await runHere(["channel", "filter", "jobs", ...args]);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(code).toBe(args[2] === "@/nonexistent" ? 1 : 2);
  });

  test("says what a channel that is not there is", async () => {
    const nowhere = await host.run(["channel", "filter", "nowhere", "out", "--limit", "1"]);
    expect(nowhere).toMatchObject({ code: 1 });
    expect(nowhere.stderr).toMatch(/\[channel_unknown\].*sluice channel ls/);
  });

  test.each([80, 200])("fits %i columns, without colour", async (columns) => {
    const where = `sink.zone IN (${Array.from({ length: 30 }, (_, index) => `'zone${index}'`).join(", ")})`;
    const env = { env: { COLUMNS: String(columns) } };
    await host.run(
      ["channel", "filter", "jobs", "out", "--order-by", "sink.load", "--limit", "1", "--where", where],
      env,
    );
    for (const command of [
      ["filter", "jobs"],
      ["show", "jobs"],
    ]) {
      const { stdout } = await host.run(["channel", ...command], env);
      expect(stdout).not.toContain("\u001b");
      expect(Math.max(...stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    }
    await filter("out", "--none");
  });

  test("create and update take what becomes of events that nobody is left for", async () => {
    await host.run(["channel", "create", "kept", "--empty", "divert", "--divert-to", "parked"]);
    expect((await host.run(["channel", "show", "kept"])).stdout).toMatch(/nobody left +events go to parked\n/);
    await host.run(["channel", "update", "kept", "--empty", "hold", "--divert-to", "none"]);
    const shown = JSON.parse((await host.run(["channel", "show", "kept", "--json"])).stdout);
    expect(shown.delivery).toMatchObject({ empty: "hold", divertTo: null });
  });
});

describe("sluice members", () => {
  test("lists who is there with live attributes and their ages, and sets and takes them away", async () => {
    const { stdout } = await host.run(["members", "jobs"], { env: { COLUMNS: "160" } });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^MEMBER +ROLE +INBOX +OUTBOX +ATTRIBUTES +WHERE$/);
    expect(lines[1]).toMatch(/^m1 +sink +s\d+ +- +load=0\.5 zone=eu \([\d.]+ m?s\) +type IN/);
    const set = await host.run(["members", "jobs", "--set", "m2", "load=0.95", "zone:=007"], {
      env: { COLUMNS: "160" },
    });
    expect(set.stdout).toMatch(/\nm2 +sink +s\d+ +- +load=0\.95 zone=007 \(\d+ ms\)/);
    const unset = await host.run(["members", "jobs", "--unset", "m2", "zone", "--json"]);
    expect(JSON.parse(unset.stdout)).toMatchObject({ member: "m2", attributes: { load: 0.95 } });
    const all = (await host.run(["members", "jobs", "--json"])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(all.filter(({ role }) => role === "sink")).toHaveLength(3);
    expect(all.find(({ member }) => member === "m2").ageMs.load).toBeGreaterThanOrEqual(0);
  });

  test.each([
    [["--set", "m1"], 2, /nothing to change/],
    [["--set", "m1", "load"], 2, /"load" is not NAME=VALUE/],
    [["--set", "m1", "a=1", "--unset", "m2", "a"], 2, /not both m1 and m2/],
    [["--set", "m99", "a=1"], 1, /\[member_unknown\]/],
    [["--set", "m1", "Load=1"], 1, /\[attribute_name\]/],
  ])("refuses %j with %i", async (args, code, line) => {
    const told = await host.run(["members", "jobs", ...args]);
    expect(told.code).toBe(code);
    expect(told.stderr).toMatch(line);
  });

  test("tells what waits in the outbox of a source, and that it is held", async () => {
    const httpPort = Number(new URL(host.url).port);
    const client = await connectTo({ httpPort, tcpPort: 0 }, "ws-json");
    await client.join("kept-back", { role: "source", outbox: { held: true } });
    await client.publish("kept-back", { type: "a" }, { type: "b" });
    const { stdout } = await host.run(["members", "kept-back"]);
    expect(stdout).toMatch(/\nm\d+ +source +s\d+ +2 held +- +-\n/);
  });

  test("80 columns are enough, and nobody is nobody", async () => {
    const { stdout } = await host.run(["members", "jobs"], { env: { COLUMNS: "80" } });
    expect(Math.max(...stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(80);
    await host.run(["channel", "create", "empty"]);
    expect((await host.run(["members", "empty"])).stdout).toBe("nobody is there\n");
  });
});
