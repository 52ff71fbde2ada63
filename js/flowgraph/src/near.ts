function distance(a: string, b: string): number {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** `; did you mean "x"?` for the names most like one that is unknown, or nothing. */
export function didYouMean(name: string, names: readonly string[]): string {
  const near = names
    .map((each) => ({ each, far: distance(name, each) }))
    .filter(({ far }) => far <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.far - b.far);
  return near.length === 0
    ? ""
    : `; did you mean ${near
        .slice(0, 3)
        .map(({ each }) => each)
        .join(" or ")}?`;
}
