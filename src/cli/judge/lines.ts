/** Turns chunks of text into whole lines. */

/** The input is not a line of counts. */
export class BadLine extends Error {}

/** Far more than a line of counts has; without a limit a stream without line ends would fill the memory. */
const LONGEST = 1_000_000;

/** The lines that each piece completes, together; the last one may lack its line end. Errors: BadLine for an endless one. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
    if (rest.length > LONGEST) throw new BadLine(`longer than ${LONGEST} characters; write one JSON object per line`);
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}
