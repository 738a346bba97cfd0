/**
 * Opens the session behind one SSE response: joins its channel, from where the client was, and says what it must know first.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ChannelView } from "../../channel/channel.ts";
import { isPattern } from "../../channel/pattern.ts";
import { JoinSchema } from "../../gen/sluice/v1/frame_pb.ts";
import type { Connection } from "../../session/connection.ts";
import type { Engine } from "../../session/engine.ts";
import type { InboxSettings } from "../../session/inbox.ts";
import { applyInbox } from "../../session/inbox-apply.ts";
import { assertJoin, join } from "../../session/join.ts";
import type { Session } from "../../session/session.ts";
import { idFromPosition, positionFromId, type RingPosition } from "./position.ts";
import { notice, settings } from "./render.ts";

/** What a client asks for. */
export interface StreamRequest {
  /** Or a pattern. */
  readonly channel: string;
  readonly types: readonly string[];
  /** What must hold of an event; "" for nothing. */
  readonly where: string;
  /** Language of `where`; "" for ours. */
  readonly dialect: string;
  /** Settings of its inbox, where they are not those of every session. */
  readonly inbox?: InboxSettings | undefined;
  readonly attributes: MessageInitShape<typeof JoinSchema>["attributes"];
  /** The last position that it knows; undefined: it is new. */
  readonly lastEventId: string | undefined;
  /** Whether a new one wants what the channel stores. */
  readonly replay: boolean;
}

/** A session that is a sink of one channel, or of those of a pattern. */
export interface OpenedStream {
  readonly connection: Connection;
  /** Whether nothing after `lastEventId` is missing; undefined where none was given. */
  readonly recovered: boolean | undefined;
  /** What comes before everything else: text/event-stream. */
  readonly preamble: string;
}

/** Why a client may have missed events. */
export type GapReason =
  /** It is no position of ours, or one that was never reached. */
  | "unknown_position"
  /** Of a host that is another one, or of one that kept nothing over its restart. */
  | "other_host"
  /** Of a core that is gone, with all that it stored. */
  | "restarted"
  /** Of a channel of this name that was removed. */
  | "channel_recreated"
  /** The channel stores nothing. */
  | "not_stored"
  /** It stores less than that. */
  | "evicted"
  /** The stream is of a pattern, and a position is one in a single channel. */
  | "pattern";

/** Of what the client asked for, in errors. */
const PATH = "query.";
/** Longest id that a notice repeats: ours are shorter. */
const ID_SHOWN = 256;

/**
 * Opens a stream.
 *
 * @param open Opens the session; called once the channel is there.
 * @throws {SluiceError} what opening a session and join() can be refused for; no session is left then.
 */
export function openStream(engine: Engine, open: () => Session, request: StreamRequest): OpenedStream {
  // Before a channel comes into being for it.
  assertJoin(joinFrame(request, undefined), PATH);
  if (isPattern(request.channel)) return openPattern(engine, open, request);
  const channel = engine.channels.resolve(request.channel);
  const known = request.lastEventId === undefined ? undefined : placeOf(engine, channel, request.lastEventId);
  // Before the join, which changes neither: events are taken one after another.
  const sequence = channel.sequence();
  const first = sequence - channel.stored();
  const session = open();
  try {
    if (request.inbox !== undefined) applyInbox(session, request.inbox);
    const { recovered = false } = join(session, joinFrame(request, known), undefined, PATH);
    if (known === undefined) {
      const from = positionAt(engine, channel, request.replay ? first : sequence);
      return { connection: session, recovered: undefined, preamble: preambleOf(engine, from) };
    }
    if (recovered) return { connection: session, recovered, preamble: preambleOf(engine, undefined) };
    const gap = {
      reason: typeof known === "string" ? known : reasonOf(channel, known, sequence),
      lastEventId: request.lastEventId?.slice(0, ID_SHOWN),
    };
    const preamble =
      preambleOf(engine, undefined) + notice("gap", gap, { id: idFromPosition(positionAt(engine, channel, first)) });
    return { connection: session, recovered, preamble };
  } catch (error) {
    session.closed();
    throw error;
  }
}

/**
 * A position in one channel says nothing about the others, so a client that comes back is told of a gap and gets all that its
 * channels store. Even one that was cut off before its first event has a position to come back with.
 */
function openPattern(engine: Engine, open: () => Session, request: StreamRequest): OpenedStream {
  const { lastEventId } = request;
  const id = idFromPosition({ host: engine.options.hostId, epoch: engine.core.epoch, channel: 0, sequence: 0 });
  const session = open();
  try {
    const frame = joinFrame(lastEventId === undefined ? request : { ...request, replay: true }, undefined);
    join(session, frame, undefined, PATH);
  } catch (error) {
    session.closed();
    throw error;
  }
  const retryMs = engine.options.drainRetryMs;
  if (lastEventId === undefined)
    return { connection: session, recovered: undefined, preamble: settings({ retryMs, id }) };
  const reason: GapReason = "pattern";
  const gap = notice("gap", { reason, lastEventId: lastEventId.slice(0, ID_SHOWN) }, { id });
  return { connection: session, recovered: false, preamble: settings({ retryMs }) + gap };
}

function joinFrame(request: StreamRequest, known: RingPosition | GapReason | undefined) {
  const { channel, types, where, dialect, attributes, replay } = request;
  const place = typeof known === "string" ? { epoch: 0, sequence: 0 } : known;
  return create(JoinSchema, {
    channel,
    types: [...types],
    where,
    dialect,
    ...(attributes === undefined ? {} : { attributes }),
    ...(place === undefined ? { replay } : { after: { epoch: BigInt(place.epoch), sequence: BigInt(place.sequence) } }),
  });
}

/** The place that an id names in this channel, or why it names none. */
function placeOf(engine: Engine, channel: ChannelView, id: string): RingPosition | GapReason {
  const position = positionFromId(id);
  if (position === undefined) return "unknown_position";
  if (position.host !== engine.options.hostId) return "other_host";
  if (position.epoch !== engine.core.epoch) return "restarted";
  return position.channel === channel.incarnation ? position : "channel_recreated";
}

function reasonOf(channel: ChannelView, known: RingPosition, sequence: number): GapReason {
  if (known.sequence > sequence) return "unknown_position";
  return channel.inForce.store.events === 0 ? "not_stored" : "evicted";
}

function positionAt(engine: Engine, channel: ChannelView, sequence: number): RingPosition {
  return { host: engine.options.hostId, epoch: engine.core.epoch, channel: channel.incarnation, sequence };
}

/** A position to begin with lets even a client that is cut off before its first event know what it missed. */
function preambleOf(engine: Engine, from: RingPosition | undefined): string {
  const { drainRetryMs } = engine.options;
  return settings({ retryMs: drainRetryMs, ...(from === undefined ? {} : { id: idFromPosition(from) }) });
}
