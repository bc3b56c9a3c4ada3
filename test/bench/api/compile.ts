// The program as it is shipped, without the loader that tests run under: that one wraps every function, and a server
// measured through it is neither as fast nor as small as the daemon.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folders = ['src', join('test', 'bench', 'api')];

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

/** Types are not checked here. Gives the folder of the compiled benchmark modules. */
export const compileInto = (directory: string): string => {
  for (const folder of folders)
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const source = join(entry.parentPath, entry.name);
      const target = join(directory, relative(root, source));
      mkdirSync(dirname(target), { recursive: true });
      if (!source.endsWith('.ts')) cpSync(source, target);
      else
        writeFileSync(
          target.replace(/\.ts$/, '.js'),
          ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions }).outputText,
        );
    }
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  return join(directory, 'test', 'bench', 'api');
};
