/**
 * Goal: no request, however broken, is answered by a fault, hangs the host, reaches a neighbour or stays in memory.
 *
 * Method: valid requests to every route are changed at random. 5,000 go over real sockets, byte by byte as they are; 15,000
 * more reach the app as parsed requests, so that the changes fall on what HTTP parsers would not let through as well.
 */
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { codes } from "../../host/errors.ts";
import { createTestControl } from "../host/control/support.ts";
import { until } from "../host/support/until.ts";
import { timeoutMs } from "../property/runs.ts";
import { serveForTest } from "./host.ts";
import { casesOfRun, createRandom, mutate, pieces, seedOfRun } from "./mutate.ts";
import { createNeighbours } from "./neighbour.ts";
import { requests, streams, textOf } from "./requests.ts";

const encoder = new TextEncoder();
const LANES = 8;

/** Statuses that tell of a fault of ours. Every other refusal is somebody's own doing. */
const isFault = (status: number): boolean => status === 500 || status > 503;

describe("changed requests", () => {
  test("over sockets do no harm", { timeout: timeoutMs(60_000) }, async () => {
    const seed = seedOfRun();
    const random = createRandom(seed);
    const host = await serveForTest();
    const corpus = [...requests, ...streams].map((request) => encoder.encode(textOf(request)));
    let left = casesOfRun(5_000);
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const changed = mutate(corpus[random(corpus.length)] as Uint8Array, corpus, random);
        const answers = await converse(host.port, pieces(changed, random));
        for (const { status, body } of answers) {
          if (isFault(status)) {
            const input = Buffer.from(changed).toString("base64");
            throw new Error(`SLUICE_PROPERTY_SEED=${seed}: ${status} ${body} to ${input}`);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(host.faults()).toEqual([]);
    expect(await (await fetch(`${host.url}/health/ready`)).json()).toEqual({ status: "ok" });
    await until(
      () => host.service.sessionCount === 0,
      () => `no sessions; there are ${host.service.sessionCount}`,
    );
  });

  test("that parsers let through do no harm", { timeout: timeoutMs(60_000) }, async () => {
    const seed = seedOfRun();
    const random = createRandom(seed);
    const control = createTestControl();
    const neighbours = createNeighbours(control);
    const parts = requests.flatMap(({ target, body }) => [target, body]).map((text) => encoder.encode(text));
    const changedText = (text: string): string =>
      random(2) === 0 ? text : new TextDecoder("latin1").decode(mutate(encoder.encode(text), parts, random));
    for (let index = casesOfRun(15_000); index > 0; index--) {
      const { method, target, headers, body } = requests[random(requests.length)] as (typeof requests)[number];
      const sent =
        body === "" ? undefined : random(3) === 0 ? encoder.encode(body) : mutate(encoder.encode(body), parts, random);
      const asked = { method: random(20) === 0 ? "BREW" : method, target: changedText(target), sent };
      try {
        const fields = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            name,
            random(4) === 0 ? headerText(changedText(value)) : value,
          ]),
        );
        const url = URL.canParse(asked.target, "http://host") ? asked.target : "/";
        const carries = method !== "GET" && method !== "HEAD";
        const answer = await control.ask(asked.method, url, carries ? asked.sent : undefined, fields);
        expect(isFault(answer.status), `${answer.status} ${answer.text}`).toBe(false);
        if (answer.status >= 400 && method !== "HEAD") expect(codes).toHaveProperty(String(answer.json["code"]));
        if (index % 250 === 0) neighbours.talk();
      } catch (error) {
        const input = `${asked.method} ${JSON.stringify(asked.target)} ${Buffer.from(sent ?? "").toString("base64")}`;
        throw new Error(`SLUICE_PROPERTY_SEED=${seed}: ${input}`, { cause: error });
      }
    }
    expect(control.controlLog.filter(({ level }) => level === "error")).toEqual([]);
    expect(control.service.epoch).toBe(1);
  });
});

/** What fetch() takes for the value of a header. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "").trim();
}

/**
 * Sends pieces, waits until the host has dealt with them, hangs up.
 *
 * @returns The answers that had come by then.
 */
function converse(port: number, parts: readonly Uint8Array[]): Promise<{ status: number; body: string }[]> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answersFrom(text)));
    socket.on("connect", async () => {
      for (const part of parts) {
        socket.write(part);
        await new Promise((next) => setImmediate(next));
      }
      // An answer on another connection: what came before it has been read and, if it was complete, handled.
      await fetch(`http://127.0.0.1:${port}/health/live`).then((answer) => answer.text());
      socket.destroy();
    });
  });
}

function answersFrom(text: string): { status: number; body: string }[] {
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3})[^\r]*\r\n/g), ({ 1: status, index }) => ({
    status: Number(status),
    body: text.slice(index, index + 1_000),
  }));
}
