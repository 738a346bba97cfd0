/**
 * A subscription within the process: a session of its own, which is joined again after a restart of the core.
 */
import { create } from "@bufbuild/protobuf";
import { isPattern } from "../channel/pattern.ts";
import { SluiceError } from "../errors.ts";
import { type Value, ValueSchema } from "../gen/sluice/v1/event_pb.ts";
import { type HostFrame, type Inbox, InboxSchema, JoinSchema, UpdateSchema } from "../gen/sluice/v1/frame_pb.ts";
import type { AttributeValue } from "../interface.ts";
import type { Engine } from "./engine.ts";
import { defaultInbox, inboxFromFrame } from "./inbox.ts";
import { join, updateMember } from "./join.ts";
import type { LocalSession } from "./local.ts";
import type { LocalDelivery } from "./local-frames.ts";

/** What a subscriber wants. */
export interface SubscriptionOptions {
  /** Event types; none: any. */
  readonly types?: readonly string[];
  /** Only events of which this expression holds. */
  readonly where?: string;
  /** Language of `where`: `cesql` is the pure CloudEvents SQL. */
  readonly dialect?: "cesql";
  /** Live attributes of the member. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Capacity and overflow of its inbox. */
  readonly inbox?: Pick<Partial<Inbox>, "capacityEvents" | "capacityBytes" | "overflow">;
  /** Gets each batch, at most once per loop turn. What it throws is logged. */
  readonly onEvents: (deliveries: readonly LocalDelivery[]) => void;
  /** Hears of deliveries that this subscription will not get. */
  readonly onDropped?: (dropped: { readonly count: number; readonly reason: string }) => void;
  /** The subscription is over for another reason than close(): the channel was deleted. */
  readonly onEnd?: (reason: string) => void;
  /** It is over, for whatever reason. */
  readonly onOver?: () => void;
}

/** A live subscription. */
export interface Subscription {
  /** The member's number in this epoch. */
  readonly member: number;
  /** Changes live attributes; null takes one away. @throws {SluiceError} as the update of a session is refused. */
  update(attributes: Readonly<Record<string, AttributeValue | null>>): void;
  /** Holds deliveries back in the inbox, whose policy then rules, or lets them go. */
  hold(held: boolean): void;
  /** Ends it; what waits is discarded. */
  close(): void;
}

/** What lives in this process and goes on in a new core, as the service sees it. */
export interface Managed {
  /** Opens it, or opens it again in a new core. */
  open(): void;
  /** Ends it. */
  close(): void;
  /** Calls back once it is over. */
  onClose(listener: () => void): void;
}

/** A subscription as the service sees it. */
export interface ManagedSubscription extends Subscription, Managed {}

export type { AttributeValue } from "../interface.ts";

/** Opens a local session; the service knows how. */
export type OpenLocal = (
  onDeliveries: (deliveries: LocalDelivery[]) => void,
  onFrame: (frame: HostFrame) => void,
) => LocalSession;

/** Makes a subscription, not open yet. */
export function createSubscription(
  engine: Engine,
  channel: string,
  options: SubscriptionOptions,
  openLocal: OpenLocal,
): ManagedSubscription {
  const listeners: (() => void)[] = [];
  let session: LocalSession | undefined;
  let member = 0;
  let over = false;

  const end = (): void => {
    if (over) return;
    over = true;
    session?.stop();
    for (const listener of listeners) listener();
    options.onOver?.();
  };

  const deliver = (deliveries: LocalDelivery[]): void => {
    if (over) return;
    try {
      options.onEvents(deliveries);
    } catch (error) {
      engine.log.error("subscriber failed", { channel, error });
    }
  };

  const hear = ({ kind }: HostFrame): void => {
    // What a pattern follows is told, too, and is no subscription by itself.
    if (kind.case === "joined" && kind.value.pattern === undefined) member = kind.value.member;
    else if (kind.case === "dropped")
      options.onDropped?.({ count: Number(kind.value.count), reason: kind.value.reason });
    else if (kind.case === "left" && kind.value.member === member) {
      end();
      options.onEnd?.(kind.value.reason);
    }
  };

  return {
    get member() {
      return member;
    },
    open() {
      if (over) throw new SluiceError("internal", "A subscription that is over cannot be opened again");
      session = openLocal(deliver, hear);
      try {
        applyInbox(engine, session, options);
        const { types = [], attributes = {}, where = "", dialect = "" } = options;
        join(
          session,
          create(JoinSchema, { channel, types: [...types], where, dialect, attributes: valuesFrom(attributes) }),
          undefined,
          "",
        );
      } catch (error) {
        session.stop();
        throw error;
      }
    },
    update(attributes) {
      if (session === undefined || over) return;
      const remove = Object.keys(attributes).filter((name) => attributes[name] === null);
      const update = create(UpdateSchema, { member, attributes: valuesFrom(attributes), remove });
      if (isPattern(channel)) engine.patterns.update(session, update);
      else updateMember(session, engine.core, update);
      // What waits for a sink may qualify for this one now.
      engine.flusher.schedule();
    },
    hold(held) {
      if (session === undefined || over) return;
      engine.core.exports.inboxHold(session.id, held ? 1 : 0);
      engine.flusher.schedule();
    },
    close: end,
    onClose(listener) {
      listeners.push(listener);
    },
  };
}

/** Live attributes as frames have them. Whole numbers that doubles hold exactly travel as such, as in JSON frames. */
export function valuesFrom(attributes: Readonly<Record<string, AttributeValue | null>>): Record<string, Value> {
  const values: Record<string, Value> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "boolean") values[name] = create(ValueSchema, { kind: { case: "boolean", value } });
    else if (typeof value === "string") values[name] = create(ValueSchema, { kind: { case: "text", value } });
    else if (Number.isSafeInteger(value))
      values[name] = create(ValueSchema, { kind: { case: "integer", value: BigInt(value as number) } });
    else if (value !== null) values[name] = create(ValueSchema, { kind: { case: "number", value } });
  }
  return values;
}

function applyInbox(engine: Engine, session: LocalSession, { inbox }: SubscriptionOptions): void {
  if (inbox === undefined) return;
  const settings = inboxFromFrame(defaultInbox, create(InboxSchema, inbox), "inbox.");
  engine.core.exports.inboxSet(session.id, settings.capacityEvents, settings.capacityBytes, settings.overflow);
}
