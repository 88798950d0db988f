/** Emulated AWS: Lambda's rules for updating code and publishing versions. */
import { type Answer, json, parse } from '../http.js';
import { busy, invalidValue, stale } from './refusal.js';
import type { LambdaRequest } from './route.js';
import type { Configuration, Store } from './store.js';

/**
 * Rules of UpdateFunctionCode, UpdateFunctionConfiguration and PublishVersion: nothing while another update is in
 * progress ("Lambda function states"), and the RevisionId, where given, is the current one.
 */
export async function checkIdle(store: Store, request: LambdaRequest, body: Buffer): Promise<Configuration> {
  const now = await store.configuration(request, null);
  if (now.State === 'Pending' || now.LastUpdateStatus === 'InProgress') {
    throw busy(
      `The operation cannot be performed at this time. An update is in progress for resource: ${now.FunctionArn}`,
    );
  }
  const revision = parse(body).RevisionId;
  if (typeof revision === 'string' && revision !== now.RevisionId) throw stale();
  return now;
}

/** Rules of UpdateFunctionCode: those above, and a function keeps its package type ("Create a function using a container image"). */
export async function checkCode(store: Store, request: LambdaRequest, body: Buffer): Promise<void> {
  const now = await checkIdle(store, request, body);
  const isImage = now.PackageType === 'Image';
  if (isImage === 'ImageUri' in parse(body)) return;
  throw invalidValue(
    isImage
      ? 'Please provide ImageUri when updating a function with packageType Image.'
      : 'Please do not provide ImageUri when updating a function with packageType Zip.',
  );
}

/**
 * Rules of PublishVersion: the CodeSha256, where given, is that of $LATEST; and what has not changed since the last
 * version is that version. Returns the answer then, null when a new version is due.
 */
export async function checkPublish(store: Store, request: LambdaRequest, body: Buffer): Promise<Answer | null> {
  const latest = await checkIdle(store, request, body);
  const digest = parse(body).CodeSha256;
  if (typeof digest === 'string' && digest !== latest.CodeSha256) {
    throw invalidValue(
      `CodeSHA256 (${digest}) is different from current CodeSHA256 in $LATEST (${latest.CodeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
    );
  }
  const versions = (await store.versions(request)).filter((each) => each.Version !== '$LATEST');
  const last = versions.reduce<Configuration | null>(
    (newest, each) => (newest === null || Number(each.Version) > Number(newest.Version) ? each : newest),
    null,
  );
  return last !== null && content(last) === content(latest) ? json(201, last) : null;
}

/**
 * A function that is being updated goes on as Active, and `LastUpdateStatus` alone says that something is going on
 * ("Lambda function states"); the server says Pending. For the answers that have a configuration.
 */
export function withState(answer: Answer): Answer {
  const body = parse(answer.body);
  const inside = body.Configuration as Record<string, unknown> | undefined;
  const configuration = inside ?? body;
  if (answer.status >= 300 || configuration.State !== 'Pending' || configuration.StateReasonCode !== 'Updating')
    return answer;
  const { StateReason, StateReasonCode, ...rest } = configuration;
  const active = { ...rest, State: 'Active' };
  return json(answer.status, inside === undefined ? active : { ...body, Configuration: active }, answer.headers);
}

/** All that makes a version what it is; not what tells one publication from another. */
const CONTENT = [
  ...['CodeSha256', 'Runtime', 'Handler', 'Role', 'Timeout', 'MemorySize', 'Environment', 'Layers', 'PackageType'],
  ...['Architectures', 'DeadLetterConfig', 'TracingConfig', 'VpcConfig', 'EphemeralStorage', 'FileSystemConfigs'],
  ...['KMSKeyArn', 'ImageConfigResponse', 'LoggingConfig'],
];

function content(configuration: Configuration): string {
  // A version says whether it has its snapshot, $LATEST never has one: only what was asked for is content.
  const snapStart = configuration.SnapStart?.ApplyOn ?? 'None';
  return JSON.stringify([...CONTENT.map((field) => configuration[field] ?? null), snapStart]);
}
