// A registry of a test's own: one image, HTTP on loopback, a password where one is wanted.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeTar } from '../../src/host/docker/tar.js';
import type { TarEntry } from '../../src/host/docker/tar.js';

export interface TinyRegistry {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** `sha256:…` of the image's manifest. */
  readonly digest: string;
  /** Names and passwords that were sent, in order; '' for a request without. */
  readonly seen: readonly string[];
  close(): Promise<void>;
}

const digestOf = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** `login` as `user:password`; absent, everybody may pull. */
export const startRegistry = async (
  entries: readonly TarEntry[],
  login: string | undefined,
): Promise<TinyRegistry> => {
  const layer = writeTar(entries);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: ['/bin/sleep', '1000000'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: config.byteLength,
        digest: digestOf(config),
      },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
          size: layer.byteLength,
          digest: digestOf(layer),
        },
      ],
    }),
  );
  const seen: string[] = [];
  const blobs = new Map([config, layer].map((blob) => [digestOf(blob), blob]));
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    const sent = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString('utf8');
    seen.push(sent);
    if (login !== undefined && sent !== login) {
      response.writeHead(401, {
        'www-authenticate': 'Basic realm="tiny"',
        'content-type': 'application/json',
      });
      response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'a password is needed' }] }));
      return;
    }
    const path = request.url ?? '';
    const blob = blobs.get(/\/blobs\/(.+)$/.exec(path)?.[1] ?? '');
    const body = blob ?? (/\/manifests\//.test(path) ? manifest : Buffer.from('{}'));
    response.writeHead(200, {
      'content-type': blob === undefined && body === manifest ? manifestType : 'application/octet-stream',
      'content-length': body.byteLength,
      'docker-content-digest': digestOf(body),
      'docker-distribution-api-version': 'registry/2.0',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    digest: digestOf(manifest),
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
