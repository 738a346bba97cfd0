/**
 * The program of the worker that admits filter modules; a bundle of its own, `dist/admission-worker.js`.
 *
 * One file for all runtimes: who started it by Node's API is found at its parent port, else it is a web worker.
 */
import { parentPort } from "node:worker_threads";
import { type AdmissionAnswer, type AdmissionRequest, admit } from "../../filter/registry/admit.ts";

/** As much of a web worker's scope as is needed; its types are not those of a host. */
interface WorkerScope {
  onmessage: ((event: { readonly data: AdmissionRequest }) => void) | null;
  postMessage(answer: AdmissionAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;
const post = (answer: AdmissionAnswer): void =>
  parentPort === null ? scope.postMessage(answer) : parentPort.postMessage(answer);
const look = async (request: AdmissionRequest): Promise<void> => post(await admit(request));

if (parentPort === null) scope.onmessage = ({ data }) => void look(data);
else parentPort.on("message", (request: AdmissionRequest) => void look(request));
