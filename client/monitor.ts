/** Sources with an outbox of their own, and a publisher that gathers. */
import type { AnyMonitor, AttributeChanges, EventInput, Receipt } from "../host/interface.ts";
import { closedError, type SluiceError } from "./errors.ts";
import { defaultGathering, type Gathering, Outgoing, type SourceSettings } from "./outgoing.ts";
import { type PublishOptions, publishOne, type TypedInput } from "./publishing.ts";
import type { StandardSchema } from "./schema.ts";
import { Session, type SessionSettings } from "./session.ts";
import { abortable } from "./wait.ts";

/** How a source is made. */
export interface MonitorOptions extends SourceSettings {
  /** How events are gathered into frames. */
  readonly gather?: Partial<Gathering>;
  /** Hears of refused events that were added without a receipt; the client's `onError` where absent. */
  readonly onError?: (error: SluiceError) => void;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** A source with an outbox of its own. */
export interface Monitor<Data = unknown> extends AnyMonitor {
  /** Publishes one event. @throws {SluiceError} where it is refused. */
  emit(event: TypedInput<Data>, options?: PublishOptions): Promise<Receipt>;
  /**
   * Publishes without a receipt, gathered as `gather` says: the way for many events.
   *
   * @returns Undefined where more may be added at once, else a promise of when: await it, and memory stays bounded.
   * @throws {SluiceError} for what is no event, and where the source is over.
   */
  add(event: TypedInput<Data>): Promise<void> | undefined;
  /** Sends what was gathered, and is resolved once the host has all of it. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  update(attributes: AttributeChanges): Promise<void>;
  /** Is a source no more. What was added is sent before. */
  leave(): Promise<void>;
}

/** Makes a source: a session of its own. @param onOver It is over, for whatever reason. */
export function createMonitor<Data>(
  root: { readonly settings: SessionSettings; readonly onError: (error: unknown) => void },
  channel: string,
  options: MonitorOptions,
  schema: StandardSchema | undefined,
  onOver: () => void,
): Monitor<Data> {
  const { gather, onError = root.onError, signal: ending, ...source } = options;
  ending?.throwIfAborted();
  const outgoing = new Outgoing({ ...source }, onError);
  const session = new Session(root.settings, {
    onWelcome: (welcome) => outgoing.onWelcome(welcome),
    onFrame: (frame) => outgoing.onFrame(frame),
    onEnd(reason) {
      outgoing.onEnd(reason);
      onOver();
    },
  });
  outgoing.use(session);
  const gathering = gatheringFor({ ...defaultGathering, ...gather }, source);
  let leaving: Promise<void> | undefined;
  const leave = async (): Promise<void> => {
    await outgoing.settled().catch(() => {});
    outgoing.leave();
    session.close(closedError("the source"));
  };
  const end = (): Promise<void> => {
    leaving ??= leave();
    return leaving;
  };
  return {
    emit: (event, publish = {}) => publishOne({ outgoing, channel, gathering, schema }, event, publish),
    add(event) {
      if (schema !== undefined) throw new TypeError("Events of a typed channel are checked: use emit()");
      outgoing.add(channel, event as EventInput, gathering);
      return outgoing.room();
    },
    flush: ({ signal } = {}) => abortable(outgoing.settled(), signal),
    update: (attributes) => outgoing.update(attributes),
    leave: end,
  };
}

/** Batches that a small outbox takes: half of it, since that is what is granted again at a time. */
function gatheringFor(gathering: Gathering, { outbox = {} }: SourceSettings): Gathering {
  const { capacityEvents = Number.POSITIVE_INFINITY, capacityBytes = Number.POSITIVE_INFINITY } = outbox;
  return {
    lingerMs: gathering.lingerMs,
    events: Math.max(1, Math.min(gathering.events, 4_096, Math.floor(capacityEvents / 2))),
    bytes: Math.max(1, Math.min(gathering.bytes, 524_288, Math.floor(capacityBytes / 2))),
  };
}
