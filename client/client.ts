/** The way to a host: one object for an application, with sessions beneath it. */
import type { AttributeValue } from "../host/interface.ts";
import { type Backoff, defaultBackoff } from "./backoff.ts";
import { type OpenCarrier, overWebSocket, type WebSocketClass } from "./carrier.ts";
import { type Channel, createChannel, type StreamOptions } from "./channel.ts";
import { closedError, type SluiceError } from "./errors.ts";
import { Outgoing } from "./outgoing.ts";
import { Session, type SessionSettings } from "./session.ts";
import { type EventStream, streamOf } from "./stream.ts";
import { Incoming } from "./subscription.ts";
import { abortable, deferred, onAbort } from "./wait.ts";

/** What the way to the host is now. */
export type ClientStatus =
  | { readonly state: "connected"; readonly host: string; readonly resumed: boolean }
  | { readonly state: "reconnecting"; readonly reason: SluiceError }
  | { readonly state: "closed"; readonly reason: SluiceError };

/** How a client connects. */
export interface ConnectOptions {
  /** The client's name for itself, part of the `source` of its events. */
  readonly name?: string;
  /** For hosts that ask for credentials; a function is asked before each connection. */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>);
  /** How long hosts keep its sessions after a break, ms; 30,000 where absent. */
  readonly lingerMs?: number;
  /** Bounds of the time between attempts, ms, and of attempts in a row. */
  readonly reconnect?: Partial<Backoff>;
  /** Goes on trying where no host answers at first. */
  readonly wait?: boolean;
  /** A class of WebSockets, where the runtime has none or another one is wanted. */
  readonly WebSocket?: WebSocketClass;
  /** How long close() waits for what was published, ms; 5,000 where absent. */
  readonly closeMs?: number;
  /** Gives up connecting, and later closes the client. */
  readonly signal?: AbortSignal;
  /** Hears how the client's own session fares. */
  readonly onStatus?: (status: ClientStatus) => void;
  /** Hears of refused events that wanted no receipt, and of what handlers throw; `reportError` or the console where absent. */
  readonly onError?: (error: unknown) => void;
}

/** A client of a host. */
export interface Client {
  /** The host's id. */
  readonly host: string;
  /** One channel; it comes into being with its first use, where that is allowed. */
  channel<Data = unknown>(name: string): Channel<Data>;
  /** Subscribes to several channels, or patterns, with one inbox and over one connection. */
  subscribe<Data = unknown>(channels: readonly string[], options?: StreamOptions): EventStream<Data>;
  /** Sets conditions of the host and adds to others, all in one change; none may be in both. */
  set(
    values: Readonly<Record<string, AttributeValue>>,
    options?: { readonly add?: Readonly<Record<string, number>>; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Resolved once the host has all that was published. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Why the client is over, once it is; undefined where it was closed. */
  readonly closed: Promise<SluiceError | undefined>;
  /** Sends what was published, ends all subscriptions and sources, and says goodbye. */
  close(): Promise<void>;
}

/** What a runtime brings along. */
export interface ClientPlatform {
  readonly WebSocket: WebSocketClass | undefined;
  /** Other carriers, by the protocol of the address: `tcp:`. */
  readonly carriers: Readonly<Record<string, OpenCarrier>>;
}

/** See `closeMs`. */
const CLOSE_MS = 5_000;

/**
 * Connects to a host. It is resolved when the host has answered.
 *
 * @param urls `http://host:7480` or `ws://…`; several are tried in turn.
 * @throws {SluiceError} `unreachable`, and as the host refuses; `TypeError` for an address that is none; the signal's reason.
 */
export async function connectWith(
  platform: ClientPlatform,
  urls: string | URL | readonly (string | URL)[],
  options: ConnectOptions = {},
): Promise<Client> {
  const { signal, wait = false, closeMs = CLOSE_MS, onStatus, onError = report } = options;
  signal?.throwIfAborted();
  const settings = settingsFrom(platform, [urls].flat(), options);
  const outgoing = new Outgoing({}, onError);
  const begun = deferred<void>();
  const ended = deferred<SluiceError | undefined>();
  const parts = new Set<(reason: SluiceError) => void>();
  let closing: Promise<void> | undefined;
  const session = new Session(settings, {
    onWelcome(welcome) {
      begun.resolve();
      outgoing.onWelcome(welcome);
      onStatus?.({ state: "connected", host: welcome.host, resumed: welcome.resumed ?? false });
    },
    onFrame: (frame) => outgoing.onFrame(frame),
    onBreak(reason) {
      if (!wait) begun.reject(reason);
      onStatus?.({ state: "reconnecting", reason });
    },
    onEnd(reason) {
      begun.reject(reason);
      outgoing.onEnd(reason);
      ended.resolve(reason.code === "closed" ? undefined : reason);
      for (const endPart of [...parts]) endPart(reason);
      onStatus?.({ state: "closed", reason });
    },
  });
  outgoing.use(session);
  const close = async (): Promise<void> => {
    undo();
    const late = deferred<void>();
    const timer = setTimeout(late.resolve, closeMs);
    await Promise.race([outgoing.settled().catch(() => {}), late.promise]);
    clearTimeout(timer);
    session.close(closedError("the client"));
  };
  const end = (): Promise<void> => {
    closing ??= close();
    return closing;
  };
  const undo = onAbort(signal, () => session.close(closedError("the client")));
  try {
    await abortable(begun.promise, signal);
  } catch (error) {
    session.close();
    throw error;
  }
  const root = {
    settings,
    session,
    outgoing,
    onError,
    assertOpen() {
      if (session.over !== undefined) throw session.over;
    },
    keep(endPart: (reason: SluiceError) => void) {
      parts.add(endPart);
      return () => void parts.delete(endPart);
    },
  };
  return {
    get host() {
      return session.place.host;
    },
    channel: <Data>(name: string) => createChannel<Data>(root, name),
    subscribe<Data>(channels: readonly string[], stream: StreamOptions = {}) {
      stream.signal?.throwIfAborted();
      root.assertOpen();
      if (channels.length === 0) throw new TypeError("Cannot subscribe to no channel");
      let forget = (): void => {};
      const incoming = new Incoming(settings, channels, stream, () => forget());
      const forgetPart = root.keep((reason) => incoming.leave(reason));
      const forgetSignal = onAbort(stream.signal, () => incoming.leave());
      forget = () => {
        forgetPart();
        forgetSignal();
      };
      return streamOf<Data>(incoming, {
        channel: channels[0] as string,
        schema: undefined,
        onRejected: undefined,
        signal: stream.signal,
      });
    },
    async set(values, { add, signal: given } = {}) {
      given?.throwIfAborted();
      await abortable(
        session.ask("set", () => ({ values, ...(add === undefined ? {} : { add }) })),
        given,
      );
    },
    flush: ({ signal: given } = {}) => abortable(outgoing.settled(), given),
    closed: ended.promise,
    close: end,
  };
}

function settingsFrom(
  platform: ClientPlatform,
  urls: readonly (string | URL)[],
  { name = "", token, lingerMs = 30_000, reconnect = {}, WebSocket = platform.WebSocket }: ConnectOptions,
): SessionSettings {
  if (urls.length === 0) throw new TypeError("Cannot connect without an address");
  const carriers: Record<string, OpenCarrier> = { ...platform.carriers };
  if (WebSocket !== undefined)
    for (const protocol of ["http:", "https:", "ws:", "wss:"]) carriers[protocol] = overWebSocket(WebSocket);
  const addresses = urls.map((url) => new URL(url));
  for (const { protocol, href } of addresses) {
    if (carriers[protocol] !== undefined) continue;
    const known =
      Object.keys(carriers).join(" ") || "none: this runtime has no WebSocket, give one by options.WebSocket";
    throw new TypeError(`Cannot connect to ${href}: of the protocols here (${known}) none is ${protocol}`);
  }
  return {
    urls: addresses,
    open: (url, events) => (carriers[url.protocol] as OpenCarrier)(url, events),
    name,
    token: typeof token === "function" ? token : () => token,
    lingerMs,
    backoff: { ...defaultBackoff, ...reconnect },
    random: Math.random,
  };
}

/** An error that nobody listens for, told as the runtime tells those. */
function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
