import tseslint from 'typescript-eslint';

// Time, randomness, the environment, child processes, sockets and files belong to src/host (and to main.ts).
const world = {
  'no-restricted-globals': [
    'error',
    { name: 'process', message: 'The environment is read in src/host and main.ts only.' },
    { name: 'setTimeout', message: 'Wait on a Clock.' },
    { name: 'setInterval', message: 'Wait on a Clock.' },
    { name: 'fetch', message: 'Sockets belong to src/host.' },
    { name: 'console', message: 'Use a Logger, or cli/output for people.' },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Take `now` as an argument or ask a Clock.' },
    { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: ['fs', 'fs/promises', 'child_process', 'net', 'tls', 'http', 'http2', 'https', 'dgram', 'os']
        .flatMap((name) => [name, `node:${name}`])
        .map((name) => ({ name, message: 'The operating system belongs to src/host.' })),
    },
  ],
};

export default tseslint.config(
  { ignores: ['.dependency-cruiser.cjs', 'dist/', 'node_modules/', 'src/resources/generated/', 'coverage/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'scripts/*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/prefer-literal-enum-member': 'off',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400 }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { ...world, 'max-lines-per-function': ['error', { max: 80, skipComments: true }] },
  },
  {
    files: ['src/host/**/*.ts', 'src/main.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-imports': 'off',
    },
  },
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-lines-per-function': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
