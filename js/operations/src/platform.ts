// What the packages use of the platform, as far as they use it: no library of a host is needed to compile them.

/** An AbortSignal, of whichever platform. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface AbortControllerLike {
  readonly signal: AbortSignalLike;
  abort(reason?: unknown): void;
}

/** A WebSocket as browsers and Node have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** Makes one, as `new WebSocket(url, protocols)` does. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

interface Platform {
  readonly AbortController: new () => AbortControllerLike;
  readonly WebSocket?: WebSocketConstructor;
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (label: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string };
  readonly URL: new (url: string) => { protocol: string; pathname: string; href: string };
  readonly crypto?: { getRandomValues(bytes: Uint8Array): Uint8Array };
  readonly performance?: { now(): number };
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The globals of the platform. */
export const platform = globalThis as unknown as Platform;

/** Milliseconds of a clock that never goes back, where there is one. */
export function now(): number {
  return platform.performance?.now() ?? Date.now();
}

/** A timer that does not keep a program alive which has nothing else to do. */
export function startTimer(callback: () => void, milliseconds: number): unknown {
  const timer = platform.setTimeout(callback, milliseconds);
  (timer as { unref?: () => void }).unref?.(); // Node's
  return timer;
}
