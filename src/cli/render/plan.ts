/** What `plan` shows: the current split, each step with its deadline, and what could refuse it. Pure. */
import type { PlanPreview } from '../../client/types.js';
import { stepWords } from '../../model/rollout/words.js';
import { targetName } from '../../model/target.js';
import { duration } from '../../model/text.js';
import type { Stage, Step } from '../../strategies/types.js';
import { clip, type Frame, type Line, pad, paint, piece, wrap } from './pieces.js';

export function renderPlan(preview: PlanPreview, frame: Frame): string[] {
  const { spec, before, plan, findings } = preview;
  const { target } = spec;
  const lines: Line[] = [
    [piece(`${spec.app}/${spec.environment}`, 'bold'), piece(`  ${spec.strategy.type}  ${targetName(target)}`)],
    [piece(`  account ${target.account}, ${target.region}, ${target.platform}`, 'dim')],
    [piece('  now: '), ...nowLine(before)],
    [],
  ];
  if (plan === null) lines.push([piece('there is no plan: the rollout would be refused', 'red')]);
  else {
    for (const stage of plan.stages) lines.push(...stageLines(stage, (before.bypass ?? []).length > 0));
    lines.push([], [piece(`bakes for at least ${duration(shortest(plan.stages))} in total`, 'dim')]);
  }
  return [...lines.map((line) => paint(clip(line, frame.width), frame.colour)), ...findingLines(findings, frame)];
}

function nowLine(before: PlanPreview['before']): Line {
  const { stable, candidate, weight } = before.split;
  if (stable === null) return [piece('nothing is live: this is the first release', 'cyan')];
  if (candidate === null) return [piece(`release ${stable} has 100 %`, 'cyan')];
  return [piece(`split: ${stable} ${100 - weight} %, ${candidate} ${weight} %`, 'yellow')];
}

function stageLines(stage: Stage, bypass: boolean): Line[] {
  return [
    [piece(`stage ${stage.name}`, 'bold')],
    ...stage.steps.map((step): Line => {
      const { what, limit, note } = stepWords(step, stage.name, bypass);
      return [piece(`  ${pad(what, 44)} `), piece(pad(limit, 26), 'cyan'), piece(` ${note ?? refusesOf(step)}`, 'dim')];
    }),
  ];
}

/** What could stop a step. */
function refusesOf(step: Step): string {
  switch (step.kind) {
    case 'deploy':
      return 'fails if the provider rejects code, configuration or permissions';
    case 'warm':
      return 'fails if the provider lacks capacity';
    case 'probe':
      return 'fails on an unexpected response';
    case 'shift':
    case 'promote':
      return 'stops if someone else changed the target';
    case 'bake':
    case 'compare':
      return 'stops if unhealthy, undecided or without data';
    case 'approve':
      return 'rolls back if rejected';
    case 'finish':
      return '';
  }
}

function shortest(stages: Stage[]): number {
  let sum = 0;
  for (const step of stages.flatMap(({ steps }) => steps)) if (step.kind === 'bake') sum += step.duration;
  return sum;
}

/** In full, since each says what to do. Refusals come last, where the reader stops. */
function findingLines(findings: PlanPreview['findings'], frame: Frame): string[] {
  const sorted = [...findings].sort((a, b) => Number(a.level === 'refuse') - Number(b.level === 'refuse'));
  const lines = sorted.flatMap(({ level, code, message }) => {
    const style = level === 'refuse' ? ('red' as const) : ('yellow' as const);
    const text = `${level === 'refuse' ? '✖ would be refused' : '! warning'} [${code}]: ${message}`;
    return wrap(text, frame.width).map((part) => paint([piece(part, style)], frame.colour));
  });
  return lines.length === 0 ? [] : ['', ...lines];
}
