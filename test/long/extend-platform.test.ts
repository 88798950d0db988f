/** docs/development/add-a-platform.md is true: a platform is four files beside its own folder, and none can be forgotten. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CopiedTree } from '../setup/copied-tree.js';
import { ROOT } from '../support/tools.js';

const MODEL = 'src/model/target.ts';
const KIT = 'src/platforms/toy/kit.ts';
const SPEC = 'src/platforms/toy/spec.ts';
const DRIVER = 'src/platforms/toy/driver/index.ts';

/** What belongs to the platform: its own folder. */
const OWN = {
  [KIT]: `/** The toy platform, as far as it can be known without asking it. Pure. */
import { SluiceError } from '../../model/errors.js';
import type { PlatformKit } from '../kit.js';

const MB = 1024 * 1024;

export const toy: PlatformKit<'toy'> = {
  title: 'Toy',
  releases: ['folder', 'zip', 'version', 'artifact'],
  metrics: [],
  alarms: [],
  events: null,
  noBareCallers: 'nobody passes a box',
  defaults: { deadlines: {}, metrics: [], judge: {} },
  configured: (configuration) => configuration,
  runsBesideStable: () => true,
  places: ['box'],
  placesOf: ({ box }) => ({ box }),
  version: {
    form: 't-[0-9]+',
    called: 'a toy',
    write: 'a toy such as t-1',
    example: 't-1',
    written: (id) => id,
    toAdopt: 'put a toy into the box first',
  },
  needsCapacity: () => false,
  packing: {
    rules: {
      platform: 'Toy',
      links: 'copy',
      places: [],
      mostZipped: MB,
      mostUnzipped: MB,
      whenTooLarge: 'Remove files (.sluiceignore)',
    },
  },
  awsIdentity: () => null,
  insteadOfSecret: () => 'a toy that keeps its secrets',
  account: {
    form: 'name@region',
    accepts: ({ roleArn }) => roleArn === undefined,
    help: { account: 'the name of the room', region: 'it must be given', credentials: 'there are none' },
    hasDefault: false,
    regionIn: () => undefined,
    chosen: ({ account = 'default', region }) => {
      if (region === undefined) throw new SluiceError('SLUICE_USAGE', 'Toy needs the region: add --region');
      return { account, region };
    },
  },
  commandLine: {
    options: [{ name: 'box', help: "Box (default: the app's name).", initOnly: true }],
    target: (app, option, where) => ({ platform: 'toy', box: option('box') ?? app, ...where }),
    nameForm: 'BOX',
    targetNamed: (box, _option, where) => ({ platform: 'toy', box, ...where }),
    appOf: ({ box }) => box,
    fieldsOf: ({ box }) => [{ name: 'box', value: box }],
    otherSources: 'zip: FILE',
  },
};
`,
  [SPEC]: `/** What a rollout.yaml may say for a toy. */
import { z } from 'zod';
import { name, text } from '../../spec/schema/parts.js';
import * as fields from '../fields.js';
import type { SpecRules } from '../spec-rules.js';

export const toySpec = {
  target: {
    platform: z.literal('toy').describe('What the target runs on.'),
    box: text(60).describe('The box.'),
    region: text(60).describe('The region.'),
    account: name().describe('The account.'),
  },
  configuration: {
    environment: fields.environment(),
    colour: z.enum(['red', 'blue']).exactOptional().describe('The colour.'),
  },
  check: () => {},
} satisfies SpecRules<'toy'>;
`,
  [DRIVER]: `/** Toys, behind the port. */
import { SluiceError } from '../../../model/errors.js';
import type { Platform } from '../../port.js';

export function createToyPlatform(): Platform {
  return {
    driverFor: ({ platform }) => {
      throw new SluiceError('SLUICE_TARGET', \`nobody has built a driver of \${platform}\`);
    },
    sweep: async () => [],
  };
}
`,
};

/** What every other place must be told, by file: before which text, and what. */
const EDITS: Record<string, [before: string, more: string][]> = {
  [MODEL]: [
    [
      "  'app-service': { target: AppServiceTarget;",
      "  toy: { target: ToyTarget; configuration: { environment?: Record<string, string>; colour?: 'red' | 'blue' } };\n",
    ],
    [
      "  'app-service': {\n    target: (",
      '  toy: { target: ({ box }) => box, environment: (_target, side) => side },\n',
    ],
    [
      '/** A site of Azure App Service,',
      "interface ToyTarget {\n  platform: 'toy';\n  box: string;\n  region: string;\n  account: string;\n}\n\n",
    ],
  ],
  'src/platforms/registry.ts': [
    ["import type { PackingRules } from './packing.js';", "import { toy } from './toy/kit.js';\n"],
    ["'app-service': appService };", 'toy, '],
  ],
  'src/platforms/specs.ts': [
    ["import type { SpecRules } from './spec-rules.js';", "import { toySpec } from './toy/spec.js';\n"],
    ["  'app-service': appServiceSpec,", '  toy: toySpec,\n'],
  ],
  'src/platforms/drivers.ts': [
    [
      "import type { Platform, Served } from './port.js';",
      "import { createToyPlatform } from './toy/driver/index.js';\n",
    ],
    ["  'app-service': createAppServicePlatform,", '  toy: createToyPlatform,\n'],
  ],
};
const FILES = Object.keys(EDITS).sort();

let tree: CopiedTree;

function edit(file: string): void {
  const changes = (EDITS[file] ?? []).map(([before, more]): [string, string] => [before, `${more}${before}`]);
  tree.edit({ file, changes });
}

/** Runs `look` where the files are as the project has them. */
function without(files: string[], look: () => void): void {
  for (const file of files) tree.restore(file);
  try {
    look();
  } finally {
    for (const file of files) edit(file);
  }
}

beforeAll(() => {
  tree = CopiedTree.make('platform');
  for (const [file, text] of Object.entries(OWN)) tree.write(file, text);
  for (const file of FILES) edit(file);
});

afterAll(() => tree?.remove());

test('a platform needs its own folder and a few lines in four other files', () => {
  expect(tree.errors()).toEqual([]);
  expect(FILES.length).toBeLessThanOrEqual(4);
});

/** One look of the compiler finds them all: each of these files has an error itself. */
test('the compiler names each record that lacks the platform', () => {
  const records = FILES.filter((file) => file !== MODEL);
  without(records, () => {
    for (const file of records) expect(tree.errors(file)).toEqual([expect.stringContaining("'toy'")]);
  });
});

test('the compiler refuses a platform that the model does not list', () => {
  without([MODEL], () => {
    for (const file of Object.keys(OWN).filter((each) => each !== DRIVER)) expect(tree.errors(file)).not.toEqual([]);
    for (const file of FILES.filter((each) => each !== MODEL)) expect(tree.errors(file)).not.toEqual([]);
  });
});

test.each([
  [KIT, '  awsIdentity: () => null,\n'],
  [KIT, "  noBareCallers: 'nobody passes a box',\n"],
  [SPEC, "    box: text(60).describe('The box.'),\n"],
  [SPEC, "    colour: z.enum(['red', 'blue']).exactOptional().describe('The colour.'),\n"],
] as const)('%s does not compile without %j', (file, part) => {
  expect(OWN[file]).toContain(part);
  tree.write(file, OWN[file].replace(part, ''));
  try {
    expect(tree.errors(file)).not.toEqual([]);
  } finally {
    tree.write(file, OWN[file]);
  }
});

test('the page names these files', () => {
  const page = readFileSync(path.join(ROOT, 'docs', 'development', 'add-a-platform.md'), 'utf8');
  const named = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, file = '']) => file.replace('<name>', 'toy'));
  expect(named.sort()).toEqual([...FILES, ...Object.keys(OWN)].sort());
});
