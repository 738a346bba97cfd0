// A publish/subscribe relay as one writes it on the `ws` package in an afternoon: one send per subscriber and message.
//
// Usage: node ws-relay.mjs PORT. A text message "SUB a,b" subscribes and is answered by "OK"; a binary message begins with
// one byte of length and the channel's name, and goes as it is to everybody who subscribed to that channel.
import { WebSocketServer } from "ws";

/** @type {Map<string, Set<import('ws').WebSocket>>} */
const subscribers = new Map();
const server = new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1", perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    const message = /** @type {Buffer} */ (data);
    if (!isBinary) {
      for (const channel of message.toString().slice("SUB ".length).split(",")) {
        subscribers.set(channel, (subscribers.get(channel) ?? new Set()).add(socket));
      }
      socket.send("OK");
      return;
    }
    const channel = message.toString("latin1", 1, 1 + message.readUInt8(0));
    for (const subscriber of subscribers.get(channel) ?? []) subscriber.send(message);
  });
  socket.on("close", () => {
    for (const set of subscribers.values()) set.delete(socket);
  });
  socket.on("error", () => socket.terminate());
});
