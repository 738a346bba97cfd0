/**
 * Leases: conditions that go when nobody keeps them any more.
 *
 * A session that has set one holds it for as long as it lives; whoever comes without a session, over HTTP, keeps it by writing it, or by
 * defining it once more. When nobody holds it and its time is over it is removed; where something depends on it, it begins anew instead.
 */
import type { Clock } from "../clock.ts";

interface Lease {
  readonly ms: number;
  /** Numbers of the sessions that have set it and are there. */
  readonly holders: Set<number>;
  cancel: () => void;
}

/** The leases of a host's conditions, by name. */
export class Leases {
  readonly #clock: Clock;
  readonly #expire: (name: string) => void;
  readonly #byName = new Map<string, Lease>();
  readonly #bySession = new Map<number, Set<string>>();

  /** @param expire Nobody keeps the condition of that name any more; it is asked again after as long, while the lease is there. */
  constructor(clock: Clock, expire: (name: string) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** A condition was defined. @param ms Undefined: it has no lease, or none any more. Sessions that hold it go on to do so. */
  define(name: string, ms: number | undefined): void {
    const present = this.#byName.get(name);
    if (ms === undefined) return this.end(name);
    present?.cancel();
    this.#byName.set(name, { ms, holders: present?.holders ?? new Set(), cancel: () => {} });
    this.renew(name);
  }

  /** A condition was written. @param session By which session; undefined: by none. */
  renew(name: string, session?: number): void {
    const lease = this.#byName.get(name);
    if (lease === undefined) return;
    if (session !== undefined) {
      lease.holders.add(session);
      const held = this.#bySession.get(session) ?? new Set();
      this.#bySession.set(session, held.add(name));
    }
    lease.cancel();
    lease.cancel = this.#clock.setTimer(() => {
      // Held ones are looked at again when they are let go.
      if (lease.holders.size > 0) return;
      this.renew(name);
      this.#expire(name);
    }, lease.ms);
  }

  /** How many sessions hold a condition; undefined: it has no lease. */
  holders(name: string): number | undefined {
    return this.#byName.get(name)?.holders.size;
  }

  /** A session is over: from now on it holds nothing. */
  release(session: number): void {
    const names = this.#bySession.get(session);
    this.#bySession.delete(session);
    for (const name of names ?? []) {
      const lease = this.#byName.get(name);
      if (lease?.holders.delete(session) === true && lease.holders.size === 0) this.renew(name);
    }
  }

  /** All sessions are over, as after a restart of the core. */
  abandon(): void {
    for (const session of [...this.#bySession.keys()]) this.release(session);
  }

  /** A condition is gone, or its lease is. */
  end(name: string): void {
    const lease = this.#byName.get(name);
    if (lease === undefined) return;
    lease.cancel();
    this.#byName.delete(name);
    for (const session of lease.holders) this.#bySession.get(session)?.delete(name);
  }

  /** Stops all timers. */
  close(): void {
    for (const { cancel } of this.#byName.values()) cancel();
  }
}
