// The keys with which values are sealed: the first one seals, all of them open. Kept in one file, replaced in one step.
import { randomBytes } from 'node:crypto';
import { ClusterError } from '../../base/errors.js';
import { keyBytes } from './sealed-value.js';
import type { EncryptionKey } from './sealed-value.js';

/** The file of a key ring; the host keeps it private and makes it durable. */
export interface KeyFile {
  /** For messages, such as `/var/lib/capstan/keys/secrets.json`. */
  readonly location: string;
  /** Undefined when there is no such file. */
  read(): Promise<string | undefined>;
  /** Replaces the file in one step, durably. */
  write(content: string): Promise<void>;
}

interface StoredRing {
  readonly version: 1;
  readonly keys: readonly { readonly id: string; readonly secret: string }[];
}

const idBytes = 6;

const newKey = (): EncryptionKey => ({
  id: randomBytes(idBytes).toString('hex'),
  secret: new Uint8Array(randomBytes(keyBytes)),
});

const render = (keys: readonly EncryptionKey[]): string => {
  const ring: StoredRing = {
    version: 1,
    keys: keys.map(({ id, secret }) => ({ id, secret: Buffer.from(secret).toString('base64') })),
  };
  return `${JSON.stringify(ring, undefined, 2)}\n`;
};

const damaged = (location: string, why: string): ClusterError =>
  new ClusterError(
    'Invalid',
    `key file ${location} ${why}: put the right file back, from a backup for example; nothing was changed`,
  );

const parse = (content: string, location: string): readonly EncryptionKey[] => {
  let ring: Partial<StoredRing>;
  try {
    ring = JSON.parse(content) as Partial<StoredRing>;
  } catch {
    throw damaged(location, 'is not JSON');
  }
  if (ring.version !== 1 || !Array.isArray(ring.keys))
    throw damaged(location, 'is not a key ring of version 1');
  const keys = (ring.keys as StoredRing['keys']).map(({ id, secret }): EncryptionKey => ({
    id,
    secret: new Uint8Array(Buffer.from(secret, 'base64')),
  }));
  const wrong = keys.find(({ id, secret }) => !/^[\w-]+$/.test(id) || secret.byteLength !== keyBytes);
  if (keys.length === 0 || wrong !== undefined) throw damaged(location, 'holds no usable key');
  return keys;
};

export class KeyRing {
  readonly #file: KeyFile;
  #keys: readonly [EncryptionKey, ...EncryptionKey[]];
  #written: boolean;
  /** Changes of the file, one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(file: KeyFile, keys: readonly EncryptionKey[], written: boolean) {
    const [first, ...others] = keys;
    this.#file = file;
    this.#keys = [first ?? newKey(), ...others];
    this.#written = written;
  }

  /**
   * A ring whose file is absent has a new key, and is written only when something is to be sealed: a file that was lost
   * is not replaced by a useless one. Throws Invalid for a damaged file.
   */
  static async open(file: KeyFile): Promise<KeyRing> {
    const content = await file.read();
    return content === undefined
      ? new KeyRing(file, [], false)
      : new KeyRing(file, parse(content, file.location), true);
  }

  get location(): string {
    return this.#file.location;
  }

  /** The file was there. */
  get written(): boolean {
    return this.#written;
  }

  /** Seals what is written from now on. */
  get current(): EncryptionKey {
    return this.#keys[0];
  }

  get ids(): readonly string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** What the file holds, or will: for backups. */
  get content(): string {
    return render(this.#keys);
  }

  find(id: string): EncryptionKey | undefined {
    return this.#keys.find((key) => key.id === id);
  }

  /** Before the first value is sealed: a value must never be durable before its key is. */
  async keep(): Promise<void> {
    if (this.#written) return;
    await this.#change(async () => {
      if (!this.#written) await this.#replace(this.#keys);
    });
  }

  /** Adds a key and makes it the one that seals. */
  add(): Promise<EncryptionKey> {
    return this.#change(async () => {
      const key = newKey();
      await this.#replace([key, ...this.#keys]);
      return key;
    });
  }

  /** Forgets all keys but the current one and those that are `used` when their turn has come. */
  dropUnused(used: () => ReadonlySet<string>): Promise<readonly string[]> {
    return this.#change(async () => {
      const needed = used();
      const [current, ...others] = this.#keys;
      const dropped = others.filter(({ id }) => !needed.has(id));
      if (dropped.length > 0) await this.#replace([current, ...others.filter(({ id }) => needed.has(id))]);
      return dropped.map(({ id }) => id);
    });
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  async #replace(keys: readonly [EncryptionKey, ...EncryptionKey[]]): Promise<void> {
    await this.#file.write(render(keys));
    this.#keys = keys;
    this.#written = true;
  }
}
