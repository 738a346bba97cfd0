// Channel filters over HTTP.
import { HOST } from "./process.mjs";

/**
 * Binds a route to a stage of a channel, or takes away what is bound.
 *
 * @param {number} port Of HTTP.
 * @param {string} channel
 * @param {'out' | 'in'} stage
 * @param {object | null} route As `route` of a binding; null: none.
 * @throws {Error} With the host's problem.
 */
export async function bindRoute(port, channel, stage, route) {
  const response = await fetch(`http://${HOST}:${port}/v1/channels/${channel}/filters/${stage}`, {
    method: route === null ? "DELETE" : "PUT",
    ...(route === null ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify({ route }) }),
  });
  // Nothing bound is what was wanted.
  const isGone = route === null && response.status === 404;
  if (!response.ok && !isGone)
    throw new Error(`${stage} of ${channel} answers ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
