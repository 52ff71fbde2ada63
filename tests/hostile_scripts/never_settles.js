// Waits for what never comes.
// expects: SCRIPT_ERROR completed TIMEOUT
await new Promise(() => {});
