/** Who may do what: the policy, what people sign, and the floors under every spec. */
export { digestOf, specDigest } from './digest.js';
export { planFaults, raised, specFaults } from './floors.js';
export { type KeyFile, newKey, type Signer, signerOf } from './keys.js';
export {
  ANYONE,
  holdersOf,
  isHolder,
  namesOf,
  type Policy,
  parsePolicy,
  type Rule,
  ruleFor,
} from './policy.js';
export { mayUseBy } from './secrets.js';
export {
  audienceOf,
  BadToken,
  read,
  type Signed,
  sign,
  validFor,
} from './statement.js';
export { faultOf, trailOf } from './trail.js';
