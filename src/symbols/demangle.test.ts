import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { demangle } from './demangle.ts';

test.each([
  ['_Z3foov', 'foo()'],
  ['_Z3fooiPKc', 'foo(int, char const*)'],
  ['_ZNK3Foo3barERKS_', 'Foo::bar(Foo const&) const'],
  ['_ZN3FooC2Ev', 'Foo::Foo()'],
  ['_ZN3FooD0Ev', 'Foo::~Foo()'],
  ['_ZNSt6vectorIiSaIiEE9push_backEOi', 'std::vector<int, std::allocator<int> >::push_back(int&&)'],
  ['_Z1fPFivE', 'f(int (*)())'],
  ['_Z1fRA3_i', 'f(int (&) [3])'],
  ['_Z1fM1AFivE', 'f(int (A::*)())'],
  ['_Z1fIJicEEvDpT_', 'void f<int, char>(int, char)'],
  ['_Z1fIiEPFvcET_', 'void (*f<int>(int))(char)'],
  ['_ZTV3Foo', 'vtable for Foo'],
  ['_ZThn16_N1A1fEv', 'non-virtual thunk to A::f()'],
  ['_ZZ4mainENKUlvE_clEv', 'main::{lambda()#1}::operator()() const'],
  ['_ZN12_GLOBAL__N_11fEv', '(anonymous namespace)::f()'],
  ['_Z1fB5cxx11v', 'f[abi:cxx11]()'],
  ['_Z3foov.isra.0.cold', 'foo() [clone .isra.0] [clone .cold]'],
  ['_ZN1AcvT_IiEEv', 'A::operator int<int>()'],
  ['_Z1fILb1ELin3ELj2EEvv', 'void f<true, -3, 2u>()'],
  ['_Zli2_ky', 'operator"" _k(unsigned long long)'],
  ['_Z3foov@plt', 'foo()@plt'],
])('demangle() spells %s of C++', (name, spelled) => expect(demangle(name)).toBe(spelled));

test.each([
  ['_ZN4core3fmt9Formatter3pad17h0123456789abcdefE', 'core::fmt::Formatter::pad'],
  [
    '_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE',
    "<Test + 'static as foo::Bar<Test>>::bar",
  ],
  ['_RNvC6_123foo3bar', '123foo::bar'],
  ['_RNvNtCs1234_7mycrate3foo3bar', 'mycrate::foo::bar'],
  ['_RNCNvC4main4main0', 'main::main::{closure#0}'],
  ['_RINvC7mycrate3foolE', 'mycrate::foo::<i32>'],
  ['_RINvC1a1fReRSlTmEAjj3_E', 'a::f::<&str, &[i32], (u32,), [usize; 3]>'],
  ['_RINvC1a1fFUKCmEuE', 'a::f::<unsafe extern "C" fn(u32)>'],
  ['_RINvC1a1fDNtB2_1Tp1AmEL_E', 'a::f::<dyn a::T<A = u32>>'],
])('demangle() spells %s of Rust', (name, spelled) => expect(demangle(name)).toBe(spelled));

test.each(['main', '_Zqq', '_RX', '_ZN', '_Z', '', '_Z3fo', '_ZN3FooE17h', 'printf@plt'])('demangle() leaves %j as it is', (name) =>
  expect(demangle(name)).toBe(name),
);

test('demangle() survives hostile names', () => {
  const part = fc.constantFrom(
    'S_',
    'S0_',
    'T_',
    'I',
    'E',
    'N',
    'J',
    'Dp',
    'P',
    'K',
    'F',
    'v',
    'i',
    '1a',
    'X',
    'L',
    'cv',
    'Z',
    'Ul',
    'M',
    'A3_',
    'B_',
    'C1a',
    'Nv',
    'R',
    'D',
    'G_',
    'p',
  );
  fc.assert(
    fc.property(fc.constantFrom('_Z', '_ZN', '_Z1fI', '_R', '_RIC1a'), fc.array(part, { maxLength: 60 }), (start, parts) => {
      expect(typeof demangle(start + parts.join(''))).toBe('string');
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['nested deeply', `_Z1f${'P'.repeat(30_000)}i`],
  [
    'that double with every step',
    `_Z1f1aI${'S_S_'.repeat(1)}E${Array.from({ length: 60 }, (_, i) => `1bIS${i === 0 ? '' : (i - 1).toString(36).toUpperCase()}_S${i === 0 ? '' : (i - 1).toString(36).toUpperCase()}_E`).join('')}`,
  ],
  ['of Rust that repeat themselves', `_RINvC1a1f${'TB4_B4_E'.repeat(2000)}E`],
])('demangle() bounds its work on names %s', (_what, name) => {
  const start = performance.now();
  expect(demangle(name).length).toBeLessThan(1 << 21);
  expect(performance.now() - start).toBeLessThan(2000);
});

/** Where we differ from c++filt on purpose: README.md has the list. */
function withoutQuirks(text: string): string {
  return text.replace(/>(?=>)/g, '> ');
}

test('demangle() agrees with c++filt on the names of libstdc++ and of this node', (context) => {
  requireOrSkip(context, existsSync('/usr/bin/c++filt'), 'c++filt is missing: apt-get install binutils');
  const files = [process.execPath, '/usr/lib/x86_64-linux-gnu/libstdc++.so.6'].filter((path) => existsSync(path));
  const run = (program: string, args: string[], input = ''): string =>
    spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30, input }).stdout;
  const listed = files.flatMap((path) => run('nm', ['-DP', path]).split('\n'));
  const names = [...new Set(listed.map((line) => line.replace(/[ @].*/, '')))].filter((name) => name.startsWith('_Z'));
  expect(names.length).toBeGreaterThan(5000);
  const wanted = run('c++filt', ['-i'], `${names.join('\n')}\n`).split('\n');
  const different = names.filter((name, i) => demangle(name) !== withoutQuirks(wanted[i]!));
  expect(different.length / names.length).toBeLessThan(0.002);
});
