/**
 * Sessions without a socket: HTTP publishes and embedded use. They pass the very same core, so they see the same rules.
 */
import {
  EVENT_BYTES_MAX,
  FRAME_BYTES_MAX,
  OUT_SLOT_BYTES,
  PUBLISH_EVENTS_MAX,
  RESULT_VALUE,
  ROLE_SOURCE,
} from "../../core-wasm/abi.ts";
import type { ChannelView } from "../channel/channel.ts";
import { type Core, SCRATCH_AT } from "../core/instance.ts";
import { firstNumber } from "../core/views.ts";
import { SluiceError } from "../errors.ts";
import type { HostFrame } from "../gen/sluice/v1/frame_pb.ts";
import type { ConnectionAdapter } from "./connection.ts";
import type { Engine } from "./engine.ts";
import type { Ref } from "./frames.ts";
import { HEADER_BYTES, type LocalDelivery, placePublish, readDeliveries } from "./local-frames.ts";
import { pumpFrame } from "./pump.ts";
import { derivedIdPrefix, type Outcome, outcomesFromCore } from "./receipt.ts";
import { Session } from "./session.ts";
import { addMember } from "./source.ts";
import { CLOSED } from "./state.ts";

export type { LocalDelivery } from "./local-frames.ts";

/** What became of one published event. */
export type PublishResult =
  | {
      readonly id: string;
      readonly sequence: number;
      readonly epoch: number;
      /** Members selected, and the hosts they are on. */
      readonly sinks: number;
      readonly hosts: number;
      /** Selected members whose inbox refused it; absent for none. */
      readonly refused?: number;
    }
  | { readonly problem: SluiceError };

/** Nothing to write to: output is taken by {@link LocalSession.take}. */
const nowhere: ConnectionAdapter = Object.freeze({
  write: () => true,
  pendingBytes: () => 0,
  end: () => {},
  destroy: () => {},
});

const none: readonly Outcome[] = Object.freeze([]);

/** Whether an event was taken and selected no sink; one that still waits in its outbox has no sequence. */
function isUnheard({ problem, sequence, sinks }: Outcome): boolean {
  return problem === undefined && sequence !== 0 && sinks === 0;
}

/** A session of this process. */
export class LocalSession extends Session {
  #outcomes: Outcome[] | undefined = undefined;
  #problem: SluiceError | undefined = undefined;
  /** Beginning of the ids of a channel, by its number: a session lives as long as the core whose epoch is in it. */
  #idsOf = 0;
  #idPrefix = "";
  readonly #onFrame: (frame: HostFrame) => void;
  readonly #onDeliveries: (deliveries: LocalDelivery[]) => void;

  /**
   * @param onDeliveries Gets each batch; what it throws is logged.
   * @param onFrame Gets what else the host says: drops, and the end of a membership.
   */
  constructor(
    engine: Engine,
    number: number,
    onDeliveries: (deliveries: LocalDelivery[]) => void,
    onFrame: (frame: HostFrame) => void,
  ) {
    super(engine, "local", nowhere, number);
    this.#onDeliveries = onDeliveries;
    this.#onFrame = onFrame;
  }

  override answer(frame: HostFrame): void {
    this.#onFrame(frame);
  }

  override problem(error: SluiceError, _ref: Ref): void {
    this.engine.counters.problems++;
    this.#problem ??= error;
  }

  override receipt(core: Core): void {
    this.#outcomes = outcomesFromCore(core);
  }

  /**
   * Publishes, in as many frames as needed.
   *
   * @param events Encoded Events; the core checks what is in them.
   * @returns One result per event, in their order.
   * @throws {SluiceError} `source_taken` and the like, where no event was looked at.
   */
  publish(channel: ChannelView, events: readonly Uint8Array[]): PublishResult[] {
    const { core } = this.engine;
    const present = this.memberships?.ofChannel(channel.number)[0];
    const member = present?.member ?? this.#becomeSource(core, channel);
    try {
      return this.#publishAll(core, channel, events);
    } finally {
      // A single channel's one place is not kept by a request that is over; who has joined keeps it.
      const passing = channel.inForce.source === "single" && present?.implicit !== false;
      if (passing && this.engine.core === core) this.#leave(core, member);
    }
  }

  /** The one publisher of a host may well publish to more channels than a session can be in: the oldest place goes. */
  #becomeSource(core: Core, channel: ChannelView): number {
    const { memberships } = this;
    const oldest = memberships?.oldest();
    if (oldest !== undefined && (memberships?.count ?? 0) >= this.engine.options.joins) this.#leave(core, oldest);
    return addMember(this, core, channel, ROLE_SOURCE, true);
  }

  #leave(core: Core, member: number): void {
    core.exports.memberRemove(this.id, member);
    this.memberships?.delete(member);
  }

  #publishAll(core: Core, channel: ChannelView, events: readonly Uint8Array[]): PublishResult[] {
    const results: PublishResult[] = [];
    while (results.length < events.length) {
      const from = results.length;
      const end = frameEnd(events, from);
      if (end === from) {
        results.push({ problem: tooLarge((events[from] as Uint8Array).length) });
        continue;
      }
      const whole = from === 0 && end === events.length;
      const outcomes = this.#publishFrame(core, channel, whole ? events : events.slice(from, end));
      for (let index = 0; index < end - from; index += 1) results.push(this.#resultFrom(core, outcomes[index]));
    }
    return results;
  }

  #publishFrame(core: Core, channel: ChannelView, events: readonly Uint8Array[]): readonly Outcome[] {
    this.#outcomes = undefined;
    this.#problem = undefined;
    const bytes = placePublish(core, channel.number, events);
    try {
      pumpFrame(this, bytes);
    } catch (error) {
      // What was taken before is decided and delivered all the same.
      this.engine.flusher.schedule();
      throw error;
    }
    const outcomes = this.#outcomes ?? none;
    // What nobody gets mostly leaves nothing to be done: neither goes it to another channel, nor waits it for a moment.
    if (!outcomes.every(isUnheard) || core.exports.flushDue() !== 0) this.engine.flusher.schedule();
    return outcomes;
  }

  #resultFrom(core: Core, outcome: Outcome | undefined): PublishResult {
    if (outcome === undefined) {
      return {
        problem:
          this.#problem ??
          new SluiceError("core_restarted", "The core was restarted while it took this event, which may be lost"),
      };
    }
    if (outcome.problem !== undefined) return { problem: outcome.problem };
    return {
      id: outcome.givenId || this.#derivedId(core, outcome),
      sequence: outcome.sequence,
      epoch: core.epoch,
      sinks: outcome.sinks,
      hosts: outcome.hosts,
      ...(outcome.refused > 0 ? { refused: outcome.refused } : {}),
    };
  }

  /** As derivedId(); most publishes are to the channel of the last one. */
  #derivedId(core: Core, { channelNumber, sequence }: Outcome): string {
    if (channelNumber !== this.#idsOf) {
      this.#idsOf = channelNumber;
      this.#idPrefix = derivedIdPrefix(this.engine.options.hostId, core.epoch, channelNumber);
    }
    return this.#idPrefix + sequence.toString(36);
  }

  /** Takes what the core has for this session. Returns whether there may be more. */
  take(): boolean {
    const { core } = this.engine;
    const { bytes } = core.views;
    const length = core.exports.drain(this.id, SCRATCH_AT, OUT_SLOT_BYTES, this.engine.clocks.service.now());
    if (length === 0) return false;
    const left = core.views.result[RESULT_VALUE] !== 0;
    // One copy, for the handler may keep events as long as it likes.
    const deliveries = readDeliveries(bytes.slice(SCRATCH_AT, SCRATCH_AT + length), {
      firstNumber: firstNumber(core.views),
      epoch: core.epoch,
      channelName: (channelNumber) => this.memberships?.ofChannel(channelNumber)[0]?.channel ?? "",
      onFrame: this.#onFrame,
    });
    const { tracing } = this.engine;
    if (tracing.active !== 0) tracing.drained(this, null, bytes.subarray(SCRATCH_AT, SCRATCH_AT + length));
    if (deliveries.length > 0) this.#onDeliveries(deliveries);
    if (tracing.active !== 0) tracing.written(this);
    return left;
  }

  /** Ends it; nothing more is delivered. */
  stop(): void {
    if (this.state !== CLOSED) this.guard(() => this.release());
  }

  override abandon(): void {
    this.state = CLOSED;
    this.engine.forget(this);
  }
}

/** Behind the last of the events from `from` that fit one frame; `from` where not even that one may be published. */
function frameEnd(events: readonly Uint8Array[], from: number): number {
  const most = Math.min(events.length, from + PUBLISH_EVENTS_MAX);
  let bytes = 4 * HEADER_BYTES;
  let end = from;
  for (; end < most; end += 1) {
    const { length } = events[end] as Uint8Array;
    bytes += length + HEADER_BYTES;
    if (length > EVENT_BYTES_MAX || bytes > FRAME_BYTES_MAX) break;
  }
  return end;
}

function tooLarge(bytes: number): SluiceError {
  return new SluiceError("event_too_large", `An event of ${bytes} bytes is too large, limit is ${EVENT_BYTES_MAX}`, {
    value: bytes,
    limit: EVENT_BYTES_MAX,
  });
}
