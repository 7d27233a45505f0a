/** A value that is taken up only once it has stood still, so that typing does not ask for every letter. */
import { useEffect, useState } from 'react';

export const STILL_MS = 250;

export function useDebounced<T>(value: T, still_ms = STILL_MS): T {
  const [taken, setTaken] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setTaken(value), still_ms);
    return () => clearTimeout(timer);
  }, [value, still_ms]);
  return taken;
}
