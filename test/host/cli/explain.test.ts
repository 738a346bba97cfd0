import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Running, type RunningHost, startHost, stopHost } from "./sluice.ts";

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
