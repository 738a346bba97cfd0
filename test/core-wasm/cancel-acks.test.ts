/** Cancelling a key whose deliveries wait for acknowledgements: what was delivered is not delivered again. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { workers } from "./workers.ts";

const REDELIVER_MS = 100;

function createUnacknowledged(count: number) {
  const made = workers(count);
  const { harness, requester } = made;
  for (const { id } of made.workers) harness.core.inboxAcks(id, 1, REDELIVER_MS, 5);
  const keys = (sink: TestConnection): string[] =>
    sink.drain().deliveries.map(({ number, attempt, event }) => `${number}/${attempt} ${event.type}`);
  const tick = (): void => {
    harness.now += 10 * REDELIVER_MS;
    for (const { id } of made.workers) harness.core.inboxTick(id, harness.now);
  };
  return { ...made, requester, keys, tick };
}

describe("an unacknowledged delivery", () => {
  test("is not made again, on time or late; other keys are", () => {
    const { harness, requester, workers: sinks, ask, cancel, keys, tick } = createUnacknowledged(2);
    const [one, two] = sinks as [TestConnection, TestConnection];
    ask("k");
    ask("other");
    expect([keys(one).length, keys(two).length]).toEqual([2, 2]);
    tick();
    cancel(requester, "k");
    expect(harness.core.inboxKept(one.id)).toBe(1);
    // The event that tells of the cancel comes behind what is made again.
    expect(keys(one).map((line) => line.split(" ")[0])).toEqual(["2/2", "3/1"]);
    tick();
    expect(keys(two).map((line) => line.split(" ")[0])).toEqual(["2/2", "3/1"]);
    one.send({ kind: { case: "ack", value: { through: 3n } } });
    expect(harness.core.inboxKept(one.id)).toBe(0);
  });

  test("of whoever claims the key stays: it does the work, and may fail", () => {
    const { harness, workers: sinks, ask, cancel, keys, tick } = createUnacknowledged(2);
    const [one, two] = sinks as [TestConnection, TestConnection];
    ask("k");
    keys(one);
    keys(two);
    cancel(one, "k");
    expect(harness.core.inboxKept(one.id)).toBe(1);
    expect(harness.core.inboxKept(two.id)).toBe(0);
    tick();
    expect(keys(one).map((line) => line.split(" ")[0])).toEqual(["1/2"]);
  });

  test("makes room where it had filled an inbox that blocks", () => {
    const { harness, channel, requester, workers: sinks, ask, cancel, keys } = createUnacknowledged(1);
    const [sink] = sinks as [TestConnection];
    sink.inbox(4, 1_000_000, abi.OVERFLOW_BLOCK);
    for (let count = 0; count < 4; count++) ask("k");
    requester.publish(channel, [{ type: "behind" }]);
    // Two of them filled it to its mark; what is delivered counts until it is acknowledged.
    keys(sink);
    expect(harness.core.inboxKept(sink.id)).toBeGreaterThan(0);
    cancel(requester, "k");
    expect(keys(sink).some((line) => line.endsWith("behind"))).toBe(true);
  });
});
