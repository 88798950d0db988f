/** Commands as commander's: parsing and help come from the data. */
import { Command as Commander, CommanderError, Option as CommanderOption, InvalidArgumentError } from 'commander';
import { suggestion } from '../spec/nearest.js';
import type { Command, Sink } from './command.js';

/** What was asked for: a command with its values, or nothing more to do (help was printed). */
export type Parsed =
  | { command: Command; args: Record<string, string | undefined>; options: Record<string, unknown> }
  | { exit: number; message: string | null };

/** Options every command has. */
export const COMMON = [
  {
    flags: '-o, --output <format>',
    means: 'Answer as text or json; NDJSON while watching.',
    choices: ['text', 'json'],
  },
  { flags: '--no-color', means: 'No colours. NO_COLOR does the same.' },
] as const;

/** What other tools call it, and what is meant here. */
const MEANT: Record<string, string> = {
  rollback:
    '`sluice abort APP/ENVIRONMENT` takes back a rollout that runs, `sluice undo APP/ENVIRONMENT` one that has succeeded',
  deploy: '`sluice start rollout.yaml` releases, `sluice plan rollout.yaml` shows what it would do',
  watch: '`sluice get APP/ENVIRONMENT --watch` shows a rollout until it ends',
  logs: '`sluice get APP/ENVIRONMENT` shows what has happened, `sluice report APP/ENVIRONMENT` all of it, with the most frequent errors of the candidate',
  cancel: '`sluice abort APP/ENVIRONMENT` ends a rollout and goes back',
  stop: '`sluice abort APP/ENVIRONMENT` ends a rollout and goes back, `sluice pause APP/ENVIRONMENT` keeps the weight',
};

/** Reads `argv` (without node and script). Help goes to `stdout`, usage errors come back as a message. */
export async function parse(
  argv: string[],
  commands: Command[],
  sinks: { stdout: Sink; version: string; width: number },
): Promise<Parsed> {
  let found: Parsed | null = null;
  const program = new Commander('sluice')
    .description('Roll out serverless code safely.')
    .version(sinks.version)
    .usage('<command> [options]')
    .helpCommand('help [command]', 'Help on a command.')
    .showSuggestionAfterError(true);
  for (const data of commands) {
    const sub = program.command(data.name).description(data.does).summary(data.does);
    for (const { name, means } of data.args) sub.argument(name, means);
    for (const option of [...data.options, ...COMMON]) sub.addOption(optionOf(option));
    sub.addHelpText('after', helpAfter(data));
    sub.action((...given: unknown[]) => {
      const values = given.slice(0, data.args.length) as (string | undefined)[];
      const args = Object.fromEntries(data.args.map(({ name }, at) => [name.replace(/[<>[\].]/g, ''), values[at]]));
      found = { command: data, args, options: sub.opts() };
    });
  }
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({
      writeOut: (text) => sinks.stdout.write(text),
      writeErr: () => undefined,
      getOutHelpWidth: () => sinks.width,
      getErrHelpWidth: () => sinks.width,
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { exit: 0, message: null };
    return { exit: 2, message: worded(error, argv, commands) };
  }
  return found ?? { exit: 0, message: null };
}

function optionOf(data: {
  flags: string;
  means: string;
  choices?: readonly string[];
  many?: boolean;
}): CommanderOption {
  const option = new CommanderOption(data.flags, data.means);
  if (data.choices !== undefined) option.choices([...data.choices]);
  if (data.many === true) {
    option.argParser((value: string, before: unknown) => {
      if (value === '') throw new InvalidArgumentError('it is empty');
      return [...(Array.isArray(before) ? before : []), value];
    });
  }
  return option;
}

function helpAfter(data: Command): string {
  const more = data.more === undefined ? '' : `\n${data.more}\n`;
  return `${more}${data.examples.length === 0 ? '' : `\nExamples:\n${data.examples.map((line) => `  ${line}`).join('\n')}\n`}`;
}

function worded(error: CommanderError, argv: string[], commands: Command[]): string {
  const said = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  if (error.code === 'commander.unknownCommand') {
    const word = argv.find((each) => !each.startsWith('-')) ?? '';
    if (Object.hasOwn(MEANT, word)) return `there is no command "${word}"; ${MEANT[word]}`;
    return `there is no command "${word}"${suggestion(
      word,
      commands.map(({ name }) => name),
    )}`;
  }
  return error.code === 'commander.help' ? 'say what to do; `sluice --help` lists the commands' : said;
}
