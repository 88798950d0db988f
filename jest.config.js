// jest runs TypeScript as ES modules (swc transforms, node's vm modules execute), because some dependencies are ESM only.
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
  testTimeout: 60_000,
  // Every suite starts real servers and waits for them half of its time: two cores carry three.
  maxWorkers: 3,
  randomize: true,
};
