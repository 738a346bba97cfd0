/** package.json leads everybody to files that are built and packed: command line, library, and each runtime's own of both. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
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

/** The file and all that it imports as it starts, lazily loaded parts excepted. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:import|\} from|export .* from) ?.*"(\.\/[^"]+)";$/gm,
  ))
    loadedBy(join(dirname(file), name), seen);
  return seen;
}

describe("the command line", () => {
  test("loads the server when it serves, and not before", () => {
    const loaded = [...loadedBy(join(root, "dist/cli/node.js"))];
    expect(loaded.length).toBeGreaterThan(3);
    const text = loaded.map((file) => readFileSync(file, "utf8")).join("");
    const parts = ["function createControlApp(", "function createHttp(", "var LocalSession", "HostFrameSchema ="];
    expect(parts.filter((part) => text.includes(part))).toEqual([]);
    // The other way round, so that the names above are still the right ones.
    const folder = join(root, "dist/cli");
    const all = readdirSync(folder)
      .filter((name) => name.endsWith(".js"))
      .map((name) => readFileSync(join(folder, name), "utf8"));
    expect(parts.filter((part) => !all.join("").includes(part))).toEqual([]);
  });
});

describe("package.json", () => {
  const paths = [...pathsIn(bin), ...pathsIn(imports), ...pathsIn(exports)].map((path) => path.replace(/^\.\//, ""));

  test.each(paths.filter((path) => path !== "package.json"))("leads to %s, which is packed and built", (path) => {
    expect(isPacked(path)).toBe(true);
    // Declarations are built for publishing only.
    expect(path.endsWith(".d.ts") || existsSync(join(root, path))).toBe(true);
  });

  test("leads browsers to a client without packages, and runtimes with sockets to one with TCP", () => {
    const client = exports["./client"] as Record<string, string>;
    expect(Object.keys(client)[0]).toBe("types");
    expect(Object.keys(client).at(-1)).toBe("default");
    expect([client["browser"], client["workerd"]]).toEqual([client["default"], client["default"]]);
    expect([client["deno"], client["bun"]]).toEqual(["./dist/client.native.js", "./dist/client.native.js"]);
    expect(client["node"]).toBe("./dist/client.node.js");
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
