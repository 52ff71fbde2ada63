// One built-in that runs for seconds and asks nobody.
// expects: TIMEOUT RESOURCE_EXHAUSTED SCRIPT_ERROR
new Array(1e8) + "";
