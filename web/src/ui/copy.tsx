import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button, IconButton } from './button.tsx';

/** Copies `text`; works without the clipboard API too (plain HTTP on another host has none). */
export function useCopy(text: string): { readonly copied: boolean; readonly copy: () => void } {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return { copied, copy: () => void writeClipboard(text).then(setCopied) };
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function CopyIconButton({ text, label }: { readonly text: string; readonly label: string }) {
  const { copied, copy } = useCopy(text);
  return (
    <IconButton label={copied ? 'Copied' : label} onClick={copy} className="h-6! w-6!">
      {copied ? <Check size={13} className="text-ok" /> : <Copy size={13} />}
    </IconButton>
  );
}

export function CopyButton({ text, children }: { readonly text: string; readonly children: React.ReactNode }) {
  const { copied, copy } = useCopy(text);
  return (
    <Button onClick={copy}>
      {copied ? <Check size={14} className="text-ok" /> : <Copy size={14} />}
      {copied ? 'Copied' : children}
    </Button>
  );
}

/** A line (or lines) of code that can be taken. */
export function CodeLine({ code, label }: { readonly code: string; readonly label: string }) {
  return (
    <div className="flex items-start gap-2 rounded-md border border-line bg-sunken py-1.5 pr-1.5 pl-3">
      <pre className="min-w-0 flex-1 overflow-x-auto py-0.5 font-mono text-xs leading-5">{code}</pre>
      <CopyIconButton text={code} label={`Copy ${label}`} />
    </div>
  );
}
