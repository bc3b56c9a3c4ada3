// One JSON document over HTTPS, of a server that is not of the cluster.
import { Agent, get } from 'node:https';

const timeoutMs = 10_000;
const largest = 1024 * 1024;

/** `ca`: PEM of the authority that signed the server, instead of those that the system trusts. */
export const jsonFetcher = (ca: string | undefined): ((url: string) => Promise<unknown>) => {
  const agent = new Agent({ keepAlive: false, ...(ca === undefined ? {} : { ca }) });
  return (url) =>
    new Promise((resolve, reject) => {
      const request = get(
        url,
        { agent, headers: { accept: 'application/json' }, timeout: timeoutMs },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > largest) request.destroy(new Error(`${url} is too large`));
            else chunks.push(chunk);
          });
          response.on('error', reject);
          response.on('end', () => {
            if (response.statusCode !== 200)
              reject(new Error(`${url} answered ${String(response.statusCode)}`));
            else
              try {
                resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
              } catch {
                reject(new Error(`${url} is not JSON`));
              }
          });
        },
      );
      request.once('timeout', () =>
        request.destroy(new Error(`${url} did not answer within ${timeoutMs / 1000} s`)),
      );
      request.once('error', reject);
    });
};
