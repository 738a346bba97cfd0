/**
 * Frames from host to client, as this host writes them and as clients in TypeScript may read them.
 *
 * HTTP answers share `problem` and `result` with them, so that a refusal reads the same everywhere.
 */
import { z } from "zod";
import { codes, type SluiceCode } from "../../../errors.ts";
import { exactlyOne, optional } from "./client.ts";
import { eventSchema } from "./event.ts";
import { anyJson, count, member, uint32 } from "./parts.ts";

/** A channel of a frame. Empty: the channel was removed meanwhile. */
const channel = z.string();

/** RFC 9457 in small: what stands in `problem` frames, receipts and, with more members, in HTTP answers. */
export const problemSchema = z.strictObject({
  ref: uint32.optional(),
  code: z
    .enum(Object.keys(codes) as [SluiceCode, ...SluiceCode[]])
    .describe("What programs compare; it never changes its meaning"),
  title: z.string().describe("The code in words"),
  detail: z.string().optional().describe("What could not be done, and why, for people"),
  value: anyJson.optional().describe("What was refused, or the path of its field"),
  limit: anyJson.optional().describe("What it met: a number, or the words that are allowed"),
  line: uint32.optional().describe("Of an expression: line of the first token that cannot be, from 1"),
  column: uint32.optional().describe("Of an expression: column of that token, from 1"),
  expected: z.array(z.string()).min(1).optional().describe("Of an expression: what could stand there"),
  u: z.number().optional().describe("Of a refused admission: the share of its client's time that the inbox would need"),
});

/** Whether deadlines can be kept. */
export const admissionSchema = z
  .strictObject({
    verdict: z
      .enum(["accepted", "bestEffort", "unchecked"])
      .describe(
        "`bestEffort`: periods differ, so that nothing is promised; `unchecked`: the inbox says no `serviceMs`",
      ),
    u: z.number().optional().describe("Share of its client's time that the inbox needs, all its streams together"),
  })
  .meta({ id: "Admission" });

/** What became of one published event. */
export const resultSchema = z
  .union([
    z.strictObject({
      id: z.string().optional().describe("As given, or derived from host, epoch, channel and sequence"),
      sequence: count.optional().describe("Its place in the channel; absent while it waits in its outbox"),
      epoch: count.describe("Incarnation of the host's core, to which sequences belong"),
      sinks: uint32.describe("Members that it was selected for"),
      hosts: uint32.describe("Hosts that those are on"),
      refused: uint32.optional().describe("Selected members whose inbox refused it"),
      duplicate: z.boolean().optional().describe("Its number says that it was taken before: nothing has happened now"),
    }),
    z.strictObject({ problem: problemSchema }),
  ])
  .meta({ id: "Result" });

/** One delivered event with what this host adds to it. */
export const deliverySchema = z
  .strictObject({
    number: count.optional().describe("Counts the deliveries of this inbox without gaps, from 1"),
    channel,
    member: member.optional().describe("Which of the session's members it is for"),
    sequence: count.describe("Its place among the channel's events"),
    epoch: count.optional().describe("Incarnation of the host's core, to which sequences belong"),
    attempt: uint32.optional().describe("How often it was delivered; absent: once"),
    event: eventSchema,
  })
  .meta({ id: "Delivery" });

/** What a host may say, by kind. */
export const hostKinds = {
  deliver: z.strictObject({ events: z.array(deliverySchema) }),
  credit: z.strictObject({ channel: channel.optional(), events: count.optional(), bytes: count.optional() }),
  receipt: z.strictObject({
    ref: uint32.optional(),
    results: z.array(resultSchema),
    withdrawn: uint32.optional(),
    forwarded: uint32.optional(),
  }),
  dropped: z.strictObject({
    channel,
    count,
    reason: z.enum(["overflow", "late", "cancelled", "left", "attempts", "drained", "conflated"]),
  }),
  missed: z.strictObject({
    channel,
    number: count.optional(),
    id: z.string().optional(),
    by: z.number(),
    sequence: count.optional(),
    sinks: uint32.optional(),
    reason: z.enum(["waited", "late", "hopeless", "unacknowledged"]).optional(),
  }),
  welcome: z.strictObject({
    host: z.string(),
    session: z.string().optional(),
    resumed: z.boolean(),
    limits: z.strictObject({ frameBytes: count, eventBytes: count, publishEvents: uint32, joins: uint32 }).optional(),
    epoch: count,
    ref: uint32.optional(),
    published: count.optional(),
  }),
  joined: z.strictObject({
    ref: uint32.optional(),
    member,
    channel,
    epoch: count,
    credit: z.strictObject({ events: count.optional(), bytes: count.optional() }).optional(),
    recovered: z.boolean().optional(),
    pattern: member.optional(),
    admission: admissionSchema.optional(),
  }),
  left: z.strictObject({ member, reason: z.string(), ref: uint32.optional() }),
  problem: problemSchema,
  region: z.strictObject({
    contract: z.string(),
    path: z.array(z.string()),
    handlers: z.array(z.string()),
    callback: z.string().optional(),
    ref: uint32.optional(),
    status: z.enum(["no_region", "removed"]).optional(),
    skipped: uint32.optional(),
    data: z.record(z.string(), z.unknown()).optional(),
  }),
  pong: z.strictObject({ ref: uint32.optional() }),
  drain: z.strictObject({ retryMs: count }),
};

/** Names of the kinds that a host sends. */
export type HostKind = keyof typeof hostKinds;

/** One frame from a host. */
export const hostFrameSchema = z.strictObject(optional(hostKinds)).check(exactlyOne([]));

/** What the schema gives. */
export type HostFrameJson = z.output<typeof hostFrameSchema>;
