/**
 * Goal: the published JSON Schema of contracts takes what the host takes, and complains where a person has misspelt something.
 * Method: a validator that is not ours (ajv, as editors have it) over every contract of the documentation and over documents that the
 * host refuses.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { documentFromJson } from "../../../host/contract/document.ts";
import { readYaml } from "../../../host/contract/yaml.ts";
import { root } from "../../docs-blocks.ts";
import { createTestControl } from "./support.ts";

/** Asked and compiled once, within the first test. */
let compiled: Promise<(value: unknown) => boolean> | undefined;
const validator = (): Promise<(value: unknown) => boolean> => {
  compiled ??= (async () => {
    const { status, headers, json } = await createTestControl().ask("GET", "/v1/schemas/contract.json");
    expect([status, headers.get("content-type")]).toEqual([200, "application/schema+json"]);
    // Words of OpenAPI and formats are notes for readers.
    return new Ajv2020({ strict: false, validateFormats: false }).compile(json);
  })();
  return compiled;
};

/** Contracts that the page puts: JSON between quotes behind an address, YAML between `<<'END'` and END or in quotes. */
function contractsOfDocs(): [string, unknown][] {
  const page = readFileSync(join(root, "docs/contracts.md"), "utf8");
  const json = [...page.matchAll(/contracts\/([\w.]+)[^']*(?:'content-type: application\/json' -d )?'(\{.*?\})'/gs)];
  const yaml = [...page.matchAll(/<<'END'\n(.*?)\nEND/gs), ...page.matchAll(/yaml' -d '\n(.*?)'/gs)];
  return [
    ...json.map(([, name = "", text = ""]): [string, unknown] => [name, JSON.parse(text)]),
    ...yaml.map(([, text = ""], index): [string, unknown] => [`yaml ${index}`, readYaml(text).value]),
  ];
}

describe("GET /v1/schemas/contract.json", () => {
  test("takes every contract of docs/contracts.md", async () => {
    const accepts = await validator();
    const contracts = contractsOfDocs().filter(([, value]) => Object.hasOwn(value as object, "regions"));
    expect(contracts.length).toBeGreaterThanOrEqual(5);
    for (const [name, value] of contracts) expect([name, accepts(value)]).toEqual([name, true]);
  });

  test("takes what GET shows of a contract", async () => {
    const accepts = await validator();
    const { ask } = createTestControl();
    const body = {
      conditions: { lag: { kind: "value" } },
      regions: [{ name: "calm", when: "lag < 3", regions: [{ name: "idle" }] }, { name: "busy" }],
      transitions: [
        { from: "*", to: "busy", do: [{ callback: "app", data: { a: 1 } }], retry: { attempts: 2, delayMs: 5 } },
      ],
    };
    await ask("PUT", "/v1/contracts/web", body);
    const { json } = await ask("GET", "/v1/contracts/web");
    expect(accepts(json)).toBe(true);
  });

  test.each([
    ["a field that is not there", { regions: [{ name: "a" }], region: [], regionz: [] }],
    ["a region without a name", { regions: [{ when: "x > 1" }] }],
    ["a misspelt field of an inner region", { regions: [{ name: "a", regions: [{ name: "b", wen: "x" }] }] }],
    ["a name with a blank", { regions: [{ name: "a b" }] }],
    ["a rule that is no text", { regions: [{ name: "a", when: 1 }] }],
    ["a selection that is none", { regions: [{ name: "a", select: "best" }] }],
    ["a kind of condition that is none", { conditions: { x: { kind: "valu" } }, regions: [{ name: "a" }] }],
    [
      "two actions in one",
      { regions: [{ name: "a" }], transitions: [{ from: "*", to: "a", do: [{ set: { x: 1 }, callback: "c" }] }] },
    ],
    ["an action without one", { regions: [{ name: "a" }], transitions: [{ from: "*", to: "a", do: [{}] }] }],
    [
      "data without a callback",
      { regions: [{ name: "a" }], transitions: [{ from: "*", to: "a", do: [{ set: { x: 1 }, data: {} }] }] },
    ],
    ["a transition to nowhere", { regions: [{ name: "a" }], transitions: [{ from: "*" }] }],
    ["a list", []],
  ])("refuses what the host refuses: %s", async (_what, value) => {
    const accepts = await validator();
    expect(accepts(value)).toBe(false);
    expect(() => documentFromJson(value, "web")).toThrow();
  });
});
