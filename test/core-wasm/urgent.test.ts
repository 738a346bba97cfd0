/** Goal: whoever has urgent mail is drained first, and only for as long as that waits. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";

/** Sinks on channels of their own, so that each can be given mail by itself. */
function world(orderings: readonly number[]) {
  const harness = Harness.create();
  const source = harness.open();
  const sinks = orderings.map((ordering, index) => {
    const channel = harness.channel(`c${index}`);
    harness.source(source, channel);
    const connection = harness.open();
    harness.sink(connection, channel);
    expect(connection.inbox(1_000, 1_000_000, abi.OVERFLOW_DROP_OLDEST, ordering)).toBe(abi.STATUS_OK);
    return { channel, connection };
  });
  harness.dirty();
  for (const { connection } of sinks) connection.events();
  const mail = (index: number, ...priorities: number[]): void => {
    source.publish(
      sinks[index]?.channel ?? 0,
      priorities.map((priority) => ({ type: "t", priority })),
    );
  };
  /** Places of those that have something to send, in the order in which they will. */
  const order = (): number[] =>
    harness
      .dirty()
      .map((id) => sinks.findIndex(({ connection }) => connection.id === id))
      .filter((index) => index >= 0);
  return { sinks, mail, order };
}

const PRIORITY = abi.ORDERING_PRIORITY;

describe("urgent mail", () => {
  test("has its receivers drained before others, in the order in which it came", () => {
    const { mail, order } = world([PRIORITY, PRIORITY, PRIORITY, PRIORITY]);
    mail(0, 4);
    mail(1, 7);
    mail(2, 8);
    mail(0, 0);
    mail(3, 9);
    expect(order()).toEqual([2, 3, 0, 1]);
  });

  test("brings a receiver forward that stands in line already", () => {
    const { mail, order } = world([PRIORITY, PRIORITY, PRIORITY]);
    for (const index of [0, 1, 2]) mail(index, 4);
    mail(2, 8);
    mail(1, 9);
    expect(order()).toEqual([2, 1, 0]);
  });

  test("is noticed among others of a frame", () => {
    const { mail, order } = world([PRIORITY, PRIORITY]);
    mail(0, 4, 4, 4);
    mail(1, 4, 9, 4);
    expect(order()).toEqual([1, 0]);
  });

  test("counts no more after the drain", () => {
    const { sinks, mail, order } = world([PRIORITY, PRIORITY]);
    mail(1, 9);
    mail(0, 4);
    expect(order()).toEqual([1, 0]);
    for (const { connection } of sinks) connection.events();
    order();
    mail(0, 4);
    mail(1, 4);
    expect(order()).toEqual([0, 1]);
  });

  test("is nothing to an inbox in the order of arrival", () => {
    const { mail, order } = world([abi.ORDERING_FIFO, abi.ORDERING_FIFO]);
    mail(0, 4);
    mail(1, 9);
    expect(order()).toEqual([0, 1]);
  });

  test("of receivers that go leaves the others as they stand", () => {
    const { sinks, mail, order } = world([PRIORITY, PRIORITY, PRIORITY, PRIORITY]);
    mail(0, 4);
    for (const index of [1, 2, 3]) mail(index, 9);
    sinks[3]?.connection.close();
    sinks[1]?.connection.close();
    mail(0, 9);
    expect(order()).toEqual([2, 0]);
  });
});
