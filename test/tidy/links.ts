/** Links and headings of Markdown pages. */
import { posix } from "node:path";
import { textOf } from "./sources.ts";

/** A link within the repository. */
export interface Link {
  readonly page: string;
  /** As written. */
  readonly link: string;
  /** Relative to the root. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** Links to files and headings of ours; what leads to other sites is not looked at, tests need no network. */
export function linksOf(page: string): Link[] {
  const text = withoutCode(textOf(page));
  const written = [
    ...text.matchAll(/\]\(<?([^()\s>]+)>?(?:\s+"[^"]*")?\)/g),
    ...text.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm),
    ...text.matchAll(/\b(?:src|href|srcset)="([^"]+)"/g),
  ].map((match) => match[1] ?? "");
  return written
    .filter((link) => !/^[a-z][a-z+.-]*:|^\/\//i.test(link))
    .map((link) => {
      const [path = "", anchor] = link.split("#");
      return { page, link, path: path === "" ? page : posix.join(posix.dirname(page), decodeURI(path)), anchor };
    });
}

/** The anchors that headings of a page get, as GitHub makes them, and those that are written out. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  const written = [...text.matchAll(/\b(?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id);
  const made = [...withoutFences(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = ""]) => {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
  return [...written, ...made];
}

function withoutFences(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "");
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, "");
}
