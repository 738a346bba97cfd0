/** From a source in AssemblyScript to a module that hosts take, with the manifest that the source says. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { compileFilter } from "../../../../host/filter/author/compile.ts";
import { instrument } from "../../../../host/filter/meter/index.ts";

const sdk = fileURLToPath(new URL("../../../../filter-sdk/", import.meta.url));
const readSdk = (name: string): string => readFileSync(`${sdk}${name}.ts`, "utf8");

/** Compiles one file. */
const compile = (source: string, manifest = {}) =>
  compileFilter({ name: "filter", read: (path) => (path === "filter.ts" ? source : undefined), readSdk, manifest });

const IMPORT = 'import { attribute, Decision, Event, sinkAttribute, Sinks, usePayload } from "sluice/filter";';

describe("compileFilter()", () => {
  test("makes the manifest of what the source asks for, and of its settings", async () => {
    const { bytes, manifest } = await compile(
      `${IMPORT}
      const B = attribute("b"); const A = attribute("a"); const AGAIN = attribute("b"); const LOAD = sinkAttribute("load");
      usePayload(256);
      export function filterOut(event: Event, sinks: Sinks, decision: Decision): void {
        if (event.number(AGAIN) > event.number(A) || event.has(B) || sinks.number(0, LOAD) > 0) decision.drop();
      }`,
      { onError: "drop" },
    );
    expect(manifest).toEqual({
      hooks: ["out"],
      attrs: ["b", "a"],
      sinkAttrs: ["load"],
      payload: "head:256",
      onError: "drop",
    });
    const found = instrument(bytes);
    expect(JSON.parse(new TextDecoder().decode(found.manifest))).toEqual(manifest);
    expect(found.hooks).toMatchObject({ out: true, in: false, init: true, save: false, restore: false });
  });

  test.each([
    ["no hook", "export function filter(): void {}", /exports neither function filterOut nor function filterIn/],
    ["a hook in a comment", "// export function filterOut()", /exports neither/],
    [
      "what does not compile",
      `${IMPORT}\nexport function filterOut(event: Event, sinks: Sinks, decision: Decision): void { nowhere(); }`,
      /nowhere/,
    ],
    [
      "a file that is not there",
      `import { x } from "./gone";\n${IMPORT}\nexport function filterOut(event: Event, sinks: Sinks, decision: Decision): void { x(); }`,
      /gone/,
    ],
    [
      "a loop before any event",
      `${IMPORT}\nlet n = 0; while (true) n++;\nexport function filterOut(event: Event, sinks: Sinks, decision: Decision): void { n++; }`,
      /before it has seen an event: takes more than 20000000 fuel/,
    ],
  ])("refuses %s", async (_name, source, why) => {
    await expect(compile(source)).rejects.toThrow(why);
  });

  test.each(readdirSync(`${sdk}samples`))("compiles the sample %s to something small", async (sample) => {
    const source = readFileSync(`${sdk}samples/${sample}/filter.ts`, "utf8");
    const { bytes, warnings } = await compile(source);
    expect(warnings).toBe("");
    expect(bytes.length).toBeLessThan(32_768);
    // Four in five of what a host allows are left to authors.
    expect(instrument(bytes).weight).toBeLessThan(40_000);
  });
});
