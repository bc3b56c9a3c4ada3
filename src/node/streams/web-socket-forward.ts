// port-forward over WebSocket channels: for the nth of the ports, channel 2n carries data and 2n+1 an error.
import { ByteQueue } from './byte-queue.js';
import { formatMessage, readMessage } from './channels.js';
import type { ChannelProtocol } from './channels.js';
import type { Link } from './link.js';
import { forwardPort } from './port-forward.js';
import type { ForwardTarget } from './port-forward.js';

export interface WebSocketForward {
  readonly link: Link;
  readonly protocol: ChannelProtocol;
  readonly ports: readonly number[];
  readonly target: ForwardTarget;
}

/** Serves until the client goes, the signal aborts, or every connection to the pod has ended. */
export const forwardOverWebSocket = async (
  { link, protocol, ports, target }: WebSocketForward,
  signal: AbortSignal,
): Promise<void> => {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const queues = ports.map(() => new ByteQueue());
  const end = (): void => {
    for (const queue of queues) queue.drop();
    ended.abort(new Error('the client went away'));
  };
  signal.addEventListener('abort', end, { once: true });
  const forward = async (port: number, index: number, queue: ByteQueue): Promise<void> => {
    const send = (channel: number, data: Uint8Array): Promise<void> =>
      link.write(formatMessage(protocol, { channel, data }));
    // Both channels begin with the port, in little-endian order.
    const first = Uint8Array.of(port & 0xff, port >>> 8);
    await send(index * 2, first);
    await send(index * 2 + 1, first);
    await forwardPort(target, port, {
      incoming: queue,
      signal: either,
      write: (data) => send(index * 2, data),
      // These channels know no half of an end: with the pod's all is over.
      end: () => {
        queue.drop();
        return Promise.resolve();
      },
      fail: (message) => send(index * 2 + 1, Buffer.from(message)),
      breakOff: () => send(index * 2 + 1, Buffer.from(`the connection to port ${port} of the pod broke`)),
    });
    queue.drop();
  };
  const forwards = Promise.allSettled(queues.map((queue, index) => forward(ports[index] ?? 0, index, queue)));
  void forwards.then(() => link.close());
  try {
    for await (const piece of link.incoming) {
      const message = readMessage(protocol, piece);
      // Errors go one way only.
      if (message?.channel !== undefined && message.channel % 2 === 0)
        await queues[message.channel / 2]?.push(message.data);
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
    await forwards;
  }
};
