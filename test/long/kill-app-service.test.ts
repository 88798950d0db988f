import { appServiceGround } from '../chaos/grounds/app-service.js';
import { describeRounds } from './kill-rounds.js';

describeRounds(appServiceGround, [
  [
    'the worker is killed while a canary bakes',
    { strategy: 'canary', kind: 'crashWorker', phase: 'baking', good: true },
    'succeeded',
  ],
  [
    'the worker is killed between the acceptance of a swap and its end',
    { strategy: 'blueGreen', kind: 'crashInSwap', phase: 'promoting', good: true },
    'succeeded',
  ],
  [
    'the worker is killed between a write and its answer',
    { strategy: 'linear', kind: 'crashAfterEffect', phase: 'shifting', good: true },
    'succeeded',
  ],
  [
    'the server is killed while a release is published to production',
    { strategy: 'direct', kind: 'crashServer', phase: 'promoting', good: true },
    'succeeded',
  ],
  [
    'the worker is killed while a bad release bakes',
    { strategy: 'canary', kind: 'crashWorker', phase: 'baking', good: false },
    'rolledBack',
  ],
  [
    'the answer of a swap is lost',
    { strategy: 'blueGreen', kind: 'lostAnswer', phase: 'promoting', good: true },
    'succeeded',
  ],
  [
    'a worker is frozen in a write and wakes after the restore',
    { strategy: 'canary', kind: 'freeze', phase: 'shifting', good: true },
    'rolledBack',
  ],
]);
