import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { listenUdp, type UdpListener } from './udp.ts';

const HEADER = '{"format":"json","version":1}';

interface Heard {
  readonly documents: string[];
  readonly malformed: string[];
}

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

async function listenAndHear(): Promise<{
  listener: UdpListener;
  heard: Heard;
  send: (...datagrams: (string | Uint8Array)[]) => Promise<void>;
}> {
  const heard: Heard = { documents: [], malformed: [] };
  const listener = await listenUdp('127.0.0.1', 0, {
    document: (body) => heard.documents.push(body.toString()),
    malformed: (message) => heard.malformed.push(message),
    failed: (message) => heard.malformed.push(message),
  });
  const socket: Socket = createSocket('udp4');
  cleanups.push(
    () => listener.close(),
    () => new Promise<void>((done) => socket.close(() => done())),
  );
  const send = async (...datagrams: (string | Uint8Array)[]): Promise<void> => {
    for (const datagram of datagrams) {
      await new Promise<void>((done, fail) => socket.send(datagram, listener.port, '127.0.0.1', (cause) => (cause ? fail(cause) : done())));
    }
  };
  return { listener, heard, send };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await sleep(10);
}

describe('listenUdp()', () => {
  test.each([
    ['the usual header', `${HEADER}\n{"a":1}`, '{"a":1}'],
    ['spaces in the header', `{ "format": "json", "version": 1 }\n{"a":1}`, '{"a":1}'],
    ['another order and more members', `{"version":1,"format":"JSON","more":[1]}\n{"a":1}`, '{"a":1}'],
    ['a carriage return before the newline', `${HEADER}\r\n{"a":1}`, '{"a":1}'],
    ['newlines in the document', `${HEADER}\n{\n"a":1\n}`, '{\n"a":1\n}'],
  ])('takes %s', async (_, datagram, document) => {
    const { heard, send } = await listenAndHear();
    await send(datagram);
    await until(() => heard.documents.length > 0);
    expect(heard).toEqual({ documents: [document], malformed: [] });
  });

  test.each([
    ['an empty datagram', '', 'no newline'],
    ['a document without header', '{"a":1}', 'no newline'],
    ['no document', `${HEADER}\n`, 'no document'],
    ['another version', `{"format":"json","version":2}\n{}`, 'is not {"format":"json","version":1}'],
    ['another format', `{"format":"protobuf","version":1}\n{}`, 'is not {"format":"json","version":1}'],
    ['a header that is no object', '5\n{}', 'the header "5"'],
    ['a header that cannot be made text', '{"format":{"toString":1},"version":1}\n{}', 'the header'],
    ['bytes', Buffer.from([0xff, 0x00, 0x0a, 0x01]), 'the header'],
  ])('refuses %s', async (_, datagram, message) => {
    const { heard, send } = await listenAndHear();
    await send(datagram);
    await until(() => heard.malformed.length > 0);
    expect(heard).toEqual({ documents: [], malformed: [expect.stringContaining(message)] });
  });

  test('takes the largest datagram that there is', async () => {
    const { heard, send } = await listenAndHear();
    const document = JSON.stringify({ a: 'x'.repeat(65_507 - HEADER.length - 1 - '{"a":""}'.length) });
    await send(`${HEADER}\n${document}`);
    await until(() => heard.documents.length > 0);
    expect(heard.documents).toEqual([document]);
  });

  test('asks for a large buffer, and counts what the kernel drops when nobody reads', async (context) => {
    const { listener, heard, send } = await listenAndHear();
    requireOrSkip(context, listener.kernelDrops() !== undefined, 'the system does not tell of dropped datagrams (Linux does)');
    expect(listener.bufferBytes).toBeGreaterThanOrEqual(200_000);
    expect(listener.kernelDrops()).toBe(0);
    const datagram = Buffer.from(`${HEADER}\n{"a":"${'x'.repeat(60_000)}"}`);
    const sent = Math.ceil((listener.bufferBytes / datagram.length) * 2);
    // Sending without waiting: nothing is read before all of it was sent.
    const socket = createSocket('udp4');
    await new Promise<void>((done) => socket.connect(listener.port, '127.0.0.1', () => done()));
    const all: Promise<void>[] = [];
    for (let index = 0; index < sent; index++) all.push(new Promise((done) => socket.send(datagram, () => done())));
    await Promise.all(all);
    socket.close();
    await until(() => heard.documents.length + (listener.kernelDrops() ?? 0) === sent);
    expect(listener.kernelDrops()).toBeGreaterThan(0);
    expect(heard.documents.length + listener.kernelDrops()!).toBe(sent);
    await send(`${HEADER}\n{}`); // and goes on
    await until(() => heard.documents.at(-1) === '{}');
    expect(heard.documents.at(-1)).toBe('{}');
  });

  test('says that a port is taken', async () => {
    const { listener } = await listenAndHear();
    const second = listenUdp('127.0.0.1', listener.port, {
      document: () => undefined,
      malformed: () => undefined,
      failed: () => undefined,
    });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('listens on IPv6', async (context) => {
    const listener = await listenUdp('::1', 0, { document: () => undefined, malformed: () => undefined, failed: () => undefined }).catch(
      () => undefined,
    );
    requireOrSkip(context, listener !== undefined, 'no IPv6 loopback');
    expect(listener!.host).toBe('::1');
    await listener!.close();
  });
});
