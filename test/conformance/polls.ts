/** Long polls: answers that wait, clients that go away meanwhile, and a clock that tests advance. */
import { expect, onTestFinished } from "vitest";
import { startOn } from "./process.ts";
import type { Suite } from "./suite.ts";

interface Polled {
  readonly data: readonly { readonly event: { readonly type: string } }[];
}

/** Sends JSON. */
function send(method: string, url: string, body: object): Promise<Response> {
  return fetch(url, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

/** Makes an inbox that has joined a channel, and answers its address. */
async function openInbox(host: string, channel: string): Promise<string> {
  expect((await send("PUT", `${host}/v1/channels/${channel}`, {})).status).toBe(201);
  const made = await send("POST", `${host}/v1/inboxes`, {});
  expect(made.status).toBe(201);
  const inbox = new URL(made.headers.get("location") ?? "", host).href;
  expect((await send("PUT", `${inbox}/joins/${channel}`, {})).ok).toBe(true);
  return inbox;
}

async function poll(inbox: string, waitMs: number): Promise<string[]> {
  const polled: Polled = await (await fetch(`${inbox}/events?waitMs=${waitMs}`)).json();
  return polled.data.map(({ event }) => event.type);
}

/** Waits until the host has noticed that so many polls wait: requests and ends of other connections come in any order. */
async function pollsBecome(inbox: string, want: number): Promise<void> {
  let polls = Number.NaN;
  for (const deadline = performance.now() + 10_000; polls !== want && performance.now() < deadline; )
    polls = (await (await fetch(inbox)).json()).polls;
  expect(polls).toBe(want);
}

/** Adds the tests. */
export function addPollTests({ target, host, check }: Suite): void {
  check("a poll waits for an event, and one that is broken off takes none", async () => {
    const { url } = host();
    const inbox = await openInbox(url, "polls");
    const broken = new AbortController();
    const abandoned = fetch(`${inbox}/events?waitMs=20000`, { signal: broken.signal }).catch(() => "broken");
    await pollsBecome(inbox, 1);
    broken.abort();
    expect(await abandoned).toBe("broken");
    await pollsBecome(inbox, 0);
    const waiting = poll(inbox, 20_000);
    await send("POST", `${url}/v1/channels/polls/events`, { type: "a" });
    expect(await waiting).toEqual(["a"]);
    expect(await poll(inbox, 1)).toEqual([]);
    expect((await fetch(inbox, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(inbox)).status).toBe(404);
  });

  check("under test controls time is what the test says", async () => {
    const own = await startOn(target, [], [], { SLUICE_TEST_CONTROLS: "1" });
    onTestFinished(() => void own.child.kill("SIGKILL"));
    const inbox = await openInbox(own.url, "clocks");
    const publish = (type: string, ttlMs: number): Promise<Response> =>
      send("POST", `${own.url}/v1/channels/clocks/events`, { type, ttlMs });
    expect((await send("PUT", `${own.url}/v1/channels/clocks`, { delivery: { late: "drop" } })).ok).toBe(true);
    await publish("early", 1_000);
    await publish("late", 1_001);
    expect((await send("POST", `${own.url}/v1/test/clock`, { advanceMs: 1_001 })).ok).toBe(true);
    expect(await poll(inbox, 0)).toEqual(["late"]);
    await own.stop();
  });
}
