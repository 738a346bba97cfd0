/** Cancels of several who have begun: the earliest stands. And the memory of who did. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { done, got, lost, nowUs, workers } from "./workers.ts";

describe("claims", () => {
  /** Two workers that have both begun, A joined first. */
  function race() {
    const all = workers(2);
    const [a, b] = all.workers as [TestConnection, TestConnection];
    all.ask();
    for (const worker of [a, b]) worker.drain();
    const at = nowUs(all.harness);
    return { ...all, a, b, at };
  }

  test("the earlier one stands: the other is told, and its own cancel does nothing", () => {
    const { a, b, at, cancel } = race();
    expect(cancel(a, "k", at + 3n)).toEqual(done(0, 1));
    expect(cancel(b, "k", at + 5n)).toMatchObject({ reason: "problem", ref: 3, status: abi.STATUS_CANCELLED });
    expect(got(b)).toEqual(["cancel k /worker/0"]);
    expect(got(a)).toEqual([]);
  });

  test("the same where the later one arrives first: what it told is taken back", () => {
    const { channel, a, b, at, cancel } = race();
    expect(cancel(b, "k", at + 5n)).toEqual(done(0, 1));
    expect(cancel(a, "k", at + 3n)).toEqual(done(0, 1));
    expect(got(b)).toEqual(["cancel k /worker/0"]);
    const drained = a.drain();
    expect(drained.deliveries).toEqual([]);
    expect([...drained.dropped]).toEqual([[`${channel}/cancelled`, 1]]);
  });

  test("at one moment, who joined first", () => {
    for (const order of [0, 1]) {
      const { a, b, at, cancel } = race();
      const [first, second] = order === 0 ? [a, b] : [b, a];
      expect(cancel(first, "k", at)).toEqual(done(0, 1));
      if (order === 0) expect(cancel(second, "k", at)).toMatchObject(lost);
      else expect(cancel(second, "k", at)).toEqual(done(0, 1));
      expect([got(a), got(b)]).toEqual([[], ["cancel k /worker/0"]]);
    }
  });

  test("without ref the one who lost learns it from the event alone", () => {
    const { channel, a, b, at } = race();
    a.cancel(channel, "k", at);
    expect(b.cancel(channel, "k", at + 1n)).toEqual([]);
    expect([got(a), got(b)]).toEqual([[], ["cancel k /worker/0"]]);
  });

  test("all orders of arrival of four claims end with the earliest, whose word is the last that the others hear", () => {
    for (const order of permutations([0, 1, 2, 3])) {
      const { harness, workers: sinks, ask, cancel } = workers(4);
      ask();
      for (const worker of sinks) worker.drain();
      const at = nowUs(harness);
      const won = new Set<number>();
      for (const index of order) {
        const outcome = cancel(sinks[index] as TestConnection, "k", at + BigInt(index));
        if (outcome?.reason === "cancelled") won.add(index);
        else expect(outcome).toMatchObject(lost);
        // Whoever is told of a cancel has lost, unless its own one stands by what it was answered later.
        sinks.forEach((worker, place) => {
          for (const line of got(worker)) {
            expect(line).not.toBe(`cancel k /worker/${place}`);
            won.delete(place);
          }
        });
        if (outcome?.reason === "cancelled") won.add(index);
      }
      expect([...won], `arrivals ${order}`).toEqual([0]);
    }
  });

  test("who published the key aborts it, whoever claimed it, and claims that come later fail", () => {
    const { requester, a, b, at, cancel } = race();
    cancel(a, "k", at);
    expect(cancel(requester, "k", at + 9n)).toEqual(done(0, 2));
    expect(got(a)).toEqual(["cancel k /requester"]);
    expect(cancel(b, "k", at + 1n)).toMatchObject(lost);
    expect(cancel(a, "k", at)).toMatchObject(lost);
  });

  test("an abort that waits is not taken back by a claim", () => {
    const { requester, a, b, at, cancel } = race();
    cancel(requester, "k", at + 9n);
    expect(cancel(a, "k", at)).toMatchObject(lost);
    expect([got(a), got(b)]).toEqual([["cancel k /requester"], ["cancel k /requester"]]);
  });

  test("an echo does not make its publisher a worker", () => {
    const {
      harness,
      channel,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    harness.sink(requester, channel);
    ask();
    worker.drain();
    requester.drain();
    expect(cancel(worker)).toEqual(done(0, 1));
    expect(cancel(requester)).toEqual(done(0, 1));
    expect([got(worker), got(requester)]).toEqual([["cancel k /requester"], ["cancel k /worker/0"]]);
  });

  test("a key that is used again is raced for again", () => {
    const { harness, a, b, at, ask, cancel } = race();
    cancel(a, "k", at);
    b.drain();
    harness.now += 1;
    ask();
    for (const worker of [a, b]) worker.drain();
    expect(cancel(b)).toEqual(done(0, 1));
    harness.now += 1;
    expect(cancel(a)).toMatchObject(lost);
  });

  test("the claim of one who is gone holds nobody up", () => {
    const { a, b, at, cancel } = race();
    cancel(a, "k", at);
    a.close();
    expect(cancel(b, "k", at + 1n)).toEqual(done(0, 0));
  });
});

describe("memory", () => {
  test("of a channel on which cancels are used outlives the keyed traffic of others", () => {
    const {
      harness,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    cancel(requester, "never");
    ask();
    worker.drain();
    const noise = harness.channel("noise");
    harness.sink(worker, noise);
    const events = Array.from({ length: 512 }, (_, index) => ({ type: "t", key: `n${index}` }));
    for (let sent = 0; sent <= abi.STARTED_RECORDS; sent += events.length) {
      requester.publish(noise, events);
      worker.drain();
    }
    expect(harness.statistic(abi.STATISTIC_STARTED_EVICTED)).toBe(0);
    expect(cancel(requester)).toEqual(done(0, 1));
  });

  test("forgets the oldest deliveries first, and counts them", () => {
    const {
      harness,
      channel,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    cancel(requester, "never");
    for (const key of ["first", "second"]) ask(key);
    worker.drain();
    const events = Array.from({ length: 512 }, (_, index) => ({ type: "t", key: `n${index}` }));
    let room = abi.STARTED_RECORDS - 1;
    for (; room > 0; room -= events.length) {
      requester.publish(channel, events.slice(0, room));
      worker.drain();
    }
    expect(harness.statistic(abi.STATISTIC_STARTED_EVICTED)).toBe(1);
    expect(cancel(requester, "first")).toEqual(done(0, 0));
    expect(cancel(requester, "second")).toEqual(done(0, 1));
  });

  test("the flag of a channel on which cancels are used is the core's", () => {
    const {
      harness,
      channel,
      requester,
      ask,
      workers: [worker],
      cancel,
    } = workers(1);
    cancel(requester);
    harness.core.channelSet(channel, abi.CHANNEL_ECHO & ~abi.CHANNEL_CANCELS, 4, 0);
    ask();
    worker.drain();
    expect(cancel(requester)).toEqual(done(0, 1));
  });
});

function permutations(list: readonly number[]): number[][] {
  if (list.length <= 1) return [[...list]];
  return list.flatMap((first) => permutations(list.filter((other) => other !== first)).map((rest) => [first, ...rest]));
}
