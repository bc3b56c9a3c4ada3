// exec and attach over WebSocket: stdin, stdout, stderr, the error and the terminal's size as channels of one connection.
import type { CommandClient, CommandRequest } from './command-client.js';
import { terminalSizes } from './command-client.js';
import { ByteQueue } from './byte-queue.js';
import { channel, closeChannel, formatMessage, readMessage } from './channels.js';
import type { ChannelProtocol } from './channels.js';
import type { Link } from './link.js';

export interface WebSocketClient extends CommandClient {
  /** Hands on what the client sends until it closes. */
  receive(): Promise<void>;
}

export const webSocketClient = (
  link: Link,
  protocol: ChannelProtocol,
  request: CommandRequest,
  signal: AbortSignal,
): WebSocketClient => {
  const stdin = new ByteQueue();
  const resizes = new ByteQueue();
  const wanted = { stdout: request.stdout, stderr: request.stderr };
  const send = (number: number, data: Uint8Array): Promise<void> =>
    link.write(formatMessage(protocol, { channel: number, data }));
  const end = (): void => {
    stdin.end();
    resizes.end();
  };
  return {
    stdin: request.stdin ? stdin : undefined,
    resizes: request.tty ? terminalSizes(resizes) : undefined,
    signal,
    write: async (stream, data) => {
      if (wanted[stream]) await send(channel[stream], data);
    },
    finish: async (status) => {
      end();
      await send(channel.error, Buffer.from(JSON.stringify(status)));
      link.close();
    },
    receive: async () => {
      try {
        // Clients may wait for a first message before they take the connection for established.
        await send(channel.stdout, new Uint8Array());
        for await (const piece of link.incoming) {
          const message = readMessage(protocol, piece);
          if (message === undefined) continue;
          if (message.channel === channel.stdin && request.stdin) await stdin.push(message.data);
          else if (message.channel === channel.resize && request.tty) await resizes.push(message.data);
          else if (
            message.channel === closeChannel &&
            protocol === 'v5.channel.k8s.io' &&
            message.data[0] === channel.stdin
          )
            stdin.end();
        }
      } finally {
        end();
      }
    },
  };
};
