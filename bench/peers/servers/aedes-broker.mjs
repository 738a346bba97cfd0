// The MQTT broker aedes with its queues wide open. Usage: node aedes-broker.mjs PORT
import net from "node:net";
import { Aedes } from "aedes";

const broker = await Aedes.createBroker({ queueLimit: 1_000_000, concurrency: 1000, heartbeatInterval: 1_000_000 });
net.createServer({ noDelay: true }, broker.handle).listen(Number(process.argv[2]), "127.0.0.1");
