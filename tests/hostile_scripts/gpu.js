// Looks for the GPU.
// expects: completed
if (globalThis.navigator?.gpu !== undefined) throw new Error("there is a GPU");
