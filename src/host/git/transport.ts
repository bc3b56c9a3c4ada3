// How a mirror on this disk talks to the repository that it mirrors.
export interface Transport {
  /** For people, without credentials. */
  readonly address: string;
  /** Object id of a remote reference such as `refs/heads/main`; undefined when there is none. */
  lookUp(ref: string, signal: AbortSignal): Promise<string | undefined>;
  /** Brings the objects of a remote reference here, under `refs/remotes/origin/…`. */
  fetch(ref: string, signal: AbortSignal): Promise<void>;
  /** Throws Conflict when the remote branch is not `expected` or refuses. */
  push(
    push: {
      readonly oid: string;
      readonly branch: string;
      readonly expected: string | undefined;
      /** The new commit does not follow the expected one: only ever so on a branch of Capstan's own. */
      readonly force: boolean;
    },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface Credentials {
  readonly username?: string | undefined;
  /** Password or token. */
  readonly password?: string | undefined;
  /** PEM. */
  readonly ca?: string | undefined;
}
