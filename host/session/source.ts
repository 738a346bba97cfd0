/**
 * Sources that come into being by publishing.
 */
import { RESULT_LIMIT, RESULT_STATUS, RESULT_VALUE, ROLE_MISSES, ROLE_SINK, ROLE_SOURCE } from "../../core-wasm/abi.ts";
import type { ChannelView } from "../channel/channel.ts";
import type { Core } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import { publishChannelFrom } from "./decode.ts";
import { Memberships, type PatternMembership } from "./memberships.ts";
import type { OwnFilters } from "./own-filters.ts";
import type { Session } from "./session.ts";
import type { Where } from "./where.ts";

/**
 * Makes this session a source of the channel that a publish names.
 *
 * @param frame The encoded ClientFrame.
 * @throws {SluiceError} `malformed`, `channel_unknown`, `source_taken`, `limit_reached`, `channel_name`.
 */
export function makeImplicitSource(session: Session, core: Core, frame: Uint8Array): void {
  const { name, number } = publishChannelFrom(frame);
  const { channels } = session.engine;
  const channel = number === 0 ? channels.resolve(name) : channels.byNumber(number);
  if (channel === undefined)
    throw new SluiceError("channel_unknown", `There is no channel number ${number}`, { value: number });
  addMember(session, core, channel, ROLE_SOURCE, true);
}

/**
 * Adds a member to a channel, in the core and in the session's book.
 *
 * @param noted What else the book has of it; the core is told by setWhere() and setOwn().
 * @param role ROLE_… bits.
 * @returns The member's number.
 * @throws {SluiceError} `source_taken`, `limit_reached`, `store_full`.
 */
export function addMember(
  session: Session,
  core: Core,
  channel: ChannelView,
  role: number,
  implicit: boolean,
  noted: {
    readonly where?: Where | undefined;
    readonly filters?: OwnFilters | undefined;
    /** What brought it, if it was a pattern. */
    readonly pattern?: PatternMembership | undefined;
    readonly rate?: number | undefined;
    /** Whether it is told of misses, as a source. */
    readonly misses?: boolean;
  } = {},
): number {
  const joins = session.engine.options.joins;
  session.memberships ??= new Memberships(ROLE_SINK);
  if (session.memberships.count >= joins) {
    throw new SluiceError(
      "limit_reached",
      `Cannot join "${channel.name}", this session has ${joins} memberships, limit is ${joins}`,
      {
        value: joins,
        limit: joins,
      },
    );
  }
  const { where, filters, pattern, rate, misses } = noted;
  const told = misses === true && (role & ROLE_SOURCE) !== 0 ? ROLE_MISSES : 0;
  const member = core.exports.memberAdd(session.id, channel.number, role | told);
  if (member === 0) {
    const { result } = core.views;
    throw errorFromStatus(
      result[RESULT_STATUS] as number,
      result[RESULT_VALUE] as number,
      result[RESULT_LIMIT] as number,
    );
  }
  session.memberships.add({
    member,
    channelNumber: channel.number,
    channel: channel.name,
    role,
    implicit,
    ...(where === undefined ? {} : { where: { text: where.text, dialect: where.dialect } }),
    ...(filters === undefined ? {} : { filters }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(rate === undefined ? {} : { rate }),
  });
  return member;
}
