/**
 * `NextToken`: where the next page begins, bound to the query that it continues. It is opaque to clients and is not a secret: whoever
 * changes it reaches only what the same query would have given.
 */
import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../base/index.ts';
import { type AwsError, invalidRequest } from './errors.ts';

/** Where a query's pages stand. */
export interface PagePlace {
  /** As the operation put it. */
  readonly position: string;
  /** How many pages came before; keeps tokens of one query distinct, without which botocore refuses to go on. */
  readonly page: number;
}

const VERSION = '1';

/** The token of the page that begins at `position`. `query`: the request's parameters, without its token. */
export function encodePageToken(operation: string, query: unknown, { position, page }: PagePlace): string {
  const text = [VERSION, fingerprint(operation, query), String(page), position].join(' ');
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** The place that a token names; undefined without a token. A token of another query is refused. */
export function decodePageToken(operation: string, query: unknown, token: string | undefined): Result<PagePlace | undefined, AwsError> {
  if (token === undefined) return ok(undefined);
  const [version, hash, page, ...position] = Buffer.from(token, 'base64url').toString('utf8').split(' ');
  const pages = Number(page);
  if (version !== VERSION || hash === undefined || !Number.isSafeInteger(pages) || pages < 1 || position.length === 0) {
    return err(invalidRequest('The NextToken is not one that was given out here.'));
  }
  if (hash !== fingerprint(operation, query)) {
    return err(invalidRequest('The NextToken belongs to a request with other parameters: repeat them, or start without a token.'));
  }
  return ok({ position: position.join(' '), page: pages });
}

function fingerprint(operation: string, query: unknown): string {
  return createHash('sha256')
    .update(`${operation} ${JSON.stringify(query)}`)
    .digest('base64url')
    .slice(0, 16);
}
