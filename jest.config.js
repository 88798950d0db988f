// jest runs TypeScript as ES modules (swc transforms, node's vm modules execute), because some dependencies are ESM only.
import { availableParallelism } from 'node:os';

const ignore = ['/node_modules/', '<rootDir>/dist/', '<rootDir>/.sluice/'];

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // The default is outside the clone.
  cacheDirectory: '<rootDir>/.sluice/cache/jest',
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: [...ignore, ...['long', 'services', 'tls'].map((set) => `<rootDir>/test/${set}/`)],
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
  testTimeout: 900_000,
  // A suite with real servers beside it waits for two thirds of its time: two cores carry three.
  maxWorkers: availableParallelism() + 1,
  randomize: true,
};
