// A prototype behind a hundred thousand proxies.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
let proxy = {};
for (let i = 0; i < 100_000; ++i) proxy = new Proxy(proxy, {});
proxy.value;
