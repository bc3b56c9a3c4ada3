// port-forward: for each connection that the client has, one to the pod, and a word when that cannot be had.
import type { Duplex } from 'node:stream';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import { drained } from './link.js';

/** Connects over TCP; rejects with a sentence, or with the signal's reason. The caller destroys the connection. */
export type Dial = (
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
) => Promise<Duplex>;

export interface ForwardTarget {
  readonly dial: Dial;
  readonly host: string;
  readonly pod: string;
  readonly uid: string;
  readonly log: Logger;
}

/** The client's end of one connection. */
export interface ForwardClient {
  readonly incoming: AsyncIterable<Uint8Array>;
  /** Aborts when the client gives the connection up. */
  readonly signal: AbortSignal;
  write(data: Uint8Array): Promise<void>;
  /** Nothing more comes from the pod. */
  end(): Promise<void>;
  /** Says why there is no connection. */
  fail(message: string): Promise<void>;
  /** The connection broke: what came is not whole. */
  breakOff(): Promise<void>;
}

const toPod = async (client: ForwardClient, connection: Duplex): Promise<void> => {
  for await (const piece of client.incoming) {
    if (connection.destroyed || connection.writableEnded) return;
    if (!connection.write(piece)) await drained(connection);
  }
  connection.end();
};

const toClient = async (client: ForwardClient, connection: Duplex): Promise<void> => {
  for await (const piece of connection.iterator({ destroyOnReturn: false }))
    await client.write(piece as Uint8Array);
  await client.end();
};

const carry = async (client: ForwardClient, connection: Duplex, log: Logger): Promise<void> => {
  const { signal } = client;
  const cut = (): void => {
    connection.destroy();
  };
  connection.on('error', () => undefined);
  signal.addEventListener('abort', cut, { once: true });
  try {
    if (signal.aborted) return;
    const sending = toPod(client, connection);
    // What the pod does not take any more is no failure while it still answers.
    sending.catch(() => undefined);
    await toClient(client, connection);
    // Who has said all may still listen.
    if (!connection.writableEnded && !connection.destroyed) await sending;
  } catch (error) {
    if (signal.aborted) return;
    log.debug({ error: messageOf(error) }, 'a forwarded connection broke');
    await client.breakOff();
  } finally {
    signal.removeEventListener('abort', cut);
    connection.destroy();
  }
};

/** Resolves when both directions have ended, or either side has given up; rejects only when the client is gone. */
export const forwardPort = async (
  target: ForwardTarget,
  port: number,
  client: ForwardClient,
): Promise<void> => {
  const { dial, host, pod, uid, log } = target;
  let connection: Duplex;
  try {
    connection = await dial({ host, port }, client.signal);
  } catch (error) {
    if (client.signal.aborted) return;
    await client.fail(`error forwarding port ${port} to pod ${pod}, uid ${uid}: ${messageOf(error)}`);
    return;
  }
  await carry(client, connection, log.child({ pod, port }));
};
