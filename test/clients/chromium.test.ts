/**
 * A real browser: native WebSocket, EventSource and fetch, from pages that may and from pages that may not.
 *
 * Pages come from another port of this machine (which may), and from a foreign name that leads to this machine, as an
 * attacker's would after rebinding its name (which may not).
 */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../docs-blocks.ts";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";
import { until } from "../host/support/until.ts";
import { findProgram, needsProgram } from "../setup/needs.ts";
import { createBreaker } from "./breaker.ts";
import { type Browser, type Page, startBrowser } from "./chromium.ts";

let host: RunningHost;
let pages: Server;
let browser: Browser | undefined;
let [own, foreign]: [Page | undefined, Page | undefined] = [undefined, undefined];

beforeAll(async () => {
  const program = findProgram("chromium");
  if (program === undefined) return;
  const client = readFileSync(join(root, "dist/client.js"));
  pages = createServer(({ url }, response) => {
    if (url === "/client.js") {
      response.writeHead(200, { "content-type": "text/javascript" }).end(client);
      return;
    }
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>page</title>");
  });
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  const { port } = pages.address() as AddressInfo;
  // One after the other: where the host does not start, no browser is left running.
  host = await startHost();
  browser = await startBrowser(program);
  own = await browser.open(`http://127.0.0.1:${port}/`);
  foreign = await browser.open(`http://evil.test:${port}/`);
});
afterAll(async () => {
  await Promise.all([stopHost(host), browser?.close()]);
  pages?.close();
});

/** Runs in the page: opens a socket, says frames, gives the first that has the kind, or how the socket closed. */
const TALK = `async (url, frames, kind) => {
  const socket = new WebSocket(url + "/v1/socket", ["sluice.v1.json"]);
  const answer = await new Promise((resolve) => {
    socket.onopen = () => frames.forEach((frame) => socket.send(JSON.stringify(frame)));
    socket.onmessage = ({ data }) => { const frame = JSON.parse(data); if (kind in frame) resolve(frame[kind]); };
    socket.onclose = ({ code }) => resolve({ closed: code });
  });
  socket.onclose = null;
  socket.close();
  return answer;
}`;

/** Runs in the page: listens until it has heard so many events, and gives their names and data. */
const LISTEN = `(url, count) => new Promise((resolve) => {
  const source = new EventSource(url);
  const heard = [];
  const done = (value) => { source.close(); resolve(value); };
  for (const name of ["message", "gap"]) {
    source.addEventListener(name, ({ data, lastEventId }) => {
      heard.push({ name, data: JSON.parse(data), id: lastEventId });
      if (heard.length === count) done(heard);
    });
  }
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) done("refused"); };
})`;

/** Runs in the page: a request, and what the page may see of the answer. */
const ASK = `async (url, init) => {
  try {
    const answer = await fetch(url, init);
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    return { error: error.name };
  }
}`;

/** Runs in the page: publishes and receives by the client SDK, closes its socket under it, and goes on. */
const CLIENT = `async (url, count) => {
  const sockets = [];
  class Watched extends WebSocket {
    constructor(...given) { super(...given); sockets.push(this); }
  }
  const { connect, isSluiceError } = await import("/client.js");
  const client = await connect(url, { WebSocket: Watched, reconnect: { minMs: 5, maxMs: 20 } });
  const channel = client.channel("browser.client");
  const stream = channel.subscribe();
  await stream.ready;
  const got = [];
  const reading = (async () => {
    for await (const { data } of stream) if (got.push(data.n) === count) return;
  })();
  for (let n = 0; n < count; n++) {
    await channel.publish({ type: "t", data: { n, text: "ü" } });
    if (n === count / 2) sockets.slice().forEach((socket) => socket.close(1000));
  }
  await reading;
  const code = await channel.publish({ type: "t", priority: 10 }).catch((error) => isSluiceError(error) && error.code);
  await client.close();
  return { got, code, sockets: sockets.length };
}`;

const wsUrl = (): string => host.url.replace("http", "ws");

describe("Chromium", () => {
  test("speaks to a host over its native WebSocket", async (context) => {
    needsProgram(context, "chromium");
    const frames = [
      { ref: 1, join: { channel: "browser", role: "both" } },
      { ref: 2, publish: { channel: "browser", events: [{ type: "t", data: { from: "browser ü" } }] } },
    ];
    expect(await own?.run(TALK, wsUrl(), frames, "deliver")).toMatchObject({
      events: [{ number: 1, channel: "browser", event: { type: "t", data: { from: "browser ü" } } }],
    });
  });

  test("runs the client SDK, which comes back when its sockets are closed", async (context) => {
    needsProgram(context, "chromium");
    const told = await own?.run<{ got: number[]; code: string; sockets: number }>(CLIENT, host.url, 200);
    expect(told?.got).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(told).toMatchObject({ code: "priority_out_of_range", sockets: 4 });
  });

  test("takes a message of a megabyte, and the close code of a refusal", async (context) => {
    needsProgram(context, "chromium");
    const data = "x".repeat(1_000_000);
    const large = [
      { ref: 1, join: { channel: "browser.large", role: "both" } },
      { publish: { channel: "browser.large", events: [{ type: "t", data }] } },
    ];
    const told = await own?.run<{ events: { event: { data: string } }[] }>(TALK, wsUrl(), large, "deliver");
    expect(told?.events[0]?.event.data).toBe(data);
    expect(await own?.run(TALK, wsUrl(), [{ ping: {}, pad: "x".repeat(1_200_000) }], "never")).toEqual({
      closed: 3501,
    });
  });

  test("publishes with fetch from a page of this machine", async (context) => {
    needsProgram(context, "chromium");
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: '{"type":"t"}' };
    const answer = await own?.run<{ status: number; text: string }>(
      ASK,
      `${host.url}/v1/channels/fetched/events`,
      init,
    );
    expect(answer).toMatchObject({ status: 200 });
    expect(JSON.parse(answer?.text ?? "")).toMatchObject({ results: [{ sequence: 1 }] });
  });

  test("listens with its native EventSource, and comes back with the last id when the way breaks", async (context) => {
    needsProgram(context, "chromium");
    const channel = `${host.url}/v1/channels/listened`;
    const init = { headers: { "content-type": "application/json" } };
    await fetch(channel, { ...init, method: "PUT", body: '{"store":{"events":10}}' });
    const publish = (n: number) =>
      fetch(`${channel}/events`, { ...init, method: "POST", body: JSON.stringify({ type: "t", data: { n } }) });
    await publish(1);
    const breaker = await createBreaker(host.url);
    type Heard = { name: string; data: { data: { n: number } }; id: string };
    const listening = own?.run<Heard[]>(LISTEN, `${breaker.url}/v1/channels/listened/events`, 3);
    await until(
      () => breaker.requests.length === 1,
      () => "the first request",
    );
    await publish(2);
    breaker.cut();
    await until(
      () => breaker.requests.length === 2,
      () => "the second request",
    );
    await publish(3);
    const heard = (await listening) ?? [];
    expect(heard.map(({ name, data }) => [name, data.data.n])).toEqual([1, 2, 3].map((n) => ["message", n]));
    expect(new Set(heard.map(({ id }) => id)).size).toBe(3);
  });

  test("keeps a foreign page out: no WebSocket, no answer to read, nothing published", async (context) => {
    needsProgram(context, "chromium");
    expect(await foreign?.run(TALK, wsUrl(), [{ ping: {} }], "pong")).toEqual({ closed: 1006 });
    expect(await foreign?.run(ASK, `${host.url}/v1/info`)).toEqual({ error: "TypeError" });
    const events = `${host.url}/v1/channels/foreign/events`;
    expect(await foreign?.run(LISTEN, events, 1)).toBe("refused");
    for (const type of ["application/json", "text/plain"]) {
      const init = { method: "POST", headers: { "content-type": type }, body: '{"type":"t"}' };
      expect(await foreign?.run(ASK, events, init)).toEqual({ error: "TypeError" });
      // A request that needs no leave is sent all the same; the host itself has to refuse it.
      await foreign?.run(ASK, events, { ...init, mode: "no-cors" });
    }
    expect((await fetch(`${host.url}/v1/channels/foreign`)).status).toBe(404);
  });

  test("keeps a page out whose name was bound to this machine later", async (context) => {
    needsProgram(context, "chromium");
    const port = new URL(host.url).port;
    // Now the page has the same origin as the host, by that name: only the host can tell.
    const rebound = await browser?.open(`http://evil.test:${port}/health/live`);
    const answer = await rebound?.run<{ status: number }>(ASK, "/v1/channels/rebound", { method: "PUT" });
    expect(answer?.status).toBe(403);
    expect((await fetch(`${host.url}/v1/channels/rebound`)).status).toBe(404);
    expect(await rebound?.run(TALK, `ws://evil.test:${port}`, [{ ping: {} }], "pong")).toEqual({ closed: 1006 });
  });
});
