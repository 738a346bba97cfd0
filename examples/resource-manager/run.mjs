/**
 * Resource managers over real sockets: `node examples/resource-manager/run.mjs --help`.
 */
import { parseArgs } from "node:util";
import { machineClock } from "../lib/clock.mjs";
import { Session } from "../lib/session.mjs";
import { openWebSocket } from "../lib/web-socket.mjs";
import { Manager } from "./manager.mjs";
import { criteria } from "./requester.mjs";

const HELP = `Usage: node examples/resource-manager/run.mjs [options]

Without --name: Figure 4 of the KECho paper in one process, some requests, and a manager that dies. With it: one manager, which
you can start as often as you like, in as many terminals, and end by Ctrl-C (it withdraws) or by kill -9 (it is lost).

  --name NAME           one manager of that name
  --resource KIND=N     it has so much of that (repeatable)
  --want KIND=N         it wants so much of that, and keeps it (repeatable)
  --choose HOW          of several offers: fastest, nearest or emptiest (emptiest)
  --host URL            SLUICE_URL, or http://127.0.0.1:7480
`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    name: { type: "string" },
    resource: { type: "string", multiple: true, default: [] },
    want: { type: "string", multiple: true, default: [] },
    choose: { type: "string", default: "emptiest" },
    host: { type: "string", default: process.env["SLUICE_URL"] ?? "http://127.0.0.1:7480" },
  },
});

try {
  if (values.help) process.stdout.write(HELP);
  else if (values.name === undefined) await demonstrate();
  else await serve(values.name);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** One manager, until somebody ends it. @param {string} name */
async function serve(name) {
  const criterion = Object.entries(criteria).find(([key]) => key === values.choose)?.[1];
  if (criterion === undefined)
    throw new Error(`Cannot choose "${values.choose}", only ${Object.keys(criteria).join(", ")}`);
  const resources = values.resource
    .map(amountOf)
    .map(({ kind, amount }) => ({ name: `${name}.${kind}`, kind, capacity: amount }));
  const manager = await start({ name, resources });
  for (const { kind, amount } of values.want.map(amountOf)) want(name, manager, { kind, amount, criterion });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.once(signal, () => {
      manager.leave();
      // What it has said is on its way once the socket has closed in order.
      manager.close();
    });
  }
}

/** Three kernels: one with a manager for each resource, one likewise, one with a manager for all. */
async function demonstrate() {
  const cpu = (/** @type {string} */ name, /** @type {number} */ capacity) => ({ name, kind: "cpu", capacity });
  const disk = (/** @type {string} */ name, /** @type {number} */ capacity) => ({ name, kind: "disk", capacity });
  const managers = [
    await start({ name: "kernel-1-cpu", location: "kernel-1", resources: [cpu("kernel-1.cpu", 4)] }),
    await start({ name: "kernel-1-disk", location: "kernel-1", resources: [disk("kernel-1.disk", 50)] }),
    await start({ name: "kernel-2-cpu", location: "kernel-2", resources: [cpu("kernel-2.cpu", 8)] }),
    await start({ name: "kernel-3", resources: [cpu("kernel-3.cpu", 2), disk("kernel-3.disk", 200)] }),
  ];
  const application = await start({ name: "application", location: "kernel-1" });
  const { nearest, emptiest } = criteria;
  want("application", application, { kind: "cpu", amount: 2, criterion: nearest });
  want("application", application, { kind: "cpu", amount: 2, criterion: emptiest });
  want("application", application, { kind: "disk", amount: 100, criterion: emptiest });
  want("application", application, { kind: "gpu", amount: 1, criterion: emptiest });
  await seconds(1);
  console.log("kernel-2-cpu dies without a word");
  managers[2]?.kill();
  await seconds(3);
  for (const one of [...managers, application]) one.leave();
  await seconds(0.2);
  for (const one of [...managers, application]) one.close();
}

/**
 * Wants something and goes on wanting it when it is lost.
 *
 * @param {string} name
 * @param {Manager} manager
 * @param {import("./requester.mjs").Wish} wish
 */
function want(name, manager, wish) {
  const { kind, amount } = wish;
  manager.requester.allocate({
    ...wish,
    onResult: (got) =>
      console.log(
        `${name}: ${got === undefined ? `nobody has ${amount} of ${kind}` : `has ${amount} of ${got.resource}`}`,
      ),
    onLost: ({ resource }) => {
      console.log(`${name}: lost ${resource}, asks for another`);
      want(name, manager, wish);
    },
  });
}

/** @param {Pick<import("./manager.mjs").ManagerOptions, "name" | "location" | "resources">} options @returns {Promise<Manager>} Joined. */
async function start(options) {
  const session = new Session(await openWebSocket(values.host), (detail) => {
    throw new Error(`The host refused: ${detail}`);
  });
  return new Promise((resolve) => {
    const manager = new Manager({
      ...options,
      session,
      clock: machineClock,
      onLost: (resource) => console.log(`${options.name}: resource lost: ${resource}`),
      onJoined: () => {
        console.log(`${options.name}: ready`);
        queueMicrotask(() => resolve(manager));
      },
    });
  });
}

/** @param {string} text `cpu=4`. */
function amountOf(text) {
  const [, kind = "", amount = ""] = /^([a-z]+)=(\d+)$/.exec(text) ?? [];
  if (kind === "") throw new Error(`Cannot read "${text}", it must be like cpu=4`);
  return { kind, amount: Number(amount) };
}

/** @param {number} count */
function seconds(count) {
  return new Promise((resolve) => machineClock.setTimer(() => resolve(undefined), count * 1000));
}
