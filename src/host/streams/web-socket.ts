// The server's side of WebSocket connections, for whoever takes an upgrade over.
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { ClusterError } from '../../base/errors.js';
import type { HttpRequest } from '../../base/http.js';
import type { Link } from '../../node/streams/link.js';
import type { AcceptWebSocket, WebSocketAnswer } from '../../node/streams/stream-server.js';

/** Bytes that may wait in either direction before the sender has to. */
const enough = 256 * 1024;
const largestMessage = 4 * 1024 * 1024;
/** Shows both ends that the other is there, even while nobody reads. */
const heartbeatMs = 15_000;
/** For the client to answer the end of the connection. */
const closeMs = 5_000;

const normalClosure = 1000;

const gone = (): Error => new Error('the connection is closed');

class WebSocketLink implements Link {
  readonly #socket: WebSocket;
  readonly #text: boolean;
  readonly #messages: Buffer[] = [];
  readonly #news = new EventEmitter();
  #size = 0;
  #closed = false;
  #cut: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, text: boolean) {
    this.#socket = socket;
    this.#text = text;
    // A pong that nobody asked for is allowed, and moves the deadline of a client whose pings wait to be read.
    const heartbeat = setInterval(() => {
      if (socket.readyState === socket.OPEN) socket.pong();
    }, heartbeatMs);
    socket.on('message', (data: RawData) => this.#receive(data as Buffer));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearInterval(heartbeat);
      clearTimeout(this.#cut);
      this.#closed = true;
      this.#news.emit('news');
    });
  }

  get incoming(): AsyncIterable<Uint8Array> {
    return this.#read();
  }

  async write(data: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) throw gone();
    await new Promise<void>((resolve, reject) => {
      socket.send(data, { binary: !this.#text }, (error) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
      if (socket.bufferedAmount < enough) resolve();
    });
  }

  close(): void {
    if (this.#closed || this.#cut !== undefined) return;
    this.#cut = setTimeout(() => this.#socket.terminate(), closeMs);
    this.#discard();
    this.#socket.close(normalClosure);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #receive(data: Buffer): void {
    if (this.#cut !== undefined) return;
    this.#messages.push(data);
    this.#size += data.length;
    if (this.#size >= enough) this.#socket.pause();
    this.#news.emit('news');
  }

  /** The client's answer to the end is behind what it has sent before. */
  #discard(): void {
    this.#messages.length = 0;
    this.#size = 0;
    this.#socket.resume();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) {
        this.#size -= message.length;
        if (this.#size < enough && this.#socket.isPaused) this.#socket.resume();
        yield message;
      } else if (this.#closed) return;
      else await once(this.#news, 'news');
    }
  }
}

const keyShape = /^[+/0-9A-Za-z]{22}==$/;

const checkHandshake = ({ method, headers }: HttpRequest): void => {
  if (method !== 'GET') throw new ClusterError('BadRequest', 'a WebSocket begins with a GET');
  if (!keyShape.test(headers['sec-websocket-key'] ?? ''))
    throw new ClusterError('BadRequest', 'the header Sec-WebSocket-Key is missing or malformed');
  if (headers['sec-websocket-version'] !== '13')
    throw new ClusterError('BadRequest', 'only version 13 of WebSocket is served');
};

export const createWebSocketAcceptor = (): AcceptWebSocket => {
  const answers = new WeakMap<object, WebSocketAnswer>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: largestMessage,
  });
  server.on('headers', (lines: string[], request: IncomingMessage) => {
    const answer = answers.get(request);
    if (answer !== undefined) lines.push(`Sec-WebSocket-Protocol: ${answer.protocol}`);
  });
  return ({ request, socket, head }, answer) => {
    checkHandshake(request);
    // A subprotocol with a slash in its name is no token, and would be refused: it is chosen by the caller anyway.
    const headers = { ...request.headers, 'sec-websocket-protocol': undefined };
    const handshake = { method: request.method, headers } as unknown as IncomingMessage;
    answers.set(handshake, answer);
    return new Promise<Link>((resolve, reject) => {
      const failed = (): void => reject(gone());
      socket.once('close', failed);
      server.handleUpgrade(handshake, socket, Buffer.from(head), (webSocket) => {
        socket.off('close', failed);
        resolve(new WebSocketLink(webSocket, answer.text));
      });
    });
  };
};
