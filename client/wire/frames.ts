/** The rare frames, as tables and as types; names and meanings are those of docs/frames.md. */
import type { AttributeValue } from "../../host/interface.ts";
import type { Problem } from "../errors.ts";
import { type Fields, readFields, writeFields } from "./schema.ts";
import { Writer } from "./writer.ts";

const credit = { channel: [1, "text"], channelNumber: [2, "uint"], events: [3, "uint"], bytes: [4, "uint"] } as const;
const outbox = {
  ordering: [1, "text"],
  capacityEvents: [2, "uint"],
  capacityBytes: [3, "uint"],
  overflow: [4, "text"],
  held: [5, "bool"],
} as const;
const select = { mode: [1, "text"], events: [2, "uint"], bytes: [3, "uint"], delayMs: [4, "uint"] } as const;
const inbox = {
  ordering: [1, "text"],
  capacityEvents: [2, "uint"],
  capacityBytes: [3, "uint"],
  overflow: [4, "text"],
  select: [5, select],
  late: [6, "text"],
  serviceMs: [7, "double"],
  ack: [8, "text"],
  redeliverMs: [9, "uint"],
  attempts: [10, "uint"],
  deadLetter: [11, "text"],
  held: [13, "bool"],
  stallMark: [14, "double"],
  releaseMark: [15, "double"],
} as const;
const position = { epoch: [1, "uint"], sequence: [2, "uint"] } as const;
const problem = {
  ref: [1, "uint"],
  code: [2, "text"],
  title: [3, "text"],
  detail: [4, "text"],
  value: [5, "json"],
  limit: [6, "json"],
  line: [7, "uint"],
  column: [8, "uint"],
  expected: [9, "text", true],
  u: [10, "double"],
} as const;
const result = {
  id: [1, "text"],
  sequence: [2, "uint"],
  epoch: [3, "uint"],
  sinks: [4, "uint"],
  hosts: [5, "uint"],
  refused: [6, "uint"],
  problem: [7, problem],
  duplicate: [8, "bool"],
} as const;

/** Client to host: `ref` is field 1 of the frame. Publish is written in publish.ts. */
export const clientFrames = {
  credit: [3, credit],
  ack: [4, { through: [1, "uint"], numbers: [2, "uint", true] }],
  update: [5, { member: [1, "uint"], attributes: [2, "attributes"], remove: [3, "text", true], outbox: [4, outbox] }],
  cancel: [6, { channel: [1, "text"], channelNumber: [2, "uint"], key: [3, "text"], at: [4, "micros"] }],
  hello: [
    7,
    {
      client: [1, "text"],
      token: [2, "text"],
      inbox: [3, inbox],
      session: [4, "text"],
      received: [5, "uint"],
      lingerMs: [6, "uint"],
    },
  ],
  join: [
    8,
    {
      channel: [1, "text"],
      role: [2, "text"],
      attributes: [3, "attributes"],
      where: [4, "text"],
      types: [5, "text", true],
      filters: [6, "struct"],
      dialect: [7, "text"],
      misses: [8, "bool"],
      rate: [9, "double"],
      after: [10, position],
      replay: [11, "bool"],
      piggyback: [12, "text", true],
      outbox: [13, outbox],
    },
  ],
  leave: [9, { member: [1, "uint"] }],
  set: [11, { values: [1, "attributes"], add: [2, "amounts"] }],
  ping: [14, {}],
} as const satisfies Fields;

/** Host to client. Deliver is read in deliveries.ts. */
export const hostFrames = {
  credit: [2, credit],
  receipt: [3, { ref: [1, "uint"], results: [2, result, true], withdrawn: [3, "uint"], forwarded: [4, "uint"] }],
  dropped: [4, { channel: [1, "text"], channelNumber: [2, "uint"], count: [3, "uint"], reason: [4, "text"] }],
  welcome: [
    6,
    {
      host: [1, "text"],
      session: [2, "text"],
      resumed: [3, "bool"],
      limits: [4, { frameBytes: [1, "uint"], eventBytes: [2, "uint"], publishEvents: [3, "uint"], joins: [4, "uint"] }],
      epoch: [5, "uint"],
      published: [7, "uint"],
    },
  ],
  joined: [
    7,
    {
      ref: [1, "uint"],
      member: [2, "uint"],
      channel: [3, "text"],
      channelNumber: [4, "uint"],
      epoch: [5, "uint"],
      credit: [6, credit],
      recovered: [7, "bool"],
      pattern: [8, "uint"],
    },
  ],
  left: [8, { member: [1, "uint"], reason: [2, "text"], ref: [3, "uint"] }],
  problem: [9, problem],
  pong: [11, { ref: [1, "uint"] }],
  drain: [12, { retryMs: [1, "uint"] }],
} as const satisfies Fields;

/** Credit of a source. */
export interface Credit {
  readonly channelNumber?: number;
  readonly events?: number;
  readonly bytes?: number;
}

/** What became of one published event. */
export interface Result {
  readonly id?: string;
  readonly sequence?: number;
  readonly epoch?: number;
  readonly sinks?: number;
  readonly hosts?: number;
  readonly refused?: number;
  readonly problem?: Problem;
  readonly duplicate?: boolean;
}

/** Settings of an inbox, as docs/mailboxes.md has them. */
export interface InboxSettings {
  readonly ordering?: string;
  readonly capacityEvents?: number;
  readonly capacityBytes?: number;
  readonly overflow?: string;
  readonly select?: {
    readonly mode?: string;
    readonly events?: number;
    readonly bytes?: number;
    readonly delayMs?: number;
  };
  readonly late?: string;
  readonly serviceMs?: number;
  readonly ack?: string;
  readonly redeliverMs?: number;
  readonly attempts?: number;
  readonly deadLetter?: string;
  readonly held?: boolean;
  readonly stallMark?: number;
  readonly releaseMark?: number;
}

/** Settings of an outbox, as docs/mailboxes.md has them. */
export interface OutboxSettings {
  readonly ordering?: string;
  readonly capacityEvents?: number;
  readonly capacityBytes?: number;
  readonly overflow?: string;
  readonly held?: boolean;
}

/** The answer to hello. */
export interface Welcome {
  readonly host: string;
  readonly session: string;
  readonly resumed?: boolean;
  readonly limits?: { readonly frameBytes?: number; readonly eventBytes?: number };
  readonly epoch: number;
  readonly published?: number;
}

/** The answer to join. */
export interface Joined {
  readonly ref?: number;
  readonly member: number;
  readonly channel: string;
  readonly channelNumber?: number;
  readonly epoch?: number;
  readonly credit?: Credit;
  readonly recovered?: boolean;
  readonly pattern?: number;
}

/** The rare frames of a host, by kind. */
export interface HostFrames {
  credit: Credit;
  receipt: {
    readonly ref?: number;
    readonly results?: readonly Result[];
    readonly withdrawn?: number;
    readonly forwarded?: number;
  };
  dropped: {
    readonly channel?: string;
    readonly channelNumber?: number;
    readonly count?: number;
    readonly reason: string;
  };
  welcome: Welcome;
  joined: Joined;
  left: { readonly member: number; readonly reason: string; readonly ref?: number };
  problem: Problem & { readonly ref?: number };
  pong: { readonly ref?: number };
  drain: { readonly retryMs?: number };
}

/** The rare frames of a client, by kind. */
export interface ClientFrames {
  credit: { readonly events: number; readonly bytes: number };
  ack: { readonly through?: number; readonly numbers?: readonly number[] };
  update: {
    readonly member: number;
    readonly attributes?: Readonly<Record<string, AttributeValue>>;
    readonly remove?: readonly string[];
    readonly outbox?: OutboxSettings;
  };
  cancel: { readonly channel: string; readonly key: string; readonly at?: bigint };
  hello: {
    readonly client?: string;
    readonly token?: string;
    readonly inbox?: InboxSettings;
    readonly session?: string;
    readonly received?: number;
    readonly lingerMs: number;
  };
  join: {
    readonly channel: string;
    readonly role: "sink" | "source" | "both";
    readonly attributes?: Readonly<Record<string, AttributeValue>>;
    readonly where?: string;
    readonly types?: readonly string[];
    readonly filters?: object;
    readonly dialect?: string;
    readonly misses?: boolean;
    readonly rate?: number;
    readonly after?: { readonly epoch: number; readonly sequence: number };
    readonly replay?: boolean;
    readonly piggyback?: readonly string[];
    readonly outbox?: OutboxSettings;
  };
  leave: { readonly member: number };
  set: { readonly values: Readonly<Record<string, AttributeValue>>; readonly add?: Readonly<Record<string, number>> };
  ping: object;
}

/** A kind of rare frame of a client. */
export type ClientKind = keyof ClientFrames;

/** One frame behind its size. */
export function frameBytes<Kind extends ClientKind>(
  kind: Kind,
  part: ClientFrames[Kind],
  ref?: number,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer(64);
  const frame = writer.open();
  writeFields(writer, { ref: [1, "uint"], [kind]: clientFrames[kind] }, { ref, [kind]: part });
  writer.close(frame);
  return writer.done();
}

/** Any rare frame of a host: exactly one kind is there; none where it is one of a newer host. */
export function readHostFrame(bytes: Uint8Array, at: number, end: number): Partial<HostFrames> {
  return readFields(hostFrames, bytes, at, end);
}
