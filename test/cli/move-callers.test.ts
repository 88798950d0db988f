import { Readable } from 'node:stream';
import type { MoveStep } from '../../src/model/moving.js';
import { FakeSluice, play } from './fake.js';

const STEPS: MoveStep[] = [
  { id: 'move/orders', kind: 'do', text: 'move the mapping of orders' },
  { id: 'point/api', kind: 'hand', text: 'point the API at the alias' },
  { id: 'remove/api', kind: 'later', text: 'remove the permission of the API' },
];
const MOVE = ['adopt', 'checkout:live', '--move-callers'];
const TTY = { columns: 80, rows: 24 };

function moving(steps = STEPS): FakeSluice {
  const sluice = new FakeSluice();
  sluice.answers.callers = { steps, digest: 'as shown' };
  sluice.answers.moveCallers = { done: steps.slice(0, 1), left: steps.slice(1) };
  return sluice;
}

const called = ({ calls }: FakeSluice) => calls.map(([name]) => name);

test('shows what it does now, what people do by hand and what comes later, asks, and moves what was shown', async () => {
  const sluice = moving();
  const scene = { sluice, tty: TTY, stdin: Readable.from([Buffer.from('ye'), Buffer.from('s\n')]) };
  const { code, out, err } = await play(MOVE, scene);
  expect(code).toBe(0);
  expect(out).toBe(`checkout:live: Sluice will do:
  - move the mapping of orders
You do by hand, since these callers keep their own configuration:
  - point the API at the alias
Later, when you run this command again:
  - remove the permission of the API
Done:
  - move the mapping of orders
Not done yet; run this command again:
  - remove the permission of the API
`);
  expect(err).toContain('Do this now? Type yes: ');
  const how = { undo: false, publish: false };
  expect(sluice.calls[1]).toEqual(['moveCallers', expect.objectContaining({ shown: 'as shown', how })]);
});

test.each(['no\n', '\n', 'y\n', ''])('moves nothing if the answer is %j', async (answer) => {
  const sluice = moving();
  const { code, err } = await play(MOVE, { sluice, tty: TTY, stdin: Readable.from([Buffer.from(answer)]) });
  expect([code, called(sluice)]).toEqual([1, ['callers']]);
  expect(err).toContain('nothing changed');
});

test.each([[[]], [['-o', 'json']]])('moves nothing if it cannot ask: %j', async (more) => {
  const sluice = moving();
  const { code, out, err } = await play([...MOVE, ...more], { sluice, stdin: Readable.from([Buffer.from('yes\n')]) });
  expect([code, called(sluice)]).toEqual([2, ['callers']]);
  expect(out + err).toContain('add --yes');
});

test('--yes skips the question, and --publish and --undo are passed on', async () => {
  const sluice = moving();
  const { json } = await play([...MOVE, '--yes', '--publish', '-o', 'json'], { sluice });
  expect(json()).toEqual([{ done: STEPS.slice(0, 1), left: STEPS.slice(1) }]);
  await play([...MOVE, '--yes', '--undo'], { sluice });
  const ways = sluice.calls.map(([, request]) => (request as { how: object }).how);
  const [publish, undo] = [
    { undo: false, publish: true },
    { undo: true, publish: false },
  ];
  expect(ways).toEqual([publish, publish, undo, undo]);
});

test('does not ask if there is nothing to do, and still shows what people do by hand', async () => {
  const sluice = moving(STEPS.slice(1));
  const { code, out } = await play(MOVE, { sluice });
  expect([code, called(sluice)]).toEqual([0, ['callers']]);
  expect(out).toContain('point the API at the alias');
  expect((await play(MOVE, { sluice: moving([]) })).out).toBe('checkout:live: nothing to move\n');
});

test.each([
  [['adopt', 'checkout:live', '--yes'], '--yes needs --move-callers'],
  [[...MOVE, '--undo', '--publish'], 'use either --undo or --publish, not both'],
])('%j is refused', async (argv, said) => {
  const sluice = moving();
  const { code, err } = await play(argv, { sluice });
  expect([code, called(sluice)]).toEqual([2, []]);
  expect(err).toContain(said);
});
