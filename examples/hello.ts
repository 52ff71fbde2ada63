// The smallest program: alknet run examples/hello.ts Ada
import { args } from "@alknet/program";

interface Greeting {
  readonly name: string;
  readonly loud?: boolean;
}

function greet({ name, loud = false }: Greeting): string {
  const text = `Hello, ${name}!`;
  return loud ? text.toUpperCase() : text;
}

console.log(greet({ name: args[0] ?? "world" }));
