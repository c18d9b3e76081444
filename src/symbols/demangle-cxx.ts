/**
 * C++ names of the Itanium ABI, as all compilers on Linux write them. Source: Itanium C++ ABI, section 5.1; where the ABI leaves the spelling
 * open, what binutils' `c++filt -i` prints.
 *
 * One descent over the text without going back, so time grows with its length; the depth and what is printed are bounded.
 */
import { CxxParser } from './cxx-parser.ts';
import { NotMangled } from './not-mangled.ts';

const MAX_LENGTH = 1 << 15;

/** The name in C++ spelling; undefined when it is no mangled name, or one that we cannot read. Never throws. */
export function demangleCxx(name: string): string | undefined {
  if (!/^_?_Z/.test(name) || name.length > MAX_LENGTH) return undefined;
  try {
    return new CxxParser(name, name.startsWith('__') ? 3 : 2).parse();
  } catch (error) {
    if (error instanceof NotMangled) return undefined;
    throw error;
  }
}
