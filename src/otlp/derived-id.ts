/**
 * A span id that follows from another by exclusive or: different for every `index`, never met twice in a trace unless span ids
 * themselves clash, the same on every reading, and undone by the same call.
 */
export function siblingId(spanId: string, index: number): string {
  const high = Number.parseInt(spanId.slice(0, 8), 16) ^ 0x9e3779b9;
  const low = Number.parseInt(spanId.slice(8), 16) ^ Math.imul(index + 1, 0x85ebca6b);
  const id = hex(high) + hex(low);
  // The one id that may not occur.
  return id === '0000000000000000' ? '0000000000000001' : id;
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
