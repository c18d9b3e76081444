import { Link } from '@tanstack/react-router';
import { Filter } from 'lucide-react';
import { quote } from '../../filter/clauses.ts';
import { CopyIconButton } from '../../ui/copy.tsx';
import { isObject, type JsonObject } from './document.ts';

/** Keys and values, nested objects as dotted keys; annotations also lead to the traces that share them. */
export function ValueTable({ values, filterable = false }: { readonly values: JsonObject; readonly filterable?: boolean }) {
  return (
    <dl className="grid grid-cols-[minmax(7rem,auto)_minmax(0,1fr)]">
      {flatten(values).map(([key, value]) => (
        <div key={key} className="group col-span-2 grid grid-cols-subgrid items-start gap-x-3 border-b border-line py-1">
          <dt className="text-muted">{key}</dt>
          <dd className="flex min-w-0 items-start gap-1">
            <span className="min-w-0 flex-1 font-mono text-xs leading-5 break-words">{format(value)}</span>
            <span className="flex opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
              {filterable && isScalar(value) && (
                <Link
                  to="/traces"
                  search={{ filter: `${annotationKey(key)} = ${typeof value === 'string' ? quote(value) : String(value)}` }}
                  title="Traces with this value"
                  aria-label={`Traces with ${key} = ${String(value)}`}
                  className="grid size-6 place-items-center rounded-md text-muted hover:bg-sunken hover:text-text"
                >
                  <Filter size={13} aria-hidden />
                </Link>
              )}
              <CopyIconButton text={format(value)} label={`Copy ${key}`} />
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function flatten(values: JsonObject, prefix = ''): (readonly [string, unknown])[] {
  return Object.entries(values).flatMap(([key, value]) =>
    isObject(value) && Object.keys(value).length > 0 ? flatten(value, `${prefix}${key}.`) : [[`${prefix}${key}`, value] as const],
  );
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function format(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function annotationKey(key: string): string {
  return /^\w+$/.test(key) ? `annotation.${key}` : `annotation[${key}]`;
}
