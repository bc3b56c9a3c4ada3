// YAML as kubectl reads it, with the position of every node.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type ScalarTag,
  type Tags,
} from 'yaml';
import { messageOf } from '../base/errors.js';
import type { Problem } from './problem.js';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument {
  readonly value: unknown;
  /** Which document of the file, from 0. */
  readonly index: number;
  /** Position of the first node. */
  readonly start: Position;
  /** Position of a field such as `spec.containers[0].image`, or of its closest ancestor that stands in the file. */
  locate(field: string): Position;
}

export interface YamlSource {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly Problem[];
}

/** `0o17`, which YAML 1.2 writes and go-yaml reads too. */
const octal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => {
    const negative = text.startsWith('-');
    const value = Number.parseInt(text.replace(/^[-+]?0o|_/g, ''), 8);
    return negative ? -value : value;
  },
};

/**
 * Kubernetes' parser is YAML 1.1 as go-yaml has it: a bare `yes` is true, `0644` and `0o644` are octal, `<<` merges and the
 * last of two equal keys wins; dates and numbers to the base of 60 stay text.
 */
const dialect = {
  version: '1.1',
  merge: true,
  uniqueKeys: false,
  logLevel: 'error',
  customTags: (tags: Tags): Tags => [
    octal,
    ...tags.filter(
      (tag) =>
        typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME'),
    ),
  ],
} as const;

/** `spec.containers[0].env["a.b"]` -> its steps. */
export const fieldSteps = (field: string): readonly (string | number)[] => {
  const steps: (string | number)[] = [];
  for (const match of field.matchAll(/\["([^"]*)"\]|\[(\d+)\]|\[([^\]]+)\]|([^.[\]]+)/g)) {
    const [, quoted, index, key, name] = match;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(quoted ?? key ?? name ?? '');
  }
  return steps;
};

const startOf = (node: Node | null | undefined): number | undefined => node?.range?.[0];

/** The offset of the deepest node on the way that exists: the key where the field is a member of a map. */
const offsetOf = (document: Document.Parsed, steps: readonly (string | number)[]): number => {
  let node: unknown = document.contents;
  let offset = startOf(document.contents) ?? 0;
  for (let index = 0; index < steps.length; index += 1) {
    if (isAlias(node)) node = node.resolve(document);
    const step = steps[index];
    if (isMap(node)) {
      // A key may contain dots, as those of labels do: the longest run of steps that is a key wins.
      const found = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      const joined = steps.slice(index).join('.');
      const whole = found ?? node.items.find(({ key }) => isScalar(key) && String(key.value) === joined);
      if (whole === undefined) return offset;
      offset = startOf(whole.key as Node) ?? offset;
      if (found === undefined) return offset;
      node = whole.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      if (node === undefined) return offset;
      offset = startOf(node as Node) ?? offset;
    } else return offset;
  }
  return offset;
};

const position = (lines: LineCounter, offset: number): Position => {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
};

/** The first line of what the parser says, without its drawing of the place. */
const sentence = (message: string): string =>
  (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?\s*$/, '').trim();

/** What is used of the parser's errors. */
interface Fault {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** The parser points at the value that a key turned out to follow; a person looks for the key. */
const explain = (
  errors: readonly Fault[],
  text: string,
): { readonly offset: number; readonly message: string } => {
  const [first] = errors;
  const broken = errors.find(({ code }) => code === 'MULTILINE_IMPLICIT_KEY');
  if (broken !== undefined) {
    const line = text.lastIndexOf('\n', broken.pos[1] - 1) + 1;
    const offset = line + text.slice(line).search(/\S|$/);
    return { offset, message: 'a key is not allowed here, in the middle of a value: check the indentation' };
  }
  if (first?.code === 'BLOCK_AS_IMPLICIT_KEY')
    return {
      offset: first.pos[1],
      message: 'a second key is not allowed on one line: put a value that holds a colon in quotes',
    };
  return { offset: first?.pos[0] ?? 0, message: sentence(first?.message ?? '') };
};

const ignored: ReadonlySet<string> = new Set(['TAG_RESOLVE_FAILED']);

export const parseYaml = (file: string, text: string): YamlSource => {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...dialect, lineCounter: lines, prettyErrors: false });
  const documents: YamlDocument[] = [];
  const problems: Problem[] = [];
  if (!Array.isArray(parsed)) return { documents, problems };
  for (const [index, document] of parsed.entries()) {
    const errors = document.errors.filter(({ code }) => !ignored.has(code));
    if (errors.length > 0) {
      const { offset, message } = explain(errors, text);
      problems.push({ file, ...position(lines, offset), message: `this is not valid YAML: ${message}` });
      continue;
    }
    if (document.contents === null) continue;
    const start = position(lines, startOf(document.contents) ?? 0);
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      if (value !== null)
        documents.push({
          value,
          index,
          start,
          locate: (field) => position(lines, offsetOf(document, fieldSteps(field))),
        });
    } catch (error) {
      problems.push({ file, ...start, message: `this is not valid YAML: ${messageOf(error)}` });
    }
  }
  return { documents, problems };
};
