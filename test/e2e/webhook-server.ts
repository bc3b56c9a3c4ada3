// A webhook as its authors write them: an HTTPS server that is asked reviews and answers them.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KeyPair } from '../contract/certificates.js';

export interface Review {
  readonly kind: string;
  readonly request: {
    readonly uid: string;
    readonly operation: string;
    readonly name: string;
    readonly namespace?: string;
    readonly object: Record<string, unknown> | null;
    readonly oldObject: Record<string, unknown> | null;
    readonly userInfo: { readonly username: string };
    readonly dryRun: boolean;
    readonly desiredAPIVersion?: string;
    readonly objects?: readonly Record<string, unknown>[];
  };
}

export type Answer = Record<string, unknown>;

export interface WebhookServer {
  readonly port: number;
  /** Every review that arrived, by path. */
  readonly seen: { readonly path: string; readonly review: Review }[];
  /** What it answers at a path; undefined: it never answers. */
  on(path: string, answer: (review: Review) => Answer | undefined): void;
  url(path: string): string;
  close(): Promise<void>;
}

export const startWebhookServer = async ({ cert, key }: KeyPair): Promise<WebhookServer> => {
  const answers = new Map<string, (review: Review) => Answer | undefined>();
  const seen: { path: string; review: Review }[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Review;
      const path = request.url ?? '';
      seen.push({ path, review });
      const answer = answers.get(path)?.(review);
      if (answer === undefined) return;
      const apiVersion =
        review.kind === 'AdmissionReview' ? 'admission.k8s.io/v1' : 'apiextensions.k8s.io/v1';
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ apiVersion, kind: review.kind, response: { uid: review.request.uid, ...answer } }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    seen,
    on: (path, answer) => answers.set(path, answer),
    url: (path) => `https://127.0.0.1:${String(port)}${path}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** A JSON patch as an answer carries it. */
export const patchAnswer = (operations: readonly object[]): Answer => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
