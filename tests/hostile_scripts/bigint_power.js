// A number of a thousand million digits.
// expects: TIMEOUT RESOURCE_EXHAUSTED SCRIPT_ERROR
const huge = 3n ** (2n ** 28n);
huge * huge;
