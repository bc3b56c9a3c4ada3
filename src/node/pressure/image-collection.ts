// Which images go when the disk fills up: unused ones that a registry can give back, the longest unused first.
import type { Instant } from '../../base/clock.js';
import type { Amount } from './signals.js';

export interface StoredImage {
  readonly id: string;
  readonly sizeBytes: number;
  /** It came from a registry: an image that was built or imported here is never removed. */
  readonly pulled: boolean;
}

export interface ImageStore {
  list(signal: AbortSignal): Promise<readonly StoredImage[]>;
  /** False: something uses it after all. */
  remove(id: string, signal: AbortSignal): Promise<boolean>;
}

/** Shares of the disk in use: above the first images are removed, until the second is reached. Kubernetes' defaults. */
const highShare = 0.85;
const lowShare = 0.8;
/** A new image may be about to be used. */
const leastAgeMs = 120_000;

/** Bytes that are to be freed; 0 for nothing to do. */
export const bytesToFree = ({ available, capacity }: Amount): number => {
  const used = capacity - available;
  return used < capacity * highShare ? 0 : Math.ceil(used - capacity * lowShare);
};

export interface ImageFacts {
  readonly images: readonly StoredImage[];
  /** Of every container that there is. */
  readonly inUse: ReadonlySet<string>;
  /** When each was last seen in use, or first seen at all. */
  readonly lastUsed: ReadonlyMap<string, Instant>;
  readonly now: Instant;
}

/** Enough images for `bytes`; all that may go when that is Infinity. */
export const imagesToRemove = (
  { images, inUse, lastUsed, now }: ImageFacts,
  bytes: number,
): readonly StoredImage[] => {
  const since = ({ id }: StoredImage): Instant => lastUsed.get(id) ?? now;
  const candidates = images
    .filter((image) => image.pulled && !inUse.has(image.id) && now - since(image) >= leastAgeMs)
    .sort((a, b) => since(a) - since(b) || b.sizeBytes - a.sizeBytes);
  const chosen: StoredImage[] = [];
  let freed = 0;
  for (const image of candidates) {
    if (freed >= bytes) break;
    chosen.push(image);
    freed += image.sizeBytes;
  }
  return chosen;
};
