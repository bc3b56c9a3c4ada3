import { describe, expect, it } from 'vitest';
import { Channel, Overflow } from '../../../src/base/channel.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const collect = async <T>(channel: Channel<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of channel) items.push(item);
  return items;
};

describe('a channel', () => {
  it('hands items over in order, whether they wait for the reader or the reader for them', async () => {
    const channel = new Channel<number>(10);
    channel.push(1);
    channel.push(2);
    const read = collect(channel);
    await turn();
    channel.push(3);
    await turn();
    channel.push(4);
    channel.close();
    expect(await read).toEqual([1, 2, 3, 4]);
  });

  it('ends after what was queued before it was closed, and takes nothing more', async () => {
    const channel = new Channel<string>(10);
    expect(channel.push('a')).toBe(true);
    channel.close();
    expect(channel.push('b')).toBe(false);
    expect(channel.closed).toBe(true);
    expect(await collect(channel)).toEqual(['a']);
    expect(await channel.next()).toEqual({ value: undefined, done: true });
  });

  it('rejects with its error after what was queued', async () => {
    const channel = new Channel<string>(10);
    const error = new Error('the engine went away');
    channel.push('a');
    channel.close(error);
    channel.close(new Error('a second one changes nothing'));
    expect(await channel.next()).toEqual({ value: 'a', done: false });
    await expect(channel.next()).rejects.toBe(error);
    await expect(channel.next()).rejects.toBe(error);
  });

  it('rejects a reader that waits already', async () => {
    const channel = new Channel<string>(1);
    const read = channel.next();
    channel.close(new Error('gone'));
    await expect(read).rejects.toThrow('gone');
  });

  it('ends a reader that waits already', async () => {
    const channel = new Channel<string>(1);
    const read = channel.next();
    channel.close();
    expect(await read).toEqual({ value: undefined, done: true });
  });

  it('drops a reader that falls behind by more than its capacity, and forgets what it held for it', async () => {
    const channel = new Channel<number>(2);
    expect([channel.push(1), channel.push(2), channel.push(3), channel.push(4)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(channel.size).toBe(0);
    expect(channel.closed).toBe(true);
    await expect(channel.next()).rejects.toBeInstanceOf(Overflow);
  });

  it('holds a full queue without dropping, and has room again for each item read', async () => {
    const channel = new Channel<number>(2);
    channel.push(1);
    channel.push(2);
    expect(await channel.next()).toEqual({ value: 1, done: false });
    expect(channel.push(3)).toBe(true);
    channel.close();
    expect(await collect(channel)).toEqual([2, 3]);
  });

  it('with no capacity takes only what a reader waits for', async () => {
    const channel = new Channel<number>(0);
    const read = channel.next();
    expect(channel.push(1)).toBe(true);
    expect(await read).toEqual({ value: 1, done: false });
    expect(channel.push(2)).toBe(false);
  });

  it('is closed and emptied by a reader that leaves its loop', async () => {
    const channel = new Channel<number>(10);
    channel.push(1);
    channel.push(2);
    for await (const item of channel) {
      expect(item).toBe(1);
      break;
    }
    expect(channel.closed).toBe(true);
    expect(channel.size).toBe(0);
    expect(channel.push(3)).toBe(false);
  });

  it('hands over items that are undefined without ending', async () => {
    const channel = new Channel<undefined>(2);
    channel.push(undefined);
    channel.close();
    expect(await collect(channel)).toEqual([undefined]);
  });
});
