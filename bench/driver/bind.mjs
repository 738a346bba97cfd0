// Channel filters over HTTP.
import { HOST } from "./process.mjs";

/** As {@link bindFilter}. @param {number} port @param {string} channel @param {'out' | 'in'} stage @param {object | null} route As `route` of a binding. */
export const bindRoute = (port, channel, stage, route) =>
  bindFilter(port, channel, stage, route === null ? null : { route });

/**
 * Binds a filter to a stage of a channel, or takes away what is bound.
 *
 * @param {number} port Of HTTP.
 * @param {string} channel
 * @param {'out' | 'in'} stage
 * @param {object | null} binding Null: none.
 * @throws {Error} With the host's problem.
 */
export async function bindFilter(port, channel, stage, binding) {
  const response = await fetch(`http://${HOST}:${port}/v1/channels/${channel}/filters/${stage}`, {
    method: binding === null ? "DELETE" : "PUT",
    ...(binding === null ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(binding) }),
  });
  // Nothing bound is what was wanted.
  const isGone = binding === null && response.status === 404;
  if (!response.ok && !isGone)
    throw new Error(`${stage} of ${channel} answers ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
