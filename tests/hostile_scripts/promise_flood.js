// Each job makes two.
// expects: TIMEOUT RESOURCE_EXHAUSTED
function more() {
  Promise.resolve().then(more);
  Promise.resolve().then(more);
}
more();
