/**
 * The numbers of an array, NaN for what JSON writes as text ("NaN", "Infinity"); undefined when it holds anything else.
 * @param {readonly unknown[]} values
 * @returns {number[] | undefined}
 */
export function numbersOf(values) {
  const numbers = values.map((value) => (typeof value === "string" && /^(NaN|-?Infinity)$/.test(value) ? NaN : value));
  return numbers.every((value) => typeof value === "number") ? /** @type {number[]} */ (numbers) : undefined;
}

/**
 * @param {readonly number[]} numbers
 * @returns {{min: number, max: number, mean: number} | undefined}  of the finite ones
 */
export function statistics(numbers) {
  let [min, max, sum, count] = [Infinity, -Infinity, 0, 0];
  for (const number of numbers) {
    if (!Number.isFinite(number)) continue;
    min = Math.min(min, number);
    max = Math.max(max, number);
    sum += number;
    ++count;
  }
  return count === 0 ? undefined : { min, max, mean: sum / count };
}

/**
 * The points of a line through `numbers` in a box, at most two for each unit of width: of many numbers the smallest and
 * the largest in each column. Gaps where there is no finite number split the line.
 * @param {readonly number[]} numbers
 * @param {number} width
 * @param {number} height
 * @returns {string[]}  the `points` of one polyline each
 */
export function linesThrough(numbers, width, height) {
  const range = statistics(numbers);
  if (range === undefined) return [];
  const spread = range.max - range.min || 1;
  const columns = Math.min(numbers.length, width);
  const last = Math.max(columns - 1, 1);
  const lines = [];
  /** @type {string[]} */
  let line = [];
  for (let column = 0; column < columns; ++column) {
    const from = Math.floor((column * numbers.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * numbers.length) / columns));
    const here = statistics(numbers.slice(from, to));
    if (here === undefined) {
      if (line.length > 0) lines.push(line);
      line = [];
      continue;
    }
    const x = ((column * width) / last).toFixed(1);
    for (const y of here.min === here.max ? [here.min] : [here.max, here.min]) {
      line.push(`${x},${(height - ((y - range.min) / spread) * height).toFixed(1)}`);
    }
  }
  if (line.length > 0) lines.push(line);
  return lines.map((points) => points.join(" "));
}

/**
 * A number for people: four significant digits.
 * @param {number} number
 */
export function shortNumber(number) {
  return String(Number(number.toPrecision(4)));
}
