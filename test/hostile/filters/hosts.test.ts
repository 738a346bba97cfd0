/**
 * Goal: no module that a stranger uploads hurts the clients of a host, on any runtime. Method: every hostile module is uploaded over HTTP;
 * what is refused says why; what is taken is bound to a channel and given events. Beside it a pair on a channel of its own talks on.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConformanceHost, startOn } from "../../conformance/process.ts";
import { missing, targets } from "../../conformance/targets.ts";
import { connectTo } from "../../host/support/client.ts";
import { type Attack, CALLS_ASLEEP } from "./attack.ts";
import { containments } from "./contained.ts";
import { refusals } from "./refused.ts";

const CHANNEL = "attacked";
const STATUS_OK = [200, 201];
/** What is larger is refused by the same scan as anywhere: modules.test.ts has it. */
const UPLOAD_BYTES_MAX = 65_536;
/** Made once for all runtimes. */
const uploads = refusals
  .map((one) => ({ ...one, content: one.bytes() }))
  .filter(({ content }) => content.length <= UPLOAD_BYTES_MAX);
/** Until a sleeper wakes, and some more. */
const EVENTS = CALLS_ASLEEP + 4;
/** A host takes uploads one after another, each in a worker; Bun takes longest. */
const TIMEOUT_MS = 60_000;

describe.each([targets.node, targets.deno, targets.bun])("a host on $name", (target) => {
  const absent = missing(target);
  let host: ConformanceHost;

  beforeAll(async () => {
    if (absent !== undefined) return;
    // Uploads come from one address, and faster than strangers may ask.
    host = await startOn(target, ["--client-requests", "0"]);
  });
  afterAll(async () => {
    await host?.stop();
  });

  /** A source and a sink that have nothing to do with it; what proves that they work. */
  const neighbours = async (): Promise<() => Promise<void>> => {
    const [source, sink] = [await connectTo(host, "tcp"), await connectTo(host, "ws-json")];
    await sink.join("neighbours");
    let said = 0;
    return async () => {
      said++;
      expect(await source.publish("neighbours", { type: `said ${said}` })).toMatchObject([{ sinks: 1 }]);
      const heard = await sink.received(said);
      expect([heard.length, heard.at(-1)?.type]).toEqual([said, `said ${said}`]);
    };
  };
  const upload = async (bytes: Uint8Array<ArrayBuffer>): Promise<{ status: number; body: { reasons?: string[] } }> => {
    const headers = { "content-type": "application/wasm" };
    const response = await fetch(`${host.url}/v1/filters/hostile`, { method: "PUT", headers, body: bytes });
    return { status: response.status, body: await response.json() };
  };
  const json = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(host.url + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  /** Of all modules of a kind, what came of each that should not have. */
  const offences = async <One extends Attack>(
    attacks: readonly One[],
    attack: (one: One) => Promise<string | undefined>,
  ): Promise<string[]> => {
    const found: string[] = [];
    const talk = await neighbours();
    for (const one of attacks) {
      const offence = await attack(one);
      if (offence !== undefined) found.push(`${one.name}: ${offence}`);
      await talk();
    }
    return found;
  };

  test("refuses modules with all reasons", { timeout: TIMEOUT_MS }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const found = await offences(uploads, async ({ content, reasons = [] }) => {
      const { status, body } = await upload(content);
      const isSaid = reasons.every((reason) => body.reasons?.some((one) => reason.test(one)));
      return status === 422 && isSaid ? undefined : `${status} ${JSON.stringify(body)}`;
    });
    expect(found).toEqual([]);
  });

  test("contains modules that it takes", { timeout: TIMEOUT_MS }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const [source, victim] = [await connectTo(host, "tcp"), await connectTo(host, "ws-json")];
    await victim.join(CHANNEL);
    let taken = 0;
    const found = await offences(containments, async ({ bytes, sleeper = bytes }) => {
      const { status, body } = await upload(sleeper());
      // A module that does its worst at once is found out by the dry run.
      if (status === 422) return body.reasons?.length === 0 ? "no reasons" : undefined;
      if (!STATUS_OK.includes(status)) return `${status} ${JSON.stringify(body)}`;
      taken++;
      const bound = await json("PUT", `/v1/channels/${CHANNEL}/filters/in`, { module: "hostile" });
      if (!STATUS_OK.includes(bound.status)) return `cannot be bound: ${bound.status} ${await bound.text()}`;
      for (let i = 0; i < EVENTS; i++) await source.publish(CHANNEL, { type: "t" });
      await json("DELETE", `/v1/channels/${CHANNEL}/filters/in`);
      return undefined;
    });
    expect(found).toEqual([]);
    // Those that start by themselves or bring data beyond memory are not.
    expect(taken).toBeGreaterThan(containments.length / 2);
    expect((await fetch(`${host.url}/health/live`)).status).toBe(200);
  });
});
