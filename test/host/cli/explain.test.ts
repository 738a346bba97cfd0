import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { binaryOf, moduleText, talkingText } from "../filter/module/kit.ts";
import { type Running, type RunningHost, startHost, stopHost } from "./sluice.ts";

/** Traps on events that a look before the upload does not have: whose type is of one character. */
const odd = `(func $odd (result i32)
  (if (i32.eq (i32.load (i32.const 32828)) (i32.const 1)) (then unreachable)) (i32.const 1))`;

describe("sluice explain", () => {
  let host: RunningHost;
  let subscribers: Running[];

  beforeAll(async () => {
    host = await startHost();
    subscribers = [["--where", "load < 0.5 AND zone = 'eu'"], ["--type", "other"], []].map((options) =>
      host.start(["sub", "c", ...options]),
    );
    for (const subscriber of subscribers) await subscriber.until("stderr", /subscribed/);
  });
  afterAll(async () => {
    for (const subscriber of subscribers) await subscriber.stop();
    await stopHost(host);
  });

  test("prints who would get it and why not the others", async () => {
    const { code, stdout } = await host.run(["explain", "c", "--type", "t", "--attr", "load=0.9", "--attr", "zone=eu"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^SINK\s+INBOX\s+VERDICT\s+WHY\n/);
    expect(stdout).toMatch(/rejected\s+match where: does not hold: load < 0\.5\n/);
    expect(stdout).toMatch(/rejected\s+match type: /);
    expect(stdout).toMatch(/delivered\s*\n/);
    expect(stdout).toMatch(/\n1 of 3 would get it\n$/);
  });

  test("names what is missing; exits 1 where nobody would get it; --json is one entry a line", async () => {
    const told = await host.run(["explain", "c", "--event", '{"type":"t"}', "--json"]);
    expect(told.code).toBe(0);
    const entries = told.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries).toHaveLength(3);
    expect(entries.map(({ reason }) => reason).sort()).toEqual(["missing", null, "type"].sort());
    await host.run(["channel", "create", "empty"]);
    const nobody = await host.run(["explain", "empty"]);
    expect([nobody.code, nobody.stdout]).toEqual([1, "nobody is subscribed\n"]);
  });

  test("asks filter modules, and shows what they decide and say", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-explain-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "talking.wasm"), binaryOf(talkingText));
    await writeFile(join(folder, "bad.wasm"), binaryOf(moduleText({ word: "(call $odd)", more: odd })));
    const sub = host.start(["sub", "m"]);
    onTestFinished(async () => void (await sub.stop()));
    await sub.until("stderr", /subscribed/);
    for (const name of ["talking", "bad"])
      expect(await host.run(["filter", "push", join(folder, `${name}.wasm`)])).toMatchObject({ code: 0, stderr: "" });
    await host.run(["channel", "filter", "m", "out", "--module", "talking"]);
    await host.run(["channel", "filter", "m", "in", "--module", "bad", "--on-error", "drop"]);
    const { code, stdout } = await host.run(["explain", "m", "--type", "t"], { env: { COLUMNS: "200" } });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^m\d+ +s\d+ +rejected +in module\.failed: /m);
    expect(stdout).toMatch(
      /\nmodule talking 1 of the out filter: to 1 of 1, [\d,]+ fuel\n {2}info hell\n {2}warn hello\n/,
    );
    expect(stdout).toMatch(
      /\nmodule bad 1 of the in filter: by onError to nobody, [\d,]+ fuel\n {2}trap: [^\n]+\n0 of 1 would get it\n$/,
    );
    const lines = (await host.run(["explain", "m", "--type", "t", "--json"])).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { verdict: "rejected", module: { name: "bad", stage: "in" } },
      { asked: { name: "talking", log: [{ text: "hell" }, { text: "hello" }] } },
      { asked: { name: "bad", fault: { cause: "trap" }, failed: true } },
    ]);
    // Nobody was asked for real.
    const { counters } = JSON.parse((await host.run(["filter", "show", "bad", "--json"])).stdout);
    expect(JSON.stringify(counters)).not.toMatch(/"trap":[1-9]/);
    expect((await host.run(["filter", "logs", "talking"])).stdout).not.toContain("hello");
  });

  test("a refusal is one line", async () => {
    const { code, stderr } = await host.run(["explain", "nowhere"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: [^\n]*nowhere[^\n]*\[channel_unknown\][^\n]*\n$/);
    const twice = await host.run(["explain", "c", "--event", "{}", "--data", "x"]);
    expect(twice.code).toBe(2);
  });

  test("sub --where shows where an expression is wrong, and asks no host", async () => {
    const { code, stderr } = await host.run(["sub", "c", "--where", "load >\n  AND 1"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^ {2}AND 1\n {2}\^\nsluice: --where: [^\n]*line 2, column 3[^\n]*\n$/);
  });
});
