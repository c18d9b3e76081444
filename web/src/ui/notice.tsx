interface NoticeProps {
  readonly title: string;
  readonly children?: React.ReactNode;
  readonly actions?: React.ReactNode;
  readonly tone?: 'plain' | 'bad';
}

/** What stands in a place that has nothing to show: says what happened and the way out. */
export function Notice({ title, children, actions, tone = 'plain' }: NoticeProps) {
  return (
    <div role={tone === 'bad' ? 'alert' : 'status'} className="mx-auto flex max-w-xl flex-col items-center gap-3 px-6 py-16 text-center">
      <h2 className={`text-base font-semibold ${tone === 'bad' ? 'text-fault' : ''}`}>{title}</h2>
      <div className="text-muted">{children}</div>
      {actions && <div className="flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
