/** The first look at the target: find the code, read what is there, plan. Nothing is written to the target. */

import { digestOf } from '../src/access/index.js';
import type { AccountAccess } from '../src/authority/index.js';
import { type Checked, checkEgress } from '../src/egress/checks.js';
import { healthBefore } from '../src/health/index.js';
import type { HealthBefore } from '../src/health/types.js';
import type { ErrorCode } from '../src/model/errors.js';
import { ERRORS, SluiceError } from '../src/model/errors.js';
import type { Spec } from '../src/model/spec.js';
import type { CallContext, Finding, PlatformDriver } from '../src/platforms/port.js';
import type { Artifacts } from '../src/store/index.js';
import { makePlan } from '../src/strategies/registry.js';
import { PLAN_SCHEMA } from '../src/strategies/types.js';
import type { PlanAnswer, Prepared } from './types.js';

/** Most bytes of spec and plan together: both travel in the workflow's history. */
const LARGEST = 256 * 1024;

/** What preparing needs beside the driver. */
export interface Preparing extends Checked {
  artifacts: Artifacts;
  access: AccountAccess;
}

/**
 * Reads the target, once the code that is to be released is there and is what its digest says. A driver that looks into the code reads
 * what is in memory already. Errors: SLUICE_ARTIFACT, and the driver's.
 */
async function inspected(ctx: CallContext, driver: PlatformDriver, spec: Spec, artifacts: Artifacts) {
  const look = () => driver.inspect(ctx, spec);
  return 'artifact' in spec.release ? artifacts.of(spec).holding(spec.release.artifact, look) : look();
}

/** Reads and plans; whatever a provider would refuse is a finding. Errors: SLUICE_SPEC when the plan is too large, and the driver's. */
export async function inspectAndPlan(
  ctx: CallContext,
  driver: PlatformDriver,
  spec: Spec,
  from: Preparing,
): Promise<PlanAnswer> {
  const { before, findings } = await inspected(ctx, driver, spec, from.artifacts);
  const healthy =
    spec.strategy.type === 'undo'
      ? unread(spec)
      : await healthBefore(ctx, driver, from.egress, spec, before.split.stable);
  if (spec.strategy.type !== 'undo') findings.push(...(await checkEgress(spec, from, ctx.signal)));
  const { stable } = before.split;
  const { plan, faults } = from.access.bounded(spec, makePlan(spec, { stable }), { stable });
  const bytes = Buffer.byteLength(JSON.stringify({ spec, plan }));
  if (bytes > LARGEST) {
    throw new SluiceError(
      'SLUICE_SPEC',
      `spec and plan together are ${bytes} bytes; at most ${LARGEST} fit. Remove stages, payloads or environment variables.`,
    );
  }
  const floors = faults.map((message): Finding => ({ level: 'refuse', code: 'SLUICE_ACCESS', message }));
  return { spec, before, plan, health: healthy.health, findings: [...floors, ...findings, ...healthy.findings] };
}

/**
 * An undo goes nowhere new and waits for no source: what could be read of the release that it undoes decides nothing. An
 * alarm may already fire because of that release, so each must have been quiet once before it is a warning.
 */
function unread({ health }: Spec): { health: HealthBefore; findings: Finding[] } {
  return { health: { baselines: {}, firing: health.alarms.map(({ name }) => name) }, findings: [] };
}

/** A finding that refuses stops whatever would write. Errors: the first finding's code, with every message. */
export function refuseIfFound(findings: Finding[]): void {
  const refused = findings.filter((finding) => finding.level === 'refuse');
  const [first] = refused;
  if (first === undefined) return;
  const code: ErrorCode = Object.hasOwn(ERRORS, first.code) ? (first.code as ErrorCode) : 'SLUICE_TARGET';
  throw new SluiceError(code, refused.map((finding) => finding.message).join(' — '));
}

/** `prepare`: as above, and any finding that refuses stops the rollout before anything is touched. */
export async function prepare(
  ctx: CallContext,
  driver: PlatformDriver,
  spec: Spec,
  from: Preparing & { grant: string | null },
): Promise<Prepared> {
  const { access } = from;
  const { before, plan, findings, health } = await inspectAndPlan(ctx, driver, spec, from);
  refuseIfFound(findings);
  if (plan === null) throw new SluiceError('SLUICE_TARGET', 'no plan can be made for this target');
  return {
    planSchema: PLAN_SCHEMA,
    spec,
    before,
    plan,
    health,
    warnings: findings.map((finding) => finding.message),
    digest: digestOf(plan),
    approvers: access.approversFor(spec, plan),
    grant: await access.grants.planned(from.grant, { spec, plan, before, people: access.peopleFor(spec, plan) }),
  };
}
