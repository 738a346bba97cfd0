/** The frame reference: messages, fields and comments from schemas/sluice/v1/frame.proto, with an example for each kind. */
import { readFileSync } from "node:fs";
import { examples } from "./docs-examples.mjs";
import { at } from "./paths.mjs";
import { Failure } from "./run.mjs";

/**
 * @typedef {{ name: string, number: number, type: string, comment: string, kind: boolean }} Field `kind`: within the oneof.
 * @typedef {{ name: string, comment: string, fields: Field[] }} Message
 */

/**
 * Reads the messages of a .proto file written in our style: one field per line, comments above.
 *
 * @param {string} text
 * @returns {Map<string, Message>}
 */
export function messagesFrom(text) {
  /** @type {Map<string, Message>} */
  const messages = new Map();
  /** @type {Message | undefined} */
  let message;
  let comment = "";
  let inKind = false;
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const field = /^(optional |repeated )?(map<[^>]+>|[A-Za-z0-9_.]+) ([a-z0-9_]+) = (\d+);/.exec(line);
    const begun = /^message ([A-Za-z]+) \{(\})?$/.exec(line);
    if (line.startsWith("//")) comment += `${comment === "" ? "" : " "}${line.slice(2).trim()}`;
    else if (begun !== null) {
      message = { name: begun[1] ?? "", comment, fields: [] };
      messages.set(message.name, message);
      comment = "";
    } else if (/^oneof /.test(line)) inKind = true;
    else if (line === "}") inKind = false;
    else if (field !== null) {
      message?.fields.push({
        name: field[3] ?? "",
        number: Number(field[4]),
        type: `${field[1] === "repeated " ? "repeated " : ""}${field[2]}`,
        comment,
        kind: inKind,
      });
      comment = "";
    } else comment = "";
  }
  return messages;
}

/**
 * @param {"ClientFrame" | "HostFrame" | "parts"} which
 * @returns {string} Markdown.
 */
export function framesPart(which) {
  const messages = messagesFrom(readFileSync(at("schemas/sluice/v1/frame.proto"), "utf8"));
  const kinds = (/** @type {string} */ frame) => (messages.get(frame)?.fields ?? []).filter((field) => field.kind);
  if (which === "parts") {
    const known = new Set([
      "ClientFrame",
      "HostFrame",
      ...kinds("ClientFrame").map(typeOf),
      ...kinds("HostFrame").map(typeOf),
    ]);
    return [...messages.values()]
      .filter((message) => !known.has(message.name))
      .map((message) => [`### ${message.name}`, "", message.comment, "", ...table(message)].join("\n"))
      .join("\n\n");
  }
  return kinds(which)
    .map((kind) => {
      const message = messages.get(kind.type);
      const example = examples[which][kind.name];
      if (message === undefined || example === undefined)
        throw new Failure(`No message or example for the frame "${kind.name}" of ${which}`);
      return [`### ${kind.name}`, "", message.comment, "", "```json", example.json, "```", "", ...table(message)].join(
        "\n",
      );
    })
    .join("\n\n");
}

/** @param {Message} message */
function table(message) {
  if (message.fields.length === 0) return ["No fields."];
  return [
    "| field | number | type | meaning |",
    "|---|--:|---|---|",
    ...message.fields.map((field) => {
      const meaning = field.name === "channel_number" ? `Binary only. ${field.comment}`.trim() : field.comment;
      return `| \`${jsonName(field.name)}\` | ${field.number} | ${field.type} | ${meaning} |`;
    }),
  ];
}

/** @param {Field} field */
const typeOf = (field) => field.type;

/**
 * Moments are microseconds in binary only, so their JSON names have no unit.
 *
 * @param {string} name As in the .proto file.
 */
const jsonName = (name) => name.replace(/_us$/, "").replace(/_([a-z])/g, (_all, letter) => letter.toUpperCase());
