/** Who calls a function, and by which of its names. */
export { isAlias, isBare, qualifierOf } from './address.js';
export { type Counted, countBareCalls, countCalls, LOOK_BACK } from './counted.js';
export {
  listMappings,
  listPolicy,
  listStatements,
  listUrls,
  type PolicyStatement,
  principalOf,
  readPolicy,
  type Statement,
} from './listed.js';
