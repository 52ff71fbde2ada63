// Calls itself again from where there was no stack left.
// expects: TIMEOUT SCRIPT_ERROR RESOURCE_EXHAUSTED
function deeper() {
  try {
    deeper();
  } catch {
    deeper();
  }
}
deeper();
