/**
 * What a service manager is to an application. It is made by manager.ts.
 */
import type { InboxDropped } from "../../session/mailbox-view.ts";
import type { AttributeValue } from "../../session/subscription.ts";
import type { HandlerFailure } from "./dispatch.ts";
import type { Handler, HandlerFunction, HandlerOptions } from "./handler.ts";
import type { Monitor, MonitorOptions } from "./monitor.ts";

/** Settings of the inbox of a service manager, as `PATCH /v1/inboxes/{id}` takes them; null gives a default back. */
export interface ManagerInbox {
  readonly ordering?: string | null;
  readonly capacityEvents?: number | null;
  readonly capacityBytes?: number | null;
  readonly overflow?: string | null;
  /** `single` where it is absent: the next event is chosen when the one before is done. `batch` takes several at a time. */
  readonly select?: {
    readonly mode?: "single" | "batch";
    readonly events?: number;
    readonly bytes?: number;
    readonly delayMs?: number;
  } | null;
  /** What becomes of late events: `deliver`, `drop` or `divert`; `channel`, where it is absent: as their channels say. */
  readonly late?: string | null;
  /** With overflow `block`: from which share of its capacity on publishers wait, and down to which; 0.5 and 0.25 where absent. */
  readonly stallMark?: number | null;
  readonly releaseMark?: number | null;
  /** What the handlers take for one event, ms, for admission. */
  readonly serviceMs?: number | null;
  /** `explicit`: an event is acknowledged when all its handlers are done; those that failed get it again. */
  readonly ack?: "none" | "explicit" | null;
  readonly redeliverMs?: number | null;
  readonly attempts?: number | null;
  readonly deadLetter?: string | null;
  /** Events wait in the inbox. */
  readonly held?: boolean | null;
}

/** How a service manager is made. */
export interface ManagerOptions extends ManagerInbox {
  /** Live attributes of its memberships. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Events of handlers that may lead to another event; 16 where absent. */
  readonly hopsMax?: number;
  /** How long a handler may take, on the real clock; 30 s where absent. */
  readonly timeoutMs?: number;
  /** Hears of each call of a handler that failed; it is logged and counted in any case. */
  readonly onError?: (failure: HandlerFailure) => void;
  /** Hears of deliveries that will not be made. */
  readonly onDropped?: (dropped: InboxDropped) => void;
  /** The manager is over for another reason than leave(). */
  readonly onEnd?: (reason: string) => void;
}

/** What a service manager has and has done. */
export interface ManagerStatus {
  /** Id of its inbox, for `GET /v1/inboxes/{id}` and `sluice mailbox`. */
  readonly inbox: string;
  /** What waits in the inbox, and what was delivered and waits for its acknowledgement. */
  readonly waiting: number;
  readonly unacknowledged: number;
  readonly handlers: number;
  /** Events that were handed out, calls of handlers, and those that failed. */
  readonly events: number;
  readonly calls: number;
  readonly errors: number;
  /** Events that no handler wanted any more when they were handed out. */
  readonly unhandled: number;
  /** Events that handlers wanted to publish and that were one hop too many. */
  readonly cascadesRefused: number;
  /** Of events with a deadline: all handlers were done in time; they were not; none was started, since it was late already. */
  readonly deadlines: { readonly met: number; readonly missed: number; readonly dropped: number };
}

/** A named participant with one inbox, whatever the number of its handlers. */
export interface ServiceManager {
  readonly name: string;
  /**
   * Attaches a function to one channel or several, or to patterns of names.
   *
   * @throws {SluiceError} as a join is refused; `expression`, `inbox_unknown` for a manager that has left.
   */
  handler(channels: string | readonly string[], run: HandlerFunction, options?: HandlerOptions): Handler;
  /** Makes a source, which leaves with the manager. @throws {SluiceError} as a join is refused. */
  monitor(channel: string, options?: MonitorOptions): Monitor;
  /** Changes settings of the inbox while events wait: none is lost. @throws {SluiceError} `invalid_value` and others. */
  configure(settings: ManagerInbox): void;
  /** Changes live attributes of all its memberships; null takes one away. */
  update(attributes: Readonly<Record<string, AttributeValue | null>>): void;
  status(): ManagerStatus;
  /** Resolved once nothing waits in the inbox and no handler is at work, or when the manager is over. */
  settled(): Promise<void>;
  /** Ends it: what waits is discarded, handlers at work come to their end. */
  leave(): void;
}
