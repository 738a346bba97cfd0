/**
 * A WebSocket without a socket: what a client says goes into an embedded host as the very bytes that a socket would bring, and
 * comes back likewise, after a delay in virtual time.
 *
 * So a simulation is decided by the real host, frame by frame, and the programs in it are those that run over real sockets.
 * Source: RFC 6455, section 5.2.
 */

/**
 * What a session needs of its carrier.
 *
 * @typedef {object} Socket
 * @property {(text: string) => void} send
 * @property {() => void} close
 * @property {(text: string) => void} onMessage To be set by whoever listens.
 * @property {() => void} onClose
 *
 * @typedef {object} MemoryOptions
 * @property {number} latencyMs One way.
 * @property {(task: string, run: () => void) => void} [measure] Runs what costs time: the host takes a message ("publish load"), it
 *   delivers what comes of it ("publish load, deliver"), or a client takes a message ("deliver load").
 * @property {(text: string) => string} [taskOf] Names what a message is for, for `measure`.
 */

const TEXT_FRAME = 0x81;
const PING = 0x9;
const PONG_FRAME = 0x8a;
const MASKED = 0x80;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @param {import("sluice").Service} service
 * @param {import("./virtual-time.mjs").VirtualTime} time
 * @param {MemoryOptions} options
 * @returns {Socket}
 */
export function openMemorySocket(service, time, { latencyMs, measure = (_task, run) => run(), taskOf = () => "" }) {
  let isOpen = true;
  const connection = service.openConnection("websocket-json", {
    write(bytes) {
      // Read before this returns, so the host may have its memory back at once.
      for (const { opcode, payload } of framesOf(bytes)) {
        if (opcode === PING) {
          const pong = masked(PONG_FRAME, payload);
          later(() => {
            connection.receive(pong);
            // What waited for it goes on now, in virtual time.
            service.settle();
          });
        } else if (opcode === 1) {
          const text = decoder.decode(payload);
          later(() => measure(taskOf(text), () => socket.onMessage(text)));
        }
      }
      return true;
    },
    pendingBytes: () => 0,
    end: close,
    destroy: close,
  });
  /** @type {Socket} */
  const socket = {
    send(text) {
      later(() => {
        const task = taskOf(text);
        measure(task, () => connection.receive(masked(TEXT_FRAME, encoder.encode(text))));
        measure(`${task}, deliver`, () => service.settle());
      });
    },
    close() {
      if (isOpen) connection.closed();
      close();
    },
    onMessage: () => {},
    onClose: () => {},
  };
  return socket;

  function close() {
    if (!isOpen) return;
    isOpen = false;
    socket.onClose();
  }

  /** @param {() => void} run */
  function later(run) {
    time.setTimer(() => isOpen && run(), latencyMs);
  }
}

/**
 * A frame as clients must send it. The mask is 0: it is there for the sake of proxies, of which there are none here.
 *
 * @param {number} head Fin and opcode.
 * @param {Uint8Array} payload
 */
function masked(head, payload) {
  const { length } = payload;
  const sizeBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(2 + sizeBytes + 4 + length);
  const view = new DataView(frame.buffer);
  frame[0] = head;
  frame[1] = MASKED | (sizeBytes === 0 ? length : sizeBytes === 2 ? 126 : 127);
  if (sizeBytes === 2) view.setUint16(2, length);
  if (sizeBytes === 8) view.setBigUint64(2, BigInt(length));
  frame.set(payload, 2 + sizeBytes + 4);
  return frame;
}

/** The frames of a write; a host writes whole ones, without masks. @param {Uint8Array} bytes */
function* framesOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const opcode = view.getUint8(at) & 0xf;
    const short = view.getUint8(at + 1) & 0x7f;
    const sizeBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
    const length =
      sizeBytes === 0 ? short : sizeBytes === 2 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    const from = at + 2 + sizeBytes;
    at = from + length;
    yield { opcode, payload: bytes.subarray(from, at) };
  }
}
