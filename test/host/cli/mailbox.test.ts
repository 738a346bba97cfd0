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

  test.each(["show", "hold", "release", "drain"])("%s of one that is not there fails, and says so", async (verb) => {
    const { code, stderr } = await host.run(["mailbox", verb, "i0"]);
    expect(code).toBe(1);
    expect(stderr).toContain("i0");
  });
});
