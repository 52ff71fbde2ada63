// A generator without an end.
// expects: TIMEOUT
function* forever() {
  for (let i = 0; ; ++i) yield i;
}
let sum = 0;
for (const value of forever()) sum += value;
