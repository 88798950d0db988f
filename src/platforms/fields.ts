/** Fields of `configuration` that more than one platform has. */
import { z } from 'zod';

export const environment = () =>
  z
    .record(z.string(), z.string())
    .exactOptional()
    .describe(
      'Environment variables of the function; replaces all it has. On App Service the app settings that travel with the release. A value may be a reference to a secret: `secret://STORE/NAME`.',
    );

export const description = () =>
  z.string().max(256, 'at most 256 characters').exactOptional().describe("The function's description.");
