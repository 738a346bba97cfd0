/**
 * Goal: the index finds every sink whose expression holds, and no other, whatever comes and goes. Oracle: each sink's own
 * expression, run by itself.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { compileExpression } from "../../host/expression/compile.ts";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import type { EventInit } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { casesOfRun, createRandom, type Random, seedOfRun } from "../hostile/mutate.ts";
import { timeoutMs } from "./runs.ts";

const NAMES = ["a", "b", "zone", "type", "priority", "source", "key"];
/** Values that are equal after a cast, and others that only look so. */
const CONSTANTS = [
  "1",
  "1.0",
  "-0.0",
  "0",
  "'1'",
  "'1.0'",
  "true",
  "'true'",
  "'TRUE'",
  "'x'",
  "''",
  "2.5",
  "'2.5'",
  "4",
  "'t'",
];

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[random(values.length)] as Value;
}

/** A random expression: mostly conjunctions with equalities somewhere in them. */
function expression(random: Random, depth = 0): string {
  const name = () => (random(8) === 0 ? "sink.zone" : pick(random, NAMES));
  switch (random(depth > 2 ? 4 : 8)) {
    case 0:
    case 1:
      return `${name()} = ${pick(random, CONSTANTS)}`;
    case 2:
      return `${name()} ${pick(random, ["<", "<=", ">", ">=", "!="])} ${pick(random, CONSTANTS)}`;
    case 3:
      return pick(random, [
        `EXISTS ${pick(random, NAMES)}`,
        `${name()} LIKE '%1%'`,
        `${name()} IN (1, 'x')`,
        `${name()} IN (2.5, 'true', 'NaN', '1', 't')`,
        `${name()} NOT IN (0, 4)`,
        `${name()} BETWEEN 0 AND ${pick(random, CONSTANTS)}`,
        `1 = ${name()}`,
        "TRUE",
        "FALSE",
      ]);
    case 4:
    case 5:
      return `${expression(random, depth + 1)} AND ${expression(random, depth + 1)}`;
    case 6:
      return `(${expression(random, depth + 1)} OR ${expression(random, depth + 1)})`;
    default:
      return `NOT (${expression(random, depth + 1)})`;
  }
}

/** A random conjunction of ranges, of which many are on the same names: what columns are for. */
function ranges(random: Random): string {
  const parts = Array.from({ length: 1 + random(3) }, () => {
    const name = pick(random, ["a", "b", "priority", "zone"]);
    const constant = pick(random, CONSTANTS.slice(0, 4).concat("2.5", "4"));
    return random(5) === 0
      ? `${name} BETWEEN ${constant} AND 2.5`
      : `${name} ${pick(random, ["<", "<=", ">", ">=", "="])} ${constant}`;
  });
  return parts.join(random(8) === 0 ? " OR " : " AND ");
}

function value(random: Random) {
  return pick(random, [
    { kind: { case: "integer" as const, value: 1n } },
    { kind: { case: "integer" as const, value: 0n } },
    { kind: { case: "integer" as const, value: 2n ** 60n } },
    { kind: { case: "number" as const, value: 1 } },
    { kind: { case: "number" as const, value: -0 } },
    { kind: { case: "number" as const, value: 2.5 } },
    { kind: { case: "number" as const, value: Number.NaN } },
    { kind: { case: "boolean" as const, value: true } },
    { kind: { case: "boolean" as const, value: false } },
    ...["1", "1.0", "true", "TRUE", "x", "", "2.5", "-0"].map((text) => ({
      kind: { case: "text" as const, value: text },
    })),
  ]);
}

function event(random: Random): EventInit {
  const attributes: NonNullable<EventInit["attributes"]> = {};
  for (const name of ["a", "b", "zone", "other"]) if (random(3) !== 0) attributes[name] = value(random);
  return {
    type: pick(random, ["t", "1", "x"]),
    source: pick(random, ["/s", "x", "1"]),
    timeUs: 1n,
    attributes,
    ...(random(2) === 0 ? { priority: random(5) } : {}),
    ...(random(4) === 0 ? { key: pick(random, ["1", "x"]) } : {}),
  };
}

interface Sink {
  readonly connection: TestConnection;
  readonly member: number;
  text: string;
  expression: number;
  types: readonly string[];
}

/** Few sinks of all sorts; and so many with ranges that they lie in columns. */
const settings = [
  { title: "of all sorts", draw: expression, sinks: 60, rounds: 600 },
  { title: "with ranges", draw: ranges, sinks: 400, rounds: 120 },
];

test.each(settings)(
  "every sink gets what its expression holds of: $title",
  ({ draw, sinks: first, rounds: wantedRounds }) => {
    const seed = seedOfRun();
    const random = createRandom(seed);
    const harness = Harness.create({ poolBytes: 64 * 1024 * 1024 });
    const channel = harness.channel("c");
    const source = harness.open();
    harness.source(source, channel);
    const sinks: Sink[] = [];

    const program = (text: string, dialect: "sluice" | "cesql"): number => {
      const { program: bytes } = compileExpression(text, dialect);
      const handle = harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(bytes));
      if (handle === 0) throw new Error(`refused: ${text}`);
      return handle;
    };
    /** Sets another expression; the test keeps a use of its own, to ask it. */
    const filter = (sink: Sink): void => {
      const text = draw(random);
      const dialect = random(4) === 0 && !/\.\d|sink|BETWEEN/.test(text) ? "cesql" : "sluice";
      const handle = program(text, dialect);
      program(text, dialect);
      expect(harness.core.memberWhere(sink.member, handle)).toBe(abi.STATUS_OK);
      harness.core.expressionRelease(sink.expression);
      sink.expression = handle;
      sink.text = `${dialect}: ${text}`;
    };
    const join = (): void => {
      const connection = harness.open();
      const types = random(4) === 0 ? ["t"] : [];
      const member = harness.sink(connection, channel, types.length === 0 ? undefined : types);
      const sink: Sink = { connection, member, text: "", expression: 0, types };
      sinks.push(sink);
      if (random(10) !== 0) filter(sink);
    };
    const holds = (sink: Sink, init: EventInit): boolean => {
      if (sink.types.length > 0 && !sink.types.includes(init.type ?? "")) return false;
      if (sink.expression === 0) return true;
      const bytes = harness.stage(toBinary(EventSchema, create(EventSchema, init)));
      return harness.core.expressionTest(sink.expression, abi.STAGE_OFFSET, bytes, sink.member) === 1;
    };

    for (let at = 0; at < first; at++) join();
    let delivered = 0;
    const rounds = casesOfRun(wantedRounds);
    for (let round = 0; round < rounds; round++) {
      const change = random(6);
      if (change === 0) join();
      else if (change === 1 && sinks.length > first / 3) {
        const [gone] = sinks.splice(random(sinks.length), 1);
        if (gone !== undefined) {
          gone.connection.close();
          harness.core.expressionRelease(gone.expression);
        }
      } else if (change === 2) filter(pick(random, sinks));
      else if (change === 3) {
        const sink = pick(random, sinks);
        sink.connection.send({
          kind: { case: "update", value: { member: sink.member, attributes: { zone: value(random) } } },
        });
        sink.connection.drain();
      }
      const init = { ...event(random), id: String(round) };
      const wanted = sinks.filter((sink) => holds(sink, init));
      const [receipt] = source.receipt(channel, [init]);
      const told = `seed ${seed}, round ${round}, ${JSON.stringify(init, (_name, one) => (typeof one === "bigint" ? `${one}n` : one))}`;
      for (const sink of sinks) {
        const got = sink.connection.events().length === 1;
        expect(got, `${told}: ${sink.text}`).toBe(wanted.includes(sink));
      }
      expect(receipt?.sinks, told).toBe(wanted.length);
      delivered += wanted.length;
    }
    expect(delivered).toBeGreaterThan(rounds);
    // All gone: nothing is left behind.
    const empty = Harness.create({ poolBytes: 64 * 1024 * 1024 });
    expect(empty.statistic(abi.STATISTIC_PAGES_USED)).toBeLessThanOrEqual(harness.statistic(abi.STATISTIC_PAGES_USED));
  },
  timeoutMs(60_000),
);

test("expressions by the thousand come and go without a trace", () => {
  const harness = Harness.create({ poolBytes: 256 * 1024 * 1024 });
  const channel = harness.channel("c");
  const round = (): number => {
    const connection = harness.open();
    for (let at = 0; at < 2_000; at++) {
      const member = harness.sink(connection, channel);
      const { program } = compileExpression(`zone = 'z${at}' AND load > ${at % 7}`);
      harness.core.memberWhere(member, harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(program)));
    }
    connection.close();
    return harness.statistic(abi.STATISTIC_PAGES_USED);
  };
  round();
  const pages = round();
  for (let at = 0; at < 3; at++) expect(round()).toBe(pages);
}, 60_000);
