/** docs/development/add-a-verb.md is true: a verb is three files beside its own, and the compiler names those that were forgotten. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CopiedTree, type Edit } from '../setup/copied-tree.js';
import { ROOT } from '../support/tools.js';

const OWN = 'src/cli/verbs/nudge.ts';
const NUDGE = `import { messageCommand } from './message.js';

export const nudge = messageCommand('nudge', 'Look at the judge once more.');
`;

/** Puts `more` before the one place where `before` stands. */
const insert = (file: string, before: string, more: string): Edit => ({ file, changes: [[before, more + before]] });

const TABLE = insert(
  'src/model/verbs.ts',
  '} satisfies Record<string, VerbRule>;',
  `  nudge: {
    does: 'Looks at the judge once more.',
    payload: '{"by":"ann"}',
    in: { baking: 'looks again' },
    otherwise: 'no bake is running',
  },
`,
);
const OTHERS = [
  insert(
    'src/cli/registry.ts',
    '      skip: () =>',
    "      nudge: () => import('./verbs/nudge.js').then((m) => m.nudge),\n",
  ),
  insert('workflows/rollout/handlers.ts', "    case 'skip':\n      requests.", "    case 'nudge':\n      break;\n"),
];

let tree: CopiedTree;

beforeAll(() => {
  tree = CopiedTree.make('verb');
});

afterAll(() => tree?.remove());

test('a verb that is only in the table does not compile, and the compiler names the two other files; with them it does', () => {
  tree.edit(TABLE);
  const refused = tree.errors().map((error) => error.slice(0, error.indexOf(':')));
  expect([...new Set(refused)].sort()).toEqual(OTHERS.map(({ file }) => file).sort());
  tree.write(OWN, NUDGE);
  for (const edit of OTHERS) tree.edit(edit);
  expect(tree.errors()).toEqual([]);
});

test('the page names these files', () => {
  const page = readFileSync(path.join(ROOT, 'docs', 'development', 'add-a-verb.md'), 'utf8');
  for (const { file } of [TABLE, ...OTHERS]) expect(page).toContain(file);
});
