/** Outboxes of monitors: an ordering and a policy of their own, independent of the inboxes behind them. */
import { describe, expect, test } from "vitest";
import { open } from "../../support/embedded.ts";

async function world(inbox: object = {}) {
  const host = await open();
  const got: string[] = [];
  const farm = host.serviceManager("farm", inbox);
  farm.handler("c", ({ id }) => void got.push(id));
  return { host, farm, got };
}

const alarms = [
  { type: "t", id: "a", priority: 1 },
  { type: "t", id: "b", priority: 9 },
  { type: "t", id: "c", priority: 5 },
];

describe("a monitor", () => {
  test("emits into its outbox, which lets go in its own order when it is released", async () => {
    const { host, farm, got } = await world();
    const monitor = host.channel("c").monitor({ outbox: { ordering: "priority", held: true } });
    for (const alarm of alarms) expect(monitor.emit(alarm).sequence).toBe(0);
    expect(monitor.outbox().events).toBe(3);
    monitor.configure({ held: false });
    expect(monitor.outbox()).toEqual({ events: 0, bytes: 0 });
    await farm.settled();
    expect(got).toEqual(["b", "c", "a"]);
  });

  test("has its outbox before whatever inbox: newest first behind oldest first, and the other way round", async () => {
    for (const [outbox, inbox, order] of [
      ["lifo", "fifo", ["c", "b", "a"]],
      ["fifo", "lifo", ["c", "b", "a"]],
      ["lifo", "lifo", ["a", "b", "c"]],
    ] as const) {
      const { host, farm, got } = await world({ ordering: inbox, held: true });
      const monitor = host.channel("c").monitor({ outbox: { ordering: outbox, held: true } });
      for (const alarm of alarms) monitor.emit(alarm);
      monitor.configure({ held: false });
      farm.configure({ held: false });
      await farm.settled();
      expect(got).toEqual(order);
    }
  });

  test("has one on each of its channels; settings are for all of them, or for one", async () => {
    const { host } = await world();
    const monitor = host.channel("c").monitor({ outbox: { held: true } });
    monitor.join("d");
    monitor.emit({ type: "t" });
    monitor.emit({ type: "t" }, { channel: "d" });
    expect([monitor.outbox("c").events, monitor.outbox("d").events]).toEqual([1, 1]);
    monitor.configure({ held: false }, "d");
    expect([monitor.outbox("c").events, monitor.outbox("d").events]).toEqual([1, 0]);
    expect(() => monitor.configure({ held: false }, "e")).toThrowError(expect.objectContaining({ code: "not_member" }));
  });

  test("hears what gave way, and is refused what nothing gives way for", async () => {
    const { host } = await world();
    const dropped: object[] = [];
    const monitor = host.channel("c").monitor({
      outbox: { capacityEvents: 2, overflow: "drop-lowest", held: true },
      onDropped: (one) => dropped.push(one),
    });
    for (const alarm of alarms) monitor.emit(alarm);
    await expect.poll(() => dropped).toEqual([{ channel: "c", reason: "overflow", count: 1 }]);
    monitor.configure({ overflow: "reject" });
    expect(() => monitor.emit({ type: "t" })).toThrowError(expect.objectContaining({ code: "mailbox_full" }));
    monitor.configure({ overflow: "block" });
    expect(() => monitor.emit({ type: "t" })).toThrowError(expect.objectContaining({ code: "no_credit" }));
  });

  test("refuses settings that cannot be", async () => {
    const { host } = await world();
    for (const outbox of [{ ordering: "best" }, { overflow: "explode" }, { capacityEvents: 0 }, { capacityBytes: -1 }])
      expect(() => host.channel("c").monitor({ outbox })).toThrowError(
        expect.objectContaining({ code: "invalid_value" }),
      );
  });

  test("whose sink blocks has it order what waits", async () => {
    const { host, farm, got } = await world({ overflow: "block", capacityEvents: 1, stallMark: 1, releaseMark: 0 });
    const monitor = host.channel("c").monitor({ outbox: { ordering: "priority" } });
    monitor.emit({ type: "t", id: "first" });
    for (const alarm of alarms) monitor.emit(alarm);
    expect(monitor.outbox().events).toBe(3);
    await farm.settled();
    await expect.poll(() => got).toEqual(["first", "b", "c", "a"]);
  });
});
