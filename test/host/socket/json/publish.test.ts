/**
 * Goal: the fast way in gives what the slow one gives, and takes every ordinary publish.
 * Method: random publishes, written with random spacing, order of members and escapes, also damaged, go both ways.
 */
import { create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClientFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import { limits } from "../../../../host/limits.ts";
import { clientFrameFromJson, createSocketCodec, jsonFromClientFrame } from "../../../../host/socket/json/codec.ts";
import { PublishReader } from "../../../../host/socket/json/publish.ts";
import { bytesOf } from "../../../../host/socket/json/scan.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { clientFrame, mutated, mutations } from "./arbitraries.ts";
import { testNames } from "./names.ts";

const publish = (events: string, rest = "") => `{"publish":{"channel":"c","events":${events}}${rest}}`;
const one = (members: string) => publish(`[{"type":"t",${members}}]`);

/** Both ways; the fast one may leave the work to the slow one, but must not differ. */
function both(text: string): { readonly fast: boolean; readonly ok: boolean } {
  const fast = new PublishReader().frame(bytesOf(text));
  const slow = clientFrameFromJson(text);
  if (fast === undefined) return { fast: false, ok: slow.ok };
  if (!slow.ok) throw new Error(`The fast way takes what the slow one refuses: ${slow.error.message}`);
  const frame = fromBinary(ClientFrameSchema, fast.bytes);
  expect(equals(ClientFrameSchema, frame, slow.frame)).toBe(true);
  expect(fast.ref).toBe(slow.frame.ref);
  return { fast: true, ok: true };
}

/** JSON text with members in another order, spaces, and escapes where none are needed. */
function dressed(json: string, order: number, space: string, escaped: number): string {
  let strings = 0;
  const write = (value: unknown): string => {
    if (typeof value === "string") {
      const text = JSON.stringify(value);
      strings += 1;
      // Names are escaped too: "\u0074ype" is "type".
      return (strings + escaped) % 5 === 0 ? text.replaceAll(/[a-z](?!$)/g, (letter) => escapeOf(text, letter)) : text;
    }
    if (Array.isArray(value)) return `[${space}${value.map(write).join(`${space},${space}`)}${space}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const members = Object.entries(value);
    const turned = members.map((_, index) => members[(index + order) % members.length] as [string, unknown]);
    return `{${turned.map(([name, inner]) => `${space}${write(name)}${space}:${space}${write(inner)}`).join(",")}${space}}`;
  };
  return space + write(JSON.parse(json)) + space;
}

/** An escape for a letter, in a text that has no escapes yet: those must not be torn apart. */
function escapeOf(text: string, letter: string): string {
  return text.includes("\\") ? letter : `\\u00${letter.charCodeAt(0).toString(16).toUpperCase()}`;
}

describe("PublishReader", () => {
  test("gives the frame of the slow way for any publish, however it is written", () => {
    fc.assert(
      fc.property(
        clientFrame("publish"),
        fc.nat({ max: 20 }),
        fc.constantFrom("", " ", "\n\t"),
        fc.nat({ max: 9 }),
        (init, order, space, escaped) => {
          const frame = fromBinary(ClientFrameSchema, toBinary(ClientFrameSchema, create(ClientFrameSchema, init)));
          expect(both(dressed(jsonFromClientFrame(frame), order, space, escaped))).toEqual({ fast: true, ok: true });
        },
      ),
      propertyParameters(500),
    );
  });

  test("takes nothing that the slow way refuses, and agrees on what it takes", () => {
    fc.assert(
      fc.property(clientFrame("publish"), mutations, (init, changes) => {
        const frame = fromBinary(ClientFrameSchema, toBinary(ClientFrameSchema, create(ClientFrameSchema, init)));
        both(mutated(jsonFromClientFrame(frame), changes));
      }),
      propertyParameters(1_000),
    );
  });

  test.each([
    {
      name: "every field",
      text: one(
        '"id":"1","source":"/s","subject":"x","time":"2026-01-01T00:00:00Z","priority":9,"deliverBy":"2026-01-01T00:00:01.5Z","key":"k","attributes":{"a":1,"b":-2.5,"c":true,"d":"x","e":false},"dataContentType":"application/json","data":[1]',
      ),
    },
    {
      name: "a payload before its media type",
      text: publish('[{"data":"text","dataContentType":"text/plain","type":"t"}]'),
    },
    { name: "escapes", text: one('"subject":"\\u00e9\\n\\"\\\\\\/\\ud83d\\ude00","attributes":{"a":"\\t"}') },
    {
      name: "base64 of each length",
      text: publish(
        '[{"type":"t","dataBase64":""},{"type":"t","dataBase64":"AA=="},{"type":"t","dataBase64":"AAE="},{"type":"t","dataBase64":"AAEC"}]',
      ),
    },
    { name: "ref behind", text: publish('[{"type":"t"}]', ',"ref":4294967295') },
    { name: "a number of events", text: '{"publish":{"number":9007199254740991,"events":[],"channel":"a/b.c-d_e"}}' },
    {
      name: "texts of more than 127 bytes",
      text: one(
        `"subject":"${"x".repeat(128)}","attributes":{"a":"${"y".repeat(200)}","b":"${"z".repeat(120)}","a2":1}`,
      ),
    },
    {
      name: "large events among small ones",
      text: publish(
        `[{"type":"a"},{"type":"b","data":"${"x".repeat(20_000)}"},{"type":"c"},{"type":"d","data":"${"x".repeat(300)}"}]`,
      ),
    },
    {
      name: "exact decimals",
      text: one(
        '"attributes":{"a":0.1,"b":123456789.012345,"c":1e3,"d":1.0,"e":-0,"f":-0.0,"g":5e-324,"h":1.7976931348623157e308,"i":0.30000000000000004}',
      ),
    },
    {
      name: "integers at the edge of exactness",
      text: one(
        '"attributes":{"a":4503599627370495,"b":-4503599627370496,"c":4503599627370496,"d":9007199254740991,"e":-9007199254740991}',
      ),
    },
    { name: "a payload with what only a payload may have", text: one('"data":{"a":1,"a":2,"n":1e999,"s":"\\ud800"}') },
  ])("takes $name", ({ text }) => {
    expect(both(text)).toEqual({ fast: true, ok: true });
  });

  test.each([
    ["-0 is the integer 0", "-0", { case: "integer", value: 0n }],
    ["1.0 is the integer 1", "1.0", { case: "integer", value: 1n }],
    ["1e2 is the integer 100", "1e2", { case: "integer", value: 100n }],
    ["2^53 - 1 is an integer", "9007199254740991", { case: "integer", value: 9_007_199_254_740_991n }],
    ["2^53 is a number", "9007199254740992", { case: "number", value: 9_007_199_254_740_992 }],
    ["0.1 is a number", "0.1", { case: "number", value: 0.1 }],
  ])("gives attributes their kind: %s", (_name, text, kind) => {
    both(one(`"attributes":{"a":${text}}`));
    const read = createSocketCodec(testNames).read(bytesOf(one(`"attributes":{"a":${text}}`)));
    if (!read.ok) throw read.error;
    expect(fromBinary(ClientFrameSchema, read.frame).kind.value).toMatchObject({
      events: [{ attributes: { a: { kind } } }],
    });
  });

  test.each([
    "\\ud800",
    "\\udc00",
    "\\ud800x",
    "\\ud800\\u0041",
    "\\udc00\\ud800",
    "\\ud83d\\ud83d\\ude00",
    "\\ud83d\\n",
  ])("takes no text with the lone surrogate of %s", (escapes) => {
    for (const members of [
      `"subject":"${escapes}"`,
      `"attributes":{"a":"${escapes}"}`,
      `"dataContentType":"text/plain","data":"${escapes}"`,
    ]) {
      expect(both(one(members))).toEqual({ fast: false, ok: false });
    }
    // A payload of JSON may say what it likes.
    expect(both(one(`"data":"${escapes}"`))).toEqual({ fast: true, ok: true });
  });

  const longValue = "x".repeat(200);
  test.each([
    ["a leading zero", one('"priority":04')],
    ["a leading zero of an attribute", one('"attributes":{"a":-01}')],
    ["a point without digits", one('"attributes":{"a":1.}')],
    ["digits without a number", one('"attributes":{"a":.5}')],
    ["a number beyond doubles", one('"attributes":{"a":1e309}')],
    ["a member twice", one('"id":"1","id":"2"')],
    ["a member twice, once escaped", one('"id":"1","\\u0069d":"2"')],
    ["data twice", one('"data":1,"data":1')],
    ["an attribute twice", one('"attributes":{"a":1,"b":2,"a":1}')],
    ["an attribute twice, once escaped", one('"attributes":{"abc":1,"\\u0061bc":1}')],
    ["an attribute twice behind a long one", one(`"attributes":{"a":"${longValue}","b":1,"a":2}`)],
    ["an attribute twice, both long", one(`"attributes":{"a":"${longValue}","a":"${longValue}"}`)],
    ["attributes twice", one('"attributes":{},"attributes":{}')],
    ["deliverBy and ttlMs", one('"ttlMs":1,"deliverBy":"2026-01-01T00:00:00Z"')],
    ["data and dataBase64", one('"data":1,"dataBase64":"AA=="')],
    ["base64 without padding", one('"dataBase64":"AAA"')],
    ["base64 of padding only", one('"dataBase64":"===="')],
    ["base64 with padding within", one('"dataBase64":"AA==AAAA"')],
    ["base64 with stray bits", one('"dataBase64":"AAB="')],
    ["base64 with more stray bits", one('"dataBase64":"AB=="')],
    ["base64 of another alphabet", one('"dataBase64":"AA-_"')],
    ["a trailing comma", one('"id":"1",')],
    ["a missing comma", one('"id":"1" "key":"k"')],
    ["a missing colon", one('"id" "1"')],
    ["a raw control character", one('"id":"\u0001"')],
    ["ref twice", publish("[]", ',"ref":1,"ref":1')],
    ["ref beyond 32 bits", publish("[]", ',"ref":4294967296')],
    ["a negative ref", publish("[]", ',"ref":-1')],
    ["another kind beside", publish("[]", ',"ping":{}')],
    ["publish twice", '{"publish":{"channel":"c","events":[]},"publish":{"channel":"c","events":[]}}'],
    ["channel twice", '{"publish":{"channel":"c","channel":"c","events":[]}}'],
    ["no channel", '{"publish":{"events":[]}}'],
    ["no events", '{"publish":{"channel":"c"}}'],
    ["a channel that begins with a dot", '{"publish":{"channel":".c","events":[]}}'],
    ["a channel with a star", '{"publish":{"channel":"c*","events":[]}}'],
    ["an empty channel", '{"publish":{"channel":"","events":[]}}'],
    ["a value behind", `${publish("[]")} 1`],
  ])("takes no publish with %s", (_name, text) => {
    expect(both(text)).toEqual({ fast: false, ok: false });
  });

  test("takes a frame cut off at any byte for no publish", () => {
    const text = bytesOf(
      one(
        '"id":"1","time":"2026-01-01T00:00:00Z","priority":9,"ttlMs":250,"attributes":{"a":1.5,"b":"x\\n"},"data":{"a":[1,null]}',
      ),
    );
    const reader = new PublishReader();
    for (let end = 0; end < text.length; end += 1)
      expect(reader.frame(text.slice(0, end)), `cut at ${end}`).toBeUndefined();
    expect(reader.frame(text)).toBeDefined();
  });
});

describe("createSocketCodec().read()", () => {
  const codec = createSocketCodec(testNames);

  test("refuses a publish that no frame can hold", () => {
    const attributes = Array.from({ length: 60 }, (_, index) => `"a${index}":0.${index + 1}`).join(",");
    const count = 1_200;
    const text = bytesOf(
      publish(`[${Array(count).fill(`{"type":"t","attributes":{${attributes}}}`).join(",")}]`, ',"ref":3'),
    );
    const read = codec.read(text);
    expect(read).toMatchObject({ ok: false, ref: 3, error: { code: "frame_too_large", limit: limits.frameBytes } });
  });

  test("refuses more events than one publish may have, naming the limit", () => {
    const many = (count: number) => codec.read(bytesOf(publish(`[${Array(count).fill('{"type":"t"}').join(",")}]`)));
    expect(many(limits.publishEvents).ok).toBe(true);
    expect(many(limits.publishEvents + 1)).toMatchObject({
      ok: false,
      error: { code: "invalid_value", limit: limits.publishEvents },
    });
  });
});
