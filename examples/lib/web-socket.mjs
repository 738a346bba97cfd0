/** A real WebSocket in the shape that sessions of these examples need. */
import { WebSocket } from "ws";

/**
 * @param {string} url Of the host: http://127.0.0.1:7480.
 * @returns {Promise<import("./memory-socket.mjs").Socket>}
 * @throws {Error} that says what to do where nobody listens.
 */
export function openWebSocket(url) {
  const carrier = new WebSocket(`${url.replace(/^http/, "ws")}/v1/socket`, ["sluice.v1.json"]);
  /** @type {import("./memory-socket.mjs").Socket} */
  const socket = {
    send(text) {
      // What is said after the end is lost, as it would be a moment before it.
      if (carrier.readyState === WebSocket.OPEN) carrier.send(text);
    },
    close: () => carrier.close(),
    onMessage: () => {},
    onClose: () => {},
  };
  carrier.on("message", (data) => socket.onMessage(String(data)));
  carrier.on("close", () => socket.onClose());
  return new Promise((resolve, reject) => {
    carrier.on("open", () => resolve(socket));
    carrier.on("error", (error) => {
      const cause = error instanceof AggregateError ? error.errors[0] : error;
      reject(new Error(`Cannot reach a host at ${url} (${cause.message}). Start one: npm start`, { cause }));
    });
  });
}
