/** What hosts say of themselves by entries of one kind, found by what is said: who has members of a channel, who holds a module. */
import type { Membership } from "./membership.ts";
import type { GroupEvent } from "./records.ts";

/** The hosts that have an entry `prefix/name`, by name. */
export class Advertised {
  readonly #membership: Membership;
  readonly #prefix: string;
  readonly #byName = new Map<string, Set<string>>();

  /** @param prefix Kind of the entries. */
  constructor(membership: Membership, prefix: string) {
    this.#membership = membership;
    this.#prefix = `${prefix}/`;
  }

  /** Says it of this host. */
  add(name: string, nowMs: number): void {
    if (!this.isOwn(name)) this.#membership.set(this.#prefix + name, "", nowMs);
  }

  /** Says it no more. */
  remove(name: string, nowMs: number): void {
    this.#membership.remove(this.#prefix + name, nowMs);
  }

  /** Whether this host says so. */
  isOwn(name: string): boolean {
    return this.#membership.has(this.#prefix + name);
  }

  /** Names that this host says. */
  own(): string[] {
    return [...this.#byName].flatMap(([name, hosts]) => (hosts.has(this.#membership.id) ? [name] : []));
  }

  /** Ids of the others that say so and take part, sorted. */
  others(name: string): string[] {
    const hosts = [...(this.#byName.get(name) ?? [])];
    return hosts.filter((id) => id !== this.#membership.id && this.#membership.isLive(id)).sort();
  }

  /** Takes in what happened. @returns The name that it was about, if it was about one of these. */
  follow(event: GroupEvent): string | undefined {
    if (event.type === "forgotten") for (const name of [...this.#byName.keys()]) this.#drop(name, event.id);
    if (event.type !== "entry" || !event.key.startsWith(this.#prefix)) return undefined;
    const name = event.key.slice(this.#prefix.length);
    if (event.value === undefined) this.#drop(name, event.id);
    else {
      const hosts = this.#byName.get(name) ?? new Set();
      this.#byName.set(name, hosts.add(event.id));
    }
    return name;
  }

  #drop(name: string, id: string): void {
    const hosts = this.#byName.get(name);
    hosts?.delete(id);
    if (hosts?.size === 0) this.#byName.delete(name);
  }
}
