import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { put } from "../../scripts/lib/outputs.mjs";

describe("put()", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-put-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Builds a folder of these files and puts it in place; answers what lies there then. */
  function build(files: Readonly<Record<string, string>>): string[] {
    const from = join(folder, "from");
    mkdirSync(join(from, "below"), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(from, name), text);
    put(from, join(folder, "to"), join(folder, "record"));
    rmSync(from, { recursive: true });
    return readdirSync(join(folder, "to"), { recursive: true })
      .map(String)
      .filter((name) => name !== "below")
      .sort();
  }

  test("keeps the parts of the build before, and no older ones", () => {
    expect(build({ "entry.js": "1", "part-1.js": "", "below/x": "" })).toEqual(["below/x", "entry.js", "part-1.js"]);
    expect(build({ "entry.js": "2", "part-2.js": "" })).toEqual(["below/x", "entry.js", "part-1.js", "part-2.js"]);
    expect(readFileSync(join(folder, "to", "entry.js"), "utf8")).toBe("2");
    expect(build({ "entry.js": "3", "part-3.js": "" })).toEqual(["entry.js", "part-2.js", "part-3.js"]);
  });

  test("replaces a file by a file", () => {
    for (const text of ["one", "two"]) {
      writeFileSync(join(folder, "new"), text);
      put(join(folder, "new"), join(folder, "file"), join(folder, "record"));
      expect(readFileSync(join(folder, "file"), "utf8")).toBe(text);
    }
    expect(existsSync(join(folder, "record"))).toBe(false);
  });
});
