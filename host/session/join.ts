/**
 * Joining a channel.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { RESULT_LIMIT, RESULT_VALUE, ROLE_SINK, ROLE_SOURCE, STATUS_OK } from "../../core-wasm/abi.ts";
import type { ChannelView } from "../channel/channel.ts";
import { isPattern } from "../channel/pattern.ts";
import { type Core, placeScratch, placeTypes } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import {
  CreditSchema,
  type HostFrame,
  HostFrameSchema,
  type Join,
  JoinedSchema,
  type Update,
  UpdateSchema,
} from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import { type Admission, admitJoin } from "./admission.ts";
import { type Ref, refField } from "./frames.ts";
import type { PatternMembership } from "./memberships.ts";
import { applyOutbox, defaultOutbox, noSource, outboxFromFrame } from "./outbox.ts";
import { type Own, ownFrom, setOwn } from "./own-filters.ts";
import type { Session } from "./session.ts";
import { addMember } from "./source.ts";
import { setWhere, type Where, whereFrom } from "./where.ts";

const roles: ReadonlyMap<string, number> = new Map([
  ["", ROLE_SINK],
  ["sink", ROLE_SINK],
  ["source", ROLE_SOURCE],
  ["both", ROLE_SINK | ROLE_SOURCE],
]);

const encoder = new TextEncoder();

/** What a join has led to. */
export interface JoinOutcome {
  /** The member's number in this epoch. */
  readonly member: number;
  /** Whether nothing of the replay that was asked for is missing; undefined where none was asked for. */
  readonly recovered: boolean | undefined;
  /** What can be promised of its deadlines; undefined where nothing was asked. */
  readonly admission: Admission | undefined;
}

/**
 * Makes this session a member, or one of all channels of a pattern, and answers `joined`, before anything is delivered to that member. A sink of a channel that
 * stores gets what is stored before anything that comes later.
 *
 * @param path Of the join in the input, for errors; see {@link assertJoin}.
 * @throws {SluiceError} `not_supported` or `invalid_value` naming the field; `channel_unknown`, `channel_name`,
 *   `source_taken`, `limit_reached`, `admission`, and what an update of attributes can be refused for.
 */
export function join(session: Session, frame: Join, ref: Ref, path = "join."): JoinOutcome {
  const where = assertJoin(frame, path);
  const role = roles.get(frame.role);
  if (role === undefined) {
    throw new SluiceError(
      "invalid_value",
      `Cannot join as "${frame.role.slice(0, 64)}", the role must be sink, source or both`,
      {
        value: frame.role.slice(0, 64),
        limit: ["sink", "source", "both"],
      },
    );
  }
  const request = { frame, role, where, own: ownFrom(frame, role, path) };
  if (isPattern(frame.channel)) return session.engine.patterns.join(session, request, ref, path);
  const channel = session.engine.channels.resolve(frame.channel);
  const { joined, ...outcome } = admit(session, channel, request, ref);
  session.answer(joined);
  return outcome;
}

/** What a join asks for, checked. */
export interface JoinRequest {
  readonly frame: Join;
  /** ROLE_… bits. */
  readonly role: number;
  readonly where: Where | undefined;
  readonly own: Own;
}

/**
 * Makes this session a member of one channel.
 *
 * @param pattern What brought it, where that was not a join of the channel itself.
 * @returns What has come of it, and the answer, which is still to be told.
 * @throws {SluiceError} `source_taken`, `limit_reached`, `store_full`, and what an update of attributes can be refused for; then
 *   the session is what it was.
 */
export function admit(
  session: Session,
  channel: ChannelView,
  request: JoinRequest,
  ref: Ref,
  pattern?: PatternMembership,
): JoinOutcome & { readonly joined: HostFrame } {
  const { core } = session.engine;
  const { frame, role, where, own } = request;
  const admission =
    (role & ROLE_SINK) === 0
      ? undefined
      : admitJoin(session, channel.name, channel.inForce.delivery.window, frame.rate);
  const member = joinAs(session, core, channel, request, pattern);
  let recovered: boolean | undefined;
  try {
    describe(session, core, member, frame, where);
    const bound = setOwn(session.engine, channel.number, member, own);
    session.memberships?.bound(member, bound);
    if (frame.outbox !== undefined) applyOutbox(session, member, frame.outbox, "join.outbox.");
    if ((role & ROLE_SINK) !== 0) recovered = replay(session, core, channel, member, frame);
  } catch (error) {
    core.exports.memberRemove(session.id, member);
    session.memberships?.delete(member);
    throw error;
  }
  const { capacityEvents, capacityBytes } = session.memberships?.get(member)?.outbox ?? defaultOutbox;
  const credit = create(CreditSchema, {
    channelNumber: channel.number,
    events: BigInt(capacityEvents),
    bytes: BigInt(capacityBytes),
  });
  const joined = create(JoinedSchema, {
    ...refField(ref),
    member,
    channel: channel.name,
    channelNumber: channel.number,
    epoch: BigInt(core.epoch),
    ...((role & ROLE_SOURCE) === 0 ? {} : { credit }),
    ...(recovered === undefined ? {} : { recovered }),
    ...(pattern === undefined ? {} : { pattern: pattern.member }),
    ...(admission === undefined ? {} : { admission }),
  });
  return { member, recovered, admission, joined: create(HostFrameSchema, { kind: { case: "joined", value: joined } }) };
}

/**
 * Puts what the channel stores into the inbox. Answers leave before deliveries, so `joined` is still told first.
 *
 * @returns Whether all of it is there; undefined where the channel stores nothing and nothing was asked for.
 */
function replay(session: Session, core: Core, channel: ChannelView, member: number, frame: Join): boolean | undefined {
  const { after } = frame;
  if (frame.replay === false) return undefined;
  if (after === undefined) {
    if (channel.inForce.store.events === 0) return undefined;
    // A late joiner asks for what is stored: what went before it is no part of the question.
    const first = channel.sequence() - channel.stored();
    return core.exports.memberReplay(member, first, session.engine.clocks.service.now()) === 1;
  }
  const sameEpoch = after.epoch === BigInt(core.epoch);
  // A position of another epoch says nothing about this one's sequences: all that is stored may be new.
  const sequence = sameEpoch ? Number(after.sequence) : 0;
  const complete = core.exports.memberReplay(member, sequence, session.engine.clocks.service.now()) === 1;
  return complete && sameEpoch;
}

/** A source that came into being by publishing gives way to the one that joins, or a `single` channel would refuse it. */
function joinAs(
  session: Session,
  core: Core,
  channel: ChannelView,
  { frame, role, where, own }: JoinRequest,
  pattern: PatternMembership | undefined,
): number {
  const implicit = (role & ROLE_SOURCE) === 0 ? undefined : session.memberships?.implicitOf(channel.number);
  if (implicit !== undefined) {
    core.exports.memberRemove(session.id, implicit.member);
    session.memberships?.delete(implicit.member);
  }
  return addMember(session, core, channel, role, false, {
    where,
    filters: own.filters,
    pattern,
    rate: frame.rate,
    misses: frame.misses,
  });
}

/** Sets filter, types and attributes of a member that was just made. */
function describe(session: Session, core: Core, member: number, frame: Join, where: Where | undefined): void {
  const { types, attributes } = frame;
  if (where !== undefined) setWhere(core, member, where);
  if (types.length > 0) check(core, core.exports.memberTypes(member, placeTypes(core, types), types.length));
  if (Object.keys(attributes).length > 0) updateMember(session, core, create(UpdateSchema, { member, attributes }));
}

/**
 * Changes how a sink joined: types, filter and attributes are replaced, what waits stays.
 *
 * @param before How it joined; attributes that the new join does not name are taken away.
 * @throws {SluiceError} as {@link updateMember}; what is refused before the core is asked for anything else leaves it as it was.
 */
export function changeMember(
  session: Session,
  member: number,
  before: Join,
  { frame, where }: JoinRequest,
): Admission | undefined {
  const { core, channels } = session.engine;
  const channel = channels.get(session.memberships?.get(member)?.channel ?? "");
  const admission = channel && admitJoin(session, channel.name, channel.inForce.delivery.window, frame.rate);
  const remove = Object.keys(before.attributes).filter((name) => !(name in frame.attributes));
  // First what can be refused: then the rest is as it was.
  updateMember(session, core, create(UpdateSchema, { member, attributes: frame.attributes, remove }));
  check(core, core.exports.memberTypes(member, placeTypes(core, frame.types), frame.types.length));
  setWhere(core, member, where);
  session.memberships?.filter(member, where);
  session.memberships?.rate(member, frame.rate);
  return admission;
}

/**
 * Changes live attributes of a member of this session.
 *
 * @throws {SluiceError} `member_unknown`, `attribute_name`, `attributes_too_many`, `attributes_too_large`.
 */
export function updateMember(session: Session, core: Core, update: Update): void {
  const bytes = toBinary(UpdateSchema, update);
  const now = session.engine.clocks.service.now();
  check(core, core.exports.memberUpdate(session.id, placeScratch(core, bytes), bytes.length, now));
}

/** Tag of `member` in an Update, and the most bytes of its number. */
const TAG_MEMBER = 0x08;
const MEMBER_BYTES_MAX = 5;

/**
 * The same for many members, whose update is encoded once.
 *
 * @param update Its `member` is left out of account.
 * @returns Changes one member. It throws as {@link updateMember}.
 */
export function createUpdater(session: Session, core: Core, update: Update): (member: number) => void {
  const { attributes, remove } = update;
  const body = toBinary(UpdateSchema, create(UpdateSchema, { attributes, remove }));
  const bytes = new Uint8Array(1 + MEMBER_BYTES_MAX + body.length);
  bytes.set(body, 1 + MEMBER_BYTES_MAX);
  const now = session.engine.clocks.service.now();
  return (member) => {
    let size = 1;
    for (let rest = member >>> 7; rest !== 0; rest >>>= 7) size++;
    const from = MEMBER_BYTES_MAX - size;
    bytes[from] = TAG_MEMBER;
    for (let at = from + 1, rest = member; at <= MEMBER_BYTES_MAX; at++, rest >>>= 7)
      bytes[at] = at < MEMBER_BYTES_MAX ? (rest & 127) | 128 : rest;
    const frame = bytes.subarray(from);
    check(core, core.exports.memberUpdate(session.id, placeScratch(core, frame), frame.length, now));
  };
}

function check(core: Core, status: number): void {
  if (status === STATUS_OK) return;
  throw errorFromStatus(status, core.views.result[RESULT_VALUE] as number, core.views.result[RESULT_LIMIT] as number);
}

/**
 * Checks what can be checked of a join before anything happens.
 *
 * @returns The filter that it asks for.
 * @param path Of the join in the input, for errors: "join.", or "" where it is all of the input.
 * @throws {SluiceError} `not_supported`, `limit_reached`, `type_too_long`, `invalid_value`, naming the field; `expression`.
 */
export function assertJoin(frame: Join, path: string): Where | undefined {
  if (frame.dialect !== "" && frame.dialect !== "cesql") {
    throw new SluiceError(
      "invalid_value",
      `Cannot take ${path}dialect ${JSON.stringify(frame.dialect.slice(0, 32))}, it must be cesql or absent`,
      { value: frame.dialect.slice(0, 32), limit: ["cesql"] },
    );
  }
  const where = whereFrom(frame.where, frame.dialect);
  if (frame.misses && frame.role !== "source" && frame.role !== "both") {
    throw new SluiceError("invalid_value", `Cannot take ${path}misses of a sink, which is told of its misses anyway`, {
      value: `${path}misses`,
      limit: ["source", "both"],
    });
  }
  if (frame.outbox !== undefined) {
    if (frame.role !== "source" && frame.role !== "both") throw noSource(`${path}outbox`);
    outboxFromFrame(defaultOutbox, frame.outbox, `${path}outbox.`);
  }
  assertRate(frame.rate, `${path}rate`);
  assertTypes(frame.types, `${path}types`);
  return where;
}

function assertRate(rate: number | undefined, path: string): void {
  if (rate === undefined || (rate > 0 && rate <= limits.joinRate)) return;
  throw new SluiceError(
    "invalid_value",
    `Cannot set ${path} to ${rate}, it must be above 0 and at most ${limits.joinRate}`,
    {
      value: Number.isFinite(rate) ? rate : String(rate),
      limit: [0, limits.joinRate],
    },
  );
}

/**
 * Checks a list of event types.
 *
 * @param path Of the list in the input, for errors.
 * @throws {SluiceError} `limit_reached`, `type_too_long` or `invalid_value`.
 */
export function assertTypes(types: readonly string[], path: string): void {
  if (types.length > limits.types) {
    throw new SluiceError("limit_reached", `${types.length} types in ${path} are too many, limit is ${limits.types}`, {
      value: types.length,
      limit: limits.types,
    });
  }
  for (const [index, type] of types.entries()) {
    const bytes = encoder.encode(type).length;
    if (bytes === 0) throw new SluiceError("invalid_value", `The type ${path}[${index}] is empty`, { value: type });
    if (bytes > limits.typeBytes) {
      throw new SluiceError(
        "type_too_long",
        `A type of ${bytes} bytes in ${path}[${index}] is too long, limit is ${limits.typeBytes}`,
        {
          value: bytes,
          limit: limits.typeBytes,
        },
      );
    }
  }
}
