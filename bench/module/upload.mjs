// Uploads of filter modules.

/** Uploads one. @param {number} port Of HTTP. @param {string} name @param {Buffer} module @throws {Error} With the host's problem. */
export async function upload(port, name, module) {
  const response = await fetch(`http://127.0.0.1:${port}/v1/filters/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/wasm" },
    body: new Uint8Array(module),
  });
  if (!response.ok) throw new Error(`Uploading ${name} answers ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
