// Uses tensors of others by their handles.
// expects: completed
for (const handle of ["h1", "h2", "c1", "h18446744073709551615", "h-1", "__proto__"]) {
  const answer = await Promise.resolve()
    .then(() => env.call("tensor/add", { input: { $tensor: handle }, other: 1 }))
    .then(() => true, () => false);
  if (answer) throw new Error(`${handle} was there`);
}
