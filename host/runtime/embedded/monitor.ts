/**
 * Monitors: the sources of an application. Each has an outbox of its own on every channel it is a source of.
 */
import { toBinary } from "@bufbuild/protobuf";
import { checkWith } from "../../check.ts";
import { EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import type { Service } from "../../service.ts";
import type { EmitterOptions, EmitterOutbox } from "../../session/emitter.ts";
import type { OutboxDepth } from "../../session/outbox.ts";
import type { AttributeValue } from "../../session/subscription.ts";
import { outboxFromChecked } from "../../socket/json/client.ts";
import { outboxSchema } from "../../socket/json/schema/client.ts";
import { type EventInput, eventFrom, type Receipt, receiptFrom } from "./event.ts";

/** Settings of the outboxes of a monitor, chosen independently of those of inboxes; what is absent stays as it is. */
export interface MonitorOutbox {
  /** Which waiting event leaves first, as of inboxes; `fifo` where nobody says. */
  readonly ordering?: string;
  /** Events and bytes that may wait; 8,192 and 4 MiB where nobody says. */
  readonly capacityEvents?: number;
  readonly capacityBytes?: number;
  /** What happens when it is full, as of inboxes; `block`, where nobody says, refuses what comes. */
  readonly overflow?: string;
  /** Nothing leaves it. */
  readonly held?: boolean;
}

/** What a monitor brings along. */
export interface MonitorOptions extends Omit<EmitterOptions, "outbox"> {
  readonly outbox?: MonitorOutbox;
  /** Hears once that it has left. */
  readonly onLeave?: () => void;
}

/** A source of one channel or several. */
export interface Monitor {
  /** Channels that it is a source of, the first one first. */
  readonly channels: readonly string[];
  /**
   * Publishes one event. When this returns the event is in the outbox, and in most cases in the inboxes already; handlers are
   * called in a later turn of the event loop, never from within. A receipt with `sequence` 0 means that the event waits in the
   * outbox, because a sink blocks or the outbox is held, or that it gave way there.
   *
   * @param options `channel`: another one than the first.
   * @throws {SluiceError} where it is refused: `no_credit` for a full outbox, `limit_reached` for a cascade that is too long,
   *   and as the table of codes says.
   */
  emit(event: EventInput, options?: { readonly channel?: string }): Receipt;
  /** Becomes a source of another channel. @throws {SluiceError} `source_taken` and as a join is refused. */
  join(channel: string): void;
  /** Changes live attributes on all channels; null takes one away. */
  update(attributes: Readonly<Record<string, AttributeValue | null>>): void;
  /** What waits in the outbox of a channel, the first where none is named, because a sink blocks or it is held. */
  outbox(channel?: string): OutboxDepth;
  /**
   * Changes the outboxes of all channels, those that it joins later included, or that of one. What waits is put in the new order, and
   * none is lost.
   *
   * @throws {SluiceError} `invalid_value`, `not_member`.
   */
  configure(settings: MonitorOutbox, channel?: string): void;
  /** Is a source of that channel no more, or of none. What waits in the outbox is still delivered. */
  leave(channel?: string): void;
}

/**
 * Makes a monitor.
 *
 * @throws {SluiceError} as its first join is refused.
 */
export function createMonitor(service: Service, channel: string, options: MonitorOptions = {}): Monitor {
  const { outbox, ...rest } = options;
  const emitter = service.emitter(channel, {
    ...rest,
    ...(outbox === undefined ? {} : { outbox: outboxFrom(outbox) }),
  });
  emitter.onClose(() => options.onLeave?.());
  return {
    get channels() {
      return emitter.channels;
    },
    emit(event, { channel: named = emitter.channels[0] ?? channel } = {}) {
      return receiptFrom(emitter.emit(named, toBinary(EventSchema, eventFrom(event))));
    },
    join: (name) => emitter.join(name),
    update: (attributes) => emitter.update(attributes),
    outbox: (name = emitter.channels[0] ?? channel) => emitter.outbox(name),
    configure: (settings, name) => emitter.configure(outboxFrom(settings), name),
    leave(name) {
      if (name === undefined) return emitter.close();
      emitter.leave(name);
      if (emitter.channels.length === 0) emitter.close();
    },
  };
}

/** Checked as JSON frames are. @throws {SluiceError} `invalid_value`, `unknown_field`. */
function outboxFrom(settings: MonitorOutbox): EmitterOutbox {
  return outboxFromChecked(checkWith(outboxSchema, settings));
}
