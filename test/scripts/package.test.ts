/** package.json leads everybody to files that are built and packed: command line, library, and each runtime's own of both. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { bin, exports, files, imports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const conditional = { "#cli": imports["#cli"], ".": exports["."] };

/** All paths in a map of conditions. */
function pathsIn(value: unknown): string[] {
  return typeof value === "string" ? [value] : Object.values(value as object).flatMap(pathsIn);
}

/** Whether `files` packs it: by name, by folder, or by a pattern with one star. */
function isPacked(path: string): boolean {
  return (files as string[]).some((entry) => {
    const pattern = entry.split("*").map((part) => part.replace(/[.\\/]/g, "\\$&"));
    return new RegExp(`^${pattern.join("[^/]*")}(/|$)`).test(path);
  });
}

describe("package.json", () => {
  const paths = [...pathsIn(bin), ...pathsIn(imports), ...pathsIn(exports)].map((path) => path.replace(/^\.\//, ""));

  test.each(paths.filter((path) => path !== "package.json"))("leads to %s, which is packed and built", (path) => {
    expect(isPacked(path)).toBe(true);
    // Declarations are built for publishing only.
    expect(path.endsWith(".d.ts") || existsSync(join(root, path))).toBe(true);
  });

  test.each(Object.entries(conditional))(
    "%s asks for each runtime before it takes Node's, and for types first",
    (_name, map) => {
      const conditions = Object.keys(map).filter((condition) => condition !== "types");
      expect(conditions).toEqual(["deno", "bun", "default"]);
      if ("types" in map) expect(Object.keys(map)[0]).toBe("types");
    },
  );
});
