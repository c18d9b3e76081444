import { cpus, release, totalmem, type } from 'node:os';

/** One line that says on what a figure was measured, and nothing of whose machine it is. */
export function describeMachine(): string {
  const processors = cpus();
  const model =
    processors[0]?.model
      .replaceAll(/\(R\)|\(TM\)/g, '')
      .replaceAll(/\s+/g, ' ')
      .trim() || process.arch;
  const memory = Math.round(totalmem() / 2 ** 30);
  const kernel = release().split('.', 2).join('.');
  return `${processors.length} cores (${model}), ${memory} GB, ${type()} ${kernel}, Node ${process.version}`;
}
