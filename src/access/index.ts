/** Who may do what: the policy, what people sign, and the floors below which no spec may go. */
export { canonical, digestOf, specDigest } from './digest.js';
export { isSafe, type Metadata, metadataOf, wellKnown } from './discovery.js';
export { placeFaults, planFaults, raised, specFaults } from './floors.js';
export { isPublicKey, type KeyFile, newKey, type Signer, signerOf } from './keys.js';
export {
  ANYONE,
  EVERYONE,
  holdersOf,
  isHolder,
  namesOf,
  openVerbs,
  type Policy,
  parsePolicy,
  type Rule,
  ruleFor,
} from './policy.js';
export { mayUseBy } from './secrets.js';
export { type Gate, gatesOfPlan, ruleAt } from './stages.js';
export {
  audienceOf,
  BadToken,
  NotChecked,
  type ReadBy,
  read,
  type Signed,
  sign,
  validFor,
} from './statement.js';
export {
  type CertifiedKey,
  type Certify,
  nonceOf,
  robotAudience,
  SEAL_ALGORITHM,
  SEAL_CIPHER,
  sealTo,
  statementKey,
} from './statement-key.js';
export { personBy, robotBy } from './subjects.js';
export { faultOf, trailOf } from './trail.js';
