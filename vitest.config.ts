import { defineConfig } from 'vitest/config';

// Fast suites run side by side; what shares one container engine, or measures, runs one file after the other.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/{unit,golden,contract}/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'scenarios', include: ['test/scenarios/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'docker',
          include: ['test/docker/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
