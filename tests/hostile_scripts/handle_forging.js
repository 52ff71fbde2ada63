// Uses tensors of others by their handles.
// expects: completed
const host = await import("alknet:host");
for (const handle of ["h1", "h2", "c1", "h18446744073709551615", "h-1", "__proto__"]) {
  const tensor = { $tensor: handle, dtype: "f32", shape: [1] };
  for (const name of ["tensor/add", "compute/read", "compute/dispose"]) {
    const answer = await host.call(name, { input: tensor, tensor, other: 1 }, {});
    if (answer.error === undefined) throw new Error(`${handle} was there`);
  }
}
