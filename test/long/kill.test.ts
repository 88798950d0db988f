import { lambdaGround } from '../chaos/grounds/lambda.js';
import { describeRounds } from './kill-rounds.js';

describeRounds(lambdaGround, [
  [
    'the worker is killed while a canary bakes',
    { strategy: 'canary', kind: 'crashWorker', phase: 'baking', good: true },
    'succeeded',
  ],
  [
    'the worker is killed between a write and its answer',
    { strategy: 'linear', kind: 'crashAfterEffect', phase: 'shifting', good: true },
    'succeeded',
  ],
  [
    'the server is killed while a blue-green release is deployed',
    { strategy: 'blueGreen', kind: 'crashServer', phase: 'deploying', good: true },
    'succeeded',
  ],
  [
    'the worker is killed while a bad release bakes',
    { strategy: 'canary', kind: 'crashWorker', phase: 'baking', good: false },
    'rolledBack',
  ],
  [
    'the answer of a write is lost',
    { strategy: 'direct', kind: 'lostAnswer', phase: 'promoting', good: true },
    'succeeded',
  ],
  [
    'a worker is frozen in a write and wakes after the restore',
    { strategy: 'canary', kind: 'freeze', phase: 'shifting', good: true },
    'rolledBack',
  ],
]);
