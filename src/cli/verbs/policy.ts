/** `sluice policy`: check a policy file, or list who may do what to a target. */
import type { Policy, Rule } from '../../access/index.js';
import { RIGHTS, type Right } from '../../model/access.js';
import { duration } from '../../model/text.js';
import { command } from '../command.js';
import { TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { readText } from '../files.js';
import { argument, optional } from '../inputs.js';
import { frameOf, print, printJson } from '../print.js';
import { table } from '../render/table.js';

export const policy = command({
  name: 'policy',
  summary: 'Check a policy file, or list who may do what to a target.',
  args: {
    file: argument('The policy, as a worker reads it from SLUICE_POLICY'),
    target: optional(TARGET),
  },
  options: {},
  examples: ['sluice policy policy.yaml', 'sluice policy policy.yaml checkout/production'],
  handler: async ({ args: { file, target } }, ctx) => {
    const { holdersOf, namesOf, parsePolicy, ruleFor } = await import('../../access/index.js');
    const found = parsePolicy(readText(ctx, file), file);
    if (target === undefined) {
      if (ctx.json)
        printJson(ctx, { digest: found.digest, people: Object.keys(found.people), rules: found.rules.length });
      else
        print(
          ctx,
          `${file} is a valid policy: ${Object.keys(found.people).length} people, ${found.rules.length} rules, digest ${found.digest.slice(0, 12)}`,
        );
      return EXIT.succeeded.code;
    }
    const { app, environment } = target;
    const rule = ruleFor(found, app, environment);
    const rights =
      rule === null
        ? []
        : rightsOf(rule, holdersOf).map(({ right, stage, holders }) => ({
            right,
            stage,
            holders,
            people: namesOf(found, holders),
          }));
    if (ctx.json) printJson(ctx, { app, environment, digest: found.digest, rights });
    else if (rule === null) print(ctx, `no rule covers ${app}/${environment}: nobody may do anything there`);
    else {
      const rows = rights.map(({ right, stage, holders, people }) => [
        { text: stage === null ? right : `${right} ${stage}` },
        { text: holders.length === 0 ? 'nobody' : holders.join(', ') },
        { text: people.join(', ') },
      ]);
      print(ctx, [...table(['RIGHT', 'WHO', 'PEOPLE'], rows, frameOf(ctx)), '', ...floorsOf(rule, found)]);
    }
    return EXIT.succeeded.code;
  },
});

type HoldersOf = (rule: Rule, right: Right, stage?: string) => string[];

/** Every right, and `approve` once more for each stage that has approvers of its own. */
function rightsOf(rule: Rule, holdersOf: HoldersOf) {
  const all = RIGHTS.map((right) => ({ right, stage: null as string | null, holders: holdersOf(rule, right) }));
  const staged = Object.keys(rule.stages).map((stage) => ({
    right: 'approve' as const,
    stage,
    holders: holdersOf(rule, 'approve', stage),
  }));
  return [...all, ...staged];
}

function floorsOf({ approvals, floors }: Rule, { digest }: Policy): string[] {
  const asked = [
    approvals.required ? 'required' : 'not required',
    `by ${approvals.people} ${approvals.people === 1 ? 'person' : 'people'}`,
    ...(approvals.notStarter ? ['not by who started it'] : []),
    ...(approvals.comment ? ['with a comment'] : []),
    ...(approvals.within === undefined ? [] : [`within ${duration(approvals.within)}`]),
  ];
  return [
    `approvals: ${asked.join(', ')}`,
    `strategies: ${floors.strategies?.join(', ') ?? 'any'}; shortest bake ${duration(floors.bake)}; health ${floors.health}`,
    `digest: ${digest.slice(0, 12)}`,
  ];
}
