/** The seam between a session and what carries its bytes: a WebSocket, or where a runtime has them, a TCP connection. */

/** What a session needs of a connection. */
export interface Carrier {
  /** Takes bytes to send, whole frames, after all earlier ones. What is said to a connection that is gone is lost. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Says goodbye; what was sent before arrives before it. */
  close(): void;
}

/** What a connection tells its session. Nothing after onClose(). */
export interface CarrierEvents {
  onOpen(): void;
  /** Whole frames, which stay as they are. */
  onMessage(bytes: Uint8Array): void;
  /** It is over, once. @param code As WebSockets have it; 1006 where nobody said one. */
  onClose(code: number, reason: string): void;
}

/** Opens a connection; that it cannot be opened is told by onClose(). */
export type OpenCarrier = (url: URL, events: CarrierEvents) => Carrier;

/** The part of the WebSocket interface that is used: that of browsers, and of the package `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** A class of WebSockets. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

const OPEN = 1;
/** How long a peer may take to answer a goodbye: sockets themselves may wait for minutes. */
const CLOSE_WAIT_MS = 2_000;

/** Carries sessions over WebSockets of a class. */
export function overWebSocket(Socket: WebSocketClass): OpenCarrier {
  return (url, events) => {
    const address = new URL(url);
    address.protocol = address.protocol.replace("http", "ws");
    if (address.pathname === "/") address.pathname = "/v1/socket";
    const socket = new Socket(address.href, ["sluice.v1.proto"]);
    // Buffers of Node need no copy.
    if (socket.binaryType !== "nodebuffer") socket.binaryType = "arraybuffer";
    let over = false;
    let given: ReturnType<typeof setTimeout> | undefined;
    const end = (code: number, reason: string): void => {
      if (over) return;
      over = true;
      clearTimeout(given);
      // An error may still come, and would end the process where nobody hears it.
      socket.onerror = () => {};
      events.onClose(code, reason);
    };
    socket.onopen = () => {
      if (!over) events.onOpen();
    };
    socket.onmessage = ({ data }: { data: ArrayBuffer | Uint8Array }) => {
      if (!over) events.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
    };
    // What went wrong is told to nobody, by intention of the standard, except for `ws`; a close follows.
    let trouble = "";
    socket.onerror = ({ message }: { message?: string }) => {
      trouble = message ?? "";
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => end(code, reason || trouble);
    return {
      send(bytes) {
        if (socket.readyState === OPEN) socket.send(bytes);
      },
      close() {
        if (over) return;
        socket.close(1000);
        given ??= setTimeout(() => end(1006, "The host did not answer the goodbye"), CLOSE_WAIT_MS);
      },
    };
  };
}
