// Looks for a way to run a kernel that never ends.
// expects: completed
const source = "@compute @workgroup_size(1) fn main() { loop {} }";
const answer = await Promise.resolve()
  .then(() => env.call("compute/register_kernel", { kernel: { name: "endless", language: "wgsl", source } }))
  .then(() => true, () => false);
if (answer) throw new Error("a kernel was registered");
