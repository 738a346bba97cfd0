/** The registry where HTTP does not reach: bytes that change, changes at the same time, what a disk kept. */
import { describe, expect, test } from "vitest";
import { isSluiceError } from "../../../../host/errors.ts";
import type { FilterRecord } from "../../../../host/filter/registry/registry.ts";
import { createTestRegistry, memoryStore } from "./in-process.ts";
import { digestOf, moduleWith } from "./modules.ts";

/** What a refusal says. */
const refusal = async (work: Promise<unknown>): Promise<string> => {
  const reason = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  return isSluiceError(reason) ? reason.code : String(reason);
};

describe("FilterRegistry", () => {
  test("keeps the bytes that it was given, whoever writes to them while they are looked at", async () => {
    const store = memoryStore();
    const registry = createTestRegistry(store);
    const shared = new Uint8Array(new SharedArrayBuffer(moduleWith().length));
    shared.set(moduleWith());
    const put = registry.put("picky", shared);
    shared.fill(0);
    const { version } = await put;
    expect(version.digest).toBe(digestOf(moduleWith()));
    expect(store.contents.get(version.digest)).toEqual(moduleWith());
    expect(await registry.content("picky", version.digest)).toEqual(moduleWith());
  });

  test("makes one version of one content, however many bring it at the same time", async () => {
    const registry = createTestRegistry();
    const salts = [1, 1, 2, 1, 2];
    const puts = await Promise.all(salts.map((salt) => registry.put("picky", moduleWith({ salt }))));
    expect(puts.map(({ created }) => created).filter(Boolean)).toHaveLength(2);
    expect(new Set(puts.map(({ version }) => version.version))).toEqual(new Set([1, 2]));
    expect(registry.versions("picky")).toHaveLength(2);
  });

  test("keeps a content while any name has it", async () => {
    const store = memoryStore();
    const registry = createTestRegistry(store);
    for (const name of ["a", "b"]) await registry.put(name, moduleWith());
    await registry.remove("a");
    expect([...store.contents.keys()]).toEqual([digestOf(moduleWith())]);
    await registry.remove("b");
    expect([...store.contents.keys()]).toEqual([]);
    expect([...store.records.keys()]).toEqual([]);
  });

  test("tells of every switch when it has happened, a step back included", async () => {
    const registry = createTestRegistry();
    const told: unknown[] = [];
    const end = registry.onRevision((name) => told.push([name, registry.resolve(name)?.version]));
    await registry.put("picky", moduleWith());
    await registry.put("picky", moduleWith());
    await registry.put("picky", moduleWith({ salt: 1 }));
    expect(registry.rollback("picky", "it failed")?.version).toBe(1);
    expect(registry.rollback("picky", "again")).toBeUndefined();
    await registry.remove("picky");
    end();
    await registry.put("picky", moduleWith());
    expect(told).toEqual([
      ["picky", 1],
      ["picky", 2],
      ["picky", 1],
      ["picky", undefined],
    ]);
  });

  test("says who runs a version that nobody has bound by name", async () => {
    const registry = createTestRegistry();
    await registry.put("picky", moduleWith());
    registry.running = () => 2;
    const error = await registry.remove("picky").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "filter_in_use", limit: ["filter of 2 sources"] });
  });

  test("is as it was after a start, numbers and steps back included", async () => {
    const store = memoryStore();
    const before = createTestRegistry(store);
    for (const salt of [1, 2, 3, 4]) await before.put("picky", moduleWith({ salt }));
    before.rollback("picky", "tested");
    await before.removeVersion("picky", digestOf(moduleWith({ salt: 4 })));
    const after = createTestRegistry(store);
    await after.restore([...store.records.values()] as FilterRecord[]);
    expect(after.resolve("picky")).toMatchObject({ version: 3, digest: digestOf(moduleWith({ salt: 3 })) });
    expect(after.versions("picky").map(({ version, uploadedAt }) => [version, uploadedAt])).toEqual(
      before.versions("picky").map(({ version, uploadedAt }) => [version, uploadedAt]),
    );
    expect(after.rollback("picky", "tested")?.version).toBe(2);
    // The number of the version that is gone is not given again.
    expect((await after.put("picky", moduleWith({ salt: 5 }))).version.version).toBe(5);
  });

  test("does not start without a module that it kept, or with one that it would not take", async () => {
    const store = memoryStore();
    await createTestRegistry(store).put("picky", moduleWith());
    const records = [...store.records.values()] as FilterRecord[];
    store.contents.set(digestOf(moduleWith()), new Uint8Array(8));
    expect(await refusal(createTestRegistry(store).restore(records))).toBe("state_unusable");
  });
});
