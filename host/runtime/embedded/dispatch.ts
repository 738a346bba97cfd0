/**
 * Handing one event to the handlers it is for: all of them are called, whatever becomes of the others, and the event is over
 * when the last one is.
 */
import type { Clock } from "../../clock.ts";
import { type Cause, causedBy } from "./cascade.ts";
import type { ReceivedEvent } from "./event.ts";
import type { AttachedHandler, HandlerContext } from "./handler.ts";

/** A call of a handler that came to nothing. */
export interface HandlerFailure {
  /** What it threw; a `TimeoutError` where it took too long. */
  readonly error: unknown;
  readonly event: ReceivedEvent;
  readonly context: HandlerContext;
}

/** What calling handlers depends on. */
export interface Calling {
  /** The real one: it rules how long to wait. */
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly cause: Cause;
  readonly event: ReceivedEvent;
  readonly context: HandlerContext;
  readonly onFailure: (failure: HandlerFailure) => void;
}

/** Those whose call failed. */
type Failed = readonly AttachedHandler[];

/**
 * Calls handlers, in their order; those that return promises go on side by side.
 *
 * @returns Those that failed; a promise of it where any returned one. It is never rejected.
 */
export function callAll(handlers: readonly AttachedHandler[], calling: Calling): Failed | Promise<Failed> {
  const failed: AttachedHandler[] = [];
  let waiting: Promise<void>[] | undefined;
  const fail = (handler: AttachedHandler, error: unknown): void => {
    handler.errors++;
    failed.push(handler);
    calling.onFailure({ error, event: calling.event, context: calling.context });
  };
  for (const handler of handlers) {
    handler.calls++;
    try {
      const returned = causedBy(calling.cause, () => handler.run(calling.event, calling.context));
      if (!isThenable(returned)) continue;
      waiting ??= [];
      waiting.push(settled(returned, calling).then(undefined, (error) => fail(handler, error)));
    } catch (error) {
      fail(handler, error);
    }
  }
  return waiting === undefined ? failed : Promise.all(waiting).then(() => failed);
}

/** The same promise, but for one that takes too long: what becomes of it then is nobody's matter. */
function settled(returned: PromiseLike<unknown>, { clock, timeoutMs }: Calling): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(() => {
      reject(Object.assign(new Error(`A handler took longer than ${timeoutMs} ms`), { name: "TimeoutError" }));
    }, timeoutMs);
    returned.then(
      () => {
        cancel();
        resolve();
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
