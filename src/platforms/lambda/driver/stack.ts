/** A function that a stack owns: what a release writes into `$LATEST`, the stack overwrites. */
import { ListTagsCommand } from '@aws-sdk/client-lambda';
import type { Spec } from '../../../model/spec.js';
import { clean } from '../../../model/text.js';
import type { Finding } from '../../port.js';
import { optional, warn } from '../../shared/findings.js';
import { call, type Session } from './client.js';
import type { LambdaConfiguration } from './configuration.js';
import { writesLatest } from './release-kinds.js';

/**
 * The stack that owns what has these tags, and its name there, cleaned. CloudFormation puts them on what it makes ("Resource tags");
 * SAM and CDK deploy by it.
 */
export function stackOf(tags: Record<string, string> = {}): { name: string; resource: string | null } | null {
  const name = tags['aws:cloudformation:stack-name'];
  const resource = tags['aws:cloudformation:logical-id'];
  return name === undefined ? null : { name: clean(name), resource: resource === undefined ? null : clean(resource) };
}

/** The tags of a function or an event source mapping, by its ARN. */
export async function tagsOf(session: Session, arn: string | undefined): Promise<Record<string, string>> {
  return (await call(session, new ListTagsCommand({ Resource: arn }))).Tags ?? {};
}

export async function checkStack(session: Session, spec: Spec, latest: LambdaConfiguration): Promise<Finding[]> {
  if (!writesLatest(spec)) return [];
  const { function: fn } = session.target;
  return optional('whether a stack owns the function', async () => {
    const stack = stackOf(await tagsOf(session, latest.FunctionArn));
    if (stack === null) return [];
    const [source] = Object.keys(spec.release);
    const resource = stack.resource === null ? '' : ` (${stack.resource})`;
    return [
      warn(
        'STACK_OWNS_FUNCTION',
        `the CloudFormation stack ${stack.name} owns ${fn}${resource}: when the stack changes the function, it overwrites what release.${source} puts into $LATEST. Deploy by the stack and release what it has put there, \`release: {latest: true}\`; docs/recipes.md shows how`,
      ),
    ];
  });
}
