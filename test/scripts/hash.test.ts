import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashOf } from "../../scripts/lib/hash.mjs";

describe("hashOf()", () => {
  let folder = "";
  const hash = (): string => hashOf(folder, ["a", "one.txt"]);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-hash-"));
    mkdirSync(join(folder, "a", "b"), { recursive: true });
    writeFileSync(join(folder, "a", "b", "two.txt"), "two");
    writeFileSync(join(folder, "one.txt"), "one");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test.each([
    ["a file's content changes", () => writeFileSync(join(folder, "a", "b", "two.txt"), "too")],
    ["a file comes", () => writeFileSync(join(folder, "a", "three.txt"), "")],
    ["a file goes", () => rmSync(join(folder, "one.txt"))],
    ["a file moves", () => renameSync(join(folder, "a", "b", "two.txt"), join(folder, "a", "two.txt"))],
  ])("changes when %s", (_name, change) => {
    const before = hash();
    change();
    expect(hash()).not.toBe(before);
  });

  test("stays when a file is only touched, or lies beside", () => {
    const before = hash();
    utimesSync(join(folder, "one.txt"), 1, 1);
    writeFileSync(join(folder, "beside.txt"), "");
    expect(hash()).toBe(before);
  });

  test("tells a boundary between files from content", () => {
    writeFileSync(join(folder, "x"), "12");
    writeFileSync(join(folder, "y"), "3");
    const before = hashOf(folder, ["x", "y"]);
    writeFileSync(join(folder, "x"), "1");
    writeFileSync(join(folder, "y"), "23");
    expect(hashOf(folder, ["x", "y"])).not.toBe(before);
  });

  test("counts extras", () => {
    expect(hashOf(folder, ["a"], ["linux"])).not.toBe(hashOf(folder, ["a"], ["darwin"]));
  });
});
