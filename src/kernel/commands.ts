/** Commands of bpf(2) and the places in union bpf_attr (include/uapi/linux/bpf.h of Linux 6.18). */

export const Command = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  MAP_GET_NEXT_KEY: 4,
  PROG_LOAD: 5,
  PROG_TEST_RUN: 10,
  OBJ_GET_INFO_BY_FD: 15,
  RAW_TRACEPOINT_OPEN: 17,
  BTF_LOAD: 18,
  MAP_LOOKUP_BATCH: 24,
  MAP_LOOKUP_AND_DELETE_BATCH: 25,
  LINK_CREATE: 28,
  LINK_GET_FD_BY_ID: 30,
  LINK_GET_NEXT_ID: 31,
  ENABLE_STATS: 32,
  ITER_CREATE: 33,
} as const;

/** Bytes of an object's name, with its NUL (BPF_OBJ_NAME_LEN). */
const NAME_BYTES = 16;

/** A name as the kernel takes it: 15 characters of letters, digits, `_` and `.`. */
export function encodeName(name: string): Uint8Array {
  const bytes = new Uint8Array(NAME_BYTES);
  bytes.set(new TextEncoder().encode(name.replaceAll(/[^\w.]/g, '_')).subarray(0, NAME_BYTES - 1));
  return bytes;
}
