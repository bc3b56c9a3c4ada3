// The channel protocols of Kubernetes over WebSocket: the first byte of a message names the channel, the rest is data.

export const execProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const;
export const forwardProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const;

export type ChannelProtocol = (typeof execProtocols)[number];

/** Channels of a command. */
export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** In v5: the byte behind it names a channel on which the client sends no more. */
export const closeChannel = 255;

export interface ChannelMessage {
  readonly channel: number;
  readonly data: Uint8Array;
}

/** Messages of these protocols are text: a digit, then base64. */
export const isText = (protocol: ChannelProtocol): boolean => protocol === 'v4.base64.channel.k8s.io';

const digitZero = 0x30;

/** Undefined for a message without a channel. */
export const readMessage = (protocol: ChannelProtocol, message: Uint8Array): ChannelMessage | undefined => {
  const [first] = message;
  if (first === undefined) return undefined;
  const rest = message.subarray(1);
  if (!isText(protocol)) return { channel: first, data: rest };
  if (first < digitZero || first > digitZero + 9) return undefined;
  return { channel: first - digitZero, data: Buffer.from(Buffer.from(rest).toString('latin1'), 'base64') };
};

export const formatMessage = (
  protocol: ChannelProtocol,
  { channel: number, data }: ChannelMessage,
): Uint8Array => {
  if (isText(protocol)) return Buffer.from(`${number}${Buffer.from(data).toString('base64')}`, 'latin1');
  const message = Buffer.allocUnsafe(data.length + 1);
  message.writeUInt8(number, 0);
  message.set(data, 1);
  return message;
};

/** The first of the client's wishes that is served. */
export const chosen = <Protocol extends string>(
  wishes: readonly string[],
  served: readonly Protocol[],
): Protocol | undefined => {
  for (const wish of wishes) {
    const found = served.find((protocol) => protocol === wish);
    if (found !== undefined) return found;
  }
  return undefined;
};
