// Load on a service, and servers that end as good ones do: what a client sees of a rollout, counted by kind of failure.
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from './command.js';
import type { LabCluster } from './lab.js';

/** Of one generator; what is no answer is counted by what the client saw. */
export interface Counts {
  readonly answered: number;
  readonly refused: number;
  readonly reset: number;
  readonly timedOut: number;
  readonly other: number;
}

/** `keep-alive`: few connections that live long; `new`: a connection for each request. */
export type Connections = 'keep-alive' | 'new';

/**
 * Sixteen requests at a time until its input ends. A server that says `Connection: close` is believed; nothing is tried
 * twice.
 */
const generator = `
const [address, port, mode] = process.argv.slice(1);
const http = require('http');
const keepAlive = mode === 'keep-alive';
const agent = new http.Agent({ keepAlive, maxSockets: 16 });
const counts = { answered: 0, refused: 0, reset: 0, timedOut: 0, other: 0 };
const kinds = { ECONNREFUSED: 'refused', ECONNRESET: 'reset', EPIPE: 'reset', ETIMEDOUT: 'timedOut' };
let ending = false;
process.stdin.resume().on('end', () => { ending = true; });
const one = () => new Promise((resolve) => {
  const done = (kind) => { counts[kind] += 1; resolve(); };
  const request = http.get({ host: address, port: Number(port), agent, timeout: 5000 }, (response) => {
    let failed = false;
    response.on('error', () => { failed = true; done('reset'); });
    response.on('end', () => { if (!failed) done(response.statusCode === 200 ? 'answered' : 'other'); });
    response.resume();
  });
  request.on('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
  request.on('error', (error) => done(kinds[error.code] ?? 'other'));
});
const worker = async () => { while (!ending) { await one(); await new Promise((next) => setTimeout(next, keepAlive ? 4 : 16)); } };
setInterval(() => process.stderr.write(JSON.stringify(counts) + '\\n'), 500).unref();
Promise.all(Array.from({ length: 16 }, worker)).then(() => { console.log(JSON.stringify(counts)); process.exit(0); });`;

export interface Load {
  /** So far. */
  counts(): Counts;
  stop(): Promise<Counts>;
}

const none: Counts = { answered: 0, refused: 0, reset: 0, timedOut: 0, other: 0 };

/** The last whole line that is JSON. */
const lastOf = (text: string): Counts | undefined => {
  const line = text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1) ?? '';
  return line.startsWith('{') ? (JSON.parse(line) as Counts) : undefined;
};

/** Load from a machine of the lab. */
export const startLoad = (
  lab: LabCluster,
  host: number,
  { address, port, connections }: { address: string; port: number; connections: Connections },
): Load => {
  const child = spawn(
    join(checkout, 'scripts/lab'),
    ['exec', `h${host}`, process.execPath, '-e', generator, '--', address, `${port}`, connections],
    { env: { ...process.env, ...lab.environment }, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let output = '';
  let latest = none;
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    latest = lastOf(chunk.toString()) ?? latest;
  });
  const ended = new Promise<Counts>((resolve, reject) => {
    child.once('close', () => {
      const counts = lastOf(output);
      if (counts === undefined) reject(new Error(`the load generator on h${host} ended without its counts`));
      else resolve(counts);
    });
  });
  ended.catch(() => undefined);
  return {
    counts: () => latest,
    stop: () => {
      child.stdin.end();
      return ended;
    },
  };
};

export const sum = (all: readonly Counts[]): Counts =>
  all.reduce(
    (total, counts) => ({
      answered: total.answered + counts.answered,
      refused: total.refused + counts.refused,
      reset: total.reset + counts.reset,
      timedOut: total.timedOut + counts.timedOut,
      other: total.other + counts.other,
    }),
    none,
  );

export const dropped = ({ refused, reset, timedOut, other }: Counts): number =>
  refused + reset + timedOut + other;

/**
 * A server that ends well: on SIGTERM it takes no new connection, answers what its open ones still ask, and closes each
 * with that answer. It waits for nobody: its manifest has no preStop hook.
 */
const server = `
const http = require('http');
let ending = false;
const answers = http.createServer({ keepAliveTimeout: 0 }, (request, response) => {
  if (ending) response.setHeader('connection', 'close');
  response.end(process.env.HOSTNAME + '\\n');
});
const listener = require('net').createServer((socket) => answers.emit('connection', socket));
listener.listen({ port: 8080, host: '0.0.0.0', backlog: 1000 });
process.on('SIGTERM', () => { ending = true; listener.close(() => process.exit(0)); });`;

const hostFolders = ['/usr', '/lib', '/lib64'];

/** Runs the machine's own Node in the example's image: there is no registry to take another from. */
export const gracefulServer = (name: string, replicas: number, version: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 20,
        volumes: hostFolders.map((path) => ({ name: path.slice(1), hostPath: { path } })),
        containers: [
          {
            name: 'web',
            image: 'capstan-example/web:1',
            command: [realpathSync(process.execPath), '--max-old-space-size=24', '-e', server],
            env: [{ name: 'VERSION', value: version }],
            readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            volumeMounts: hostFolders.map((path) => ({
              name: path.slice(1),
              mountPath: path,
              readOnly: true,
            })),
          },
        ],
      },
    },
  },
});
