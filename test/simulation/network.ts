/**
 * A network and its hosts in virtual time, from a seed: messages are lost, doubled, late, and overtake one another; links break, hosts
 * stand still, die and come back, and their clocks differ. A run of minutes takes milliseconds, and the same seed gives the same run.
 */
import type { Message, Outgoing } from "../../host/group/message.ts";
import { createRandom, type Random } from "../hostile/mutate.ts";

/** What may happen at one moment: a machine that asks to be woken at once again and again would never end. */
const MOMENT_HAPPENINGS_MAX = 100_000;

/** A host's machine: what this network drives. */
export interface Machine<Happening> {
  readonly nextAtMs: number;
  receive(message: Message, nowMs: number): void;
  tick(nowMs: number): void;
  take(): { messages: Outgoing[]; events: Happening[] };
}

/** What goes wrong with messages. */
export interface Weather {
  /** The shortest and the longest way, in milliseconds. Where they differ, messages overtake one another. */
  readonly delayMs: readonly [number, number];
  /** Of 100 messages, how many are lost. */
  readonly lostPercent: number;
  /** Of 100 messages, how many arrive twice. */
  readonly doubledPercent: number;
}

/** Nothing goes wrong. */
export const fair: Weather = { delayMs: [1, 5], lostPercent: 0, doubledPercent: 0 };

/** One life of one host. */
export interface Place<Node> {
  readonly url: string;
  readonly machine: Node;
  /** Its clock shows this much more than the simulation's. */
  readonly skewMs: number;
  /** Messages that it has sent and received, and their size as JSON where it is counted. */
  sent: number;
  received: number;
  bytes: number;
}

interface Inside<Node> extends Place<Node> {
  pausedUntilMs: number;
  /** Messages that came while it stood still. */
  readonly waiting: Message[];
  /** When it is to be woken; a wake at another time is void. */
  wakeAtMs: number;
  isUp: boolean;
}

/** The network. */
export class Network<Happening, Node extends Machine<Happening> = Machine<Happening>> {
  /** Now, by nobody's clock. */
  nowMs = 0;
  weather = fair;
  /** Whether bytes are counted; it takes time. */
  countsBytes = false;
  readonly random: Random;
  readonly #queue = new Queue();
  readonly #byUrl = new Map<string, Inside<Node>>();
  readonly #happened: (place: Place<Node>, events: readonly Happening[]) => void;
  #isBlocked: ((from: string, to: string) => boolean) | undefined;

  constructor(seed: number, happened: (place: Place<Node>, events: readonly Happening[]) => void = () => {}) {
    this.random = createRandom(seed);
    this.#happened = happened;
  }

  /** Hosts that are up, by address. */
  get places(): Place<Node>[] {
    return [...this.#byUrl.values()].filter(({ isUp }) => isUp);
  }

  /** Starts a host at an address, in the place of a former one if there was one. `make` gets its clock's time. */
  start(url: string, make: (nowMs: number, random: () => number) => Node, skewMs = 0): Place<Node> {
    const fraction = createRandom(this.random(2 ** 31));
    const machine = make(this.nowMs + skewMs, () => fraction(2 ** 30) / 2 ** 30);
    const place: Inside<Node> = {
      url,
      machine,
      skewMs,
      sent: 0,
      received: 0,
      bytes: 0,
      pausedUntilMs: 0,
      waiting: [],
      wakeAtMs: Number.POSITIVE_INFINITY,
      isUp: true,
    };
    this.#byUrl.set(url, place);
    this.#after(place);
    return place;
  }

  /** Lets a host do something, such as writing an entry; what follows from it is sent. */
  act(place: Place<Node>, run: (machine: Node, nowMs: number) => void): void {
    run(place.machine, this.nowMs + place.skewMs);
    this.#after(place as Inside<Node>);
  }

  /** Ends a host at once: nobody is told. */
  kill(place: Place<Node>): void {
    (place as Inside<Node>).isUp = false;
  }

  /** Has a host stand still; what is sent to it meanwhile waits. */
  pause(place: Place<Node>, forMs: number): void {
    const inside = place as Inside<Node>;
    inside.pausedUntilMs = Math.max(inside.pausedUntilMs, this.nowMs + forMs);
    this.#queue.push(inside.pausedUntilMs, () => this.#resume(inside));
  }

  /** Breaks the ways for which it holds, given by their addresses; undefined heals all. Messages that are on the way arrive. */
  block(isBlocked: ((from: string, to: string) => boolean) | undefined): void {
    this.#isBlocked = isBlocked;
  }

  /** Has something happen in some time that is neither a message nor a timer of a host. */
  later(inMs: number, run: () => void): void {
    this.#queue.push(this.nowMs + inMs, run);
  }

  /** Lets time pass. */
  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    let left = MOMENT_HAPPENINGS_MAX;
    for (let next = this.#queue.take(untilMs); next !== undefined; next = this.#queue.take(untilMs)) {
      left = next.atMs > this.nowMs ? MOMENT_HAPPENINGS_MAX : left - 1;
      if (left === 0) throw new Error(`Time stands still at ${this.nowMs}`);
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = untilMs;
  }

  /** Lets time pass until something holds, looking every 10 ms. @returns How long that took; undefined if it was not in time. */
  runUntil(holds: () => boolean, withinMs: number): number | undefined {
    const startMs = this.nowMs;
    while (!holds()) {
      if (this.nowMs - startMs >= withinMs) return undefined;
      this.run(10);
    }
    return this.nowMs - startMs;
  }

  #deliver(url: string, message: Message): void {
    const place = this.#byUrl.get(url);
    if (place === undefined || !place.isUp) return;
    if (this.nowMs < place.pausedUntilMs) {
      place.waiting.push(message);
      return;
    }
    place.received += 1;
    place.machine.receive(message, this.nowMs + place.skewMs);
    this.#after(place);
  }

  #resume(place: Inside<Node>): void {
    if (!place.isUp || this.nowMs < place.pausedUntilMs) return;
    // As in an event loop: timers that are due run before what came over sockets is read.
    place.machine.tick(this.nowMs + place.skewMs);
    for (const message of place.waiting.splice(0)) {
      place.received += 1;
      place.machine.receive(message, this.nowMs + place.skewMs);
    }
    this.#after(place);
  }

  #after(place: Inside<Node>): void {
    const { messages, events } = place.machine.take();
    for (const { to, message } of messages) this.#post(place, to.url, message);
    if (events.length > 0) this.#happened(place, events);
    const wakeAtMs = Math.max(place.machine.nextAtMs - place.skewMs, this.nowMs);
    if (wakeAtMs === place.wakeAtMs || wakeAtMs === Number.POSITIVE_INFINITY) return;
    place.wakeAtMs = wakeAtMs;
    this.#queue.push(wakeAtMs, () => {
      if (!place.isUp || place.wakeAtMs !== wakeAtMs) return;
      place.wakeAtMs = Number.POSITIVE_INFINITY;
      if (this.nowMs < place.pausedUntilMs) return;
      place.machine.tick(this.nowMs + place.skewMs);
      this.#after(place);
    });
  }

  #post(place: Inside<Node>, url: string, message: Message): void {
    const { delayMs, lostPercent, doubledPercent } = this.weather;
    place.sent += 1;
    if (this.countsBytes) place.bytes += JSON.stringify(message).length;
    if (this.#isBlocked?.(place.url, url) === true) return;
    if (this.random(100) < lostPercent) return;
    for (let copies = this.random(100) < doubledPercent ? 2 : 1; copies > 0; copies -= 1) {
      const [least, most] = delayMs;
      // 64ths, which floating point adds without a rest: otherwise a host with a skewed clock would be woken a hair too early.
      const atMs = this.nowMs + least + (most > least ? this.random((most - least) * 64) / 64 : 0);
      this.#queue.push(atMs, () => this.#deliver(url, message));
    }
  }
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** What is to happen, as a binary heap; what is due at the same moment happens in the order in which it was put in. */
class Queue {
  readonly #heap: Due[] = [];
  #order = 0;

  push(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const due = { atMs, order: this.#order, run };
    this.#order += 1;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(due, heap[above] as Due)) break;
      heap[at] = heap[above] as Due;
      at = above;
    }
    heap[at] = due;
  }

  /** The next one, if it is due by then. */
  take(untilMs: number): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > untilMs) return undefined;
    const last = heap.pop() as Due;
    if (heap.length === 0) return first;
    let at = 0;
    for (let below = 1; below < heap.length; below = at * 2 + 1) {
      const other = below + 1;
      const next = other < heap.length && isBefore(heap[other] as Due, heap[below] as Due) ? other : below;
      if (!isBefore(heap[next] as Due, last)) break;
      heap[at] = heap[next] as Due;
      at = next;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
