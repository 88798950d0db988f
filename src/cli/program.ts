/** The parser of the command line and its help: commander, built from the commands' data. */
import { Command as Commander, CommanderError, Option as CommanderOption, InvalidArgumentError } from 'commander';
import { suggestion } from '../spec/nearest.js';
import type { Command, CommandLine, Sink } from './command.js';
import { EVERYWHERE } from './common.js';
import { flagOf, type Option, type RawValue } from './inputs.js';
import { GROUPS, groupOf } from './registry.js';

/** A command with the words it was given, or nothing more to do (help was printed). */
export type Parsed = ({ command: Command } & CommandLine) | { exit: number; message: string | null };

const HELP = 'help';

/** What other tools call it. */
const ELSEWHERE: [words: string[], answer: string][] = [
  [
    ['deploy', 'release', 'rollout', 'ship', 'apply', 'push', 'publish', 'create', 'run'],
    '`sluice start rollout.yaml` starts a rollout; `sluice plan rollout.yaml` shows what it would do',
  ],
  [
    ['rollback', 'revert', 'restore'],
    '`sluice abort APP/ENVIRONMENT` rolls back a running rollout, `sluice undo APP/ENVIRONMENT` one that has succeeded',
  ],
  [
    ['stop', 'cancel', 'terminate', 'kill'],
    '`sluice abort APP/ENVIRONMENT` ends a rollout and rolls it back, `sluice pause APP/ENVIRONMENT` keeps its current traffic until you resume it',
  ],
  [['watch', 'tail', 'follow'], '`sluice get APP/ENVIRONMENT --watch` shows a rollout until it ends'],
  [['show', 'describe', 'inspect', 'view'], '`sluice get APP/ENVIRONMENT` shows the current rollout'],
  [
    ['logs', 'log', 'events'],
    '`sluice get APP/ENVIRONMENT` shows the latest events; `sluice report APP/ENVIRONMENT` writes a page with all of them and the most frequent errors of the candidate',
  ],
  [['diff', 'preview', 'dry-run'], '`sluice plan rollout.yaml` shows what a rollout would do'],
  [['lint', 'check', 'synth'], '`sluice validate rollout.yaml` checks a spec'],
  [
    ['ls', 'ps', 'rollouts', 'deployments', 'versions'],
    '`sluice list` lists rollouts, `sluice releases APP` what was live when',
  ],
  [['accept', 'confirm', 'allow'], '`sluice approve APP/ENVIRONMENT` approves the stage that is waiting'],
  [['deny', 'decline'], '`sluice reject APP/ENVIRONMENT` rejects the stage that is waiting'],
  [['continue', 'unpause'], '`sluice resume APP/ENVIRONMENT` continues a paused rollout'],
  [['next', 'advance', 'shift'], '`sluice promote APP/ENVIRONMENT` continues with the next stage'],
  [
    ['destroy', 'delete', 'remove', 'rm'],
    'Sluice deletes no function and no site; `sluice undo APP/ENVIRONMENT` rolls back a release, `sluice prune` deletes unused artifacts',
  ],
  [['gc', 'clean', 'cleanup'], '`sluice prune` lists and deletes unused artifacts'],
  [['dev', 'local', 'demo', 'serve'], '`sluice up --emulate aws` runs everything on this machine'],
  [
    ['login', 'auth', 'whoami'],
    '`sluice key` shows your signing key; commands that start or decide something take --login for a browser login',
  ],
  [['version'], '`sluice --version` prints the version'],
];

/** Reads `argv` (without node and script). Help goes to `stdout`, usage errors come back as a message. */
export async function parse(
  argv: string[],
  commands: Command[],
  sinks: { stdout: Sink; version: string; width: number },
): Promise<Parsed> {
  const word = commandIn(argv);
  const asksHelp = argv.some((each) => [HELP, '--help', '-h'].includes(each));
  // Commander has help for whatever word it is asked about.
  if (asksHelp && word !== '' && word !== HELP && commands.every(({ name }) => name !== word)) {
    return { exit: 2, message: noCommand(word, commands) };
  }
  let found: Parsed | null = null;
  const program = new Commander('sluice')
    .description('Roll out serverless code safely: step by step, watched, and rolled back if it is worse.')
    .version(sinks.version)
    .usage('<command> [options]')
    .addHelpCommand(helpCommand())
    .configureHelp({
      subcommandTerm: (sub) =>
        [sub.name(), ...sub.registeredArguments.map((each) => argumentName(each.name(), each.required))].join(' '),
    })
    .showSuggestionAfterError(true);
  for (const command of commands) {
    const { name, summary, description } = command;
    const sub = program.command(name).summary(summary);
    const group = groupOf(name);
    if (group !== undefined) sub.helpGroup(group);
    sub.description(description === undefined ? summary : `${summary}\n\n${description}`);
    for (const [argument, { required, help }] of Object.entries(command.args)) {
      sub.argument(argumentName(argument, required), help);
    }
    const options = Object.entries({ ...command.options, ...EVERYWHERE }).map(
      ([name, option]) => [name, optionOf(name, option)] as const,
    );
    for (const [, option] of options) sub.addOption(option);
    if (command.examples.length > 0) sub.addHelpText('after', ['\nExamples:', ...command.examples].join('\n  '));
    sub.action((...values: unknown[]) => {
      const args = Object.keys(command.args).map((argument, at) => [argument, values[at]]);
      const given: Record<string, RawValue> = sub.opts();
      found = {
        command,
        args: Object.fromEntries(args),
        options: Object.fromEntries(options.map(([name, option]) => [name, writtenValue(option, given)])),
      };
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

function helpCommand(): Commander {
  const help = new Commander(HELP).argument('[command]').summary('Show the help of a command.');
  const title = GROUPS.at(-1)?.title;
  return title === undefined ? help : help.helpGroup(title);
}

/** `<file>` when it must be given, `[file]` when it may. */
export function argumentName(name: string, required: boolean): string {
  return required ? `<${name}>` : `[${name}]`;
}

/** `-w, --watch`, `--timeout <duration>`. */
export function flagsOf(name: string, { short, value }: Option): string {
  return `${short === null ? '' : `-${short}, `}${flagOf(name)}${value === null ? '' : ` <${value}>`}`;
}

function optionOf(name: string, option: Option): CommanderOption {
  const made = new CommanderOption(flagsOf(name, option), option.help);
  if (option.choices !== null) made.choices([...option.choices]);
  if (option.repeats) {
    made.argParser((value: string, before: unknown) => {
      if (value === '') throw new InvalidArgumentError('It is empty.');
      return [...(Array.isArray(before) ? before : []), value];
    });
  }
  return made;
}

/** Commander keeps `--no-color` as a `color` that is false. */
function writtenValue(option: CommanderOption, given: Record<string, RawValue>): RawValue {
  const value = given[option.attributeName()];
  return option.negate ? value === false : value;
}

function worded(error: CommanderError, argv: string[], commands: Command[]): string {
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  if (error.code === 'commander.unknownCommand') return noCommand(commandIn(argv), commands);
  return error.code === 'commander.help' ? 'no command given; `sluice --help` lists them' : message;
}

/** The word that should be a command's name; empty if there is none. */
function commandIn(argv: string[]): string {
  const [first = '', second = ''] = argv.filter((each) => !each.startsWith('-'));
  return first === HELP ? second : first;
}

function noCommand(word: string, commands: Command[]): string {
  const answer = ELSEWHERE.find(([words]) => words.includes(word))?.[1];
  if (answer !== undefined) return `there is no command "${word}"; ${answer}`;
  return `there is no command "${word}"${suggestion(
    word,
    commands.map(({ name }) => name),
  )}`;
}
