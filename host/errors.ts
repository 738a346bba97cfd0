/**
 * Every way in which Sluice says no, in one table: code → title, HTTP status, WebSocket close code, retryable.
 *
 * HTTP problems, problem frames, close frames, the command line and the error page of the documentation read this table
 * and nothing else, so a code means the same everywhere.
 */

/** What one code stands for. */
export interface CodeMeaning {
  /** A short name for people: the same for every occurrence (RFC 9457 `title`). */
  readonly title: string;
  /** HTTP status of a request that fails with it. */
  readonly status: number;
  /**
   * WebSocket close code where it ends a session: 3000–3499 come back, 3500–3999 do not (RFC 6455 leaves 3000–3999 to
   * us). Every code has its own number, so a client that only sees the close frame knows the reason.
   */
  readonly close: number;
  /** Whether the same request may succeed later without a change. Equal to `close` < 3500. */
  readonly retryable: boolean;
}

/** A refusal that waiting does not cure. */
function terminal(close: number, status: number, title: string): CodeMeaning {
  return Object.freeze({ title, status, close, retryable: false });
}

/** A refusal that passes by itself. */
function passing(close: number, status: number, title: string): CodeMeaning {
  return Object.freeze({ title, status, close, retryable: true });
}

/**
 * The table. A number is never given to another code, and a code never changes its meaning; add at the end of a group.
 *
 * Status: no JSON or an unknown field is 400, a value that breaks a limit is 422.
 */
export const codes = Object.freeze({
  // --- Passing: reconnect or retry ---
  draining: passing(3000, 503, "The host is shutting down"),
  core_restarted: passing(3001, 503, "The core of the host was restarted"),
  slow_consumer: passing(3002, 503, "The peer does not read"),
  frame_timeout: passing(3003, 503, "The peer fell silent"),
  control_full: passing(3004, 503, "Too many answers wait to be read"),
  disconnect: passing(3005, 503, "The inbox overflowed and its policy is to disconnect"),
  store_full: passing(3006, 503, "The store is full"),
  rate_limited: passing(3007, 429, "Too many requests"),
  no_credit: passing(3008, 429, "More was published than credit was granted"),
  mailbox_full: passing(3009, 429, "Every selected inbox is full"),
  internal: passing(3010, 500, "A fault in the host"),

  // --- Terminal: bytes, frames, messages ---
  malformed: terminal(3500, 400, "The input is not well-formed"),
  frame_too_large: terminal(3501, 413, "The frame is too large"),
  event_too_large: terminal(3502, 413, "The event is too large"),
  body_too_large: terminal(3503, 413, "The request body is too large"),
  not_utf8: terminal(3504, 400, "A text is not UTF-8"),
  websocket_protocol: terminal(3505, 400, "The WebSocket protocol was broken"),
  websocket_kind: terminal(3506, 400, "The WebSocket message is of the wrong kind"),
  websocket_split: terminal(3507, 400, "A WebSocket message ended within a frame"),
  frame_kind: terminal(3508, 400, "A frame does not have exactly one kind"),
  media_type: terminal(3509, 415, "The media type is not supported"),

  // --- Terminal: fields and values ---
  unknown_field: terminal(3520, 400, "A field is not known"),
  invalid_value: terminal(3521, 422, "A value is not allowed"),
  not_supported: terminal(3522, 422, "This version does not have the feature"),
  type_missing: terminal(3523, 422, "The event has no type"),
  type_refused: terminal(3524, 422, "The channel does not take this type"),
  type_too_long: terminal(3525, 422, "The type is too long"),
  key_too_long: terminal(3526, 422, "The key is too long"),
  priority_out_of_range: terminal(3527, 422, "The priority is out of range"),
  time_out_of_range: terminal(3528, 422, "A moment or duration is out of range"),
  attribute_name: terminal(3529, 422, "An attribute has a name that is not allowed"),
  attributes_too_many: terminal(3530, 422, "Too many attributes"),
  attributes_too_large: terminal(3531, 422, "The attributes are too large"),
  limit_reached: terminal(3532, 422, "A limit is reached"),
  channel_name: terminal(3533, 422, "The name cannot be a channel's"),
  idempotency_key_reused: terminal(3534, 422, "The idempotency key stands for another request"),
  expression: terminal(3535, 422, "The expression cannot be used"),
  contradiction: terminal(3536, 422, "Two settings contradict each other"),
  module_refused: terminal(3537, 422, "The filter module is refused"),

  // --- Terminal: things ---
  not_found: terminal(3550, 404, "There is nothing at this address"),
  method_not_allowed: terminal(3551, 405, "The method is not allowed here"),
  channel_unknown: terminal(3552, 404, "There is no such channel"),
  channel_exists: terminal(3553, 409, "The channel exists already"),
  member_unknown: terminal(3554, 404, "There is no such member"),
  source_taken: terminal(3555, 409, "The channel has its single source already"),
  ack_unknown: terminal(3556, 422, "The acknowledged number was never delivered"),
  precondition_failed: terminal(3557, 412, "The resource is not what the request expects"),
  inbox_unknown: terminal(3558, 404, "There is no such inbox"),
  cancelled: terminal(3559, 409, "The key was cancelled before"),
  session_taken: terminal(3561, 409, "Another connection goes on with this session"),
  publish_gap: terminal(3562, 409, "The numbers of published events have a gap"),
  too_many_sinks: terminal(3569, 409, "The channel has more sinks than a filter module may see"),
  admission: terminal(3560, 409, "The deadlines cannot be kept"),
  filter_unknown: terminal(3563, 404, "There is no such filter module"),
  filter_in_use: terminal(3564, 409, "The filter module is in use"),
  condition_unknown: terminal(3565, 404, "There is no such condition"),
  contract_unknown: terminal(3567, 404, "There is no such contract"),
  channel_governed: terminal(3568, 409, "A contract governs the channel"),
  contract_in_use: terminal(3573, 409, "Other contracts extend the contract"),
  condition_in_use: terminal(3566, 409, "Something depends on the condition"),

  // --- Terminal: rights ---
  unauthorized: terminal(3570, 401, "Credentials are missing or not valid"),
  forbidden: terminal(3571, 403, "This is not permitted"),
  not_member: terminal(3572, 403, "Only members of the channel may do this"),

  // --- Terminal: start ---
  memory_too_small: terminal(3590, 503, "The memory is too small"),
  state_unusable: terminal(3591, 503, "The control state cannot be used"),
} as const satisfies Record<string, CodeMeaning>);

/** A stable name of a refusal: what programs compare. */
export type SluiceCode = keyof typeof codes;

/** Marks our errors across copies of this module in one process, where `instanceof` fails. */
const brand = Symbol.for("sluice.error");

/** What {@link SluiceError} takes besides code and message; `undefined` stands for absent. */
export interface SluiceErrorDetails {
  /** The offending value, or the path of the offending field. */
  readonly value?: unknown;
  /** The limit it met: a number, or the words that are allowed. */
  readonly limit?: unknown;
  /** Of an expression: where the first token is that cannot be, both from 1. */
  readonly line?: number;
  readonly column?: number;
  /** Of an expression: what could stand there. */
  readonly expected?: readonly string[];
  /** Of a refused admission: the share of its client's time that an inbox would need. */
  readonly u?: number;
  /** Of a filter module: everything that is wrong with it. */
  readonly reasons?: readonly string[];
  /** After how many milliseconds the same may work, where that is known: `Retry-After`. */
  readonly retryMs?: number;
  readonly cause?: unknown;
}

/**
 * The one error of the host for conditions that a caller or peer can meet; misuse of a function is a TypeError or
 * RangeError instead.
 *
 * Message: action + value + limit, sentence case, no full stop: `Cannot publish 70000 bytes to "orders", limit is 65536`.
 */
export class SluiceError extends Error {
  readonly code: SluiceCode;
  readonly value?: unknown;
  readonly limit?: unknown;
  readonly line?: number;
  readonly column?: number;
  readonly expected?: readonly string[];
  readonly u?: number;
  readonly reasons?: readonly string[];
  readonly retryable: boolean;
  readonly retryMs?: number;

  constructor(code: SluiceCode, message: string, details: SluiceErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "SluiceError";
    this.code = code;
    this.retryable = codes[code].retryable;
    if (details.value !== undefined) this.value = details.value;
    if (details.limit !== undefined) this.limit = details.limit;
    if (details.line !== undefined) this.line = details.line;
    if (details.column !== undefined) this.column = details.column;
    if (details.expected !== undefined) this.expected = details.expected;
    if (details.u !== undefined) this.u = details.u;
    if (details.reasons !== undefined) this.reasons = details.reasons;
    if (details.retryMs !== undefined) this.retryMs = details.retryMs;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `error` is a SluiceError, also of another copy of this module. */
export function isSluiceError(error: unknown): error is SluiceError {
  return typeof error === "object" && error !== null && brand in error;
}

/**
 * Makes a SluiceError of whatever was thrown: itself, or `internal` with the thing as its cause.
 *
 * The message of a foreign error stays in `cause`: it may name paths or secrets and is no business of a peer.
 */
export function sluiceErrorFrom(thrown: unknown): SluiceError {
  if (isSluiceError(thrown)) return thrown;
  return new SluiceError("internal", "Cannot carry on after a fault in the host", { cause: thrown });
}

// --- Problems: refusals as JSON (RFC 9457) ---

/** Content type of a problem. */
export const problemContentType = "application/problem+json";

/** What a problem says wherever it stands. */
export interface ProblemCore {
  /** Stable; what programs compare. */
  readonly code: SluiceCode;
  readonly title: string;
  readonly detail: string;
  readonly value?: unknown;
  readonly limit?: unknown;
  /** Of an expression, as in {@link SluiceErrorDetails}. */
  readonly line?: number;
  readonly column?: number;
  readonly expected?: readonly string[];
  readonly u?: number;
  readonly reasons?: readonly string[];
}

/** A problem as the body of an answer. */
export interface ProblemBody extends ProblemCore {
  /** A name of the code that is a URI, as RFC 9457 wants; the table behind it is in the documentation. */
  readonly type: string;
  readonly status: number;
  /** Id of the request, as in the log and the X-Request-Id header. */
  readonly instance: string;
}

/** A problem within an answer, such as the result of one published event. */
export function problemCore(error: SluiceError): ProblemCore {
  const { value, limit, line, column, expected, u, reasons } = error;
  return {
    code: error.code,
    title: codes[error.code].title,
    detail: error.message,
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(expected === undefined ? {} : { expected }),
    ...(u === undefined ? {} : { u }),
    ...(reasons === undefined ? {} : { reasons }),
  };
}

/**
 * A problem as a body.
 *
 * @param instance Id of the request.
 * @param status Where an answer has another one than the table, such as 426.
 */
export function problemBody(
  error: SluiceError,
  instance: string,
  status: number = codes[error.code].status,
): ProblemBody {
  const { code, title, ...rest } = problemCore(error);
  return { type: `urn:sluice:problem:${code}`, title, status, code, ...rest, instance };
}
