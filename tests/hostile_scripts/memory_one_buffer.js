// More than there can be, in one piece.
// expects: SCRIPT_ERROR
new ArrayBuffer(2 ** 40);
