/**
 * Monitors: the sources of an application. Each has an outbox of its own on every channel it is a source of.
 */
import { toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import type { Service } from "../../service.ts";
import type { EmitterOptions, OutboxDepth } from "../../session/emitter.ts";
import type { AttributeValue } from "../../session/subscription.ts";
import { type EventInput, eventFrom, type Receipt, receiptFrom } from "./event.ts";

/** What a monitor brings along. */
export interface MonitorOptions extends EmitterOptions {
  /** Hears once that it has left. */
  readonly onLeave?: () => void;
}

/** A source of one channel or several. */
export interface Monitor {
  /** Channels that it is a source of, the first one first. */
  readonly channels: readonly string[];
  /**
   * Publishes one event. When this returns the event is in the outbox, and in most cases in the inboxes already; handlers are
   * called in a later turn of the event loop, never from within. A receipt with `sequence` 0 means that a sink blocks and the
   * event waits in the outbox.
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
  /** What waits in the outbox of a channel, the first where none is named, because a sink blocks. */
  outbox(channel?: string): OutboxDepth;
  /** Is a source of that channel no more, or of none. What waits in the outbox is still delivered. */
  leave(channel?: string): void;
}

/**
 * Makes a monitor.
 *
 * @throws {SluiceError} as its first join is refused.
 */
export function createMonitor(service: Service, channel: string, options: MonitorOptions = {}): Monitor {
  const emitter = service.emitter(channel, options);
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
    leave(name) {
      if (name === undefined) return emitter.close();
      emitter.leave(name);
      if (emitter.channels.length === 0) emitter.close();
    },
  };
}
