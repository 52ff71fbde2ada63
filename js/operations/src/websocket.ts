import { Connection, type ConnectionOptions, type Transport } from "./connection.ts";
import { OperationError } from "./error.ts";
import { platform, type WebSocketConstructor, type WebSocketLike } from "./platform.ts";

/** How to connect. */
export interface ConnectOptions extends ConnectionOptions {
  /** Proves who we are. */
  readonly token?: string;
  /** Another WebSocket than that of the platform. */
  readonly webSocket?: WebSocketConstructor;
}

const kPath = "/alknet/call";
const kSubprotocol = "alknet.call";
const kHighWater = 1 << 20;
const kPoll = 5; // milliseconds: a WebSocket does not say when its buffer is empty
const kPolicyViolation = 1008;

interface CloseEventLike {
  readonly code?: number;
  readonly reason?: string;
}

class WebSocketTransport implements Transport {
  onframe: ((frame: Uint8Array) => void) | undefined;
  onwritable: (() => void) | undefined;
  onclose: ((reason: string) => void) | undefined;
  readonly #socket: WebSocketLike;
  #polling = false;
  #ended = false;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    socket.onmessage = ({ data }: { readonly data: unknown }): void => {
      if (data instanceof ArrayBuffer) this.onframe?.(new Uint8Array(data));
      else this.close(1, "a text message");
    };
    socket.onclose = ({ code, reason }: CloseEventLike): void => this.#end(reason || `closed with ${code ?? "no code"}`);
  }

  send(frame: Uint8Array): boolean {
    if (this.#ended) return true;
    this.#socket.send(frame);
    const full = this.#socket.bufferedAmount > kHighWater;
    if (full && !this.#polling) this.#poll();
    return !full;
  }

  close(code: number, reason: string): void {
    if (this.#ended) return;
    if (code === 0) this.#socket.close();
    else this.#socket.close(kPolicyViolation, reason.slice(0, 100));
    this.#end(reason || "closed here");
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onclose?.(reason);
  }

  #poll(): void {
    this.#polling = true;
    platform.setTimeout(() => {
      this.#polling = false;
      if (this.#ended) return;
      if (this.#socket.bufferedAmount > kHighWater / 2) this.#poll();
      else this.onwritable?.();
    }, kPoll);
  }
}

/** The address of the protocol at a node: "ws://host:port" means its path too; http and https stand for ws and wss. */
function addressOf(text: string): string {
  const url = new platform.URL(text);
  url.protocol = url.protocol.replace(/^http/, "ws");
  if (url.pathname === "/" || url.pathname === "") url.pathname = kPath;
  return url.href;
}

/**
 * Connects to a node over WebSocket and negotiates features. Throws OperationError: FORBIDDEN is not told from other
 * refusals, since WebSockets do not say why.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Connection> {
  const Socket = options.webSocket ?? platform.WebSocket;
  if (Socket === undefined) {
    throw new OperationError("INTERNAL", "this platform has no WebSocket: give one as the option `webSocket`");
  }
  const address = addressOf(url);
  const bearer = options.token === undefined ? [] : [`alknet.bearer.${options.token}`];
  const socket = new Socket(address, [kSubprotocol, ...bearer]);
  socket.binaryType = "arraybuffer";
  await new Promise<void>((resolve, reject) => {
    const refuse = (): void => {
      reject(new OperationError("INTERNAL", `cannot connect to ${address}: no node listens there, or it refused us`));
    };
    socket.onopen = (): void => resolve();
    socket.onerror = refuse;
    socket.onclose = refuse;
  });
  socket.onerror = null;
  const connection = new Connection(new WebSocketTransport(socket), { source: address, ...options });
  await connection.negotiate();
  return connection;
}
