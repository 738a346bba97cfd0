/**
 * The TCP port: size-delimited binary frames from the first byte on.
 */
import { createServer, type Server, type Socket } from "node:net";
import { sluiceErrorFrom } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Service } from "../../service.ts";
import type { ConnectionKind } from "../../session/connection.ts";
import { problemBytes } from "../../session/farewell.ts";
import type { Admission } from "./admission.ts";
import { SocketAdapter } from "./socket-adapter.ts";
import { canTakeOver, type Reader, readByCopy, takeOver } from "./takeover.ts";

/** How sockets are read. */
export interface CarrySettings {
  readonly service: Service;
  /** Whether to read straight into core memory where this Node can; false forces the copying way. */
  readonly onread: boolean;
  /** Silence of a TCP connection after which the system asks whether the peer is still there. */
  readonly keepAliveMs: number;
  /** What each client may use; as much as it likes where absent. */
  readonly admission?: Admission;
}

/**
 * Makes a session of a socket.
 *
 * @param socket Not read from, or between two reads; it must not be used by the caller any more.
 * @param before Bytes to be sent first, such as the answer to an upgrade.
 * @param head Input that was read already.
 * @throws {SluiceError} as Service.openConnection(); the socket is untouched then.
 */
export function carry(
  socket: Socket,
  kind: ConnectionKind,
  settings: CarrySettings,
  before: Uint8Array,
  head: Uint8Array,
): void {
  const { service, admission } = settings;
  const ask = admission?.asker(socket);
  const slot: { adapter: SocketAdapter | undefined } = { adapter: undefined };
  // The session exists before its socket, because the socket needs to know where to read into.
  const connection = service.openConnection(kind, {
    write: (bytes) => slot.adapter?.write(bytes) ?? true,
    pendingBytes: () => slot.adapter?.pendingBytes() ?? 0,
    end: () => slot.adapter?.end(),
    destroy: () => slot.adapter?.destroy(),
    ...(ask === undefined ? {} : { ask }),
  });
  const reader: Reader = {
    landing: connection.landing,
    received: (bytes) => connection.received(bytes),
    receive: (chunk) => connection.receive(chunk),
  };
  const direct = settings.onread && canTakeOver(socket);
  const carried = direct ? takeOver(socket, reader) : socket;
  if (direct) admission?.move(socket, carried);
  carried.setNoDelay(true);
  // That of the HTTP server: sessions have their own watch (sweep.ts).
  carried.setTimeout(0);
  carried.setKeepAlive(true, settings.keepAliveMs);
  const adapter = new SocketAdapter(carried, service.clocks.real, service.log);
  adapter.connection = connection;
  slot.adapter = adapter;
  if (before.length > 0) carried.write(before);
  if (head.length > 0) connection.receive(head);
  if (!direct) readByCopy(carried, reader);
}

/** Makes the TCP server, not listening yet. */
export function createTcpServer(settings: CarrySettings): Server {
  const empty = new Uint8Array(0);
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    // Until somebody else listens: a reset in this very moment must not end the process.
    socket.on("error", () => {});
    try {
      admit(settings.admission, socket);
      carry(socket, "stream", settings, empty, empty);
    } catch (error) {
      refuse(socket, error);
    }
  });
  return server;
}

/** A connection is also something asked for: opening them over and over is a flood like any other. */
function admit(admission: Admission | undefined, socket: Socket): void {
  admission?.admit(socket);
  const crowded = admission?.ask(socket.remoteAddress);
  if (crowded !== undefined) throw crowded;
}

/** Says why there is no session, and hangs up. */
function refuse(socket: Socket, error: unknown): void {
  socket.end(problemBytes(sluiceErrorFrom(error)));
  hangUp(socket);
}

/**
 * Lets a peer read its last words, for a while that it cannot draw out.
 *
 * What it has sent is thrown away, or its arrival would reset the connection before those words were read.
 */
export function hangUp(socket: Socket): void {
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), limits.lingerMs);
  socket.once("close", () => clearTimeout(timer));
}
