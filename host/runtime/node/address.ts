/**
 * Where a host listens, and whether it may listen there.
 */
import { SluiceError } from "../../errors.ts";
import { isLoopbackName } from "../../socket/websocket/handshake.ts";

/** An address to listen on; port 0 takes a free one. */
export interface ListenAddress {
  /** Name or IP address; "0.0.0.0" and "::" are all of this machine's. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads an address: "127.0.0.1:7480", "[::1]:0", "localhost:80".
 *
 * @throws {SluiceError} `invalid_value`.
 */
export function addressFrom(address: ListenAddress | string): ListenAddress {
  if (typeof address !== "string") return address;
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new SluiceError("invalid_value", `Cannot listen on "${address}", it must be host:port, with IPv6 in brackets`, {
    value: address,
  });
}

/** An address as people write it: IPv6 in brackets. */
export function addressText({ host, port }: ListenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Refuses an address that others can reach as long as there are no credentials.
 *
 * @param insecure The operator has said that anyone who reaches it may use it.
 * @throws {SluiceError} `unauthorized`, saying how to go on.
 */
export function assertMayListen(address: ListenAddress, insecure: boolean): void {
  if (insecure || isLoopbackName(address.host)) return;
  throw new SluiceError(
    "unauthorized",
    `Cannot listen on ${addressText(address)}: others can reach it and there are no credentials; use a loopback address or --insecure`,
    { value: addressText(address) },
  );
}

/**
 * Says what went wrong with listening in words that name the address.
 *
 * @param cause What the system said.
 * @returns `invalid_value`, with the system's error as its cause.
 */
export function listenError(address: ListenAddress, cause: NodeJS.ErrnoException): SluiceError {
  const where = addressText(address);
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${address.port} is in use; stop what uses it or choose another port`,
    EADDRNOTAVAIL: "this machine has no such address",
    EACCES: `port ${address.port} needs rights that this process does not have`,
    ENOTFOUND: "the name is not known",
  };
  const reason = why[cause.code ?? ""] ?? cause.message;
  return new SluiceError("invalid_value", `Cannot listen on ${where}: ${reason}`, { value: where, cause });
}
