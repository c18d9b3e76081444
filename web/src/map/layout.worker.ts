import { layOut, type LayoutRequest } from './layout.ts';

self.onmessage = (event: MessageEvent<LayoutRequest>) => self.postMessage(layOut(event.data));
