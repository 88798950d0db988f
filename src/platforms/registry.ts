/** The rules of each platform that need nothing of its services: the client, the parser and the drivers go by them. Pure. */
export { OWN_SETTINGS, refusedOnLinux, siteSettings } from './app-service/kit.js';
export { lambdaVariables } from './lambda/kit.js';
export { MOST_IN_CALL, megabytes, type PackingRules, packingOf, tooLarge } from './packing.js';
