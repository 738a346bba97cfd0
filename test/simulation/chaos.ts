/**
 * A bad quarter of a minute for a group of hosts, from a seed, and what must hold of it at every moment and at its end.
 *
 * At every moment: what a host sees of an entry never goes back, and was written by its owner. At the end, when the network is whole
 * again: all who are up take one another, and nobody else, for alive, hold the same entries, and mean the same by every channel.
 */
import type { Happening } from "../../host/group/group.ts";
import { agree, createGroup, type Group, type Host, startHost, stateOf } from "./group.ts";

/** Ids of the hosts that a run begins with, and by which others join. */
const FIRST = ["h0", "h1", "h2"];
const KEYS = 5;

/** One run. */
export class Chaos {
  readonly seed: number;
  readonly group: Group;
  /** What has been done, for whoever has to find out why. */
  readonly log: string[] = [];
  /** How often each host has written an entry, in all of its lives; values are these numbers. */
  readonly #writes = new Map<string, number>();
  #definitions = 0;
  /** Channels that somebody removed once: they may be gone at the end. */
  readonly #removed = new Set<string>();
  /** The largest value that a life of a host has seen of another one's entry, and the highest term of a channel. */
  readonly #seen = new Map<unknown, Map<string, number>>();
  /** Openings that wait. */
  #opened: { readonly machine: unknown; readonly ticket: number }[] = [];
  /** Bytes that a life of a host had or wanted. */
  readonly #wanted: { readonly machine: unknown; readonly digest: string }[] = [];
  readonly #faults: string[] = [];
  #hosts = new Map<string, Host>();
  readonly #skews = new Map<string, number>();
  #down: string[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.group = createGroup(seed, (host, events) => this.#watch(host, events));
  }

  /** The whole run. @throws What did not hold, with the seed. */
  run(): void {
    const { group } = this;
    for (const id of FIRST) this.#start(id);
    for (let index = group.random(6); index > 0; index -= 1) this.#start(`n${index}`);
    group.run(group.random(1_500));
    for (let step = 15 + group.random(25); step > 0; step -= 1) {
      this.#step();
      group.run(group.random(700));
      this.#check();
    }
    this.#heal();
    const hosts = [...this.#hosts.values()];
    const isDone = () => agree(hosts) && hosts.every((host) => channelsOf(host) === channelsOf(hosts[0] as Host));
    if (group.runUntil(isDone, 30_000) === undefined) this.#fail(`no agreement: ${this.#views()}`);
    // Time for whoever still means to take over, and for bytes that have to be asked of several.
    group.run(15_000);
    if (!isDone()) this.#fail(`agreement that does not last: ${this.#views()}`);
    this.#checkEnd(hosts);
  }

  #step(): void {
    const { group } = this;
    const ids = [...this.#hosts.keys()];
    const id = ids[group.random(ids.length)];
    const host = this.#hosts.get(id ?? "");
    if (id === undefined || host === undefined) return this.#revive();
    const dice = group.random(100);
    if (dice < 20) this.#write(id, host);
    else if (dice < 32) this.#define(id, host);
    else if (dice < 36) this.#open(id, host);
    else if (dice < 40) this.#wantBytes(id, host);
    else if (dice < 50) this.#weather();
    else if (dice < 60) this.#divide();
    else if (dice < 68) this.#do("whole", () => group.block(undefined));
    else if (dice < 76) this.#kill(id, host);
    else if (dice < 84) this.#revive();
    else if (dice < 88) this.#leave(id, host);
    else if (dice < 92) this.#start(`n${group.random(8)}`);
    else this.#pause(id, host);
  }

  #write(id: string, host: Host): void {
    const key = `k${this.group.random(KEYS)}`;
    const isRemoval = this.group.random(4) === 0;
    const value = (this.#writes.get(id) ?? 0) + 1;
    if (!isRemoval) this.#writes.set(id, value);
    this.#do(`${id} writes ${key} ${isRemoval ? "off" : value}`, () =>
      this.group.act(host, ({ membership: machine }, nowMs) => {
        if (isRemoval) machine.remove(key, nowMs);
        else machine.set(key, String(value), nowMs);
      }),
    );
  }

  #define(id: string, host: Host): void {
    const name = `c${this.group.random(KEYS)}`;
    const isRemoval = this.group.random(8) === 0;
    if (isRemoval) this.#removed.add(name);
    this.#definitions += 1;
    this.#do(`${id} ${isRemoval ? "removes" : "defines"} ${name}`, () =>
      this.group.act(host, (machine, nowMs) => {
        if (isRemoval) machine.registry.remove("channel", name, nowMs);
        else machine.registry.define("channel", name, { by: id, count: this.#definitions }, nowMs);
      }),
    );
  }

  #open(id: string, host: Host): void {
    const name = `c${this.group.random(KEYS)}`;
    this.#do(`${id} opens ${name}`, () =>
      this.group.act(host, ({ openings }, nowMs) => {
        this.#opened.push({ machine: host.machine, ticket: openings.open(name, nowMs) });
      }),
    );
  }

  /** It needs bytes, or, now and then, is the first to have them. */
  #wantBytes(id: string, host: Host): void {
    const digest = `d${this.group.random(2)}`;
    const isUpload = this.group.random(3) === 0;
    this.#do(`${id} ${isUpload ? "has" : "wants"} ${digest}`, () =>
      this.group.act(host, ({ holdings }, nowMs) => {
        if (isUpload) holdings.hold(digest, nowMs);
        else holdings.want(digest, nowMs);
      }),
    );
    this.#wanted.push({ machine: host.machine, digest });
  }

  /** What a link would do: the bytes come, or do not, or the other one is gone. */
  #fetch(host: Host, digest: string, from: string): void {
    this.group.later(20 + this.group.random(200), () => {
      const holder = this.#hosts.get(from);
      if (!this.group.places.includes(host)) return;
      const has = holder?.machine.membership.has(`bytes/${digest}`) === true && this.group.random(4) > 0;
      this.group.act(host, ({ holdings }, nowMs) => {
        if (has) holdings.hold(digest, nowMs);
        else if (this.group.random(2) === 0) holdings.failed(digest, nowMs);
      });
    });
  }

  #weather(): void {
    const { group } = this;
    const weather = {
      delayMs: [1, 1 + group.random(300)] as const,
      lostPercent: group.random(30),
      doubledPercent: group.random(30),
    };
    this.#do(`weather ${JSON.stringify(weather)}`, () => {
      group.weather = weather;
    });
  }

  #divide(): void {
    const { group } = this;
    const isLeft = new Map([...this.#hosts.values()].map(({ url }) => [url, group.random(2) === 0]));
    // Now and then messages pass in one direction only.
    const isOneWay = group.random(3) === 0;
    const side = (url: string): boolean => isLeft.get(url) === true;
    const names = [...isLeft].filter(([, left]) => left).map(([url]) => url);
    this.#do(`divided ${isOneWay ? "one way " : ""}${names.join(" ")}`, () =>
      group.block((from, to) => (isOneWay ? side(from) && !side(to) : side(from) !== side(to))),
    );
  }

  #kill(id: string, host: Host): void {
    if (this.#hosts.size < 2) return;
    this.#hosts.delete(id);
    this.#down.push(id);
    this.#do(`${id} killed`, () => this.group.kill(host));
  }

  /** It is up for some time yet, and says goodbye. */
  #leave(id: string, host: Host): void {
    if (this.#hosts.size < 2) return;
    this.#hosts.delete(id);
    this.#down.push(id);
    this.#do(`${id} leaves`, () => this.group.act(host, ({ membership }, nowMs) => membership.leave(nowMs)));
  }

  #revive(): void {
    const id = this.#down.shift();
    if (id !== undefined) this.#start(id);
  }

  #start(id: string): void {
    if (this.#hosts.has(id)) return;
    // Clocks of two hosts may be hours apart; that of one host does not go back between its lives.
    const skewMs = this.#skews.get(id) ?? this.group.random(7_200_000) - 3_600_000;
    this.#skews.set(id, skewMs);
    this.#down = this.#down.filter((other) => other !== id);
    this.#do(`${id} starts`, () => {
      this.#hosts.set(id, startHost(this.group, id, FIRST, skewMs));
    });
  }

  #pause(id: string, host: Host): void {
    const forMs = this.group.random(3_000);
    this.#do(`${id} stands still for ${forMs}`, () => this.group.pause(host, forMs));
  }

  #heal(): void {
    this.#do("healed", () => {
      this.group.block(undefined);
      this.group.weather = { delayMs: [1, 10], lostPercent: 0, doubledPercent: 0 };
    });
    // Those by whom the others join: without one of them two parts that never met could not find one another.
    for (const id of FIRST) this.#start(id);
  }

  #do(what: string, run: () => void): void {
    this.log.push(`${Math.round(this.group.nowMs)} ${what}`);
    run();
  }

  #watch(host: Host, events: readonly Happening[]): void {
    const { machine } = host;
    const seen = this.#seen.get(machine) ?? new Map<string, number>();
    this.#seen.set(machine, seen);
    for (const event of events) {
      if ((event.type === "suspect" || event.type === "dead") && event.id === machine.id)
        this.#faults.push(`${machine.id} hears that it is ${event.type}`);
      else if (event.type === "entry" && event.key.startsWith("k") && event.value !== undefined)
        this.#watchEntry(machine.id, seen, `${event.id} ${event.key}`, Number(event.value), event.id);
      else if (event.type === "fetch") this.#fetch(host, event.digest, event.from);
      else if (event.type === "opened" || event.type === "missing")
        this.#opened = this.#opened.filter((one) => one.machine !== machine || one.ticket !== event.ticket);
      else if (event.type === "removed") seen.delete(event.name);
      else if (event.type === "defined") {
        if (event.term < (seen.get(event.name) ?? 0))
          this.#faults.push(`${machine.id} sees an old term of ${event.name}`);
        seen.set(event.name, event.term);
      }
    }
  }

  #watchEntry(at: string, seen: Map<string, number>, name: string, value: number, owner: string): void {
    if (value > (this.#writes.get(owner) ?? 0)) this.#faults.push(`${name} is ${value}, never written`);
    if (value < (seen.get(name) ?? 0))
      this.#faults.push(`${at} sees ${name} go back from ${seen.get(name)} to ${value}`);
    seen.set(name, value);
  }

  #check(): void {
    if (this.#faults.length > 0) this.#fail(this.#faults.join("; "));
  }

  #checkEnd(hosts: readonly Host[]): void {
    this.#check();
    const [first] = hosts;
    if (first === undefined) return;
    for (const id of this.#down)
      if (["alive", "suspect"].includes(stateOf(first, id))) this.#fail(`${id} is down and ${stateOf(first, id)}`);
    this.#checkChannels(first, hosts);
    this.#checkBytes(hosts);
    const machines = new Set<unknown>(hosts.map(({ machine }) => machine));
    if (this.#opened.some(({ machine }) => machines.has(machine))) this.#fail("an opening was never answered");
    for (const owner of hosts) {
      const own = JSON.stringify(owner.machine.membership.entries(owner.machine.id));
      for (const { machine } of hosts) {
        const copy = JSON.stringify(machine.membership.entries(owner.machine.id));
        if (copy !== own) this.#fail(`${machine.id} has ${copy} of ${owner.machine.id}, which has ${own}`);
      }
    }
  }

  /** Each channel has one claim, by its contact, who is there; none is gone that nobody removed and somebody knew. */
  #checkChannels(first: Host, hosts: readonly Host[]): void {
    const channels = first.machine.registry.list("channel");
    for (const { name, contact } of channels) {
      const claimants = hosts.filter(({ machine }) =>
        machine.membership.read(machine.id, `channel/${name}`, 0)?.value.includes('"definition"'),
      );
      const ids = claimants.map(({ machine }) => machine.id);
      if (ids.join() !== contact) this.#fail(`${name} has the contact ${contact}, and claims by ${ids.join()}`);
      if (claimants[0]?.machine.registry.isMine("channel", name) !== true)
        this.#fail(`${contact} does not know of ${name}`);
    }
    for (const { machine } of hosts)
      for (const name of this.#seen.get(machine)?.keys() ?? [])
        if (name.startsWith("c") && !this.#removed.has(name) && !channels.some((channel) => channel.name === name))
          this.#fail(`${name} is gone, and ${machine.id} knew it`);
  }

  /** Where anybody has bytes, all who want them have them; and all know who has members of what. */
  #checkBytes(hosts: readonly Host[]): void {
    const has = ({ machine }: Host, digest: string) => machine.membership.has(`bytes/${digest}`);
    for (const { machine, digest } of this.#wanted) {
      const host = hosts.find((one) => one.machine === machine);
      if (host !== undefined && !has(host, digest) && hosts.some((one) => has(one, digest)))
        this.#fail(`${host.machine.id} never got ${digest}`);
    }
    for (let index = 0; index < KEYS; index += 1) {
      const members = hosts.filter(({ machine }) => machine.membership.has(`members/c${index}`));
      for (const { machine } of hosts) {
        const expected = members.map((host) => host.machine.id).filter((id) => id !== machine.id);
        if (machine.openings.hostsOf(`c${index}`).join() !== expected.sort().join())
          this.#fail(`${machine.id} sees members of c${index} at ${machine.openings.hostsOf(`c${index}`).join()}`);
      }
    }
  }

  #views(): string {
    return [...this.#hosts.values()]
      .map(({ machine }) => {
        const seen = machine.membership.hosts().map(({ id, state, incarnation }) => `${id} ${state} ${incarnation}`);
        const names = machine.registry.list("channel").map(({ name, contact, term }) => `${name} ${contact} ${term}`);
        return `\n  ${machine.id} ${machine.membership.fingerprint}: ${seen.join(", ")}; ${names.join(", ")}`;
      })
      .join("");
  }

  #fail(what: string): never {
    throw new Error(`${what}\nSLUICE_PROPERTY_SEED=${this.seed} repeats this run:\n  ${this.log.join("\n  ")}`);
  }
}

/** What a host takes the channels for. */
function channelsOf({ machine }: Host): string {
  const channels = machine.registry.list("channel").map((channel) => JSON.stringify(channel));
  return channels.sort().join("\n");
}
