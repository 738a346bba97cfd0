/**
 * Goal: the instrumenter takes nothing that WebAssembly's own tests call malformed or invalid, and refuses it for a reason and not by an
 * accident of its own. Method: their modules, each as it is and with what the ABI asks for around it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { instrument, ModuleRefused } from "../../../../host/filter/meter/index.ts";

const ACCIDENT = /cannot be instrumented|fault of this program/;
/** What every module lacks that is no filter. */
const NO_FILTER = /no hook|no sluice_arena|no memory named|sluice_abi|is not given/;

const modules = readFileSync(new URL("../../../fixtures/spec-modules.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [file = "", verdict = "", content = "", ...complaint] = line.split(" ");
    return { file, verdict, bytes: new Uint8Array(Buffer.from(content, "base64")), complaint: complaint.join(" ") };
  });

/** Why a module is refused; none where it is taken. */
function reasonsOf(bytes: Uint8Array): readonly string[] {
  try {
    instrument(bytes);
    return [];
  } catch (error) {
    if (error instanceof ModuleRefused) return error.reasons;
    throw error;
  }
}

describe("modules of the specification's tests", () => {
  test("are all there", () => {
    const count = (verdict: string): number => modules.filter((one) => one.verdict === verdict).length;
    expect(["malformed", "invalid", "valid"].map(count)).toEqual([114, 349, 18]);
  });

  test.each(["malformed", "invalid"])("that are %s are refused", (verdict) => {
    for (const one of modules) {
      if (one.verdict !== verdict) continue;
      const { file, bytes, complaint } = one;
      const reasons = reasonsOf(bytes);
      expect({ file, complaint, refused: reasons.length > 0 }).toEqual({ file, complaint, refused: true });
      expect(reasons.join(" "), `${file}: ${complaint}`).not.toMatch(ACCIDENT);
      // Either it is refused as a file before that, or the engine refuses it: nothing of it is ever emitted.
      const told = reasons.some((reason) => !NO_FILTER.test(reason));
      expect({ file, complaint, sound: told || !WebAssembly.validate(bytes) }).toEqual({
        file,
        complaint,
        sound: true,
      });
    }
  });

  test("that are valid are no filters, which is all that is wrong with them", () => {
    for (const { file, bytes, verdict } of modules) {
      if (verdict !== "valid") continue;
      const others = reasonsOf(bytes).filter((reason) => !NO_FILTER.test(reason));
      expect({ file, others }).toEqual({ file, others: [] });
    }
  });
});
