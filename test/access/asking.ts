/** One open gate, and the check that a worker makes of what is said to it. */
import { randomBytes } from 'node:crypto';
import {
  audienceOf,
  type CertifiedKey,
  nonceOf,
  type Policy,
  ruleFor,
  type Signer,
  sealTo,
  sign,
  statementKey,
} from '../../src/access/index.js';
import { checkBeginning } from '../../src/authority/begin.js';
import { certifier } from '../../src/authority/certifying.js';
import { decide } from '../../src/authority/decide.js';
import { Envelopes } from '../../src/authority/envelopes.js';
import { type Grant, Grants } from '../../src/authority/grants.js';
import { Issuers } from '../../src/authority/issuers.js';
import { Seals } from '../../src/authority/seals.js';
import type { GateView, MessageAnswer, StartStatement, Statement, VerbStatement } from '../../src/model/access.js';

const APP = { app: 'checkout', environment: 'production' };
export const AUDIENCE = audienceOf('default');
const KEYS = [randomBytes(32).toString('base64')];
const envelopes = new Envelopes(KEYS);
const seals = new Seals(KEYS);

export const GATE: GateView = {
  id: 'canary-50.approve',
  stage: '50%',
  plan: 'digest of the plan',
  expires: 4_000_000_000_000,
  people: 2,
  approved: [],
  approvers: ['ben'],
  notStarter: true,
  comment: false,
};

/** An approval of the gate; `gate` for another one. */
export function approval(gate: Partial<GateView> = {}): VerbStatement {
  const { id, stage, plan, expires } = { ...GATE, ...gate };
  return { act: 'approve', ...APP, run: 'run-1', gate: { id, stage, plan, expires } };
}

/** The undo to release 1. */
export const UNDO: StartStatement = { act: 'undo', ...APP, strategy: 'undo', spec: null, release: '1' };

/** A key for the statement, certified by what `login` answers for its nonce. */
export async function certified(
  statement: Statement,
  login: (nonce: string) => Promise<string>,
  by: 'login' | 'robot' = 'login',
): Promise<CertifiedKey> {
  const once = statementKey();
  const token = await login(await nonceOf(once.jwk, statement));
  return { ...once, certificate: { by, sealed: await sealed(token) } };
}

/** Encrypted to the workers of this check. */
export async function sealed(token: string): Promise<string> {
  const key = await envelopes.publicKey();
  if (key === null) throw new Error('the workers have no key');
  return sealTo(key, token);
}

export async function signed(statement: Statement, signer: Signer | CertifiedKey, now = Date.now()) {
  return sign(statement, signer, { audience: AUDIENCE, now, valid: 600_000 });
}

/** A worker with a policy; `within`: ms for each answer of a provider. */
export function workerWith(policy: Policy, within = 2_000) {
  const certify = certifier(policy, envelopes, new Issuers(within));
  const rule = ruleFor(policy, APP.app, APP.environment);
  const grant = { ...APP, first: 'run-1', starter: 'ann' } as Grant;
  const grants = new Grants(seals);
  return {
    /** Whether a start that the token is for may begin. Errors: as `parse` has them. */
    begins: async (token: string) => {
      const beginner = { ...APP, strategy: 'undo', act: 'undo', version: '1', input: { token } } as const;
      return checkBeginning(beginner, { policy, certify, rule, audience: AUDIENCE, now: Date.now() });
    },

    /** What becomes of tokens that come one after the other. */
    answers: async (tokens: string[], gate: Partial<GateView> = {}): Promise<MessageAnswer[]> => {
      const messages = tokens.map((token) => ({ verb: 'approve' as const, by: 'someone', token }));
      const by = { policy, certify, rule, grants, seals, grant, audience: AUDIENCE, now: Date.now() };
      return decide({ grant: null, messages, gate: { ...GATE, ...gate }, used: [] }, by);
    },
  };
}

/** Who it is by, or why it is refused. */
export function said(answer: MessageAnswer | undefined): string {
  if (answer === undefined) return 'no answer';
  return answer.ok ? `by ${answer.by}` : answer.why;
}
