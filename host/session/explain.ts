/**
 * `explain`: what would become of an event at each sink of a channel, and why. The verdicts are the core's, from the same
 * tables that publishing reads; only the words of an expression that decided are found here.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import * as abi from "../../core-wasm/abi.ts";
import { placeScratch } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import { type Decisive, decisiveOf } from "../expression/decisive.ts";
import { parse } from "../expression/parse.ts";
import { viewOf } from "../expression/view.ts";
import { type Event, EventSchema } from "../gen/sluice/v1/event_pb.ts";
import type { Engine } from "./engine.ts";
import { reasonNamed, reasonOf, type Stage } from "./reasons.ts";
import type { Roster, RosterMember } from "./roster.ts";

/** What becomes of an event at a sink. */
export type Verdict = "delivered" | "rejected" | "held" | "dropped" | "unknown";

const verdicts: readonly (Verdict | undefined)[] = [undefined, "delivered", "rejected", "held", "dropped", "unknown"];

/** What would become of the event at one sink. */
export interface Explained {
  readonly member: RosterMember;
  readonly verdict: Verdict;
  /** Where it was decided; null for what is delivered. */
  readonly stage: Stage | null;
  readonly reason: string | null;
  readonly meaning: string | null;
  /** The part of its expression that decided. */
  readonly decisive?: Decisive;
  /** What waits in its inbox before the event. */
  readonly depth: { readonly events: number; readonly bytes: number };
}

/** The dry run of one event. */
export interface Explanation {
  /** The event as sinks would get it, but for its id. */
  readonly event: Event;
  /** The channel would not take it at all. */
  readonly refused?: SluiceError;
  /** In join order. */
  readonly sinks: readonly Explained[];
}

/** Who submits, for `echo`. */
export interface ExplainOptions {
  /** A member of the channel; the host itself where absent, which has no sinks. */
  readonly as?: number;
}

/**
 * Explains.
 *
 * @throws {SluiceError} `channel_unknown` (a dry run makes no channel), `member_unknown` for `as`, and what the event itself
 *   can be refused for.
 */
export function explain(
  engine: Engine,
  roster: Roster,
  name: string,
  given: Event,
  options: ExplainOptions = {},
): Explanation {
  const channel = engine.channels.get(name);
  if (channel === undefined) throw new SluiceError("channel_unknown", `There is no channel "${name}"`, { value: name });
  const { core, clocks } = engine;
  const submitter = options.as === undefined ? 0 : roster.connectionOf(name, options.as);
  const now = clocks.service.now();
  const event = filledIn(given, engine, channel.definition.delivery.priority, now);
  const bytes = toBinary(EventSchema, event);
  const members = new Map(roster.list(name).map((member) => [member.member, member]));
  const sinks: Explained[] = [];
  for (;;) {
    // Placed again for each page: a page of records is read before anything else uses the scratch.
    const at = placeScratch(core, bytes);
    const status = core.exports.explain(channel.number, submitter, at, bytes.length, sinks.length, now);
    const { result } = core.views;
    if (status !== abi.STATUS_OK) {
      const refused = errorFromStatus(status, result[abi.RESULT_VALUE] as number, result[abi.RESULT_LIMIT] as number);
      if (status !== abi.STATUS_TYPE_REFUSED) throw refused;
      return { event, refused, sinks: [] };
    }
    const count = result[abi.RESULT_COUNT] as number;
    for (let index = 0; index < count; index++) {
      const explained = read(engine, index, members, event);
      if (explained !== undefined) sinks.push(explained);
    }
    if (count < abi.EXPLAIN_RECORDS_MAX) return { event, sinks };
  }
}

/** One record of the core. */
function read(
  engine: Engine,
  index: number,
  members: ReadonlyMap<number, RosterMember>,
  event: Event,
): Explained | undefined {
  const { words } = engine.core.views;
  const at = (abi.RECEIPTS_OFFSET + index * abi.EXPLAIN_RECORD_BYTES) / 4;
  const member = members.get(words[at + abi.EXPLAIN_MEMBER] as number);
  const verdict = verdicts[words[at + abi.EXPLAIN_VERDICT] as number];
  if (member === undefined || verdict === undefined) return undefined;
  const found = reasonOf(words[at + abi.EXPLAIN_REASON] as number);
  const decisive = found?.reason === "where" ? decisiveAt(member, event) : undefined;
  const row = decisive !== undefined && decisive.missing.length > 0 ? reasonNamed("missing") : found;
  return {
    member,
    verdict,
    stage: row?.stage ?? null,
    reason: row?.reason ?? null,
    meaning: row?.meaning ?? null,
    ...(decisive === undefined ? {} : { decisive }),
    depth: {
      events: words[at + abi.EXPLAIN_EVENTS] as number,
      bytes: words[at + abi.EXPLAIN_BYTES] as number,
    },
  };
}

function decisiveAt(member: RosterMember, event: Event): Decisive | undefined {
  if (member.where === undefined) return undefined;
  const { text, dialect } = member.where;
  return decisiveOf(text, parse(text, dialect), viewOf(event, { attributes: member.attributes() }), dialect);
}

/** What the core would append: expressions may ask for it. */
function filledIn(given: Event, engine: Engine, priority: number, now: number): Event {
  const timeUs = given.timeUs ?? BigInt(Math.round(now * 1000));
  return create(EventSchema, {
    ...given,
    timeUs,
    source: given.source || `/host/${engine.options.hostId}`,
    ...(given.priority === undefined && priority !== 4 ? { priority } : {}),
  });
}
