// What no API server can be faster than: a bare HTTPS server of Node that parses the body, keeps it in a Map, and answers
// when one fdatasync for all that came meanwhile is done. The same requests, certificates and bytes; no Kubernetes.
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ServerOptions } from './child.js';
import { serveChild } from './child.js';

await serveChild(({ dataDir, ca, server }: ServerOptions) => {
  const file = openSync(join(dataDir, 'bare'), 'a');
  const objects = new Map<string, Buffer>();
  const watchers = new Set<ServerResponse>();
  let waiting: { readonly body: Buffer; readonly done: () => void }[] = [];
  let flushing = false;

  const flush = (): void => {
    if (flushing || waiting.length === 0) return;
    flushing = true;
    setImmediate(() => {
      const batch = waiting;
      waiting = [];
      writeSync(file, Buffer.concat(batch.map(({ body }) => body)));
      fdatasync(file, () => {
        flushing = false;
        for (const { done } of batch) done();
        flush();
      });
    });
  };
  const create = (body: Buffer, outgoing: ServerResponse): void => {
    const { metadata } = JSON.parse(body.toString()) as { metadata: { name: string } };
    waiting.push({
      body,
      done: () => {
        objects.set(metadata.name, body);
        const line = Buffer.concat([Buffer.from('{"type":"ADDED","object":'), body, Buffer.from('}\n')]);
        for (const watcher of watchers) watcher.write(line);
        outgoing.writeHead(201, { 'content-type': 'application/json', 'content-length': body.length });
        outgoing.end(body);
      },
    });
    flush();
  };
  const read = (path: string, outgoing: ServerResponse): void => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const body =
      name === 'pods' ? Buffer.concat([...objects.values()]) : (objects.get(name) ?? Buffer.from('{}'));
    outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    outgoing.end(body);
  };
  const listening = createServer(
    {
      key: server.key,
      cert: server.certificate,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
      noDelay: true,
    },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const url = incoming.url ?? '';
      if (incoming.method === 'GET') {
        if (!url.includes('watch')) {
          read(url, outgoing);
          return;
        }
        watchers.add(outgoing);
        outgoing.on('close', () => watchers.delete(outgoing));
        outgoing.writeHead(200, { 'content-type': 'application/json' });
        outgoing.flushHeaders();
        return;
      }
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => create(Buffer.concat(chunks), outgoing));
    },
  );
  return new Promise((resolve) => {
    listening.listen(0, '127.0.0.1', () =>
      resolve({
        port: (listening.address() as AddressInfo).port,
        close: () => {
          listening.closeAllConnections();
          listening.close();
          closeSync(file);
          return Promise.resolve();
        },
      }),
    );
  });
});
