import { expect, test } from 'vitest';
import { parseTracepointFormat } from './tracepoint-format.ts';

const FORMAT = `name: sample
ID: 77
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:int state;	offset:8;	size:4;	signed:1;
	field:__u8 saddr[4];	offset:12;	size:4;	signed:0;
	field:char comm[16];	offset:16;	size:16;	signed:0;
	field:char name[TASK_COMM_LEN];	offset:32;	size:16;	signed:0;
	field:__data_loc char[] file;	offset:48;	size:4;	signed:0;
	field:__rel_loc char[] later;	offset:52;	size:4;	signed:0;
	field:const char * path;	offset:56;	size:8;	signed:0;

print fmt: "%d", REC->state
`;

test('parseTracepointFormat() tells shapes and types', () => {
  const parsed = parseTracepointFormat('some', FORMAT);
  expect(parsed).toMatchObject({ category: 'some', name: 'sample', id: 77 });
  expect(parsed!.fields.map(({ name, shape, type, offset }) => [name, shape, type, offset])).toEqual([
    ['common_type', 'scalar', 'unsigned short', 0],
    ['state', 'scalar', 'int', 8],
    ['saddr', 'array', '__u8[4]', 12],
    ['comm', 'array', 'char[16]', 16],
    ['name', 'array', 'char', 32],
    ['file', 'data-loc', 'char', 48],
    ['path', 'scalar', 'const char *', 56],
  ]);
});

test('parseTracepointFormat() refuses other texts', () => {
  expect(parseTracepointFormat('some', 'no such file')).toBeUndefined();
});
