// The health check of gRPC (grpc.health.v1.Health/Check) as one request over HTTP/2 without TLS, as the kubelet asks it.
import { connect } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { NetworkProbe, ProbeAnswer } from '../node/prober.js';

type GrpcProbe = NetworkProbe & { readonly grpc: NonNullable<NetworkProbe['grpc']> };

const failed = (message: string): ProbeAnswer => ({ success: false, message });

const statuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const serving = 1;
const unimplemented = '12';
const largestAnswer = 4096;

const varint = (value: number): readonly number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];

/** HealthCheckRequest `{string service = 1}` behind its frame: one byte for compression, four for the length. */
const requestOf = (service: string): Buffer => {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.from([0x0a, ...varint(name.length), ...name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
};

/** Of HealthCheckResponse `{ServingStatus status = 1}`; a member that is absent is zero. */
const statusOf = (body: Buffer): number => (body.length >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0);

const answerOf = (body: Buffer, trailers: IncomingHttpHeaders): ProbeAnswer => {
  const code = String(trailers['grpc-status'] ?? '0');
  if (code === unimplemented)
    return failed('this server does not implement the grpc health protocol (grpc.health.v1.Health)');
  if (code !== '0')
    return failed(`health rpc probe failed with code ${code}: ${String(trailers['grpc-message'] ?? '')}`);
  const status = statusOf(body);
  return status === serving
    ? { success: true, message: '' }
    : failed(`service unhealthy (responded with "${statuses[status] ?? String(status)}")`);
};

export const grpcProbe = (
  { host, port, timeoutMs, grpc }: GrpcProbe,
  signal: AbortSignal,
): Promise<ProbeAnswer> =>
  new Promise((resolve, reject) => {
    const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const session = connect(`http://${target}`);
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      session.destroy();
    };
    const finish = (answer: ProbeAnswer): void => {
      end();
      resolve(answer);
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason as Error);
    };
    const timer = setTimeout(
      () =>
        finish(
          failed(
            `timeout: failed to connect service "${target}" within ${timeoutMs / 1000}s: context deadline exceeded`,
          ),
        ),
      timeoutMs,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    session.on('error', (error: Error) =>
      finish(failed(`failed to connect service "${target}": ${error.message}`)),
    );
    const stream: ClientHttp2Stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.34',
    });
    let trailers: IncomingHttpHeaders = {};
    let body = Buffer.alloc(0);
    // A refusal without a message comes in the headers alone.
    stream.on('response', (headers: IncomingHttpHeaders) => {
      trailers = { ...headers };
    });
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      trailers = { ...trailers, ...headers };
    });
    stream.on('data', (chunk: Buffer) => {
      if (body.length < largestAnswer) body = Buffer.concat([body, chunk]);
    });
    stream.on('error', (error: Error) => finish(failed(`health rpc probe failed: ${error.message}`)));
    stream.on('end', () => finish(answerOf(body, trailers)));
    stream.end(requestOf(grpc.service));
  });
