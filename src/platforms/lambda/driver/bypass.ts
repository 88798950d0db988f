/**
 * Who gets a release with its deployment: `UpdateFunctionCode` and `UpdateFunctionConfiguration` change `$LATEST`, which is what
 * a call of the bare name runs. Such callers refuse a release that writes it, unless the spec lets each of them through.
 */
import { type Bypass, callsUntil, untilOf } from '../../../model/bypass.js';
import type { Spec } from '../../../model/spec.js';
import type { Finding } from '../../port.js';
import { hasCode } from '../../shared/failures.js';
import { refuse, warn } from '../../shared/findings.js';
import { countBareCalls, isBare, listMappings, listStatements, listUrls, type Statement } from './callers/index.js';
import type { Session } from './client.js';
import { address, aws, urlCommands } from './commands.js';
import type { LambdaConfiguration } from './configuration.js';
import { checkPutBack } from './put-back.js';
import { aliasesByVersion } from './versions.js';

/** A caller of the bare name. */
interface Caller extends Bypass {
  /** What moves it to the alias, as a sentence with a command. */
  move: string;
  /** Only what has ended: nobody is left who would get the release. */
  past?: boolean;
}

/** The result of checking the callers. */
interface Look {
  findings: Finding[];
  /** Those who will get the release as soon as it is deployed, and may. */
  bypass: Bypass[];
}

/** Reads who calls the bare name. Only for a release that writes `$LATEST`. */
export async function checkBypass(
  session: Session,
  spec: Spec,
  target: { latest: LambdaConfiguration; alias: boolean },
): Promise<Look> {
  const blind: Finding[] = [];
  const statements = (
    await seen(blind, 'the policy of the function', false, () => listStatements(session, null))
  ).filter(({ resource }) => isBare(resource));
  const callers = [
    ...(await seen(blind, 'who calls the bare name (event source mappings)', true, () => mappings(session))),
    ...(await seen(blind, 'who calls the bare name (function URLs)', true, () => urls(session))),
    ...(await seen(blind, 'who calls the bare name (calls in CloudWatch)', true, () =>
      calls(session, spec, statements),
    )),
  ];
  const through = callers.filter((caller) => spec.allowBypass.includes(caller.id));
  const inTheWay = callers.filter((caller) => !through.includes(caller));
  const bypass = through.filter(({ past }) => past !== true).map(({ id, what }): Bypass => ({ id, what }));
  const findings = [
    ...blind,
    ...inTheWay.map((caller) => refusal(session, caller)),
    ...(bypass.length > 0 && !target.alias ? [unfenced(session)] : []),
    ...(callers.some(({ past }) => past !== true) && !target.alias ? [aliasFirst(session)] : []),
    ...through.map((caller) => letThrough(session, caller)),
    ...(bypass.length === 0 ? [] : await putBack(session, spec, target.latest)),
    ...statements.map((statement) => maybe(session, statement)),
    ...(await latestAliases(session, blind)),
  ];
  return { findings, bypass: target.alias ? bypass : [] };
}

/**
 * What could be read. If it decides whether production changes, a part that may not be read blocks the rollout; otherwise it
 * is only reported.
 */
async function seen<T>(blind: Finding[], what: string, decides: boolean, read: () => Promise<T[]>): Promise<T[]> {
  try {
    return await read();
  } catch (error) {
    if (!hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_REFUSED')) throw error;
    const message = `${what} could not be checked: ${error.message}`;
    blind.push(decides ? refuse(error.code, message) : warn('UNCHECKED', message));
    return [];
  }
}

async function putBack(session: Session, spec: Spec, latest: LambdaConfiguration): Promise<Finding[]> {
  const blind: Finding[] = [];
  const found = await seen(blind, 'whether $LATEST could be restored', true, () => checkPutBack(session, spec, latest));
  return [...blind, ...found];
}

async function mappings(session: Session): Promise<Caller[]> {
  const { function: fn } = session.target;
  return (await listMappings(session, fn))
    .filter(({ FunctionArn }) => isBare(FunctionArn))
    .map(({ UUID = '', EventSourceArn, State }) => ({
      id: `mapping/${UUID}`,
      what: `event source mapping ${UUID} (${EventSourceArn ?? 'unknown source'}${State === 'Disabled' ? ', disabled' : ''})`,
      move: `Move it: \`${aws(session, 'update-event-source-mapping', `--uuid ${UUID} --function-name ${address(session)}`)}\``,
    }));
}

async function urls(session: Session): Promise<Caller[]> {
  return (await listUrls(session))
    .filter(({ FunctionArn }) => isBare(FunctionArn))
    .map(({ FunctionUrl, AuthType = 'AWS_IAM' }) => ({
      id: 'url',
      what: `the function URL ${FunctionUrl ?? ''}`.trim(),
      move: urlCommands(session, AuthType),
    }));
}

async function calls(session: Session, spec: Spec, statements: Statement[]): Promise<Caller[]> {
  const name = session.target.function;
  const found = await countBareCalls(session, Date.now()).catch((error: unknown) => {
    if (spec.allowBypass.includes('calls') && hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_REFUSED')) return error;
    throw error;
  });
  if (found === null) return [];
  if (found instanceof Error) {
    const what = `calls of ${name} by its bare name, which could not be counted (${found.message})`;
    return [{ id: 'calls', what, move: '' }];
  }
  const ended = spec.allowBypass.find((id) => (untilOf(id) ?? 0) >= found.until);
  const able =
    statements.length === 0
      ? ''
      : `; its policy lets ${statements.map(({ sid, principal }) => `${principal} (${sid})`).join(', ')} call it`;
  const last = new Date(found.until).toISOString().slice(0, 16).replace('T', ' ');
  return [
    {
      id: ended ?? 'calls',
      what: `${found.calls} calls of ${name} by its bare name in the last 14 days, the last before ${last} UTC${able}`,
      move: `Have callers use ${address(session)}, or its ARN with :${session.target.alias} appended, instead of ${name}: API Gateway, Step Functions, schedules, SDKs. Once they do, \`allowBypass: [${callsUntil(found.until)}]\` lets the past calls through and no later one`,
      past: ended !== undefined,
    },
  ];
}

/** Aliases that point at $LATEST serve the release with its deployment too, as they are meant to. */
async function latestAliases(session: Session, blind: Finding[]): Promise<Finding[]> {
  const names = await seen(blind, 'aliases', false, async () => (await aliasesByVersion(session)).get('$LATEST') ?? []);
  return names
    .filter((name) => name !== session.target.alias)
    .map((name) =>
      warn(
        'ALIAS_OF_LATEST',
        `alias ${name} of ${session.target.function} points at $LATEST: its callers get the release as soon as it is deployed`,
      ),
    );
}

function refusal({ target: { function: fn } }: Session, { id, what, move }: Caller): Finding {
  return refuse(
    'SLUICE_BYPASS',
    `${what}: they reach the bare function ${fn}, which runs $LATEST, and would have got this release as soon as it is deployed, before any probe, weight or approval. ${move}. To release anyway: \`allowBypass: [${id}]\``,
  );
}

function letThrough({ target: { function: fn } }: Session, { id, what, past }: Caller): Finding {
  return past === true
    ? warn('BYPASS', `${what}: allowBypass says that these callers have left (${id})`)
    : warn(
        'BYPASS',
        `${what}: they reach the bare function ${fn} and get this release as soon as it is deployed, whatever the weight (allowBypass: ${id}). A rollback restores $LATEST after the traffic`,
      );
}

/** A statement alone calls nobody. */
function maybe(session: Session, { sid, principal }: Statement): Finding {
  const { function: fn } = session.target;
  return warn(
    'TRAFFIC_BYPASSES_ALIAS',
    `permission ${sid} for ${principal} points at the bare function ${fn}: its calls would run $LATEST. Point it at ${address(session)}`,
  );
}

/** The alias's revision is what tells a deployment by a worker that was cut off that its rollout is over. */
function unfenced(session: Session): Finding {
  return refuse(
    'SLUICE_BYPASS',
    `allowBypass is refused: ${address(session)} does not exist yet, and without it a worker that lost its connection could still give callers the release after a rollback`,
  );
}

function aliasFirst(session: Session): Finding {
  const { function: fn, alias } = session.target;
  return refuse(
    'SLUICE_BYPASS',
    `${address(session)} does not exist yet, and callers can only be moved to an alias that does. Create it with what they run now: \`${aws(session, 'publish-version', `--function-name ${fn}`)}\`, then, with the number that this prints, \`${aws(session, 'create-alias', `--function-name ${fn} --name ${alias} --function-version NUMBER`)}\``,
  );
}
