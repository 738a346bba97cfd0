import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningHost, startHost, stopHost } from "./sluice.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

/** Runs `sluice mailbox …` and gives its answer as JSON. */
async function json(...words: string[]): Promise<Record<string, unknown>> {
  const { code, stdout } = await host.run(["mailbox", ...words, "--json"]);
  expect(code).toBe(0);
  return JSON.parse(stdout.trim().split("\n").at(-1) as string);
}

describe("sluice mailbox", () => {
  test("lists, shows, holds, drains and releases", async () => {
    expect((await host.run(["mailbox", "ls"])).stdout).toContain("no mailboxes");
    const made = await fetch(`${host.url}/v1/inboxes`, { method: "POST" });
    const { id } = (await made.json()) as { id: string };
    await fetch(`${host.url}/v1/inboxes/${id}/joins/orders`, { method: "PUT" });
    expect(await json("hold", id)).toMatchObject({ held: true });
    await host.run(["pub", "orders", "one"]);
    await host.run(["pub", "orders", "two"]);
    const table = await host.run(["mailbox", "ls"]);
    expect(table.stdout).toMatch(/MAILBOX +KIND +WAITING/);
    expect(table.stdout).toMatch(/http +2 .*held/);
    const shown = await host.run(["mailbox", "show", id]);
    expect(shown.stdout).toContain("joined          orders as sink");
    // Whoever holds or drains it takes its id from there.
    expect(table.stdout).toContain(id);
    expect(Math.max(...table.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(await json("show", id)).toMatchObject({ id, depth: { events: 2 } });
    expect((await host.run(["mailbox", "drain", id])).stdout).toContain("discarded 2 events");
    expect((await host.run(["mailbox", "release", id])).stdout).toContain("is released, 0 events wait");
    expect(await json("show", id)).toMatchObject({ held: false, depth: { events: 0 } });
    expect((await host.run(["mailbox", "show", id])).stdout).not.toContain("waited");
    await host.run(["pub", "orders", "three"]);
    await fetch(`${host.url}/v1/inboxes/${id}/events`);
    const { stdout } = await host.run(["mailbox", "show", id]);
    expect(stdout).toMatch(/^waited +half up to [\d.]+ ms, 90 % [\d.]+ ms, 99 % [\d.]+ ms, of 1 events$/m);
    expect(stdout).toMatch(/^was deep +half up to [\d.]+, 90 % [\d.]+, 99 % [\d.]+, in 1 drains$/m);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("shows what becomes of late events, how deliveries are batched, what each sink asks for and what it missed", async () => {
    const settings = { late: "drop", serviceMs: 2.5, select: { events: 8, delayMs: 20 } };
    const ask = (method: string, path: string, body: object) =>
      fetch(host.url + path, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
    const { id } = (await (await ask("POST", "/v1/inboxes", settings)).json()) as { id: string };
    await ask("PUT", `/v1/inboxes/${id}/joins/alarms`, { where: "load > 0.5" });
    const late = { type: "t", attributes: { load: 1 }, deliverBy: "2020-01-01T00:00:00Z" };
    await ask("POST", "/v1/channels/alarms/events", late);
    const { stdout } = await host.run(["mailbox", "show", id]);
    expect(stdout).toMatch(/^late events +dropped$/m);
    expect(stdout).toMatch(/^service +2\.5 ms for an event$/m);
    expect(stdout).toMatch(/^batches +up to 8 events or 65,536 bytes, after 20 ms at the latest$/m);
    expect(stdout).toMatch(
      /^joined +alarms as sink m\d+\n +where load > 0\.5\n +deadlines: 0 met, 1 missed, 1 dropped$/m,
    );
  });

  test.each(["show", "hold", "release", "drain"])("%s of one that is not there fails, and says so", async (verb) => {
    const { code, stderr } = await host.run(["mailbox", verb, "i0"]);
    expect(code).toBe(1);
    expect(stderr).toContain("i0");
  });
});

describe("what cannot be", () => {
  test.each<[string, string[], number, RegExp]>([
    ["no id", ["mailbox", "show", ""], 2, /give the id of a mailbox/],
    ["no ordering", ["sub", "c", "--ordering", "NaN"], 1, /inbox\.ordering "NaN".*"fifo".*\[invalid_value\]/],
    ["no policy", ["sub", "c", "--overflow", "drop-all"], 1, /inbox\.overflow "drop-all".*\[invalid_value\]/],
    ["a capacity of 0", ["sub", "c", "--capacity", "0"], 2, /0 is below the least, 1/],
    ["a negative capacity", ["sub", "c", "--capacity", "-1"], 2, /"-1" is not a whole number/],
    ["a capacity that is no number", ["sub", "c", "--capacity", "NaN"], 2, /"NaN" is not a whole number/],
    ["an endless capacity", ["sub", "c", "--capacity", "1e999"], 2, /"1e999" is not a whole number/],
    ["a huge capacity", ["sub", "c", "--capacity", "16777217"], 1, /16777217.*16777216.*\[invalid_value\]/],
    ["a window that is none", ["channel", "create", "w", "--window", "NaN"], 2, /"NaN" is not LOSE\/OF@MS/],
    ["negative losses", ["channel", "create", "w", "--window", "-1/2@5"], 2, /"-1\/2@5" is not LOSE\/OF@MS/],
    ["more losses than deadlines", ["channel", "create", "w", "--window", "3/2@5"], 1, /\[contradiction\]/],
    ["a window of nothing", ["channel", "create", "w", "--window", "0/0@5"], 1, /\[invalid_value\]/],
    ["a huge window", ["channel", "create", "w", "--window", "1/65537@5"], 1, /65536.*\[invalid_value\]/],
    ["no period", ["channel", "create", "w", "--window", "1/2@0"], 1, /periodMs.*\[invalid_value\]/],
  ])("%s is refused in one line", async (_, words, code, line) => {
    const told = await host.run(words);
    expect(told).toMatchObject({ code, stdout: "" });
    expect(told.stderr).toMatch(line);
    expect(told.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
