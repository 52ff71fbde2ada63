// A function of somebody else, in a process without files, network and secrets: alknet sandbox examples/user_function.ts
//
// The same file runs with `alknet run`, as your own program; what it may do differs.
type Price = { readonly item: string; readonly amount: number };

function discount(prices: readonly Price[], percent: number): Price[] {
  return prices.map(({ item, amount }) => ({ item, amount: Math.round(amount * (100 - percent)) / 100 }));
}

console.log(JSON.stringify(discount([{ item: "tea", amount: 4.5 }, { item: "cup", amount: 12 }], 10)));
console.log("network:", typeof fetch === "function" ? "allowed" : "none");
console.log("GPU:", typeof navigator === "object" && "gpu" in navigator && navigator.gpu !== undefined ? "allowed" : "none");
