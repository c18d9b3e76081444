/** Index of the last of `sorted[0 … count)` that is not above `value`; -1 when all are above. */
// hot: once for each looked-up address
export function findLastNotAbove(sorted: Uint32Array | Float64Array, value: number, count = sorted.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
