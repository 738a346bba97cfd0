/**
 * Goal: memory that is configured too small is a status, never a trap, and nothing of it is lost for good. Method: a pool
 * that is as small as coreInit() allows is filled in every way that a peer or an operator has, then emptied again.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeProjection, payloadOnly } from "../../host/core/decider.ts";
import { propertyParameters, timeoutMs } from "../property/runs.ts";
import type { TestConnection } from "./connection.ts";
import { encodeFrame, typeList } from "./frames.ts";
import { createInstance, Harness } from "./harness.ts";
import { clientFrame, OPCODE_BINARY, OPCODE_TEXT } from "./websocket.ts";
import { bytesField, sizeDelimited, utf8, varint } from "./wire.ts";

const STORE_BYTES = 4 * abi.SLAB_BYTES;

/** A core with `extraBytes` of pool beyond the least. */
function tiny(extraBytes: number): Harness {
  const probe = createInstance();
  probe.coreInit(STORE_BYTES, 1);
  const needed = new DataView(probe.memory.buffer).getUint32(abi.RESULT_OFFSET + abi.RESULT_LIMIT * 4, true);
  return Harness.create({ storeBytes: STORE_BYTES, poolBytes: needed - abi.REGIONS_END - STORE_BYTES + extraBytes });
}

/** Opens connections until there is no more; at most `max`. */
function openAll(harness: Harness, max: number): TestConnection[] {
  const open: TestConnection[] = [];
  while (open.length < max) {
    try {
      open.push(harness.open());
    } catch {
      break;
    }
  }
  return open;
}

/** A source and a sink that must work whenever memory is free again. */
function pair(harness: Harness): () => void {
  const channel = harness.channel("pair");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  return () => {
    expect(source.receipt(channel, [{ type: "t", data: new Uint8Array(1000) }])[0]?.status).toBe(abi.STATUS_OK);
    expect(sink.events()).toHaveLength(1);
  };
}

/** HostFrame { problem { detail } }. */
const problem = (detailBytes: number): Uint8Array => bytesField(9, bytesField(4, "x".repeat(detailBytes)));

describe("the pool is used up by", () => {
  test("connections: connectionOpen() gives 0, and their end gives everything back", () => {
    const harness = tiny(2 * abi.PAGE_BYTES);
    const works = pair(harness);
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const open = openAll(harness, 200_000);
      expect(open.length).toBeLessThan(200_000);
      counts.push(open.length);
      for (const connection of open) connection.close();
      works();
    }
    expect(counts[0]).toBeGreaterThan(100);
    expect(counts[2]).toBe(counts[1]);
  });

  test("channels: channelAdd() gives 0, removing them gives room again", () => {
    const harness = tiny(2 * abi.PAGE_BYTES);
    const works = pair(harness);
    const numbers: number[] = [];
    for (let index = 0; index < 200_000; index++) {
      const number = harness.core.channelAdd(
        abi.STAGE_OFFSET,
        harness.stage(utf8(`channel-with-a-long-name-${index}`)),
        0,
      );
      if (number === 0) break;
      numbers.push(number);
    }
    expect(numbers.length).toBeLessThan(200_000);
    for (const number of numbers) expect(harness.core.channelRemove(number)).toBe(abi.STATUS_OK);
    works();
    expect(harness.channel("again")).not.toBe(0);
  });

  test("members: memberAdd() gives 0 with a status, and leaving gives room again", () => {
    const harness = tiny(2 * abi.PAGE_BYTES);
    const works = pair(harness);
    const channel = harness.channel("crowd");
    const connection = harness.open();
    const members: number[] = [];
    for (let index = 0; index < 500_000; index++) {
      const member = harness.sink(connection, channel);
      if (member === 0) break;
      members.push(member);
    }
    expect(members.length).toBeLessThan(500_000);
    expect([abi.STATUS_STORE_FULL, abi.STATUS_LIMIT]).toContain(harness.result(abi.RESULT_STATUS));
    for (const member of members) expect(harness.core.memberRemove(connection.id, member)).toBe(abi.STATUS_OK);
    works();
  });

  test("half frames: the last peers are refused, the others complete theirs", () => {
    for (const kind of [abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET_JSON]) {
      const harness = tiny(6 * 1024 * 1024);
      const works = pair(harness);
      const half = new Uint8Array(600_000).fill(0x61);
      const hello = encodeFrame({ kind: { case: "hello", value: { token: "x".repeat(1_000_000) } } });
      const head = sizeDelimited(hello).subarray(0, 600_000);
      const bytes =
        kind === abi.CONNECTION_STREAM
          ? head
          : clientFrame(
              kind === abi.CONNECTION_WEBSOCKET ? OPCODE_BINARY : OPCODE_TEXT,
              kind === abi.CONNECTION_WEBSOCKET ? head : half,
              { fin: false },
            );
      const peers = Array.from({ length: 30 }, () => harness.open(kind));
      const ends = peers.map((peer) => peer.feed(bytes).map((outcome) => outcome.reason));
      expect(
        ends.some((reasons) => reasons.includes("close")),
        `kind ${kind}`,
      ).toBe(true);
      expect(ends.filter((reasons) => reasons.length === 0).length, `kind ${kind}`).toBeGreaterThan(1);
      for (const peer of peers) peer.close();
      works();
    }
  });

  test("answers that nobody reads: STATUS_CONTROL_FULL before CONTROL_BYTES_MAX, and room again after", () => {
    const harness = tiny(2 * 1024 * 1024);
    const works = pair(harness);
    const peers = Array.from({ length: 8 }, () => harness.open());
    let full = 0;
    for (const peer of peers) {
      harness.stage(new Uint8Array(100_000));
      for (let index = 0; index < 20; index++) {
        if (harness.core.controlPush(peer.id, abi.STAGE_OFFSET, 100_000) === abi.STATUS_CONTROL_FULL) full += 1;
      }
    }
    expect(full).toBeGreaterThan(0);
    for (const peer of peers) peer.close();
    works();
  });

  test("attributes and types of members", () => {
    const harness = tiny(4 * abi.PAGE_BYTES);
    const works = pair(harness);
    const channel = harness.channel("attributes");
    const connections = openAll(harness, 60);
    const members = connections.map((connection) => harness.sink(connection, channel));
    const attributes = { big: { kind: { case: "text" as const, value: "x".repeat(15_000) } } };
    const statuses = new Set<number>();
    connections.forEach((connection, index) => {
      const member = members[index] ?? 0;
      if (member === 0) return;
      const [outcome] = connection.send({ ref: 1, kind: { case: "update", value: { member, attributes } } });
      statuses.add(outcome?.reason === "problem" ? outcome.status : abi.STATUS_OK);
      harness.stage(typeList(Array.from({ length: 64 }, (_, type) => `type-${index}-${type}-${"x".repeat(200)}`)));
      statuses.add(harness.core.memberTypes(member, abi.STAGE_OFFSET, 64));
    });
    expect(statuses).toContain(abi.STATUS_STORE_FULL);
    expect(
      [...statuses].every((status) => [abi.STATUS_OK, abi.STATUS_STORE_FULL, abi.STATUS_LIMIT].includes(status)),
    ).toBe(true);
    for (const connection of connections) connection.close();
    works();
  });
});

test("random life in a tiny pool traps nothing, and what is left at the end works", {
  timeout: timeoutMs(60_000),
}, () => {
  const step = fc.tuple(
    fc.nat({ max: 11 }),
    fc.nat({ max: 7 }),
    fc.nat({ max: 3 }),
    fc.constantFrom(10, 3000, 60_000, 300_000, 1_000_000),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: "max" }), fc.nat({ max: 60 }), (steps, pages) => {
      const harness = tiny(pages * abi.PAGE_BYTES);
      const channels = [0, 1, 2, 3].map((index) =>
        harness.core.channelAdd(abi.STAGE_OFFSET, harness.stage(utf8(`c${index}`)), index),
      );
      channels.forEach((channel, index) => {
        if (channel !== 0) harness.channelNumbers.set(`c${index}`, channel);
      });
      // There may be no room for it, either.
      const decider = harness.core.deciderAdd(abi.STAGE_OFFSET, harness.stage(encodeProjection(payloadOnly)));
      if (decider !== 0) harness.core.channelDecider(channels[3] as number, abi.STAGE_OUT, decider);
      const connections = openAll(harness, 8);
      for (const [kind, who, where, bytes] of steps) {
        const connection = connections[who % Math.max(1, connections.length)];
        const channel = channels[where] as number;
        if (connection === undefined || channel === 0) continue;
        if (kind < 2) harness.sink(connection, channel, kind === 0 ? undefined : ["t", `u${bytes}`]);
        else if (kind < 6)
          connection.publish(channel, [{ type: "t", key: "k", ttlMs: 5n, data: new Uint8Array(bytes) }, { type: "t" }]);
        else if (kind === 6) connection.drain();
        else if (kind === 7) connection.inbox(1 + (bytes % 7), bytes, who % 5);
        else if (kind === 8) connection.cancel(channel, "k");
        else if (kind === 9) harness.core.controlPush(connection.id, abi.STAGE_OFFSET, harness.stage(problem(bytes)));
        else if (kind === 10) connection.feed(varint(bytes + 9));
        else {
          connection.close();
          connections.splice(connections.indexOf(connection), 1, ...openAll(harness, 1));
        }
        harness.now += 1;
      }
      for (const connection of connections) connection.close();
      for (const channel of channels) if (channel !== 0) harness.core.channelRemove(channel);
      pair(harness)();
    }),
    propertyParameters(100),
  );
});
