import { NotMangled } from './not-mangled.ts';

/** Decodes Punycode (RFC 3492, section 6.2) as Rust writes it: `_` divides the plain letters from the rest. */
export function decodePunycode(text: string): string {
  const divider = text.lastIndexOf('_');
  const points = [...(divider < 0 ? '' : text.slice(0, divider))].map((char) => char.codePointAt(0)!);
  let [point, index, bias, at] = [128, 0, 72, divider + 1];
  while (at < text.length) {
    const before = index;
    let weight = 1;
    for (let k = 36; ; k += 36) {
      const digit = 'abcdefghijklmnopqrstuvwxyz0123456789'.indexOf(text[at++] ?? '!');
      if (digit < 0) throw new NotMangled('Punycode is damaged');
      index += digit * weight;
      const threshold = Math.min(26, Math.max(1, k - bias));
      if (digit < threshold) break;
      weight *= 36 - threshold;
      if (index > 0x7fff_ffff || weight > 0x7fff_ffff) throw new NotMangled('Punycode is damaged');
    }
    const count = points.length + 1;
    bias = adapt(index - before, count, before === 0);
    point += Math.floor(index / count);
    index %= count;
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) throw new NotMangled('Punycode is damaged');
    points.splice(index++, 0, point);
  }
  return String.fromCodePoint(...points);
}

function adapt(difference: number, count: number, first: boolean): number {
  let delta = first ? Math.floor(difference / 700) : difference >> 1;
  delta += Math.floor(delta / count);
  let k = 0;
  for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
  return k + Math.floor((36 * delta) / (delta + 38));
}
