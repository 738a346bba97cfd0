/**
 * Opening and closing of servers, with errors that name the address.
 */
import type { AddressInfo, Server } from "node:net";
import { addressText, type ListenAddress, listenError } from "./address.ts";

/** How many connections may wait to be accepted: a burst of clients that come back after a restart. */
const BACKLOG = 4_096;

/**
 * Starts listening.
 *
 * @returns The address with the port that was taken.
 * @throws {SluiceError} naming the address and what is wrong with it.
 */
export async function listen(server: Server, address: ListenAddress): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(listenError(address, error));
    server.once("error", fail);
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
      server.off("error", fail);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  return addressText({ host: address.host, port });
}

/** Stops listening and waits for the connections that the server knows of. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // The only error is that it does not listen, which is what is wanted.
    server.close(() => resolve());
  });
}
