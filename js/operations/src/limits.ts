/** What one connection may use; a call that passes one fails with RESOURCE_EXHAUSTED, whose `details.limit` names it. */
export interface LinkLimits {
  /** The longest frame, in both directions. */
  readonly frame: number;
  /** Requests of ours that have no answer yet. */
  readonly pending_calls: number;
  /** Requests of the peer that have no answer yet. */
  readonly inbound_calls: number;
  /** All attachments of one envelope, in both directions. */
  readonly attachment_bytes: number;
  /** Attachments of the peer that are announced and not whole; the connection ends beyond it. */
  readonly attachments: number;
  /** What a subscription may hold unread; with `credit` the first window too, which is part of the protocol. */
  readonly queue_items: number;
  readonly queue_bytes: number;
  /** Milliseconds that a call may take for which nothing else is said. */
  readonly default_timeout: number;
}

export const kDefaultLimits: LinkLimits = {
  frame: 16 << 20,
  pending_calls: 65_536,
  inbound_calls: 16_384,
  attachment_bytes: 256 << 20,
  attachments: 16_384,
  queue_items: 256,
  queue_bytes: 4 << 20,
  default_timeout: 30_000,
};
