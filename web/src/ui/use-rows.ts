import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';

interface RowsOptions {
  readonly count: number;
  readonly scroller: React.RefObject<HTMLDivElement | null>;
  readonly rowHeight: number;
  readonly overscan: number;
  /** What a sticky head covers. */
  readonly head?: number;
}

/** Which rows of a long list are on the screen. */
export function useRows({ count, scroller, rowHeight, overscan, head = 0 }: RowsOptions): Virtualizer<HTMLDivElement, Element> {
  // Its functions change their answers from render to render; we do not use React's compiler, which cannot know that.
  // oxlint-disable-next-line react/incompatible-library
  return useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan,
    scrollPaddingStart: head,
    scrollPaddingEnd: 16,
  });
}
