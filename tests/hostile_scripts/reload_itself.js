// Imports itself again and again.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED completed
for (let i = 0; ; ++i) await import(`./script.js?${i}`);
