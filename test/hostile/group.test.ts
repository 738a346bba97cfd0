/**
 * A peer that links to a group and says whatever it likes: about itself, about others, in others' names.
 *
 * SLUICE_PROPERTY_SEED replays a run, SLUICE_PROPERTY_RUNS multiplies its length.
 */
import { expect, test } from "vitest";
import { Group } from "../../host/group/group.ts";
import type { Body, Message, RecordNews, Standing, SummaryLine } from "../../host/group/message.ts";
import { COUNTER_MAX, groupLimits } from "../../host/group/settings.ts";
import { createGroup, startGroup, startHost } from "../simulation/group.ts";
import { casesOfRun, createRandom, type Random, seedOfRun } from "./mutate.ts";

const IDS = ["h0", "h1", "h2", "evil", "x", "", "Not An Id", "a".repeat(65)];
const URLS = ["sim://h0", "sim://h1", "sim://evil", "", "u".repeat(600)];
const NUMBERS = [0, 1, 2, 3, 7, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e9, COUNTER_MAX, 2 ** 53];
const STANDINGS: readonly Standing[] = ["alive", "suspect", "dead", "left"];
const KEYS = ["channel/c", "members/c", "bytes/d", "channel/", "k", "", "k".repeat(600)];
const VALUES = [
  undefined,
  "",
  "{",
  '{"term":3,"revision":1,"definition":{}}',
  '{"term":9,"yields":"h1"}',
  "x".repeat(40_000),
];

/** Writes messages that have the right types and little else. */
class Liar {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  message(): Message {
    const from = { id: this.#of(IDS), url: this.#of(URLS), incarnation: this.#of(NUMBERS), version: this.#of(NUMBERS) };
    return { from, ...this.#body() };
  }

  #body(): Body {
    const fingerprint = this.#of(["0".repeat(16), "f".repeat(16), "", "zz"]);
    switch (this.#random(6)) {
      case 0:
        return { kind: "ping", fingerprint };
      case 1:
        return { kind: "ack", fingerprint };
      case 2:
        return { kind: "probe", host: { id: this.#of(IDS), url: this.#of(URLS) } };
      case 3:
        return { kind: "vouch", id: this.#of(IDS) };
      case 4:
        return { kind: "summary", complete: this.#random(2) === 0, lines: this.#some(() => this.#line()) };
      default:
        return { kind: "news", more: this.#random(2) === 0, records: this.#some(() => this.#record()) };
    }
  }

  #line(): SummaryLine {
    const [incarnation, version, floor] = [this.#of(NUMBERS), this.#of(NUMBERS), this.#of(NUMBERS)];
    return { id: this.#of(IDS), incarnation, version, floor, standing: this.#of(STANDINGS) };
  }

  #record(): RecordNews {
    // Sound ones are found by chance too seldom.
    const from = this.#random(3);
    const entries = this.#some((index) => {
      const value = this.#of(VALUES);
      const told = { key: this.#of(KEYS), version: from + index + 1, ageMs: this.#of([0, 5, 1e12]) };
      return value === undefined ? told : { ...told, value };
    });
    const id = this.#of(IDS);
    const [incarnation, joinedAtMs, floor] = [this.#of(NUMBERS), this.#of(NUMBERS), this.#of(NUMBERS)];
    const times = { joinedAtMs, standingAgeMs: this.#of(NUMBERS), standing: this.#of(STANDINGS) };
    return { id, url: this.#of(URLS), incarnation, ...times, from, to: from + entries.length, floor, entries };
  }

  #some<Value>(make: (index: number) => Value): Value[] {
    return Array.from({ length: this.#random(4) }, (_, index) => make(index));
  }

  #of<Value>(values: readonly Value[]): Value {
    return values[this.#random(values.length)] as Value;
  }
}

test("no message makes a host throw, hang, or send and keep more than its bounds allow", () => {
  const first = seedOfRun();
  for (let run = casesOfRun(100); run > 0; run -= 1) {
    const seed = first + run - 1;
    const liar = new Liar(seed);
    const random = createRandom(seed);
    const host = new Group({ id: "h0", url: "sim://h0", incarnation: 1, random: () => random(1e6) / 1e6 }, 0);
    host.registry.define("channel", "c", { own: true }, 0);
    let [nowMs, sent] = [0, 0];
    for (let turn = 0; turn < 200; turn += 1) {
      nowMs += random(100);
      try {
        host.receive(liar.message(), nowMs);
        if (nowMs >= host.nextAtMs) host.tick(nowMs);
      } catch (error) {
        throw new Error(`SLUICE_PROPERTY_SEED=${seed} repeats this`, { cause: error });
      }
      sent = Math.max(sent, host.take().messages.length);
    }
    expect(sent).toBeLessThanOrEqual(groupLimits.messages);
    expect(host.membership.hosts().length).toBeLessThanOrEqual(IDS.length);
    expect(host.membership.hosts().find(({ self }) => self)).toMatchObject({ id: "h0", state: "alive" });
  }
});

test("hosts that one peer slanders go on as a group, and it is gone from it when it has stopped", () => {
  for (let seed = 0; seed < casesOfRun(3); seed += 1) {
    const group = createGroup(seed);
    const hosts = startGroup(group, 3);
    const slander = (id: string, standing: Standing, to: number): Message => {
      const counters = { incarnation: 1e9, joinedAtMs: 0, standingAgeMs: 0, from: to, to, floor: 0 };
      const record = { id, url: `sim://${id}`, standing, entries: [], ...counters };
      const from = { id: "evil", url: "sim://evil", incarnation: 1, version: 1 };
      return { from, kind: "news", more: false, records: [record] };
    };
    for (let turn = 0; turn < 100; turn += 1) {
      const host = hosts[group.random(3)] as (typeof hosts)[0];
      const victim = `h${group.random(3)}`;
      group.act(host, (machine, nowMs) =>
        machine.receive(slander(victim, turn % 2 === 0 ? "dead" : "suspect", 1 + group.random(9)), nowMs),
      );
      group.run(50);
    }
    group.run(5_000);
    hosts.push(startHost(group, "witness", ["h1"]));
    group.run(3_000);
    for (const { machine } of hosts) {
      const alive = machine.membership.hosts().filter(({ state }) => state === "alive");
      expect(alive.map(({ id }) => id).sort()).toEqual(["h0", "h1", "h2", "witness"]);
    }
  }
});
