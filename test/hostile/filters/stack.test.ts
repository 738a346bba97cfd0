/**
 * Goal: a module that is called where the stack is nearly full hurts nobody, on any runtime. Method: an application publishes at every frame
 * of a recursion that has just met its end. Whatever ends there, in the module, around it or in the host, the next event is decided by
 * an instance that is whole, and the neighbour is heard.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missing, type Target, targets } from "../../conformance/targets.ts";
import { startProgram } from "../../host/cli/sluice.ts";
import { binaryOf, moduleText } from "../../host/filter/module/kit.ts";

const script = fileURLToPath(new URL("../../fixtures/deep-stack.mjs", import.meta.url));
const WARM_EVENTS = 2_000;

/** Goes 200 frames down for every event, and then decides so. */
const deepText = (word: number): string =>
  moduleText({
    word: "(call $deep (i32.const 200))",
    more: `(func $deep (param i32) (result i32) ${"(local i64)".repeat(20)}
      (if (i32.eqz (local.get 0)) (then (return (i32.const ${word}))))
      (call $deep (i32.sub (local.get 0) (i32.const 1))))`,
  });

/** What the program says. */
interface Told {
  readonly fatal: boolean;
  readonly taken: readonly string[];
  readonly refused: number;
  readonly told: { readonly c: readonly string[]; readonly neighbour: readonly string[] };
  readonly coreRestarts: number;
  readonly counters: { readonly faults: Readonly<Record<string, number>>; readonly failed: number };
}

describe.each([targets.node, targets.deno, targets.bun])("on $name", (target: Target) => {
  const absent = missing(target);
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-stack-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = async (text: string, onError: string, warm: number): Promise<Told> => {
    const module = join(folder, "module.wasm");
    writeFileSync(module, binaryOf(text));
    const args = target.name === "deno" ? ["run", "--allow-all", "--no-prompt"] : [];
    const program = startProgram(target.command, [...args, script, module, onError, String(warm)], { input: "" });
    const { code, stdout, stderr } = await program.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };

  test.each([
    ["once its code is compiled", WARM_EVENTS],
    ["before it is", 0],
  ])("events that were taken are told once where the stack ends, %s", async (_when, warm) => {
    if (absent !== undefined) return;
    const { fatal, taken, refused, told, coreRestarts, counters } = await run(deepText(1), "pass", warm);
    expect({ fatal, coreRestarts, neighbour: told.neighbour }).toEqual({
      fatal: false,
      coreRestarts: 0,
      neighbour: ["n0", "n1", "n2"],
    });
    expect(new Set(told.c).size).toBe(told.c.length);
    const heard = new Set(told.c);
    expect(taken.filter((id) => !heard.has(id))).toEqual([]);
    // It did come to the end.
    expect(refused).toBeGreaterThan(0);
    // Its fuel may end first where several wait for one call.
    for (const cause of Object.keys(counters.faults))
      if (!["stack", "fuel"].includes(cause)) expect([cause, counters.faults[cause]]).toEqual([cause, 0]);
  });

  test("nobody is told what a module drops, wherever it ends", async () => {
    if (absent !== undefined) return;
    const { fatal, told } = await run(deepText(0), "drop", 0);
    expect({ fatal, told }).toEqual({ fatal: false, told: { c: [], neighbour: ["n0", "n1", "n2"] } });
  });
});
