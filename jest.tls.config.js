// Suites on a Temporal server with TLS and an authorizer, which must be built first: `npm run test:tls`.
import base from './jest.config.js';

export default {
  ...base,
  roots: ['<rootDir>/test/tls'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
};
