// Timers beyond number.
// expects: RESOURCE_EXHAUSTED SCRIPT_ERROR TIMEOUT
for (let i = 0; i < 1e7; ++i) setTimeout(() => {}, 1000);
