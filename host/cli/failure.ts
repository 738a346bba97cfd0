/**
 * What went wrong, as the person at the terminal needs it: one line, the value, the limit, and what to do next.
 */

import { isSluiceError } from "../errors.ts";

/** Ok. */
export const EXIT_OK = 0;
/** The command was understood and could not be carried out. */
export const EXIT_FAILED = 1;
/** The command line itself is wrong. */
export const EXIT_USAGE = 2;

/** A problem document of the host (RFC 9457) or the same members in a `problem` frame. */
export interface ProblemLike {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly value?: unknown;
  readonly limit?: unknown;
  readonly status?: number;
  readonly reasons?: readonly string[];
}

/** Ends the command with one line on stderr. `exitCode` is EXIT_FAILED unless it says otherwise. */
export class CliError extends Error {
  readonly exitCode: number;
  /** The host's code where a host refused, for callers that act on it. */
  readonly code: string | undefined;

  constructor(message: string, options: { exitCode?: number; code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode ?? EXIT_FAILED;
    this.code = options.code;
  }
}

/**
 * One line for a refusal of the host: what it said, then the code that the documentation explains.
 *
 * The host's sentences name value and limit already; they are added only where the sentence does not have them.
 */
export function lineFromProblem(problem: ProblemLike): string {
  const sentence = problem.detail ?? problem.title ?? "The host refused without saying why";
  const extras: string[] = [];
  for (const name of ["value", "limit"] as const) {
    const given = problem[name];
    // Lists and ranges are spelt out in the sentence already.
    if (given === undefined || given === null || typeof given === "object") continue;
    const text = String(given);
    if (text.length <= 120 && !sentence.includes(text)) extras.push(`${name} ${text}`);
  }
  const tail = extras.length === 0 ? "" : ` (${extras.join(", ")})`;
  return `${lowerFirst(sentence.replace(/\.$/, ""))}${tail}${problem.code === undefined ? "" : ` [${problem.code}]`}`;
}

/** One line for anything thrown: refusals of our own code carry the same codes as the host's. */
export function lineFromReason(reason: unknown): string {
  return isSluiceError(reason) ? lineFromProblem({ code: reason.code, detail: reason.message }) : messageOf(reason);
}

/** The host's refusal as an error that ends the command. */
export function errorFromProblem(problem: ProblemLike): CliError {
  const hint = hints[problem.code ?? ""];
  const line = lineFromProblem(problem);
  const { reasons = [] } = problem;
  // A single one may be the sentence itself.
  const isMore = reasons.length > 1 || reasons.some((reason) => !(problem.detail ?? "").includes(reason));
  const listed = isMore ? reasons.map((reason) => `\n  - ${reason}`).join("") : "";
  return new CliError((hint === undefined ? line : `${line}; ${hint}`) + listed, {
    ...(problem.code === undefined ? {} : { code: problem.code }),
  });
}

/** What to do next, for the refusals a newcomer meets. */
const hints: Readonly<Record<string, string>> = {
  channel_unknown: "see them with: sluice channel ls, make one with: sluice channel create NAME",
  filter_in_use: "take it away with: sluice channel filter CHANNEL in or out --none",
  filter_unknown: "see them with: sluice filter ls",
  unauthorized: "set SLUICE_TOKEN",
  forbidden: "the token in SLUICE_TOKEN does not permit this",
  draining: "the host is shutting down; try again when it is back",
  rate_limited: "wait a moment and try again",
};

/**
 * One line for a failure to reach the host at `url`: names the address and the next step.
 *
 * @param reason Whatever fetch() or the socket gave; causes are followed to the system's own code.
 */
export function errorFromNetwork(reason: unknown, url: string): CliError {
  const code = systemCode(reason);
  const shown = withoutCredentials(url);
  const options = { cause: reason };
  if (code === "ECONNREFUSED") {
    return new CliError(`nothing answers at ${shown}; is a host running? try: npm start (or sluice serve)`, options);
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new CliError(`cannot find the host name of ${shown}; check SLUICE_URL or --url`, options);
  }
  if (code === "ECONNRESET" || code === "UND_ERR_SOCKET") {
    return new CliError(`the host at ${shown} closed the connection; is it a Sluice host?`, options);
  }
  if (code?.startsWith("HPE_") === true) {
    return new CliError(
      `${shown} does not speak HTTP; is it the TCP port of a host? try the URL it printed first`,
      options,
    );
  }
  return new CliError(`cannot reach the host at ${shown}: ${code ?? rootMessage(reason)}`, options);
}

/** The message of anything thrown, on one line. */
export function messageOf(reason: unknown): string {
  const text = reason instanceof Error ? reason.message : String(reason);
  return text.replace(/\s*\n\s*/g, " ");
}

/** The message of the innermost cause: fetch() itself only says that it failed. */
function rootMessage(reason: unknown): string {
  let current = reason;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return messageOf(current);
}

/** Follows `cause` and AggregateError to the code that the system gave. */
export function systemCode(reason: unknown): string | undefined {
  let current: unknown = reason;
  for (let depth = 0; depth < 6 && typeof current === "object" && current !== null; depth += 1) {
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown };
    if (typeof code === "string") return code;
    current = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return undefined;
}

/** A URL as it may be printed: without user and password. */
function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}

/** Messages begin in lower case after `sluice: `; words that are names (JSON, HTTP, quoted) keep theirs. */
function lowerFirst(text: string): string {
  return /^[A-Z](?![A-Z0-9])/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
