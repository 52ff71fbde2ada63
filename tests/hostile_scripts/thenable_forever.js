// A promise that is resolved with a thenable that is resolved with a thenable.
// expects: TIMEOUT RESOURCE_EXHAUSTED
const thenable = () => ({ then: (resolve) => resolve(thenable()) });
await thenable();
