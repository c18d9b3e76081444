import { useEffect, useState } from 'react';

/** Epoch seconds, renewed now and then: for ages and uptimes. */
export function useNow(everySeconds = 10): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), everySeconds * 1000);
    return () => clearInterval(timer);
  }, [everySeconds]);
  return now;
}
