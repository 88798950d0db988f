/**
 * Grants: what an activity requires before it changes anything. A grant is for one run of one workflow, for one spec, and
 * after planning for the writes of one plan. It does not work in someone else's workflow, in an activity without a workflow,
 * in a run made by Reset, or for another spec. A write behind a gate also requires the receipts of its approvals.
 */
import { Context } from '@temporalio/activity';
import { digestOf, type Gate, gatesOfPlan } from '../access/index.js';
import type { GateView } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { parseMark } from '../model/ids.js';
import type { Spec } from '../model/spec.js';
import type { BeforeState } from '../platforms/port.js';
import type { Plan } from '../strategies/types.js';
import type { Seals } from './seals.js';

/** A write of the plan, and the gates before it with the number of people that each needs. */
interface GrantedWrite {
  weight: number;
  gates: Record<string, number>;
}

export interface Grant {
  /** The workflow's id, and the run that the grant is for. */
  workflow: string;
  run: string;
  /** The first run of the chain: the rollout. */
  first: string;
  app: string;
  environment: string;
  /** Who started it; null when nobody had to sign. */
  starter: string | null;
  /** Of an undo: what was asked with it. */
  undo?: { hold: boolean; keepQueue: boolean };
  /** Whether overwriting someone else's change needs no signature. */
  openOverride: boolean;
  /** Digest of the policy it was given by. */
  policy: string | null;
  /** Digest of the spec. */
  spec: string;
  /** Names of activities. */
  may: string[];
  /** Once there is a plan. */
  plan?: string;
  before?: string;
  /** The release that is live before. */
  stable?: string | null;
  writes?: GrantedWrite[];
  /** The approvals of the plan, by their steps' ids. */
  gates?: Record<string, Gate>;
}

/** A receipt of one person's approval of one gate. */
export interface Receipt {
  rollout: string;
  run: string;
  gate: string;
  plan: string;
  by: string;
}

/** The gate of a receipt that is for writing over a foreign change. */
export const OVERRIDE = 'override';

/** What a worker has deployed for a plan: nothing else gets weight by its grant. */
interface Deployed {
  rollout: string;
  run: string;
  plan: string;
  version: string;
}

/** Of an activity's argument what a grant is checked against. */
export interface Asking {
  grant?: string | null;
  spec?: Spec;
  before?: BeforeState;
  weight?: number;
  fence?: { mark: string };
  mark?: string;
  receipts?: string[];
  deployed?: string | null;
  candidate?: string;
  release?: { version: string };
  stable?: string;
  force?: boolean;
}

/** What a rollout may do before it has a plan. */
const BEFORE_PLAN = ['prepare', 'notify', 'tellCompanion', 'decide', 'renew'];
/** And with one. */
const WITH_PLAN = [
  'keep',
  'deploy',
  'warm',
  'shift',
  'promote',
  'restore',
  'probe',
  'watch',
  'errors',
  'read',
  'adopt',
];

/** What depends on the state before the rollout. */
const BY_BEFORE = ['keep', 'deploy', 'restore'];

export class Grants {
  constructor(private readonly seals: Seals) {}

  get on(): boolean {
    return this.seals.on;
  }

  /** The first grant of a run: `may` for a short workflow; without it that of a rollout. Null without a key. */
  async first(of: Omit<Grant, 'may' | 'spec'> & { spec: Spec; may?: string[] }): Promise<string | null> {
    return this.seals.make('grant', { ...of, spec: digestOf(of.spec), may: of.may ?? BEFORE_PLAN });
  }

  /** The grant of a plan, by the one that it was made with. `people` says how many must approve a step of it. */
  async planned(
    given: string | null | undefined,
    { spec, plan, before, people }: { spec: Spec; plan: Plan; before: BeforeState; people: (stepId: string) => number },
  ): Promise<string | null> {
    const grant = await this.seals.open<Grant>('grant', given);
    if (grant === null) return null;
    return this.seals.make('grant', {
      ...grant,
      spec: digestOf(spec),
      plan: digestOf(plan),
      before: digestOf(before),
      stable: before.split.stable,
      may: [...BEFORE_PLAN, ...WITH_PLAN],
      writes: writesOf(plan, people),
      gates: gatesOfPlan(plan),
    });
  }

  /** The same grant for the run that this one has continued as. */
  async carried(grant: Grant, run: string): Promise<string | null> {
    return this.seals.make('grant', { ...grant, run });
  }

  /** The same grant, with a rollback to a state in which more is kept. */
  async kept(given: string | null | undefined, before: BeforeState): Promise<string | null> {
    const grant = await this.seals.open<Grant>('grant', given);
    return grant === null ? null : this.seals.make('grant', { ...grant, before: digestOf(before) });
  }

  async receipt(receipt: Receipt): Promise<string | null> {
    return this.seals.make('receipt', receipt);
  }

  /** After `deploy`: that this release is the one of the plan. Null without a key. */
  async deployed(given: string | null, version: string): Promise<string | null> {
    const grant = await this.seals.open<Grant>('grant', given);
    if (grant === null) return null;
    const { app, environment, first: run, plan = '' } = grant;
    return this.seals.make('deployed', { rollout: `${app}/${environment}`, run, plan, version } satisfies Deployed);
  }

  /** A grant, whoever shows it. Errors: SLUICE_ACCESS. */
  async read(given: string | null | undefined): Promise<Grant> {
    const grant = await this.seals.open<Grant>('grant', given);
    if (grant === null) throw refused('it has no grant from a worker');
    return grant;
  }

  /** Whether this activity may do what it is asked for. Without a key everything may. Errors: SLUICE_ACCESS. */
  async allow(activity: string, asking: Asking): Promise<void> {
    if (!this.seals.on) return;
    const grant = await this.read(asking.grant);
    const { workflowExecution: here } = Context.current().info;
    if (here === undefined) throw refused('it runs outside a workflow');
    if (here.workflowId !== grant.workflow || here.runId !== grant.run) {
      throw refused(`its grant is for run ${grant.run} of ${grant.workflow}, not for this one`);
    }
    if (!grant.may.includes(activity)) throw refused(`its grant is not for ${activity}`);
    if (asking.spec !== undefined && digestOf(asking.spec) !== grant.spec)
      throw refused('its grant is for another spec');
    // What a deployment may publish is pinned there too.
    if (BY_BEFORE.includes(activity) && digestOf(asking.before) !== grant.before) {
      throw refused(
        activity === 'deploy' ? 'its grant is for another start' : 'its grant is for a rollback to another state',
      );
    }
    this.allowMark(grant, asking.fence?.mark ?? asking.mark);
    if (activity === 'warm' || activity === 'shift' || activity === 'promote') await this.allowRelease(grant, asking);
    if (activity === 'shift' || activity === 'promote') await this.allowWrite(grant, activity, asking);
    if (activity === 'restore' && asking.force === true && !grant.openOverride) await this.allowForce(grant, asking);
  }

  /** A mark says who wrote; nobody writes in another's name. */
  private allowMark(grant: Grant, text: string | undefined): void {
    if (text === undefined) return;
    const mark = parseMark(text);
    if (mark?.app !== grant.app || mark.environment !== grant.environment || mark.run !== grant.first) {
      throw refused('it would leave the mark of another rollout');
    }
    // A worker without a policy relies on the mark.
    if (mark.policed !== (grant.policy !== null)) {
      throw refused(`its mark has to say that it was written ${grant.policy === null ? 'without' : 'under'} a policy`);
    }
  }

  /** What a rollout leaves for `undo` and retiring is its own spec and the release it has replaced. Errors: SLUICE_ACCESS. */
  async allowRecord(of: {
    grant: string | null;
    app: string;
    environment: string;
    version: string;
    spec: object;
  }): Promise<void> {
    await this.allow('tellCompanion', { grant: of.grant });
    const { plan, stable, spec, app, environment } = await this.read(of.grant);
    const own = app === of.app && environment === of.environment && spec === digestOf(of.spec) && stable === of.version;
    if (plan === undefined || !own) throw refused('what it records for undo is not what it did');
  }

  /** An entry of the ledger says what this run has made live, by its own spec. Errors: SLUICE_ACCESS. */
  async allowEntry(of: {
    grant: string | null;
    app: string;
    environment: string;
    version: string;
    spec: object | undefined;
    deployed: string | null;
  }): Promise<void> {
    const { grant: given, app, environment, version, spec, deployed } = of;
    await this.allow('tellCompanion', { grant: given });
    const grant = await this.read(given);
    const own = app === grant.app && environment === grant.environment;
    if (!own || (spec !== undefined && grant.spec !== digestOf(spec)))
      throw refused('what it records in the ledger is not what it did');
    await this.allowRelease(grant, { deployed, candidate: version });
  }

  /** Only what a worker has deployed for this plan, beside what was live before it. */
  private async allowRelease(grant: Grant, { deployed, candidate, release, stable }: Asking): Promise<void> {
    const shown = await this.seals.open<Deployed>('deployed', deployed);
    const version = candidate ?? release?.version;
    const own =
      shown?.rollout === `${grant.app}/${grant.environment}` && shown.run === grant.first && shown.plan === grant.plan;
    if (!own || shown.version !== version) throw refused(`${version} is not what was deployed for its plan`);
    if (stable !== undefined && stable !== grant.stable) throw refused(`${stable} is not what was live before it`);
  }

  private async allowForce(grant: Grant, asking: Asking): Promise<void> {
    const by = await this.receiptsOf(grant, asking, OVERRIDE);
    if (by.size === 0) throw refused('nobody with the right to override has asked to overwrite the foreign change');
  }

  /** Who has given receipts of a gate. */
  private async receiptsOf(grant: Grant, { receipts = [] }: Asking, gate: string): Promise<Set<string>> {
    const shown = await Promise.all(receipts.slice(0, 500).map((each) => this.seals.open<Receipt>('receipt', each)));
    const rollout = `${grant.app}/${grant.environment}`;
    const own = shown.filter(
      (each) => each?.rollout === rollout && each.run === grant.first && each.plan === grant.plan,
    );
    return new Set(own.flatMap((each) => (each?.gate === gate ? [each.by] : [])));
  }

  private async allowWrite(grant: Grant, activity: 'shift' | 'promote', asking: Asking): Promise<void> {
    const weight = activity === 'promote' ? 100 : asking.weight;
    const write = grant.writes?.find((each) => each.weight === weight);
    if (write === undefined) throw refused(`a weight of ${weight} % is not in its plan`);
    for (const [gate, people] of Object.entries(write.gates)) {
      const by = await this.receiptsOf(grant, asking, gate);
      if (by.size < people) {
        throw refused(`the approval before it (${gate}) has ${by.size} of ${people} people's receipts`);
      }
    }
  }
}

/** The gate that a run says is open, as its plan has it; null when its plan has no such approval. */
export function gateIn({ gates = {} }: Grant, said: GateView): { view: GateView; facts: Gate } | null {
  const facts = Object.hasOwn(gates, said.id) ? gates[said.id] : undefined;
  return facts === undefined ? null : { view: { ...said, stage: facts.stage }, facts };
}

/** Every weight that the plan gives, and what must be approved before. */
function writesOf(plan: Plan, people: (stepId: string) => number): GrantedWrite[] {
  const gates: Record<string, number> = {};
  const writes: GrantedWrite[] = [];
  for (const step of plan.stages.flatMap(({ steps }) => steps)) {
    if (step.kind === 'approve' && people(step.id) > 0) gates[step.id] = people(step.id);
    if (step.kind === 'shift' || step.kind === 'promote' || step.kind === 'compare') {
      writes.push({ weight: step.weight, gates: { ...gates } });
    }
  }
  return writes;
}

function refused(why: string): SluiceError {
  return new SluiceError(
    'SLUICE_ACCESS',
    `refused: ${why}. Only a rollout that a worker has checked may do this; start one with \`sluice start\``,
  );
}
