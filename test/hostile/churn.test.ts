/**
 * Goal: sessions that come and go leave nothing behind. Method: a process of its own; ten thousand sessions are opened on
 * every carrier, used, and dropped in every way; its memory afterwards is that of before, a client beside them got every
 * event in order.
 */
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";
import { until } from "../host/support/until.ts";

/** Sessions that are counted, and those before them, which make tables and code as large as they get. */
const SESSIONS = 10_000;
const WARM = 3_000;
const PARALLEL = 50;
/** What a process may have grown by: a KiB per session, where one that was kept would cost twelve. */
const GROWTH_BYTES = 10_000_000;

let host: RunningHost | undefined;
afterEach(() => stopHost(host));

const JOIN = JSON.stringify({ ref: 1, join: { channel: "churn", role: "both", attributes: { load: 0.5 } } });
/** The same as a frame: { ref: 1, join: { channel: "churn", role: "both" } }. */
const BINARY_JOIN = Buffer.from([
  17,
  0x08,
  1,
  0x42,
  13,
  0x0a,
  5,
  ...Buffer.from("churn"),
  0x12,
  4,
  ...Buffer.from("both"),
]);

/** Opens a TCP session, joins, and breaks off: politely, by a reset, or within a frame. */
function churnTcp(address: string, way: number): Promise<void> {
  const [name = "", port = ""] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: name, noDelay: true });
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.write(BINARY_JOIN);
    socket.once("data", () => {
      if (way === 0) socket.end();
      else if (way === 1) socket.resetAndDestroy();
      else socket.write(BINARY_JOIN.subarray(0, 7), () => socket.destroy());
    });
  });
}

/** The same over a WebSocket: with a close frame, or without one. */
function churnWebSocket(url: string, way: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/v1/socket`, "sluice.v1.json");
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("open", () => socket.send(JOIN));
    socket.once("message", () => {
      if (way === 0) socket.close(1000);
      else socket.terminate();
    });
  });
}

async function inParallel(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
}

/** Measurements by name. */
async function metrics(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new Map(Array.from(text.matchAll(/^(\w+) (\S+)$/gm), ([, name = "", value]) => [name, Number(value)]));
}

async function settled(url: string): Promise<ReadonlyMap<string, number>> {
  let now = await metrics(url);
  for (let looks = 0; looks < 500 && now.get("sluice_sessions") !== 1; looks++) now = await metrics(url);
  return now;
}

describe("sessions that come and go", () => {
  test(`${SESSIONS} of them leave no memory and no members behind`, { timeout: 120_000 }, async () => {
    const running = await startHost();
    host = running;
    const { url, tcp } = running;
    const witness = new WebSocket(`${url.replace("http", "ws")}/v1/socket`, "sluice.v1.json");
    const heard: number[] = [];
    witness.on("message", (data) => {
      for (const { sequence } of JSON.parse(String(data)).deliver?.events ?? []) heard.push(sequence);
    });
    await new Promise((resolve) => witness.once("open", resolve));
    witness.send(JSON.stringify({ ref: 1, join: { channel: "witness", role: "both" } }));
    const churn = (index: number): Promise<void> => {
      if (index % 20 === 0) witness.send('{"publish":{"channel":"witness","events":[{"type":"t"}]}}');
      return index % 2 === 0 ? churnTcp(tcp, (index >> 1) % 3) : churnWebSocket(url, (index >> 1) % 2);
    };
    await inParallel(WARM, churn);
    const before = await settled(url);
    await inParallel(SESSIONS, churn);
    const after = await settled(url);

    for (const name of ["sluice_sessions", "sluice_members", "sluice_slots_held", "sluice_connections"])
      expect([name, after.get(name)]).toEqual([name, before.get(name)]);
    expect(after.get("sluice_sessions_closed_total")).toBe(WARM + SESSIONS);
    expect(after.get("sluice_core_restarts_total")).toBe(0);
    expect(after.get("sluice_pages_used")).toBeLessThanOrEqual((before.get("sluice_pages_used") ?? 0) + 16);
    const grown = (after.get("sluice_resident_bytes") ?? 0) - (before.get("sluice_resident_bytes") ?? 0);
    expect(grown).toBeLessThan(GROWTH_BYTES);
    const published = Math.ceil(WARM / 20) + SESSIONS / 20;
    await until(
      () => heard.length === published,
      () => `${published} events; there were ${heard.length}`,
    );
    expect(heard).toEqual(Array.from({ length: published }, (_, index) => index + 1));
    witness.terminate();
    expect((await running.stop()).stderr).toBe("");
  });
});
