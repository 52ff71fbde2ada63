/**
 * The positions in `values` of one longest strictly increasing subsequence, in order; negative values are left out.
 * Patience sorting with predecessor links (Fredman, 1975): O(n log n).
 */
export function longestIncreasing(values: readonly number[]): number[] {
  const tails: number[] = []; // tails[k]: position of the smallest last value of an increasing run of length k + 1
  const previous = new Array<number>(values.length).fill(-1);
  values.forEach((value, i) => {
    if (value < 0) return;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[tails[middle] as number] as number) < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) previous[i] = tails[low - 1] as number;
    tails[low] = i;
  });
  const out = new Array<number>(tails.length);
  let at = tails.at(-1) ?? -1;
  for (let k = tails.length - 1; k >= 0; --k) {
    out[k] = at;
    at = previous[at] as number;
  }
  return out;
}
