/*
 * A filter module without any SDK or library: each event goes to one sink, the next one in turn. It shows that the ABI is all that
 * a module needs (docs/filters/abi.md). Build: see README.md beside.
 */
typedef unsigned int u32;
typedef unsigned char u8;

#define EXPORT(name) __attribute__((export_name(name)))

enum { KIND_DROP = 0, KIND_LIST = 3 };
/* Places in a record and in the sink table. */
enum { RECORD_BYTES = 0, RECORD_CANDIDATES = 80, TABLE_ROWS = 0 };
enum { ARENA_TABLE = 2, PAGE_BYTES = 65536 };

extern u8 __heap_base;
static u32 end;
static const u8 *table;
static u32 turn;

static u32 word(const u8 *at) { return *(const u32 *)at; }

EXPORT("sluice_abi_1") void mark(void) {}

/* Places behind one another, never given back: the host asks for twice as much each time, so there are few. */
EXPORT("sluice_arena") u8 *arena(u32 kind, u32 bytes) {
  if (end == 0) end = ((u32)&__heap_base + 15) & ~15u;
  u8 *at = (u8 *)end;
  u32 pages = (end + bytes + PAGE_BYTES - 1) / PAGE_BYTES;
  u32 present = __builtin_wasm_memory_size(0);
  if (pages > present && __builtin_wasm_memory_grow(0, pages - present) == (u32)-1) return 0;
  end += (bytes + 15) & ~15u;
  if (kind == ARENA_TABLE) table = at;
  return at;
}

static int is_candidate(const u8 *record, u32 slot) {
  u32 bitmap = word(record + RECORD_CANDIDATES);
  return bitmap == 0 || (word(record + bitmap + slot / 32 * 4) >> slot % 32 & 1);
}

EXPORT("sluice_out") int out(const u8 *batch, u32 events, u32 *answer, u32 room) {
  u32 sinks = table == 0 ? 0 : word(table + TABLE_ROWS);
  u32 used = events;
  const u8 *record = batch;
  for (u32 event = 0; event < events; event++, record += word(record + RECORD_BYTES)) {
    answer[event] = KIND_DROP;
    for (u32 tried = 0; tried < sinks; tried++) {
      u32 slot = turn++ % sinks;
      if (!is_candidate(record, slot)) continue;
      if (used + 2 > room) return -1;
      answer[event] = (used - events) << 2 | KIND_LIST;
      answer[used++] = 1;
      answer[used++] = slot;
      break;
    }
  }
  return (int)used;
}

EXPORT("sluice_save") int save(u32 *at, u32 room) {
  if (room < 4) return -1;
  *at = turn;
  return 4;
}

EXPORT("sluice_restore") int restore(const u32 *at, u32 bytes) {
  if (bytes == 4) turn = *at;
  return 0;
}
