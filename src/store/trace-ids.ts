/** Trace ids (32 hexadecimal digits each) as the members of an SQL list; anything else in them is dropped. */
export function traceIdList(traceIds: readonly string[]): string {
  return traceIds.map((id) => `unhex('${id.replace(/[^0-9a-f]/g, '')}')`).join(',');
}
