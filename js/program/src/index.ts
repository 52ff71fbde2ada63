/**
 * What a script is as a program: arguments, exit status, standard input and output.
 *
 * @packageDocumentation
 */
/// <reference path="./module.d.ts" />
import * as host from "alknet:program";

/** What stood behind the file on the command line. */
export const args: readonly string[] = host.args;

/** The file that was started, as it was named; empty for a REPL. */
export const main: string = host.main;

/** Which of the standard streams a person sits at. */
export const isTerminal: { readonly input: boolean; readonly output: boolean; readonly error: boolean } = host.isTerminal;

/** Ends the program at once with a status from 0 to 125. */
export function exit(status = 0): never {
  return host.exit(status);
}

/** The status for when the program ends by itself. */
export function setExitStatus(status: number): void {
  host.setExitStatus(status);
}

/** Writes text, without a line end, to standard output. */
export function write(text: string): void {
  host.write(text);
}

/** Writes text, without a line end, to standard error. */
export function writeError(text: string): void {
  host.writeError(text);
}

/** All of standard input. */
export function readInput(): string {
  return host.readInput();
}

/** How many columns the terminal has; 100 without one. */
export function columns(): number {
  return host.columns();
}

/** The file of a data set that `alknet data list` shows, pulled when it is not installed. */
export function dataset(name: string): string {
  return host.dataset(name);
}

/** Curves over 1, 2, 3, ... with a legend. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly { readonly name: string; readonly y: readonly number[] }[];
}

/** Draws a line chart into a file, .png or .svg. */
export function writeChart(path: string, chart: Chart): void {
  host.writeChart(path, chart);
}
