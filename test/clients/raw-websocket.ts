/**
 * A WebSocket client without a library: it sends whatever bytes a test wants, and checks every byte that comes back.
 */
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { OPCODE_CLOSE, type ServerFrame, serverFrames } from "../core-wasm/websocket.ts";
import { until } from "../host/support/until.ts";

/** A frame of the host. */
export interface SeenFrame {
  readonly opcode: number;
  /** The payload as text; of a close frame the reason. */
  readonly text: string;
}

/** An open connection. */
export interface RawWebSocket {
  /** All frames of the host so far. */
  readonly seen: readonly SeenFrame[];
  readonly isClosed: boolean;
  /** Sends bytes as they are. */
  send(...parts: readonly Uint8Array[]): void;
  /** When the system has taken what was sent. */
  flushed(): Promise<void>;
  /** The next frame that was not taken yet; undefined once the connection is closed. */
  next(): Promise<SeenFrame | undefined>;
  /** The text of the next frame. */
  text(): Promise<string | undefined>;
  /** Waits for the end: the code of the close frame (1005: a frame without one, 1006: no frame), and who hung up. */
  closed(): Promise<{ readonly code: number; readonly reason: string; readonly hungUp: boolean }>;
  /** Breaks off. */
  hangUp(): void;
}

const UPGRADE = [
  "GET /v1/socket HTTP/1.1",
  "Host: 127.0.0.1",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** Opens a connection and waits for the 101. */
export async function openRaw(port: number, protocol: string): Promise<RawWebSocket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  onTestFinished(() => void socket.destroy());
  const seen: SeenFrame[] = [];
  let rest = Buffer.alloc(0);
  let upgraded = false;
  const end = { hungUp: false, over: false, code: 1006, reason: "" };
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    if (!upgraded) {
      const at = rest.indexOf("\r\n\r\n");
      if (at < 0) return;
      if (!rest.subarray(0, at).toString().startsWith("HTTP/1.1 101 ")) throw new Error(`Not upgraded: ${rest}`);
      rest = rest.subarray(at + 4);
      upgraded = true;
    }
    const { frames, bytes } = wholeFrames(rest);
    rest = rest.subarray(bytes);
    for (const { opcode, payload } of frames) {
      if (opcode !== OPCODE_CLOSE) {
        seen.push({ opcode, text: Buffer.from(payload).toString() });
        continue;
      }
      end.code = payload.length < 2 ? 1005 : Buffer.from(payload).readUInt16BE(0);
      end.reason = Buffer.from(payload.subarray(2)).toString();
      seen.push({ opcode, text: end.reason });
    }
  });
  socket.on("end", () => {
    end.hungUp = true;
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    end.over = true;
  });
  socket.write(`${[...UPGRADE, `Sec-WebSocket-Protocol: ${protocol}`].join("\r\n")}\r\n\r\n`);
  await until(
    () => upgraded,
    () => "the upgrade",
  );
  return client(socket, seen, end);
}

function client(
  socket: Socket,
  seen: readonly SeenFrame[],
  end: { readonly hungUp: boolean; readonly over: boolean; readonly code: number; readonly reason: string },
): RawWebSocket {
  let taken = 0;
  const self: RawWebSocket = {
    seen,
    get isClosed() {
      return end.over;
    },
    send(...parts) {
      for (const part of parts) if (!socket.destroyed) socket.write(part);
    },
    flushed: () => new Promise((resolve) => socket.write("", () => resolve())),
    async next() {
      await until(
        () => seen.length > taken || end.over,
        () => `a frame; there were ${JSON.stringify(seen)}`,
      );
      return seen[taken++];
    },
    text: async () => (await self.next())?.text,
    async closed() {
      await until(
        () => end.over,
        () => `the end; there were ${JSON.stringify(seen)}`,
      );
      return end;
    },
    hangUp: () => void socket.destroy(),
  };
  return self;
}

/** Those frames that are complete; wrong ones throw. */
function wholeFrames(bytes: Uint8Array): { readonly frames: ServerFrame[]; readonly bytes: number } {
  const frames: ServerFrame[] = [];
  let at = 0;
  for (;;) {
    const size = frameBytes(bytes.subarray(at));
    if (size === undefined || at + size > bytes.length) return { frames, bytes: at };
    frames.push(...serverFrames(bytes.subarray(at, at + size)));
    at += size;
  }
}

/** Size of the frame that begins here; undefined where its head is not complete. */
function frameBytes(bytes: Uint8Array): number | undefined {
  const [, length = 128] = bytes;
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (length === 126) return bytes.length < 4 ? undefined : 4 + view.getUint16(2);
  if (length === 127) return bytes.length < 10 ? undefined : 10 + Number(view.getBigUint64(2));
  return 2 + length;
}
