/** How many instances of modules there are, and how much memory they have together: each is small, all are not. */
import { SluiceError } from "../../errors.ts";

/** Instances of one host. */
export const INSTANCES_MAX = 1_000;
/** Bytes of their memories together. */
export const INSTANCES_BYTES_MAX = 268_435_456;

/** The account of a host. */
export class InstancePool {
  instances = 0;
  bytes = 0;
  readonly #instancesMax: number;
  readonly #bytesMax: number;

  /** Limits that differ from the defaults are for tests. */
  constructor(instancesMax = INSTANCES_MAX, bytesMax = INSTANCES_BYTES_MAX) {
    this.#instancesMax = instancesMax;
    this.#bytesMax = bytesMax;
  }

  /** Refuses another instance where there is no room. @throws {SluiceError} `limit_reached`. */
  assertRoom(): void {
    if (this.instances >= this.#instancesMax)
      throw full(this.instances, "instances of filter modules", this.#instancesMax);
    if (this.bytes >= this.#bytesMax) throw full(this.bytes, "bytes of filter modules", this.#bytesMax);
  }

  /** Whether the memories are larger than they may be together. */
  get overfull(): boolean {
    return this.bytes > this.#bytesMax;
  }
}

function full(value: number, what: string, limit: number): SluiceError {
  return new SluiceError(
    "limit_reached",
    `Cannot run another filter module, this host has ${value} ${what}, limit is ${limit}`,
    {
      value,
      limit,
    },
  );
}
