/** How the command line names a target on Azure App Service. Pure. */
import { SluiceError } from '../../model/errors.js';
import { type CommandLine, missingOption } from '../command-line.js';

export const commandLine: CommandLine<'app-service'> = {
  options: [
    { name: 'site', help: "Site on App Service (default: the app's name).", initOnly: true },
    {
      name: 'slot',
      help: 'App Service: slot for new releases; without one only the strategy direct is possible.',
      initOnly: true,
    },
    { name: 'resourceGroup', help: 'App Service: resource group of the site.' },
  ],
  target: (app, option, where) => ({
    platform: 'app-service',
    site: option('site') ?? app,
    resourceGroup: needed(option('resourceGroup')),
    ...slotOf(option('slot')),
    ...where,
  }),
  nameForm: 'SITE or SITE/SLOT',
  targetNamed: (name, option, where) => {
    const [site, slot, ...rest] = name.split('/');
    if (!site || slot === '' || rest.length > 0) {
      throw new SluiceError('SLUICE_USAGE', 'write SITE or SITE/SLOT, such as checkout/staging');
    }
    const resourceGroup = needed(option('resourceGroup'));
    return { platform: 'app-service', site, resourceGroup, ...slotOf(slot), ...where };
  },
  appOf: ({ site }) => site,
  fieldsOf: (target) => [
    { name: 'site', value: target.site },
    { name: 'resourceGroup', value: target.resourceGroup },
    {
      name: 'slot',
      value: target.slot ?? { example: 'staging' },
      comment: 'The slot for new releases. Without one, only the strategy direct is possible.',
    },
    { name: 'region', value: target.region },
    { name: 'account', value: target.account, comment: 'The subscription id.' },
  ],
  otherSources: 'zip: FILE, version: RELEASE-ID',
};

function needed(resourceGroup: string | undefined): string {
  if (resourceGroup !== undefined) return resourceGroup;
  throw missingOption('App Service', 'the resource group', '--resource-group NAME');
}

function slotOf(slot: string | undefined): { slot?: string } {
  return slot === undefined ? {} : { slot };
}
