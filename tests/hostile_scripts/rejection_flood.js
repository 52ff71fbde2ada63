// Rejections that nobody handles.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
for (;;) {
  Promise.reject(new Error("x"));
  await null;
}
