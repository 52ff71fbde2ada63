// A timer that sets the next.
// expects: TIMEOUT
const again = () => setTimeout(again, 0);
again();
