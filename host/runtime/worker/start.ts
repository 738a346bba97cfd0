/** Starts the worker that admits filter modules, by whichever API a runtime has for threads. */
import { existsSync } from "node:fs";
import { Worker as NodeWorker } from "node:worker_threads";
import type { AdmissionAnswer } from "../../filter/registry/admit.ts";
import type { StartWorker } from "../../filter/registry/admitter.ts";

/** Beside the library in `dist/`, above the command line in `dist/cli/`, or in `dist/` of the repository when run from sources. */
const places = ["./admission-worker.js", "../admission-worker.js", "../../../dist/admission-worker.js"];
/** Of the JavaScript in it: the tables of the instrumenter and what it makes of the largest module. */
const HEAP_MB_MAX = 256;

/** Where the program of the worker is; undefined where it was not built, or this was loaded from no file. */
function workerProgram(): URL | undefined {
  if (!import.meta.url.startsWith("file:")) return undefined;
  return places.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url));
}

/** By Node's API. Undefined where the program of the worker is missing. */
export function nodeWorkers(): StartWorker | undefined {
  const program = workerProgram();
  if (program === undefined) return undefined;
  return (onAnswer, onFailure) => {
    const worker = new NodeWorker(program, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } });
    worker.on("message", onAnswer);
    worker.on("error", (error) => onFailure(failed(error.message)));
    worker.on("exit", (code) => onFailure(failed(`its worker ended with ${code}`)));
    return { post: (request) => worker.postMessage(request), terminate: () => void worker.terminate() };
  };
}

/** By the web's API, as Deno and Bun have it. Undefined where the program of the worker is missing. */
export function webWorkers(): StartWorker | undefined {
  const program = workerProgram();
  if (program === undefined) return undefined;
  return (onAnswer, onFailure) => {
    const worker = new Worker(program, { type: "module" });
    worker.onmessage = ({ data }: { readonly data: AdmissionAnswer }) => onAnswer(data);
    worker.onerror = (event) => {
      // Otherwise Deno ends the process, too.
      event.preventDefault();
      onFailure(failed(event.message));
    };
    return { post: (request) => worker.postMessage(request), terminate: () => worker.terminate() };
  };
}

function failed(why: string): string {
  return `Looking at the module failed, ${why}`;
}
