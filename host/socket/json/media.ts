/**
 * Which media types have a readable `data` in JSON: JSON itself, and text. All else travels as `dataBase64`.
 *
 * Source: CloudEvents JSON format 1.0, §3.1.1; RFC 6838 (`+json`), RFC 7231 §3.1.1.1 (case and parameters do not matter).
 */

/** How `data` of a media type stands in JSON. */
export type MediaForm = "json" | "text" | "binary";

/** What an event has whose `dataContentType` is absent or empty. */
export const JSON_MEDIA_TYPE = "application/json";

const textTypes = new Set([
  "application/xml",
  "application/yaml",
  "application/javascript",
  "application/x-www-form-urlencoded",
]);

/** The form for a media type; "" stands for absent. */
export function mediaForm(mediaType: string): MediaForm {
  if (mediaType === "" || mediaType === JSON_MEDIA_TYPE) return "json";
  const essence = (mediaType.split(";", 1)[0] as string).trim().toLowerCase();
  if (essence === "" || essence === JSON_MEDIA_TYPE || essence === "text/json" || essence.endsWith("+json"))
    return "json";
  return essence.startsWith("text/") || essence.endsWith("+xml") || textTypes.has(essence) ? "text" : "binary";
}
