// Files of a folder in memory.
import type { FileStore } from '../../../src/pki/directory.js';

export const memoryFiles = (
  initial: ReadonlyMap<string, string> = new Map(),
): FileStore & { readonly content: Map<string, string> } => {
  const content = new Map(initial);
  return {
    content,
    read: (name) => Promise.resolve(content.get(name)),
    write: (name, text) => {
      content.set(name, text);
      return Promise.resolve();
    },
  };
};
