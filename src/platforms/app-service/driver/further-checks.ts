/** Checks that ask ARM for more. */
import type { Spec } from '../../../model/spec.js';
import { clean } from '../../../model/text.js';
import { reachOf } from '../../../strategies/registry.js';
import type { Finding } from '../../port.js';
import { optional, refuse, warn } from '../../shared/findings.js';
import { all, call, type Session } from './client.js';
import type { Observed } from './observed.js';
import { authenticates } from './promote.js';
import { differing } from './settings.js';
import { type Slot, type State, slotsOf } from './state.js';

/** Unresolved, a Key Vault reference is its own text, and the application gets that. */
export async function checkSecrets(session: Session, state: State): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const place of slotsOf(state)) {
    found.push(...(await optional(`Key Vault references of ${place.name}`, () => unresolved(session, place))));
  }
  return found;
}

async function unresolved(session: Session, place: Slot): Promise<Finding[]> {
  const { resourceGroup, site } = session.target;
  const references = await call(session, 'ListKeyVaultReferences', (webApps, options) =>
    all(
      place.slot === null
        ? webApps.listAppSettingsKeyVaultReferences(resourceGroup, site, options)
        : webApps.listAppSettingsKeyVaultReferencesSlot(resourceGroup, site, place.slot, options),
    ),
  );
  const bad = references.filter(({ status }) => status !== 'Resolved');
  if (bad.length === 0) return [];
  const named = bad.map(({ name, status }) => `${clean(name?.split('/').at(-1) ?? '', 100)} (${status ?? 'unknown'})`);
  return [
    refuse(
      'SLUICE_TARGET',
      `${place.name} has Key Vault references that do not resolve: ${named.join(', ')}; give the identity of this slot access to the vault (identities are not swapped), and check the reference's spelling`,
    ),
  ];
}

/** A swap with preview needs both slots without the platform's own sign-in. */
export async function checkSignIn(session: Session, spec: Spec, { slot }: State): Promise<Finding[]> {
  if (slot === null || reachOf(spec) === 'atOnce') return [];
  return optional('site authentication', async () => {
    if (!(await authenticates(session, null)) && !(await authenticates(session, slot.slot))) return [];
    return [
      warn(
        'NO_PREVIEW',
        `${slot.name} or production has site authentication, with which App Service has no swap with preview: the release meets production's settings for the first time in the swap itself`,
      ),
    ];
  });
}

/** What the swap changes under production besides the release. Names alone: values may be secrets. */
export async function checkDifferences(session: Session, { slot }: State, seen: Observed): Promise<Finding[]> {
  if (slot?.slot == null) return [];
  const name = slot.slot;
  const { resourceGroup, site } = session.target;
  const names = differing(seen.settings.production, seen.settings.slot, seen.sticky);
  const found = names.length === 0 ? [] : [differs(slot, 'app settings', names)];
  return [
    ...found,
    ...(await optional('the differences of the slots', async () => {
      const entity = { targetSlot: 'production', preserveVnet: true };
      const differences = await call(session, 'ListSlotDifferences', (webApps, options) =>
        all(webApps.listSlotDifferencesSlot(resourceGroup, site, name, entity, options)),
      );
      const others = differences.filter(
        ({ level, settingType }) => level !== 'Information' && settingType !== 'AppSetting',
      );
      const named = [...new Set(others.map(({ settingName }) => clean(settingName ?? '', 100)))];
      return named.length === 0 ? [] : [differs(slot, 'configuration', named)];
    })),
  ];
}

function differs({ name }: Slot, what: string, names: string[]): Finding {
  return warn('SLOT_DIFFERS', `${name} differs from production in ${what} that a swap exchanges: ${names.join(', ')}`);
}
