/**
 * Goal: JSON is read as JSON.parse reads it, and what two readers might understand differently is refused.
 * Method: tables for the rules; random and damaged texts with JSON.parse as the oracle.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../../../host/limits.ts";
import { type JsonValue, RawJson, readJson } from "../../../../host/socket/json/reader.ts";
import { bytesOf, isJsonValue } from "../../../../host/socket/json/scan.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { mutated, mutations } from "./arbitraries.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const depthMax = limits.jsonDepth;

describe("readJson()", () => {
  test.each([
    { name: "nothing", text: "", code: "malformed", value: 0 },
    { name: "white space only", text: " \n", code: "malformed", value: 2 },
    { name: "a byte order mark", text: "\ufeff{}", code: "malformed", value: 0 },
    { name: "text behind the value", text: "{}x", code: "malformed", value: 2 },
    { name: "two values", text: "1 2", code: "malformed", value: 2 },
    { name: "a trailing comma", text: "[1,]", code: "malformed", value: 3 },
    { name: "a leading zero", text: "07", code: "malformed", value: 1 },
    { name: "a number without digits", text: "-", code: "malformed", value: 1 },
    { name: "a plus sign", text: "+1", code: "malformed", value: 0 },
    { name: "an open fraction", text: "1.", code: "malformed", value: 2 },
    { name: "an open exponent", text: "1e", code: "malformed", value: 2 },
    { name: "NaN", text: "NaN", code: "malformed", value: 0 },
    { name: "Infinity", text: "-Infinity", code: "malformed", value: 1 },
    { name: "an open string", text: '"abc', code: "malformed", value: 4 },
    { name: "an escape at the end", text: '"\\', code: "malformed", value: 2 },
    { name: "an unknown escape", text: '"\\x"', code: "malformed", value: 2 },
    { name: "a short code point", text: '"\\u12"', code: "malformed", value: 5 },
    { name: "a raw control character", text: '"\u0001"', code: "malformed", value: 1 },
    { name: "a bare name", text: "{a:1}", code: "malformed", value: 1 },
    { name: "a name without value", text: '{"a"}', code: "malformed", value: 4 },
    { name: "a comment", text: "/**/1", code: "malformed", value: 0 },
    { name: "a name twice", text: '{"x":{"a":1,"a":2}}', code: "malformed", value: "x.a" },
    { name: "a name twice, once escaped", text: '{"a":1,"\\u0061":2}', code: "malformed", value: "a" },
    { name: "__proto__ twice", text: '{"__proto__":1,"__proto__":2}', code: "malformed", value: "__proto__" },
    { name: "a lone high surrogate", text: '["\\ud800"]', code: "not_utf8", value: "[0]" },
    { name: "a lone low surrogate", text: '{"a":"\\udc00x"}', code: "not_utf8", value: "a" },
    { name: "surrogates in the wrong order", text: '"\\udc00\\ud800"', code: "not_utf8", value: "" },
    { name: "a lone surrogate in a name", text: '{"\\ud800":1}', code: "not_utf8", value: "" },
    { name: "a number beyond a double", text: '{"a":[1e400]}', code: "invalid_value", value: "1e400" },
    { name: "arrays nested too deep", text: nested(depthMax + 1), code: "limit_reached", value: depthMax + 1 },
    { name: "objects nested too deep", text: '{"a":'.repeat(depthMax + 1), code: "limit_reached", value: depthMax + 1 },
  ])("refuses $name", ({ text, code, value }) => {
    const read = readJson(text);
    expect(read).toMatchObject({ ok: false, error: { code } });
    if (read.ok) return;
    expect(read.error.value).toEqual(value);
    expect(read.error.message).toMatch(/^Cannot read JSON that /);
    expect(readJson(bytesOf(text))).toEqual(read);
  });

  test("refuses bytes that are not UTF-8", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xe2, 0x82],
    ]) {
      expect(readJson(Uint8Array.from(bytes))).toMatchObject({ ok: false, error: { code: "not_utf8" } });
    }
  });

  test("refuses a string with a raw lone surrogate", () => {
    expect(readJson('"\ud800"')).toMatchObject({ ok: false, error: { code: "not_utf8" } });
  });

  test(`takes ${depthMax} levels`, () => {
    expect(readJson(nested(depthMax)).ok).toBe(true);
  });

  test("gives objects without prototype, so that __proto__ and constructor are names like any other", () => {
    const read = readJson('{"__proto__":{"polluted":true},"constructor":1,"toString":2}');
    if (!read.ok) throw read.error;
    expect(Object.keys(read.value as object)).toEqual(["__proto__", "constructor", "toString"]);
    expect(Object.getPrototypeOf(read.value)).toBeNull();
    expect({}).not.toHaveProperty("polluted");
  });

  test("reads -0, 1e-400 and long integers as JSON.parse does", () => {
    for (const text of ["-0", "1e-400", "12345678901234567890", "0.1e1", "-1.5E+3"]) {
      expect(readJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }
  });

  test("keeps the text of what is asked for, byte by byte", () => {
    const payload = '{ "n" : 12345678901234567890, "n":1e400,\n"s":"\\ud800" }';
    const read = readJson(`{"a":1,"data": ${payload} }`, (path) => path[0] === "data");
    if (!read.ok) throw read.error;
    const { data } = read.value as { data: RawJson };
    expect(data).toBeInstanceOf(RawJson);
    expect(new TextDecoder().decode(data.bytes)).toBe(payload);
  });

  test("counts the nesting of kept text too", () => {
    const objects = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
    for (const deep of [nested, objects]) {
      const read = (depth: number) => readJson(`{"d":${deep(depth)}}`, () => true);
      expect(read(depthMax - 1).ok).toBe(true);
      expect(read(depthMax)).toMatchObject({ ok: false, error: { code: "limit_reached", value: depthMax + 1 } });
    }
    // Brackets within strings are no nesting.
    expect(readJson(`{"d":["${"[".repeat(500)}"]}`, () => true).ok).toBe(true);
    expect(readJson(`{"d":["${"[".repeat(500)}",[}`, () => true)).toMatchObject({
      ok: false,
      error: { code: "malformed" },
    });
  });

  test("agrees with JSON.parse on any JSON", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom("", " ", "\n\t\r "), (json, space) => {
        const spaced = json.replaceAll(/(?<=^[^"]*("[^"\\]*"[^"\\]*)*)([{}[\],:])/g, `${space}$2${space}`);
        expect(plain(readJson(spaced))).toEqual(JSON.parse(json));
      }),
      propertyParameters(300),
    );
  });

  test("agrees with JSON.parse on damaged JSON, or is stricter for a reason that it names", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), mutations, (json, changes) => {
        const text = mutated(json, changes);
        const read = readJson(text);
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          expect(read.ok).toBe(false);
          expect(isJsonValue(bytesOf(text), 0, bytesOf(text).length)).toBe(false);
          return;
        }
        expect(isJsonValue(bytesOf(text), 0, bytesOf(text).length)).toBe(true);
        if (read.ok) expect(plain(read)).toEqual(parsed);
        else expect(read.error.message).toMatch(/twice|surrogate|the number|nests/);
      }),
      propertyParameters(1_000),
    );
  });
});

describe("isJsonValue()", () => {
  test("stops at the end that it is told, whatever lies behind", () => {
    const bytes = bytesOf('[1,2,{"a":"b"}]');
    for (let end = 0; end < bytes.length; end += 1) expect(isJsonValue(bytes, 0, end), `end ${end}`).toBe(false);
    expect(isJsonValue(bytes, 0, bytes.length)).toBe(true);
    expect(isJsonValue(bytes, 1, 2)).toBe(true);
    expect(isJsonValue(bytesOf("truefalse"), 0, 4)).toBe(true);
    expect(isJsonValue(bytesOf("true"), 0, 3)).toBe(false);
  });
});

/** With ordinary prototypes, as JSON.parse makes them. */
function plain(read: { ok: boolean; value?: JsonValue }): unknown {
  expect(read.ok).toBe(true);
  return withPrototypes(read.value as JsonValue);
}

function withPrototypes(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(withPrototypes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withPrototypes(inner)]));
}
