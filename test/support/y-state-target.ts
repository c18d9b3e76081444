/** What `test/y/targets/state.c` declares, as a fake target. */
import { fakeKnowledge } from './y-knowledge.ts';
import type { Knowledge } from '../../src/y/knowledge.ts';

const TYPES = `
enum color { RED, GREEN = 5, BLUE, NEGATIVE = -3 };
typedef enum { SMALL, LARGE } size_class;
struct point { int x, y; };
struct bits { unsigned low : 3; unsigned mid : 7; int negative : 4; unsigned long wide : 40; bool flag : 1; };
union value { int32_t i; float f; uint8_t bytes[4]; };
struct node { int key; char name[12]; struct node *next; };
struct tree { long key; struct tree *left, *right; };
typedef int (*operation)(int, int);
struct record {
    int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64;
    char letter;
    bool yes, no;
    float real;
    double precise;
    enum color color;
    size_class class;
    const char *title;
    char *none;
    struct point at;
    struct point corners[4];
    int grid[2][3];
    union value value;
    struct { int inner; union { int first; unsigned char second; }; };
    struct bits bits;
    operation op;
    struct node *list;
    void *opaque;
    const struct record *self;
};
struct flexible { int count; short items[]; };
extern struct flexible *flexible;
extern struct tree *root;
extern struct record record;
extern struct record *record_pointer;
extern int numbers[10];
extern const char *words[5];
extern char long_text[300];
extern int counter;
extern int hidden;
extern unsigned long big;
extern double pi;
extern struct node *cycle;
extern struct node *broken;
int one(int a);
long six(char a, short b, int c, long d, unsigned char e, void *f);
long eight(long a, long b, long c, long d, long e, long f, long g, long h);
const char *text(const char *s);
void pass(struct node *n);
unsigned recurse(unsigned n);
int8_t minus(void);
bool truth(int n);
struct point where(struct point p);
double half(double d);
void inner(int depth);
void middle(int depth);
void finished(void);
void *malloc(size_t n);
`;

const KERNEL = `
struct list_head { struct list_head *next, *prev; };
struct cred { unsigned uid; };
struct task_struct { unsigned long state; int pid; int tgid; char comm[16]; struct task_struct *parent; const struct cred *cred; struct list_head children; };
struct file { void *f_op; unsigned f_flags; };
int vfs_fsync(struct file *file, int datasync);
void wake_up_new_task(struct task_struct *p);
`;

const SYSCALLS = `
ssize_t read(unsigned fd, char *buf, size_t count);
ssize_t write(unsigned fd, const char *buf, size_t count);
int openat(int dfd, const char *filename, int flags);
`;

/** The target of the manual's examples. */
export function stateKnowledge(architecture: 'x86-64' | 'aarch64' = 'x86-64'): Knowledge {
  const register = (name: string, size: 4 | 8) => ({ kind: 'register', size, signed: size === 4, register: name }) as const;
  const operands = [register('di', 4), register('si', 8), register('dx', 8)];
  return fakeKnowledge({
    target: TYPES,
    kernel: KERNEL,
    syscalls: SYSCALLS,
    stripped: ['bare'],
    literals: ['GET', 'node-0'],
    architecture,
    usdt: { 'state:step': { module: '/bin/fake', address: 0x2000n, fileOffset: 0x2000, semaphore: undefined, operands } },
    tracepoints: [
      {
        category: 'sched',
        name: 'sched_switch',
        id: 300,
        fields: [
          { name: 'prev_comm', offset: 8, size: 16, signed: false, shape: 'array', type: 'char[16]' },
          { name: 'prev_pid', offset: 24, size: 4, signed: true, shape: 'scalar', type: 'pid_t' },
        ],
      },
      {
        category: 'syscalls',
        name: 'sys_enter_openat',
        id: 600,
        fields: [
          { name: 'dfd', offset: 16, size: 8, signed: true, shape: 'scalar', type: 'int' },
          { name: 'filename', offset: 24, size: 8, signed: false, shape: 'scalar', type: 'const char *' },
          { name: 'args', offset: 16, size: 48, signed: false, shape: 'array', type: 'unsigned long[6]' },
          { name: 'what', offset: 64, size: 4, signed: false, shape: 'data-loc', type: 'char[]' },
        ],
      },
    ],
  });
}
