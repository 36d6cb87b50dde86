import { defineConfig } from 'vitest/config'

/** Functions of what they are given: these share a process, and what one test file has learned or loaded the next one need not. */
const PURE = ['test/models/**/*.test.ts', 'test/protocols/**/*.test.ts']

export default defineConfig({
  test: {
    // Two cores: real captures and child processes share them with the workers.
    maxWorkers: 2,
    // Generous, because brokers and child processes start slowly on a busy machine; a test that hangs still ends.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'models and protocols', include: PURE, isolate: false } },
      { extends: true, test: { name: 'programs', include: ['test/**/*.test.ts'], exclude: PURE } },
    ],
  },
})
