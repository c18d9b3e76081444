import { describe, expect, test } from 'vitest';
import { findContainerId, isSameContainer } from './container-id.ts';
import { explainForbidden, type AccessFacts } from './forbidden.ts';
import { groupModules } from './module-groups.ts';
import { PAGE_SIZE, PagedMemory } from './paged-memory.ts';
import { findMapping, isFileMapping, parseMaps } from './proc-maps.ts';
import { parseAuxv, parseCommandLine, parseStartTicks, parseStatus } from './proc-status.ts';

const MAPS = `55aa01768000-55aa0176a000 r--p 00000000 fe:00 247278                     /usr/bin/head
55aa0176a000-55aa01770000 r-xp 00002000 fe:00 247278                     /usr/bin/head
55aa01774000-55aa01775000 rw-p 0000b000 fe:00 247278                     /usr/bin/head
55aa02000000-55aa02021000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000001000 r-xs 00000000 00:05 77                         /memfd:doublemapper (deleted)
7f0000001000-7f0000002000 r-xp 00001000 fe:00 99                         /opt/a b (deleted)
7f0000010000-7f0000011000 r--p 00000000 fe:00 247278                     /usr/bin/head
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

describe('parseMaps()', () => {
  const { mappings, skippedLines } = parseMaps(`${MAPS}not a mapping\n`);

  test('reads every field', () => {
    expect(skippedLines).toBe(1);
    expect(mappings).toHaveLength(9);
    expect(mappings[1]).toEqual({
      start: 0x55aa0176a000n,
      end: 0x55aa01770000n,
      readable: true,
      writable: false,
      executable: true,
      shared: false,
      fileOffset: 0x2000,
      device: 'fe:00',
      inode: 247278,
      path: '/usr/bin/head',
      deleted: false,
    });
    expect(mappings[5]).toMatchObject({ path: '/opt/a b', deleted: true });
    expect(mappings.map(isFileMapping)).toEqual([true, true, true, false, false, true, true, false, false]);
  });

  test('groups mappings by file and copy', () => {
    const groups = groupModules(mappings, isFileMapping).map((group) => [group.path, group.mappings.length]);
    expect(groups).toEqual([
      ['/usr/bin/head', 3],
      ['/opt/a b', 1],
      ['/usr/bin/head', 1],
      ['[vdso]', 1],
    ]);
  });

  test('groupModules() takes segments that share a page of the file for one copy, and a file mapped again for another', () => {
    const line = (start: number, rights: string, offset: string, path: string): string =>
      `${start.toString(16)}000-${(start + 1).toString(16)}000 ${rights} ${offset} fe:00 5 ${path}\n`;
    // Constants, and data that became read-only after relocation, lie in the page at 0x2000.
    const shared = ['00000000', '00001000', '00002000', '00002000', '00003000'].map((offset, index) =>
      line(0x1000 + index, index === 1 ? 'r-xp' : index === 4 ? 'rw-p' : 'r--p', offset, '/opt/small'),
    );
    const again = [line(0x9000, 'r--p', '00000000', '/opt/data'), line(0x9001, 'r--p', '00000000', '/opt/data')];
    const groups = groupModules(parseMaps([...shared, ...again].join('')).mappings, isFileMapping);
    expect(groups.map((group) => [group.path, group.mappings.length])).toEqual([
      ['/opt/small', 5],
      ['/opt/data', 1],
      ['/opt/data', 1],
    ]);
  });

  test.each([
    [0x55aa01768000n, 0],
    [0x55aa01769fffn, 0],
    [0x55aa0176a000n, 1],
    [0x55aa01773fffn, undefined],
    [0n, undefined],
    [0xffffffffff600000n, 8],
    [0xffffffffffffffffn, undefined],
  ])('findMapping() finds what holds %s', (address, index) => {
    expect(findMapping(mappings, address)).toBe(index === undefined ? undefined : mappings[index]);
  });
});

const ID = '0123456789abcdef'.repeat(4);

test.each([
  [`12:pids:/docker/${ID}`, ID],
  [`0::/system.slice/docker-${ID}.scope`, ID],
  [`0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice/cri-containerd-${ID}.scope`, ID],
  [`11:memory:/kubepods/besteffort/pod1b2c/${ID}`, ID],
  [`1:name=systemd:/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:${ID}`, ID],
  [`0::/kubepods.slice/kubepods-pod1.slice/crio-${ID}.scope`, ID],
  [`0::/machine.slice/libpod-${ID}.scope/container`, ID],
  [`0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`, ID],
  [`0::/ecs/1234/${ID}`, ID],
  [`0::/docker/${'f'.repeat(64)}/docker/${ID}`, ID],
  [`0::/docker/0123456789ab`, '0123456789ab'],
  [`0::/machine.slice/libpod-conmon-${ID}.scope`, undefined],
  ['0::/user.slice/user-1000.slice/session-3.scope', undefined],
  ['0::/system.slice/nginx.service', undefined],
  ['4:memory:/\n0::/', undefined],
  ['', undefined],
])('findContainerId() reads %s', (text, id) => {
  expect(findContainerId(text)).toBe(id);
});

test.each([
  ['0123', true],
  ['0123456789AB', true],
  [ID, true],
  ['012', false],
  ['1234', false],
])('isSameContainer() compares with %s', (wanted, same) => {
  expect(isSameContainer(ID, wanted)).toBe(same);
});

test('parseStatus() reads a process in a nested namespace', () => {
  const status = parseStatus(
    'Name:\ta\\\\b\nState:\tS (sleeping)\nTgid:\t70\nPPid:\t1\nTracerPid:\t9\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\nNStgid:\t70\t3\nNSpgid:\t60\t2\nKthread:\t0\n',
  );
  expect(status).toEqual({
    name: 'a\\b',
    state: 'S',
    tgid: 70,
    parentPid: 1,
    tracerPid: 9,
    uid: 1000,
    gid: 5,
    namespacePids: [70, 3],
    processGroup: 60,
    isKernelThread: false,
  });
  expect(parseStatus('')).toBeUndefined();
});

test('parseStartTicks() is not misled by the name', () => {
  const after = `S ${Array.from({ length: 30 }, (_, i) => i + 4).join(' ')}`;
  expect(parseStartTicks(`1 (a) b (c)) ${after}`)).toBe(22);
  expect(parseStartTicks('1 (a')).toBeUndefined();
});

test('parseCommandLine() and parseAuxv() end where the bytes do', () => {
  expect(parseCommandLine(Buffer.from('a\0b c\0\0'))).toEqual(['a', 'b c']);
  expect(parseCommandLine(new Uint8Array(0))).toEqual([]);
  const words = new Uint8Array(BigUint64Array.of(9n, 0x401000n, 0n, 0n, 7n, 7n).buffer);
  expect([...parseAuxv(words)]).toEqual([[9, 0x401000n]]);
  expect(parseAuxv(words.subarray(0, 15)).size).toBe(0);
});

const FACTS: AccessFacts = {
  ourUid: 1000,
  targetUid: 1000,
  hasPtraceCapability: false,
  ptraceScope: undefined,
  isInitialUserNamespace: true,
  tracerPid: 0,
};

test.each([
  [{ tracerPid: 7 }, 'process 7 traces it'],
  [{ targetUid: 0 }, 'belongs to user 0 and we run as 1000'],
  [{ ptraceScope: 1 }, 'ptrace_scope is 1'],
  [{ hasPtraceCapability: true, isInitialUserNamespace: false }, 'user namespace'],
  [{ hasPtraceCapability: true }, 'security module'],
  [{}, 'not dumpable'],
])('explainForbidden() names the reason of %j', (facts, words) => {
  const error = explainForbidden(5, 'freezing', { ...FACTS, ...facts });
  expect(error.kind).toBe('forbidden');
  expect(error.message).toContain(words);
});

describe('PagedMemory', () => {
  const asked: number[][] = [];
  /** Pages 1–3 and 5 exist; the bytes of each are its number, and the time it was read. */
  let time = 0;
  const source = {
    readPages(pages: readonly number[]) {
      asked.push([...pages]);
      return pages.map((page) => (page === 4 || page > 5 ? undefined : new Uint8Array(PAGE_SIZE).fill(page + time)));
    },
  };

  test('reads across pages, once each, as they were', () => {
    const memory = new PagedMemory(source);
    asked.length = 0;
    expect(memory.read(BigInt(PAGE_SIZE * 2 - 2), 4)).toEqual(Uint8Array.of(1, 1, 2, 2));
    expect(memory.readU64(BigInt(PAGE_SIZE * 2 - 4))).toBe(0x0202020201010101n);
    expect(memory.readU32(BigInt(PAGE_SIZE * 2))).toBe(0x02020202);
    expect(memory.readU16(BigInt(PAGE_SIZE * 2 + 1))).toBe(0x0202);
    expect(memory.readU8(BigInt(PAGE_SIZE))).toBe(1);
    expect(asked).toEqual([[1, 2]]);
    time = 64;
    expect(memory.readU8(BigInt(PAGE_SIZE))).toBe(1);
    memory.drop();
    expect(memory.readU8(BigInt(PAGE_SIZE))).toBe(65);
    time = 0;
  });

  test('gives nothing of what is in part unreadable, and the others', () => {
    const memory = new PagedMemory(source);
    asked.length = 0;
    const at = (page: number, length: number) => ({ address: BigInt(PAGE_SIZE * page), length });
    expect(
      memory.readMany([at(3, 1), at(3, PAGE_SIZE + 1), at(5, 2), at(9, 1), at(-1, 1), { address: 2n ** 64n - 8n, length: 8 }]),
    ).toEqual([Uint8Array.of(3), undefined, Uint8Array.of(5, 5), undefined, undefined, undefined]);
    expect(asked).toEqual([[3, 4, 5, 9]]);
    expect(memory.readText(BigInt(PAGE_SIZE * 4 - 3), 3)).toEqual(Uint8Array.of(3, 3, 3));
    expect(memory.readText(BigInt(PAGE_SIZE * 4 - 3), 4)).toBeUndefined();
    expect(memory.read(0n, 0)).toEqual(new Uint8Array(0));
  });

  test('keeps no more pages than it was told', () => {
    const memory = new PagedMemory(source, { maxPages: 2 });
    asked.length = 0;
    for (const page of [1, 2, 3, 1]) memory.readU8(BigInt(PAGE_SIZE * page));
    expect(asked).toEqual([[1], [2], [3], [1]]);
  });
});
