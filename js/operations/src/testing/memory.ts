import { Connection, type ConnectionOptions, type Transport } from "../connection.ts";

class MemoryTransport implements Transport {
  onframe: ((frame: Uint8Array) => void) | undefined;
  onwritable: (() => void) | undefined;
  onclose: ((reason: string) => void) | undefined;
  other: MemoryTransport | undefined;
  /** Frames sent, for tests that look. */
  readonly sent: Uint8Array[] = [];
  closed = false;

  send(frame: Uint8Array): boolean {
    const copy = frame.slice();
    this.sent.push(copy);
    queueMicrotask(() => {
      if (!this.closed) this.other?.onframe?.(copy);
    });
    return true;
  }

  close(_code: number, reason: string): void {
    for (const side of [this, this.other]) {
      if (side === undefined || side.closed) continue;
      side.closed = true;
      queueMicrotask(() => side.onclose?.(reason));
    }
  }
}

/** Two connections joined in memory, with their transports. */
export async function joined(
  near: ConnectionOptions = {},
  far: ConnectionOptions = {},
  negotiate = true,
): Promise<{ near: Connection; far: Connection; transports: [MemoryTransport, MemoryTransport] }> {
  const transports: [MemoryTransport, MemoryTransport] = [new MemoryTransport(), new MemoryTransport()];
  transports[0].other = transports[1];
  transports[1].other = transports[0];
  const sides = { near: new Connection(transports[0], near), far: new Connection(transports[1], far), transports };
  if (negotiate) await sides.near.negotiate();
  return sides;
}
