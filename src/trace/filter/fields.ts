/** What filter expressions read from documents. The store's columns must hold the same values: `narrowFilter` relies on it. */
import type { AnnotationScalar, SegmentDocument } from '../document.ts';
import { httpStatus, requestText } from '../http.ts';
import type { TextKey } from './keys.ts';

/** The keywords of a request's http block. */
export type HttpTextKey = Extract<TextKey, `http.${string}`>;

const HTTP_MEMBERS = {
  'http.url': 'url',
  'http.method': 'method',
  'http.useragent': 'user_agent',
  'http.clientip': 'client_ip',
} as const satisfies Record<HttpTextKey, string>;

/** Whether the keyword is one of the http block's. */
export function isHttpText(key: TextKey): key is HttpTextKey {
  return Object.hasOwn(HTTP_MEMBERS, key);
}

/** The value of an `http.*` keyword; undefined when absent or empty. */
export function httpTextOf(document: SegmentDocument, key: HttpTextKey): string | undefined {
  return requestText(document, HTTP_MEMBERS[key]);
}

/** The status that filters see: a whole number of 1 to 65535, as the store can hold; undefined otherwise. */
export function filterStatusOf(document: SegmentDocument): number | undefined {
  const status = httpStatus(document);
  return status !== undefined && Number.isInteger(status) && status > 0 && status <= 65535 ? status : undefined;
}

/** `user`; undefined when absent or empty. */
export function userOf(document: SegmentDocument): string | undefined {
  return textOf(document.user);
}

/** The annotation of this key; undefined when absent or of a type that is not indexed. */
export function annotationOf(document: SegmentDocument, key: string): AnnotationScalar | undefined {
  const annotations: unknown = document.annotations;
  if (typeof annotations !== 'object' || annotations === null || !Object.hasOwn(annotations, key)) return undefined;
  const value: unknown = (annotations as Record<string, unknown>)[key];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

/** Where a segment ran. */
export function placeOf(document: SegmentDocument, key: 'availabilityzone' | 'instance.id' | 'resource.arn'): string | undefined {
  if (key === 'resource.arn') return textOf(document.resource_arn);
  const ec2: unknown = document.aws?.['ec2'];
  if (typeof ec2 !== 'object' || ec2 === null) return undefined;
  const facts = ec2 as Record<string, unknown>;
  return textOf(key === 'instance.id' ? facts['instance_id'] : facts['availability_zone']);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
