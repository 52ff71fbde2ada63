// Connects.
// expects: completed
const attempts = [
  () => fetch("http://127.0.0.1:80/"),
  () => fetch("file:///etc/passwd"),
  () => new Promise((resolve, reject) => {
    const socket = new WebSocket("ws://127.0.0.1:80/");
    socket.onopen = resolve;
    socket.onerror = reject;
  }),
];
for (const attempt of attempts) {
  const answer = await Promise.resolve().then(attempt).then(() => true, () => false);
  if (answer) throw new Error("connected");
}
