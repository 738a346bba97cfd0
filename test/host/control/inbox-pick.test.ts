/**
 * Selective take: polls that ask for a type or a predicate, from inboxes of every ordering.
 */
import { describe, expect, test } from "vitest";
import { createTestControl } from "./support.ts";

interface Entry {
  readonly number: number;
  readonly attempt: number;
  readonly event: { readonly id: string };
}

async function withInbox(settings: object = {}) {
  const control = createTestControl();
  const { ask } = control;
  const { json } = await ask("POST", "/v1/inboxes", settings);
  const path = `/v1/inboxes/${json["id"]}`;
  await ask("PUT", `${path}/joins/c`);
  return {
    ...control,
    path,
    async publish(...events: readonly object[]) {
      expect((await ask("POST", "/v1/channels/c/events", events)).status).toBe(200);
    },
    async poll(query = "") {
      const { json: polled } = await ask("GET", `${path}/events${query}`);
      return (polled["data"] as Entry[]).map(({ event }) => event.id);
    },
    depth: async () => ((await ask("GET", path)).json["depth"] as { events: number }).events,
  };
}

/** Nine events: a1, b1, c1, a2, … with priorities, deadlines and times that tell all orderings apart. */
const events = Array.from({ length: 9 }, (_, index) => ({
  type: "abc"[index % 3] as string,
  id: `${"abc"[index % 3]}${Math.floor(index / 3) + 1}`,
  priority: [1, 5, 3, 9, 2, 8, 4, 7, 6][index],
  ttlMs: 60_000 + (((index * 4) % 9) + 1) * 1_000,
  time: new Date(((index * 7) % 9) * 1_000).toISOString(),
  key: `k${index}`,
  attributes: { n: index },
}));

describe("type", () => {
  test.each(["fifo", "lifo", "priority", "deadline", "priority+deadline", "time", "window"])(
    "%s: takes what matches in the inbox's order, and leaves the rest in order",
    async (ordering) => {
      const whole = await withInbox({ ordering });
      await whole.publish(...events);
      const expected = await whole.poll();
      expect(expected).toHaveLength(9);
      const { poll, publish, depth } = await withInbox({ ordering });
      await publish(...events);
      const bs = expected.filter((id) => id.startsWith("b"));
      expect(await poll("?type=b&max=2")).toEqual(bs.slice(0, 2));
      expect(await depth()).toBe(7);
      expect(await poll("?type=b")).toEqual(bs.slice(2));
      expect(await poll("?type=b")).toEqual([]);
      expect(await poll("?type=none")).toEqual([]);
      expect(await poll()).toEqual(expected.filter((id) => !id.startsWith("b")));
      expect(await depth()).toBe(0);
    },
  );

  test("may be given several times; where may stand beside it, or alone", async () => {
    const { poll, publish } = await withInbox();
    await publish(...events);
    expect(await poll("?type=a&type=c&max=3")).toEqual(["a1", "c1", "a2"]);
    expect(await poll(`?type=b&where=${encodeURIComponent("n >= 4")}`)).toEqual(["b2", "b3"]);
    expect(await poll(`?where=${encodeURIComponent("n < 6")}`)).toEqual(["b1", "c2"]);
    expect(await poll()).toEqual(["a3", "c3"]);
  });

  test("overflow drop-lowest and keep-latest go on behind a take", async () => {
    for (const overflow of ["drop-lowest", "keep-latest"]) {
      const { poll, publish } = await withInbox({ overflow, capacityEvents: 8 });
      await publish(...events.slice(0, 6));
      expect(await poll("?type=b")).toEqual(["b1", "b2"]);
      await publish(...events.slice(6), { type: "a", id: "again", key: "k0", priority: 1 });
      expect(await poll("?type=a")).toEqual(
        overflow === "keep-latest" ? ["again", "a2", "a3"] : ["a1", "a2", "a3", "again"],
      );
      expect(await poll()).toEqual(["c1", "c2", "b3", "c3"]);
    }
  });

  test("a poll waits for an event that matches, and others pass it by", async () => {
    const { ask, path, publish, poll, settle } = await withInbox();
    const wanted = ask("GET", `${path}/events?type=b&waitMs=20000`);
    const any = ask("GET", `${path}/events?waitMs=20000`);
    await publish(events[0] as object);
    settle();
    expect(((await any).json["data"] as Entry[]).map(({ event }) => event.id)).toEqual(["a1"]);
    await publish(events[2] as object);
    settle();
    await publish(events[1] as object);
    settle();
    expect(((await wanted).json["data"] as Entry[]).map(({ event }) => event.id)).toEqual(["b1"]);
    expect(await poll()).toEqual(["c1"]);
  });

  test("with acknowledgements: numbers, redelivery and capacity as ever", async () => {
    const { ask, path, publish, clock } = await withInbox({ ack: "explicit", redeliverMs: 1_000 });
    await publish(...events.slice(0, 6));
    const entries = async (query: string) =>
      ((await ask("GET", `${path}/events${query}`)).json["data"] as Entry[]).map(
        ({ number, attempt, event }) => `${number}/${attempt} ${event.id}`,
      );
    expect(await entries("?type=b")).toEqual(["1/1 b1", "2/1 b2"]);
    expect(await entries("?type=a&max=1")).toEqual(["3/1 a1"]);
    clock.advance(1_500);
    expect(await entries("?type=a")).toEqual(["3/2 a1", "4/1 a2"]);
    expect((await ask("POST", `${path}/acks`, { numbers: [1] })).status).toBe(204);
    expect(await entries("?max=1")).toEqual(["2/2 b2"]);
    expect(await entries("")).toEqual(["5/1 c1", "6/1 c2"]);
  });

  test("what is late or cancelled is not taken", async () => {
    const { ask, publish, poll, clock } = await withInbox({ ordering: "priority" });
    await ask("PATCH", "/v1/channels/c", { delivery: { late: "drop" } });
    await publish(
      { type: "a", id: "late", ttlMs: 10 },
      { type: "a", id: "gone", key: "k" },
      { type: "a", id: "stays", priority: 1 },
    );
    await ask("POST", "/v1/channels/c/cancel", { key: "k" });
    clock.advance(100);
    expect(await poll("?type=a")).toEqual(["stays"]);
    expect(await poll()).toEqual([]);
  });

  test("a held inbox gives nothing; its answers have numbers without gaps after it", async () => {
    const { ask, path, publish, poll } = await withInbox({ held: true });
    await publish(...events);
    expect(await poll("?type=a")).toEqual([]);
    await ask("PATCH", path, { held: false });
    const { json } = await ask("GET", `${path}/events?type=a`);
    expect((json["data"] as Entry[]).map(({ number }) => number)).toEqual([1, 2, 3]);
  });
});

describe("what is refused", () => {
  test.each([
    ["?where=n+%3E", 422, "expression"],
    ["?where=5", 422, "expression"],
    [`?type=${"t".repeat(300)}`, 422, "type_too_long"],
    ["?dialect=sql&where=n", 422, "invalid_value"],
    ["?where=n&where=m", 422, "invalid_value"],
    ["?typ=a", 400, "unknown_field"],
  ])("%s", async (query, status, code) => {
    const { ask, path } = await withInbox();
    expect((await ask("GET", `${path}/events${query}`)).json).toMatchObject({ status, code });
  });

  test("a take, an acknowledgement or a setting on an inbox that was deleted", async () => {
    const { ask, path } = await withInbox();
    expect((await ask("DELETE", path)).status).toBe(204);
    for (const [method, at, body] of [
      ["GET", `${path}/events`, undefined],
      ["GET", `${path}/events?type=a&waitMs=1000`, undefined],
      ["POST", `${path}/acks`, { numbers: [1] }],
      ["PATCH", path, { capacityEvents: 5 }],
      ["DELETE", `${path}/events`, undefined],
    ] as const)
      expect((await ask(method, at, body)).json).toMatchObject({ status: 404, code: "inbox_unknown" });
  });
});
