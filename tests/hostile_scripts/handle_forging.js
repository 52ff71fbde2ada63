// Uses tensors of others by their handles.
// expects: completed
// allows: compute/*
const host = await import("alknet:host");
const own = await host.call("compute/create_tensor", { dtype: "f32", shape: [2], values: [1, 2] }, {});
if (own.error !== undefined) throw new Error(`no tensor of its own: ${own.error.message}`);
const mine = own.data.$tensor;
for (const handle of ["h1", "h2", "h3", "c1", "h18446744073709551615", "h-1", "h01", " h1", "h1\0", "", "__proto__"]) {
  if (handle === mine) continue;
  const tensor = { $tensor: handle, dtype: "f32", shape: [2] };
  for (const [name, input] of [
    ["compute/read_tensor", { tensor, as: "values" }],
    ["compute/write_tensor", { tensor, values: [0, 0] }],
    ["compute/to", { tensor, dtype: "f64" }],
    ["compute/dispose", { handles: [handle] }],
  ]) {
    const answer = await host.call(name, input, {});
    if (answer.error === undefined && name !== "compute/dispose") throw new Error(`${name} took ${handle}`);
  }
}
