/** The first rollout.yaml of a user, as `init` and `adopt` write it. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Target } from '../model/spec.js';
import type { Strategy } from '../model/words.js';
import { kitOf, type TargetField } from '../platforms/registry.js';
import { usageError } from './usage-error.js';

export interface FirstSpec {
  app: string;
  environment: string;
  target: Target;
  release: { folder: string } | { version: number | string };
  /** The safest that the target can have, unless given. */
  strategy?: Strategy | undefined;
}

/** YAML, with a comment where a newcomer has to decide. */
export async function firstSpec(of: FirstSpec): Promise<string> {
  const kit = kitOf(of.target.platform);
  const release =
    'folder' in of.release
      ? `  # A folder to upload. Or ${kit.commandLine.otherSources}.\n  folder: ${quoted(of.release.folder)}`
      : `  # The version that is live now. Put the one to roll out here, or folder: PATH to let Sluice publish it.\n  version: ${of.release.version}`;
  return `# What to roll out, where, and how. \`sluice schema\` prints the schema of all fields.
app: ${quoted(of.app)}
environment: ${quoted(of.environment)}

target:
${targetLines(of.target)}

release:
${release}

${await sampleOf(of, kit.runsBesideStable(of.target))}`;
}

/** The records are with the parser's library, without which the command line starts. */
async function sampleOf({ strategy }: FirstSpec, beside: boolean): Promise<string> {
  const { STRATEGY } = await import('../strategies/registry.js');
  const { sample, reach } = STRATEGY[strategy ?? (beside ? 'canary' : 'direct')];
  if (beside || reach === 'atOnce') return sample;
  throw usageError(
    `--strategy ${strategy} deploys beside the live release, and this target has no place for that; use direct, or name a slot`,
  );
}

function targetLines(target: Target): string {
  const fields = kitOf(target.platform).commandLine.fieldsOf(target);
  return [`  platform: ${target.platform}`, ...fields.flatMap(fieldLines)].join('\n');
}

function fieldLines({ name, value, comment }: TargetField): string[] {
  const line = typeof value === 'string' ? `  ${name}: ${quoted(value)}` : `  # ${name}: ${value.example}`;
  return comment === undefined ? [line] : [`  # ${comment}`, line];
}

/** As a YAML scalar: plain where that is safe. */
function quoted(text: string): string {
  const plain = /^[A-Za-z./][\w./:@-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain && !text.endsWith(':') ? text : JSON.stringify(text);
}

/** Errors: SLUICE_USAGE if the file exists. */
export function writeNew(cwd: string, file: string, text: string): void {
  refuseExisting(cwd, file);
  try {
    writeFileSync(path.resolve(cwd, file), text, { flag: 'wx' });
  } catch (error) {
    throw usageError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function refuseExisting(cwd: string, file: string): void {
  if (existsSync(path.resolve(cwd, file))) {
    throw usageError(`${file} already exists and is not overwritten; choose another with --file`);
  }
}
