interface ChartFrameProps {
  readonly title: string;
  /** What the chart says in one line, or what the pointer is on. */
  readonly note: string;
  readonly height: number;
  readonly frameRef: (element: HTMLElement | null) => void;
  readonly children: React.ReactNode;
}

/** A title line over a chart of fixed height, so that nothing moves when data arrives. */
export function ChartFrame({ title, note, height, frameRef, children }: ChartFrameProps) {
  return (
    <figure className="min-w-0">
      <figcaption className="flex h-5 items-baseline gap-2 overflow-hidden text-xs whitespace-nowrap">
        <span className="font-semibold">{title}</span>
        <span className="truncate text-muted">{note}</span>
      </figcaption>
      <div ref={frameRef} style={{ height }}>
        {children}
      </div>
    </figure>
  );
}
