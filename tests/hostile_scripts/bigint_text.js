// Decimal digits take quadratic time.
// expects: TIMEOUT RESOURCE_EXHAUSTED SCRIPT_ERROR
((1n << 900_000n) - 1n).toString();
for (;;) ((1n << 900_000n) - 1n).toString();
