// Sees no time zone of the machine.
// expects: completed
if (new Date(0).getTimezoneOffset() !== 0) throw new Error("a time zone");
