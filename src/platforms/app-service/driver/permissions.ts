/** The least that a worker's identity needs, as the role definition that docs/platforms.md shows. */

/**
 * Actions of Azure Resource Manager, by the types in the routes that the driver calls. Azure spells them in either case, and
 * has not been asked whether each is enough.
 */
export const ACTIONS = [
  'Microsoft.Resources/tags/write',
  'Microsoft.Web/serverfarms/read',
  'Microsoft.Web/sites/read',
  'Microsoft.Web/sites/config/appsettings/read',
  'Microsoft.Web/sites/config/read',
  'Microsoft.Web/sites/config/list/action',
  'Microsoft.Web/sites/config/write',
  'Microsoft.Web/sites/continuouswebjobs/read',
  'Microsoft.Web/sites/deploymentStatus/read',
  'Microsoft.Web/sites/functions/read',
  'Microsoft.Web/sites/instances/read',
  'Microsoft.Web/sites/publish/action',
  'Microsoft.Web/sites/resetSlotConfig/action',
  'Microsoft.Web/sites/slots/read',
  'Microsoft.Web/sites/slots/applySlotConfig/action',
  'Microsoft.Web/sites/slots/config/appsettings/read',
  'Microsoft.Web/sites/slots/config/read',
  'Microsoft.Web/sites/slots/config/list/action',
  'Microsoft.Web/sites/slots/config/write',
  'Microsoft.Web/sites/slots/continuouswebjobs/read',
  'Microsoft.Web/sites/slots/deploymentStatus/read',
  'Microsoft.Web/sites/slots/instances/read',
  'Microsoft.Web/sites/slots/operationresults/read',
  'Microsoft.Web/sites/slots/publish/action',
  'Microsoft.Web/sites/slots/resetSlotConfig/action',
  'Microsoft.Web/sites/slots/slotsdiffs/action',
  'Microsoft.Web/sites/slots/slotsswap/action',
  'Microsoft.Web/sites/slots/start/action',
  'Microsoft.Web/sites/slots/stop/action',
  'Microsoft.Insights/metrics/read',
] as const;
