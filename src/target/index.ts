export type {
  Architecture,
  Identity,
  Mapping,
  Memory,
  Registers,
  Target,
  TargetError,
  TargetModule,
  TargetThread,
} from './target.ts';
