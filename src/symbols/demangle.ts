import { demangleCxx } from './demangle-cxx.ts';
import { demangleRust } from './demangle-rust.ts';

/** The name as its language spells it: C++ (Itanium ABI), Rust (legacy and v0); other names as they are. Never throws. */
export function demangle(name: string): string {
  const at = name.startsWith('_R') || name.startsWith('_Z') || name.startsWith('__Z') || name.startsWith('__R');
  const isStub = at && name.endsWith('@plt');
  if (!at && !name.startsWith('_GLOBAL__')) return name;
  const bare = isStub ? name.slice(0, -4) : name;
  const found = demangleRust(bare) ?? demangleCxx(bare);
  return found === undefined ? name : isStub ? `${found}@plt` : found;
}
