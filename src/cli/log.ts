/** Structured logs on standard error: JSON lines, or one readable line each on a terminal. */
import { destination, type Logger, pino } from 'pino';

const COLORS: Readonly<Record<string, string>> = { warn: '\u001b[33m', error: '\u001b[31m', fatal: '\u001b[31m' };

/** A logger for one part of the product. */
export function createLog(level: string, part: string): Logger {
  const options = {
    level,
    base: { part },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const terminal = process.stderr.isTTY || process.env['FLUORO_LOG_TERMINAL'] === '1';
  if (!terminal) return pino(options, destination({ fd: 2, sync: true }));
  return pino(options, { write: (line: string) => void process.stderr.write(readable(line)) });
}

function readable(line: string): string {
  const { level, time, msg, part, err, ...details } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(details).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const color = COLORS[String(level)] ?? '';
  const reset = color === '' ? '' : '\u001b[0m';
  const reason = (err as { message?: string } | undefined)?.message;
  return `${String(time).slice(11, 19)} ${color}${String(level).padEnd(5)}${reset} ${String(part)}: ${[String(msg), reason, ...rest].filter(Boolean).join('  ')}\n`;
}
