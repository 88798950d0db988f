import { Client, type Connection } from '@temporalio/client';

/** A client whose payloads, memos among them, open for nobody. */
export function unreadable(connection: Connection): Client {
  const metadata = { encoding: Buffer.from('binary/strange') };
  return new Client({
    connection,
    dataConverter: {
      payloadCodecs: [
        {
          encode: async (payloads) => payloads.map((payload) => ({ ...payload, metadata })),
          decode: async (payloads) => payloads,
        },
      ],
    },
  });
}
