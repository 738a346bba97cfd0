/**
 * Bounds what the bodies of requests may take together while they are read.
 *
 * Each is bounded by itself (limits.bodyBytes, and for uploads limits.filterUploadBytes), but a body may take a minute to come, and thousands of connections may
 * each send all but the last byte of one.
 */
import type { IncomingMessage } from "node:http";
import { SluiceError } from "../../errors.ts";
import { limits } from "../../limits.ts";

/** Bodies up to this size are not counted: what bounds connections bounds them, and nearly every publish is one. */
const SMALL_BYTES = 65_536;

/** Of a form, which may be the largest of all bodies. */
const UPLOAD_BYTES = limits.filterUploadBytes + limits.filterFormBytes;

/** The most that the route of a request takes. */
function bytesMaxOf({ method, url = "" }: IncomingMessage): number {
  return method === "PUT" && url.startsWith("/v1/filters/") ? UPLOAD_BYTES : limits.bodyBytes;
}

/** The bodies that one server reads. */
export class Bodies {
  readonly #most: number;
  #bytes = 0;

  /** @param most Bytes of all of them. */
  constructor(most: number = limits.bodiesBytes) {
    this.#most = most;
  }

  /** Bytes that are set aside at this moment. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Sets aside what a request says that its body has, and the most that there may be where it does not say.
   *
   * @returns `rate_limited` where there is no room for it now.
   */
  admit(request: IncomingMessage): SluiceError | undefined {
    const { "content-length": declared, "transfer-encoding": encoding } = request.headers;
    const most = bytesMaxOf(request);
    const bytes = declared !== undefined ? Number(declared) : encoding === undefined ? 0 : most;
    // What is too large is refused unread, by its route.
    if (bytes <= SMALL_BYTES || bytes > most) return undefined;
    if (this.#bytes + bytes > this.#most) {
      const detail = `Cannot read a body of ${bytes} bytes now, ${this.#bytes} bytes are being read, limit is ${this.#most}`;
      return new SluiceError("rate_limited", detail, { value: bytes, limit: this.#most });
    }
    this.#bytes += bytes;
    request.once("close", () => {
      this.#bytes -= bytes;
    });
    return undefined;
  }
}
