import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: real captures and child processes share them with the workers.
    maxWorkers: 2,
    // Generous, because brokers and child processes start slowly on a busy machine; a test that hangs still ends.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
