/**
 * The transitions of one contract as server-sent events.
 *
 * What is sent is read from the contract's history, so a client that reads slowly keeps no memory, and one that comes back goes on
 * where it was, as far as the history goes; what it has missed beyond that is told as a `gap`.
 */
import type { Clock } from "../clock.ts";
import type { Transition } from "../contract/contract.ts";
import type { ContractObserver } from "../contract/observers.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import { notice, settings } from "../socket/sse/render.ts";

/** What a stream reads. */
export interface TransitionSource {
  /** The last transitions, the newest last. Throws where the contract is not there. */
  history(): readonly Transition[];
  /** Tells this contract from others of its name, before or in another life of the host. */
  readonly series: string;
  observe(observer: ContractObserver): () => void;
}

/** How a stream is opened. */
export interface TransitionStreamOptions {
  readonly clock: Clock;
  /** Silence after which a comment is sent. */
  readonly pingMs: number;
  readonly retryMs: number;
  /** What the client has seen last; absent: it is new, and gets what comes. */
  readonly lastEventId?: string | undefined;
  /** The client is gone. */
  readonly gone: AbortSignal;
}

/** A transition as it is shown. */
export function shownTransition(transition: Transition): object {
  return { ...transition, at: new Date(transition.at).toISOString() };
}

/** What may lie in a stream that nobody reads. */
const STREAM_BYTES = 65_536;
/** Looks at a stream that nobody reads, before it is ended. */
const STALLED_MAX = 3;

/** Streams of this host. */
export class TransitionStreams {
  #count = 0;

  /** @throws {SluiceError} `limit_reached`; what the source throws. */
  open(source: TransitionSource, options: TransitionStreamOptions): ReadableStream<Uint8Array> {
    if (this.#count >= limits.contractStreams)
      throw new SluiceError(
        "limit_reached",
        `Cannot open another stream, limit is ${limits.contractStreams} of transitions`,
        {
          value: this.#count,
          limit: limits.contractStreams,
        },
      );
    this.#count++;
    return openStream(source, options, () => {
      this.#count--;
    });
  }
}

function openStream(
  { history, series, observe }: TransitionSource,
  { clock, pingMs, retryMs, lastEventId, gone }: TransitionStreamOptions,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const idOf = (number: number): string => `${series}-${number}`;
  const newest = history().at(-1)?.number ?? 0;
  const known = lastEventId === undefined ? newest : numberFrom(lastEventId, series, newest);
  let sent = known ?? 0;
  let stalled = 0;
  let isOver = false;
  let refill = (): void => {};
  let cancelBeat = (): void => {};
  let unobserve = (): void => {};

  const end = (): void => {
    if (isOver) return;
    isOver = true;
    cancelBeat();
    unobserve();
    onEnd();
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const say = (text: string): void => controller.enqueue(encoder.encode(text));
        const close = (): void => {
          if (isOver) return;
          end();
          controller.close();
        };
        unobserve = observe({
          moved: () => refill(),
          ended(reason) {
            if (isOver) return;
            say(reason === "drain" ? notice("drain", { retryMs }) : notice("left", { reason: "contract_removed" }));
            close();
          },
        });
        gone.addEventListener("abort", end, { once: true });
        const beat = (): void => {
          if ((controller.desiredSize ?? 0) > 0) {
            stalled = 0;
            say(":\n\n");
          } else if (++stalled === STALLED_MAX) return close();
          cancelBeat = clock.setTimer(beat, pingMs);
        };
        cancelBeat = clock.setTimer(beat, pingMs);
        say(settings({ retryMs, id: idOf(sent) }));
        // Nobody knows what came before in a contract that was another one.
        if (known === undefined)
          say(notice("gap", { reason: "unknown_position", lastEventId: lastEventId?.slice(0, 128) }));
        refill = (): void => {
          for (const transition of history()) {
            if (transition.number <= sent || (controller.desiredSize ?? 0) <= 0) continue;
            const missed = transition.number - sent - 1;
            if (missed > 0) say(notice("gap", { reason: "evicted", missed }));
            say(`id: ${idOf(transition.number)}\ndata: ${JSON.stringify(shownTransition(transition))}\n\n`);
            sent = transition.number;
          }
        };
        refill();
      },
      pull: () => {
        if (!isOver) refill();
      },
      cancel: end,
    },
    { highWaterMark: STREAM_BYTES, size: (chunk) => chunk.length },
  );
}

/** The number in an id of ours; undefined where it is of another contract, or was never reached. */
function numberFrom(id: string, series: string, newest: number): number | undefined {
  const at = id.lastIndexOf("-");
  const number =
    id.slice(0, at) === series && /^\d{1,15}$/.test(id.slice(at + 1)) ? Number(id.slice(at + 1)) : undefined;
  return number !== undefined && number <= newest ? number : undefined;
}
