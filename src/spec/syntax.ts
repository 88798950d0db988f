/** What is wrong with a document as YAML, in our own words. */
import type { YAMLError } from 'yaml';

type Code = YAMLError['code'];

/** By the parser's code, or, if one code covers several mistakes, by a word of its message. */
const WORDS: Partial<Record<Code, string | readonly (readonly [RegExp, string])[]>> = {
  BAD_ALIAS: 'a name after & or * cannot be empty, and cannot end with ":"',
  ALIAS_PROPS: 'a reference (*…) takes no anchor or tag of its own',
  BAD_DIRECTIVE: 'this %-directive is not known (remove it)',
  BAD_DQ_ESCAPE: 'this \\-escape does not exist in double quotes (write \\\\ for a backslash, or use single quotes)',
  BAD_INDENT: [
    [/end with a/i, 'the closing "}" or "]" is missing, or is too far to the left'],
    [/./, 'this line is indented differently from its neighbours (items of one list or mapping start at one column)'],
  ],
  BAD_SCALAR_START: 'a value cannot begin with this character (put the value in quotes)',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key:" on one line (put it on a line of its own, or the value in quotes)',
  BLOCK_IN_FLOW: 'an indented block cannot be inside {…} or […]',
  DUPLICATE_KEY: 'this key appears twice',
  KEY_OVER_1024_CHARS: 'this key is longer than 1024 characters (is a quote missing?)',
  MISSING_CHAR: [
    [/closing.*quote/i, 'the closing quote is missing'],
    [/followed by map values/i, 'this line has no "key: value" (is the ":" missing, or a blank after it?)'],
    [/, (?:or :|between)/i, 'a "," is missing between two items, or "}" or "]" at the end'],
    [/space after :/i, 'a blank is missing after ":"'],
    [/comments must be separated/i, 'a blank is missing before "#"'],
    [/without - indicator/i, 'this item of a list does not begin with "- "'],
    [/expected flow .*to end with|at the end/i, 'a closing "}" or "]" is missing'],
  ],
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line (is a ":" missing, or a quote?)',
  MULTIPLE_DOCS: 'a second document begins here (---); a file holds one',
  NON_STRING_KEY: 'a key must be plain text',
  TAB_AS_INDENT: 'tabs cannot indent (use spaces)',
  TAG_RESOLVE_FAILED: 'this value cannot be read with its tag (!…); remove the tag',
  UNEXPECTED_TOKEN: [
    [/flow-(?:map|seq)-end|flow map|flow sequence|Unexpected , in/i, 'this "," , "}" or "]" has no partner before it'],
    [/block scalar header/i, 'nothing but a comment may follow "|" or ">" on its line'],
    [/./, 'this does not belong here (is a quote, a blank after ":" or a line break missing?)'],
  ],
  RESOURCE_EXHAUSTION: 'nested too deep, or too large',
};

/** The mistake in words; the parser's own message if there are none. */
export function syntaxFault({ code, message }: Pick<YAMLError, 'code' | 'message'>): string {
  const words = WORDS[code];
  if (typeof words === 'string') return words;
  return words?.find(([word]) => word.test(message))?.[1] ?? message;
}
