// An error whose description throws.
// expects: SCRIPT_ERROR TIMEOUT
const error = new Error("x");
for (const name of ["name", "message", "stack", "toString", "code", "details"]) {
  Object.defineProperty(error, name, {
    get() {
      throw error;
    },
  });
}
throw error;
