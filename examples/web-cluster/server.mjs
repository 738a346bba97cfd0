/**
 * One web server of the cluster: a queue, a worker, and what KECho adds to them (section 4 of the paper).
 *
 * It is a state machine over a session and a clock, so the same code runs in virtual time and over real sockets.
 */
import { DATA, MONITORING } from "./channels.mjs";

/**
 * @typedef {object} ServerSettings
 * @property {number} forwardAfterMs What waited so long is forwarded; Infinity: never.
 * @property {number} copies To how many others at once.
 * @property {boolean} cancelOnStart Whether who begins a request withdraws it from the others.
 * @property {number} updatesPerSecond How often it says its load; Infinity: whenever that changes.
 * @property {number} [firstUpdateMs] When it does so first; 0: at once.
 * @property {boolean} watch Whether it publishes its load on the monitoring channel, too, and follows that of the others.
 *
 * @typedef {{ key: string, origin: "local" | "remote", work: number, deadlineAt: number, startedAt: number,
 *   isShared: boolean, isOurs: boolean, isOver: boolean, stop: () => void }} Task `isShared`: others may have it, too; `isOurs`: the
 *   host has said that we were the first to begin it.
 */

/** What a server has done, as it counts itself. */
export const nothingDone = Object.freeze({
  local: 0,
  remote: 0,
  forwarded: 0,
  /** Responses to what it had forwarded. */
  responses: 0,
  /** Not begun, since their time was over. */
  late: 0,
  /** Withdrawn by another server's cancel before it began. */
  withdrawn: 0,
  /** Begun, and given up for one who had begun earlier. */
  abandoned: 0,
  cancels: 0,
  loadEvents: 0,
  heardLoads: 0,
  busyMs: 0,
});

/** A server. */
export class Server {
  counts = { ...nothingDone };
  /** The last load that each other server published. @type {Map<string, number>} */
  loads = new Map();
  #name;
  #clock;
  #settings;
  #data;
  #monitoring;
  /** @type {Task[]} */
  #queue = [];
  /** Behind those of the queue that are gone. */
  #first = 0;
  /** Not over yet, the one in work included. */
  #waiting = 0;
  /** @type {Task | undefined} */
  #running = undefined;
  /** Forwarded and not answered, by key: when its requester gives up. @type {Map<string, number>} */
  #forwarded = new Map();
  #saidAt = 0;
  #busyBefore = 0;
  #stopSaying = () => {};

  /**
   * @param {string} name
   * @param {import("../lib/session.mjs").Session} session
   * @param {import("../lib/clock.mjs").Clock} clock
   * @param {ServerSettings} settings
   * @param {() => void} [onJoined]
   */
  constructor(name, session, clock, settings, onJoined = () => {}) {
    this.#name = name;
    this.#clock = clock;
    this.#settings = settings;
    this.#data = session.join({
      channel: DATA,
      role: "both",
      types: ["request", "forward", "response", "cancel"],
      attributes: { server: name, load: 0, queue: 0 },
      onEvent: (event) => this.#hear(event),
      onJoined,
    });
    if (settings.watch) {
      this.#monitoring = session.join({
        channel: MONITORING,
        role: "both",
        onEvent: ({ source, attributes }) => {
          this.counts.heardLoads++;
          this.loads.set(source, Number(attributes?.["load"]));
        },
      });
    }
    this.#saidAt = clock.now();
    if (Number.isFinite(settings.updatesPerSecond)) {
      this.#stopSaying = clock.setTimer(() => this.#sayAgain(), settings.firstUpdateMs ?? 0);
    }
  }

  /** Says its load no more; what it has is done or given up with the process. */
  stop() {
    this.#stopSaying();
  }

  /** @param {import("../lib/session.mjs").ReceivedEvent} event */
  #hear({ type, key = "", attributes = {}, deliverBy }) {
    if (type === "response") return this.#answer(key, "remote");
    if (type === "cancel") return this.#withdraw(key);
    const origin = type === "forward" ? "remote" : "local";
    /** @type {Task} */
    const task = {
      key,
      origin,
      work: Number(attributes["work"]),
      deadlineAt: deliverBy === undefined ? Number.POSITIVE_INFINITY : Date.parse(deliverBy),
      startedAt: -1,
      isShared: type === "forward" || attributes["server"] === undefined,
      isOurs: false,
      isOver: false,
      stop: () => {},
    };
    this.#queue.push(task);
    this.#waiting++;
    const { forwardAfterMs } = this.#settings;
    // What was forwarded to us is not passed on: its requester has waited once already.
    if (origin === "local" && Number.isFinite(forwardAfterMs))
      task.stop = this.#clock.setTimer(() => this.#forward(task), forwardAfterMs);
    this.#changed();
    this.#work();
  }

  /** Begins what is next, unless something is in work. */
  #work() {
    while (this.#running === undefined) {
      const task = this.#queue[this.#first];
      if (task === undefined) return;
      this.#first++;
      // Not one by one: a queue of an overloaded server is long.
      if (this.#first > 1024) {
        this.#queue.splice(0, this.#first);
        this.#first = 0;
      }
      if (task.isOver) continue;
      task.stop();
      if (this.#clock.now() > task.deadlineAt) {
        this.counts.late++;
        this.#over(task);
        continue;
      }
      this.#running = task;
      task.startedAt = this.#clock.now();
      if (this.#settings.cancelOnStart && task.isShared) this.#claim(task);
      task.stop = this.#clock.setTimer(() => this.#finish(task), task.work);
    }
  }

  /** @param {Task} task */
  #finish(task) {
    this.counts[task.origin]++;
    this.#leave(task);
    if (task.origin === "remote") this.#data.publish({ type: "response", key: task.key });
    else this.#answer(task.key, "local");
    this.#work();
  }

  /** @param {Task} task */
  #forward(task) {
    this.counts.forwarded++;
    this.#over(task);
    this.#forwarded.set(task.key, task.deadlineAt);
    const { copies } = this.#settings;
    const deliverBy = Number.isFinite(task.deadlineAt) ? { deliverBy: new Date(task.deadlineAt).toISOString() } : {};
    this.#data.publish({ type: "forward", key: task.key, attributes: { copies, work: task.work }, ...deliverBy });
  }

  /** @param {string} key @param {"local" | "remote"} served */
  #answer(key, served) {
    if (served === "remote") this.counts.responses++;
    this.#forwarded.delete(key);
    this.#data.publish({ type: "answer", key, attributes: { served, server: this.#name } });
  }

  /**
   * Says that we have begun, which withdraws the request from all others. Of several who have begun the host lets the earliest
   * go on, by time and then by the order of joining.
   *
   * @param {Task} task
   */
  #claim(task) {
    this.counts.cancels++;
    this.#data.cancel(task.key, task.startedAt, (stands) => {
      if (stands) task.isOurs = true;
      else this.#abandon(task);
    });
  }

  /** Somebody has begun what we have, too. @param {string} key */
  #withdraw(key) {
    const running = this.#running;
    if (running?.key === key) {
      // Before the answer to our own claim it is that answer which counts: both tell of the same decision.
      if (running.isOurs) this.#abandon(running);
      return;
    }
    for (let index = this.#first; index < this.#queue.length; index++) {
      const task = this.#queue[index];
      if (task?.key !== key || task.isOver) continue;
      this.counts.withdrawn++;
      task.stop();
      this.#over(task);
      return;
    }
  }

  /** Gives up what another began earlier. @param {Task} task */
  #abandon(task) {
    if (task !== this.#running) return;
    task.stop();
    this.counts.abandoned++;
    this.#leave(task);
    this.#work();
  }

  /** What was in work is so no longer. @param {Task} task */
  #leave(task) {
    this.counts.busyMs += this.#clock.now() - task.startedAt;
    this.#running = undefined;
    this.#over(task);
  }

  /** @param {Task} task */
  #over(task) {
    task.isOver = true;
    this.#waiting--;
    this.#changed();
  }

  #changed() {
    if (this.#settings.updatesPerSecond === Number.POSITIVE_INFINITY) this.#data.update({ queue: this.#waiting });
  }

  #sayAgain() {
    this.#say();
    this.#stopSaying = this.#clock.setTimer(() => this.#sayAgain(), 1000 / this.#settings.updatesPerSecond);
  }

  /** Says its load: the share of the time since the last time in which it worked, and how many requests it has. */
  #say() {
    const now = this.#clock.now();
    const running = this.#running;
    const busy = this.counts.busyMs + (running === undefined ? 0 : now - running.startedAt);
    const elapsed = now - this.#saidAt;
    const load = elapsed > 0 ? Math.min(1, (busy - this.#busyBefore) / elapsed) : 0;
    this.#saidAt = now;
    this.#busyBefore = busy;
    this.#data.update({ load, queue: this.#waiting });
    if (this.#monitoring === undefined) return;
    this.counts.loadEvents++;
    this.#monitoring.publish({ type: "load", source: `/web/${this.#name}`, attributes: { load } });
  }
}
