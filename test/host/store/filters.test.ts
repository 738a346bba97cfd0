/** Contents of filter modules on disk: there before a record names them, gone after it, and nobody else's files touched. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isSluiceError } from "../../../host/errors.ts";
import { openFilterStore } from "../../../host/store/filters.ts";
import { openState } from "../../../host/store/state.ts";
import { createTestRegistry } from "../filter/registry/in-process.ts";
import { digestOf, moduleWith } from "../filter/registry/modules.ts";

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-filters-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function open(dir: string) {
  const state = await openState(dir, { createHostId: () => "h" });
  return { state, registry: createTestRegistry(openFilterStore(dir, state)) };
}

/** The code of a refusal. */
const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => (isSluiceError(error) ? error.code : error),
  );

const fileOf = (content: Uint8Array): string => `${digestOf(content).replace(":", "-")}.wasm`;

describe("openFilterStore()", () => {
  test("keeps contents by digest and what they mean in the state", async () => {
    const dir = await folder();
    const { registry } = await open(dir);
    for (const salt of [1, 2]) await registry.put("picky", moduleWith({ salt }));
    const files = [1, 2].map((salt) => fileOf(moduleWith({ salt })));
    expect((await readdir(join(dir, "filters"))).sort()).toEqual([...files].sort());
    const again = await open(dir);
    await again.registry.restore(again.state.filters.values());
    expect(again.registry.versions("picky").map(({ version }) => version)).toEqual([1, 2]);
    expect(await again.registry.content("picky", digestOf(moduleWith({ salt: 1 })))).toEqual(
      Buffer.from(moduleWith({ salt: 1 })),
    );
    await again.registry.remove("picky");
    expect(await readdir(join(dir, "filters"))).toEqual([]);
    expect(JSON.parse(await readFile(join(dir, "state.json"), "utf8"))).not.toHaveProperty("filters");
  });

  test("sweeps what a crash left, and nothing else", async () => {
    const dir = await folder();
    const first = await open(dir);
    await first.registry.put("picky", moduleWith());
    const left = [fileOf(moduleWith({ salt: 9 })), `${fileOf(moduleWith({ salt: 8 }))}.next`];
    for (const name of [...left, "notes.txt", "sha256-00.wasm"]) await writeFile(join(dir, "filters", name), "x");
    const { registry, state } = await open(dir);
    await registry.restore(state.filters.values());
    expect((await readdir(join(dir, "filters"))).sort()).toEqual(
      [fileOf(moduleWith()), "notes.txt", "sha256-00.wasm"].sort(),
    );
  });

  test.each<[string, (file: string) => Promise<void>]>([
    ["is gone", (file) => rm(file)],
    ["was changed", (file) => writeFile(file, moduleWith({ salt: 1 }))],
    ["was cut off", (file) => writeFile(file, moduleWith().subarray(0, 90))],
  ])("refuses to go on with a content that %s", async (_name, harm) => {
    const dir = await folder();
    await (await open(dir)).registry.put("picky", moduleWith());
    await harm(join(dir, "filters", fileOf(moduleWith())));
    const { registry, state } = await open(dir);
    expect(await refusal(registry.restore(state.filters.values()))).toBe("state_unusable");
  });

  test("takes nothing that it cannot keep", async () => {
    const dir = await folder();
    const { registry } = await open(dir);
    await writeFile(join(dir, "filters"), "a file where the folder should be");
    expect(await refusal(registry.put("picky", moduleWith()))).toBe("state_unusable");
    expect(registry.list()).toEqual([]);
  });
});
