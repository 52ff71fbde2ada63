// Calls beyond number.
// expects: completed SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const answers = [];
for (let i = 0; i < 100_000; ++i) answers.push(Promise.resolve().then(() => env.call("services/list", {})).catch(() => 0));
await Promise.all(answers);
