// Looks for a way to run a kernel that never ends on the host's own device.
// expects: completed
// allows: compute/*
const host = await import("alknet:host");
const source = "@compute @workgroup_size(1) fn main() { loop {} }";
for (const language of ["wgsl", "glsl", "spirv"]) {
  const kernel = { name: "endless", language, source, inputs: [], outputs: [], workgroups: [1] };
  const { error } = await host.call("compute/register_kernel", { kernel }, {});
  if (error?.code !== "FORBIDDEN") throw new Error(`${language}: ${JSON.stringify(error)}`);
}
const { error } = await host.call("compute/dispatch_kernel", { kernel: "endless", inputs: [] }, {});
if (error === undefined) throw new Error("it was there");
