/** A quiet place-holder while the first answer is on its way; appears only when that takes long. */
export function PageSkeleton() {
  return (
    <div className="grid h-full place-items-center text-muted" role="status">
      <Spinner label="Loading…" />
    </div>
  );
}

export function Spinner({ label }: { readonly label: string }) {
  return (
    <span className="inline-flex items-center gap-2 text-muted">
      <svg width="16" height="16" viewBox="0 0 16 16" className="animate-spin motion-reduce:animate-none" aria-hidden>
        <circle cx="8" cy="8" r="6" fill="none" stroke="var(--line-strong)" strokeWidth="2" />
        <path d="M14 8a6 6 0 0 0-6-6" fill="none" stroke="var(--accent)" strokeWidth="2" strokeLinecap="round" />
      </svg>
      {label}
    </span>
  );
}
