import { Slot, textAt, textOf, wholeNumberAt, type KnownAttributes } from './known-attributes.ts';

/** What a span says about an HTTP request; members are undefined where it says nothing. */
export interface HttpFacts {
  readonly method: string | undefined;
  /** As given, or put together from its parts; only path and query when no host is known. */
  readonly url: string | undefined;
  readonly status: number | undefined;
  readonly userAgent: string | undefined;
  readonly clientIp: string | undefined;
}

/**
 * Reads the HTTP attributes, new names before old ones; undefined when the span is not about HTTP.
 * `incoming`: the span serves the request, so that its peer is the client.
 */
export function httpFacts(known: KnownAttributes, incoming: boolean): HttpFacts | undefined {
  const method = textOf(known, Slot.httpRequestMethod, Slot.httpMethod);
  const status = statusOf(known);
  const full = textOf(known, Slot.urlFull, Slot.httpUrl);
  const target = full === undefined ? targetOf(known) : undefined;
  if (method === undefined && status === undefined && full === undefined && target === undefined) return undefined;
  return {
    method,
    url: full ?? joinUrl(known, target, incoming),
    status,
    userAgent: textOf(known, Slot.userAgentOriginal, Slot.httpUserAgent),
    clientIp: clientIpOf(known, incoming),
  };
}

/** Host of a URL or connection string, without port and credentials; undefined when there is none. */
export function hostOf(url: string): string | undefined {
  const start = url.indexOf('://');
  if (start < 0) return undefined;
  const rest = url.slice(start + 3, start + 3 + 512);
  const authority = rest.slice(0, endOfAuthority(rest));
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const bracket = host.startsWith('[') ? host.indexOf(']') : -1;
  if (bracket > 0) return host.slice(1, bracket);
  const colon = host.indexOf(':');
  const name = colon < 0 ? host : host.slice(0, colon);
  return name === '' ? undefined : name;
}

function endOfAuthority(rest: string): number {
  for (let index = 0; index < rest.length; index++) {
    const code = rest.charCodeAt(index);
    // / ? # ; and the comma between the hosts of a cluster
    if (code === 47 || code === 63 || code === 35 || code === 59 || code === 44) return index;
  }
  return rest.length;
}

function statusOf(known: KnownAttributes): number | undefined {
  const status = wholeNumberAt(known, Slot.httpResponseStatusCode) ?? wholeNumberAt(known, Slot.httpStatusCode);
  return status !== undefined && status > 0 && status < 1000 ? status : undefined;
}

function targetOf(known: KnownAttributes): string | undefined {
  const path = textAt(known, Slot.urlPath);
  if (path === undefined) return textAt(known, Slot.httpTarget);
  const query = textAt(known, Slot.urlQuery);
  return query === undefined ? path : `${path}?${query}`;
}

function joinUrl(known: KnownAttributes, target: string | undefined, incoming: boolean): string | undefined {
  const host = incoming
    ? (textOf(known, Slot.httpHost, Slot.serverAddress) ?? textOf(known, Slot.httpServerName, Slot.netHostName))
    : (textOf(known, Slot.httpHost, Slot.serverAddress) ?? textOf(known, Slot.netPeerName, Slot.netPeerIp));
  if (host === undefined) return target;
  const scheme = textOf(known, Slot.urlScheme, Slot.httpScheme) ?? 'http';
  const isIpv6 = host.indexOf(':') !== host.lastIndexOf(':') && !host.startsWith('[');
  const port = host.includes(':') && !isIpv6 ? undefined : textOf(known, Slot.serverPort, incoming ? Slot.netHostPort : Slot.netPeerPort);
  const isDefaultPort = port === undefined || (scheme === 'https' ? port === '443' : port === '80');
  const path = target === undefined || target.startsWith('/') ? target : `/${target}`;
  return `${scheme}://${isIpv6 ? `[${host}]` : host}${isDefaultPort ? '' : `:${port}`}${path ?? ''}`;
}

function clientIpOf(known: KnownAttributes, incoming: boolean): string | undefined {
  const named = textOf(known, Slot.clientAddress, Slot.httpClientIp);
  if (named !== undefined || !incoming) return named;
  return textOf(known, Slot.networkPeerAddress, Slot.netSockPeerAddr) ?? textAt(known, Slot.netPeerIp);
}
