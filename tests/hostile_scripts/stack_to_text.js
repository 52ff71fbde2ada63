// toString that calls itself.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const object = { toString: () => `${object}` };
`${object}`;
