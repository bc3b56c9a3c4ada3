// Pieces of the container engines, real and simulated.
import { describe, expect, it } from 'vitest';
import { behaviourOf, parseDuration } from '../../../src/host/hollow/behaviour.js';
import { parseScript } from '../../../src/host/hollow/script.js';
import { pauseArchive, architectureOf } from '../../../src/host/docker/pause-image.js';
import { pauseProgram } from '../../../src/host/docker/pause-program.js';
import { demultiplex } from '../../../src/host/docker/frames.js';

describe('the image of sandboxes', () => {
  it.each(['amd64', 'arm64'] as const)('is a tiny ELF program for %s', (architecture) => {
    const program = pauseProgram(architecture);
    expect(program.byteLength).toBeLessThan(300);
    expect(program.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect(program.readUInt16LE(18)).toBe(architecture === 'amd64' ? 62 : 183);
    expect(program.readBigUInt64LE(96)).toBe(BigInt(program.byteLength));
    expect(pauseArchive(architecture).equals(pauseArchive(architecture))).toBe(true);
  });
  it('does not exist for other machines', () => {
    expect(architectureOf('aarch64')).toBe('arm64');
    expect(() => architectureOf('s390x')).toThrow(/s390x/);
  });
});

describe('frames of the engine', () => {
  it('are put together however they arrive', async () => {
    const frame = (stream: number, text: string): Buffer => {
      const header = Buffer.alloc(8);
      header[0] = stream;
      header.writeUInt32BE(text.length, 4);
      return Buffer.concat([header, Buffer.from(text)]);
    };
    const all = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, '')]);
    for (let size = 1; size <= all.length; size += 1) {
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < all.length; at += size)
          yield await Promise.resolve(all.subarray(at, at + size));
      }
      const seen: string[] = [];
      for await (const { stream, data } of demultiplex(chunks()))
        seen.push(`${stream} ${Buffer.from(data).toString()}`);
      expect(seen).toEqual(['stdout out', 'stderr err']);
    }
  });
});

describe('a simulated container', () => {
  it.each([
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['10', undefined],
    ['', undefined],
  ])('reads %j as %s ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
  it('behaves as annotations on the pod say, those for itself first', () => {
    const annotations = {
      'hollow.capstan.dev/crash-after': '1s',
      'hollow.capstan.dev/crash-after.web': '2s',
      'hollow.capstan.dev/oom': 'true',
    };
    expect(behaviourOf(annotations, 'web')).toMatchObject({ crashAfterMs: 2000, exitCode: 137 });
    expect(behaviourOf(annotations, 'log')).toMatchObject({ crashAfterMs: 1000 });
    expect(() => behaviourOf({ 'hollow.capstan.dev/start-delay': 'soon' }, 'web')).toThrow(
      /start-delay: soon/,
    );
  });
  it('understands echo, sleep and exit, and nothing else', () => {
    expect(parseScript(['sh', '-c', 'echo hi; sleep 0.5 && exit 3'])).toEqual([
      { type: 'write', stream: 'stdout', text: 'hi\n' },
      { type: 'wait', ms: 500 },
      { type: 'end', code: 3 },
    ]);
    expect(parseScript(['sh', '-c', 'echo hi; curl x'])).toBeUndefined();
    expect(parseScript([])).toBeUndefined();
  });
});
