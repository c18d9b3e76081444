/** Widths, colours and numbers of what is drawn as text. */
export interface DrawOptions {
  /** Width of a line. */
  readonly columns: number;
  /** Height of the terminal; undefined for a file, which gets everything. */
  readonly rows: number | undefined;
  /** Escape sequences for colours; only for a terminal. */
  readonly colours: boolean;
}

export function bold(text: string, { colours }: DrawOptions): string {
  return colours ? `\x1b[1m${text}\x1b[22m` : text;
}

export function faint(text: string, { colours }: DrawOptions): string {
  return colours ? `\x1b[2m${text}\x1b[22m` : text;
}

/** The hotter, the redder. `share` is of the whole, 0 to 1. */
export function heat(text: string, share: number, { colours }: DrawOptions): string {
  if (!colours || share < 0.01) return text;
  return share >= 0.1 ? `\x1b[31m${text}\x1b[39m` : `\x1b[33m${text}\x1b[39m`;
}

/** Columns that a text takes: characters, wide ones (East Asian, emoji) twice, combining ones not at all. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function widthOfCharacter(character: string): number {
  if (character < '\u0300') return 1;
  if (/\p{Mark}/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1;
}

/** At most `columns` wide, with an ellipsis where something was cut. */
export function cutToColumns(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let cut = '';
  let width = 1;
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns) break;
    cut += character;
  }
  return `${cut}…`;
}

/** Filled with blanks, on the left when `right` is set. */
export function padToColumns(text: string, columns: number, right = false): string {
  const blanks = ' '.repeat(Math.max(0, columns - widthOf(text)));
  return right ? blanks + text : text + blanks;
}

/** With thousands separated by commas; at most three digits after the point. */
export function toNumberText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
