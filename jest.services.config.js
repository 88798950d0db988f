// Suites that need what npm and PyPI cannot bring.
import base from './jest.config.js';

export default { ...base, roots: ['<rootDir>/test/services'], testPathIgnorePatterns: ['/node_modules/'], maxWorkers: 1 };
