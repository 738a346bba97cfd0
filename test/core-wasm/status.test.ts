/** Every status of abi.ts is reached by a test of its own name; a new one without a test fails here. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";

const folder = new URL("./", import.meta.url);
const tests = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts") && name !== "status.test.ts")
  .map((name) => readFileSync(new URL(name, folder), "utf8"))
  .join("\n");

/** Constants of abi.ts that begin with a word and are told to somebody. */
const names = (prefix: string): string[] =>
  Object.keys({ ...abi, ...filterAbi }).filter((name) => name.startsWith(prefix));

test.each(names("STATUS_"))("%s is expected by a test", (name) => {
  expect(tests).toMatch(new RegExp(`abi\\.${name}\\b`, "i"));
});

test.each([...names("OVERFLOW_"), ...names("DECISION_"), ...names("CONNECTION_"), ...names("CHANNEL_")])(
  "%s is used by a test",
  (name) => {
    if (name === "CHANNELS_MAX" || name === "CONNECTIONS_MAX") return;
    expect(tests).toMatch(new RegExp(`abi\\.${name}\\b`, "i"));
  },
);

test("no two statuses share a number", () => {
  const values = Object.entries(abi).flatMap(([name, value]) => (name.startsWith("STATUS_") ? [value] : []));
  expect(new Set(values).size).toBe(values.length);
});
