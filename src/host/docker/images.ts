// Images: present, pulled by policy, or refused in words that name the image and what the engine said.
import { Readable } from 'node:stream';
import { ClusterError, hasCode, messageOf } from '../../base/errors.js';
import type { PulledImage, PullRequest, RegistryCredentials } from '../../node/runtime.js';
import { call, engineMessage } from './engine.js';
import type { Engine } from './engine.js';
import { architectureOf, pauseArchive, pauseImage } from './pause-image.js';

const present = async (
  engine: Engine,
  image: string,
  signal: AbortSignal,
): Promise<PulledImage | undefined> => {
  try {
    const found = await call(engine, signal, () =>
      engine.docker.getImage(image).inspect({ abortSignal: signal } as object),
    );
    return { imageId: found.Id, pulled: false, sizeBytes: found.Size, user: found.Config.User };
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
};

/** The engine adds `latest` only when the tag is named: without one it would fetch every tag. */
const withTag = (image: string): string => {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? image : `${image}:latest`;
};

/** Ends when the engine has; an error comes as a line of its progress. */
const followPull = async (stream: AsyncIterable<unknown>): Promise<void> => {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      const { error } = JSON.parse(line) as { readonly error?: string };
      if (error !== undefined) throw new Error(error);
    }
  }
};

const authOf = ({ username, password, identityToken, server }: RegistryCredentials): object => ({
  username: username ?? '',
  password: password ?? '',
  serveraddress: server,
  ...(identityToken === undefined ? {} : { identitytoken: identityToken }),
});

interface Fetch {
  readonly image: string;
  readonly credentials: RegistryCredentials | undefined;
}

const fetchOnce = async (
  engine: Engine,
  { image, credentials }: Fetch,
  signal: AbortSignal,
): Promise<void> => {
  try {
    const stream = await engine.docker.pull(withTag(image), {
      ...(credentials === undefined ? {} : { authconfig: authOf(credentials) }),
      abortSignal: signal,
    });
    await followPull(stream as AsyncIterable<unknown>);
  } catch (error) {
    signal.throwIfAborted();
    const { statusCode, code } = error as { readonly statusCode?: number; readonly code?: string };
    // The engine itself is away: that is not the image's fault.
    if (statusCode === undefined && code !== undefined) throw error;
    throw new ClusterError('NotFound', `failed to pull image "${image}": ${engineMessage(error)}`, {
      cause: error,
      retry: true,
    });
  }
};

/** With each of the credentials in turn; what the first attempt was refused for is what is told. */
const fetchImage = async (
  engine: Engine,
  { image, credentials = [] }: PullRequest,
  signal: AbortSignal,
): Promise<void> => {
  const attempts = credentials.length === 0 ? [undefined] : credentials;
  let refusal: unknown;
  for (const attempt of attempts) {
    try {
      await fetchOnce(engine, { image, credentials: attempt }, signal);
      return;
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
};

export const pullImage = async (
  engine: Engine,
  request: PullRequest,
  signal: AbortSignal,
): Promise<PulledImage> => {
  const { image, policy } = request;
  if (policy !== 'Always') {
    const found = await present(engine, image, signal);
    if (found !== undefined) return found;
    if (policy === 'Never')
      throw new ClusterError(
        'NotFound',
        `Container image "${image}" is not present with pull policy of Never`,
        { retry: false },
      );
  }
  await call(engine, signal, () => fetchImage(engine, request, signal));
  const fetched = await present(engine, image, signal);
  if (fetched === undefined)
    throw new ClusterError('NotFound', `failed to pull image "${image}": the engine does not have it now`);
  return { ...fetched, pulled: true };
};

/** Loads the image of sandboxes when the engine does not have it. */
export const ensurePauseImage = async (engine: Engine, signal: AbortSignal): Promise<void> => {
  if ((await present(engine, pauseImage, signal)) !== undefined) return;
  const { Arch: architecture } = await call(engine, signal, () => engine.docker.version());
  const archive = pauseArchive(architectureOf(architecture));
  const output = await call(engine, signal, () =>
    engine.docker.loadImage(Readable.from([archive]), { quiet: '1' }),
  );
  try {
    await followPull(output as AsyncIterable<unknown>);
  } catch (error) {
    throw new ClusterError(
      'Invalid',
      `the engine at ${engine.host} refuses the image of sandboxes ${pauseImage}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  engine.log.info({ image: pauseImage, architecture }, 'loaded the image of sandboxes');
};
