/**
 * Goal: a module that is called where the stack is nearly full hurts nobody, on any runtime, and one that traps again and again leaves
 * nothing. Method: an application publishes at every frame
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
const trapping = fileURLToPath(new URL("../../fixtures/trap-memory.mjs", import.meta.url));
const WARM_EVENTS = 2_000;

/** What fills memory so far that an instance which stayed would be seen. */
const FILLED_BYTES = 131_072;
const TRAPS = 3_000;
const MIB = 2 ** 20;

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

  test("events that were taken are told once where the stack ends", async (context) => {
    if (absent !== undefined) context.skip(absent);
    const { fatal, taken, refused, told, coreRestarts, counters } = await run(deepText(1), "pass", WARM_EVENTS);
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

  test("nobody is told what a module drops, wherever it ends", async (context) => {
    if (absent !== undefined) context.skip(absent);
    const { fatal, told } = await run(deepText(0), "drop", 0);
    expect({ fatal, told }).toEqual({ fatal: false, told: { c: [], neighbour: ["n0", "n1", "n2"] } });
  });
});

test("memory stays flat over thousands of traps", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-traps-"));
  try {
    const module = join(folder, "module.wasm");
    const text = moduleText({
      word: `(if (result i32) (i32.and (i32.eq (local.get $event) (i32.const 2)) (i32.gt_u (local.get $n) (i32.const 2)))
        (then unreachable) (else (i32.const 1)))`,
      more: `(func (export "sluice_init") (param i32 i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 7) (i32.const ${FILLED_BYTES})) (i32.const 0))`,
    });
    writeFileSync(module, binaryOf(text));
    const program = startProgram(process.execPath, [trapping, module, String(TRAPS)], { input: "" });
    const { code, stdout, stderr } = await program.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { told, counters, rssBytes } = JSON.parse(stdout);
    expect({ told, traps: counters.faults.trap, live: counters.live }).toEqual({
      told: 4 * TRAPS,
      traps: TRAPS,
      live: 1,
    });
    // Instances that stayed would be 270 MiB between the two.
    const [begin, end] = [rssBytes.slice(0, 3), rssBytes.slice(-3)].map((samples) => Math.min(...samples) / MIB);
    expect((end ?? 0) - (begin ?? 0)).toBeLessThan(100);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
