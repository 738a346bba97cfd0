/**
 * Cascades: events that handlers publish because of events.
 *
 * What is published while a handler runs, behind its `await`s too, carries how many events led to it, as an attribute: so it is
 * known wherever the event goes, after a restart and in another process. Loops end where the count reaches its limit.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { SluiceError } from "../../errors.ts";
import type { AttributeValue } from "../../session/subscription.ts";

/** The attribute that counts. */
export const HOPS_ATTRIBUTE = "cascade_hops";

/** What a handler is at work on. */
export interface Cause {
  /** Events that led to the one at hand; 0: it was published by nobody's handler. */
  readonly hops: number;
  readonly hopsMax: number;
  /** Hears of each event that was one too many. */
  readonly refused: () => void;
}

const present = new AsyncLocalStorage<Cause>();

/** Runs a handler; what it publishes is caused by what it is at work on. */
export function causedBy<Result>(cause: Cause, run: () => Result): Result {
  return present.run(cause, run);
}

/** How many events led to one. */
export function hopsOf(attributes: Readonly<Record<string, AttributeValue>> | undefined): number {
  const hops = attributes?.[HOPS_ATTRIBUTE];
  return typeof hops === "number" && hops > 0 ? Math.floor(hops) : 0;
}

/**
 * Notes on an event what caused it.
 *
 * @returns The event itself where no handler is at work.
 * @throws {SluiceError} `limit_reached` for one hop too many.
 */
export function cascaded<Input extends { readonly attributes?: Readonly<Record<string, AttributeValue>> }>(
  input: Input,
): Input {
  const cause = present.getStore();
  if (cause === undefined) return input;
  const hops = cause.hops + 1;
  if (hops > cause.hopsMax) {
    cause.refused();
    throw new SluiceError(
      "limit_reached",
      `Cannot publish, ${cause.hops} events led to this one already, limit is ${cause.hopsMax}: do handlers answer one another?`,
      { value: hops, limit: cause.hopsMax },
    );
  }
  return { ...input, attributes: { ...input.attributes, [HOPS_ATTRIBUTE]: hops } };
}
