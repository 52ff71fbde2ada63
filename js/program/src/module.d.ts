/** The native module, which only alknet has (apps/alknet/program_module.h). */
declare module "alknet:program" {
  export const args: readonly string[];
  export const main: string;
  export function exit(status?: number): never;
  export function setExitStatus(status: number): void;
  export function write(text: string): void;
  export function writeError(text: string): void;
  export function readInput(): string;
  export const isTerminal: { readonly input: boolean; readonly output: boolean; readonly error: boolean };
  export function columns(): number;
  export function dataset(name: string): string;
  export function writeChart(path: string, chart: object): void;
}
