/**
 * Runs suites again and again in one process, with jest's own describe, test and expect: the code under test is loaded once, the
 * suite anew each time. A child of `main.ts`, which ends it when it takes too long.
 */
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { jestExpect } from '@jest/expect';
import * as circus from 'jest-circus';

/** What is asked for. */
export interface Ask {
  /** From the root of the tree. */
  suite: string;
  /** Modules that the suite needs, in the order in which they load. */
  needs: string[];
  /** The mutant that is awake; 0: none. */
  mutant: number;
  /** Whether the modules load anew, with the mutant awake. */
  fresh: boolean;
  /** The tests to run, by their places in the suite; null: all. Their names may be others each time that the suite is read. */
  only: number[] | null;
}

export interface Ran {
  /** Tests by their places in the suite, with ms and the mutants whose place they have reached. */
  tests: { at: number; took: number; reached: number[] }[];
  /** Reached while the modules were loading. */
  loading: number[];
  /** Reached while the suite was read, or in its hooks. */
  around: number[];
  /** What failed first, in words, and its place if it is a test. */
  failed: string | null;
  failedAt: number | null;
}

declare global {
  var sluiceMutant: (id: number) => boolean;
}

/** No test is as long: main.ts ends what takes too long. */
const NEVER = 2 ** 31 - 1;

let awake = 0;
let reached = new Set<number>();
let runs = 0;

globalThis.sluiceMutant = (id) => {
  reached.add(id);
  return id === awake;
};
const { describe, test, it, beforeAll, beforeEach, afterAll, afterEach } = circus;
Object.assign(globalThis, { describe, test, it, beforeAll, beforeEach, afterAll, afterEach, expect: jestExpect });
register(new URL('fresh.js', import.meta.url));
process.on('unhandledRejection', () => undefined);

/** What has been reached since it was last asked. */
function take(): number[] {
  const found = [...reached];
  reached = new Set();
  return found;
}

async function run({ suite, needs, mutant, fresh, only }: Ask): Promise<Ran> {
  const ran: Ran = { tests: [], loading: [], around: [], failed: null, failedAt: null };
  circus.resetState();
  const state = circus.getState();
  state.testTimeout = NEVER;
  take();
  for (const each of needs) await import(pathToFileURL(path.resolve(each)).href);
  ran.loading = take();
  awake = mutant;
  runs += 1;
  let began = 0;
  const places = new Map<object, number>();
  const hear: Parameters<typeof circus.addEventHandler>[0] = (event, { rootDescribeBlock }) => {
    if (event.name === 'test_started') {
      ran.around.push(...take());
      began = performance.now();
    } else if (event.name === 'test_done') {
      const at = places.get(event.test) ?? -1;
      ran.tests.push({ at, took: performance.now() - began, reached: take() });
      if (event.test.errors.length === 0 || ran.failed !== null) return;
      ran.failed = nameOf(event.test);
      ran.failedAt = at;
      // One is enough.
      skipAll(rootDescribeBlock);
    } else if (event.name === 'hook_failure' && ran.failed === null) {
      ran.failed = `a hook: ${String(event.error)}`;
      skipAll(rootDescribeBlock);
    }
  };
  circus.addEventHandler(hear);
  await import(`${pathToFileURL(path.resolve(suite)).href}?${fresh ? 'fresh' : 'run'}=${runs}`);
  for (const test of testsIn(state.rootDescribeBlock)) {
    const at = places.size;
    places.set(test, at);
    if (only !== null && !only.includes(at)) test.mode = 'skip';
  }
  const { unhandledErrors } = await circus.run();
  circus.removeEventHandler(hear);
  ran.around.push(...take());
  ran.failed ??= unhandledErrors[0] ?? null;
  awake = 0;
  return ran;
}

type Block = ReturnType<typeof circus.getState>['rootDescribeBlock'];
type TestEntry = Extract<Block['children'][number], { type: 'test' }>;

function testsIn(block: Block): TestEntry[] {
  return block.children.flatMap((child) => (child.type === 'test' ? [child] : testsIn(child)));
}

function skipAll(block: Block): void {
  for (const test of testsIn(block)) test.mode = 'skip';
}

/** As jest calls it: the words of its blocks, and its own. */
function nameOf(test: { name: string; parent: Block }): string {
  const words = [test.name];
  for (let block: Block | undefined = test.parent; block?.parent !== undefined; block = block.parent) {
    words.unshift(block.name);
  }
  return words.join(' ');
}

process.on('message', (ask: Ask) => {
  const answer = (ran: Ran) => process.send?.(ran);
  run(ask).then(answer, (error: unknown) => {
    awake = 0;
    answer({
      tests: [],
      loading: [],
      around: [],
      failedAt: null,
      failed: `could not run: ${error instanceof Error ? error.stack : String(error)}`,
    });
  });
});
