/** Goal: who wants an event is found by looking it up, and is found exactly, however many there are and come and go. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { compileExpression } from "../../host/expression/compile.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

type Value = bigint | number | boolean | string;

const kindOf = (value: Value) =>
  typeof value === "bigint"
    ? ({ case: "integer", value } as const)
    : typeof value === "number"
      ? ({ case: "number", value } as const)
      : typeof value === "boolean"
        ? ({ case: "boolean", value } as const)
        : ({ case: "text", value } as const);

const event = (attributes: Record<string, Value>, more: EventInit = {}): EventInit => ({
  type: "t",
  attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { kind: kindOf(value) }])),
  ...more,
});

/** A channel whose sinks, each a session of its own, are told by what they were added as. */
function world() {
  const harness = Harness.create({ poolBytes: 64 * 1024 * 1024 });
  const channel = harness.channel("c");
  const source = harness.open();
  harness.source(source, channel);
  const sinks: { name: string; member: number; connection: ReturnType<typeof harness.open> }[] = [];
  const want = (member: number, text: string): void => {
    const { program } = compileExpression(text);
    const handle = harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(program));
    expect(handle).not.toBe(0);
    expect(harness.core.memberWhere(member, handle)).toBe(abi.STATUS_OK);
  };
  const add = (text: string, types?: readonly string[], name = text) => {
    const connection = harness.open();
    const member = harness.sink(connection, channel, types);
    if (text !== "") want(member, text);
    const sink = { name, member, connection };
    sinks.push(sink);
    return sink;
  };
  const gets = (init: EventInit): string[] => {
    source.publish(channel, [init]);
    return sinks.filter(({ connection }) => connection.events().length === 1).map(({ name }) => name);
  };
  /** Who gets it, which must not depend on whether it is looked up. */
  const takers = (init: EventInit): string[] => {
    const found = gets(init);
    harness.core.channelSet(channel, abi.CHANNEL_ECHO | abi.CHANNEL_SCANNED, 4, 0);
    expect(gets(init)).toEqual(found);
    harness.core.channelSet(channel, abi.CHANNEL_ECHO, 4, 0);
    return found;
  };
  const leave = (sink: (typeof sinks)[number]): void => {
    sinks.splice(sinks.indexOf(sink), 1);
    sink.connection.close();
  };
  const indexBytes = (): number => harness.statistic(abi.STATISTIC_INDEX_BYTES);
  return { harness, channel, source, sinks, add, want, takers, leave, indexBytes };
}

describe("one event is looked up", () => {
  test.each<[string, string[], Record<string, Value>, string[]]>([
    ["by a text", ["zone = 'eu'", "zone = 'us'", "zone = 'e'"], { zone: "eu" }, ["zone = 'eu'"]],
    [
      "by a number, however it is written",
      ["n = 5", "n = 5.0", "n = '5'", "n = 6"],
      { n: 5 },
      ["n = 5", "n = 5.0", "n = '5'"],
    ],
    ["by a text that is a number", ["n = 5", "n = '5'", "n = '5.0'"], { n: "5.0" }, ["n = 5", "n = '5.0'"]],
    ["by a boolean", ["b = TRUE", "b = FALSE", "b = 1"], { b: true }, ["b = TRUE", "b = 1"]],
    [
      "by a list",
      ["z IN ('a', 'b')", "z IN (1, 2)", "z NOT IN ('a')"],
      { z: "b" },
      ["z IN ('a', 'b')", "z NOT IN ('a')"],
    ],
    ["by a list that a boolean is in", ["z IN (2, 3)", "z IN (0)", "z = 2"], { z: true }, ["z IN (2, 3)"]],
    [
      "by one of several parts",
      ["z = 'a' OR y = 1", "(z = 'a' OR y = 2) AND x < 1"],
      { y: 1n, z: "a", x: 0 },
      ["z = 'a' OR y = 1", "(z = 'a' OR y = 2) AND x < 1"],
    ],
    [
      "by ranges, bounds included or not",
      ["n < 5", "n <= 5", "n > 5", "n >= 5", "n BETWEEN 5 AND 5"],
      { n: 5n },
      ["n <= 5", "n >= 5", "n BETWEEN 5 AND 5"],
    ],
    ["by ranges that nothing lies in", ["n < 5 AND n > 5", "n = 1 AND n = 2"], { n: 5 }, []],
    ["by what is not there", ["n < 5", "n = 1", "NOT (n = 1)", "n IS NULL"], {}, ["NOT (n = 1)", "n IS NULL"]],
    [
      "by numbers that no double holds",
      ["n = 9007199254740993", "n > 9007199254740992"],
      { n: 9007199254740993n },
      ["n = 9007199254740993", "n > 9007199254740992"],
    ],
    ["by NaN", ["n = 0", "n < 1", "n >= 1", "n != 1", "n IN ('NaN')"], { n: Number.NaN }, []],
    ["by what is always or never so", ["TRUE", "FALSE", "1 = 1"], {}, ["TRUE", "1 = 1"]],
  ])("%s", (_title, wanted, attributes, expected) => {
    const { add, takers } = world();
    for (const text of wanted) add(text);
    expect(takers(event(attributes))).toEqual(expected);
  });

  test("by its type, whether it stands in the list or in the expression", () => {
    const { add, takers } = world();
    add("", ["a", "t"], "list");
    add("n < 1", ["t"], "list and range");
    add("z = 'x'", ["t"], "list and value");
    add("z = 'x'", ["a"], "another list and value");
    add("type = 't'", undefined, "expression");
    add("n < 1 OR z = 'x'", ["t", "u"], "either");
    expect(takers(event({ n: 0, z: "x" }))).toEqual([
      "list",
      "list and range",
      "list and value",
      "expression",
      "either",
    ]);
    expect(takers(event({ n: 5 }))).toEqual(["list", "expression"]);
    expect(takers(event({ n: 0 }, { type: "u" }))).toEqual(["either"]);
  });

  test("by more alternatives than are told apart", () => {
    const { add, takers } = world();
    const many = Array.from({ length: 40 }, (_, index) => `a = '${index}'`).join(" OR ");
    add(`zone = 'eu' AND (${many})`, undefined, "and");
    add(`(${many}) AND zone = 'eu'`, undefined, "first");
    add(many, undefined, "or");
    expect(takers(event({ zone: "eu", a: "39" }))).toEqual(["and", "first", "or"]);
    expect(takers(event({ zone: "us", a: "39" }))).toEqual(["or"]);
  });
});

describe("texts", () => {
  test("of any size are told from those that differ in one byte, and from longer and shorter ones", () => {
    const { add, takers } = world();
    const sizes = Array.from({ length: 35 }, (_, bytes) => bytes).concat(127, 128, 129, 500);
    for (const bytes of sizes) {
      const text = "x".repeat(bytes);
      add(`z = '${text}'`, undefined, String(bytes));
      const others = Array.from(
        { length: Math.min(bytes, 40) },
        (_, at) => `${text.slice(0, at)}y${text.slice(at + 1)}`,
      );
      for (const other of others) add(`z = '${other}'`, undefined, other);
    }
    for (const bytes of sizes) {
      const text = "x".repeat(bytes);
      expect(takers(event({ z: text })), `${bytes} B`).toEqual([String(bytes)]);
      for (const at of new Set([0, bytes >> 1, bytes - 1].map((byte) => Math.min(byte, 39)))) {
        if (at < 0 || at >= bytes) continue;
        const other = `${text.slice(0, at)}y${text.slice(at + 1)}`;
        expect(takers(event({ z: other })), `${bytes} B, ${at}`).toEqual([other]);
        expect(takers(event({ z: `${text.slice(0, at)}z${text.slice(at + 1)}` }))).toEqual([]);
      }
    }
  });

  test("beside numbers that only matter where the text is right", () => {
    const { add, takers } = world();
    add("z = 'a' AND n < 1");
    add("z = 'b' AND n < 2 AND b = TRUE");
    // One shape of event after another, so that what was known of one is there for the next.
    for (let round = 0; round < 3; round++) {
      expect(takers(event({ z: "c", n: 0 }))).toEqual([]);
      expect(takers(event({ z: "a", n: 0 }))).toEqual(["z = 'a' AND n < 1"]);
      expect(takers(event({ z: "a", n: 1 }))).toEqual([]);
      expect(takers(event({ z: "b", n: 1, b: true }))).toEqual(["z = 'b' AND n < 2 AND b = TRUE"]);
      expect(takers(event({ z: "b", n: 1, b: false }))).toEqual([]);
      expect(takers(event({ z: "b", n: 1 }))).toEqual([]);
    }
  });

  test("in events of several forms in turn, and in the same form again", () => {
    const { add, takers } = world();
    add("z = 'a'");
    add("n >= 1 AND z = 'a'");
    const fields = { id: "7", source: "/s", timeUs: 1_000_000n };
    const both = ["z = 'a'", "n >= 1 AND z = 'a'"];
    // What lies where in one must not be taken for what lies there in another, nor an attribute of one for the other's.
    const forms: [Record<string, Value>, string[]][] = [
      [{ z: "a", n: 1 }, both],
      [{ n: 1, z: "a" }, both],
      [{ n: 1 }, []],
      [{ z: "a" }, ["z = 'a'"]],
      [{ y: "a", n: 1 }, []],
      [{ o: 1, z: "a", n: 2, p: 1 }, both],
      [{ z: "b", n: 1 }, []],
      [{ z: "aa", n: 1 }, []],
      [{ z: "a", n: 1n }, both],
      [{ z: "a", n: "1" }, both],
    ];
    for (const more of [fields, {}]) {
      for (let step = 1; step <= 3; step++) {
        for (let at = 0; at < forms.length * step; at++) {
          const [attributes, wanted] = forms[(at * step) % forms.length] as (typeof forms)[number];
          expect(takers(event(attributes, more)), `${step}, ${at}`).toEqual(wanted);
          expect(takers(event(attributes, more)), `${step}, ${at} again`).toEqual(wanted);
        }
      }
      // A name that comes moves all names' places.
      add("later = 1");
    }
  });

  test("beside fields of the event, whatever was asked for first", () => {
    const { add, takers } = world();
    add("z = 'a' AND LENGTH(source) = 2 AND id != z");
    add("type = 't' AND z = 'a'");
    add("time > '1970'");
    const fields = { id: "7", source: "/s", timeUs: 1_000_000n };
    for (let round = 0; round < 3; round++) {
      expect(takers(event({ z: "b" }, fields))).toEqual(["time > '1970'"]);
      expect(takers(event({ z: "a" }, fields))).toHaveLength(3);
      expect(takers(event({ z: "a" }, { ...fields, source: "/sss" }))).toHaveLength(2);
    }
  });
});

describe("many sinks", () => {
  /** So many that all but the first lie in columns. */
  const COUNT = 500;

  test.each([
    ["one range", (index: number) => `n >= ${index}`, { n: 123 }, 124],
    ["two ranges", (index: number) => `n >= ${index} AND m < ${index + 10}`, { n: 123, m: 123 }, 10],
    ["three ranges", (index: number) => `n >= ${index} AND m < ${index + 10} AND o = 1`, { n: 123, m: 123, o: 1 }, 10],
    ["a value and a range", (index: number) => `z = 'eu' AND n >= ${index}`, { z: "eu", n: 123 }, 124],
    ["a range and a value asked for second", (index: number) => `y = '${index}' AND z = 'eu'`, { z: "eu", y: "7" }, 1],
    ["four ranges", (index: number) => `a < 1 AND b < 1 AND c < 1 AND n = ${index}`, { a: 0, b: 0, c: 0, n: 7 }, 1],
    ["nothing known", (index: number) => `LENGTH(z) = ${index}`, { z: "eu" }, 1],
  ])("%s: who wants it gets it, while half of them leave", (_title, textOf, attributes, expected) => {
    const { sinks, add, takers, leave } = world();
    for (let index = 0; index < COUNT; index++) add(textOf(index), undefined, String(index));
    const all = takers(event(attributes));
    expect(all).toHaveLength(expected);
    for (const sink of [...sinks]) if (Number(sink.name) % 2 === 0) leave(sink);
    expect(takers(event(attributes))).toEqual(all.filter((name) => Number(name) % 2 === 1));
  });

  test("bounds that no single precision holds are compared exactly", () => {
    const { add, takers } = world();
    // Beside singles, between them, where integers are further apart than one, and beyond them all.
    const bounds = ["0.1", "0.3", "1.0", "16777217", "4503599627370497.5", "-0.7", "0.0", `1${"0".repeat(60)}.0`];
    const operators = ["<", "<=", ">", ">="];
    const holds: Record<string, (value: number, bound: number) => boolean> = {
      "<": (value, bound) => value < bound,
      "<=": (value, bound) => value <= bound,
      ">": (value, bound) => value > bound,
      ">=": (value, bound) => value >= bound,
    };
    const asked = bounds.flatMap((bound) => operators.map((operator) => ({ operator, bound })));
    // More than a list takes, so that all later ones share columns.
    for (let filler = 0; filler < 200; filler++) add(`x > ${10 ** 8 + filler} AND x < 0`, undefined, "never");
    for (let filler = 0; filler < 200; filler++)
      add(`x BETWEEN ${3 * 10 ** 8 + filler} AND ${4 * 10 ** 8}`, undefined, "far");
    for (const { operator, bound } of asked) add(`x ${operator} ${bound}`);
    const around = (value: number): number[] => {
      const bits = new DataView(new ArrayBuffer(8));
      bits.setFloat64(0, value);
      const step = (by: bigint): number => {
        const moved = new DataView(new ArrayBuffer(8));
        moved.setBigUint64(0, bits.getBigUint64(0) + by);
        return moved.getFloat64(0);
      };
      return value === 0
        ? [0, -0, Number.MIN_VALUE, -Number.MIN_VALUE]
        : [value, step(1n), step(-1n), Math.fround(value)];
    };
    for (const value of [
      ...bounds.flatMap((bound) => around(Number(bound))),
      Number.MAX_VALUE,
      Number.POSITIVE_INFINITY,
    ]) {
      const expected = asked
        .filter(({ operator, bound }) => holds[operator]?.(value, Number(bound)))
        .map(({ operator, bound }) => `x ${operator} ${bound}`);
      expect(takers(event({ x: value })), `x = ${value}`).toEqual(expected);
    }
  });

  test("what they ask for may change, and the index is as small as before", () => {
    const { sinks, add, want, takers, leave, indexBytes } = world();
    const round = (): void => {
      for (let index = 0; index < COUNT; index++) add(`z = 'a${index % 7}' AND n > ${index}`, undefined, String(index));
      for (const [index, { member }] of sinks.entries()) want(member, `z = 'b${index % 7}' OR n < ${index}`);
      expect(takers(event({ z: "b3" }))).toHaveLength(Math.ceil((COUNT - 3) / 7));
      expect(takers(event({ z: "a3", n: 499 }))).toEqual([]);
      for (const sink of [...sinks]) leave(sink);
    };
    round();
    const bytes = indexBytes();
    round();
    expect(indexBytes()).toBe(bytes);
  });

  test("those that want everything again get everything", () => {
    const { harness, sinks, add, takers } = world();
    for (let index = 0; index < 20; index++) add("z = 'a'", undefined, String(index));
    sinks.forEach(({ member }, index) => {
      if (index % 3 === 0) expect(harness.core.memberWhere(member, 0)).toBe(abi.STATUS_OK);
    });
    expect(takers(event({}))).toHaveLength(7);
    expect(takers(event({ z: "a" }))).toHaveLength(20);
  });

  test("explain tells them in join order after others have left", () => {
    const { harness, channel, sinks, add, leave } = world();
    for (let index = 0; index < 100; index++) add(index % 2 === 0 ? "" : "z = 'a'", undefined, String(index));
    for (const sink of [...sinks]) if (Number(sink.name) % 5 !== 0) leave(sink);
    add("", undefined, "last");
    const bytes = harness.stage(new Uint8Array([0x1a, 1, 0x74, 0x12, 1, 0x73]));
    expect(harness.core.explain(channel, 0, abi.STAGE_OFFSET, bytes, 0, harness.now)).toBe(abi.STATUS_OK);
    const told = Array.from({ length: harness.result(abi.RESULT_COUNT) }, (_, index) =>
      harness.words.at(abi.RECEIPTS_OFFSET + index * abi.EXPLAIN_RECORD_BYTES, abi.EXPLAIN_MEMBER),
    );
    expect(told).toEqual(sinks.map(({ member }) => member));
  });

  test("one session with several of them gets an event once, named for the first that wants it", () => {
    const { harness, channel, source, want } = world();
    const connection = harness.open();
    const members = ["z = 'a'", "n > 1", "n > 0", "z = 'b'"].map((text) => {
      const member = harness.sink(connection, channel);
      want(member, text);
      return member;
    });
    source.publish(channel, [event({ n: 5, z: "b" })]);
    const { deliveries } = connection.drain();
    expect(deliveries.map(({ member }) => member)).toEqual([members[1]]);
  });
});
