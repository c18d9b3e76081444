#!/usr/bin/env node
/** The command line. Each command's code is loaded when it is called, so that help and errors come at once. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Command, CommanderError } from 'commander';
import { addLookingCommands } from './looking-commands.ts';
import { OPTIONS, readSettings, type Settings } from './options.ts';

const USAGE = 2;
const UNAVAILABLE = 69;
const BUG = 70;

interface RunFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly [flag: string]: unknown;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** `data`: what is said of the default of `--data`, where it is not the usual one. */
function withRunOptions(command: Command, data?: string): Command {
  for (const { flag, value, help, fallback: usual } of OPTIONS) {
    const fallback = flag === 'data' ? (data ?? usual) : usual;
    command.option(`--${flag} <${value}>`, fallback === '' ? help : `${help} (default: ${fallback})`);
  }
  return command
    .option('--config <FILE>', 'options as YAML (default: fluoro.yaml here, when there is one)')
    .option('--json', 'print the addresses taken as one line of JSON')
    .addHelpText(
      'after',
      '\nEvery option is also an environment variable (--otlp-grpc: FLUORO_OTLP_GRPC) and a key of the configuration file.',
    );
}

async function withSettings(flags: RunFlags, run: (settings: Settings) => Promise<number>): Promise<void> {
  const settings = readSettings({ flags, environment: process.env, configPath: flags.config });
  if (!settings.ok) {
    process.stderr.write(`fluoro: ${settings.error}\n`);
    process.exitCode = USAGE;
    return;
  }
  process.exitCode = await run(settings.value);
  process.exit(); // nothing that still runs is wanted
}

function createProgram(): Command {
  const program = new Command('fluoro')
    .description('Looks inside running software: request tracing that speaks AWS X-Ray and OpenTelemetry, on your own machine.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(see fluoro --help)')
    .exitOverride();
  withRunOptions(program.command('up').description('start everything on this machine: server, page, storage')).action(
    async (flags: RunFlags) => {
      const { runUp } = await import('./up.ts');
      await withSettings(flags, (settings) => runUp(settings, version(), flags.json === true));
    },
  );
  withRunOptions(program.command('server').description('start a server beside a ClickHouse store (any number of them)')).action(
    async (flags: RunFlags) => {
      const { runServer } = await import('./up.ts');
      await withSettings(flags, (settings) => runServer(settings, version(), flags.json === true));
    },
  );
  withDemoOptions(program.command('demo').description('start everything, and a small shop whose traces it shows')).action(
    async (flags: RunFlags) => {
      const { runDemo, runShopFor } = await import('./demo.ts');
      const json = flags.json === true;
      const { server } = flags;
      await withSettings(flags, async (settings) =>
        typeof server === 'string'
          ? runShopFor(server, json)
          : runDemo(settings, version(), { json, keepData: flags['data'] !== undefined }),
      );
    },
  );
  withRunOptions(program.command('doctor').description('what works here, what does not, why, and what to do')).action(
    async (flags: RunFlags) => {
      const { canServe, examine, formatFindings } = await import('./doctor.ts');
      await withSettings(flags, async (settings) => {
        const findings = await examine(settings);
        process.stdout.write(flags.json === true ? `${JSON.stringify(findings)}\n` : formatFindings(findings));
        return canServe(findings) ? 0 : UNAVAILABLE;
      });
    },
  );
  addLookingCommands(program, async (status) => {
    process.exitCode = await status;
    process.exit(); // nothing that still runs is wanted
  });
  return program;
}

function withDemoOptions(command: Command): Command {
  return withRunOptions(command, 'a new directory, removed at the end').option(
    '--server <URL>',
    'start only the shop, for the Fluoroscope whose page is there',
  );
}

/** Under the name `run-y` this is `fluoro run`. */
function toArguments([node = '', script = '', ...words]: readonly string[]): string[] {
  return basename(script) === 'run-y' ? [node, script, 'run', ...words] : [node, script, ...words];
}

try {
  await createProgram().parseAsync(toArguments(process.argv));
} catch (cause) {
  if (cause instanceof CommanderError) process.exitCode = cause.exitCode === 0 ? 0 : USAGE;
  else {
    process.stderr.write(`fluoro: this is our bug: ${(cause as Error).stack}\n`);
    process.exitCode = BUG;
  }
}
