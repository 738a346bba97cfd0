/**
 * What does not hold on some runtime because of that runtime's own fault or limit. A listed test that passes fails the build,
 * and so does one that is not in the suite: then its line has to go.
 */
import type { Target } from "./targets.ts";

/** One test that fails on one runtime. */
export interface KnownFailure {
  readonly target: Target["name"];
  /** Of the test, whole. */
  readonly test: string;
  /** The runtime's fault or limit, with its version. */
  readonly reason: string;
}

/** All that are known. */
export const knownFailures: readonly KnownFailure[] = [];
