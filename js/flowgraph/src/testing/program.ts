// Runs `alknet serve` for tests that compare with the C++ program.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Caller } from "../caller.ts";
import type { TensorHandle } from "../value_type.ts";

const builds = ["release", "test"].map((build) => join(process.cwd(), "../build", build, "apps/alknet/alknet"));

/** The alknet program: ALKNET_PROGRAM, else that of a build of the checkout. */
export const program = [process.env["ALKNET_PROGRAM"], ...builds].find(
  (path) => path !== undefined && existsSync(path),
);

/** For `test`: why tests that need the program are skipped, or false. */
export const skip = program === undefined ? "no alknet program is built; ALKNET_PROGRAM names one" : false;

/** What an operation failed with. */
export class OperationError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly details: unknown;

  constructor({
    code,
    message,
    retryable,
    details,
  }: {
    code: string;
    message: string;
    retryable: boolean;
    details?: unknown;
  }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}

/** A node that computes, and calls of its operations. */
export class ComputeNode implements Caller {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #url: string;
  /** Names of the operations called, in order. */
  readonly called: string[] = [];

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#process = child;
    this.#folder = folder;
    this.#url = url;
  }

  static async start(): Promise<ComputeNode> {
    const folder = mkdtempSync(join(tmpdir(), "alknet-node-"));
    const options = [
      "serve",
      "--json",
      "--log-level",
      "off",
      "--device",
      "cpu",
      "--http",
      "127.0.0.1:0",
      "--allow",
      "compute",
    ];
    const child = spawn(program as string, options, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, XDG_CONFIG_HOME: folder },
    });
    const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
    const line = await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      child.once("exit", () => reject(new Error("alknet serve ended")));
    });
    return new ComputeNode(child, folder, (JSON.parse(line) as { listening: string }).listening.replace(/\/$/, ""));
  }

  stop(): void {
    this.#process.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true });
  }

  async call(name: string, input: unknown): Promise<unknown> {
    this.called.push(name);
    const response = await fetch(`${this.#url}/call`, {
      method: "POST",
      headers: { "content-type": "application/json", "Alknet-Session": "flowgraph-tests-session" },
      body: JSON.stringify({ operation: name, input }),
    });
    const answer = (await response.json()) as {
      output?: unknown;
      error?: ConstructorParameters<typeof OperationError>[0];
    };
    if (answer.error !== undefined) throw new OperationError(answer.error);
    return answer.output;
  }

  async tensor(dtype: string, shape: readonly number[], values: unknown): Promise<TensorHandle> {
    return (await this.call("compute/create_tensor", { dtype, shape, values })) as TensorHandle;
  }

  async read(tensor: unknown): Promise<unknown> {
    return ((await this.call("compute/read_tensor", { tensor, as: "values" })) as { values: unknown }).values;
  }
}
