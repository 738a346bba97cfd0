/**
 * A mailbox in plain TypeScript, written from docs/mailboxes.md and docs/delivery.md: lists that are searched and sorted, and nothing
 * clever. One sink, with explicit credit or polled, some channels, one source with an outbox for each. Time is in ms since the beginning.
 */
import { first, type Item, lowest, type Ordering, ranks, type Waiting } from "./mailbox-ranks.ts";
import { changeWindow, createStream, missed, precedence, type Stream, served, type Window } from "./window-model.ts";

export type Overflow = "drop-oldest" | "drop-newest" | "drop-lowest" | "keep-latest" | "reject" | "block";
/** What becomes of late events; an inbox may leave it to their channels. */
export type Late = "deliver" | "drop" | "divert";

interface Kept {
  readonly number: number;
  readonly item: Item;
  attempts: number;
  sentMs: number;
  again: boolean;
  /** By when it is to be acknowledged, and whether it was told that it was not. */
  deadline: number;
  told: boolean;
}

/** What became of the deadlines of a channel. */
export interface Account {
  met: number;
  missed: number;
  dropped: number;
  violations: number;
}

/** How the mailbox is used: what is redelivered when, whether it is polled, and what becomes of late events of each channel. */
export interface MailboxUse {
  readonly acks: { readonly redeliverMs: number; readonly attempts: number } | undefined;
  readonly polled: boolean;
  readonly late: readonly Late[];
}

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
  now = 0;
  late: Late | "channel" = "channel";
  serviceMs = 0;
  /** Misses, as "reason id", and ids of what was diverted, in no order. */
  told: string[] = [];
  readonly diverted: string[] = [];
  readonly accounts: Account[];
  readonly #use: MailboxUse;
  readonly #explicit: MailboxUse["acks"];
  readonly #windows: (Window | undefined)[];
  #streams = new Map<number, Stream>();
  /** When the newest event of a key that was delivered happened, as "0 key". */
  readonly #begun = new Map<string, number>();
  #arrivals = 0;

  constructor(use: MailboxUse) {
    const channels = use.late.length;
    this.outboxes = Array.from({ length: channels }, () => []);
    this.joined = Array.from({ length: channels }, (_, index) => channels - 1 - index);
    this.accounts = Array.from({ length: channels }, createAccount);
    this.#windows = Array.from({ length: channels }, () => undefined);
    this.#use = use;
    this.#explicit = use.acks;
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

  #account(channel: number): Account {
    return this.accounts[channel] as Account;
  }

  /** What becomes of what is late of a channel. */
  #fate(channel: number): Late {
    return this.late === "channel" ? (this.#use.late[channel] as Late) : this.late;
  }

  #miss(reason: string, { id, channel }: Item): void {
    this.#account(channel).missed++;
    this.told.push(`${reason} ${id}`);
  }

  /** It is late, and is not delivered any more. */
  #drop(item: Item): void {
    this.#lose("late", item);
    this.#account(item.channel).dropped++;
    if (this.#fate(item.channel) === "divert") this.diverted.push(item.id);
  }

  #enter(item: Item): void {
    const late = item.deadline < this.now;
    const kept = this.#fate(item.channel) === "deliver";
    if (late || (!kept && item.deadline < this.now + this.serviceMs)) {
      this.#miss(late ? "late" : "hopeless", item);
      if (!kept) return this.#drop(item);
    }
    const fresh = { ...item, arrival: this.#arrivals++, newest: false, told: late };
    if (this.overflow === "drop-newest" && this.waiting.length >= this.#room()) return this.#lose("overflow", item);
    if (this.overflow === "keep-latest" && item.key !== "" && item.control !== true) {
      const same = this.waiting.find((old) => old.newest && old.key === item.key && old.channel === item.channel);
      fresh.newest = true;
      if (same !== undefined) {
        this.#lose("conflated", same);
        if (this.ordering !== "lifo" && ranks[this.ordering](same, fresh) === 0) {
          this.waiting[this.waiting.indexOf(same)] = { ...fresh, arrival: same.arrival };
          this.#file(fresh.channel);
          return this.#trim();
        }
        this.#remove(same);
      }
    }
    this.waiting.push(fresh);
    this.#file(fresh.channel);
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

  /** The events of a channel, the oldest first. */
  #queue(channel: number): Waiting[] {
    return this.waiting.filter((item) => item.channel === channel).sort(first);
  }

  /** The stream of a channel that has events, where it has a window; a first event gives it a deadline. */
  #file(channel: number, again = false): void {
    const window = this.#windows[channel];
    const queue = this.#queue(channel);
    if (this.ordering !== "window" || window === undefined || queue.length === 0) return;
    const stream = this.#streams.get(channel) ?? createStream(window);
    this.#streams.set(channel, stream);
    if (queue.length > 1 && !again) return;
    if (!again || stream.deadline === Number.NEGATIVE_INFINITY)
      stream.deadline = Math.max(stream.deadline, this.now + window.periodMs);
  }

  /** Streams that have events, with the first of those; the one that goes first comes first. */
  #due(): { stream: Stream; item: Waiting }[] {
    return Array.from(this.#streams, ([channel, stream]) => ({ stream, item: this.#queue(channel)[0] as Waiting }))
      .filter(({ item }) => item !== undefined)
      .sort((one, other) => precedence(one.stream, other.stream, [one.item.arrival, other.item.arrival]));
  }

  /** Sets the window of a channel, or takes it away. */
  window(channel: number, window: Window | undefined): void {
    this.#windows[channel] = window;
    const stream = this.#streams.get(channel);
    if (window === undefined) this.#streams.delete(channel);
    else if (stream !== undefined) changeWindow(stream, window);
    this.#file(channel, true);
    this.look();
  }

  /** Time has passed, or something else is to become of what is late. */
  look(): void {
    for (let [next] = this.#due(); next !== undefined && next.stream.deadline < this.now; [next] = this.#due()) {
      const { stream, item } = next;
      if (stream.missed !== item.arrival) this.#miss("waited", item);
      stream.missed = item.arrival;
      if (missed(stream)) this.#account(item.channel).violations++;
      if (this.#fate(item.channel) === "deliver") continue;
      this.#remove(item);
      this.#drop(item);
    }
    for (const item of this.waiting.filter(({ deadline }) => deadline < this.now)) {
      const kept = this.#fate(item.channel) === "deliver";
      // A stream has deadlines of its own, and tells of those.
      if (!item.told && !(kept && this.#streams.has(item.channel))) this.#miss("waited", item);
      item.told = true;
      if (kept) continue;
      this.#remove(item);
      this.#drop(item);
    }
    for (const kept of this.kept) {
      if (kept.told || kept.deadline >= this.now) continue;
      kept.told = true;
      this.#miss("unacknowledged", kept.item);
    }
    this.#release();
  }

  /** Puts other policies in force. */
  patch(ordering: Ordering, overflow: Overflow, capacity: number, serviceMs = 0): void {
    const anew = ordering !== this.ordering || overflow !== this.overflow;
    const streams = ordering !== this.ordering;
    Object.assign(this, { ordering, overflow, capacity, serviceMs });
    if (streams) {
      this.#streams = new Map();
      for (let channel = 0; channel < this.#windows.length; channel++) this.#file(channel, true);
    }
    if (anew) {
      const seen = new Set<string>();
      for (const item of [...this.waiting].sort(first).reverse()) {
        const name = `${item.channel} ${item.key}`;
        if (item.control === true) continue;
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
  drain(): string[] {
    const left: string[] = [];
    for (let before = -1; before !== left.length; ) {
      before = left.length;
      if (this.held) break;
      while (this.credit > 0) {
        if (this.#againAny()) left.push(this.#again(this.again[0] as Kept));
        else if (this.waiting.length > 0) left.push(this.#leave(this.#next()));
        else break;
        // Whoever polls takes one by one.
        if (this.#use.polled) this.#release();
      }
      this.#release();
    }
    return left;
  }

  /** Whether there is something to be delivered again. What is late by then, and must not be, is dropped. */
  #againAny(): boolean {
    for (let [kept] = this.again; kept !== undefined; [kept] = this.again) {
      if (kept.deadline >= this.now || this.#fate(kept.item.channel) === "deliver") return true;
      this.#forget(kept);
      this.#lose("late", kept.item);
      this.#account(kept.item.channel).dropped++;
    }
    return false;
  }

  #forget(kept: Kept): void {
    this.kept = this.kept.filter((other) => other !== kept);
    this.again = this.again.filter((other) => other !== kept);
  }

  #again(kept: Kept): string {
    this.again = this.again.filter((other) => other !== kept);
    kept.attempts++;
    this.#sent(kept);
    return `${kept.number}/${kept.attempts} ${kept.item.id}`;
  }

  /** Which one leaves next. */
  #next(): Waiting {
    const [next] = [...this.waiting].sort((one, other) => ranks[this.ordering](one, other) || first(one, other)) as [
      Waiting,
    ];
    const due = this.#due();
    const [stream] = due;
    if (stream === undefined) return next;
    const [other] = this.waiting.filter(({ channel }) => !this.#streams.has(channel)).sort(first);
    const busyMs = (due.length + 1) * this.serviceMs;
    const risky = this.serviceMs === 0 || this.now + busyMs > stream.stream.deadline;
    return other === undefined || risky ? stream.item : other;
  }

  #leave(item: Waiting): string {
    const stream = this.#streams.get(item.channel);
    const [oldest] = this.#queue(item.channel);
    let { deadline } = item;
    // What is drawn out of a stream leaves the stream as it is.
    if (stream !== undefined && oldest === item) {
      deadline = stream.missed === item.arrival ? Number.POSITIVE_INFINITY : stream.deadline;
      served(stream);
    }
    this.#remove(item);
    if (item.key !== "" && item.control !== true) {
      const name = `${item.channel} ${item.key}`;
      this.#begun.set(name, Math.max(this.#begun.get(name) ?? 0, item.time));
    }
    const told = deadline < this.now;
    const kept = { number: ++this.delivered, item, attempts: 1, sentMs: 0, again: false, deadline, told };
    if (this.#explicit === undefined) this.#done(kept);
    this.#sent(kept);
    return `${kept.number}/1 ${item.id}`;
  }

  /** It is over: its deadline is met, or was missed. */
  #done({ deadline, item }: Kept): void {
    if (deadline !== Number.POSITIVE_INFINITY && deadline >= this.now) this.#account(item.channel).met++;
  }

  #sent(kept: Kept): void {
    this.credit--;
    kept.sentMs = this.now;
    kept.again = false;
    if (this.#explicit !== undefined) this.kept = [...this.kept.filter((other) => other !== kept), kept];
    // Whoever polls looks at what comes next, too.
    if (this.#use.polled) this.#againAny();
  }

  /** Takes at most so many of those that are asked for. */
  pick(wanted: (item: Item) => boolean, most: number): string[] {
    if (this.held) return [];
    const left: string[] = [];
    this.credit = Number.POSITIVE_INFINITY;
    const again = [...this.again];
    for (const kept of again) {
      if (!this.again.includes(kept)) continue;
      this.again = [kept, ...this.again.filter((other) => other !== kept)];
      if (this.#againAny() && this.again[0] === kept && left.length < most && wanted(kept.item))
        left.push(this.#again(kept));
    }
    // What was not asked for keeps its order.
    this.again = again.filter((kept) => this.again.includes(kept));
    const order = this.ordering === "window" ? ranks.fifo : ranks[this.ordering];
    for (const item of [...this.waiting].sort((one, other) => order(one, other) || first(one, other)))
      if (left.length < most && wanted(item)) left.push(this.#leave(item));
    this.credit = 0;
    this.#release();
    return left;
  }

  acknowledge(numbers: (number: number) => boolean): void {
    for (const kept of this.kept) if (numbers(kept.number)) this.#done(kept);
    this.kept = this.kept.filter(({ number }) => !numbers(number));
    this.again = this.again.filter(({ number }) => !numbers(number));
    this.#release();
  }

  /** Returns how many are given up. */
  tick(): number {
    if (this.#explicit === undefined) return 0;
    const { now } = this;
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
  resume(received: number): void {
    for (const kept of this.kept) if (!kept.again) kept.sentMs = this.now;
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
    this.#streams.delete(channel);
    this.accounts[channel] = createAccount();
    this.#release();
    // What its source held back goes on its way to nobody.
    this.outboxes[channel] = [];
    this.joined = [channel, ...this.joined];
  }

  /** A key is cancelled for all; whoever has got it is told. */
  cancel(channel: number, key: string): void {
    const hit = (item: Item): boolean => item.channel === channel && item.key === key && item.control !== true;
    for (const item of this.waiting.filter(hit)) this.#lose("cancelled", item);
    this.waiting = this.waiting.filter((item) => !hit(item));
    this.outboxes[channel] = (this.outboxes[channel] as Item[]).filter((item) => !hit(item));
    const begun = this.#begun.get(`${channel} ${key}`);
    if (begun !== undefined) {
      const id = `cancel ${key}`;
      const time = Math.max(begun, this.now);
      const control = {
        id,
        type: "cancel",
        channel,
        key,
        priority: 4,
        deadline: Number.POSITIVE_INFINITY,
        time,
        control: true,
      };
      if (this.overflow !== "reject" || this.waiting.length < this.#room()) this.#enter(control);
      // What waits for its acknowledgement is not delivered again, nor is what told of it.
      for (const kept of this.kept) if (kept.item.channel === channel && kept.item.key === key) this.#forget(kept);
    }
    this.#release();
  }
}

function createAccount(): Account {
  return { met: 0, missed: 0, dropped: 0, violations: 0 };
}
