// jest runs TypeScript as ES modules (swc transforms, node's vm modules execute), because some dependencies are ESM only.
import { availableParallelism } from 'node:os';

const ignore = ['/node_modules/', '<rootDir>/dist/', '<rootDir>/.sluice/'];

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // The default is outside the clone.
  cacheDirectory: '<rootDir>/.sluice/cache/jest',
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: [...ignore, '<rootDir>/test/services/', '<rootDir>/test/tls/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.sluice/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  testSequencer: '<rootDir>/test/support/longest-first.mjs',
  // For what hangs. How long something may take is a matter of the benchmarks: a machine with other things to do takes what it takes.
  testTimeout: 600_000,
  // Every suite starts real servers beside itself: one for each core is what a machine carries.
  maxWorkers: availableParallelism(),
  randomize: true,
};
