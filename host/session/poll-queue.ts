/**
 * Polls of one mailbox that wait for something to take: first come, first served, each with its time-out.
 */
import type { Clock } from "../clock.ts";
import { isSluiceError, SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { InboxDropped, Polled, PollWanted } from "./mailbox-view.ts";

interface Waiting {
  readonly wanted: PollWanted;
  /** Answers it. Its timer and its listener are gone afterwards. */
  readonly answer: (polled: Polled) => void;
  readonly refuse: (error: unknown) => void;
}

const nothing: Polled = Object.freeze({ entries: [], dropped: [] });

/** See the head of this file. */
export class PollQueue {
  readonly #clock: Clock;
  readonly #take: (wanted: PollWanted) => Polled["entries"];
  #waiting: Waiting[] = [];
  /** Drops that nobody was told yet; at most one entry per channel and reason. */
  #untold = new Map<string, InboxDropped>();

  /**
   * @param clock The real one: HTTP waits are for people and proxies.
   * @param take Takes deliveries out of the mailbox.
   */
  constructor(clock: Clock, take: (wanted: PollWanted) => Polled["entries"]) {
    this.#clock = clock;
    this.#take = take;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** @throws {SluiceError} `rate_limited` where too many wait already, and what taking throws. */
  poll(wanted: PollWanted): Polled | Promise<Polled> {
    if (wanted.signal?.aborted === true) return nothing;
    // Whoever waits was here first: what is there is for them, as far as they ask for it.
    if (this.#waiting.length > 0) this.ready();
    const entries = this.#takes(wanted) ? this.#take(wanted) : [];
    if (entries.length > 0 || wanted.waitMs === 0) return this.#polled(entries);
    if (this.#waiting.length >= limits.inboxPolls) {
      throw new SluiceError(
        "rate_limited",
        `Cannot wait, ${this.#waiting.length} polls of this inbox wait already, limit is ${limits.inboxPolls}`,
        { value: this.#waiting.length, limit: limits.inboxPolls },
      );
    }
    return this.#wait(wanted);
  }

  /** There may be something to take. @throws What taking throws, where that is no refusal. */
  ready(): void {
    for (const waiting of [...this.#waiting]) {
      try {
        const entries = this.#take(waiting.wanted);
        if (entries.length > 0) waiting.answer(this.#polled(entries));
        // Those behind would get nothing either.
        else if (waiting.wanted.picked === undefined) return;
      } catch (error) {
        waiting.refuse(error);
        if (!isSluiceError(error)) throw error;
      }
    }
  }

  /** Whether there may be something for a new poll: nobody who waits would take whatever there is. */
  #takes({ picked }: PollWanted): boolean {
    return picked !== undefined || !this.#waiting.some(({ wanted }) => wanted.picked === undefined);
  }

  /** Notes deliveries that will not come. */
  dropped(channel: string, reason: string, count: number): void {
    const key = `${reason}\n${channel}`;
    const before = this.#untold.get(key)?.count ?? 0;
    this.#untold.set(key, { channel, reason, count: before + count });
  }

  /** Answers all that wait with nothing. */
  end(): void {
    for (const { answer } of [...this.#waiting]) answer(this.#polled([]));
  }

  /** Refuses all that wait. */
  fail(error: SluiceError): void {
    for (const { refuse } of [...this.#waiting]) refuse(error);
  }

  #polled(entries: Polled["entries"]): Polled {
    const dropped = [...this.#untold.values()];
    this.#untold.clear();
    return { entries, dropped };
  }

  #wait(wanted: PollWanted): Promise<Polled> {
    return new Promise((resolve, reject) => {
      const { signal } = wanted;
      const settle = (): void => {
        cancel();
        signal?.removeEventListener("abort", giveUp);
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
      };
      const waiting: Waiting = {
        wanted,
        answer: (polled) => {
          settle();
          resolve(polled);
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      // Nobody reads that answer: what was dropped is told to the next one who asks.
      const giveUp = (): void => waiting.answer(nothing);
      const cancel = this.#clock.setTimer(() => waiting.answer(this.#polled([])), wanted.waitMs);
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(waiting);
    });
  }
}
