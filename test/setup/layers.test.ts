/** The layer rules on a small house where each of them is broken once: a rule that cannot fail would guard nothing. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from '../support/tools.js';

interface Violation {
  rule: { name: string };
  from: string;
}

const CONFIG = path.join(ROOT, '.dependency-cruiser.cjs');

/** What is there to be imported. */
const HOUSE = [
  'activities/core.ts',
  'emulators/temporal.ts',
  'src/artifact/index.ts',
  'src/client/index.ts',
  'src/judge/index.ts',
  'src/model/ids.ts',
  'src/platforms/drivers.ts',
  'src/platforms/lambda/driver/index.ts',
  'src/platforms/lambda/driver/alias.ts',
  'src/platforms/other/driver/index.ts',
  'src/platforms/registry.ts',
  'src/platforms/specs.ts',
  'src/secrets/index.ts',
  'src/spec/index.ts',
  'src/strategies/canary.ts',
  'src/strategies/registry.ts',
  'src/worker/index.ts',
  'test/support/specs.ts',
  'workflows/index.ts',
  'workflows/messages.ts',
];

/** Rule, the file that breaks it, and what it must not import. */
const BREACHES: [string, string, string][] = [
  ['workflows-are-deterministic', 'workflows/a.ts', '../activities/core.js'],
  ['workflows-are-deterministic', 'workflows/b.ts', '../src/spec/index.js'],
  ['workflows-are-deterministic', 'workflows/c.ts', 'node:fs'],
  ['workflows-are-deterministic', 'workflows/d.ts', 'zod'],
  ['model-is-a-leaf', 'src/model/a.ts', '../strategies/registry.js'],
  ['strategies-are-pure', 'src/strategies/a.ts', 'node:fs'],
  ['strategies-are-pure', 'src/strategies/b.ts', '../spec/index.js'],
  ['judge-is-pure', 'src/judge/a.ts', '../spec/index.js'],
  ['spec-parses', 'src/spec/a.ts', '../client/index.js'],
  ['kits-are-rules', 'src/platforms/lambda/kit.ts', '../../spec/index.js'],
  ['kits-are-rules', 'src/platforms/a.ts', './lambda/driver/index.js'],
  ['kits-are-rules', 'src/platforms/other/kit.ts', 'node:fs'],
  ['kits-load-no-schema', 'src/platforms/b.ts', './specs.js'],
  ['platforms-say-what-a-spec-may-say', 'src/platforms/other/spec.ts', '../../spec/index.js'],
  ['artifact-packs', 'src/artifact/a.ts', '../spec/index.js'],
  ['store-keeps', 'src/store/a.ts', '../client/index.js'],
  ['cloud-is-a-leaf', 'src/cloud/a.ts', '../client/index.js'],
  ['codec-encrypts', 'src/codec/a.ts', '../client/index.js'],
  ['access-decides', 'src/access/a.ts', '../client/index.js'],
  ['client-speaks-by-messages', 'src/client/a.ts', '../../workflows/index.js'],
  ['client-speaks-by-messages', 'src/client/b.ts', '../platforms/drivers.js'],
  ['cli-holds-no-credentials', 'src/cli/a.ts', '../../activities/core.js'],
  ['cli-holds-no-credentials', 'src/cli/b.ts', '../secrets/index.js'],
  ['workers-know-no-host', 'activities/a.ts', '../src/client/index.js'],
  ['workers-know-no-host', 'src/platforms/lambda/driver/b.ts', '../../../client/index.js'],
  ['emulators-stand-alone', 'emulators/a.ts', '../activities/core.js'],
  ['one-composition-root', 'src/elsewhere.ts', '../activities/core.js'],
  ['one-composition-root', 'src/elsewhere2.ts', './platforms/drivers.js'],
  ['drivers-have-one-face', 'src/worker/a.ts', '../platforms/lambda/driver/alias.js'],
  ['platforms-know-no-other', 'src/platforms/lambda/driver/a.ts', '../../other/driver/index.js'],
  ['folders-have-one-face', 'activities/b.ts', '../src/strategies/canary.js'],
  ['nothing-needs-tests', 'src/a.ts', '../test/support/specs.js'],
  ['resolvable', 'src/b.ts', './no-such-file.js'],
];

/** Imports that must stay possible. */
const ALLOWED: [string, string][] = [
  ['workflows/ok.ts', "import type { x } from '../activities/core.js';\nexport type Y = typeof x;\n"],
  ['workflows/ok2.ts', "import { x } from '../src/model/ids.js';\nexport { x };\n"],
  ['workflows/ok3.ts', "import { sleep } from '@temporalio/workflow';\nexport { sleep };\n"],
  ['src/client/ok.ts', "import { x } from '../../workflows/messages.js';\nexport { x };\n"],
  ['src/cli/ok.ts', "import { x } from '../../emulators/temporal.js';\nexport { x };\n"],
  ['src/worker/ok.ts', "import { x } from '../platforms/drivers.js';\nexport { x };\n"],
  ['src/strategies/ok.ts', "import { x } from '../platforms/registry.js';\nexport { x };\n"],
  ['src/platforms/lambda/driver/ok.ts', "import { x } from '../../../secrets/index.js';\nexport { x };\n"],
];

let folder: string;
let violations: Violation[];

beforeAll(() => {
  mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'layers-'));
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  write('tsconfig.json', '{ "compilerOptions": { "module": "nodenext", "target": "es2023" } }\n');
  for (const file of HOUSE) write(file, `export const x = '${file}';\n`);
  for (const [, file, wrong] of BREACHES) write(file, `import * as wrong from '${wrong}';\nexport { wrong };\n`);
  for (const [file, text] of ALLOWED) write(file, text);
  write('src/model/ring.ts', "import { y } from './ring2.js';\nexport const z = y;\n");
  write('src/model/ring2.ts', "import { z } from './ring.js';\nexport const y = z;\n");
  write('workflows/ring.ts', "import type { Y } from './ring2.js';\nexport type Z = Y | 1;\n");
  write('workflows/ring2.ts', "import type { Z } from './ring.js';\nexport type Y = Z | 2;\n");
  const program = path.join(ROOT, 'node_modules', '.bin', 'depcruise');
  const args = ['--config', CONFIG, '--output-type', 'json', 'src', 'workflows', 'activities', 'emulators'];
  const { stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1e8 });
  expect(stderr).toBe('');
  violations = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(BREACHES)('%s: %s may not import %s', (rule, file) => {
  expect(violations.filter(({ from }) => from === file).map(({ rule: { name } }) => name)).toContain(rule);
});

test.each(['src/model/ring.ts', 'workflows/ring.ts'])('no-cycles: %s is in a circle, by values or by types', (file) => {
  const found = violations.filter(({ rule: { name } }) => name === 'no-cycles');
  expect(found.map(({ from }) => from)).toContain(file);
});

test.each(ALLOWED)('%s may import what it imports', (file) => {
  expect(violations.filter(({ from }) => from === file)).toEqual([]);
});

test('every rule is broken here once', () => {
  const { forbidden } = createRequire(import.meta.url)(CONFIG) as { forbidden: { name: string }[] };
  const broken = new Set([...BREACHES.map(([name]) => name), 'no-cycles']);
  expect(forbidden.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
});
