/** Server-side WebSocket headers, never masked. Source: RFC 6455 §5.2. */

export const WS_CONTINUATION: u32 = 0;
export const WS_TEXT: u32 = 1;
export const WS_BINARY: u32 = 2;
export const WS_CLOSE: u32 = 8;
export const WS_PING: u32 = 9;
export const WS_PONG: u32 = 10;
/** Largest header that a server writes. */
export const WS_HEADER_BYTES_MAX: u32 = 10;

/** Bytes of the header of a payload. */
export function wsHeaderBytes(payload: u32): u32 {
  return payload < 126 ? 2 : payload < 65536 ? 4 : 10;
}

/** Writes the header of a final frame; returns where the payload goes. */
export function wsHeaderWrite(at: u32, opcode: u32, payload: u32): u32 {
  store<u8>(at, 0x80 | <u8>opcode);
  if (payload < 126) {
    store<u8>(at, <u8>payload, 1);
    return at + 2;
  }
  if (payload < 65536) {
    store<u8>(at, 126, 1);
    store<u16>(at, bswap<u16>(<u16>payload), 2);
    return at + 4;
  }
  store<u8>(at, 127, 1);
  store<u64>(at, bswap<u64>(payload), 2);
  return at + 10;
}
