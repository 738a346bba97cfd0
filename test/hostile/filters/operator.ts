/** Uploads and bindings over HTTP, as whoever looks after a host makes them. */

/** Any answer that says that it was done. */
export const STATUS_OK = [200, 201];

/** Asks a host. */
export interface Operator {
  /** Uploads a module. */
  upload(
    bytes: Uint8Array<ArrayBuffer>,
    name?: string,
  ): Promise<{ status: number; body: { reasons?: string[]; digest?: string } }>;
  /** Sends JSON, or nothing. */
  json(method: string, path: string, body?: unknown): Promise<Response>;
}

/** @param url Of the host, once it is there. */
export function operatorOf(url: () => string): Operator {
  return {
    async upload(bytes, name = "hostile") {
      const headers = { "content-type": "application/wasm" };
      const response = await fetch(`${url()}/v1/filters/${name}`, { method: "PUT", headers, body: bytes });
      return { status: response.status, body: await response.json() };
    },
    json: (method, path, body) =>
      fetch(url() + path, {
        method,
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}
