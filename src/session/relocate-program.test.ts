import { describe, expect, test } from 'vitest';
import { FAKE_MODULE, fakeKnowledge, type FakeTarget } from '../../test/support/y-knowledge.ts';
import { compile, decodeProgram, dumpIr, encodeProgram, type Knowledge, type Program, type Tracepoint } from '../y/index.ts';
import { relocateProgram } from './relocate-program.ts';

const TARGET =
  'struct node { int key; struct node *next; }; extern struct node first; extern struct node second; int work(struct node *n);';
const KERNEL = 'struct inner { int pad; int id; }; struct task { long state; struct inner in; char name[16]; struct inner many[4]; };';
const TRACEPOINT: Tracepoint = { category: 'sched', name: 'sched_switch', id: 1, fields: [] };

const HOME = { path: FAKE_MODULE, buildId: 'aa11' as string | undefined, bias: 0n, shift: 0 };

/** Variables at `bias` above their place in the file, functions at `shift` above the usual place. */
function knowledgeOf(place: Partial<typeof HOME> = {}, rest: FakeTarget = {}): Knowledge {
  const { path, buildId, bias, shift } = { ...HOME, ...place };
  const fake = fakeKnowledge({ target: TARGET, kernel: KERNEL, literals: ['GET'], tracepoints: [TRACEPOINT], ...rest });
  return {
    ...fake,
    modules: () => [{ path, buildId, bias }],
    findVariables: (name) =>
      fake.findVariables(name, undefined).map((site) => ({
        ...site,
        module: path,
        buildId,
        fileAddress: site.address,
        address: site.address! + bias,
      })),
    findFunctions: (name) =>
      fake.findFunctions(name, undefined).map((site) => ({ ...site, module: path, buildId, fileOffset: site.fileOffset + shift })),
  };
}

/** As it comes out of a file. */
function compiledFor(knowledge: Knowledge, text: string): Program {
  const compiled = compile({ file: 't.y', text, resolveInclude: () => undefined }, knowledge);
  if (!compiled.ok) throw new Error(compiled.error.diagnostics.map(({ message }) => message).join('\n'));
  const decoded = decodeProgram(encodeProgram(compiled.value.program));
  if (!decoded.ok) throw new Error(decoded.error.message);
  return decoded.value;
}

const PROGRAMS = [
  ['variables', '_probe _oneshot { printf("%d %p", first.key, second.next); }'],
  ['literals', '_probe _oneshot { char *p = "GET"; printf("%p", p); }'],
  ['kernel fields', '_probe work(struct node *n) { struct task *t = _kernel(struct task *, 8); printf("%d %ld", t->in.id, t->state); }'],
  [
    'elements and addresses of kernel fields',
    '_probe work { struct task *t = _kernel(struct task *, 8); printf("%d %s", t->name[3], t->name); }',
  ],
  [
    'fields of elements',
    '_probe work { struct task *t = _kernel(struct task *, 8); printf("%d %d %d", t->many[0].id, t->many[2].id, t->many[t->state].id); }',
  ],
  ['a field at 0', '_probe work { struct task *t = _kernel(struct task *, 8); printf("%p", &t->state); }'],
] as const;

const OTHER_KERNEL =
  'struct inner { int id; int pad; }; struct task { long first[9]; long state; struct inner in; int hole; char name[16]; struct inner many[4]; };';

describe('relocateProgram() gives what would be compiled there', () => {
  test.each(PROGRAMS)('%s', (_name, text) => {
    const there = knowledgeOf({ path: '/other/copy', bias: 0x5555_0000_0000n }, { kernel: OTHER_KERNEL, literals: ['x', 'GET'] });
    const relocated = relocateProgram(compiledFor(knowledgeOf(), text), there);
    if (!relocated.ok) throw new Error(relocated.error.join('\n'));
    const native = compiledFor(there, text);
    // A note of where a variable was compiled for is all that may differ.
    const numbers = (program: Program): string => dumpIr(program).replaceAll(/ of \/\S+/g, '');
    expect(numbers(relocated.value)).toBe(numbers(native));
    expect(relocated.value.probes.map(({ point }) => point)).toEqual(native.probes.map(({ point }) => point));
    expect(numbers(relocated.value)).not.toBe(numbers(compiledFor(knowledgeOf(), text)));
  });
});

const VARIABLE = '_probe _oneshot { printf("%d", first.key); }';
const FUNCTION = '_probe work { }';

describe('relocateProgram() refuses', () => {
  test.each<[name: string, text: string, from: Knowledge, there: Knowledge, problem: string]>([
    [
      'a file with another build-id',
      VARIABLE,
      knowledgeOf(),
      knowledgeOf({ buildId: 'bb22' }),
      'the program was compiled for /bin/fake with build-id aa11, and the target has /bin/fake with build-id bb22: compile it again for this target',
    ],
    [
      'the same for functions, by the name of a file elsewhere',
      FUNCTION,
      knowledgeOf(),
      knowledgeOf({ path: '/elsewhere/fake', buildId: undefined }),
      'the program was compiled for /bin/fake with build-id aa11, and the target has /elsewhere/fake with no build-id: compile it again for this target',
    ],
    [
      'a target without the file',
      VARIABLE,
      knowledgeOf(),
      knowledgeOf({ path: '/bin/true', buildId: 'cc' }),
      'the program was compiled for /bin/fake with build-id aa11, and the target maps no such file: compile it again for this target',
    ],
    [
      'a function that is not at its place',
      FUNCTION,
      knowledgeOf(),
      knowledgeOf({ shift: 16 }),
      'work: work was at 0x1000 of /bin/fake, and now it is at 0x1010: compile the program again',
    ],
    [
      'a function of a file without a build-id that has it no more',
      FUNCTION,
      knowledgeOf({ buildId: undefined }),
      { ...knowledgeOf({ buildId: undefined }), findFunctions: () => [] },
      'work: work was at 0x1000 of /bin/fake, and now it has none: compile the program again',
    ],
    [
      'a variable of a file without a build-id that moved',
      VARIABLE,
      knowledgeOf({ buildId: undefined }),
      { ...knowledgeOf({ buildId: undefined }), findVariables: () => [] },
      'first of /bin/fake is not where it was: compile the program again',
    ],
    ['a text that is not there', PROGRAMS[1][1], knowledgeOf(), knowledgeOf({}, { literals: [] }), 'the target has no text "GET"'],
    [
      'a kernel without the member',
      PROGRAMS[2][1],
      knowledgeOf(),
      knowledgeOf({}, { kernel: 'struct inner { int number; }; struct task { long state; struct inner in; };' }),
      'the kernel has no struct task with a member in.id',
    ],
    [
      'a member of another size',
      PROGRAMS[2][1],
      knowledgeOf(),
      knowledgeOf({}, { kernel: 'struct inner { int pad; short id; }; struct task { long state; struct inner in; };' }),
      'in.id of struct task has 2 bytes in this kernel, not 4: compile the program again',
    ],
    [
      'a tracepoint with other fields',
      '_probe _tracepoint.sched.sched_switch { }',
      knowledgeOf(),
      knowledgeOf(
        {},
        { tracepoints: [{ ...TRACEPOINT, fields: [{ name: 'a', offset: 8, size: 4, signed: true, shape: 'scalar', type: 'int' }] }] },
      ),
      "_tracepoint.sched.sched_switch: this kernel's record has other fields: compile the program again",
    ],
  ])('%s', (_name, text, from, there, problem) => {
    const relocated = relocateProgram(compiledFor(from, text), there);
    expect(relocated.ok ? 'fits' : relocated.error).toEqual([problem]);
  });

  test('a list that names instructions which are not there', () => {
    const program = compiledFor(knowledgeOf(), VARIABLE);
    const damaged = { ...program, relocations: program.relocations!.map((one) => ({ ...one, block: 99 })) };
    const relocated = relocateProgram(damaged, knowledgeOf());
    expect(relocated.ok ? '' : relocated.error).toEqual(['the compiled program is damaged: compile it again']);
  });
});
