/** Links in the form of AWS's console (`#/traces/<id>`, `#xray:service-map?timeRange=PT15M`) lead to the same place here. */
export function translateHash(hash: string): string | undefined {
  const match = /^#(?:\/|xray:)(service-map\/map|service-map|traces)(?:\/([^?/]+))?[^?]*(\?.*)?$/.exec(hash);
  if (!match) return undefined;
  const [, page, id, query = ''] = match;
  if (page !== 'traces') return `/${query}`;
  return id === undefined || id === 'query' ? `/traces${query}` : `/traces/${id}`;
}
