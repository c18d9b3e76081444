import { ok, type Result } from '../../base/index.ts';
import type { RegexProgram } from '../ir/program.ts';
import { buildNfa, tooLarge } from './automaton.ts';
import { buildCapturer, MAX_REGISTERS } from './capturer.ts';
import { buildMatcher, MAX_STATES } from './matcher.ts';
import type { RegexError } from './node.ts';
import { parseRegex } from './parse.ts';

/**
 * Compiles a regular expression for subjects of bytes, read as UTF-8. `captures` is how many groups are read, `$0` counted: the
 * highest `$n` and one; 0 when none is. The match is the leftmost one; alternatives and quantifiers (lazy ones too) are preferred as in
 * Perl, save that a loop whose body may be empty may take fewer rounds. Without the flag `m`, `$` is the subject's end only, not before a
 * last newline. `.` and classes are of characters, so bytes that are no UTF-8 match none of them; `\xff` and classes with such are of bytes.
 * Errors: bad syntax, what is not regular, a group that is not there, a bound passed.
 */
export function compileRegex(source: string, flags: string, captures: number): Result<RegexProgram, RegexError> {
  const parsed = parseRegex(source, flags);
  if (!parsed.ok) return parsed;
  const { node, groups } = parsed.value;
  if (captures > groups + 1) return fail(source, `there is no group $${captures - 1}: the pattern has ${groups}`, undefined);
  const nfa = buildNfa(node, 0);
  if (!nfa.ok) return nfa;
  const matcher = buildMatcher(nfa.value);
  if (!matcher.ok) return { ok: false, error: tooLarge(node, `more than ${MAX_STATES} states`) };
  const program = { source, flags, ...matcher.value, captures };
  if (captures === 0) return ok({ ...program, capturing: undefined });
  const tagged = buildNfa(node, captures);
  if (!tagged.ok) return tagged;
  const capturing = buildCapturer(tagged.value);
  if (capturing.ok) return ok({ ...program, capturing: capturing.value });
  if (capturing.error === 'states') return { ok: false, error: tooLarge(node, `more than ${MAX_STATES} states to find its groups`) };
  return fail(source, `finding the groups takes more than ${MAX_REGISTERS} positions at once`, 'write (?: ) for groups that are not read');
}

function fail(source: string, message: string, hint: string | undefined): Result<never, RegexError> {
  return { ok: false, error: { message, hint, start: 0, end: source.length } };
}
