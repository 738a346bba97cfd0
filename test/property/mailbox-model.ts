/**
 * A mailbox in plain TypeScript, written from docs/mailboxes.md and docs/delivery.md: lists that are searched and sorted, and nothing
 * clever. One sink with explicit credit, some channels, one source with an outbox for each.
 */

export type Ordering = "fifo" | "lifo" | "priority" | "deadline" | "priority+deadline" | "time" | "window";
export type Overflow = "drop-oldest" | "drop-newest" | "drop-lowest" | "keep-latest" | "reject" | "block";

/** One event. */
export interface Item {
  readonly id: string;
  readonly channel: number;
  /** "": none. */
  readonly key: string;
  readonly priority: number;
  /** Infinity: none. */
  readonly deadline: number;
  readonly time: number;
}

/** One that waits. */
interface Waiting extends Item {
  arrival: number;
  /** The newest of its key, by which a newer one finds it. */
  newest: boolean;
}

interface Kept {
  readonly number: number;
  readonly item: Item;
  attempts: number;
  sentMs: number;
  again: boolean;
}

type Compare = (one: Waiting, other: Waiting) => number;

/** Two infinities are equal. */
const difference = (one: number, other: number): number => (one === other ? 0 : one - other);
const first: Compare = (one, other) => one.arrival - other.arrival;
const urgent: Compare = (one, other) => other.priority - one.priority;
const soon: Compare = (one, other) => difference(one.deadline, other.deadline);

/** What leaves first, but for arrival; and whether that goes the other way round. */
const ranks: Readonly<Record<Ordering, Compare>> = {
  fifo: () => 0,
  window: () => 0,
  lifo: (one, other) => other.arrival - one.arrival,
  priority: urgent,
  deadline: (one, other) => soon(one, other) || urgent(one, other),
  "priority+deadline": (one, other) => urgent(one, other) || soon(one, other),
  time: (one, other) => one.time - other.time,
};
const lowest: Compare = (one, other) => one.priority - other.priority || -soon(one, other) || -first(one, other);

/** See the head of this file. */
export class MailboxModel {
  ordering: Ordering = "fifo";
  overflow: Overflow = "drop-oldest";
  capacity = 1_000;
  held = false;
  stalled = false;
  credit = 0;
  delivered = 0;
  waiting: Waiting[] = [];
  /** In the order in which they were sent last, and those of them that are to be sent again. */
  kept: Kept[] = [];
  again: Kept[] = [];
  readonly outboxes: Item[][];
  /** Channels that the sink is in, the last one that it joined first. */
  joined: number[];
  /** Losses, as "overflow 0". */
  readonly lost = new Map<string, number>();
  readonly #explicit: { readonly redeliverMs: number; readonly attempts: number } | undefined;
  #arrivals = 0;

  constructor(channels: number, explicit: { readonly redeliverMs: number; readonly attempts: number } | undefined) {
    this.outboxes = Array.from({ length: channels }, () => []);
    this.joined = Array.from({ length: channels }, (_, index) => channels - 1 - index);
    this.#explicit = explicit;
  }

  /** Returns whether the publisher is refused. */
  publish(item: Item): boolean {
    const outbox = this.outboxes[item.channel] as Item[];
    if (this.joined.includes(item.channel) && (this.stalled || outbox.length > 0)) {
      outbox.push(item);
      return false;
    }
    if (this.overflow === "reject" && this.waiting.length >= this.#room()) return true;
    this.#enter(item);
    return false;
  }

  #room(): number {
    return Math.max(0, this.capacity - this.kept.length);
  }

  #lose(reason: string, { channel }: Item): void {
    const name = `${reason} ${channel}`;
    this.lost.set(name, (this.lost.get(name) ?? 0) + 1);
  }

  #enter(item: Item): void {
    const fresh = { ...item, arrival: this.#arrivals++, newest: false };
    if (this.overflow === "drop-newest" && this.waiting.length >= this.#room()) return this.#lose("overflow", item);
    if (this.overflow === "keep-latest" && item.key !== "") {
      const same = this.waiting.find((old) => old.newest && old.key === item.key && old.channel === item.channel);
      fresh.newest = true;
      if (same !== undefined) {
        this.#lose("conflated", same);
        if (this.ordering !== "lifo" && ranks[this.ordering](same, fresh) === 0) {
          this.waiting[this.waiting.indexOf(same)] = { ...fresh, arrival: same.arrival };
          return this.#trim();
        }
        this.#remove(same);
      }
    }
    this.waiting.push(fresh);
    if (this.overflow !== "block") return this.#trim();
    const { length } = this.kept;
    if ((this.waiting.length + length) * 2 >= Math.max(this.capacity, length)) this.stalled = true;
  }

  #remove(item: Waiting): void {
    this.waiting = this.waiting.filter((other) => other !== item);
  }

  #trim(): void {
    while (this.waiting.length > this.#room()) {
      const victim = [...this.waiting].sort(this.overflow === "drop-lowest" ? lowest : first)[0] as Waiting;
      this.#lose("overflow", victim);
      this.#remove(victim);
    }
  }

  /** Puts other policies in force. */
  patch(ordering: Ordering, overflow: Overflow, capacity: number): void {
    const anew = ordering !== this.ordering || overflow !== this.overflow;
    Object.assign(this, { ordering, overflow, capacity });
    if (anew) {
      const seen = new Set<string>();
      for (const item of [...this.waiting].sort(first).reverse()) {
        const name = `${item.channel} ${item.key}`;
        item.newest = overflow === "keep-latest" && item.key !== "" && !seen.has(name);
        seen.add(name);
      }
    }
    if (overflow !== "block") this.#trim();
    this.#release();
  }

  /** Lets publishers go on where there is room again. */
  #release(): void {
    const { length } = this.kept;
    const full = (this.waiting.length + length) * 4 > Math.max(this.capacity, length);
    if (!this.stalled || (this.overflow === "block" && full)) return;
    this.stalled = false;
    for (const channel of this.joined) {
      const outbox = this.outboxes[channel] as Item[];
      while (!this.stalled && outbox.length > 0) {
        const item = outbox.shift() as Item;
        if (this.overflow !== "reject" || this.waiting.length < this.#room()) this.#enter(item);
      }
    }
  }

  /** What leaves until nothing does: "number/attempt id". */
  drain(now: number): string[] {
    const left: string[] = [];
    for (let before = -1; before !== left.length; ) {
      before = left.length;
      if (this.held) break;
      while (this.again.length > 0 && this.credit > 0) {
        const kept = this.again.shift() as Kept;
        kept.attempts++;
        this.#sent(kept, now);
        left.push(`${kept.number}/${kept.attempts} ${kept.item.id}`);
      }
      while (this.waiting.length > 0 && this.credit > 0) {
        const item = [...this.waiting].sort((one, other) => ranks[this.ordering](one, other) || first(one, other))[0];
        this.#remove(item as Waiting);
        const kept = { number: ++this.delivered, item: item as Item, attempts: 1, sentMs: now, again: false };
        left.push(`${kept.number}/1 ${kept.item.id}`);
        this.#sent(kept, now);
      }
      this.#release();
    }
    return left;
  }

  #sent(kept: Kept, now: number): void {
    this.credit--;
    kept.sentMs = now;
    kept.again = false;
    if (this.#explicit !== undefined) this.kept = [...this.kept.filter((other) => other !== kept), kept];
  }

  acknowledge(numbers: (number: number) => boolean): void {
    this.kept = this.kept.filter(({ number }) => !numbers(number));
    this.again = this.again.filter(({ number }) => !numbers(number));
    this.#release();
  }

  /** Returns how many are given up. */
  tick(now: number): number {
    if (this.#explicit === undefined) return 0;
    const { redeliverMs, attempts } = this.#explicit;
    const before = this.kept.length;
    for (let level = 0; level < 6; level++) {
      for (const kept of [...this.kept]) {
        if (kept.again || Math.min(kept.attempts - 1, 5) !== level || kept.sentMs + redeliverMs * 2 ** level > now)
          continue;
        if (kept.attempts >= attempts) this.kept = this.kept.filter((other) => other !== kept);
        else {
          kept.again = true;
          this.again.push(kept);
        }
      }
    }
    return before - this.kept.length;
  }

  /** The session is back, and has all up to `received`. */
  resume(received: number, now: number): void {
    for (const kept of this.kept) if (!kept.again) kept.sentMs = now;
    const missed = this.kept.filter(({ number }) => number > received).sort((one, other) => one.number - other.number);
    this.again = this.again.filter(({ number }) => number <= received);
    for (const kept of missed) {
      if (!kept.again) this.credit++;
      kept.again = true;
      this.again.push(kept);
    }
  }

  /** Leaves a channel and joins it again. */
  rejoin(channel: number): void {
    const gone = this.waiting.filter((item) => item.channel === channel);
    for (const item of [...gone, ...this.kept.map(({ item: one }) => one).filter((one) => one.channel === channel)])
      this.#lose("left", item);
    this.waiting = this.waiting.filter((item) => !gone.includes(item));
    this.kept = this.kept.filter(({ item }) => item.channel !== channel);
    this.again = this.again.filter(({ item }) => item.channel !== channel);
    this.joined = this.joined.filter((other) => other !== channel);
    this.#release();
    // What its source held back goes on its way to nobody.
    this.outboxes[channel] = [];
    this.joined = [channel, ...this.joined];
  }

  /** A key of which nothing was delivered is cancelled. */
  cancel(channel: number, key: string): void {
    const hit = (item: Item): boolean => item.channel === channel && item.key === key;
    for (const item of this.waiting.filter(hit)) this.#lose("cancelled", item);
    this.waiting = this.waiting.filter((item) => !hit(item));
    this.outboxes[channel] = (this.outboxes[channel] as Item[]).filter((item) => !hit(item));
  }
}
