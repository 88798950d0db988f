import { allowedAddresses, refusedKind } from '../../src/net/addresses.js';

const NONE = allowedAddresses('');

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.9.9.9', 'loopback'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['::', 'unspecified'],
  ['169.254.1.1', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['febf::1', 'link-local'],
  ['169.254.169.254', 'metadata'],
  ['fd00:ec2::254', 'metadata'],
  ['fd00:ec2::23', 'metadata'],
  ['::ffff:0:127.0.0.1', 'loopback'],
  ['168.63.129.16', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['fd00:c1::a9fe:a9fe', 'metadata'],
  ['FD00:C1:0::169.254.169.254', 'metadata'],
  ['::ffff:192.0.0.192', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::FFFF:a9fe:a9fe', 'metadata'],
  ['::127.0.0.1', 'loopback'],
  ['64:ff9b::169.254.169.254', 'metadata'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b:1::7f00:1', 'local NAT64'],
  ['2002:7f00:1::', 'loopback'],
  ['2002:a9fe:a9fe::1', 'metadata'],
  ['2001:0:a9fe:a9fe::f7f7:f7f7', 'metadata'],
  ['2001::808:808:0:0:5601:5601', 'metadata'],
  ['2001:0:808:808::80ff:fffe', 'loopback'],
  ['localhost', 'not an address'],
])('%s is %s and refused', (address, kind) => {
  expect(refusedKind(address, NONE)).toBe(kind);
});

test.each([
  '10.0.0.1',
  '172.16.3.4',
  '192.168.1.1',
  '8.8.8.8',
  '128.0.0.1',
  '169.253.0.1',
  '168.63.129.17',
  'fd00::1',
  '2001:db8::1',
  '::ffff:10.0.0.1',
  '64:ff9b::8.8.8.8',
  '2002:808:808::1',
  '2001:0:808:808::f5ff:fffe',
  '2001:1::1',
  '192.0.0.191',
  'fd00:c1::1',
])('%s is allowed', (address) => {
  expect(refusedKind(address, NONE)).toBeNull();
});

test('an allowed network is reachable, also in IPv6 notation, and its neighbours are not', () => {
  const allowed = allowedAddresses(' loopback, 169.254.10.0/24,fe80::1:0/112 ');
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '169.254.10.7', 'fe80::1:9']) {
    expect(refusedKind(address, allowed)).toBeNull();
  }
  for (const address of ['169.254.11.7', 'fe80::2:9', '169.254.169.254', '0.0.0.0']) {
    expect(refusedKind(address, allowed)).not.toBeNull();
  }
});

test('if one address embeds another, both must be allowed', () => {
  const allowed = allowedAddresses('loopback');
  expect(refusedKind('2001:0:7f00:1::80ff:fffe', allowed)).toBeNull();
  expect(refusedKind('2001:0:7f00:1::5601:5601', allowed)).toBe('metadata');
});

test.each(['localhost', '10.0.0.0/33', '10.0.0/8', '::1/x', 'loopback;::1'])(
  '%s allows nothing and says so',
  (text) => {
    expect(() => allowedAddresses(text)).toThrow('SLUICE_ALLOW_ADDRESSES is "');
  },
);
