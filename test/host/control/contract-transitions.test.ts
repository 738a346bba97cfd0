/** Transitions of contracts as server-sent events: the body is a stream, time and the turns of the loop are the test's. */
import { describe, expect, onTestFinished, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { EventStreamParser } from "../support/event-stream.ts";
import { turn } from "../support/until.ts";
import { createTestControl, type TestControl } from "./support.ts";

const path = "/v1/contracts/web/transitions";

async function governed(): Promise<TestControl & { load(value: number): Promise<void> }> {
  const control = createTestControl();
  const { ask, settle } = control;
  const regions = [{ name: "calm", when: "load < 10" }, { name: "busy" }];
  await ask("PUT", "/v1/contracts/web", { conditions: { load: { kind: "value" } }, regions });
  settle();
  const load = async (value: number): Promise<void> => {
    await ask("PUT", "/v1/conditions/web.load/value", { value });
    settle();
  };
  return { ...control, load };
}

async function opened({ app }: TestControl, lastEventId?: string) {
  const headers = {
    accept: "text/event-stream",
    ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
  };
  const response = await app.request(path, { headers });
  const parser = new EventStreamParser();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let over = false;
  let pending: Promise<void> | undefined;
  onTestFinished(() => reader.cancel());
  const read = async (): Promise<void> => {
    for (;;) {
      pending ??= reader.read().then(({ done, value }) => {
        pending = undefined;
        over ||= done;
        parser.push(new TextDecoder().decode(value));
      });
      const waited = pending;
      const isQuiet = await Promise.race([
        waited.then(() => false),
        turn()
          .then(turn)
          .then(() => true),
      ]);
      if (isQuiet || over) return;
    }
  };
  return {
    response,
    parser,
    over: () => over,
    leave: () => reader.cancel(),
    async events() {
      await read();
      return parser.events.map(({ event, data }) => ({
        event,
        ...(JSON.parse(data) as { to?: string[]; number?: number }),
      }));
    },
  };
}

describe("GET /v1/contracts/{contract}/transitions as server-sent events", () => {
  test("tells what comes, each with its position and its reason, and the end of the contract", async () => {
    const control = await governed();
    const stream = await opened(control);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(await stream.events()).toEqual([]);
    expect(stream.parser).toMatchObject({ retryMs: limits.drainRetryMs, id: expect.stringMatching(/-1$/) });
    await control.load(50);
    const [event] = await stream.events();
    expect(event).toMatchObject({
      event: "message",
      number: 2,
      to: ["busy"],
      why: { region: "busy", values: { load: 50 } },
    });
    const { data } = (await control.ask("GET", path)).json as { data: object[] };
    expect(event).toMatchObject(data.at(-1) ?? {});
    await control.ask("DELETE", "/v1/contracts/web");
    expect((await stream.events()).at(-1)).toMatchObject({ event: "left", reason: "contract_removed" });
    expect(stream.over()).toBe(true);
    expect((await control.ask("GET", path, undefined, { accept: "text/event-stream" })).status).toBe(404);
  });

  test("goes on behind the last event id, and tells what is missing", async () => {
    const control = await governed();
    const stream = await opened(control);
    await stream.events();
    const { id } = stream.parser;
    await stream.leave();
    expect(control.service.regions.count).toBe(0);
    for (const value of [50, 1, 60]) await control.load(value);
    const again = await opened(control, id);
    expect((await again.events()).map(({ number }) => number)).toEqual([2, 3, 4]);
    for (let index = 0; index <= limits.contractHistory; index++) await control.load(index % 2 === 0 ? 1 : 50);
    const late = await opened(control, id);
    const [gap, first, ...rest] = await late.events();
    expect(gap).toMatchObject({ event: "gap", reason: "evicted", missed: 4 });
    expect([first?.number, rest.length]).toEqual([6, limits.contractHistory - 1]);
    const foreign = await opened(control, "elsewhere-3");
    expect((await foreign.events())[0]).toMatchObject({
      event: "gap",
      reason: "unknown_position",
      lastEventId: "elsewhere-3",
    });
  });

  test("a contract of the same name is another one", async () => {
    const control = await governed();
    const stream = await opened(control);
    await stream.events();
    const { id } = stream.parser;
    await control.ask("DELETE", "/v1/contracts/web");
    await control.ask("PUT", "/v1/contracts/web", { regions: [{ name: "only" }] });
    control.settle();
    const events = await (await opened(control, id)).events();
    expect(events).toEqual([
      expect.objectContaining({ event: "gap", reason: "unknown_position" }),
      expect.objectContaining({ number: 1, to: ["only"] }),
    ]);
  });

  test("a host that drains says so, and HEAD opens nothing", async () => {
    const control = await governed();
    expect((await control.ask("HEAD", path, undefined, { accept: "text/event-stream" })).status).toBe(200);
    const stream = await opened(control);
    control.service.close();
    expect((await stream.events()).at(-1)).toMatchObject({ event: "drain" });
    expect([stream.over(), control.service.regions.count]).toEqual([true, 0]);
  });
});
