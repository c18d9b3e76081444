import { CopyIconButton } from '../../ui/copy.tsx';
import type { JsonObject } from './document.ts';
import { ValueTable } from './value-table.tsx';

const CLAUSES =
  /\s+(?=(?:FROM|WHERE|GROUP BY|ORDER BY|HAVING|LIMIT|OFFSET|VALUES|SET|RETURNING|ON CONFLICT|FOR UPDATE|UNION|(?:LEFT |RIGHT |INNER |FULL |CROSS )?(?:OUTER )?JOIN)\b)/gi;

export function Sql({ sql }: { readonly sql: JsonObject }) {
  const { sanitized_query: query, ...rest } = sql;
  return (
    <div className="flex flex-col gap-4">
      {typeof query === 'string' && (
        <div className="flex items-start gap-1 rounded-md bg-sunken py-2 pr-1 pl-3">
          <pre className="min-w-0 flex-1 font-mono text-xs leading-5 break-words whitespace-pre-wrap">
            {query.includes('\n') ? query : query.replace(CLAUSES, '\n')}
          </pre>
          <CopyIconButton text={query} label="Copy the query" />
        </div>
      )}
      <ValueTable values={rest} />
    </div>
  );
}
