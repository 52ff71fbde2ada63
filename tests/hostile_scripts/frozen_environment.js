// Puts functions of its own where ours are.
// expects: completed SCRIPT_ERROR
const host = await import("alknet:host");
try {
  host.call = () => "mine";
  throw new Error("replaced");
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
}
