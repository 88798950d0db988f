/** Which addresses a spec's own URLs may reach. Pure. */
import { BlockList, isIP } from 'node:net';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';

/**
 * What belongs to the worker's machine or to its cloud, and never to a user's service. Private networks are not here:
 * services live there. Sources: IANA's special-purpose address registries; the clouds' own documentation.
 */
const REFUSED: Record<string, string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  unspecified: ['0.0.0.0/8', '::/128'],
  // Before link-local, in which most of them lie: the better word.
  metadata: [
    '169.254.169.254/32',
    // AWS, "Retrieve instance metadata". More is behind that prefix: the credentials of EKS pods are at fd00:ec2::23.
    'fd00:ec2::/64',
    // Google, "View and query VM metadata".
    'fd20:ce::254/128',
    // Azure, "What is IP address 168.63.129.16": the wire server.
    '168.63.129.16/32',
    // Alibaba, "Instance metadata".
    '100.100.100.200/32',
    // Oracle, "Retrieve Predefined Instance Metadata" of Compute Classic.
    '192.0.0.192/32',
    // Oracle's by IPv6: its documentation has the IPv4 address alone, cloud-init's data source for Oracle asks here too.
    'fd00:c1::a9fe:a9fe/128',
  ],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
  broadcast: ['255.255.255.255/32'],
  // The translator's own prefix determines where the IPv4 address is, and it is unknown here.
  'local NAT64': ['64:ff9b:1::/48'],
};

const LISTS = Object.entries(REFUSED).map(([kind, ranges]) => [kind, listOf(ranges)] as const);

/** IPv6 prefixes of 96 bits behind which an IPv4 address stands: mapped, translated, compatible (retired), NAT64 (RFC 6052). */
const EMBEDDING = ['0:0:0:0:0:ffff', '0:0:0:0:ffff:0', '0:0:0:0:0:0', '64:ff9b:0:0:0:0'];
/** 6to4 (RFC 3056): the IPv4 address stands right behind. */
const SIX_TO_FOUR = '2002';
/** Teredo (RFC 4380): the server's IPv4 address stands right behind, the client's at the end with all its bits turned. */
const TEREDO = '2001:0';

/** What an address is that may not be reached, in a word; null: it may be. Any spelling, with or without a zone. */
export function refusedKind(address: string, allowed: BlockList): string | null {
  const [plain = ''] = address.split('%');
  if (isIP(plain) === 0) return 'not an address';
  if (allowed.check(plain, familyOf(plain))) return null;
  // An IPv4 address in the clothes of IPv6 is what it holds.
  const held = embeddedIn(plain);
  for (const one of held.length === 0 ? [plain] : held) {
    const kind = LISTS.find(([, list]) => list.check(one, familyOf(one)))?.[0];
    if (kind !== undefined && !allowed.check(one, familyOf(one))) return kind;
  }
  return null;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

/**
 * Addresses that may be reached all the same: `loopback`, addresses and CIDR ranges, comma separated. Errors: SLUICE_SETUP.
 */
export function allowedAddresses(text: string): BlockList {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  try {
    return listOf(entries.flatMap((entry) => (entry === 'loopback' ? (REFUSED.loopback ?? []) : [entry])));
  } catch {
    throw new SluiceError(
      'SLUICE_SETUP',
      `SLUICE_ALLOW_ADDRESSES is "${clean(text)}"; write loopback, addresses and ranges such as 10.1.0.0/16, comma separated`,
    );
  }
}

/** Errors: a RangeError or TypeError for what is no range. */
function listOf(ranges: string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const version = isIP(address);
    if (version === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) throw new RangeError(range);
    const family = version === 4 ? 'ipv4' : 'ipv6';
    list.addSubnet(address, Number(bits ?? (version === 4 ? 32 : 128)), family);
  }
  return list;
}

/** The IPv4 addresses that an IPv6 one embeds or is reached through, if any. `::` and `::1` are themselves. */
function embeddedIn(address: string): string[] {
  if (isIP(address) !== 6) return [];
  const words = wordsOf(address);
  const dotted = (high = 0, low = 0) => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const said = words.map((word) => word.toString(16));
  if (said[0] === SIX_TO_FOUR) return [dotted(words[1], words[2])];
  if (said.slice(0, 2).join(':') === TEREDO) {
    const [high = 0, low = 0] = words.slice(6);
    return [dotted(words[2], words[3]), dotted(high ^ 0xffff, low ^ 0xffff)];
  }
  if (!EMBEDDING.includes(said.slice(0, 6).join(':'))) return [];
  const compatible = said[5] === '0' && said[0] === '0';
  return compatible && words[6] === 0 && (words[7] ?? 0) <= 1 ? [] : [dotted(words[6], words[7])];
}

/** The eight words of an IPv6 address; the URL parser knows every spelling. */
function wordsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  const [first, last] = [words(head), words(tail ?? '')];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}
