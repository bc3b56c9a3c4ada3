// The load, in a process of its own.
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { serveQuestions } from './child.js';
import { podManifest } from './pod.js';
import { Connection, openSocket, request } from './wire.js';
import type { Endpoint } from './wire.js';

const collection = '/api/v1/namespaces/bench/pods';

export type Question = { readonly endpoint: Endpoint } & (
  | { readonly type: 'creates'; readonly clients: number; readonly count: number; readonly prefix: string }
  | { readonly type: 'gets' | 'http2-gets'; readonly name: string; readonly count: number }
  | { readonly type: 'lists'; readonly count: number }
  | { readonly type: 'flood'; readonly clients: number; readonly forMs: number }
  | {
      readonly type: 'watches';
      readonly watchers: number;
      readonly events: number;
      readonly prefix: string;
      readonly pauseMs: number;
    }
);

export interface Times {
  /** Sorted, in milliseconds. */
  readonly times: readonly number[];
  readonly perSecond: number;
  readonly bytes: number;
}

const sorted = (times: readonly number[]): number[] => [...times].sort((a, b) => a - b);

const checked = (status: number, expected: number): void => {
  if (status !== expected) throw new Error(`the server answered ${String(status)}, not ${String(expected)}`);
};

const creates = async ({
  endpoint,
  clients,
  count,
  prefix,
}: Extract<Question, { type: 'creates' }>): Promise<Times> => {
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(endpoint)));
  const times: number[] = [];
  let next = 0;
  const bodies = Array.from({ length: count }, (_, n) =>
    request('POST', collection, podManifest(`${prefix}-${String(n)}`)),
  );
  const start = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
        const began = performance.now();
        checked((await connection.ask(body)).status, 201);
        times.push(performance.now() - began);
      }
    }),
  );
  const took = performance.now() - start;
  for (const connection of connections) connection.close();
  return { times: sorted(times), perSecond: (count * 1000) / took, bytes: 0 };
};

export interface Flooded {
  readonly answered: number;
  /** Told to come back later. */
  readonly refused: number;
  /** Milliseconds that half of the creates took at most. */
  readonly p50: number;
}

/** As fast as the server lets it: nobody waits before asking again. */
const flood = async ({
  endpoint,
  clients,
  forMs,
}: Extract<Question, { type: 'flood' }>): Promise<Flooded> => {
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(endpoint)));
  const end = performance.now() + forMs;
  let refused = 0;
  const times: number[] = [];
  await Promise.all(
    connections.map(async (connection, client) => {
      for (let n = 0; performance.now() < end; n += 1) {
        const body = podManifest(`flood-${String(client)}-${String(n)}`);
        const began = performance.now();
        const { status } = await connection.ask(request('POST', collection, body));
        if (status === 429) refused += 1;
        else {
          checked(status, 201);
          times.push(performance.now() - began);
        }
      }
    }),
  );
  for (const connection of connections) connection.close();
  return { answered: times.length, refused, p50: sorted(times)[times.length >> 1] ?? 0 };
};

const repeated = async (endpoint: Endpoint, path: string, count: number): Promise<Times> => {
  const connection = await Connection.open(endpoint);
  const asked = request('GET', path);
  const times: number[] = [];
  let size = 0;
  const start = performance.now();
  for (let n = 0; n < count; n += 1) {
    const began = performance.now();
    const { status, bytes } = await connection.ask(asked);
    times.push(performance.now() - began);
    checked(status, 200);
    size = bytes;
  }
  const took = performance.now() - start;
  connection.close();
  return { times: sorted(times), perSecond: (count * 1000) / took, bytes: size };
};

const http2Get = (session: ClientHttp2Session, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, 'user-agent': 'capstan-bench' });
    let status = 0;
    stream.once('response', (headers) => {
      status = Number(headers[':status']);
    });
    stream.once('error', reject);
    stream.once('end', () => resolve(status));
    stream.resume();
  });

const http2Gets = async (endpoint: Endpoint, path: string, count: number): Promise<Times> => {
  const session = connectHttp2(`https://127.0.0.1:${String(endpoint.port)}`, {
    ca: endpoint.ca,
    cert: endpoint.cert,
    key: endpoint.key,
    checkServerIdentity: () => undefined,
  });
  const times: number[] = [];
  const start = performance.now();
  for (let n = 0; n < count; n += 1) {
    const began = performance.now();
    checked(await http2Get(session, path), 200);
    times.push(performance.now() - began);
  }
  const took = performance.now() - start;
  session.destroy();
  return { times: sorted(times), perSecond: (count * 1000) / took, bytes: 0 };
};

/** Milliseconds from each create's request to its event, over all watchers. */
const watches = async (question: Extract<Question, { type: 'watches' }>): Promise<Times> => {
  const { endpoint, watchers, events, prefix, pauseMs } = question;
  const sent = new Map<string, number>();
  const times: number[] = [];
  const mark = new RegExp(`"name":"(${prefix}-\\d+)"`, 'g');
  let arrived: (() => void) | undefined;
  const listen = async (): Promise<TLSSocket> => {
    const socket = await openSocket(endpoint);
    await new Promise<void>((resolve) => {
      let started = false;
      let rest = '';
      socket.on('data', (chunk: Buffer) => {
        const now = performance.now();
        if (!started) {
          started = true;
          resolve();
        }
        const text = rest + chunk.toString('latin1');
        const seen = new Set<string>();
        let last = 0;
        for (const match of text.matchAll(mark)) {
          last = match.index + match[0].length;
          const name = match[1] ?? '';
          const began = sent.get(name);
          if (began === undefined || seen.has(name)) continue;
          seen.add(name);
          times.push(now - began);
        }
        rest = text.slice(Math.max(last, text.length - 64));
        if (times.length >= watchers * events) arrived?.();
      });
      socket.write(
        request(
          'GET',
          `${collection}?watch=true&resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`,
        ),
      );
    });
    return socket;
  };
  const sockets = await Promise.all(Array.from({ length: watchers }, listen));
  const writer = await Connection.open(endpoint);
  const all = new Promise<void>((resolve, reject) => {
    arrived = resolve;
    setTimeout(() => reject(new Error(`only ${String(times.length)} events arrived`)), 60_000).unref();
  });
  for (let n = 0; n < events; n += 1) {
    const name = `${prefix}-${String(n)}`;
    const body = request('POST', collection, podManifest(name));
    sent.set(name, performance.now());
    checked((await writer.ask(body)).status, 201);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  await all;
  for (const socket of sockets) socket.destroy();
  writer.close();
  return { times: sorted(times), perSecond: 0, bytes: 0 };
};

serveQuestions((question: Question): Promise<Times | Flooded> => {
  switch (question.type) {
    case 'creates':
      return creates(question);
    case 'gets':
      return repeated(question.endpoint, `${collection}/${question.name}`, question.count);
    case 'http2-gets':
      return http2Gets(question.endpoint, `${collection}/${question.name}`, question.count);
    case 'lists':
      return repeated(question.endpoint, collection, question.count);
    case 'watches':
      return watches(question);
    case 'flood':
      return flood(question);
  }
});
