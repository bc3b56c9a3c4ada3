import { describe, expect, it } from 'vitest';
import { chosen, formatMessage, readMessage } from '../../../../src/node/streams/channels.js';
import { commandRequest, terminalSizes } from '../../../../src/node/streams/command-client.js';
import { ByteQueue } from '../../../../src/node/streams/byte-queue.js';
import { createRandom, seeds } from '../../../contract/random.js';

describe('messages of a channel', () => {
  it.each(seeds([1]))('come back as they were sent, in every protocol, seed %i', (seed) => {
    const { integer } = createRandom(seed);
    for (let round = 0; round < 300; round += 1) {
      const data = Buffer.from(Array.from({ length: integer(200) }, () => integer(256)));
      const channel = integer(5);
      for (const protocol of [
        'v5.channel.k8s.io',
        'v4.channel.k8s.io',
        'v4.base64.channel.k8s.io',
      ] as const) {
        const message = readMessage(protocol, formatMessage(protocol, { channel, data }));
        expect(message?.channel).toBe(channel);
        expect(Buffer.from(message?.data ?? [])).toEqual(data);
      }
    }
  });

  it('are bytes, or text where the protocol says so', () => {
    expect([...formatMessage('v5.channel.k8s.io', { channel: 1, data: Buffer.from('hi') })]).toEqual([
      1, 104, 105,
    ]);
    const text = formatMessage('v4.base64.channel.k8s.io', { channel: 2, data: Buffer.from('hi') });
    expect(Buffer.from(text).toString()).toBe('2aGk=');
  });

  it('without a channel say nothing', () => {
    expect(readMessage('v5.channel.k8s.io', new Uint8Array())).toBeUndefined();
    expect(readMessage('v4.base64.channel.k8s.io', Buffer.from('xaGk='))).toBeUndefined();
  });
});

describe('the protocol', () => {
  it("is the client's first wish that is served", () => {
    expect(chosen(['v9', 'v4', 'v5'], ['v5', 'v4'])).toBe('v4');
    expect(chosen(['v9'], ['v5', 'v4'])).toBeUndefined();
  });
});

describe('the request of a command', () => {
  it('is read from the query; a terminal has no second output', () => {
    const query = new URLSearchParams(
      'command=sh&command=-c&command=a%20b&stdin=true&stdout=1&stderr=true&tty=true',
    );
    expect(commandRequest(query)).toEqual({
      command: ['sh', '-c', 'a b'],
      tty: true,
      stdin: true,
      stdout: true,
      stderr: false,
    });
    expect(commandRequest(new URLSearchParams('stderr=true&stdin=false'))).toMatchObject({
      stdin: false,
      stdout: false,
      stderr: true,
    });
  });
});

describe("a terminal's sizes", () => {
  it('are read wherever the pieces are cut, and what is no size is left out', async () => {
    const text =
      '{"Width":80,"Height":24}\n{"Width":0,"Height":1}{"Width":"1","Height":1}[]}{"Height":50,"Width":200}';
    const queue = new ByteQueue();
    for (const character of text) void queue.push(Buffer.from(character));
    queue.end();
    const sizes: unknown[] = [];
    for await (const size of terminalSizes(queue)) sizes.push(size);
    expect(sizes).toEqual([
      { width: 80, height: 24 },
      { width: 200, height: 50 },
    ]);
  });
});

describe('a queue of bytes', () => {
  it('holds its writer up when it is full, and lets it go on when it is read, ended or dropped', async () => {
    const state = async (promise: Promise<void>): Promise<string> =>
      Promise.race([promise.then(() => 'room'), new Promise<string>((r) => setImmediate(() => r('full')))]);
    const queue = new ByteQueue();
    expect(await state(queue.push(Buffer.alloc(200_000)))).toBe('room');
    const held = queue.push(Buffer.alloc(200_000));
    expect(await state(held)).toBe('full');
    await queue.next();
    expect(await state(held)).toBe('room');
    const again = queue.push(Buffer.alloc(200_000));
    expect(await state(again)).toBe('full');
    queue.drop();
    expect(await state(again)).toBe('room');
    expect(await state(queue.push(Buffer.alloc(900_000)))).toBe('room');
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });

  it('gives what was queued before it ends', async () => {
    const queue = new ByteQueue();
    void queue.push(Buffer.from('a'));
    queue.end();
    expect((await queue.next()).done).toBe(false);
    expect((await queue.next()).done).toBe(true);
  });
});
