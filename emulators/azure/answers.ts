/** Emulated Azure: the errors and answers of its services, in their own form. */
import { type Answer, json } from '../http.js';

/** Resource Manager's own form of an error. */
export function armError(status: number, code: string, message: string): Answer {
  return json(status, { error: { code, message } });
}

/** App Service's own form, which the SDK loses (azure-cli#27474, azure-sdk-for-java#1827). */
export function webError(status: number, code: string, message: string): Answer {
  return json(status, {
    Code: code,
    Message: message,
    Target: null,
    Details: [{ Message: message }],
    Innererror: null,
  });
}

export const notFound = (what: string): Answer =>
  armError(
    404,
    'ResourceNotFound',
    `The Resource '${what}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );

/** azure-functions-host#11384, #4457. */
export const busy = (): Answer =>
  webError(
    409,
    'Conflict',
    'Cannot modify this site because another operation is in progress. Details: OperationName: SwapSiteSlots',
  );

/** azure-cli#27820. */
export const prepared = (site: string): Answer =>
  webError(
    409,
    'Conflict',
    `Cannot modify site '${site}': its configuration settings have been prepared for swap. Complete the swap or reset it.`,
  );

export const done = (body: unknown = {}): Answer => json(200, body);
export const listOf = (value: unknown[]): Answer => json(200, { value, nextLink: null });
