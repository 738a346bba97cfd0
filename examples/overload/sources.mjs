/**
 * What the plant says: samples that a bus brings once per cycle, and a log whenever there is something to log.
 */
import { createRandom } from "../lib/random.mjs";
import { streamsOf } from "./mix.mjs";

/** How old a sample is at most when the bus brings it, as a share of the period. */
const AGE_MAX = 0.25;

/** All streams of the plant, over one session. */
export class Sources {
  /** Events said so far, by channel. @type {Map<string, number>} */
  sent = new Map();
  #clock;
  #pace;
  #untilMs;
  #random;
  #streams;

  /**
   * @param {import("../lib/session.mjs").Session} session
   * @param {import("../lib/clock.mjs").Clock} clock
   * @param {{ pace: import("./mix.mjs").Pace, untilMs: number, seed: number }} options `untilMs` from when it starts.
   */
  constructor(session, clock, { pace, untilMs, seed }) {
    this.#clock = clock;
    this.#pace = pace;
    this.#untilMs = untilMs;
    this.#random = createRandom(seed, "samples");
    this.#streams = streamsOf().map(({ channel, of }) => {
      this.sent.set(channel, 0);
      return { channel, of, say: session.join({ channel, role: "source" }).publish };
    });
    for (const [index, stream] of this.#streams.entries()) {
      if (stream.of.window !== null) continue;
      const gaps = createRandom(seed, `gaps ${index}`);
      this.#repeat(
        () => gaps.exponential(pace.periodMs),
        () => this.#say(stream, {}),
      );
    }
    this.#repeat(
      () => pace.periodMs,
      () => this.#cycle(),
    );
  }

  /** The samples of all streams, one after the other, in whatever order they got the bus. */
  #cycle() {
    const { periodMs } = this.#pace;
    const left = this.#streams.filter(({ of }) => of.window !== null);
    while (left.length > 0) {
      const [stream] = left.splice(this.#random.below(left.length), 1);
      // A sample is worth something for a period and the time that it may have waited for the bus; the younger, the longer.
      const ageMs = this.#random.next() * AGE_MAX * periodMs;
      if (stream !== undefined) this.#say(stream, { ttlMs: Math.ceil((1 + AGE_MAX) * periodMs - ageMs) });
    }
  }

  /** @param {{ channel: string, of: import("./mix.mjs").StreamClass, say: (event: import("sluice").EventInput) => void }} stream @param {{ ttlMs?: number }} lifetime */
  #say({ channel, of, say }, lifetime) {
    const number = this.sent.get(channel) ?? 0;
    this.sent.set(channel, number + 1);
    say({ type: of.name, ...lifetime, data: { number, at: this.#clock.now(), withinMs: lifetime.ttlMs ?? null } });
  }

  /** @param {() => number} gapMs @param {() => void} run */
  #repeat(gapMs, run) {
    const from = this.#clock.now();
    let due = 0;
    const wait = () => {
      due += gapMs();
      // By when it is due, not from the last one on: a late timer must not slow a stream down.
      if (due < this.#untilMs) this.#clock.setTimer(turn, from + due - this.#clock.now());
    };
    const turn = () => {
      run();
      wait();
    };
    wait();
  }
}
