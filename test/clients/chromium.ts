/**
 * Chromium by its debugging protocol: pages are opened and asked, with no driver in between.
 *
 * Source: https://chromedevtools.github.io/devtools-protocol/
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { type Running, startProgram } from "../host/cli/sluice.ts";

/** A running browser. */
export interface Browser {
  /** Opens a page and waits until it is loaded. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** One page. */
export interface Page {
  /**
   * Runs a function in the page and gives what it resolves to, as JSON carries it.
   *
   * @param script Source of an async function; it sees nothing of the test but `args`.
   * @throws {Error} with what the page threw.
   */
  run<Result>(script: string, ...args: readonly unknown[]): Promise<Result>;
}

/**
 * Nothing that a test needs not: no sandbox, because CI may run as root; no requests of the browser's own; and every name
 * under `.test` is this machine, so that a page can come from a foreign origin.
 */
const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-extensions",
  "--no-first-run",
  "--host-resolver-rules=MAP *.test 127.0.0.1",
  "--remote-debugging-port=0",
];

type Reply = { readonly id?: number; readonly error?: { readonly message: string }; readonly result?: unknown };

/** Starts Chromium headless. @param program Its path. */
export async function startBrowser(program: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "sluice-chromium-"));
  const running = startProgram(program, [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
    // Without a home of its own it writes into that of whoever runs the tests.
    env: { HOME: profile },
  });
  const [, url = ""] = await running
    .until("stderr", /DevTools listening on (ws:\/\/\S+)/)
    .catch(async (reason: unknown) => {
      await running.stop("SIGKILL");
      throw reason;
    });
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const call = createCaller(socket);
  return {
    async open(address) {
      const { targetId } = await call<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await call<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
      const page: Page = {
        async run<Result>(script: string, ...args: readonly unknown[]): Promise<Result> {
          const expression = `(${script})(...${JSON.stringify(args)})`;
          const settings = { expression, awaitPromise: true, returnByValue: true };
          const { result, exceptionDetails } = await call<Evaluated>("Runtime.evaluate", settings, sessionId);
          if (exceptionDetails === undefined) return result.value as Result;
          throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        },
      };
      // It answers when the page has taken the place of the empty one: asked before, that one would be what runs scripts.
      await call("Page.navigate", { url: address }, sessionId);
      await page.run(`() => new Promise((resolve) => {
        if (document.readyState === "complete") resolve(0);
        else addEventListener("load", () => resolve(0));
      })`);
      return page;
    },
    close: () => end(running, socket, profile),
  };
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

/** Calls of the protocol over one socket, answered by number. */
function createCaller(socket: WebSocket) {
  const waiting = new Map<number, (reply: Reply) => void>();
  let calls = 0;
  socket.on("message", (data) => {
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
  });
  return <Result>(method: string, params: object, sessionId?: string): Promise<Result> =>
    new Promise((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, ({ error, result }) => {
        waiting.delete(id);
        if (error === undefined) resolve(result as Result);
        else reject(new Error(`${method}: ${error.message}`));
      });
      socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
}

async function end(running: Running, socket: WebSocket, profile: string): Promise<void> {
  socket.terminate();
  await running.stop("SIGKILL");
  // Its helpers may still be writing when the browser itself is gone.
  await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
