/**
 * Refusals as the client tells them: the codes of hosts, as HTTP has them, and a few that only a client can have.
 */
import type { SluiceCode } from "../host/errors.ts";

/**
 * Codes of the client itself: nobody answers; the answer was lost with the session; the client or subscription is over; no
 * answer in time; nobody takes requests; data is not what its schema says.
 */
export type ClientCode = "unreachable" | "unanswered" | "closed" | "timeout" | "no_responders" | "schema";

/** A stable name of a refusal: what programs compare. */
export type ErrorCode = SluiceCode | ClientCode;

/** What may pass by itself; of hosts those whose close code is below 3500 (docs/errors.md). */
const passing: ReadonlySet<string> = new Set<ErrorCode>([
  "draining",
  "core_restarted",
  "slow_consumer",
  "frame_timeout",
  "control_full",
  "disconnect",
  "store_full",
  "rate_limited",
  "no_credit",
  "mailbox_full",
  "internal",
  "unreachable",
  "unanswered",
  "timeout",
  "no_responders",
]);

/** Marks our errors, those of a host in the same process included. */
const brand = Symbol.for("sluice.error");

/** What a refusal says besides code and message. */
export interface ErrorDetails {
  /** The offending value, or the path of the offending field. */
  readonly value?: unknown;
  /** The limit it met: a number, or the words that are allowed. */
  readonly limit?: unknown;
  /** Of an expression: where the first token is that cannot be, both from 1, and what could stand there. */
  readonly line?: number;
  readonly column?: number;
  readonly expected?: readonly string[];
  /** Of a refused admission: the share of its client's time that an inbox would need. */
  readonly u?: number;
  /** Of a schema that rejects: everything that it found. */
  readonly issues?: readonly unknown[];
  readonly cause?: unknown;
}

/** The one error of the client for what a host refuses and what a network does; misuse of a function is a TypeError. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  // Declared only: what a refusal does not say is not there.
  declare readonly value?: unknown;
  declare readonly limit?: unknown;
  declare readonly line?: number;
  declare readonly column?: number;
  declare readonly expected?: readonly string[];
  declare readonly u?: number;
  declare readonly issues?: readonly unknown[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SluiceError";
    this.code = code;
    this.retryable = passing.has(code);
    Object.assign(this, rest);
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `error` is a SluiceError, also one of a host in this process. */
export function isSluiceError(error: unknown): error is SluiceError {
  return typeof error === "object" && error !== null && brand in error;
}

/** A problem frame, or a problem in a result. */
export interface Problem extends ErrorDetails {
  readonly code: string;
  readonly title?: string;
  readonly detail?: string;
}

/** The error that a problem of a host tells. A code of a newer host stays what it is. */
export function errorFromProblem({ code, title, detail, ...details }: Problem): SluiceError {
  return new SluiceError(code as ErrorCode, detail || title || code, details);
}

/** The client, or a part of it, was ended by its owner. */
export function closedError(what: string): SluiceError {
  return new SluiceError("closed", `Cannot go on, ${what} is closed`);
}
