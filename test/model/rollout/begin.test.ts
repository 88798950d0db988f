/** What a rollout says of itself in Temporal's UI before any worker has taken it, and the list that leaves the helpers out. */
import { listPage } from '../../../src/model/helper.js';
import { staticTexts } from '../../../src/model/rollout/begin.js';

const of = { app: 'checkout', environment: 'production', namespace: 'default' } as const;

test('a start shows what was asked for, by whom, why, and where to look', () => {
  const { staticSummary, staticDetails } = staticTexts({
    ...of,
    type: 'canary',
    input: {
      target: { platform: 'lambda', function: 'checkout', alias: 'live' },
      release: { artifact: { digest: 'abc' } },
      startedBy: 'ann',
      message: 'new `totals`',
    },
  });
  expect(staticSummary).toBe('canary of checkout/production');
  expect(staticDetails.split('\n')).toEqual([
    '**canary** of `checkout/production`',
    '',
    '- **Target:** `platform lambda, function checkout, alias live`',
    '- **Release:** `artifact`',
    '- **Started by:** `ann`, unverified',
    "- **Message:** `new 'totals'`",
    '- **Follow:** `sluice get checkout/production --watch`',
    '',
    '[All rollouts of this target](/namespaces/default/workflows?query=WorkflowId%20%3D%20%22checkout%2Fproduction%22) · [Its releases and queue](/namespaces/default/workflows/companion%2Fcheckout%2Fproduction)',
  ]);
});

test('an undo shows its release; a start without a spec shows nothing', () => {
  expect(staticTexts({ ...of, type: 'undo', input: { to: '41' } }).staticDetails).toContain('- **Release:** `41`');
  expect(staticTexts({ ...of, type: 'undo', input: {} }).staticDetails).toContain('- **Release:** the one before');
  const odd = staticTexts({ ...of, type: 'direct', input: { target: 7, release: null, startedBy: {}, message: [] } });
  expect(odd.staticDetails).not.toMatch(/Target|Release:|Started|Message/);
});

test('foreign text cannot break out of its line', () => {
  const message = '](javascript:x)\n# **`loud`**';
  const { staticDetails } = staticTexts({ ...of, type: 'direct', input: { message } });
  expect(staticDetails.split('\n').filter((line) => line.includes('loud'))).toEqual([
    "- **Message:** `](javascript:x) # **'loud'**`",
  ]);
});

test('the list of workflows hides helpers', () => {
  const page = new URL(listPage('http://127.0.0.1:8233/', 'my space'));
  expect(page.pathname).toBe('/namespaces/my%20space/workflows');
  expect(page.searchParams.get('query')).toBe('WorkflowType != "helper"');
});
