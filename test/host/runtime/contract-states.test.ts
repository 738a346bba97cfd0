/** Goal: a host that is started again with its `--data` goes on where its contracts were, and carries out no transition for that. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type RunningHost, startHost } from "../cli/sluice.ts";

type Json = Record<string, unknown>;

async function ask({ url }: RunningHost, method: string, path: string, body?: object): Promise<Json> {
  const response = await fetch(`${url}/v1/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect([response.ok, text]).toEqual([true, text]);
  return text === "" ? {} : JSON.parse(text);
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-contracts-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function started(dir: string): Promise<RunningHost> {
  const host = await startHost(["--data", dir]);
  onTestFinished(async () => void (await host.stop("SIGKILL")));
  return host;
}

/** What the file has of a contract. */
async function keptIn(dir: string, name: string): Promise<Json | undefined> {
  const { contractStates = [] } = JSON.parse(await readFile(join(dir, "state.json"), "utf8"));
  return contractStates.find((one: Json) => one["name"] === name);
}

const path = async (host: RunningHost) => (await ask(host, "GET", "contracts/hall"))["path"];
const evaluate = (host: RunningHost) => ask(host, "POST", "contracts/hall/evaluate");

/** Warm from 30 on, until it is below 20; what it does is told by values, filters and events. */
const hall = {
  regions: [
    {
      name: "hot",
      when: "warmth >= 30",
      exit: "warmth < 20",
      regions: [{ name: "day", when: "sun" }, { name: "night" }],
    },
    { name: "cool" },
  ],
  transitions: [
    {
      from: "cool",
      to: "hot",
      do: [
        { bind: { channel: "vents", stage: "out", route: { where: "sink.open = TRUE" } } },
        { configure: { channel: "by.itself", patch: { store: { events: 3 } } } },
        { set: { mode: "eco", turns: 4 } },
        { publish: { channel: "told", event: { type: "hot" } } },
      ],
    },
    {
      from: "hot",
      to: "cool",
      do: [
        { configure: { channel: "vents", patch: null } },
        { configure: { channel: "by.itself", patch: null } },
        { set: { mode: "full" } },
        { publish: { channel: "told", event: { type: "cool" } } },
      ],
    },
  ],
};

async function brought(host: RunningHost): Promise<void> {
  await ask(host, "PUT", "conditions/warmth", { kind: "value", initial: 25 });
  await ask(host, "PUT", "conditions/sun", { kind: "value", type: "boolean" });
  await ask(host, "PUT", "conditions/mode", { kind: "value", type: "string", initial: "full" });
  await ask(host, "PUT", "conditions/turns", { kind: "value" });
  await ask(host, "PUT", "channels/vents", { delivery: { ttlMs: 900 } });
  await ask(host, "PUT", "channels/told", { store: { events: 10 } });
  // There by itself, and not kept but for the contract.
  await ask(host, "POST", "channels/by.itself/events", { type: "any" });
  await ask(host, "PUT", "contracts/hall", hall);
  expect((await evaluate(host))["path"]).toEqual(["cool"]);
  await ask(host, "PUT", "conditions/warmth/value", { value: 33 });
  expect((await evaluate(host))["path"]).toEqual(["hot", "night"]);
  // Somebody else's from now on.
  await ask(host, "PUT", "conditions/turns/value", { value: 5 });
}

describe("contracts of a host that is started again", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)(
    "are where they were after %s, with what they lay over channels; then what holds now moves them",
    async (signal) => {
      const dir = await folder();
      const first = await started(dir);
      await brought(first);
      await expect.poll(() => keptIn(dir, "hall")).toMatchObject({ path: ["hot", "night"] });
      const before = await ask(first, "GET", "contracts/hall");
      await first.stop(signal);

      const second = await started(dir);
      // 25 degrees neither enters the region nor leaves it.
      expect((await evaluate(second))["path"]).toEqual(["hot", "night"]);
      const after = await ask(second, "GET", "contracts/hall");
      expect(after).toMatchObject({ status: "active", failures: 0, lastFailure: null });
      const hits = (of: Json) => (of["hits"] as Record<string, number>)["hot/night"] as number;
      expect(hits(after)).toBeGreaterThan(hits(before) - 1);
      expect(after["evaluations"]).toBeGreaterThan((before["evaluations"] as number) - 1);
      const vents = await ask(second, "GET", "channels/vents");
      expect(vents).toMatchObject({ filters: { out: null }, governedBy: ["hall"], delivery: { ttlMs: 900 } });
      expect(vents["overlay"]).toMatchObject({ filters: { out: { routes: [{ where: "sink.open = TRUE" }] } } });
      expect(await ask(second, "GET", "channels/by.itself")).toMatchObject({ overlay: { store: { events: 3 } } });
      expect(await ask(second, "GET", "conditions/mode")).toMatchObject({ value: "eco" });
      expect(await ask(second, "GET", "conditions/turns")).toMatchObject({ value: 0 });
      // Nothing was carried out for that.
      expect(await ask(second, "GET", "channels/told")).toMatchObject({ stored: 0 });

      await ask(second, "PUT", "conditions/warmth/value", { value: 12 });
      expect((await evaluate(second))["path"]).toEqual(["cool"]);
      expect(await ask(second, "GET", "channels/vents")).toMatchObject({ governedBy: [] });
      expect(await ask(second, "GET", "channels/told")).toMatchObject({ stored: 1 });
      const { data } = await ask(second, "GET", "contracts/hall/transitions");
      expect((data as Json[]).map(({ number, handlers }) => [number, handlers])).toEqual([
        [2, ["cool->hot"]],
        [3, ["hot->cool"]],
      ]);
    },
  );

  test("that are elsewhere by what holds at the start move on by the transitions from where they were", async () => {
    const dir = await folder();
    const first = await started(dir);
    await brought(first);
    await ask(first, "PUT", "conditions/warmth", { kind: "value", initial: 3 });
    await ask(first, "PUT", "conditions/warmth/value", { value: 41 });
    expect((await evaluate(first))["path"]).toEqual(["hot", "night"]);
    await first.stop("SIGTERM");
    const second = await started(dir);
    await expect.poll(() => path(second)).toEqual(["cool"]);
    expect(await ask(second, "GET", "channels/told")).toMatchObject({ stored: 1 });
    expect(await ask(second, "GET", "channels/vents")).toMatchObject({ governedBy: [] });
    expect(await ask(second, "GET", "conditions/mode")).toMatchObject({ value: "full" });
    // And again, from there.
    await second.stop("SIGTERM");
    const third = await started(dir);
    expect((await evaluate(third))["path"]).toEqual(["cool"]);
    expect(await ask(third, "GET", "channels/told")).toMatchObject({ stored: 0 });
  });

  test("that move all the time are written a few times, with the last of it when the host ends", async () => {
    const dir = await folder();
    const first = await started(dir);
    await brought(first);
    for (let round = 0; round < 60; round++) {
      await ask(first, "PUT", "conditions/warmth/value", { value: round % 2 === 0 ? 10 : 40 });
      await evaluate(first);
    }
    const { data } = await ask(first, "GET", "contracts/hall/transitions");
    const { number } = (data as Json[]).at(-1) as { number: number };
    await first.stop("SIGTERM");
    expect(await keptIn(dir, "hall")).toMatchObject({ path: ["hot", "night"], last: { number } });
  });
});
