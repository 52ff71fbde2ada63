// A microtask that asks for the next.
// expects: TIMEOUT RESOURCE_EXHAUSTED
const again = () => queueMicrotask(again);
again();
