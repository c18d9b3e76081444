/** JSON as a tree that folds; small objects are open. */
export function JsonTree({ value, name, depth = 0 }: { readonly value: unknown; readonly name?: string; readonly depth?: number }) {
  const label = name === undefined ? null : <span className="text-accent">{name}</span>;
  if (typeof value !== 'object' || value === null) {
    return (
      <div className="font-mono text-xs leading-5 break-words">
        {label}
        {label && ': '}
        <Scalar value={value} />
      </div>
    );
  }
  const entries = Array.isArray(value) ? value.map((item, index) => [String(index), item] as const) : Object.entries(value);
  if (entries.length === 0)
    return (
      <div className="font-mono text-xs leading-5">
        {label}
        {label && ': '}
        {Array.isArray(value) ? '[]' : '{}'}
      </div>
    );
  const children = entries.map(([key, item]) => <JsonTree key={key} name={key} value={item} depth={depth + 1} />);
  if (name === undefined) return <div className="flex flex-col gap-0.5">{children}</div>;
  return (
    <details open={depth < 3 && entries.length <= 40}>
      <summary className="font-mono text-xs leading-5 marker:text-muted">
        {label} <span className="text-muted">{Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}</span>
      </summary>
      <div className="ml-1.5 border-l border-line pl-3">{children}</div>
    </details>
  );
}

function Scalar({ value }: { readonly value: unknown }) {
  if (typeof value === 'string') return <span className="text-ok">{JSON.stringify(value)}</span>;
  if (typeof value === 'number') return <span className="text-error">{value}</span>;
  return <span className="text-throttle">{String(value)}</span>;
}
