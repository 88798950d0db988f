/** docs/development/add-a-verb.md is true: a verb is three files beside its own, and the compiler names those that were forgotten. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Toy } from '../setup/toy.js';
import { ROOT } from '../support/tools.js';

const TABLE = 'src/model/verbs.ts';
const HANDLERS = 'workflows/rollout/handlers.ts';
const REGISTRY = 'src/cli/registry.ts';

let toy: Toy;

beforeAll(() => {
  toy = new Toy('verb');
});

afterAll(() => toy?.remove());

test('a verb that is only in the table does not compile, and the compiler names the two other places; with them it does', () => {
  toy.insert(
    TABLE,
    '} satisfies Record<string, VerbRule>;',
    `  nudge: {
    does: 'Looks at the judge once more.',
    payload: '{"by":"ann"}',
    in: { baking: 'looks again' },
    otherwise: 'no bake is running',
  },
`,
  );
  expect(toy.refused()).toEqual([REGISTRY, HANDLERS].sort());
  toy.write(
    'src/cli/verbs/nudge.ts',
    "import { messageCommand } from './message.js';\n\nexport const nudge = messageCommand('nudge', 'Look at the judge once more.');\n",
  );
  toy.insert(REGISTRY, '      skip: () =>', "      nudge: () => import('./verbs/nudge.js').then((m) => m.nudge),\n");
  toy.insert(HANDLERS, "    case 'skip':\n      requests.", "    case 'nudge':\n      break;\n");
  expect(toy.refused()).toEqual([]);
  expect(toy.touched()).toEqual([REGISTRY, TABLE, HANDLERS].sort());
});

test('the page names these files', () => {
  const page = readFileSync(path.join(ROOT, 'docs', 'development', 'add-a-verb.md'), 'utf8');
  for (const file of [TABLE, HANDLERS, REGISTRY]) expect(page).toContain(file);
});
