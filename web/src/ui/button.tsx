import type { ComponentProps } from 'react';

type ButtonProps = ComponentProps<'button'> & { readonly look?: 'plain' | 'solid' | 'ghost'; readonly pressed?: boolean | undefined };

const LOOKS = {
  plain: 'border border-line-strong bg-panel hover:bg-sunken',
  solid: 'border border-transparent bg-accent-fill text-on-accent hover:brightness-110',
  ghost: 'border border-transparent text-muted hover:bg-sunken hover:text-text',
};

const BASE =
  'inline-flex h-7.5 shrink-0 items-center justify-center gap-1.5 rounded-md px-2.5 text-[13px] font-medium whitespace-nowrap transition-colors disabled:opacity-45';

/** The one button of the page; `pressed` makes it a toggle. */
export function Button({ look = 'plain', pressed, className = '', ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      className={`${buttonClass(look)} aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent ${className}`}
      {...rest}
    />
  );
}

export function buttonClass(look: keyof typeof LOOKS = 'plain'): string {
  return `${BASE} ${LOOKS[look]}`;
}

/** Square, for an icon; the label is spoken and shown as a tip. */
export function IconButton({ label, className = '', look = 'ghost', ...rest }: ButtonProps & { readonly label: string }) {
  return <Button look={look} aria-label={label} title={label} className={`w-7.5 px-0! ${className}`} {...rest} />;
}
