/**
 * Goal: what was answered is on disk, whatever moment the process ends at; what is on disk and not understood is never
 * overwritten.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { definitionFromJson } from "../../../host/channel/definition.ts";
import { templateFromJson } from "../../../host/channel/templates.ts";
import { conditionFromJson } from "../../../host/condition/schema.ts";
import { contractFromJson } from "../../../host/contract/schema.ts";
import type { SluiceError } from "../../../host/errors.ts";
import { openState } from "../../../host/store/state.ts";

const options = { createHostId: () => "host1" };
const definition = definitionFromJson({ types: ["a"], delivery: { ttlMs: 5 } });

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-state-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function written(dir: string): Promise<{ epoch: number; hostId: string; channels: { name: string }[] }> {
  return JSON.parse(await readFile(join(dir, "state.json"), "utf8"));
}

describe("openState()", () => {
  test("makes the folder, an identity and the first epoch, all on disk before it returns", async () => {
    const dir = join(await folder(), "a", "b");
    const state = await openState(dir, options);
    expect(state).toMatchObject({ hostId: "host1", epoch: 1 });
    expect(await written(dir)).toEqual({ version: 1, hostId: "host1", epoch: 1, channels: [] });
    expect((await stat(join(dir, "state.json"))).mode & 0o777).toBe(0o600);
  });

  test("keeps identity and definitions, and takes a larger epoch each time", async () => {
    const dir = await folder();
    const first = await openState(dir, options);
    first.putChannel("a/b", definition);
    first.putChannel("gone", definition);
    first.removeChannel("gone");
    first.setEpoch(4);
    await first.settled();
    const second = await openState(dir, { createHostId: () => "another" });
    expect(second).toMatchObject({ hostId: "host1", epoch: 5 });
    expect([...second.channels]).toEqual([["a/b", definition]]);
    expect((await openState(dir, options)).epoch).toBe(6);
  });

  test("keeps filters, where to divert, and that nobody said whether there is an echo", async () => {
    const dir = await folder();
    const first = await openState(dir, options);
    const filters = { out: { route: { orderBy: "sink.load", limit: "copies", unique: { by: "key" } } } };
    const kept = definitionFromJson({ filters, delivery: { empty: "divert", divertTo: "parked" } }, "c");
    first.putChannel("c", kept);
    await first.settled();
    const [channel] = (await written(dir)).channels;
    expect(channel).toMatchObject({ filters: { in: null, out: { routes: [filters.out.route] } } });
    expect(channel).not.toHaveProperty("echo");
    const second = (await openState(dir, options)).channels.get("c");
    expect(second).toEqual(kept);
    expect(second?.filters.out?.identity).toBe(kept.filters.out?.identity);
  });

  test("keeps conditions in the order of their creation, and none of their values", async () => {
    const dir = await folder();
    const first = await openState(dir, options);
    const definition = conditionFromJson({ kind: "value", initial: 1, value: 7 }, "b");
    first.putCondition("b", definition);
    first.putCondition("a", conditionFromJson({ kind: "expression", expression: "b + 1" }, "a"));
    first.putCondition("gone", definition);
    first.removeCondition("gone");
    await first.settled();
    const second = await openState(dir, options);
    expect([...second.conditions.keys()]).toEqual(["b", "a"]);
    expect(second.conditions.get("b")).toEqual({ kind: "value", initial: 1, observed: true });
  });

  test("keeps contracts", async () => {
    const dir = await folder();
    const first = await openState(dir, options);
    const definition = contractFromJson({ regions: [{ name: "low", when: "load < 1" }, { name: "high" }] }, "c");
    first.putContract("c", definition);
    first.putContract("gone", definition);
    first.removeContract("gone");
    await first.settled();
    expect([...(await openState(dir, options)).contracts]).toEqual([["c", definition]]);
  });

  test("keeps templates, and says nothing of them where there are none", async () => {
    const dir = await folder();
    const first = await openState(dir, options);
    const template = templateFromJson({ pattern: "a.*", delivery: { ttlMs: 5 } }, "t");
    first.putTemplate(template);
    first.putTemplate(templateFromJson({ pattern: "b" }, "gone"));
    first.removeTemplate("gone");
    await first.settled();
    expect(await written(dir)).toMatchObject({ templates: [{ name: "t", pattern: "a.*", delivery: { ttlMs: 5 } }] });
    const second = await openState(dir, options);
    expect([...second.templates.values()]).toEqual([template]);
    second.removeTemplate("t");
    await second.settled();
    expect(await written(dir)).not.toHaveProperty("templates");
  });

  test("keeps nothing without a folder", async () => {
    const state = await openState(undefined, options);
    state.putChannel("a", definition);
    await state.settled();
    expect(state).toMatchObject({ hostId: "host1", epoch: 1 });
    expect([...state.channels.keys()]).toEqual(["a"]);
  });

  test("is not disturbed by a write that a crash cut off", async () => {
    const dir = await folder();
    await openState(dir, options);
    await writeFile(join(dir, "state.json.next"), '{"version":1,"hos');
    expect(await openState(dir, options)).toMatchObject({ hostId: "host1", epoch: 2 });
    expect(await readdir(dir)).toEqual(["state.json"]);
  });

  const state = (changes: object) => JSON.stringify({ version: 1, hostId: "h", epoch: 1, channels: [], ...changes });
  test.each([
    ["that is no JSON", "{"],
    ["that is empty", ""],
    ["of another version", state({ version: 2 })],
    ["with an unknown field", state({ colour: "blue" })],
    ["without epoch", JSON.stringify({ version: 1, hostId: "h", channels: [] })],
    ["with an epoch that is no count", state({ epoch: -1 })],
    ["with a channel that cannot be", state({ channels: [{ name: "a b" }] })],
    ["with a definition of another version", state({ channels: [{ name: "a", presence: true }] })],
  ])("refuses a file %s, names it, and leaves it as it is", async (_name, text) => {
    const dir = await folder();
    const file = join(dir, "state.json");
    await writeFile(file, text);
    const error = await openState(dir, options).then(
      () => undefined,
      (thrown: SluiceError) => thrown,
    );
    expect(error).toMatchObject({ code: "state_unusable", value: file });
    expect(error?.message).toContain(file);
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("refuses a folder that cannot be one", async () => {
    const dir = await folder();
    await writeFile(join(dir, "file"), "");
    for (const bad of [join(dir, "file"), join(dir, "file", "below"), join(dir, "file", "far", "below")]) {
      await expect(openState(bad, options)).rejects.toMatchObject({ code: "state_unusable" });
    }
  });
});

describe.runIf(process.platform === "linux")("openState() on Linux", () => {
  test("refuses a folder where none can be made, instead of trying for ever", async () => {
    await expect(openState("/proc/sluice/state", options)).rejects.toMatchObject({ code: "state_unusable" });
  });
});

describe("State", () => {
  test("writes many changes of one turn once", async () => {
    const dir = await folder();
    const state = await openState(dir, options);
    const before = (await stat(join(dir, "state.json"))).ino;
    for (let index = 0; index < 1_000; index += 1) state.putChannel(`c${index}`, definition);
    await state.settled();
    expect((await written(dir)).channels).toHaveLength(1_000);
    // Each write is a new file; one was in the way of the new one, so at most one was made.
    expect((await stat(join(dir, "state.json"))).ino).not.toBe(before);
    expect(await readdir(dir)).toEqual(["state.json"]);
  });

  test("has each change on disk when settled() resolves, also while others go on changing", async () => {
    const dir = await folder();
    const state = await openState(dir, options);
    let noise = 0;
    let stop = false;
    const others = (async () => {
      while (!stop) {
        state.setEpoch(10 + noise++);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    })();
    for (let index = 0; index < 20; index += 1) {
      state.putChannel(`c${index}`, definition);
      await state.settled();
      expect((await written(dir)).channels.map(({ name }) => name)).toContain(`c${index}`);
    }
    stop = true;
    await others;
    await state.settled();
    expect(noise).toBeGreaterThan(20);
  });

  test("tells of a write that failed, and tries again with the next change", async () => {
    const dir = await folder();
    const errors: SluiceError[] = [];
    const state = await openState(dir, { ...options, onError: (error) => errors.push(error) });
    await rm(dir, { recursive: true });
    state.putChannel("a", definition);
    await expect(state.settled()).rejects.toMatchObject({ code: "state_unusable" });
    expect(errors).toHaveLength(1);
    await mkdir(dir);
    state.putChannel("b", definition);
    await state.settled();
    expect((await written(dir)).channels.map(({ name }) => name)).toEqual(["a", "b"]);
  });
});
