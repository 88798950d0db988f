/** What a handler gets of a command line. That names and types hold is checked by the compiler: each `@ts-expect-error` must be one. */
import { type CommandLine, type Context, command } from '../../src/cli/command.js';
import { TARGET } from '../../src/cli/common.js';
import { argument, choice, duration, flag, list, optional, person, port, text } from '../../src/cli/inputs.js';

/** What the handler of a command with every kind of input got. */
async function read(line: CommandLine, env: Record<string, string> = {}): Promise<unknown> {
  let got: unknown;
  const every = command({
    name: 'every',
    summary: '',
    args: { target: TARGET, file: optional(argument('')) },
    options: {
      force: flag(''),
      stage: text('name', ''),
      accounts: list('name', ''),
      until: choice('state', ['done', 'held'], ''),
      olderThan: duration(''),
      port: port(''),
      by: person(''),
    },
    examples: [],
    handler: async ({ args, options }) => {
      const typed: {
        target: { app: string; environment: string };
        file: string | undefined;
        force: boolean;
        stage: string | undefined;
        accounts: string[];
        until: 'done' | 'held' | undefined;
        olderThan: number | undefined;
        port: number | undefined;
        by: string;
      } = { ...args, ...options };
      got = typed;
      return 0;
    },
  });
  await every.run(line, { env } as unknown as Context);
  return got;
}

const TYPED = { target: 'checkout/production' };

test('an empty command line is parsed', async () => {
  expect(await read({ args: TYPED, options: {} }, { SLUICE_BY: 'ann' })).toEqual({
    target: { app: 'checkout', environment: 'production' },
    file: undefined,
    force: false,
    stage: undefined,
    accounts: [],
    until: undefined,
    olderThan: undefined,
    port: undefined,
    by: 'ann',
  });
});

test('a full command line is parsed', async () => {
  const options = {
    force: true,
    stage: '10%',
    accounts: ['a', 'b'],
    until: 'held',
    olderThan: '1h30m',
    port: '8080',
    by: 'bob',
  };
  expect(await read({ args: { ...TYPED, file: 'x' }, options }, { SLUICE_BY: 'ann' })).toEqual({
    ...options,
    target: { app: 'checkout', environment: 'production' },
    file: 'x',
    olderThan: 5_400_000,
    port: 8080,
  });
});

test.each([
  [{ args: { target: 'checkout' }, options: {} }, '"checkout" is not a target; write APP/ENVIRONMENT'],
  [{ args: TYPED, options: { olderThan: '5' } }, '--older-than is "5"; write a duration such as 90s'],
  [{ args: TYPED, options: { port: '65536' } }, '--port is "65536"; write a port from 0 to 65535'],
])('%j is refused', async (line, message) => {
  await expect(read(line)).rejects.toMatchObject({ code: 'SLUICE_USAGE', message: expect.stringContaining(message) });
});

test('a misspelt name and a wrong type do not compile', () => {
  const typed = command({
    name: 'typed',
    summary: '',
    args: { target: TARGET },
    options: { keepQueue: flag(''), timeout: duration('') },
    examples: [],
    handler: async ({ args, options }) => {
      // @ts-expect-error The option is keepQueue.
      const misspelt = options.keepqueue;
      // @ts-expect-error The argument is target.
      const absent = args.file;
      // @ts-expect-error The flag is a boolean.
      const wrong: string = options.keepQueue;
      // @ts-expect-error It need not be given.
      const given: number = options.timeout;
      return [misspelt, absent, wrong, given].length;
    },
  });
  expect(Object.keys(typed.options)).toEqual(['keepQueue', 'timeout']);
});
