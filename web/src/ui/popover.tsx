import { Dialog as RadixDialog, Popover as RadixPopover } from 'radix-ui';

interface PopoverProps {
  readonly trigger: React.ReactNode;
  readonly children: React.ReactNode;
  readonly label: string;
  readonly align?: 'start' | 'end';
  readonly open?: boolean;
  readonly onOpenChange?: (open: boolean) => void;
}

export function Popover({ trigger, children, label, align = 'end', open, onOpenChange }: PopoverProps) {
  return (
    <RadixPopover.Root {...(open === undefined ? {} : { open })} {...(onOpenChange ? { onOpenChange } : {})}>
      <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
      <RadixPopover.Portal>
        <RadixPopover.Content
          aria-label={label}
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 rounded-lg border border-line-strong bg-raised p-3 shadow-pop focus:outline-none"
        >
          {children}
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}

interface DialogProps {
  readonly title: string;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly children: React.ReactNode;
  readonly className?: string;
  readonly hideTitle?: boolean;
}

export function Dialog({ title, open, onOpenChange, children, className = 'w-[560px]', hideTitle = false }: DialogProps) {
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="fixed inset-0 z-50 bg-[rgb(0_0_0/45%)]" />
        <RadixDialog.Content
          aria-describedby={undefined}
          className={`fixed top-[12vh] left-1/2 z-50 max-h-[76vh] max-w-[94vw] -translate-x-1/2 overflow-auto rounded-xl border border-line-strong bg-raised shadow-pop focus:outline-none ${className}`}
        >
          <RadixDialog.Title className={hideTitle ? 'sr-only' : 'border-b border-line px-4 py-3 text-base font-semibold'}>
            {title}
          </RadixDialog.Title>
          {children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
