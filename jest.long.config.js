// Suites that kill, freeze, leak and flood, or set up a clone of their own: minutes each. `npm run test:long`.
import base from './jest.config.js';

export default {
  ...base,
  roots: ['<rootDir>/test/long'],
  testPathIgnorePatterns: ['/node_modules/'],
};
