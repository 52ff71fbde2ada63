// Calls itself.
// expects: SCRIPT_ERROR
function deeper(depth) {
  return deeper(depth + 1) + 1;
}
deeper(0);
