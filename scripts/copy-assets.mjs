// Copies what tsc leaves behind (generated JSON, precompiled validators) and makes the command executable.
import { chmodSync, cpSync, existsSync } from 'node:fs';

cpSync('src/resources/generated', 'dist/resources/generated', {
  recursive: true,
  filter: (source) => !source.endsWith('.ts'),
});
if (existsSync('dist/main.js')) chmodSync('dist/main.js', 0o755);
