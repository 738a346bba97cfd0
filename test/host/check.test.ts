import { describe, expect, test } from "vitest";
import { z } from "zod";
import { checkWith, list, refuse, text, textFromPath, word } from "../../host/check.ts";
import type { SluiceError } from "../../host/errors.ts";

/** What checkWith() throws. */
function refusal(schema: z.ZodType, value: unknown, path: PropertyKey[] = []): SluiceError | undefined {
  try {
    checkWith(schema, value, path);
  } catch (thrown) {
    return thrown as SluiceError;
  }
  return undefined;
}

const limited = z.number().check((checked) => {
  if (checked.value > 9) refuse(checked, "priority_out_of_range", "limit is 9", { limit: 9 });
});
const schema = z.strictObject({
  a: z.strictObject({ b: z.array(limited) }),
  word: z.enum(["x", "y"]).optional(),
  either: z.union([z.strictObject({ one: z.number() }), z.strictObject({ two: z.number() })]).optional(),
});
const good = { a: { b: [1] } };

describe("checkWith()", () => {
  test("gives what the schema makes", () => {
    expect(checkWith(z.object({ a: z.number().default(4) }), {})).toEqual({ a: 4 });
  });

  test.each([
    ["an unknown field", { ...good, c: 1 }, "unknown_field", "Cannot take the unknown field c", "c", undefined],
    [
      "an unknown field far down",
      { a: { b: [], "c d": 1 } },
      "unknown_field",
      "Cannot take the unknown field a.c d",
      "a.c d",
      undefined,
    ],
    ["a field that is absent", { a: {} }, "invalid_value", "Cannot do without a.b", "a.b", undefined],
    [
      "a wrong type",
      { a: { b: ["x"] } },
      "invalid_value",
      'Cannot take a.b[0] "x", it must be a number',
      "x",
      undefined,
    ],
    [
      "an object for an array",
      { a: { b: {} } },
      "invalid_value",
      "Cannot take the object a.b, it must be an array",
      "a.b",
      undefined,
    ],
    [
      "an array for an object",
      { a: [1, 2] },
      "invalid_value",
      "Cannot take a with 2 entries, it must be an object",
      [1, 2],
      undefined,
    ],
    [
      "a refusal of our own",
      { a: { b: [1, 10] } },
      "priority_out_of_range",
      "Cannot take a.b[1] 10, limit is 9",
      10,
      9,
    ],
    [
      "a word that is none",
      { ...good, word: "z" },
      "invalid_value",
      'Cannot take word "z", it must be one of "x", "y"',
      "z",
      ["x", "y"],
    ],
    [
      "null",
      { ...good, word: null },
      "invalid_value",
      'Cannot take word null, it must be one of "x", "y"',
      null,
      ["x", "y"],
    ],
    [
      "the closest branch of a union",
      { ...good, either: { one: "1" } },
      "invalid_value",
      'Cannot take either.one "1", it must be a number',
      "1",
      undefined,
    ],
    ["the root", 5, "invalid_value", "Cannot take 5, it must be an object", 5, undefined],
  ])("names %s", (_name, value, code, message, offending, limit) => {
    expect(refusal(schema, value)).toMatchObject({ code, message });
    expect(refusal(schema, value)?.value).toEqual(offending);
    expect(refusal(schema, value)?.limit).toEqual(limit);
  });

  test("puts the path of the whole before that of the part", () => {
    expect(refusal(schema, { ...good, c: 1 }, ["publish", "events", 3])?.value).toBe("publish.events[3].c");
  });

  test("repeats long values only in part", () => {
    const error = refusal(z.strictObject({ a: z.number() }), { a: "x".repeat(10_000) });
    expect(error?.value).toHaveLength(256);
    expect(error?.message.length).toBeLessThan(120);
  });
});

describe("text() and word()", () => {
  test("count bytes of UTF-8, not characters", () => {
    expect(refusal(text(4), "éé")).toBeUndefined();
    expect(refusal(text(4), "ééx")).toMatchObject({
      code: "invalid_value",
      limit: 4,
      message: 'Cannot take "ééx", it has 5 bytes, limit is 4',
    });
    expect(refusal(text(4, "key_too_long"), "xxxxx")?.code).toBe("key_too_long");
    expect(refusal(text(4), "\ud83d\ude00")).toBeUndefined();
  });

  test("refuse lone surrogates", () => {
    for (const value of ["\ud800", "a\udc00", "\udc00\ud800"]) expect(refusal(text(9), value)?.code).toBe("not_utf8");
  });

  test("take or refuse nothing", () => {
    expect(refusal(text(4), "")).toBeUndefined();
    expect(refusal(word(4), "")?.code).toBe("invalid_value");
  });
});

describe("list()", () => {
  test("refuses a number of entries before it looks at one", () => {
    let looked = 0;
    const entry = z.unknown().check(() => {
      looked += 1;
    });
    expect(refusal(list(entry, 2), [1, 2, 3])).toMatchObject({ code: "invalid_value", limit: 2 });
    expect(looked).toBe(0);
    expect(checkWith(list(entry, 2), [1, 2])).toEqual([1, 2]);
    expect(looked).toBe(2);
  });
});

describe("textFromPath()", () => {
  test("writes names with dots and indexes with brackets", () => {
    expect(textFromPath(["a", 0, "b", "c", 12])).toBe("a[0].b.c[12]");
    expect(textFromPath([0, "type"])).toBe("[0].type");
    expect(textFromPath([])).toBe("");
  });
});
