/**
 * Sockets as what their clients use of the host: each counts as one connection, whatever it carries, from the moment it is
 * accepted until it is closed. A WebSocket is the same connection as the request it began with.
 */
import type { Socket } from "node:net";
import type { Clients } from "../../clients.ts";
import type { SluiceError } from "../../errors.ts";

/** Admits the sockets of all ports of a host. */
export class Admission {
  readonly #clients: Clients;
  readonly #held = new WeakMap<Socket, () => void>();

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  /**
   * Takes a new socket in; it counts until it is closed.
   *
   * @throws {SluiceError} `rate_limited`: its client has too many connections.
   */
  admit(socket: Socket): void {
    // Most hosts count nothing: then there is nothing to wait for either.
    if (this.#clients.rules.connections === 0) return;
    this.#hold(socket, this.#clients.connect(socket.remoteAddress));
  }

  /** The connection goes on in another socket, which counts instead of the first. */
  move(from: Socket, to: Socket): void {
    const release = this.#held.get(from);
    if (release === undefined) return;
    this.#held.delete(from);
    this.#hold(to, release);
  }

  /** Counts one thing that a client asks for, like a request. @returns The refusal where it asks too often. */
  ask(address: string | undefined): SluiceError | undefined {
    return this.#clients.request(address);
  }

  /** What a session asks before it does something for its peer; undefined where nothing is counted. */
  asker(socket: Socket): (() => SluiceError | undefined) | undefined {
    if (this.#clients.rules.requests === 0) return undefined;
    // A closed socket does not know its peer any more.
    const { remoteAddress } = socket;
    return () => this.#clients.request(remoteAddress);
  }

  #hold(socket: Socket, release: () => void): void {
    this.#held.set(socket, release);
    socket.once("close", () => this.#held.get(socket)?.());
  }
}
