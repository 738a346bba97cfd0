/** Late joiners and recovery over sockets: what `joined` promises is what comes. */
import { describe, expect, test } from "vitest";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

/** A host with a channel that stores, and `published` events on it. */
async function storing(stored: number, published: number) {
  const host = await startHost();
  host.service.channels.put("c", { ...defaultDefinition, store: { events: stored } });
  const source = await connectTo(host, "tcp");
  const send = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at++) await source.publish("c", { type: at % 2 === 0 ? "even" : "odd", id: `e${at}` });
  };
  await send(0, published);
  return { host, send };
}

describe("join of a channel that stores", () => {
  test.each(carriers)("%s: a late joiner gets what is stored, then what comes", async (carrier) => {
    const { host, send } = await storing(3, 5);
    const late = await connectTo(host, carrier);
    expect(await late.join("c")).toMatchObject({ recovered: true });
    await send(5, 7);
    expect((await late.received(5)).map(({ id }) => id)).toEqual(["e2", "e3", "e4", "e5", "e6"]);
    // The answer comes before what it promises.
    expect(late.told.findIndex(({ kind }) => kind === "joined")).toBeLessThan(1);
  });

  test.each([
    { after: { epoch: 1, sequence: 4 }, recovered: true, want: ["e4"] },
    { after: { epoch: 1, sequence: 2 }, recovered: true, want: ["e2", "e3", "e4"] },
    { after: { epoch: 1, sequence: 1 }, recovered: false, want: ["e2", "e3", "e4"] },
    { after: { epoch: 1, sequence: 77 }, recovered: false, want: ["e2", "e3", "e4"] },
    { after: { epoch: 9, sequence: 4 }, recovered: false, want: ["e2", "e3", "e4"] },
    { after: { epoch: 1, sequence: 2 ** 53 - 1 }, recovered: false, want: ["e2", "e3", "e4"] },
  ])("after $after of 5 with 3 stored: recovered $recovered", async ({ after, recovered, want }) => {
    const { host } = await storing(3, 5);
    const back = await connectTo(host, "ws-json");
    expect((await back.join("c", { after })).recovered).toBe(recovered);
    expect((await back.received(want.length)).map(({ id }) => id)).toEqual(want);
  });

  test("replay: false asks for nothing and is promised nothing", async () => {
    const { host, send } = await storing(3, 5);
    const sink = await connectTo(host, "ws-json");
    expect((await sink.join("c", { replay: false })).recovered).toBeUndefined();
    await send(5, 6);
    expect((await sink.received(1)).map(({ id }) => id)).toEqual(["e5"]);
  });

  test.each(["drop-oldest", "drop-newest"])(
    "an inbox too small for all of it is no recovery (%s)",
    async (overflow) => {
      const { host } = await storing(5, 5);
      const sink = await connectTo(host, "ws-json");
      sink.send({ ref: 1, inbox: { capacityEvents: 2, overflow } });
      await sink.take("receipt", 1);
      expect((await sink.join("c")).recovered).toBe(false);
      expect((await sink.received(2)).map(({ id }) => id)).toEqual(
        overflow === "drop-oldest" ? ["e3", "e4"] : ["e0", "e1"],
      );
      expect(await sink.take("dropped")).toMatchObject({ count: 3, reason: "overflow" });
    },
  );

  test("types choose among what is stored", async () => {
    const { host } = await storing(10, 6);
    const sink = await connectTo(host, "ws-json");
    await sink.join("c", { types: ["odd"] });
    expect((await sink.received(3)).map(({ id }) => id)).toEqual(["e1", "e3", "e5"]);
  });

  test("a source is replayed nothing", async () => {
    const { host } = await storing(10, 6);
    const source = await connectTo(host, "ws-json");
    expect((await source.join("c", { role: "source" })).recovered).toBeUndefined();
  });
});

describe("join of a channel that stores nothing", () => {
  test("says nothing of recovery unless it was asked for, and then the truth", async () => {
    const { host, send } = await storing(0, 5);
    const [plain, behind, upToDate] = await Promise.all([1, 2, 3].map(() => connectTo(host, "ws-json")));
    expect((await plain?.join("c"))?.recovered).toBeUndefined();
    expect((await behind?.join("c", { after: { epoch: 1, sequence: 4 } }))?.recovered).toBe(false);
    expect((await upToDate?.join("c", { after: { epoch: 1, sequence: 5 } }))?.recovered).toBe(true);
    await send(5, 6);
    expect((await behind?.received(1))?.map(({ id }) => id)).toEqual(["e5"]);
  });

  test("storing may begin and end on a live channel", async () => {
    const { host, send } = await storing(0, 5);
    const { channels } = host.service;
    channels.patch("c", { ...defaultDefinition, store: { events: 2 } });
    await send(5, 8);
    expect(channels.get("c")?.stored()).toBe(2);
    const late = await connectTo(host, "ws-json");
    await late.join("c");
    expect((await late.received(2)).map(({ id }) => id)).toEqual(["e6", "e7"]);
    channels.patch("c", defaultDefinition);
    expect(channels.get("c")?.stored()).toBe(0);
  });
});
