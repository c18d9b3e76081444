/** Which rule a request falls under. */
import { DEFAULT_RULE_NAME, type SamplingRule, sortRules } from './rule.ts';

/** What is known of a request when it is decided about; what is not known matches every pattern. */
export interface SampledRequest {
  readonly serviceName?: string;
  readonly serviceType?: string;
  readonly host?: string;
  readonly httpMethod?: string;
  /** Without query. */
  readonly urlPath?: string;
  readonly resourceArn?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** X-Ray's SDKs compare without regard to case, OpenTelemetry's samplers with. */
export interface MatchOptions {
  readonly caseSensitive?: boolean;
}

/**
 * Whether the whole text fits the pattern: `*` any run of characters, `?` any one character. Two pointers and one place to go back to: the
 * time is at most the product of the lengths, whatever the pattern.
 */
export function matchesWildcard(pattern: string, text: string, { caseSensitive = false }: MatchOptions = {}): boolean {
  const wanted = caseSensitive ? pattern : pattern.toLowerCase();
  const given = caseSensitive ? text : text.toLowerCase();
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < given.length;) {
    if (wanted[at] === '*') {
      star = at++;
      resume = i;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (wanted[at] === '*') at++;
  return at === wanted.length;
}

/** Whether the request falls under the rule, when it is asked. `Default` takes everything. */
export function matchesRule(rule: SamplingRule, request: SampledRequest, options: MatchOptions = {}): boolean {
  if (rule.name === DEFAULT_RULE_NAME) return true;
  const fits = (pattern: string, text: string | undefined): boolean => text === undefined || matchesWildcard(pattern, text, options);
  return (
    fits(rule.serviceName, request.serviceName) &&
    fits(rule.serviceType, request.serviceType) &&
    fits(rule.host, request.host) &&
    fits(rule.httpMethod, request.httpMethod) &&
    fits(rule.urlPath, request.urlPath) &&
    fits(rule.resourceArn, request.resourceArn) &&
    Object.entries(rule.attributes).every(([key, pattern]) => fitsAttribute(pattern, request.attributes?.[key], options))
  );
}

/** Unlike the others, an attribute that a rule asks for must be there. */
function fitsAttribute(pattern: string, value: string | undefined, options: MatchOptions): boolean {
  return value !== undefined && matchesWildcard(pattern, value, options);
}

/** The first rule that the request falls under; undefined when there is none, which `Default` prevents. */
export function findRule(rules: readonly SamplingRule[], request: SampledRequest, options: MatchOptions = {}): SamplingRule | undefined {
  return sortRules(rules).find((rule) => matchesRule(rule, request, options));
}
