/**
 * Goal: every refusal of the table can be met, with the status, close code and `Retry-After` that the table promises.
 *
 * One way to each code, over the plane where people meet it: HTTP where there is one, else frames and sockets, else the
 * start of a host. The tests of single parts know further ways.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { channelCreate } from "../../host/cli/channel.ts";
import { CliError } from "../../host/cli/failure.ts";
import type { Terminal } from "../../host/cli/terminal.ts";
import { Clients } from "../../host/clients.ts";
import { codes, isSluiceError, type SluiceCode } from "../../host/errors.ts";
import { limits } from "../../host/limits.ts";
import { resolveOptions } from "../../host/options.ts";
import { assertMayListen } from "../../host/runtime/node/address.ts";
import { serveHost } from "../../host/runtime/node.ts";
import { openState } from "../../host/store/state.ts";
import { binaryMessage, OPCODE_CLOSE, serverFrames, textMessage } from "../core-wasm/websocket.ts";
import { sizeDelimited, varint, varintField } from "../core-wasm/wire.ts";
import { type Answer, createTestControl, type TestControl } from "./control/support.ts";
import { createTestRegistry } from "./filter/registry/in-process.ts";
import { moduleWith } from "./filter/registry/modules.ts";
import { TestCarrier } from "./support/carrier.ts";
import { ManualClock } from "./support/service.ts";

/** How a refusal was told. */
interface Told {
  readonly code: unknown;
  /** Of an HTTP answer, or of a result in one. */
  readonly status?: unknown;
  readonly retryAfter?: string | null;
  /** Of a WebSocket. */
  readonly close?: number;
}

const path = "/v1/channels/c";
const events = `${path}/events`;
const event = { type: "t" };

/** What a request is refused with. */
async function asked(answer: Promise<Answer>): Promise<Told> {
  const { status, headers, json } = await answer;
  expect(json["status"]).toBe(status);
  return { code: json["code"], status, retryAfter: headers.get("retry-after") };
}

const wasm = { "content-type": "application/wasm" };

/** A control plane that takes filter modules. */
const uploading = (): TestControl => createTestControl({}, {}, { filters: createTestRegistry() });

/** What one event is refused with. */
const posted = (body: unknown, control = createTestControl()): Promise<Told> =>
  asked(control.ask("POST", events, body));

/** The first problem in the results of several events. */
async function result(control: TestControl, bodies: readonly unknown[]): Promise<Told> {
  const { json } = await control.ask("POST", events, bodies);
  const problems = (json["results"] as { problem?: Told }[]).flatMap(({ problem }) => (problem ? [problem] : []));
  return { code: problems[0]?.code, status: problems[0]?.status };
}

/** What a TCP session is told before it ends, or as the answer to its frame. */
function framed(
  { service, settle }: TestControl,
  ...frames: (Parameters<TestCarrier["send"]>[0] | Uint8Array)[]
): Told {
  const carrier = new TestCarrier(service);
  for (const frame of frames) {
    if (frame instanceof Uint8Array) carrier.connection.receive(frame);
    else carrier.send(frame);
  }
  settle();
  const problem = carrier.frames().find(({ case: kind }) => kind === "problem");
  return { code: problem?.case === "problem" ? problem.value.code : undefined };
}

/** What a WebSocket is closed with. */
function closed({ service, settle }: TestControl, bytes: Uint8Array): Told {
  const carrier = new TestCarrier(service, "websocket");
  carrier.connection.receive(bytes);
  settle();
  const frames = serverFrames(Buffer.concat(carrier.writes.map(({ copy }) => copy)));
  const payload = frames.find(({ opcode }) => opcode === OPCODE_CLOSE)?.payload ?? new Uint8Array(2);
  const reason = new TextDecoder().decode(payload.subarray(2));
  return { code: reason.split(":")[0], close: ((payload[0] ?? 0) << 8) | (payload[1] ?? 0) };
}

/** What the log says of a session that was cut off without a word. */
function dropped({ log }: TestControl): Told {
  return { code: log.find(({ message }) => message === "session dropped")?.["code"] };
}

/** What is thrown. */
async function thrown(work: () => unknown): Promise<Told> {
  try {
    await work();
  } catch (error) {
    if (isSluiceError(error)) return { code: error.code };
    throw error;
  }
  return { code: undefined };
}

/** Makes a subscriber of "c" whose inbox is what a test needs, and holds what is in it. */
function unread(control: TestControl, inbox: { capacityEvents?: number; capacityBytes?: number; overflow: string }) {
  const carrier = new TestCarrier(control.service);
  const { capacityEvents = 1, capacityBytes = limits.inboxBytes, overflow } = inbox;
  const value = { capacityEvents: BigInt(capacityEvents), capacityBytes: BigInt(capacityBytes), overflow, held: true };
  carrier.send({ kind: { case: "inbox", value } });
  carrier.join("c");
  control.settle();
  return carrier;
}

const attributes = (count: number, bytes: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, "x".repeat(bytes)]));

/** One way to each code. */
const ways: Partial<Record<SluiceCode, () => Told | Promise<Told>>> = {
  draining() {
    const { ask, service } = createTestControl();
    service.draining = true;
    return asked(ask("PUT", path, {}));
  },
  core_restarted() {
    const control = createTestControl();
    const trap = (): never => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    control.service.core.exports = { ...control.service.core.exports, ingestFrame: trap };
    return posted(event, control);
  },
  slow_consumer() {
    const control = createTestControl({}, { stallMs: 1_000 });
    const carrier = new TestCarrier(control.service);
    carrier.takes = false;
    carrier.join("c");
    control.settle();
    control.clock.advance(10_000);
    return dropped(control);
  },
  frame_timeout() {
    const control = createTestControl({}, { frameMs: 1_000, handshakeMs: 1_000 });
    const carrier = new TestCarrier(control.service, "websocket");
    carrier.connection.receive(binaryMessage(Uint8Array.of(1, 2, 3)).subarray(0, 4));
    control.clock.advance(10_000);
    control.settle();
    const [frame] = serverFrames(Buffer.concat(carrier.writes.map(({ copy }) => copy))).filter(
      ({ opcode }) => opcode === OPCODE_CLOSE,
    );
    return {
      code: new TextDecoder().decode(frame?.payload.subarray(2)).split(":")[0],
      close: ((frame?.payload[0] ?? 0) << 8) | (frame?.payload[1] ?? 0),
    };
  },
  control_full() {
    const control = createTestControl();
    const carrier = new TestCarrier(control.service);
    carrier.takes = false;
    // Each is answered with a problem that repeats the value, and nothing is read.
    const value = { channel: "c", role: "x".repeat(64) };
    for (let count = 0; count < 60_000 && !carrier.destroyed; count += 1)
      carrier.send({ ref: 1, kind: { case: "join", value } });
    return dropped(control);
  },
  async disconnect() {
    const control = createTestControl();
    const carrier = unread(control, { overflow: "disconnect" });
    await control.ask("POST", events, [event, event]);
    control.settle();
    const problem = carrier.frames().find(({ case: kind }) => kind === "problem");
    return { code: problem?.case === "problem" ? problem.value.code : undefined };
  },
  async store_full() {
    const control = createTestControl();
    // More capacity than there is memory, so that its end is met before the inbox's own; and nothing may be dropped.
    unread(control, { capacityEvents: 1_000_000, capacityBytes: 1_073_741_824, overflow: "block" });
    const large = JSON.stringify({ type: "t", data: "x".repeat(900_000) });
    for (let count = 0; count < 200; count += 1) {
      const { status, headers, json } = await control.ask("POST", events, large);
      if (status !== 200) return { code: json["code"], status, retryAfter: headers.get("retry-after") };
    }
    return { code: undefined };
  },
  async rate_limited() {
    const { askFrom } = createTestControl({ clients: new Clients({ connections: 0, requests: 1 }, new ManualClock()) });
    await askFrom("10.0.0.1", "GET", "/v1/info");
    return asked(askFrom("10.0.0.1", "GET", "/v1/info"));
  },
  async no_credit() {
    const control = createTestControl();
    unread(control, { overflow: "block" });
    const some = new Array(limits.publishEvents).fill(event);
    for (let sent = 0; sent <= limits.sourceCreditEvents; sent += some.length) {
      const told = await result(control, some);
      if (told.code !== undefined) return told;
    }
    return { code: undefined };
  },
  async mailbox_full() {
    const control = createTestControl();
    unread(control, { overflow: "reject" });
    await control.ask("POST", events, event);
    return posted(event, control);
  },
  internal() {
    const control = createTestControl();
    control.service.publishEncoded = () => {
      throw new TypeError("a fault");
    };
    return posted(event, control);
  },

  malformed: () => posted("{"),
  frame_too_large: () => framed(createTestControl(), varint(limits.frameBytes + 1)),
  event_too_large: () => posted({ type: "t", data: "x".repeat(limits.eventBytes) }),
  body_too_large: () => asked(createTestControl().ask("PUT", path, "{}", { "content-length": "99999999" })),
  not_utf8: () => posted(Uint8Array.of(0x22, 0xff, 0x22)),
  // Not masked, which clients must do.
  websocket_protocol: () => closed(createTestControl(), Uint8Array.of(0x82, 0x00)),
  websocket_kind: () => closed(createTestControl(), textMessage("{}")),
  websocket_split: () => closed(createTestControl(), binaryMessage(Uint8Array.of(5, 1))),
  frame_kind: () => framed(createTestControl(), sizeDelimited(varintField(1, 7))),
  media_type: () => asked(createTestControl().ask("PUT", path, "{}", { "content-type": "text/plain" })),

  unknown_field: () => asked(createTestControl().ask("PUT", path, { ecko: true })),
  invalid_value: () => asked(createTestControl().ask("PUT", path, { echo: 1 })),
  not_supported: () => asked(createTestControl().ask("PUT", path, { presence: true })),
  type_missing: () => posted({}),
  async type_refused() {
    const control = createTestControl();
    await control.ask("PUT", path, { types: ["other"] });
    return posted(event, control);
  },
  type_too_long: () => posted({ type: "t".repeat(limits.typeBytes + 1) }),
  key_too_long: () => posted({ ...event, key: "k".repeat(limits.keyBytes + 1) }),
  priority_out_of_range: () => posted({ ...event, priority: 10 }),
  time_out_of_range: () => posted({ ...event, time: "0000-01-01T00:00:00Z" }),
  attribute_name: () => posted({ ...event, attributes: { Load: 1 } }),
  attributes_too_many: () => posted({ ...event, attributes: attributes(limits.attributes + 1, 1) }),
  async attributes_too_large() {
    const control = createTestControl();
    control.service.subscribe("c", { onEvents: () => {} });
    const large = { attributes: attributes(2, limits.memberAttributesBytes) };
    return asked(control.ask("PATCH", `${path}/members/m1`, large));
  },
  limit_reached: () => asked(createTestControl().ask("PUT", path, "[".repeat(limits.jsonDepth + 1))),
  channel_name: () => asked(createTestControl().ask("PUT", "/v1/channels/a%20b", {})),
  async idempotency_key_reused() {
    const control = createTestControl();
    const key = { "idempotency-key": "k" };
    await control.ask("POST", events, event, key);
    return asked(control.ask("POST", events, { type: "other" }, key));
  },
  expression: () =>
    framed(createTestControl(), { ref: 1, kind: { case: "join", value: { channel: "c", where: "a <" } } }),
  contradiction: () =>
    asked(createTestControl().ask("PUT", path, { filters: { out: { route: { descending: true } } } })),

  module_refused: () => asked(uploading().ask("PUT", "/v1/filters/f", "no module", wasm)),
  filter_unknown: () => asked(uploading().ask("GET", "/v1/filters/f")),
  async filter_in_use() {
    const { ask } = uploading();
    await ask("PUT", "/v1/filters/f", moduleWith(), wasm);
    await ask("PUT", path, { filters: { out: { module: "f" } } });
    return asked(ask("DELETE", "/v1/filters/f"));
  },

  condition_unknown: () => asked(createTestControl().ask("GET", "/v1/conditions/load")),
  contract_unknown: () => asked(createTestControl().ask("GET", "/v1/contracts/c")),
  async contract_in_use() {
    const { ask } = createTestControl();
    await ask("PUT", "/v1/contracts/base", { regions: [{ name: "a" }] });
    await ask("PUT", "/v1/contracts/derived", { extends: "base" });
    return asked(ask("DELETE", "/v1/contracts/base"));
  },
  async channel_governed() {
    const { ask, settle } = createTestControl();
    await ask("PUT", path, {});
    const filter = { bind: { channel: "c", stage: "out", route: { limit: 1 } } };
    await ask("PUT", "/v1/contracts/k", {
      regions: [{ name: "a" }],
      transitions: [{ from: "*", to: "a", do: [filter] }],
    });
    settle();
    return asked(ask("DELETE", path));
  },
  async condition_in_use() {
    const { ask } = createTestControl();
    await ask("PUT", "/v1/conditions/load", { kind: "value" });
    await ask("PUT", "/v1/conditions/twice", { kind: "expression", expression: "load * 2" });
    return asked(ask("DELETE", "/v1/conditions/load"));
  },

  async too_many_sinks() {
    const control = uploading();
    await control.ask("PUT", "/v1/filters/f", moduleWith(), wasm);
    await control.ask("PUT", path, {});
    for (let count = 0; count <= 4_096; count++) control.service.subscribe("c", { onEvents: () => {} });
    return asked(control.ask("PUT", `${path}/filters/out`, { module: "f" }));
  },

  not_found: () => asked(createTestControl().ask("GET", "/nope")),
  method_not_allowed: () => asked(createTestControl().ask("DELETE", "/v1/info")),
  channel_unknown: () => asked(createTestControl().ask("GET", path)),
  async channel_exists() {
    // HTTP says precondition_failed; the command line says what that means where it wanted to create.
    const host = await serveHost({ listen: "127.0.0.1:0", tcp: null, onFatal: () => {} });
    onTestFinished(() => host.close());
    host.service.channels.resolve("c");
    const target = { url: host.url, token: undefined };
    const error = await channelCreate("c", {}, target, {} as Terminal).catch((reason: unknown) => reason);
    return { code: error instanceof CliError ? error.code : error };
  },
  async member_unknown() {
    const { ask } = createTestControl();
    await ask("PUT", path, {});
    return asked(ask("GET", `${path}/members/m1`));
  },
  async source_taken() {
    const control = createTestControl();
    await control.ask("PUT", path, { source: "single" });
    const join = { channel: "c", role: "source" };
    new TestCarrier(control.service).send({ kind: { case: "join", value: join } });
    return posted(event, control);
  },
  async admission() {
    const control = createTestControl();
    const opened = await control.ask("POST", "/v1/inboxes", { ordering: "deadline", serviceMs: 2 });
    return asked(control.ask("PUT", `/v1/inboxes/${opened.json["id"]}/joins/c`, { rate: 501 }));
  },
  ack_unknown: () => framed(createTestControl(), { ref: 1, kind: { case: "ack", value: { through: 5n } } }),
  async precondition_failed() {
    const { ask } = createTestControl();
    await ask("PUT", path, {});
    return asked(ask("PUT", path, {}, { "if-none-match": "*" }));
  },
  session_taken() {
    const control = createTestControl();
    const first = new TestCarrier(control.service);
    first.send({ kind: { case: "hello", value: { lingerMs: 1n } } });
    control.settle();
    const [welcome] = first.frames();
    const session = welcome?.case === "welcome" ? welcome.value.session : "";
    new TestCarrier(control.service).send({ kind: { case: "hello", value: { session, received: 0n } } });
    control.settle();
    const problem = first.frames().find(({ case: kind }) => kind === "problem");
    return { code: problem?.case === "problem" ? problem.value.code : undefined };
  },
  publish_gap: () =>
    framed(createTestControl(), { kind: { case: "publish", value: { channel: "c", number: 2n, events: [event] } } }),
  async cancelled() {
    const control = createTestControl();
    const workers = [new TestCarrier(control.service), new TestCarrier(control.service)];
    for (const worker of workers) worker.send({ kind: { case: "join", value: { channel: "c" } } });
    await control.ask("POST", events, { type: "t", key: "k" });
    control.service.flush();
    await control.ask("POST", `${path}/cancel`, { key: "k", as: "m1" });
    return asked(control.ask("POST", `${path}/cancel`, { key: "k", as: "m2" }));
  },
  inbox_unknown: () => asked(createTestControl().ask("GET", "/v1/inboxes/inone")),

  unauthorized: () => thrown(() => assertMayListen({ host: "0.0.0.0", port: 7480 }, false)),
  async not_member() {
    const control = createTestControl();
    await control.ask("PUT", path, {});
    return framed(control, { ref: 1, kind: { case: "cancel", value: { channel: "c", key: "k" } } });
  },
  forbidden: () => asked(createTestControl().ask("GET", "/v1/info", undefined, { origin: "https://evil.example" })),

  memory_too_small: () => thrown(() => resolveOptions({ memoryBytes: 1 })),
  async state_unusable() {
    const dir = await mkdtemp(join(tmpdir(), "sluice-codes-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    await writeFile(join(dir, "state.json"), "{}");
    return thrown(() => openState(dir, { createHostId: () => "h" }));
  },
};

describe("every code of the table", () => {
  test("has a way to it here", () => {
    expect(Object.keys(ways).sort()).toEqual(Object.keys(codes).sort());
  });

  test.each(Object.entries(ways))("%s can be met, as the table says it is told", async (code, way) => {
    const told = await way();
    const meaning = codes[code as SluiceCode];
    expect(told.code).toBe(code);
    if (told.status !== undefined) expect(told.status).toBe(meaning.status);
    if (told.close !== undefined) expect(told.close).toBe(meaning.close);
    // A fault of ours may happen again at once, so nobody is invited to try.
    const invited = meaning.retryable && meaning.status !== 500;
    if (told.retryAfter !== undefined) expect(told.retryAfter !== null).toBe(invited);
  });
});
