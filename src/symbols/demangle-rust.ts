/**
 * Rust names: legacy (`_ZN…17h<hash>E`) and v0 (`_R…`), without hashes. Sources: rustc's "Symbol Mangling" and RFC 2603;
 * where they leave the spelling open, what binutils' `c++filt -i` prints.
 */
import { NotMangled } from './not-mangled.ts';
import { RustV0Printer } from './rust-v0.ts';

const MAX_LENGTH = 1 << 15;

/** The name in Rust spelling; undefined when it is no Rust name, or one that we cannot read. Never throws. */
export function demangleRust(name: string): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  if (name.startsWith('_R') || name.startsWith('__R')) return demangleV0(name.slice(name.startsWith('__') ? 3 : 2));
  return /^_?_ZN/.test(name) ? demangleLegacy(name.slice(name.indexOf('N') + 1)) : undefined;
}

function demangleV0(name: string): string | undefined {
  // What LLVM appends to copies (`.llvm.123`) is no part of the name.
  const suffix = name.search(/[.$]/);
  const mangled = suffix < 0 ? name : name.slice(0, suffix);
  if (!/^[A-Z][A-Za-z0-9_]*$/.test(mangled)) return undefined;
  try {
    return new RustV0Printer(mangled).print();
  } catch (error) {
    if (error instanceof NotMangled) return undefined;
    throw error;
  }
}

/** Parts with their length in front; the last is `h` and 16 hexadecimal digits. */
function demangleLegacy(name: string): string | undefined {
  const parts: string[] = [];
  let at = 0;
  while (name[at] !== 'E') {
    const digits = /^[1-9]\d{0,4}/.exec(name.slice(at, at + 5));
    if (!digits) return undefined;
    at += digits[0].length;
    const part = name.slice(at, at + Number(digits[0]));
    if (part.length !== Number(digits[0])) return undefined;
    parts.push(part);
    at += part.length;
  }
  if (parts.length < 2 || !isHash(parts.at(-1)!) || !/^(?:\.[\w.@$]+)?$/.test(name.slice(at + 1))) return undefined;
  const spelled = parts.slice(0, -1).map(spellLegacy);
  return spelled.includes(undefined) ? undefined : spelled.join('::');
}

/** A hash that is not made up has many different digits: C++ names that end in one like it are rare. */
function isHash(part: string): boolean {
  return /^h[0-9a-f]{16}$/.test(part) && new Set(part.slice(1)).size >= 5;
}

const ESCAPES: Readonly<Record<string, string>> = { SP: '@', BP: '*', RF: '&', LT: '<', GT: '>', LP: '(', RP: ')', C: ',' };

function spellLegacy(part: string): string | undefined {
  let bad = !/^[\w.$:-]+$/.test(part);
  const spelled = part.replace(/^_(?=\$)/, '').replace(/\$(\w{1,8}?)\$|\.\./g, (found, code: string | undefined) => {
    if (code === undefined) return '::';
    const plain = ESCAPES[code];
    if (plain !== undefined) return plain;
    const point = /^u([0-9a-f]{1,6})$/.test(code) ? Number.parseInt(code.slice(1), 16) : -1;
    if (point < 32 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) bad = true;
    return bad ? found : String.fromCodePoint(point);
  });
  return bad ? undefined : spelled;
}
