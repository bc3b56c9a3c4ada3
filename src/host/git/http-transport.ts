// A repository behind http:// or https://, through isomorphic-git.
import git, { Errors } from 'isomorphic-git';
import { ClusterError, messageOf } from '../../base/errors.js';
import { httpClient } from './http-client.js';
import { atomicFs } from './objects.js';
import { moveRef, readRef } from './refs.js';
import type { Credentials, Transport } from './transport.js';

const local = (ref: string): string => ref.replace(/^refs\/(heads|tags)\//, '');

/** Credentials in the URL count when none are given. */
const split = (url: string, given: Credentials): { address: string; credentials: Credentials } => {
  const parsed = new URL(url);
  const credentials = {
    ...given,
    username: given.username ?? (parsed.username === '' ? undefined : decodeURIComponent(parsed.username)),
    password: given.password ?? (parsed.password === '' ? undefined : decodeURIComponent(parsed.password)),
  };
  parsed.username = '';
  parsed.password = '';
  return { address: parsed.href, credentials };
};

/** isomorphic-git's errors and the network's as sentences with a way out. */
const explained = (address: string, error: unknown): unknown => {
  if (error instanceof ClusterError || (error instanceof Error && error.name === 'AbortError')) return error;
  if (error instanceof Errors.HttpError) {
    const { statusCode } = error.data;
    if (statusCode === 401 || statusCode === 403)
      return new ClusterError(
        'ServiceUnavailable',
        `${address} refuses the credentials (${String(statusCode)}): check the token`,
        { cause: error },
      );
    if (statusCode === 404)
      return new ClusterError(
        'ServiceUnavailable',
        `there is no Git repository at ${address}, or the credentials may not see it`,
        { cause: error },
      );
    return new ClusterError('ServiceUnavailable', `${address} answers ${String(statusCode)}`, {
      cause: error,
    });
  }
  if (error instanceof Errors.UserCanceledError)
    return new ClusterError(
      'ServiceUnavailable',
      `${address} refuses the credentials: check user name and token`,
      { cause: error },
    );
  if (error instanceof Errors.PushRejectedError || error instanceof Errors.GitPushError)
    return new ClusterError('Conflict', `${address} refuses the push: ${messageOf(error)}`, {
      cause: error,
      retry: true,
    });
  return new ClusterError('ServiceUnavailable', `${address} cannot be reached: ${messageOf(error)}`, {
    cause: error,
  });
};

export const httpTransport = (
  gitDir: string,
  url: string,
  given: Credentials,
  cache: () => object,
): Transport => {
  const { address, credentials } = split(url, given);
  const { username, password, ca } = credentials;
  const authentication = {
    // A token alone goes where GitHub, GitLab and Gitea all take it.
    onAuth: () => (password === undefined ? { cancel: true } : { username: username ?? 'oauth2', password }),
    onAuthFailure: () => ({ cancel: true }),
  };
  const common = (signal: AbortSignal) => ({
    http: httpClient({ ca, signal }),
    url: address,
    ...authentication,
  });
  const disk = { fs: atomicFs, gitdir: gitDir };
  const attempt = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw explained(address, error);
    }
  };
  const lookUp: Transport['lookUp'] = (ref, signal) =>
    attempt(signal, async () => {
      const refs = await git.listServerRefs({ ...common(signal), prefix: ref, protocolVersion: 2 });
      return refs.find((found) => found.ref === ref)?.oid;
    });
  return {
    address,
    lookUp,
    fetch: (ref, signal) =>
      attempt(signal, async () => {
        const { fetchHead } = await git.fetch({
          ...common(signal),
          ...disk,
          cache: cache(),
          remote: 'origin',
          ref: local(ref),
          remoteRef: ref,
          singleBranch: true,
          tags: false,
        });
        if (fetchHead === null) return;
        const tracking = `refs/remotes/origin/${local(ref)}`;
        const before = await readRef(gitDir, tracking);
        if (before !== fetchHead) await moveRef(gitDir, tracking, { expected: before, to: fetchHead });
      }),
    push: ({ oid, branch, expected, force }, signal) =>
      attempt(signal, async () => {
        const remoteRef = `refs/heads/${branch}`;
        const current = await lookUp(remoteRef, signal);
        if (current !== expected)
          throw new ClusterError('Conflict', `${branch} at ${address} moved meanwhile`, { retry: true });
        const outgoing = `refs/capstan/outgoing/${branch}`;
        const before = await readRef(gitDir, outgoing);
        if (before !== oid) await moveRef(gitDir, outgoing, { expected: before, to: oid });
        const result = await git.push({
          ...common(signal),
          ...disk,
          cache: cache(),
          remote: 'origin',
          ref: outgoing,
          remoteRef,
          force,
        });
        if (!result.ok)
          throw new ClusterError('Conflict', `${address} refuses the push: ${result.error ?? ''}`, {
            retry: true,
          });
      }),
  };
};
