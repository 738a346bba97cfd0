import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { Harness } from "./harness.ts";
import { bytesField, join, sizeDelimited, varint, varintField } from "./wire.ts";

/** A sink that was delivered three events. */
function delivered() {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  source.publish(channel, [{ type: "1" }, { type: "2" }, { type: "3" }]);
  expect(sink.drain().deliveries.map(({ number }) => number)).toEqual([1n, 2n, 3n]);
  return sink;
}

const ack = (sink: TestConnection, value: { through?: bigint; numbers?: bigint[] }, ref = 4) =>
  sink.send({ ref, kind: { case: "ack", value } });

describe("ack", () => {
  test.each([
    { name: "through what was delivered", value: { through: 3n } },
    { name: "through less", value: { through: 1n } },
    { name: "single numbers in any order", value: { numbers: [3n, 1n] } },
    { name: "a number twice", value: { numbers: [2n, 2n] } },
  ])("$name is answered", ({ value }) => {
    expect(ack(delivered(), value)).toEqual([{ reason: "answer", ref: 4 }]);
  });

  test.each([
    { name: "through a number that was not delivered", value: { through: 4n }, number: 4 },
    { name: "a number that was not delivered", value: { numbers: [1n, 9n] }, number: 9 },
    { name: "number 0", value: { numbers: [0n] }, number: 0 },
  ])("$name is STATUS_ACK_UNKNOWN and names it", ({ value, number }) => {
    expect(ack(delivered(), value)).toMatchObject([
      { reason: "problem", ref: 4, status: abi.STATUS_ACK_UNKNOWN, value: number },
    ]);
  });

  test("a number of 2^64 − 1 is unknown and nothing traps", () => {
    expect(ack(delivered(), { through: 2n ** 64n - 1n })).toMatchObject([
      { reason: "problem", status: abi.STATUS_ACK_UNKNOWN },
    ]);
  });

  test("numbers packed and unpacked are the same", () => {
    const sink = delivered();
    const packed = bytesField(4, bytesField(2, join(varint(1), varint(3, 5))));
    const unpacked = bytesField(4, join(varintField(2, 1), varintField(2, 3)));
    const mixed = bytesField(4, join(varintField(2, 1), bytesField(2, varint(3))));
    for (const frame of [packed, unpacked, mixed]) {
      expect(sink.feed(sizeDelimited(join(varintField(1, 1), frame)))).toEqual([{ reason: "answer", ref: 1 }]);
    }
  });

  test("without ref a good ack is silent", () => {
    const sink = delivered();
    expect(sink.send({ kind: { case: "ack", value: { through: 2n } } })).toEqual([]);
  });
});
