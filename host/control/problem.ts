/** Refusals as answers, whatever they are written with. */
import { codes, problemBody, problemContentType, type SluiceError } from "../errors.ts";

/** An answer before it is one of some API's. */
export interface PlainAnswer {
  readonly status: number;
  /** Fields that this answer has beside those of every answer (gate.ts). */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a client shall wait after 429 and 503 where nothing better is known. */
const RETRY_MS = 1_000;

/**
 * Makes the answer to a request that was refused; `Retry-After` where waiting helps, but not after a fault of ours, which
 * the same request may cause again.
 */
export function problemAnswer(error: SluiceError, requestId: string): PlainAnswer {
  const { status, retryable } = codes[error.code];
  const seconds = Math.max(1, Math.ceil((error.retryMs ?? RETRY_MS) / 1_000));
  const retry = retryable && status !== 500 ? { "Retry-After": String(seconds) } : {};
  const body = JSON.stringify(problemBody(error, requestId), (_name, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return { status, headers: { "Content-Type": problemContentType, ...retry }, body };
}
