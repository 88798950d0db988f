/** The part of a policy that says whose logins and which CI's tokens count. */
import { z } from 'zod';
import { strict } from '../spec/index.js';
import { isSafe } from './discovery.js';

/** GitHub's own. */
const GITHUB = 'https://token.actions.githubusercontent.com';
const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/;
const REF = /^refs\/(?:heads|tags)\/[A-Za-z0-9*._/+-]{1,200}$/;
const WORKFLOW =
  /^(?:[A-Za-z0-9-]+\/[A-Za-z0-9._-]+\/)?\.github\/workflows\/[A-Za-z0-9._-]+\.ya?ml(?:@refs\/[A-Za-z0-9*._/+-]{1,200})?$/;

export const issuer = z.string().max(300).refine(isSafe, 'expected https://… (http only for this machine)');
const claim = z.string().min(1).max(100);

/** A provider where people log in. */
export const login = strict({
  issuer,
  clientId: z.string().min(1).max(300),
  /** The claim that says who it is. */
  name: claim.prefault('email'),
  /** The claim that lists the groups at the provider. */
  groups: claim.prefault('groups'),
  /** The provider's group: the policy's. */
  mapGroups: z.record(z.string().min(1).max(200), z.string().min(1).max(63)).prefault({}),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'a scope'))
    .prefault(['openid', 'email', 'profile']),
});

/** A workflow of GitHub Actions: all three must be as they are written here. */
export const robot = strict({
  issuer: issuer.prefault(GITHUB),
  repository: z.string().regex(REPOSITORY, 'owner/name'),
  ref: z.string().regex(REF, 'refs/heads/… or refs/tags/…; * stands for anything'),
  workflow: z
    .string()
    .regex(
      WORKFLOW,
      ".github/workflows/FILE of the same repository, or another one's: owner/name/.github/workflows/FILE@REF",
    ),
});

/** How a robot is called in a list. */
export const ROBOT = 'robot:';
