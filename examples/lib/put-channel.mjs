/**
 * Sets up a channel of a running host.
 *
 * @param {string} url Of the host. @param {string} channel @param {object} definition Replaces what it had.
 * @throws {Error} with the host's problem where it refuses.
 */
export async function putChannel(url, channel, definition) {
  const answer = await fetch(`${url}/v1/channels/${channel}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(definition),
  });
  if (!answer.ok) throw new Error(`Cannot set up ${channel}: ${await answer.text()}`);
}
