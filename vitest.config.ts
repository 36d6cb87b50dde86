import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: real captures and child processes share them with the workers.
    maxWorkers: 2,
    testTimeout: 30_000,
  },
})
