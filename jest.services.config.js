// Suites that need what npm and PyPI cannot bring: `npm run test:services`. One at a time, they share a browser's weight.
import base from './jest.config.js';

export default {
  ...base,
  roots: ['<rootDir>/test/services'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  // The pictures tell a story: each shows the target as the one before left it.
  randomize: false,
};
