/** Cancelling by key: what waits is withdrawn, and who has begun is told. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { utf8 } from "./wire.ts";
import { done, got, nowUs, workers } from "./workers.ts";

describe("withdrawal", () => {
  test("every copy that waits counts, and is told at once, wherever it stands in its inbox", () => {
    const { harness, channel, requester, workers: sinks, ask, cancel } = workers(3);
    const [ready, held, slow] = sinks as [TestConnection, TestConnection, TestConnection];
    held.hold(true);
    slow.credit(0, 0);
    requester.publish(channel, [{ type: "first" }]);
    ask();
    ask();
    expect(cancel(requester)).toEqual(done(6, 0));
    expect(harness.dirty().sort()).toEqual([ready.id, held.id, slow.id].sort());
    for (const sink of [ready, held, slow]) expect([...sink.drain().dropped]).toEqual([[`${channel}/cancelled`, 2]]);
    expect([ready, held, slow].map(({ id }) => harness.core.inboxEvents(id))).toEqual([0, 1, 1]);
    expect(cancel(requester)).toEqual(done(0, 0));
  });

  test("an inbox of several memberships has one copy", () => {
    const {
      harness,
      channel,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    harness.sink(worker, channel);
    ask();
    expect(cancel(requester)).toEqual(done(1, 0));
    expect(worker.events()).toEqual([]);
  });

  test("what waits in an outbox does not leave it", () => {
    const {
      channel,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    worker.inbox(2, 1_000_000, abi.OVERFLOW_BLOCK);
    for (const key of ["a", "b", "k", "k", "c"]) ask(key);
    expect(cancel(requester)).toEqual(done(2, 0));
    expect(worker.events().map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(requester.publish(channel, [{ type: "t" }])).toEqual([]);
  });

  test("what is held for want of a sink never gets one; what was held and delivered is known", () => {
    const { harness, channel, requester, open, ask, cancel } = workers(0);
    expect(harness.core.channelEmpty(channel, abi.EMPTY_HOLD, 0)).toBe(abi.STATUS_OK);
    for (const key of ["k", "other", "k"]) ask(key);
    expect(cancel(requester)).toEqual(done(2, 0));
    const late = open("/late");
    harness.dirty();
    expect(got(late)).toEqual(["request other /requester"]);
    expect(cancel(requester, "other")).toEqual(done(0, 1));
    expect(got(late)).toEqual(["cancel other /requester"]);
  });

  test("an inbox that blocks lets its channel go on when what filled it is withdrawn", () => {
    const {
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    worker.inbox(2, 1_000_000, abi.OVERFLOW_BLOCK);
    worker.credit(0, 0);
    for (const key of ["k", "k", "next"]) ask(key);
    cancel(requester);
    worker.drain();
    worker.credit(10, 1_000_000);
    expect(worker.events().map(({ key }) => key)).toEqual(["next"]);
  });

  test("a channel that stores does not replay it, delivered or not, and nothing else is missing", () => {
    const {
      harness,
      channel,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    harness.core.channelStore(channel, 10, 1_000_000);
    ask("k");
    ask("other");
    worker.drain();
    expect(cancel(requester)).toEqual(done(0, 1));
    const late = harness.open();
    const member = harness.sink(late, channel);
    expect(harness.core.memberReplay(member, 0, harness.now)).toBe(1);
    expect(late.events().map(({ type, key }) => [type, key])).toEqual([["request", "other"]]);
  });

  test("a moment spares what is younger; without one nothing is, even if the clock of its source is ahead", () => {
    const {
      harness,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    const now = nowUs(harness);
    ask("k", now);
    ask("k", now + 1n);
    expect(cancel(requester, "k", now - 1n)).toEqual(done(0, 0));
    expect(cancel(requester, "k", now)).toEqual(done(1, 0));
    expect(cancel(requester)).toEqual(done(1, 0));
    ask("k", now + 1_000_000n);
    expect(worker.events()).toHaveLength(1);
    expect(cancel(requester)).toEqual(done(0, 1));
    expect(worker.events()).toMatchObject([{ type: "cancel", timeUs: now + 1_000_000n }]);
  });

  test.each([
    ["the beginning of the year 1", -62_135_596_800_000_000n, 0],
    ["the end of 9999", 253_402_300_799_999_999n, 1],
  ])("%s is a moment", (_name, atUs, withdrawn) => {
    const { requester, ask, cancel } = workers(1);
    ask();
    expect(cancel(requester, "k", atUs)).toEqual(done(withdrawn, 0));
  });

  test("what leaves its inbox by overflow or with its member afterwards is not counted twice", () => {
    const {
      harness,
      channel,
      requester,
      workers: [first, second],
      ask,
      cancel,
    } = workers(2) as ReturnType<typeof workers> & {
      workers: [TestConnection, TestConnection];
    };
    first.inbox(2, 1_000_000, abi.OVERFLOW_DROP_OLDEST);
    ask("k");
    cancel(requester);
    for (const key of ["a", "b", "c"]) ask(key);
    expect([...first.drain().dropped]).toEqual([
      [`${channel}/overflow`, 1],
      [`${channel}/cancelled`, 1],
    ]);
    second.close();
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(3);
    expect(harness.statistic(abi.STATISTIC_DROPPED_CANCELLED)).toBe(2);
  });
});

describe("telling", () => {
  test("who got the key gets an ordinary event of its channel; who did not gets nothing", () => {
    const { harness, channel, requester, workers: sinks, ask, cancel } = workers(3);
    const [one, two, never] = sinks as [TestConnection, TestConnection, TestConnection];
    const picky = harness.open();
    harness.sink(picky, channel, ["request"]);
    harness.core.memberRemove(never.id, 4);
    ask();
    for (const sink of [one, two, picky]) sink.drain();
    harness.sink(never, channel);
    harness.now += 5;
    const atUs = nowUs(harness);
    expect(cancel(requester)).toEqual(done(0, 3));
    for (const sink of [one, two, picky]) {
      const [delivery, ...rest] = sink.drain().deliveries;
      expect(rest).toEqual([]);
      expect(delivery).toMatchObject({ number: 2n, sequence: 2n, member: 0 });
      expect(delivery?.event).toMatchObject({ type: "cancel", key: "k", source: "/requester", timeUs: atUs });
    }
    expect(never.events()).toEqual([]);
    expect(harness.core.channelSequence(channel)).toBe(2);
  });

  test("whose cancel it is, is not told", () => {
    const {
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    ask();
    worker.drain();
    expect(cancel(worker)).toEqual(done(0, 0));
    expect(worker.events()).toEqual([]);
  });

  test("it waits in its inbox behind what came before, and takes part in its bounds", () => {
    const {
      workers: [worker],
      requester,
      ask,
      cancel,
    } = workers(1);
    ask();
    worker.drain();
    worker.hold(true);
    ask("before");
    cancel(requester);
    ask("after");
    worker.hold(false);
    expect(worker.events().map(({ key }) => key)).toEqual(["before", "k", "after"]);
    worker.hold(true);
    worker.inbox(1, 1_000_000, abi.OVERFLOW_REJECT);
    ask("full");
    expect(cancel(requester)).toEqual(done(0, 0));
  });

  test("a session that has left the channel, or another one of its number, is not told", () => {
    const { harness, requester, workers: sinks, ask, cancel, open } = workers(2);
    const [left, closed] = sinks as [TestConnection, TestConnection];
    ask();
    left.drain();
    closed.drain();
    expect(harness.core.memberRemove(left.id, 2)).toBe(abi.STATUS_OK);
    closed.close();
    // The last number that became free rests for a while.
    harness.open().close();
    const others = Array.from({ length: 4 }, () => open("/other"));
    expect(others.map(({ id }) => id)).toContain(closed.id);
    expect(cancel(requester)).toEqual(done(0, 0));
    expect(others.flatMap((other) => other.events())).toEqual([]);
  });

  test("a session with several memberships is told once, by the name of the first", () => {
    const {
      harness,
      channel,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    harness.sink(worker, channel);
    ask();
    worker.drain();
    expect(cancel(requester)).toEqual(done(0, 1));
    expect(worker.drain().deliveries.map(({ member, event }) => [member, event.type])).toEqual([[2, "cancel"]]);
  });

  test("events of another channel, of another key, and younger ones are none of its business", () => {
    const {
      harness,
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    const other = harness.channel("other");
    harness.sink(worker, other);
    requester.publish(other, [{ type: "request", key: "k" }]);
    ask("kk");
    ask("k", nowUs(harness) + 1n);
    worker.drain();
    expect(cancel(requester, "k", nowUs(harness))).toEqual(done(0, 0));
    expect(cancel(requester, "k", nowUs(harness) + 1n)).toEqual(done(0, 1));
  });

  test("an event that is being read again and again is told of once", () => {
    const {
      requester,
      workers: [worker],
      ask,
      cancel,
    } = workers(1);
    for (let turn = 0; turn < 3; turn++) ask();
    worker.drain();
    expect(cancel(requester)).toEqual(done(0, 1));
    expect(got(worker)).toEqual(["cancel k /requester"]);
  });
});

describe("bad input", () => {
  test.each([
    { name: "without a key", key: "", status: abi.STATUS_KEY_MISSING },
    {
      name: "of a key of 1,025 bytes",
      key: "k".repeat(1025),
      status: abi.STATUS_KEY_TOO_LONG,
      value: 1025,
      limit: 1024,
    },
    { name: "after the year 9999", key: "k", atUs: 253_402_300_800_000_000n, status: abi.STATUS_TIME, value: 4 },
    { name: "before the year 1", key: "k", atUs: -62_135_596_800_000_001n, status: abi.STATUS_TIME, value: 4 },
  ])("a cancel $name is a problem, and the connection lives", ({ name: _name, key, atUs, ...problem }) => {
    const {
      requester,
      ask,
      cancel,
      workers: [worker],
    } = workers(1);
    ask();
    expect(cancel(requester, key, atUs)).toMatchObject({ reason: "problem", ref: 3, ...problem });
    expect(worker.events()).toHaveLength(1);
  });

  test("a key of 1,024 bytes is one", () => {
    const {
      requester,
      ask,
      cancel,
      workers: [worker],
    } = workers(1);
    const key = "k".repeat(1024);
    ask(key);
    worker.drain();
    expect(cancel(requester, key)).toEqual(done(0, 1));
    expect(worker.events().map((event) => event.key)).toEqual([key]);
  });

  test("who is no member may not, unless it comes from the host itself", () => {
    const { harness, channel, ask, cancel } = workers(1);
    ask();
    const stranger = harness.open();
    expect(cancel(stranger)).toMatchObject({ reason: "problem", status: abi.STATUS_NOT_MEMBER, value: channel });
    expect(cancel(harness.open(abi.CONNECTION_LOCAL))).toEqual(done(1, 0));
  });

  test("100,000 cancels of keys never seen leave nothing behind", () => {
    const { harness, channel, requester } = workers(1);
    requester.cancel(channel, "warm");
    const before = harness.statistic(abi.STATISTIC_PAGES_USED);
    for (let index = 0; index < 100_000; index++) requester.cancel(channel, `never-${index}`);
    expect(harness.statistic(abi.STATISTIC_PAGES_USED)).toBe(before);
    expect(harness.statistic(abi.STATISTIC_CANCELS)).toBe(0);
  });
});

test("cancel() does what the frame does", () => {
  const {
    harness,
    channel,
    requester,
    ask,
    workers: [worker],
  } = workers(1);
  ask();
  const call = (connection: number, on: number, key: string, atUs = Number.POSITIVE_INFINITY) =>
    harness.core.cancel(connection, on, abi.STAGE_OFFSET, harness.stage(utf8(key)), atUs, harness.now);
  expect(call(requester.id, channel, "k")).toBe(abi.STATUS_OK);
  expect(harness.result(abi.RESULT_COUNT)).toBe(1);
  expect(harness.result(abi.RESULT_INDEX)).toBe(0);
  expect(worker.events()).toEqual([]);
  expect(call(requester.id, 99, "k")).toBe(abi.STATUS_CHANNEL_UNKNOWN);
  expect(call(99, channel, "k")).toBe(abi.STATUS_MEMBER_UNKNOWN);
  for (const atUs of [Number.NaN, Number.NEGATIVE_INFINITY, 1e300])
    expect(call(requester.id, channel, "k", atUs)).toBe(abi.STATUS_TIME);
});
