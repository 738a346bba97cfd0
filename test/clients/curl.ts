/** curl as tests call it: one request, its answer taken apart. */
import { type Given, type Running, startProgram } from "../host/cli/sluice.ts";

/** An answer as curl saw it. */
export interface CurlAnswer {
  readonly status: number;
  /** Of the last answer where there were several (`100 Continue`); names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body parsed where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies differ by route; tests look at what they expect.
  readonly json: any;
}

/** Options that every call has: no progress, errors told, headers before the body, and never longer than that. */
const ALWAYS = ["--silent", "--show-error", "--include", "--max-time", "20"];

/**
 * Runs curl once.
 *
 * @throws {Error} where curl itself failed, with what it said.
 */
export async function curl(args: readonly string[], given: Given = {}): Promise<CurlAnswer> {
  const { code, stdout, stderr } = await startProgram("curl", [...ALWAYS, ...args], { input: "", ...given }).finished;
  if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`);
  return answerFrom(stdout);
}

/** Starts curl and lets it run: for streams. */
export function curlStream(args: readonly string[]): Running {
  return startProgram("curl", ["--silent", "--show-error", "--no-buffer", "--include", ...args], { input: "" });
}

function answerFrom(text: string): CurlAnswer {
  // "HTTP/1.1 100 Continue" is an answer of its own, before the real one.
  const last = text.replace(/^(?:HTTP\/1\.1 1\d\d [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)+/, "");
  const end = last.indexOf("\r\n\r\n");
  const [first = "", ...lines] = last.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const body = last.slice(end + 4);
  const isJson = headers["content-type"]?.includes("json") === true && body !== "";
  return { status: Number(first.split(" ")[1]), headers, body, json: isJson ? JSON.parse(body) : undefined };
}
