/** Requests by hand, for what a proper client would never send. */
import { connect } from "node:net";
import { onTestFinished } from "vitest";

/** An HTTP answer, as far as tests look at it. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends raw text to a port and reads what comes until the host hangs up or the answer is complete. */
export function rawRequest(port: number, text: string | Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let all = "";
    const finish = (): void => {
      const [head = "", ...rest] = all.split("\r\n\r\n");
      const [first = "", ...lines] = head.split("\r\n");
      const headers = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
      );
      const body = rest.join("\r\n\r\n");
      const whole = body.length >= Number(headers["content-length"] ?? 0);
      if (first !== "" && head !== all && whole) resolve({ status: Number(first.split(" ")[1]), headers, body });
    };
    socket.on("data", (chunk) => {
      all += chunk.toString("latin1");
      finish();
    });
    socket.on("close", () => {
      finish();
      reject(new Error(`No answer but ${JSON.stringify(all)}`));
    });
    socket.on("error", reject);
    socket.write(text);
  });
}
