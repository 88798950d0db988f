import { accountQueue, workerCommand } from '../../src/model/ids.js';
import type { Target } from '../../src/model/spec.js';
import { environmentName, PLATFORMS, targetName } from '../../src/model/target.js';
import { versionOf } from '../../src/platforms/registry.js';

const onLambda: Target = {
  platform: 'lambda',
  function: 'checkout',
  alias: 'live',
  region: 'eu-west-1',
  account: 'prod',
};
const site: Target = {
  platform: 'app-service',
  site: 'checkout',
  resourceGroup: 'shop',
  region: 'westeurope',
  account: '01234567-89ab-cdef-0123-456789abcdef',
};
const withSlot: Target = { ...site, slot: 'staging' };

test('a target is named as on its platform', () => {
  expect([onLambda, site, withSlot].map(targetName)).toEqual(['checkout:live', 'checkout', 'checkout/staging']);
});

test('a blue-green environment is its own alias on Lambda, and the content of a slot on App Service', () => {
  expect(environmentName(onLambda, 'blue')).toBe('live-blue');
  expect(environmentName(withSlot, 'green')).toBe('green');
});

test('a version is written into a spec in the form of its platform', () => {
  expect(versionOf('lambda', '7')).toBe(7);
  expect(versionOf('app-service', 'r-0123456789ab')).toBe('r-0123456789ab');
});

test('each platform has its own queues, and the command that serves an account names the platform if necessary', () => {
  expect(PLATFORMS).toEqual(['lambda', 'app-service']);
  expect(accountQueue(withSlot, 'restore')).toBe(
    'sluice-app-service-01234567-89ab-cdef-0123-456789abcdef-westeurope-restore',
  );
  expect(workerCommand(onLambda)).toBe('sluice worker --account prod --region eu-west-1');
  expect(workerCommand(site)).toBe(
    'sluice worker --platform app-service --account 01234567-89ab-cdef-0123-456789abcdef --region westeurope',
  );
});
