// A chain that must be freed piece by piece.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED completed
let chain = null;
for (let i = 0; i < 500_000; ++i) chain = { chain };
chain = null;
