import type { Theme } from '../../app/theme.ts';

/** Hues for nodes: none near the red and amber of failures; neighbours differ much, also in brightness. */
const HUES = [212, 165, 282, 190, 318, 240, 130, 262, 90, 200, 300, 150];

export function nodeColor(index: number, theme: Theme): string {
  const hue = HUES[index % HUES.length]!;
  const light = (theme === 'dark' ? 64 : 46) + (index % 2 === 0 ? 0 : theme === 'dark' ? -10 : 10);
  return `hsl(${hue} ${theme === 'dark' ? 52 : 50}% ${light}%)`;
}

/** What the painter needs of the style sheet, read once per theme. */
export interface PaintColors {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly background: string;
  readonly accent: string;
  readonly error: string;
  readonly throttle: string;
  readonly fault: string;
  readonly node: (index: number) => string;
}

export function readColors(theme: Theme): PaintColors {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  const cache: string[] = [];
  return {
    text: read('--text'),
    muted: read('--muted'),
    line: read('--line'),
    background: read('--bg'),
    accent: read('--accent'),
    error: read('--error-fill'),
    throttle: read('--throttle-fill'),
    fault: read('--fault-fill'),
    node: (index) => (cache[index] ??= nodeColor(index, theme)),
  };
}
