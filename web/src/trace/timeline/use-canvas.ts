import { useLayoutEffect, useRef } from 'react';

/** Paints a canvas at the screen's resolution, before the browser draws, when anything in `inputs` changed. */
export function useCanvas(
  width: number,
  height: number,
  paint: (context: CanvasRenderingContext2D) => void,
  inputs: readonly unknown[],
): React.RefObject<HTMLCanvasElement | null> {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || width <= 0 || height <= 0) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
  }, [width, height]);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || width <= 0 || height <= 0) return;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(context);
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [width, height, ...inputs]);
  return canvas;
}
