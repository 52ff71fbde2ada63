// Looks for a way to run a kernel that never ends.
// expects: completed
const host = await import("alknet:host");
const source = "@compute @workgroup_size(1) fn main() { loop {} }";
const kernel = { name: "endless", language: "wgsl", source, inputs: [], outputs: [] };
const answer = await host.call("compute/register_kernel", { kernel }, {});
if (answer.error === undefined) throw new Error("a kernel was registered");
