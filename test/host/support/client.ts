/**
 * Clients that share nothing with the host but the schemas: a raw TCP socket, and the `ws` package for WebSocket.
 *
 * What is sent and what arrives has the shape of the JSON frames, whatever the carrier, so one test serves all three.
 */
import { connect, type Socket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { ClientFrameSchema, HostFrameSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";
import { clientFrameFromJson } from "../../../host/socket/json/client.ts";
import { sizeDelimited, splitSizeDelimited } from "../../core-wasm/wire.ts";
import { until } from "./until.ts";

/** What a client speaks. */
export type Carrier = "tcp" | "ws-proto" | "ws-json";
/** All of them. */
export const carriers: readonly Carrier[] = ["tcp", "ws-proto", "ws-json"];

/** A frame of the host: its kind and its fields, members as "m1", counters as numbers. */
export interface Told {
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: fields differ by kind; tests look at what they expect.
  readonly value: any;
}

/** One delivered event. */
export interface Delivered {
  readonly channel: string | number;
  readonly sequence: number;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  /** The payload as text; "" for none. */
  readonly data: string;
  /** Everything that was told with it, as text: to look for what must not be there. */
  readonly text: string;
}

/** Where a host can be reached. */
export interface Reachable {
  readonly tcpPort: number;
  readonly httpPort: number;
}

/** A connected client. */
export interface Client {
  readonly told: Told[];
  readonly events: Delivered[];
  /** Frames as they came, one entry per message or read. */
  readonly messages: string[];
  /** Sends one frame in JSON shape. */
  send(frame: object): void;
  /** Sends bytes or text as they are: on TCP as they are, on WebSocket as one message. */
  sendRaw(data: Uint8Array | string): void;
  /** The first frame of a kind (and ref) that was not taken yet; waits for it. */
  take(kind: string, ref?: number): Promise<Told["value"]>;
  /** Joins and waits for the answer. */
  join(channel: string, fields?: object): Promise<Told["value"]>;
  /** Publishes with a receipt, and waits for its results. */
  publish(channel: string, ...events: object[]): Promise<Told["value"][]>;
  /** Waits until that many events were delivered. */
  received(count: number): Promise<Delivered[]>;
  /** Stops and resumes reading from the socket. */
  pause(): void;
  resume(): void;
  /** Breaks the connection: a reset where `abrupt`, else a polite end. */
  end(abrupt?: boolean): void;
  /** Close code and reason; 1006 where the connection ended without a close frame. */
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** Connects. */
export function connectTo(host: Reachable, carrier: Carrier): Promise<Client> {
  return carrier === "tcp" ? connectTcp(host) : connectWebSocket(host, carrier);
}

function createClient(
  write: (bytes: Uint8Array | string) => void,
  json: boolean,
  rest: Pick<Client, "pause" | "resume" | "end" | "closed">,
) {
  const told: Told[] = [];
  const events: Delivered[] = [];
  const messages: string[] = [];
  const taken = new Set<Told>();
  let refs = 1_000;
  const client: Client = {
    told,
    events,
    messages,
    ...rest,
    sendRaw: write,
    send(frame) {
      const text = JSON.stringify(frame);
      if (json) return write(text);
      const read = clientFrameFromJson(text);
      if (!read.ok) throw read.error;
      write(sizeDelimited(toBinary(ClientFrameSchema, create(ClientFrameSchema, read.frame))));
    },
    async take(kind, ref) {
      const find = () =>
        told.find(
          (frame) => frame.kind === kind && !taken.has(frame) && (ref === undefined || frame.value.ref === ref),
        );
      await until(
        () => find() !== undefined,
        () => `a ${kind} frame; there were ${JSON.stringify(told, plain)}`,
      );
      const found = find() as Told;
      taken.add(found);
      return found.value;
    },
    async join(channel, fields = {}) {
      const ref = refs++;
      client.send({ ref, join: { channel, ...fields } });
      return client.take("joined", ref);
    },
    async publish(channel, ...published) {
      const ref = refs++;
      client.send({ ref, publish: { channel, events: published } });
      return (await client.take("receipt", ref)).results;
    },
    async received(count) {
      await until(
        () => events.length >= count,
        () => `${count} events; there were ${events.length}`,
      );
      return events;
    },
  };
  const hear = (kind: string, value: Told["value"]): void => {
    told.push({ kind, value });
    if (kind !== "deliver") return;
    for (const entry of value.events) events.push(deliveredFrom(entry));
  };
  return { client, hear };
}

function deliveredFrom(entry: Told["value"]): Delivered {
  const { event } = entry;
  const { type, source, id } = event;
  return {
    channel: entry.channel || entry.channelNumber,
    sequence: Number(entry.sequence),
    type,
    source,
    id,
    // Both are made when looked at: a test with many events looks at few.
    get data() {
      if (event.data === undefined) return "";
      return event.data instanceof Uint8Array ? new TextDecoder().decode(event.data) : JSON.stringify(event.data);
    },
    get text() {
      return JSON.stringify(entry, plain);
    },
  };
}

/** Counters as numbers, for JSON and for comparing. */
function plain(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** A binary frame in the shape of the JSON one. */
function told(frame: Uint8Array): { kind: string; value: Told["value"] } {
  const { kind } = fromBinary(HostFrameSchema, frame);
  if (kind.case === undefined) throw new Error(`A frame without kind: ${frame}`);
  if (kind.case === "deliver") return { kind: kind.case, value: kind.value };
  const value = JSON.parse(JSON.stringify(kind.value, plain));
  for (const problem of [value, ...(value.results ?? []).map((result: Told["value"]) => result.problem ?? {})]) {
    // google.protobuf.Value: what it holds, as JSON has it.
    for (const field of ["value", "limit"]) if (problem[field] !== undefined) problem[field] = held(problem[field]);
  }
  if (typeof value.member === "number") value.member = `m${value.member}`;
  delete value.$typeName;
  return { kind: kind.case, value };
}

function held(value: Told["value"]): unknown {
  return value.kind.case === "listValue" ? value.kind.value.values.map(held) : value.kind.value;
}

function connectTcp(host: Reachable): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port: host.tcpPort, host: "127.0.0.1", noDelay: true });
    const closed = new Promise<{ code: number; reason: string }>((done) =>
      socket.on("close", () => done({ code: 1006, reason: "" })),
    );
    const { client, hear } = createClient((bytes) => void socket.write(bytes), false, {
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      end: (abrupt) => void (abrupt ? socket.resetAndDestroy() : socket.end()),
      closed,
    });
    let rest = new Uint8Array(0);
    socket.on("data", (chunk) => {
      client.messages.push(`${chunk.length} bytes`);
      const all = new Uint8Array(Buffer.concat([rest, chunk]));
      const { frames, bytes } = wholeFrames(all);
      rest = all.slice(bytes);
      for (const frame of frames) {
        const { kind, value } = told(frame);
        hear(kind, value);
      }
    });
    socket.on("error", reject);
    socket.on("connect", () => resolve(client));
    onTestFinished(() => void socket.destroy());
  });
}

/** Those frames of a stream that are complete. */
function wholeFrames(stream: Uint8Array): { frames: Uint8Array[]; bytes: number } {
  const frames: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    let size = 0;
    let at = bytes;
    let shift = 0;
    while (at < stream.length && (stream[at] as number) >= 128)
      size |= ((stream[at++] as number) & 127) << (7 * shift++);
    if (at >= stream.length) break;
    size |= (stream[at++] as number) << (7 * shift);
    if (at + size > stream.length) break;
    frames.push(stream.subarray(at, at + size));
    bytes = at + size;
  }
  return { frames, bytes };
}

function connectWebSocket(host: Reachable, carrier: Carrier): Promise<Client> {
  const json = carrier === "ws-json";
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${host.httpPort}/v1/socket`,
      [json ? "sluice.v1.json" : "sluice.v1.proto"],
      {
        perMessageDeflate: false,
      },
    );
    const closed = new Promise<{ code: number; reason: string }>((done) =>
      socket.on("close", (code, reason) => done({ code, reason: reason.toString() })),
    );
    const { client, hear } = createClient((data) => socket.send(data), json, {
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: (abrupt) => (abrupt ? resetWebSocket(socket) : socket.close()),
      closed,
    });
    socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      if (isBinary === json) throw new Error("The message is of the wrong kind");
      client.messages.push(json ? bytes.toString() : `${bytes.length} bytes`);
      if (!json) {
        for (const frame of splitSizeDelimited(new Uint8Array(bytes))) {
          const { kind, value } = told(frame);
          hear(kind, value);
        }
        return;
      }
      const entries = Object.entries(JSON.parse(bytes.toString()));
      if (entries.length !== 1) throw new Error(`A frame of ${entries.length} kinds: ${bytes}`);
      for (const [kind, value] of entries) hear(kind, value);
    });
    socket.on("error", reject);
    socket.on("open", () => resolve(client));
    onTestFinished(() => socket.terminate());
  });
}

function resetWebSocket(socket: WebSocket): void {
  (socket as unknown as { _socket: Socket })._socket.resetAndDestroy();
}
