/**
 * Reading straight into core memory: `onread` gives a socket one buffer to read into, and we give all the same one.
 *
 * Node takes `onread` only where a socket is made, which for accepted ones is Node itself. So a new Socket is made around
 * the handle of the accepted one; the latter is left without a handle and destroyed, which only ends Node's book-keeping.
 * Reads are synchronous: the buffer is ours again when the callback returns.
 */
import { Socket } from "node:net";

/** The parts of Node's inside that this leans on; absent ones mean the other way in. */
interface Handle {
  useUserBuffer?: unknown;
  reading?: boolean;
  readStop?(): number;
}

type WithHandle = Socket & { _handle?: Handle | null };

/** How input reaches the session. */
export interface Reader {
  /** Where to read into. It stays the same for the life of the session, which never outlives its core. */
  readonly landing: Uint8Array<ArrayBuffer>;
  /** `bytes` bytes lie in {@link Reader.landing}. */
  received(bytes: number): void;
  /** Input that lies elsewhere. */
  receive(chunk: Uint8Array): void;
}

/** Whether this Node lets a handle be taken over. */
export function canTakeOver(socket: Socket): boolean {
  const handle = (socket as WithHandle)._handle;
  return typeof handle?.useUserBuffer === "function";
}

/**
 * Makes a socket around the handle of `accepted`, which reads into the landing zone. `accepted` must not be used again.
 *
 * @param accepted Not read from yet, or between two reads.
 */
export function takeOver(accepted: Socket, reader: Reader): Socket {
  const from = accepted as WithHandle;
  const handle = from._handle as Handle;
  from._handle = null;
  // The new socket starts reading by itself, which a handle that reads already would refuse.
  if (handle.reading === true) handle.readStop?.();
  handle.reading = false;
  const options = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: reader.landing,
      callback: (bytes: number): boolean => {
        reader.received(bytes);
        return true;
      },
    },
  };
  const socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
  accepted.destroy();
  return socket;
}

/** The way in without taking over: chunks of Node's own, copied into the landing zone. Costs up to 1.4 times the CPU. */
export function readByCopy(socket: Socket, reader: Reader): Socket {
  socket.on("data", (chunk: Uint8Array) => reader.receive(chunk));
  socket.resume();
  return socket;
}
