/** A function that a stack owns: what a release writes into `$LATEST`, the stack overwrites. */
import { ListTagsCommand } from '@aws-sdk/client-lambda';
import type { Spec } from '../../../src/model/spec.js';
import { optional, warn } from '../findings.js';
import type { Finding } from '../platform.js';
import { call, type Session } from './client.js';
import type { LambdaConfiguration } from './configuration.js';
import { writesLatest } from './release-kinds.js';

/** CloudFormation puts these on what it makes ("Resource tags"); SAM and CDK deploy by it. */
const STACK = 'aws:cloudformation:stack-name';
const RESOURCE = 'aws:cloudformation:logical-id';

export async function checkStack(session: Session, spec: Spec, latest: LambdaConfiguration): Promise<Finding[]> {
  if (!writesLatest(spec)) return [];
  const { function: fn } = session.target;
  return optional('whether a stack owns the function', async () => {
    const { Tags = {} } = await call(session, new ListTagsCommand({ Resource: latest.FunctionArn }));
    const stack = Tags[STACK];
    if (stack === undefined) return [];
    const [source] = Object.keys(spec.release);
    const resource = Tags[RESOURCE] === undefined ? '' : ` (${Tags[RESOURCE]})`;
    return [
      warn(
        'STACK_OWNS_FUNCTION',
        `the CloudFormation stack ${stack} owns ${fn}${resource}: when the stack changes the function, it overwrites what release.${source} puts into $LATEST. Deploy by the stack and release what it has put there, \`release: {latest: true}\`; docs/recipes.md shows how`,
      ),
    ];
  });
}
