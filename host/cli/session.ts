/**
 * One WebSocket session with a host, as documented in docs/frames.md. The caller says what frames mean.
 */
import { WebSocket } from "ws";
import type { Target } from "./client.ts";
import { CliError, errorFromNetwork, errorFromProblem, type ProblemLike } from "./failure.ts";

/** `sluice.v1.json`: one JSON frame per text message. `sluice.v1.proto`: size-delimited binary frames. */
export type Subprotocol = "sluice.v1.json" | "sluice.v1.proto";

/** Why a session ended. */
export interface Ending {
  /** WebSocket close code; 1006 where the connection broke without one. */
  readonly code: number;
  readonly reason: string;
  /** Whether coming back makes sense: 3500–3999 are final, and so is a peer that broke the protocol. */
  readonly reconnect: boolean;
}

/** What a session tells its owner. `onMessage` gets text for JSON and bytes for binary sessions. */
export interface SessionEvents {
  onMessage(message: string | Uint8Array): void;
  onEnd(ending: Ending): void;
}

/** An open session. */
export interface Session {
  send(message: string | Uint8Array): void;
  /** Bytes handed to send() that the system has not taken yet. */
  readonly waitingBytes: () => number;
  /** Stops and resumes reading: the host sees no pongs meanwhile and holds deliveries back. */
  pause(): void;
  resume(): void;
  /** Says goodbye and waits for the answer, at most CLOSE_WAIT_MS. */
  close(): Promise<void>;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Largest message taken from a host: far beyond its own frame limit, far below what would hurt. */
const MESSAGE_BYTES_MAX = 64 * 2 ** 20;

/**
 * Opens a session.
 *
 * @param stop Gives up a handshake that is still under way.
 * @throws {CliError} when nobody answers, the answer is no WebSocket, or the host refuses (its problem is told).
 */
export function openSession(
  target: Target,
  subprotocol: Subprotocol,
  events: SessionEvents,
  stop?: AbortSignal,
): Promise<Session> {
  const url = `${target.url.replace(/^http/, "ws")}/v1/socket`;
  const headers = target.token === undefined ? {} : { authorization: `Bearer ${target.token}` };
  const socket = new WebSocket(url, [subprotocol], {
    headers,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MESSAGE_BYTES_MAX,
    // No compression: the host negotiates no extensions.
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    let open = false;
    let ended: () => void;
    const end = new Promise<void>((done) => {
      ended = done;
    });
    const giveUp = (): void => {
      if (open) return;
      reject(new CliError(`stopped before ${target.url} answered`));
      socket.terminate();
    };
    stop?.addEventListener("abort", giveUp, { once: true });
    socket.on("unexpected-response", (_request, response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        if (body.length < 65_536) body += text;
      });
      response.on("end", () => reject(errorFromUpgrade(body, response.statusCode ?? 0, target)));
      response.on("error", (reason) => reject(errorFromNetwork(reason, target.url)));
    });
    socket.on("error", (reason) => {
      // After the opening an error is followed by "close", which is told as an ending.
      if (!open) reject(errorFromNetwork(reason, target.url));
    });
    socket.on("close", (code, reason) => {
      ended();
      if (open) events.onEnd({ code, reason: reason.toString("utf8"), reconnect: mayReconnect(code) });
      else reject(new CliError(`the host at ${target.url} closed the session: ${code} ${reason.toString("utf8")}`));
    });
    socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      events.onMessage(isBinary ? bytes : bytes.toString("utf8"));
    });
    socket.on("open", () => {
      open = true;
      stop?.removeEventListener("abort", giveUp);
      resolve({
        send: (message) => socket.send(message),
        waitingBytes: () => socket.bufferedAmount,
        pause: () => socket.pause(),
        resume: () => socket.resume(),
        close() {
          socket.resume();
          // ws itself destroys a socket whose peer does not answer the close frame within 30 s; a person will not wait so long.
          const given = AbortSignal.timeout(CLOSE_WAIT_MS);
          given.addEventListener("abort", () => socket.terminate());
          socket.close(1000);
          return end;
        },
      });
    });
  });
}

const CLOSE_WAIT_MS = 2_000;

function mayReconnect(code: number): boolean {
  if (code >= 3000 && code <= 3999) return code < 3500;
  return code === 1001 || code === 1006 || code === 1011 || code === 1012 || code === 1013;
}

function errorFromUpgrade(body: string, status: number, target: Target): CliError {
  try {
    const problem: unknown = JSON.parse(body);
    if (typeof problem === "object" && problem !== null && "code" in problem)
      return errorFromProblem(problem as ProblemLike);
  } catch {
    // Not a problem document; the status must do.
  }
  return new CliError(`${target.url} refused the session with HTTP ${status}; is it a Sluice host?`);
}
