/** Adds a strategy to a copy of the tree. The files that this touches are those that docs/development/add-a-strategy.md lists. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CopiedTree, type Edit } from '../setup/copied-tree.js';
import { ROOT } from '../support/tools.js';

const OWN = 'src/strategies/halves.ts';

/** Half of the users, then all of them. */
const HALVES = `import { ALL, DEPLOY_STAGE, stepsAt } from './steps.js';
import { ONE_APPROVAL, type Strategy } from './strategy.js';

export const halves: Strategy<'halves'> = {
  means: 'Half of the traffic, then all of it.',
  members: ({ bake }) => ({ bake: bake().prefault('5m').describe('Watched time at each half.') }),
  reach: 'split',
  plan: (spec) => {
    const { bake } = spec.strategy;
    const [none, half, all] = [stepsAt(spec, 0), stepsAt(spec, 50), stepsAt(spec, 100)];
    return [
      { name: DEPLOY_STAGE, steps: none.deploy() },
      { name: '50%', steps: [...half.shift(), ...half.bake(bake)] },
      { name: ALL, steps: [...all.promote(), ...all.bake(bake), ...all.compare(bake), ...all.finish()] },
    ];
  },
  watched: ({ bake }, judge) => [50, 100].map((weight) => ({ path: ['strategy', 'bake'], bake, weight, judge })),
  first: ({ bake }) => ({ bake, approval: undefined, stage: ALL }),
  approvals: ONE_APPROVAL,
  sample: 'strategy:\\n  type: halves\\n',
};
`;

const EDITS: Edit[] = [
  {
    file: 'src/model/strategy.ts',
    changes: [
      ['export interface StrategyFields {\n', 'export interface StrategyFields {\n  halves: { bake: Bake };\n'],
      ['= { direct: true,', '= { halves: true, direct: true,'],
    ],
  },
  {
    file: 'src/strategies/registry.ts',
    changes: [
      [
        "import { linear } from './linear.js';\n",
        "import { halves } from './halves.js';\nimport { linear } from './linear.js';\n",
      ],
      ['Strategy<T> } = { direct,', 'Strategy<T> } = { halves, direct,'],
    ],
  },
  {
    file: 'workflows/index.ts',
    changes: [
      [
        '/** The companion of a target. */\n',
        "/** Half of the users, then all of them. */\nexport async function halves(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {\n  return rollout('halves', input, carried);\n}\n\n/** The companion of a target. */\n",
      ],
    ],
  },
];

describe('a new strategy', () => {
  let tree: CopiedTree;

  beforeAll(() => {
    tree = CopiedTree.make('halves');
    tree.write(OWN, HALVES);
    for (const edit of EDITS) tree.edit(edit);
  });

  afterAll(() => tree.remove());

  test('needs its own file and a few lines in three others', () => {
    expect(tree.errors()).toEqual([]);
    expect(EDITS.length).toBeLessThanOrEqual(3);
  });

  test.each(EDITS.map(({ file }) => file))('does not compile if %s is forgotten', (file) => {
    tree.restore(file);
    try {
      expect(tree.firstError(OWN, 'src/client/start.ts', 'src/strategies/registry.ts')).toBeDefined();
    } finally {
      for (const edit of EDITS) if (edit.file === file) tree.edit(edit);
    }
  });

  test('does not compile without any member of its record, except optional rules', () => {
    const parts = ['means', 'members', 'reach', 'plan', 'watched', 'check', 'first', 'approvals', 'sample'];
    const lacking = (part: string) =>
      `import { halves } from './halves.js';\nimport type { Strategy } from './strategy.js';\nconst { ${part}: _, ...rest } = halves;\nexport const lacking: Strategy<'halves'> = rest;\n`;
    const files = parts.map((part) => [part, `src/strategies/lacking-${part}.ts`] as const);
    for (const [part, file] of files) tree.write(file, lacking(part));
    const found = tree.errors(...files.map(([, file]) => file)).join('\n');
    expect(files.filter(([, file]) => !found.includes(file)).map(([part]) => part)).toEqual(['check']);
    for (const [, file] of files) tree.delete(file);
  });

  test('is described by a page that names these files and no others', () => {
    const page = readFileSync(path.join(ROOT, 'docs', 'development', 'add-a-strategy.md'), 'utf8');
    const named = [...page.matchAll(/^\d\. `([^`]+)`/gm)].map(([, file = '']) => file.replace('<name>', 'halves'));
    expect(named).toEqual([OWN, ...EDITS.map(({ file }) => file)]);
  });
});
