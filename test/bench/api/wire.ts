// The smallest HTTP/1.1 client that there can be over one kept TLS connection: a load generator must cost less than what it
// measures.
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';

export interface Endpoint {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Answer {
  readonly status: number;
  readonly bytes: number;
}

const headEnd = Buffer.from('\r\n\r\n');

interface Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** One request at a time, with a content-length in every answer. */
export class Connection {
  readonly #socket: TLSSocket;
  #pending: Pending | undefined;
  #head: Buffer | undefined;
  #status = 0;
  #length = 0;
  #received = 0;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error: Error) => this.#pending?.reject(error));
    socket.on('close', () => this.#pending?.reject(new Error('the connection was closed')));
  }

  static async open(endpoint: Endpoint): Promise<Connection> {
    return new Connection(await openSocket(endpoint));
  }

  ask(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#pending = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let body = chunk;
    if (this.#length === 0) {
      const all = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
      const end = all.indexOf(headEnd);
      if (end < 0) {
        this.#head = all;
        return;
      }
      const text = all.toString('latin1', 0, end);
      this.#status = Number(text.slice(9, 12));
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      if (length === undefined) {
        this.#pending?.reject(new Error(`an answer without a length: ${text}`));
        return;
      }
      this.#head = undefined;
      this.#length = Number(length);
      this.#received = 0;
      body = all.subarray(end + headEnd.length);
    }
    this.#received += body.length;
    if (this.#received < this.#length) return;
    const answer = { status: this.#status, bytes: this.#received };
    this.#length = 0;
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(answer);
  }
}

export const openSocket = ({ port, ca, cert, key }: Endpoint): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port,
        ca,
        cert,
        key,
        ALPNProtocols: ['http/1.1'],
        checkServerIdentity: () => undefined,
      },
      () => {
        socket.off('error', reject);
        resolve(socket);
      },
    );
    socket.setNoDelay(true);
    socket.once('error', reject);
  });

export const request = (method: string, path: string, body?: string): Buffer =>
  Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: capstan-bench\r\naccept: application/json\r\n${
      body === undefined
        ? ''
        : `content-type: application/json\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n`
    }\r\n${body ?? ''}`,
  );
