// What is fuzzed, and how inputs are made: good ones are cut, doubled, flipped and mixed with words that mean something.
import { ClusterError } from '../../src/base/errors.js';
import type { Random } from '../contract/random.js';

export interface FuzzTarget {
  readonly name: string;
  /** Inputs that make sense: everything begins with one of them. */
  readonly corpus: readonly (string | Uint8Array)[];
  /** Pieces that are put into inputs; bytes where they have no character beyond 255. */
  readonly words: readonly string[];
  /** Throws, or rejects, with what is wrong with the program; what an input deserves is caught here. */
  run(input: Buffer): void | Promise<void>;
  /** Forgets what the inputs have made. */
  reset?(): void | Promise<void>;
}

/** A refusal in the program's own words is what bad input deserves; anything else is a defect. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ClusterError && error.code !== 'InternalError';

export const refusing = (parse: () => unknown, also: (error: unknown) => boolean = () => false): void => {
  try {
    parse();
  } catch (error) {
    if (!isRefusal(error) && !also(error)) throw error;
  }
};

const somewhere = (random: Random, length: number): number => random.integer(length + 1);

type Mutation = (input: Buffer, random: Random, words: readonly string[]) => Buffer;

const splice = (
  input: Buffer,
  at: number,
  { cut, put }: { readonly cut: number; readonly put: Buffer },
): Buffer => Buffer.concat([input.subarray(0, at), put, input.subarray(at + cut)]);

/** Characters below 256 stand for bytes. */
const bytesOf = (word: string): Buffer => Buffer.from(word, /[^\0-\xff]/.test(word) ? 'utf8' : 'latin1');

const nasty = [
  '\u0000',
  '\ud800',
  '\uffff',
  '🙂',
  '%00',
  '%2f',
  '..',
  '//',
  '\\',
  '"',
  "'",
  '\r\n',
  '9'.repeat(40),
];

const mutations: readonly Mutation[] = [
  (input, random) => {
    if (input.length === 0) return input;
    const copy = Buffer.from(input);
    const at = random.integer(copy.length);
    copy.writeUInt8((copy[at] ?? 0) ^ (1 << random.integer(8)), at);
    return copy;
  },
  (input, random) => {
    if (input.length === 0) return input;
    const copy = Buffer.from(input);
    copy.writeUInt8(random.pick([0, 1, 127, 128, 255, random.integer(256)]), random.integer(copy.length));
    return copy;
  },
  (input, random) =>
    splice(input, somewhere(random, input.length), { cut: random.integer(16), put: Buffer.alloc(0) }),
  (input, random) => input.subarray(0, somewhere(random, input.length)),
  (input, random) => {
    const from = somewhere(random, input.length);
    const piece = input.subarray(from, from + 1 + random.integer(64));
    const put = Buffer.concat(Array.from({ length: 1 + random.integer(8) }, () => piece));
    return splice(input, somewhere(random, input.length), { cut: 0, put });
  },
  (input, random, words) =>
    splice(input, somewhere(random, input.length), {
      cut: random.integer(8),
      put: bytesOf(random.pick(words.length === 0 || random.chance(0.3) ? nasty : words)),
    }),
  (input, random) =>
    splice(input, somewhere(random, input.length), {
      cut: random.integer(4),
      put: Buffer.from(Array.from({ length: 1 + random.integer(8) }, () => random.integer(256))),
    }),
];

/** Beyond this an input is cut: size alone is limited before anything is parsed. */
const longest = 64 * 1024;

export const makeInput = ({ corpus, words }: FuzzTarget, random: Random): Buffer => {
  let input: Buffer = Buffer.from(random.pick(corpus) as string);
  const rounds = random.chance(0.05) ? 0 : 1 + random.integer(6);
  for (let round = 0; round < rounds; round++) input = random.pick(mutations)(input, random, words);
  return input.length > longest ? input.subarray(0, longest) : input;
};
