// How Git's hooks ask the daemon: a socket in the data directory, one line of JSON each way. Whoever may write the
// repository may open it; nobody else.
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { ClusterError, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { PushAnswer, PushGate, PushRequest } from '../../gitops/push-gate.js';

const longest = 1024 * 1024;
/** A daemon that says nothing for so long is stuck, and the push is told so. */
const patienceMs = 60_000;

const readLine = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end !== -1) resolve(text.slice(0, end));
      else if (text.length > longest)
        reject(new ClusterError('RequestEntityTooLarge', 'the push is too long'));
    });
    socket.once('error', reject);
    socket.once('end', () => reject(new ClusterError('ServiceUnavailable', 'the connection ended early')));
  });

const serve = async (socket: Socket, gate: PushGate, signal: AbortSignal): Promise<void> => {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new DOMException('the pusher has gone', 'AbortError')));
  const request = JSON.parse(await readLine(socket)) as PushRequest;
  let answer: PushAnswer;
  try {
    answer = await gate(request, AbortSignal.any([signal, gone.signal]));
  } catch (error) {
    // A push must not pass unseen because looking at it failed.
    answer = { accepted: false, lines: [`Refused: the push cannot be checked: ${messageOf(error)}`] };
  }
  socket.end(`${JSON.stringify(answer)}\n`);
};

/** Answers hooks until the signal aborts. */
export const serveHooks = async (
  path: string,
  gate: PushGate,
  options: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> => {
  const { log, signal } = options;
  await rm(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket, gate, signal).catch((error: unknown) => {
      log.debug({ error: messageOf(error) }, 'a hook went away');
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      for (const socket of open) socket.destroy();
      server.close(() => {
        resolve();
      });
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  await rm(path, { force: true });
};

/** Undefined when no daemon listens. */
export const askDaemon = (path: string, request: PushRequest): Promise<PushAnswer | undefined> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(patienceMs, () => {
      socket.destroy(new ClusterError('Timeout', 'Capstan does not answer: look at its log, and push again'));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // EACCES: somebody else's daemon; the push is still checked, by the hook itself.
      if (['ENOENT', 'ECONNREFUSED', 'EACCES'].includes(error.code ?? '')) resolve(undefined);
      else reject(error);
    });
    socket.once('connect', () => {
      readLine(socket).then(
        (line) => {
          socket.destroy();
          resolve(JSON.parse(line) as PushAnswer);
        },
        (error: unknown) => {
          reject(error);
        },
      );
      socket.write(`${JSON.stringify(request)}\n`);
    });
  });
