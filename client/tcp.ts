/** Sessions over TCP, where `node:net` is there: Node, Deno and Bun. The same frames, one after another, and no WebSocket around them. */
import { connect as connectTcp } from "node:net";
import type { OpenCarrier } from "./carrier.ts";
import { SluiceError } from "./errors.ts";
import { readEnd, readVarint } from "./wire/reader.ts";

/** Beyond what hosts write, far below what would hurt. */
const FRAME_BYTES_MAX = 16_777_216;
/** A size takes so many bytes at most. */
const SIZE_BYTES = 5;
const CLOSE_WAIT_MS = 2_000;

/** Carries sessions over `tcp://host:port`. */
export const overTcp: OpenCarrier = (url, events) => {
  const socket = connectTcp({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port), noDelay: true });
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  /** Bytes at which it is worth looking again: a large frame is put together once, not once a chunk. */
  let needed = 0;
  let trouble = "";
  let over = false;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    events.onClose(1006, reason);
  };
  const take = (chunk: Uint8Array): void => {
    rest.push(chunk);
    restBytes += chunk.length;
    if (restBytes < needed) return;
    const bytes = rest.length === 1 ? chunk : Buffer.concat(rest);
    const whole = wholeFrames(bytes);
    rest = whole === bytes.length ? [] : [bytes.subarray(whole)];
    restBytes = bytes.length - whole;
    needed = sizeOfNext(bytes, whole);
    if (whole > 0) events.onMessage(bytes.subarray(0, whole));
  };
  socket.on("connect", () => events.onOpen());
  socket.on("data", (chunk) => {
    if (over) return;
    try {
      take(chunk);
    } catch (error) {
      socket.destroy();
      end(error instanceof Error ? error.message : String(error));
    }
  });
  socket.on("error", ({ message }) => {
    trouble = message;
  });
  socket.on("close", () => end(trouble));
  return {
    send(bytes) {
      if (!socket.destroyed) socket.write(bytes);
    },
    close() {
      if (over) return;
      socket.end();
      const given = setTimeout(() => socket.destroy(), CLOSE_WAIT_MS);
      socket.once("close", () => clearTimeout(given));
    },
  };
};

/** How many bytes of the beginning are whole frames. */
function wholeFrames(bytes: Uint8Array): number {
  let whole = 0;
  for (let end = sizeOfNext(bytes, whole); end > 0 && end <= bytes.length - whole; end = sizeOfNext(bytes, whole))
    whole += end;
  return whole;
}

/** Bytes of the frame that begins there, its size included; 0 where that is not there yet. @throws {SluiceError} `frame_too_large`. */
function sizeOfNext(bytes: Uint8Array, at: number): number {
  let last = at;
  while (last < bytes.length && (bytes[last] as number) >= 0x80) last++;
  if (last >= bytes.length && last - at < SIZE_BYTES) return 0;
  const size = last - at < SIZE_BYTES ? readVarint(bytes, at, bytes.length) : Number.POSITIVE_INFINITY;
  if (size <= FRAME_BYTES_MAX) return readEnd - at + size;
  throw new SluiceError(
    "frame_too_large",
    `The host announced a frame of ${size} bytes; is it the TCP port of a host?`,
    {
      value: size,
      limit: FRAME_BYTES_MAX,
    },
  );
}
