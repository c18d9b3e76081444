/** Bars of block characters, an eighth of a column fine (Unicode 2588–258F). */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * A bar, not padded. Anything above zero shows at least an eighth.
 *
 * @param share 0 to 1
 * @param columns of a full bar
 */
export function drawBar(share: number, columns: number): string {
  if (!(share > 0)) return '';
  const eighths = Math.max(1, Math.round(Math.min(share, 1) * columns * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}
