/** Groups of hosts for simulations: starting them, and saying what all of them take for true. */
import { type Happening, Group as Node } from "../../host/group/group.ts";
import type { GroupTimes } from "../../host/group/settings.ts";
import { Network, type Place } from "./network.ts";

/** A network of hosts, which know one another and what they have agreed on. */
export type Group = Network<Happening, Node>;

/** One host of it. */
export type Host = Place<Node>;

/** A group that is still empty. `happened` hears what each host says that happened. */
export function createGroup(seed: number, happened?: (host: Host, events: readonly Happening[]) => void): Group {
  return new Network<Happening, Node>(seed, happened);
}

/** The address of a host. */
export function urlOf(id: string): string {
  return `sim://${id}`;
}

/** Starts a host, or starts it again. It joins by the seeds, given by their ids. */
export function startHost(
  group: Group,
  id: string,
  seeds: readonly string[],
  skewMs = 0,
  times: Partial<GroupTimes> = {},
): Host {
  const url = urlOf(id);
  const host = group.start(
    url,
    // Clocks of the simulation begin at 0, and a skewed one before that.
    (nowMs, random) => {
      const incarnation = Math.round(nowMs) + 1e9;
      return new Node({ id, url, incarnation, random, times }, nowMs);
    },
    skewMs,
  );
  group.act(host, ({ membership }, nowMs) => membership.join(seeds.map(urlOf), nowMs));
  return host;
}

/** Starts `count` hosts, h0 to hN, all joining by the first, and lets them meet. */
export function startGroup(group: Group, count: number, times: Partial<GroupTimes> = {}): Host[] {
  const hosts = Array.from({ length: count }, (_, index) => startHost(group, `h${index}`, ["h0"], 0, times));
  group.runUntil(() => agree(hosts), 10_000);
  return hosts;
}

/** What a host takes another one for. */
export function stateOf(host: Host, id: string): string {
  return host.machine.membership.hosts().find((one) => one.id === id)?.state ?? "unknown";
}

/** Whether these hosts take all of them, and nobody else, for alive, and know the same. */
export function agree(hosts: readonly Host[]): boolean {
  const [first] = hosts;
  if (first === undefined) return true;
  if (hosts.some(({ machine }) => machine.membership.fingerprint !== first.machine.membership.fingerprint))
    return false;
  const alive = first.machine.membership.hosts().filter(({ state }) => state === "alive" || state === "suspect");
  const ids = new Set(hosts.map(({ machine }) => machine.id));
  return alive.length === hosts.length && alive.every(({ id, state }) => state === "alive" && ids.has(id));
}
