/** Who calls a function, and by which of its names. */
export { isAlias, isBare, qualifierOf } from './address.js';
export { countBareCalls } from './counted.js';
export { listMappings, listStatements, listUrls, type Statement } from './listed.js';
