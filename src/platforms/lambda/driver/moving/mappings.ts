/** Event source mappings on their way between the bare name and the alias. A tag on each says which were moved, until they are back. */
import {
  type EventSourceMappingConfiguration,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { clean } from '../../../../model/text.js';
import { isBare, listMappings } from '../callers/index.js';
import { call, type Session } from '../client.js';
import { stackOf, tagsOf } from '../stack.js';
import type { Way } from './by-hand.js';
import type { Planned } from './step.js';

/** The tag of a mapping that was moved; its value is whose it is: `app/environment`. */
const MOVED = 'sluice:moved';

/** Mappings of the bare name, each to the alias: or, where a stack would set it back, the edit of its template. */
export async function toAlias(session: Session, owner: string, way: Way): Promise<Planned[]> {
  const { function: fn } = session.target;
  const found = (await listMappings(session, fn)).filter(({ FunctionArn }) => isBare(FunctionArn));
  const steps: Planned[] = [];
  for (const mapping of found) {
    const arn = arnOf(mapping, way);
    const tags = await tagsOf(session, arn);
    const stack = stackOf(tags);
    const id = `move/${mapping.UUID}`;
    if (stack !== null) {
      const text = `${named(mapping)} belongs to the stack ${stack.name}, which would revert it: in its template give ${stack.resource ?? 'the resource'} \`FunctionName: ${way.to}\` and deploy the stack (SAM: \`AutoPublishAlias: ${session.target.alias}\` on the function)`;
      steps.push({ id, kind: 'hand', text, run: null });
      continue;
    }
    steps.push({
      id,
      kind: 'do',
      text: `move ${named(mapping)} to ${way.to}`,
      run: async () => {
        // First what undo relies on.
        if (tags[MOVED] !== owner) {
          await call(session, new TagResourceCommand({ Resource: arn, Tags: { [MOVED]: owner } }));
        }
        await call(session, new UpdateEventSourceMappingCommand({ UUID: mapping.UUID, FunctionName: way.to }));
      },
    });
  }
  return steps;
}

/** Mappings that `toAlias` has moved, each back. */
export async function toBare(session: Session, owner: string, way: Way): Promise<Planned[]> {
  const { function: fn, alias } = session.target;
  const bare = (await listMappings(session, fn)).filter(({ FunctionArn }) => isBare(FunctionArn));
  const moved = await listMappings(session, `${fn}:${alias}`);
  const steps: Planned[] = [];
  for (const mapping of [...bare, ...moved]) {
    const arn = arnOf(mapping, way);
    if ((await tagsOf(session, arn))[MOVED] !== owner) continue;
    const back = bare.includes(mapping);
    steps.push({
      id: `back/${mapping.UUID}`,
      kind: 'do',
      text: back
        ? `remove the tag ${MOVED} from ${named(mapping)}, which is at ${way.from}`
        : `move ${named(mapping)} back to ${way.from}`,
      run: async () => {
        if (!back) {
          await call(session, new UpdateEventSourceMappingCommand({ UUID: mapping.UUID, FunctionName: way.from }));
        }
        await call(session, new UntagResourceCommand({ Resource: arn, TagKeys: [MOVED] }));
      },
    });
  }
  return steps;
}

function named({ UUID = '', EventSourceArn }: EventSourceMappingConfiguration): string {
  return `event source mapping ${UUID} (${clean(EventSourceArn ?? 'unknown source')})`;
}

function arnOf({ EventSourceMappingArn, UUID = '' }: EventSourceMappingConfiguration, { from }: Way): string {
  return EventSourceMappingArn ?? `${from.split(':').slice(0, 5).join(':')}:event-source-mapping:${UUID}`;
}
