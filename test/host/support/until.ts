/** Waiting for what must come, with a bound, and never for a fixed time. */

/** How long a thing may take on a machine that is busy with other tests. */
const WAIT_MS = 10_000;

/**
 * Waits until something is so.
 *
 * @param isSo Looked at after each turn of the event loop.
 * @param what Named in the error.
 * @throws {Error} after 10 s.
 */
export async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`Waited ${WAIT_MS} ms in vain for ${what()}`);
    await turn();
  }
}

/** One turn of the event loop, input and output of sockets included. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
