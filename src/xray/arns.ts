/** ARNs of groups and sampling rules. Region and account are made up: there is one of each here, and in what others send they are not compared. */

const PREFIX = 'arn:aws:xray:us-east-1:000000000000';

/** What an ARN names. */
export interface ParsedArn {
  readonly kind: 'group' | 'sampling-rule';
  readonly name: string;
  /** Of a group: tells it from an earlier one of the same name. */
  readonly uniqueId: string | undefined;
}

export function groupArn(name: string, uniqueId?: string): string {
  return uniqueId === undefined ? `${PREFIX}:group/${name}` : `${PREFIX}:group/${name}/${uniqueId}`;
}

export function samplingRuleArn(name: string): string {
  return `${PREFIX}:sampling-rule/${name}`;
}

/** Undefined for a text that is no ARN of a group or rule. */
export function parseArn(text: string): ParsedArn | undefined {
  const [, kind, rest] = /^arn:[^:]*:xray:[^:]*:[^:]*:(group|sampling-rule)\/(.+)$/s.exec(text) ?? [];
  if (rest === undefined) return undefined;
  if (kind === 'sampling-rule') return { kind, name: rest, uniqueId: undefined };
  const [name = '', uniqueId] = rest.split('/');
  return { kind: 'group', name, uniqueId };
}
