import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";

/** The program `alknet`: ALKNET_PROGRAM, or undefined. */
const kProgram = process.env["ALKNET_PROGRAM"];

/** Why tests that need the program are skipped, or false. */
export const kNoProgram =
  kProgram !== undefined && existsSync(kProgram) ? false : "ALKNET_PROGRAM names no program alknet";

/** A node that runs until `stop`. */
export interface Node {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts `alknet serve` on a free port for WebSockets. */
export async function startNode(...options: string[]): Promise<Node> {
  const command = ["serve", "--ws", "127.0.0.1:0", "--device", "cpu", ...options];
  const node: ChildProcess = spawn(kProgram ?? "", command, { stdio: ["ignore", "ignore", "pipe"] });
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    node.stderr?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const address = /listening address=(ws:\S+)/.exec(text)?.[1];
      if (address !== undefined && text.includes(" ready ")) resolve(address);
    });
    node.on("error", reject);
    node.on("exit", (code) => reject(new Error(`alknet serve ended with ${code}: ${text}`)));
  });
  const ended = new Promise<void>((resolve) => node.on("exit", () => resolve()));
  return {
    url,
    stop: () => {
      node.kill();
      return ended;
    },
  };
}
