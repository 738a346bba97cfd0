/**
 * Cancelling over sockets: counts, the event that those get who have begun, races, and every carrier alike.
 */
import { describe, expect, test } from "vitest";
import { type Client, carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { until } from "../support/until.ts";

/** Sends a cancel and waits for its answer, a receipt or a problem. */
async function cancel(client: Client, ref: number, fields: object): Promise<object> {
  client.send({ ref, cancel: { channel: "c", ...fields } });
  const answers = () => client.told.filter(({ value }) => value.ref === ref);
  await until(
    () => answers().length > 0,
    () => "an answer to a cancel",
  );
  return answers()[0] as object;
}

const receipt = (ref: number, withdrawn: number, forwarded: number) => ({
  kind: "receipt",
  value: { ref, results: [], withdrawn, forwarded },
});

/** A requester, and workers that hold nothing back, on channel "c". */
async function open(carrier: (typeof carriers)[number], count: number) {
  const host = await startHost();
  const requester = await connectTo(host, carrier);
  await requester.join("c", { role: "source" });
  const workers: Client[] = [];
  for (let index = 0; index < count; index++) {
    const worker = await connectTo(host, carrier);
    worker.send({ hello: { client: `worker-${index}` } });
    await worker.take("welcome");
    await worker.join("c");
    workers.push(worker);
  }
  return { host, requester, workers: workers as [Client, ...Client[]] };
}

describe("cancel", () => {
  test.each(carriers)("%s: withdraws from one, tells the other, and the answer counts both", async (carrier) => {
    const { requester, workers } = await open(carrier, 3);
    const [begun, slow, held] = workers as [Client, Client, Client];
    slow.send({ credit: { events: 0, bytes: 0 } });
    held.send({ ref: 9, inbox: { held: true } });
    await held.take("receipt", 9);
    slow.send({ ref: 9, ping: {} });
    await slow.take("pong", 9);
    await requester.publish("c", { type: "request", key: "r-1" });
    await begun.received(1);
    expect(await cancel(requester, 5, { key: "r-1" })).toMatchObject(receipt(5, 2, 1));
    for (const waiting of [slow, held]) {
      expect(await waiting.take("dropped")).toMatchObject({ count: 1, reason: "cancelled" });
      expect(waiting.events).toEqual([]);
    }
    const told = (await begun.received(2)).at(-1);
    expect(told).toMatchObject({ type: "cancel", source: expect.stringMatching(/^\//), sequence: 2 });
    expect(told?.text).toContain("r-1");
    expect(requester.events).toEqual([]);
  });

  test("cancel-on-start: of two that have begun the earlier stands, whoever comes first", async () => {
    for (const order of ["earlier first", "later first"]) {
      const { requester, workers } = await open("ws-json", 2);
      const [a, b] = workers as [Client, Client];
      await requester.publish("c", { type: "request", key: "r-1", time: "2026-01-01T00:00:00Z" });
      await Promise.all([a.received(1), b.received(1)]);
      const earlier = { key: "r-1", at: "2026-01-01T00:00:01Z" };
      const later = { key: "r-1", at: "2026-01-01T00:00:02Z" };
      if (order === "earlier first") {
        expect(await cancel(a, 1, earlier)).toMatchObject(receipt(1, 0, 1));
        expect(await cancel(b, 1, later)).toMatchObject({ kind: "problem", value: { code: "cancelled", ref: 1 } });
        expect((await b.received(2)).at(-1)).toMatchObject({
          type: "cancel",
          source: expect.stringMatching(/^\/worker-0/),
        });
        expect(a.events).toHaveLength(1);
      } else {
        a.send({ ref: 3, inbox: { held: true } });
        await a.take("receipt", 3);
        expect(await cancel(b, 1, later)).toMatchObject(receipt(1, 0, 1));
        expect(await cancel(a, 1, earlier)).toMatchObject(receipt(1, 0, 1));
        a.send({ inbox: { held: false } });
        // What the later one told is taken back where it still waits, and overruled where it does not.
        expect(await a.take("dropped")).toMatchObject({ count: 1, reason: "cancelled" });
        expect((await b.received(2)).at(-1)).toMatchObject({ type: "cancel" });
        expect(a.events).toHaveLength(1);
      }
    }
  });

  test("a cancel is in line with the publishes of its session", async () => {
    const { requester, workers } = await open("ws-json", 1);
    const [worker] = workers;
    worker.send({ ref: 3, inbox: { held: true } });
    await worker.take("receipt", 3);
    for (let turn = 0; turn < 20; turn++) {
      requester.send({ publish: { channel: "c", events: [{ type: "t", key: "k", data: turn }] } });
      if (turn % 2 === 0) requester.send({ cancel: { channel: "c", key: "k" } });
    }
    await cancel(requester, 7, { key: "none" });
    worker.send({ inbox: { held: false } });
    expect((await worker.received(1)).map(({ data }) => data)).toEqual(["19"]);
    const dropped = worker.told.filter(({ kind }) => kind === "dropped");
    expect(dropped.reduce((sum, { value }) => sum + value.count, 0)).toBe(19);
  });

  test.each(carriers)(
    "%s: who is no member, an unknown channel and a wrong key are problems; the session lives",
    async (carrier) => {
      const { host } = await open(carrier, 0);
      const stranger = await connectTo(host, carrier);
      const problem = (code: string) => ({ kind: "problem", value: { code } });
      expect(await cancel(stranger, 1, { key: "k" })).toMatchObject(problem("not_member"));
      stranger.send({ ref: 2, cancel: { channel: "nowhere", key: "k" } });
      expect(await stranger.take("problem", 2)).toMatchObject({ code: "channel_unknown" });
      if (carrier === "ws-json") {
        expect(await cancel(stranger, 3, { key: "" })).toMatchObject(problem("invalid_value"));
        expect(await cancel(stranger, 4, { key: "k".repeat(1025) })).toMatchObject({
          value: { code: "key_too_long", limit: 1024 },
        });
        expect(await cancel(stranger, 5, { key: "k", at: "soon" })).toMatchObject(problem("invalid_value"));
      }
      stranger.send({ ref: 6, ping: {} });
      await stranger.take("pong", 6);
    },
  );
});
