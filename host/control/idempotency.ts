/**
 * `Idempotency-Key`: a publish that is repeated with its key is answered as the first time, and nothing is published again.
 *
 * Publishing is synchronous, so there is no moment in which a key is taken and its answer not known: of two requests that
 * arrive together, the one whose body is complete first publishes and the other is told the same.
 *
 * Only answers that tell results are remembered. A request that was refused published nothing, so its repetition, perhaps
 * mended, is a first one. When there is no room a keyed publish is refused: taken and not remembered, it would turn a
 * careful client's retry into a duplicate.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header-07; docs/adr/0010.
 */
import type { Clock } from "../clock.ts";
import { SluiceError } from "../errors.ts";
import type { Limits } from "../limits.ts";

/** What a key is remembered for; a channel that is made again under its name is another one. */
export interface KeyScope {
  readonly name: string;
}

interface Answered {
  readonly scope: KeyScope;
  /** Of the request that was answered. */
  readonly print: string;
  readonly answer: string;
  readonly expiresAt: number;
  readonly bytes: number;
}

/** Charged for each key besides its texts: what Map entries and objects take in V8. */
const ENTRY_BYTES = 256;
/** A structured-fields string (RFC 9651 §3.3.3), as the draft wants; a bare word is what people send. */
const stringItem = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const bareItem = /^[\x21\x23-\x7e][\x20-\x7e]*$/;

/** The keys of one host. */
export class IdempotencyKeys {
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** By channel and key. All live equally long, so the order of insertion is that of expiry. */
  readonly #answers = new Map<string, Answered>();
  readonly #perChannel = new Map<string, number>();
  #bytes = 0;

  /** @param clock The service clock. */
  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** How many keys are remembered, expired ones included that nobody has looked at. */
  get count(): number {
    return this.#answers.size;
  }

  /**
   * Looks a key up, before anything is published.
   *
   * @param channel As it is now; undefined where there is none yet.
   * @param print Tells requests apart: whatever a repetition must have in common with the first.
   * @returns The remembered answer, or undefined where this request is the first.
   * @throws {SluiceError} `idempotency_key_reused`; `rate_limited` where there is no room for another key.
   */
  find(name: string, channel: KeyScope | undefined, key: string, print: string): string | undefined {
    this.#expire();
    const known = this.#answers.get(placeOf(name, key));
    // A channel that was removed has taken its keys along.
    if (known === undefined || known.scope !== channel) {
      this.#assertRoom(name);
      return undefined;
    }
    if (known.print === print) return known.answer;
    throw new SluiceError(
      "idempotency_key_reused",
      `Cannot publish to "${name}" with Idempotency-Key "${key.slice(0, 64)}", it stands for another request`,
      { value: key },
    );
  }

  /** Remembers an answer. It may exceed the bytes by what one answer has, because it is known only when all is done. */
  keep(channel: KeyScope, key: string, print: string, answer: string): void {
    const { name } = channel;
    const place = placeOf(name, key);
    const bytes = ENTRY_BYTES + place.length + print.length + answer.length;
    this.#forget(place);
    const expiresAt = this.#clock.now() + this.#limits.idempotencyMs;
    this.#answers.set(place, { scope: channel, print, answer, expiresAt, bytes });
    this.#bytes += bytes;
    this.#perChannel.set(name, (this.#perChannel.get(name) ?? 0) + 1);
  }

  #assertRoom(name: string): void {
    const { idempotencyKeys, idempotencyBytes } = this.#limits;
    const keys = this.#perChannel.get(name) ?? 0;
    const full =
      keys >= idempotencyKeys
        ? { what: `${keys} of "${name}" are remembered`, limit: idempotencyKeys }
        : this.#bytes >= idempotencyBytes
          ? { what: `those remembered take ${this.#bytes} bytes`, limit: idempotencyBytes }
          : undefined;
    if (full === undefined) return;
    const [oldest] = this.#answers.values();
    throw new SluiceError("rate_limited", `Cannot take another Idempotency-Key, ${full.what}, limit is ${full.limit}`, {
      limit: full.limit,
      retryMs: (oldest?.expiresAt ?? 0) - this.#clock.now(),
    });
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [place, { expiresAt }] of this.#answers) {
      if (expiresAt > now) return;
      this.#forget(place);
    }
  }

  #forget(place: string): void {
    const known = this.#answers.get(place);
    if (known === undefined) return;
    this.#answers.delete(place);
    this.#bytes -= known.bytes;
    const { name } = known.scope;
    const left = (this.#perChannel.get(name) ?? 1) - 1;
    if (left === 0) this.#perChannel.delete(name);
    else this.#perChannel.set(name, left);
  }
}

/**
 * Reads the value of the header: `"8e03978e"` as the draft has it, or the same without quotes.
 *
 * @param bytesMax Longest key.
 * @throws {SluiceError} `invalid_value` for an empty or longer one, or other characters than printable ASCII.
 */
export function keyFromHeader(header: string, bytesMax: number): string {
  const quoted = stringItem.exec(header)?.[1];
  const key = quoted?.replaceAll(/\\(.)/g, "$1") ?? (bareItem.test(header) ? header : "");
  if (key !== "" && key.length <= bytesMax) return key;
  throw new SluiceError(
    "invalid_value",
    `Cannot take this Idempotency-Key of ${header.length} characters, it must be 1 to ${bytesMax} of printable ASCII`,
    { value: header.slice(0, 256), limit: bytesMax },
  );
}

/** No name of a channel has a line break. */
function placeOf(name: string, key: string): string {
  return `${name}\n${key}`;
}
