// An asynchronous generator without an end.
// expects: TIMEOUT
async function* forever() {
  for (let i = 0; ; ++i) yield i;
}
let sum = 0;
for await (const value of forever()) sum += value;
