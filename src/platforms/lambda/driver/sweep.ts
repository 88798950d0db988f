/** Finds aliases of the account that a gone rollout left split. */
import { ListAliasesCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { parseMark } from '../../../model/ids.js';
import type { SweepFinding } from '../../port.js';
import { say } from '../../shared/splits.js';
import { call, type Session } from './client.js';
import { splitOf } from './split.js';

/** All split aliases with our mark in the account and region. Whether their rollouts still run, the caller knows. */
export async function findSplits(session: Session): Promise<SweepFinding[]> {
  const found: SweepFinding[] = [];
  for (const name of await functionNames(session)) {
    for (let marker: string | undefined; ; ) {
      const page = await call(session, new ListAliasesCommand({ FunctionName: name, Marker: marker }));
      for (const alias of page.Aliases ?? []) {
        const mark = parseMark(alias.Description);
        const split = splitOf(alias);
        if (mark === null || split.candidate === null) continue;
        found.push({
          target: `${name}:${alias.Name}`,
          app: mark.app,
          environment: mark.environment,
          run: mark.run,
          split: say(split),
          cure: `aws lambda update-alias --function-name ${name} --name ${alias.Name} --routing-config AdditionalVersionWeights={}`,
        });
      }
      marker = page.NextMarker;
      if (!marker) break;
    }
  }
  return found;
}

async function functionNames(session: Session): Promise<string[]> {
  const names: string[] = [];
  for (let marker: string | undefined; ; ) {
    const page = await call(session, new ListFunctionsCommand({ Marker: marker }));
    for (const { FunctionName } of page.Functions ?? []) if (FunctionName !== undefined) names.push(FunctionName);
    marker = page.NextMarker;
    if (!marker) return names;
  }
}
