/** `fluoro run` and `fluoro compile` as commander sees them; their code is loaded when they are called. */
import type { Command } from 'commander';
import type { LookingFlags } from './looking-options.ts';

const RUN_EXAMPLES = `
Without a target the program looks at the whole host. A program with probes of functions, system calls, tracepoints or samples runs in the
kernel (eBPF); any other walks memory from outside (snapshot). Ctrl-C ends the session: the program's _end still runs.

Examples:
  fluoro run -e '_probe _syscall.openat(int d, const char *f) { printf("%s %s\\n", _comm(), _ustr(f)); }'
                                               files that are opened, on the whole host
  fluoro run -e '_bt s[int]; _agg n[_bt]; _probe _profile.hz(99) { n[_ubt()] <<< 1; } _probe _end { _flame(n, _count, "samples"); }' -p 1234 --timeout 10
                                               where a process spends its time
  fluoro run slow.y -c 'gzip -k big'           starts the command, looks from its first instruction on, ends with it
  fluoro run walk.y --core core.1234           a core dump
  fluoro run hits.y --exe /usr/sbin/nginx --min-bytes 1 --json
                                               all processes of a program; sets the option min_bytes of hits.y
  fluoro run hits.y --help                     what hits.y does, and its options

Exit status: 0 done, 1 a mistake in the program, 2 in the command line, 69 not permitted or not available here, 70 our bug.
`;

const COMPILE_EXAMPLES = `
What is not in the program is looked for in the target, so the same target options are needed as for \`fluoro run\`.

Examples:
  fluoro compile hits.y                        only checks the program
  fluoro compile hits.y -p 1234 --dump=ir      the intermediate form
  fluoro compile hits.y -p 1234 --dump=ebpf    the kernel's instructions, with the lines that they come from
  fluoro compile -e '_probe _begin { _exit(); }' --dump=ast

Exit status: 0 done, 1 a mistake in the program, 2 in the command line, 69 not permitted or not available here, 70 our bug.
`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Adds both commands. `finish` gets the exit status. */
export function addLookingCommands(program: Command, finish: (status: Promise<number>) => Promise<void>): void {
  const run = withTarget(
    program.command('run').description('run a program in the Y language on a process, a command, a core dump or the host'),
  );
  run
    .option('--timeout <SECONDS>', 'end the session after so many seconds')
    .option('--json', 'print charts, texts, mistakes and the end as one JSON object a line')
    .option('-o, --output <FILE>', 'write there what would be printed; a name that ends in .json: as --json does')
    .option('--max-overhead <SHARE>', "most of the target's CPU time that probes may cost, such as 1%; above, the costliest is taken off")
    .option('--freeze', 'stop the process while a program without probes of the kernel walks it')
    .option('--engine <NAME>', 'ebpf or snapshot; without it the probes decide')
    .option('--stats', 'say at the end what each probe did, and how backtraces ended')
    .option('--verbose', 'say before the start where probes go, even when standard error is no terminal')
    .addHelpText('after', RUN_EXAMPLES);
  const compile = withTarget(
    program.command('compile').description('check a program in the Y language, show what the compiler makes of it'),
  );
  compile
    .option('--dump <PASS>', 'ast, typed, ir or ebpf: show what this pass gives')
    .option('--engine <NAME>', 'ebpf or snapshot; without it the probes decide')
    .option('--json', 'print mistakes as one JSON object a line')
    .option('-o, --output <FILE>', 'write there what would be printed')
    .addHelpText('after', COMPILE_EXAMPLES);
  run.action(async (words: readonly string[], flags: LookingFlags) => {
    if (asksForHelp(run, words, flags)) return;
    const { runProgram } = await import('./run.ts');
    await finish(runProgram(words, flags));
  });
  compile.action(async (words: readonly string[], flags: LookingFlags) => {
    if (asksForHelp(compile, words, flags)) return;
    const { compileProgram } = await import('./compile.ts');
    await finish(compileProgram(words, flags));
  });
}

function withTarget(command: Command): Command {
  return command
    .usage("[options] FILE | -e 'CODE' | - [--OPTION VALUE ...]")
    .argument('[words...]', "the program's file, or - for standard input; then values of the program's own options")
    .helpOption(false)
    .allowUnknownOption()
    .option('-e, --eval <CODE>', 'the program itself')
    .option('-p, --pid <PID>', 'a process; with a minus a process group, and what joins it')
    .option('-c, --command <CMD>', 'a command to start; it is stopped when the session ends before it')
    .option('--exe <PATH>', 'all processes of an executable; with --core the executable of the dump')
    .option('--container <ID>', "all processes of a container: the id's first digits")
    .option('--core <FILE>', 'a core dump')
    .option('-I, --include <DIR>', 'a folder for #include (may be repeated)', collect)
    .option('-D, --define <NAME[=VALUE]>', 'a macro (may be repeated)', collect)
    .option('--debuginfod', 'fetch missing debug information from the servers in DEBUGINFOD_URLS')
    .option('-h, --help', 'this help; behind FILE: what the program does, and its options');
}

/** `--help` without a program is about the command. */
function asksForHelp(command: Command, words: readonly string[], flags: LookingFlags): boolean {
  if (flags.help !== true || words.length > 0 || flags.eval !== undefined) return false;
  command.outputHelp();
  return true;
}
