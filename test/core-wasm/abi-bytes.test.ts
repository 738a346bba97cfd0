/**
 * Goal: docs/filters/abi.md shows a batch, a sink table and an answer byte by byte, so that authors in any language can try their readers
 * against them; and the core writes exactly these bytes, and takes that answer.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import { fieldOf } from "../../host/expression/names.ts";
import { root } from "../docs-blocks.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";
import { utf8 } from "./wire.ts";

/** What the page says that the example begins with. */
const ATTRIBUTES = ["kind", "load", "urgent", "n", "time", "zone"];
const COLUMNS = ["load", "zone"];
const INTERNED = ["request", "eu"];
const PAYLOAD_BYTES = 8;
const NOW = 1_767_225_600_000;
const EVENTS: readonly EventInit[] = [
  {
    id: "e-1",
    type: "job",
    priority: 9,
    deliverByUs: BigInt(NOW + 250) * 1_000n,
    data: utf8('{"pages":12}'),
    attributes: {
      kind: { kind: { case: "text", value: "request" } },
      load: { kind: { case: "number", value: 0.5 } },
      urgent: { kind: { case: "boolean", value: true } },
      n: { kind: { case: "integer", value: -7n } },
    },
  },
  { id: "e-2", type: "news", attributes: { zone: { kind: { case: "text", value: "us" } } } },
];

/** The bytes of a block of the page; its lines are an offset, bytes, and what they mean. */
function blockOf(name: string): Uint8Array {
  const page = readFileSync(`${root}docs/filters/abi.md`, "utf8");
  const [, block = ""] = new RegExp(`<!-- bytes ${name} -->\n\`\`\`\\w*\n([^]*?)\n\`\`\``).exec(page) ?? [];
  const bytes: number[] = [];
  for (const line of block.split("\n")) {
    const [, at = "", hex = ""] = /^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} ?)+?)(?: {2}.*)?$/.exec(line) ?? [];
    expect([line, Number.parseInt(at, 16)]).toEqual([line, bytes.length]);
    bytes.push(...Buffer.from(hex.replaceAll(" ", ""), "hex"));
  }
  return Uint8Array.from(bytes);
}

describe("the bytes of the ABI", () => {
  const harness = Harness.create();
  harness.now = NOW;
  const channel = harness.channel("jobs");
  const decider = harness.decide(channel, {
    attributes: ATTRIBUTES.map((name) => ({ name, field: fieldOf(name) })),
    payloadBytes: PAYLOAD_BYTES,
    columns: COLUMNS,
  });
  for (const text of INTERNED) harness.core.deciderIntern(decider, abi.STAGE_OFFSET, harness.stage(utf8(text)));
  const sinks = Array.from({ length: 3 }, (_, index) => {
    const connection = harness.open(abi.CONNECTION_STREAM, `/sink/${index}`);
    // The last one wants news only.
    const member = harness.member(connection, channel, abi.ROLE_SINK, index === 2 ? ["news"] : undefined);
    return { connection, member };
  });
  const [first] = sinks;
  first?.connection.send({
    kind: {
      case: "update",
      value: {
        member: first.member,
        attributes: {
          load: { kind: { case: "number", value: 0.25 } },
          zone: { kind: { case: "text", value: "eu" } },
        },
      },
    },
  });
  let records = new Uint8Array(0);
  let table = new Uint8Array(0);
  harness.decider = (batch) => {
    const view = new DataView(harness.memory.buffer);
    const head = (word: number): number => view.getUint32(abi.DECIDE_OFFSET + word * 4, true);
    const part = (at: number, bytes: number): Uint8Array<ArrayBuffer> =>
      new Uint8Array(harness.memory.slice(head(at), head(at) + head(bytes)));
    records = part(filterAbi.BATCH_RECORDS_AT, filterAbi.BATCH_RECORDS_BYTES);
    table = part(filterAbi.BATCH_TABLE_AT, filterAbi.BATCH_TABLE_BYTES);
    expect(batch).toHaveLength(2);
    const answer = blockOf("answer");
    return [...new Uint32Array(answer.buffer, 0, answer.length / 4)];
  };
  const source = harness.open(abi.CONNECTION_STREAM, "/printer");
  harness.source(source, channel);
  source.publish(channel, EVENTS);

  test("are what the core shows a module of two events", () => {
    expect(Buffer.from(records).toString("hex")).toBe(Buffer.from(blockOf("batch")).toString("hex"));
  });

  test("are what the core shows a module of three sinks", () => {
    expect(Buffer.from(table).toString("hex")).toBe(Buffer.from(blockOf("sinks")).toString("hex"));
  });

  test("are what the core takes as an answer", () => {
    expect(harness.faults).toEqual([]);
    expect(sinks.map(({ connection }) => connection.events().map(({ id }) => id))).toEqual([
      ["e-2"],
      ["e-1", "e-2"],
      ["e-2"],
    ]);
  });
});
