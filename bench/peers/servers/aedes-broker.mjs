// The MQTT broker aedes with its queues wide open. Usage: node aedes-broker.mjs PORT
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";

// It is installed with the tools that only CI and nightly runs need.
const tools = createRequire(path.join(import.meta.dirname, "../../../tools/package.json"));
const { Aedes } = await import(pathToFileURL(tools.resolve("aedes")).href);
const broker = await Aedes.createBroker({ queueLimit: 1_000_000, concurrency: 1000, heartbeatInterval: 1_000_000 });
net.createServer({ noDelay: true }, broker.handle).listen(Number(process.argv[2]), "127.0.0.1");
