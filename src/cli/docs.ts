/** docs/cli.md, made from the commands' own data: `node dist/src/cli/docs.js` writes it, a test compares. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERB_TABLE } from '../model/verbs.js';
import { type MessageVerb, PHASES } from '../model/words.js';
import type { Command } from './command.js';
import { EVERYWHERE } from './common.js';
import { EXIT } from './exit-codes.js';
import type { Option } from './inputs.js';
import { argumentName, flagsOf } from './program.js';
import { allCommands, GROUPS } from './registry.js';
import { projectRoot } from './version.js';

const HEAD = `# The command line

<!-- Made from src/cli by \`node dist/src/cli/docs.js\`. Change the commands, not this page. -->

Run commands with \`npx sluice <command>\`.

- **Output.** Data goes to stdout; progress and errors go to stderr. An error is one line, \`error CODE: message\` ([errors.md](errors.md) lists the codes). With \`-o json\` it is
  the object \`{"error":{"code","message"}}\` on stdout.
- **Connection.** \`TEMPORAL_ADDRESS\`, \`TEMPORAL_NAMESPACE\`, \`TEMPORAL_API_KEY\`, \`TEMPORAL_TLS*\`, \`TEMPORAL_PROFILE\` or Temporal's own configuration file select the server.
  With \`SLUICE_CODEC_KEYS\` the command line encrypts and decrypts payloads ([encryption.md](encryption.md)).
- **Credentials.** The worker holds the cloud credentials. The command line only needs permission to create objects below one prefix of the artifact store ([artifacts.md](artifacts.md)).
- **Questions.** Only \`adopt --move-callers\` asks one, on a terminal and without \`--yes\`.
- **Following a rollout.** On a terminal the view is redrawn. Elsewhere each change is a line with its time, and a heartbeat follows every 30 s. Ctrl-C stops following, never the rollout.

While following, \`-o json\` writes one message per line: first \`{"type":"version","version":1}\`, then
\`{"type":"view","at":ms,"view":{…}}\` for each change, \`{"type":"trouble","at":ms,"message"}\` if nothing responds, and last
\`{"type":"end","at":ms,"exit":N,"phase","outcome"}\`.
`;

export async function cliDocs(): Promise<string> {
  const commands = await allCommands();
  const groups = GROUPS.map(({ title, commands: loads }) => ({
    title,
    commands: commands.filter(({ name }) => Object.hasOwn(loads, name)),
  }));
  return [HEAD, contents(groups), ...groups.map(chapter), everywhere(), exitCodes(), verbs()].join('\n');
}

interface Chapter {
  title: string;
  commands: Command[];
}

/** Every command with its one line, by group. */
function contents(groups: Chapter[]): string {
  const lines = groups.flatMap(({ title, commands }) => {
    const rows = commands.map(({ name, summary }) => [`[${name}](#sluice-${name})`, summary]);
    return [`**${title}**`, '', ...table(['command', 'what it does'], rows), ''];
  });
  return ['## All commands', '', ...lines].join('\n');
}

function chapter({ title, commands }: Chapter): string {
  return [`## ${title}`, '', ...commands.map(section)].join('\n');
}

function exitCodes(): string {
  const rows = Object.values(EXIT).map(({ code, means }) => [String(code), means]);
  return ['## Exit codes', '', ...table(['code', 'meaning'], rows), ''].join('\n');
}

function everywhere(): string {
  return ['## Options of every command', '', ...table(['option', 'meaning'], optionRows(EVERYWHERE)), ''].join('\n');
}

function optionRows(options: Record<string, Option>): string[][] {
  return Object.entries(options).map(([name, option]) => {
    const choices = option.choices?.map((each) => `\`${each}\``).join(', ');
    return [`\`${flagsOf(name, option)}\``, choices === undefined ? option.help : `${option.help} One of ${choices}.`];
  });
}

/** The same table that the workflow decides by. */
function verbs(): string {
  const names = Object.keys(VERB_TABLE) as MessageVerb[];
  const rows = PHASES.map((phase) => [phase, ...names.map((verb) => VERB_TABLE[verb].in[phase] ?? '')]);
  return [
    '## What each command does in each phase',
    '',
    'Commands to a running rollout. In a phase with an empty cell the command is refused (exit code 7).',
    '',
    ...table(['phase', ...names], rows),
    '',
  ].join('\n');
}

function section({ name, summary, description, args, options, examples }: Command): string {
  const named = Object.entries(args).map(([argument, { required, help }]) => [argumentName(argument, required), help]);
  const usage = ['sluice', name, ...named.map(([argument]) => argument), '[options]'].join(' ');
  const lines = [`### sluice ${name}`, '', summary, ''];
  if (description !== undefined) lines.push(...blocks(description), '');
  lines.push('```', usage, '```', '');
  const rows = [...named.map(([argument, help = '']) => [`\`${argument}\``, help]), ...optionRows(options)];
  if (rows.length > 0) lines.push(...table(['', 'meaning'], rows), '');
  if (examples.length > 0) lines.push('```', ...examples, '```', '');
  return lines.join('\n');
}

/** Prose as it is; lines laid out in columns as a block. */
function blocks(text: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const [inside, before] = [line.startsWith('  '), lines[at - 1]?.startsWith('  ') === true];
    const edge = inside === before ? [] : inside ? ['', '```'] : ['```', ''];
    const end = inside && at === lines.length - 1 ? ['```'] : [];
    return [...edge, line, ...end];
  });
}

/** Padded, as the project's formatter leaves it. */
function table(head: string[], rows: string[][]): string[] {
  const cells = [head, ...rows].map((row) => row.map((text) => text.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: string[]) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 3)).join(' | ')} |`;
  const [first = [], ...rest] = cells;
  return [line(first), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest.map(line)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(path.join(projectRoot(), 'docs', 'cli.md'), await cliDocs());
}
