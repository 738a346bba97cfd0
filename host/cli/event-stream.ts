/** Server-sent events, as far as this host sends them (WHATWG HTML §9.2.6). */
import { type Target, withToken } from "./client.ts";
import { CliError, errorFromNetwork, errorFromProblem, type ProblemLike } from "./failure.ts";

/** One event. */
export interface StreamedEvent {
  /** `message` where the stream does not say. */
  readonly event: string;
  readonly data: string;
}

/** Characters of one event: a host sends none that is larger. */
const EVENT_CHARACTERS_MAX = 4_194_304;

/**
 * Reads a stream until it ends or is stopped.
 *
 * @throws {CliError} the host's problem, or what stood between us and it.
 */
export async function* streamEvents(target: Target, path: string, stop: AbortSignal): AsyncGenerator<StreamedEvent> {
  try {
    const response = await fetch(`${target.url}${path}`, {
      headers: withToken(target, { accept: "text/event-stream" }),
      signal: stop,
    });
    if (!response.ok || response.body === null) throw errorFromProblem((await response.json()) as ProblemLike);
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += decoder.decode(chunk, { stream: true });
      if (rest.length > EVENT_CHARACTERS_MAX)
        throw new CliError(`an event has more than ${EVENT_CHARACTERS_MAX} characters; is it a Sluice host?`);
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = eventFrom(block);
        if (event !== undefined) yield event;
      }
    }
  } catch (reason) {
    if (stop.aborted) return;
    throw reason instanceof CliError ? reason : errorFromNetwork(reason, target.url);
  }
}

function eventFrom(block: string): StreamedEvent | undefined {
  const fields = (name: string): string[] =>
    block.split("\n").flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
  const data = fields("data");
  return data.length === 0 ? undefined : { event: fields("event")[0] ?? "message", data: data.join("\n") };
}
